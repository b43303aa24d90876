//! The SQL of the tables, and of the history of their changes.

use std::sync::Arc;

use crate::statements::{Dialect, Prefix};

/// The version of the tables that this library reads and writes: the number of its last migration.
pub(crate) const KNOWN: i64 = 2;
const HISTORY: &str =
    "CREATE TABLE IF NOT EXISTS quadrille_migrations (version BIGINT NOT NULL PRIMARY KEY);\n";
const VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM quadrille_migrations";

/// The SQL of all migrations.
#[derive(Debug)]
pub struct Plan {
    /// Creates the table of migrations.
    pub(crate) history: String,
    /// Reads the version of the tables.
    pub(crate) version: Arc<str>,
    /// Each migration's number, and its statements with the one that records it.
    pub(crate) steps: Vec<(i64, String)>,
}

impl Plan {
    pub(crate) fn new(dialect: Dialect, prefix: &Prefix) -> Self {
        macro_rules! files {
            ($folder:literal) => {
                [
                    include_str!(concat!("../migrations/", $folder, "/1.sql")),
                    include_str!(concat!("../migrations/", $folder, "/2.sql")),
                ]
            };
        }
        let (files, record): ([&str; KNOWN as usize], _) = match dialect {
            Dialect::Sqlite => (files!("sqlite"), "INSERT INTO"),
            Dialect::Postgres => (files!("postgres"), "INSERT INTO"),
            Dialect::MySql => (files!("mysql"), "INSERT IGNORE INTO"),
        };
        let step = |(number, file): (i64, &str)| {
            let record = format!("{record} quadrille_migrations (version) VALUES ({number});\n");
            (number, prefix.apply(&[file, &record].concat()))
        };
        Self {
            history: prefix.apply(HISTORY),
            version: prefix.apply(VERSION).into(),
            steps: (1..).zip(files).map(step).collect(),
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

    use super::*;
    use crate::statements::Statements;

    #[tokio::test]
    async fn sqlite_finds_the_account_linked_last_without_sorting() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let prefix = Prefix::default();
        let plan = Plan::new(Dialect::Sqlite, &prefix);
        for sql in std::iter::once(plan.history).chain(plan.steps.into_iter().map(|(_, sql)| sql)) {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
        let find = Statements::new(Dialect::Sqlite, &prefix).find_current;
        let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {find}")))
            .bind(b"owner".as_slice())
            .bind(b"service".as_slice());
        let rows = explain.fetch_all(&mut connection).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let steps = steps.join("\n");
        assert!(steps.contains("USING INDEX quadrille_accounts_by_order"), "{steps}");
        assert!(!steps.contains("TEMP B-TREE"), "{steps}");
    }
}
