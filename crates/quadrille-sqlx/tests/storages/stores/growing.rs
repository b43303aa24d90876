//! The growth of a store, in rows and bytes.

use quadrille::testing::ManualClock;
use quadrille_sqlx::{MySqlStore, PgStore};

use super::growth::{a_family_that_turns_is_one_row, a_year_leaves_a_bounded_store};
use crate::databases::{Database, MariaDb, Postgres};

/// `QUADRILLE_ROTATIONS=100000` for as many.
fn times() -> u32 {
    std::env::var("QUADRILLE_ROTATIONS").map_or(1000, |text| text.parse().unwrap())
}

async fn number(database: &impl Database, sql: &str) -> i64 {
    database.numbers(sql).await.into_iter().next().unwrap()
}

/// What other processes were told is bounded, too.
async fn tells_little(database: &impl Database) {
    let told = number(database, "SELECT count(*) FROM quadrille_changes").await;
    assert!(told <= 10_001, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_leaves_bounded_tables_in_postgresql() {
    let (clock, database) = (ManualClock::new(), Postgres::new().await);
    let store = PgStore::open(database.pool().await, clock.env()).await.unwrap();
    let bytes = async || {
        // The server does it by itself, in a year that lasts longer.
        database.run("VACUUM").await;
        let sql = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
            WHERE relname LIKE 'quadrille_%' AND relkind = 'r'";
        number(&database, sql).await.cast_unsigned()
    };
    a_year_leaves_a_bounded_store(&store, &clock, bytes).await;
    tells_little(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_leaves_bounded_tables_in_mariadb() {
    let (clock, database) = (ManualClock::new(), MariaDb::new().await);
    let store = MySqlStore::open(database.pool().await, clock.env()).await.unwrap();
    let bytes = async || {
        database
            .run("ANALYZE TABLE quadrille_access_tokens, quadrille_families, quadrille_grants")
            .await;
        let sql = "SELECT CAST(sum(data_length + index_length) AS SIGNED)
            FROM information_schema.tables WHERE table_schema = database()";
        number(&database, sql).await.cast_unsigned()
    };
    a_year_leaves_a_bounded_store(&store, &clock, bytes).await;
    tells_little(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_that_turned_often_is_one_row_in_postgresql() {
    let (clock, database) = (ManualClock::new(), Postgres::new().await);
    let store = PgStore::open(database.pool().await, clock.env()).await.unwrap();
    a_family_that_turns_is_one_row(&store, &clock, times()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_that_turned_often_is_one_row_in_mariadb() {
    let (clock, database) = (ManualClock::new(), MariaDb::new().await);
    let store = MySqlStore::open(database.pool().await, clock.env()).await.unwrap();
    a_family_that_turns_is_one_row(&store, &clock, times()).await;
}
