//! What goes wrong in MySQL and MariaDB.

use std::sync::Arc;

use quadrille::{
    Env,
    provider::store::{Grants as _, Issuers as _, Part as _, RevokeAll, RowId, StoreError},
};
use quadrille_sqlx::{MigrateError, MySqlStore, StoreOptions};
use sqlx::{AssertSqlSafe, MySqlPool};
use tokio::task::JoinSet;

use super::{
    faults::again,
    world::{code, issue, issuer, token},
};
use crate::databases::{Database as _, MariaDb};

async fn store_of(database: &MariaDb) -> MySqlStore {
    MySqlStore::open(database.pool().await, Env::system()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_killed_lose_nothing_that_was_answered() {
    let database = MariaDb::new().await;
    let store = Arc::new(store_of(&database).await);
    let issuer = issuer(&*store).await;
    let pool = database.pool().await;
    for round in 0..10 {
        let mut all = JoinSet::new();
        for row in (round * 100 + 1000)..(round * 100 + 1100) {
            let store = Arc::clone(&store);
            all.spawn(async move { (row, store.issue(issuer, issue(row)).await) });
        }
        let others = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist
            WHERE db = DATABASE() AND id <> CONNECTION_ID()";
        for id in database.numbers(others).await {
            // It may have ended.
            let kill = format!("KILL CONNECTION {id}");
            let _ = sqlx::raw_sql(AssertSqlSafe(kill)).execute(&pool).await;
        }
        for (row, issued) in all.join_all().await {
            let token = token(row);
            match issued {
                Ok(lives) => {
                    assert!(lives);
                    let found = again(|| store.access(issuer, &token)).await;
                    assert!(found.is_some(), "{row}");
                }
                Err(error) => assert!(error.is_transient(), "{error:?}"),
            }
        }
    }
    again(|| store.issue(issuer, issue(9000))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_lost_a_deadlock_is_run_again() {
    let database = MariaDb::new().await;
    let store = Arc::new(store_of(&database).await);
    let issuer = issuer(&*store).await;
    let pool = database.pool().await;
    let mut other = pool.begin().await.unwrap();
    // The server ends the transaction that has changed less.
    for row in 0..200 {
        let many = format!("INSERT INTO quadrille_revoked VALUES ({row}, {}, 0)", issuer.0);
        sqlx::raw_sql(AssertSqlSafe(many)).execute(&mut *other).await.unwrap();
    }
    let lock = "UPDATE quadrille_positions SET last = last";
    sqlx::raw_sql(lock).execute(&mut *other).await.unwrap();
    let revoking = tokio::spawn({
        let (store, until) = (Arc::clone(&store), code(1).expires);
        async move { store.revoke_grant(issuer, RowId(5000), until).await }
    });
    // Until the store waits for the position.
    let waits = "SELECT COUNT(*) FROM information_schema.processlist
        WHERE db = DATABASE() AND info LIKE 'UPDATE quadrille_positions%'";
    while database.numbers(waits).await != [1] {
        tokio::task::yield_now().await;
    }
    let same = format!("INSERT INTO quadrille_revoked VALUES (5000, {}, 0)", issuer.0);
    sqlx::raw_sql(AssertSqlSafe(same)).execute(&mut *other).await.unwrap();
    other.rollback().await.unwrap();
    assert!(revoking.await.unwrap().unwrap());
}

/// The server of the tests would cut it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_too_long_is_refused() {
    let database = MariaDb::new().await;
    let store = store_of(&database).await;
    let number = issuer(&store).await;
    let (longest, long) = ("s".repeat(1024), "s".repeat(1025));
    store.revoke_all(number, RevokeAll::Subject(longest.as_str().into()), RowId(1)).await.unwrap();
    for error in [
        store.issuer(&long).await.unwrap_err(),
        store
            .revoke_all(number, RevokeAll::Subject(long.as_str().into()), RowId(1))
            .await
            .unwrap_err(),
        store.know_client(number, Some(RowId(1)), &long).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Failed(_)) && !error.is_transient(), "{error:?}");
        assert!(error.to_string().contains("1024 bytes"), "{error}");
    }
    assert_eq!(store.known_client(number, &long).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_may_be_run_at_once_and_by_hand() {
    let database = MariaDb::new().await;
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let pool = database.pool().await;
        all.spawn(async move { StoreOptions::new().migrate(&pool).await });
    }
    for migrated in all.join_all().await {
        assert_eq!(migrated, Ok(()));
    }
    let workers = "SELECT COUNT(*) FROM quadrille_workers";
    assert_eq!(database.numbers(workers).await, [1024]);
    database.run("INSERT INTO quadrille_store_migrations (version) VALUES (7)").await;
    let newer = StoreOptions::new().migrate(&database.pool().await).await;
    assert_eq!(newer, Err(MigrateError::Newer { found: 7, known: 3 }));

    let database = MariaDb::new().await;
    database.run(&StoreOptions::new().migrations_sql::<MySqlPool>()).await;
    let store = store_of(&database).await;
    let issuer = issuer(&store).await;
    store.issue(issuer, issue(1000)).await.unwrap();
    assert_eq!(store.newest().await.unwrap(), RowId(1000));
}
