//! The contract on stores in memory: that of the library, which `make mutants` changes, and that of
//! the example `own_store`.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bounds;
#[cfg(unix)]
mod files;
mod lent;
#[path = "../../examples/own_store"]
mod own_store {
    pub(crate) mod store;
    mod tables;
}
mod volatile;

use own_store::store::OwnStore;
use quadrille::{
    KeyRing,
    provider::store::{MemoryStore, VolatileFiles, VolatileMemory, VolatileStore},
    testing::{
        clients_contract, grants_contract, once_contract, store_contract, transfer_contract,
        volatile_contract, volatile_store_contract,
    },
};

store_contract!(memory, |env| (MemoryStore::new(env), ()));
transfer_contract!(memory_moves, |env| (MemoryStore::new(env), ()));
grants_contract!(memory_for_grants, |env| (MemoryStore::new(env), ()));
clients_contract!(memory_for_clients, |env| (MemoryStore::new(env), ()));
once_contract!(memory_for_once, |env| (MemoryStore::new(env), ()));
store_contract!(own, |env| (OwnStore::new(env), ()));
grants_contract!(own_for_grants, |env| (OwnStore::new(env), ()));
volatile_contract!(cache, |_env| (VolatileMemory::new(1000), ()));
volatile_contract!(cache_in_files, |env| {
    let folder = tempfile::tempdir().unwrap();
    (VolatileFiles::open(folder.path(), env).unwrap(), folder)
});
volatile_store_contract!(over_memory, |env| {
    let keys = KeyRing::new([&[7; 32]]).unwrap();
    let cache = VolatileMemory::new(10_000);
    (VolatileStore::new(MemoryStore::new(env.clone()), cache, keys, env), ())
});
volatile_store_contract!(over_files, |env| {
    let (keys, folder) = (KeyRing::new([&[7; 32]]).unwrap(), tempfile::tempdir().unwrap());
    let cache = VolatileFiles::open(folder.path(), env.clone()).unwrap();
    (VolatileStore::new(MemoryStore::new(env.clone()), cache, keys, env), folder)
});
