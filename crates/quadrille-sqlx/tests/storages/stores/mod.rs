//! Stores of a provider on real databases.

mod application;
mod dance;
mod faults;
mod forgetting;
mod growing;
#[path = "../../../../quadrille/tests/store/growth.rs"]
mod growth;
mod listening;
mod mysql_faults;
mod plans;
mod processes;
#[path = "../../../../quadrille-server/tests/program/proxy.rs"]
#[expect(dead_code, reason = "the tests of the program use the rest")]
mod proxy;
mod replicas;
mod restored;
mod unanswered;
mod world;

use std::{sync::Arc, time::Duration};

use quadrille::{
    Env,
    provider::store::Store,
    testing::{store_contract, transfer_contract},
};
use quadrille_sqlx::{MySqlStore, PgStore, StoreOptions};
use sqlx::PgPool;
use tokio::runtime::Runtime;

use crate::{
    databases::{Database as _, MariaDb, Postgres},
    servers,
};

store_contract!(postgres, on_postgres);
store_contract!(pgbouncer, on_pgbouncer);
store_contract!(mariadb, on_mariadb);
transfer_contract!(postgres_moves, on_postgres);
transfer_contract!(pgbouncer_moves, on_pgbouncer);
transfer_contract!(mariadb_moves, on_mariadb);

fn on_postgres(env: Env) -> (PgStore, (Postgres, Runtime)) {
    let runtime = Runtime::new().unwrap();
    let (store, database) = runtime.block_on(async {
        let database = Postgres::new().await;
        (PgStore::open(database.pool().await, env).await.unwrap(), database)
    });
    (store, (database, runtime))
}

fn on_pgbouncer(env: Env) -> (PgStore, (Postgres, Runtime)) {
    let runtime = Runtime::new().unwrap();
    let (store, database) = runtime.block_on(async {
        let database = Postgres::new().await;
        let store = behind_pgbouncer(&database, env).await;
        (store, database)
    });
    (store, (database, runtime))
}

fn on_mariadb(env: Env) -> (MySqlStore, (MariaDb, Runtime)) {
    let runtime = Runtime::new().unwrap();
    let (store, database) = runtime.block_on(async {
        let database = MariaDb::new().await;
        (MySqlStore::open(database.pool().await, env).await.unwrap(), database)
    });
    (store, (database, runtime))
}

/// With hashed keys, too.
async fn behind_pgbouncer(database: &Postgres, env: Env) -> PgStore {
    let options = StoreOptions::new().without_prepared_statements().hashed_keys();
    options.migrate(&database.pool().await).await.unwrap();
    let url = database.at(servers::pgbouncer().port);
    let pool = PgPool::connect(&url).await.unwrap();
    PgStore::open_with(pool, env, &options).await.unwrap()
}

/// Asks until the answer is yes.
async fn becomes<F: Future<Output = bool>>(what: &str, ask: impl Fn() -> F) {
    let asking = async {
        while !ask().await {
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(60), asking).await;
    assert!(asked.is_ok(), "{what}");
}

/// A kind of store.
trait Open: 'static {
    type Store: Store;
    type Database: Send;

    /// Two stores on two pools, over one database.
    fn two_at(env: Env) -> impl Future<Output = (Self::Database, [Arc<Self::Store>; 2])> + Send;

    /// [`Open::two_at`] the time of the system.
    fn two() -> impl Future<Output = (Self::Database, [Arc<Self::Store>; 2])> + Send {
        Self::two_at(Env::system())
    }
}

struct OnPostgres;

impl Open for OnPostgres {
    type Store = PgStore;
    type Database = Postgres;

    async fn two_at(env: Env) -> (Postgres, [Arc<PgStore>; 2]) {
        let database = Postgres::new().await;
        let (one, two) = (database.pool().await, database.pool().await);
        // Both processes start at the same time.
        let (one, two) = tokio::join!(PgStore::open(one, env.clone()), PgStore::open(two, env));
        (database, [Arc::new(one.unwrap()), Arc::new(two.unwrap())])
    }
}

struct BehindPgBouncer;

impl Open for BehindPgBouncer {
    type Store = PgStore;
    type Database = Postgres;

    async fn two_at(env: Env) -> (Postgres, [Arc<PgStore>; 2]) {
        let database = Postgres::new().await;
        let one = behind_pgbouncer(&database, env.clone()).await;
        let two = behind_pgbouncer(&database, env).await;
        (database, [Arc::new(one), Arc::new(two)])
    }
}

struct OnMariaDb;

impl Open for OnMariaDb {
    type Store = MySqlStore;
    type Database = MariaDb;

    async fn two_at(env: Env) -> (MariaDb, [Arc<MySqlStore>; 2]) {
        let database = MariaDb::new().await;
        let (one, two) = (database.pool().await, database.pool().await);
        let (one, two) =
            tokio::join!(MySqlStore::open(one, env.clone()), MySqlStore::open(two, env));
        (database, [Arc::new(one.unwrap()), Arc::new(two.unwrap())])
    }
}

/// Runs a test on each kind of store.
macro_rules! on_each_store {
    ($($test:ident)+) => {
        on_each_store! { @ postgres OnPostgres $($test)+ }
        on_each_store! { @ pgbouncer BehindPgBouncer $($test)+ }
        on_each_store! { @ mariadb OnMariaDb $($test)+ }
    };
    (@ $module:ident $store:ident $($test:ident)+) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test::<super::super::$store>().await;
                }
            )+
        }
    };
}
use on_each_store;
