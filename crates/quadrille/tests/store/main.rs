//! The stores that come with the library, against the contract and under load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod backup;
mod cache;
mod everything;
mod faults;
mod file;
mod forget;
mod growing;
mod growth;
mod model;
mod parts;
mod process;
mod races;
mod volatile_faults;
mod world;

use quadrille::{
    provider::store::{MemoryStore, Parts},
    testing::{
        clients_contract, grants_contract, once_contract, store_contract, transfer_contract,
    },
};
use std::sync::Arc;
use world::sqlite;

store_contract!(sqlite, sqlite);
transfer_contract!(sqlite_moves, sqlite);
store_contract!(cached, |env| {
    let (store, folder) = sqlite(env.clone());
    (quadrille::testing::cached(store, env), folder)
});
grants_contract!(sqlite_for_grants, sqlite);
clients_contract!(sqlite_for_clients, sqlite);
once_contract!(sqlite_for_once, sqlite);
store_contract!(cached_parts, |env| {
    let (store, folder) = sqlite(env.clone());
    let parts = Parts::of(Arc::new(store)).clients(MemoryStore::new(env.clone()));
    (quadrille::testing::cached(parts, env), folder)
});
