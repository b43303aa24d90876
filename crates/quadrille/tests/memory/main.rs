//! The contract on stores in memory: that of the library, which `make mutants` changes, and that of
//! the example `own_store`.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bounds;
#[path = "../../examples/own_store"]
mod own_store {
    pub(crate) mod store;
    mod tables;
}

use own_store::store::OwnStore;
use quadrille::{
    provider::store::MemoryStore,
    testing::{
        clients_contract, grants_contract, once_contract, store_contract, transfer_contract,
    },
};

store_contract!(memory, |env| (MemoryStore::new(env), ()));
transfer_contract!(memory_moves, |env| (MemoryStore::new(env), ()));
grants_contract!(memory_for_grants, |env| (MemoryStore::new(env), ()));
clients_contract!(memory_for_clients, |env| (MemoryStore::new(env), ()));
once_contract!(memory_for_once, |env| (MemoryStore::new(env), ()));
store_contract!(own, |env| (OwnStore::new(env), ()));
grants_contract!(own_for_grants, |env| (OwnStore::new(env), ()));
