//! The stores that come with the library, against the contract and under load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod cache;
mod faults;
mod file;
mod model;
mod process;
mod races;
mod world;

use quadrille::{provider::store::MemoryStore, testing::store_contract};
use world::sqlite;

store_contract!(memory, |env| (MemoryStore::new(env), ()));
store_contract!(sqlite, sqlite);
store_contract!(cached, |env| {
    let (store, folder) = sqlite(env.clone());
    (quadrille::testing::cached(store, env), folder)
});
