//! The plans of PostgreSQL for the statements of a busy server.

use std::sync::Arc;

use quadrille::{
    Actor, Env,
    provider::store::{Grants as _, Issue, IssuerId, Part as _, Redeemed, Rotated, RowId},
};
use quadrille_sqlx::PgStore;
use sqlx::{AssertSqlSafe, PgPool, Row as _, postgres::PgPoolOptions};
use tokio::task::JoinSet;

use crate::databases::{Database as _, Postgres};

use super::world::{access, code, family, grant, issue, issuer, rotation, token};

/// A store with one connection, which knows all prepared statements.
async fn on_one_connection(database: &Postgres) -> (Arc<PgStore>, PgPool) {
    let options = database.pool().await.connect_options();
    let pool = PgPoolOptions::new().max_connections(1).connect_with((*options).clone()).await;
    let pool = pool.unwrap();
    (Arc::new(PgStore::open(pool.clone(), Env::system()).await.unwrap()), pool)
}

/// All verbs that have batches, with numbers from this one on.
async fn dance(store: Arc<PgStore>, issuer: IssuerId, row: i64) {
    let mut own = issue(row + 1);
    own.access.grant.actor = Actor::Client("app".into());
    assert!(store.issue(issuer, own).await.unwrap());
    store.put_code(issuer, code(row)).await.unwrap();
    assert!(store.code(issuer, RowId(row)).await.unwrap().is_some());
    let family = family(row + 2);
    let access = access(row + 3, grant(row, "alice"));
    let tokens = Issue { access, family: Some(family.clone()) };
    assert_eq!(store.redeem(issuer, RowId(row), tokens).await.unwrap(), Redeemed::Issued);
    assert!(store.family(issuer, family.row).await.unwrap().is_some());
    assert_eq!(store.rotate(issuer, rotation(&family, row + 4)).await.unwrap(), Rotated::Issued);
    assert_eq!(store.subject_since(issuer, "alice").await.unwrap(), Some(RowId(0)));
}

#[tokio::test]
async fn batches_of_any_length_are_planned_once() {
    let database = Postgres::new().await;
    let (store, pool) = on_one_connection(&database).await;
    let issuer = issuer(&store).await;
    for round in 1..=20 {
        // Batches of one entry, which has the cheapest plan, and of several.
        let mut all = JoinSet::new();
        for place in 0..=round % 3 {
            all.spawn(dance(Arc::clone(&store), issuer, 1000 * round + 100 * place));
        }
        all.join_all().await;
    }
    // PostgreSQL tries five times what a plan for the values would be worth.
    let often = "SELECT statement FROM pg_prepared_statements WHERE custom_plans > 5";
    let often: Vec<String> = sqlx::query_scalar(often).fetch_all(&pool).await.unwrap();
    assert_eq!(often, [""; 0]);
    let once = "SELECT statement FROM pg_prepared_statements WHERE generic_plans > 5";
    let once: Vec<String> = sqlx::query_scalar(once).fetch_all(&pool).await.unwrap();
    assert!(once.len() >= 7, "{once:#?}");
}

#[tokio::test]
async fn what_is_planned_for_empty_tables_reads_no_whole_table_later() {
    let database = Postgres::new().await;
    let (store, pool) = on_one_connection(&database).await;
    let issuer = issuer(&store).await;
    for _ in 0..10 {
        store.newest().await.unwrap();
        assert!(store.code(issuer, RowId(1000)).await.unwrap().is_none());
        assert!(store.family(issuer, RowId(1000)).await.unwrap().is_none());
        assert!(store.access(issuer, &token(1000)).await.unwrap().is_none());
    }
    let mut all = JoinSet::new();
    for row in 1000..1500 {
        let store = Arc::clone(&store);
        all.spawn(async move { store.put_code(issuer, code(row)).await.unwrap() });
    }
    all.join_all().await;
    assert_eq!(store.newest().await.unwrap(), RowId(1499));
    let greatest = plan(&pool, "SELECT false, number FROM quadrille_newest%", "").await;
    let of_codes = greatest.iter().find(|line| line.contains("using quadrille_codes_pkey"));
    assert!(of_codes.unwrap().contains("rows=1 "), "{greatest:#?}");
    for table in ["codes", "families", "access_tokens"] {
        let look_up = format!("%(SELECT * FROM quadrille_{table} WHERE%");
        let look_up = plan(&pool, &look_up, "('{1001}')").await;
        let by_index = format!("using quadrille_{table}_pkey");
        assert!(look_up.iter().any(|line| line.contains(&by_index)), "{look_up:#?}");
    }
}

/// The plan of the prepared statement whose text is like this one, with what each part did.
async fn plan(pool: &PgPool, like: &str, values: &str) -> Vec<String> {
    let name = "SELECT name FROM pg_prepared_statements WHERE statement LIKE $1";
    let name: String = sqlx::query_scalar(name).bind(like).fetch_one(pool).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, COSTS OFF) EXECUTE \"{name}\"{values}");
    let lines = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(pool).await.unwrap();
    lines.iter().map(|line| line.get(0)).collect()
}
