//! What goes wrong in a database.

use std::{sync::Arc, time::Duration};

use quadrille::{
    Env,
    provider::store::{Grants as _, Issue, Issuers as _, KnownSince, Part as _, RowId, StoreError},
};
use quadrille_sqlx::{MigrateError, PgStore, Prefix, StoreOptions};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::task::JoinSet;

use super::world::{code, family, issue, issuer, token};
use crate::{
    databases::{Database as _, MariaDb, Postgres},
    ports,
};

/// Every answer is true: what was issued is stored, and a failure is one to try again.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_killed_lose_nothing_that_was_answered() {
    let database = Postgres::new().await;
    let store = PgStore::open(database.pool().await, Env::system()).await.unwrap();
    let (store, issuer) = (Arc::new(store), issuer(&store_of(&database).await).await);
    let mut failed = 0;
    for round in 0..20 {
        let mut all = JoinSet::new();
        for row in (round * 100 + 1000)..(round * 100 + 1100) {
            let store = Arc::clone(&store);
            all.spawn(async move { (row, store.issue(issuer, issue(row)).await) });
        }
        database
            .run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        for (row, issued) in all.join_all().await {
            match issued {
                Ok(lives) => {
                    assert!(lives);
                    let token = token(row);
                    let found = again(|| store.access(issuer, &token)).await;
                    assert!(found.is_some(), "{row}");
                }
                Err(error) => {
                    assert!(error.is_transient(), "{error:?}");
                    failed += 1;
                }
            }
        }
    }
    assert!(failed < 2000);
    again(|| store.issue(issuer, issue(9000))).await;
}

async fn store_of(database: &Postgres) -> PgStore {
    PgStore::open(database.pool().await, Env::system()).await.unwrap()
}

