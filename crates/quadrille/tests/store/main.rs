//! The stores that come with the library, against the contract and under load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use quadrille::{
    Env,
    provider::store::{MemoryStore, SqliteStore},
    testing::store_contract,
};
use tempfile::TempDir;

store_contract!(memory, |env| (MemoryStore::new(env), ()));
store_contract!(sqlite, |env| sqlite(env));

/// A store in a new file, and the folder that goes with it.
fn sqlite(env: Env) -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("quadrille.db"), env).unwrap();
    (store, folder)
}
