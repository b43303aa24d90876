//! Storages on real databases: the contract, several processes, faults, migrations, changes of
//! keys.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which these lints do not know for such"
)]

mod adopting;
mod connections;
mod databases;
mod faults;
mod keys;
mod migrations;
#[path = "../../../quadrille/tests/shared/ports.rs"]
mod ports;
mod processes;
mod servers;
mod stores;
mod users;
mod world;

use quadrille::{
    consumer::{CachedStorage, MemoryCache},
    testing::storage_contract,
};

use databases::{Database, MariaDb, Postgres, SqliteFile, SqliteMemory};

storage_contract!(sqlite_file, fresh::<SqliteFile>);
storage_contract!(sqlite_memory, fresh::<SqliteMemory>);
storage_contract!(postgres, fresh::<Postgres>);
storage_contract!(mariadb, fresh::<MariaDb>);

storage_contract!(cached_sqlite_file, cached::<SqliteFile>);
storage_contract!(cached_postgres, cached::<Postgres>);

type Cached<D> = CachedStorage<MemoryCache, <D as Database>::Storage>;

fn cached<D: Database>() -> (Cached<D>, (D, tokio::runtime::Runtime)) {
    let (storage, alive) = fresh::<D>();
    (CachedStorage::new(MemoryCache::new(1000), storage), alive)
}

/// A storage, with its database and the runtime of the connection that made the tables.
fn fresh<D: Database>() -> (D::Storage, (D, tokio::runtime::Runtime)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (database, storage) = runtime.block_on(D::migrated());
    (storage, (database, runtime))
}

/// Runs a test on each database.
macro_rules! on_each_database {
    ($($test:ident)+) => {
        on_each_database! { @ sqlite_file SqliteFile $($test)+ }
        on_each_database! { @ sqlite_memory SqliteMemory $($test)+ }
        on_each_database! { @ postgres Postgres $($test)+ }
        on_each_database! { @ mariadb MariaDb $($test)+ }
    };
    (@ $module:ident $database:ident $($test:ident)+) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test::<crate::databases::$database>().await;
                }
            )+
        }
    };
}
pub(crate) use on_each_database;