/// The answer of a database that comes back.
pub(super) async fn again<T, F: Future<Output = Result<T, StoreError>>>(verb: impl Fn() -> F) -> T {
    for _ in 0..100 {
        match verb().await {
            Ok(done) => return done,
            Err(error) => assert!(error.is_transient(), "{error:?}"),
        }
    }
    panic!("the database stays away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_lost_a_deadlock_is_run_again() {
    let database = Postgres::new().await;
    let store = Arc::new(store_of(&database).await);
    let issuer = issuer(&*store).await;
    let mut other = database.connect().await;
    // The other side never looks for a deadlock, so the store's side is the one that loses.
    for sql in
        ["SET deadlock_timeout = '1min'", "BEGIN", "UPDATE quadrille_positions SET last = last"]
    {
        sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
    }
    let revoking = tokio::spawn({
        let (store, until) = (Arc::clone(&store), code(1).expires);
        async move { store.revoke_grant(issuer, RowId(5000), until).await }
    });
    // In one statement: the store's side looks for a deadlock once, a second after it began to wait.
    let closing = format!(
        "DO $$ BEGIN
            WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted
                AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))
            LOOP
                PERFORM pg_sleep(0.001);
            END LOOP;
            INSERT INTO quadrille_revoked VALUES (5000, {}, 0);
        END $$",
        issuer.0
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(closing)).execute(&mut other).await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(revoking.await.unwrap().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_without_a_free_connection_is_unavailable_until_there_is_one() {
    let database = Postgres::new().await;
    store_of(&database).await;
    let options = PgPoolOptions::new().max_connections(1);
    let pool = options.acquire_timeout(Duration::from_millis(200));
    let pool = pool.connect_with(database.options()).await.unwrap();
    let store = PgStore::open(pool.clone(), Env::system()).await.unwrap();
    let issuer = issuer(&store).await;
    let held = pool.acquire().await.unwrap();
    for error in [
        store.issue(issuer, issue(1000)).await.unwrap_err(),
        store.access(issuer, &token(1000)).await.unwrap_err(),
        store.put_code(issuer, code(1001)).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Unavailable(_)) && error.is_transient(), "{error:?}");
    }
    drop(held);
    store.issue(issuer, issue(1000)).await.unwrap();
    assert!(store.access(issuer, &token(1000)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_down_is_unavailable() {
    let url = format!("postgres://postgres@127.0.0.1:{}/app", ports::free_port());
    let options = PgPoolOptions::new().acquire_timeout(Duration::from_millis(200));
    let pool = options.connect_lazy(&url).unwrap();
    let error = PgStore::open(pool, Env::system()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_not_be_written_is_read() {
    let database = Postgres::new().await;
    let writing = store_of(&database).await;
    let issuer = issuer(&writing).await;
    writing.issue(issuer, issue(1000)).await.unwrap();
    let options = database.options().options([("default_transaction_read_only", "on")]);
    let pool = PgPool::connect_with(options).await.unwrap();
    let store = PgStore::open(pool, Env::system()).await.unwrap();
    assert!(store.access(issuer, &token(1000)).await.unwrap().is_some());
    for error in [
        store.issue(issuer, issue(1001)).await.unwrap_err(),
        store.revoke_grant(issuer, RowId(1000), code(1).expires).await.unwrap_err(),
        store.issuer("https://other.example").await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::ReadOnly), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_newer_version_are_left_alone() {
    let database = Postgres::new().await;
    store_of(&database).await;
    database.run("INSERT INTO quadrille_store_migrations (version) VALUES (7)").await;
    let error = PgStore::open(database.pool().await, Env::system()).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: 3 }), "{error:?}");
    let versions = "SELECT version FROM quadrille_store_migrations ORDER BY version";
    assert_eq!(database.numbers(versions).await, [1, 2, 3, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_goes_back_and_forth_and_tokens_stay() {
    let (postgres, mariadb) = (Postgres::new().await, MariaDb::new().await);
    let store = store_of(&postgres).await;
    let issuer = issuer(&store).await;
    let kept = family(1001);
    store.issue(issuer, Issue { family: Some(kept.clone()), ..issue(1000) }).await.unwrap();
    let (pg, my, options) = (postgres.pool().await, mariadb.pool().await, StoreOptions::new());
    options.migrate(&my).await.unwrap();
    for _ in 0..2 {
        assert_eq!(options.migrate_back(&pg).await, Ok(()));
        assert_eq!(options.migrate_back(&my).await, Ok(()), "once more it is there already");
    }
    let older = Err(MigrateError::Older { found: 2, known: 3 });
    assert_eq!((options.check(&pg).await, options.check(&my).await), (older, older));
    // As a migration that ends after it has changed the table.
    let change = "ALTER TABLE quadrille_families
        DROP COLUMN rotated_scopes, DROP COLUMN rotated_resources";
    sqlx::query(change).execute(&my).await.unwrap();
    assert_eq!((options.migrate(&pg).await, options.migrate(&my).await), (Ok(()), Ok(())));
    assert!(store.access(issuer, &token(1000)).await.unwrap().is_some());
    let found = store.family(issuer, RowId(1001)).await.unwrap().unwrap();
    assert_eq!((&found.grant, found.current), (&kept.grant, kept.current));
    assert_eq!(store.uses_known_since().await.unwrap(), KnownSince::ALWAYS);
    assert_eq!(options.check(&my).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_may_be_run_at_once_or_by_hand() {
    let database = Postgres::new().await;
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let pool = database.pool().await;
        all.spawn(async move { StoreOptions::new().migrate(&pool).await });
    }
    assert!(all.join_all().await.iter().all(Result::is_ok));
    let versions = "SELECT version FROM quadrille_store_migrations";
    assert_eq!(database.numbers(versions).await, [1, 2, 3]);

    let options = StoreOptions::new().prefix(Prefix::new("by_hand_").unwrap());
    let pool = database.pool().await;
    let older = MigrateError::Older { found: 0, known: 3 };
    assert_eq!(options.check(&pool).await, Err(older));
    let error = PgStore::open_with(pool.clone(), Env::system(), &options).await.unwrap_err();
    assert!(matches!(error, StoreError::Older { found: 0, known: 3 }), "{error:?}");
    database.run(&options.migrations_sql::<PgPool>()).await;
    let store = PgStore::open_with(pool, Env::system(), &options).await.unwrap();
    let issuer = issuer(&store).await;
    store.issue(issuer, issue(1000)).await.unwrap();
    assert_eq!(database.numbers("SELECT \"row\" FROM by_hand_access_tokens").await, [1000]);
    let others = "SELECT count(*) FROM quadrille_access_tokens";
    assert_eq!(database.numbers(others).await, [0]);
    assert_eq!(store.newest().await.unwrap(), RowId(1000));
}
