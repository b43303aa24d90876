//! The SQL of the tables, and of the history of their changes.

use std::sync::Arc;

use crate::statements::{Dialect, Prefix};

/// The number of migrations of the tables of accounts.
const KNOWN: usize = 2;

/// The SQL of all migrations.
#[derive(Debug)]
pub struct Plan {
    /// The version of the tables that this library reads and writes: the number of its last
    /// migration.
    pub(crate) known: i64,
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
        let files: [&str; KNOWN] = match dialect {
            Dialect::Sqlite => files!("sqlite"),
            Dialect::Postgres => files!("postgres"),
            Dialect::MySql => files!("mysql"),
        };
        Self::of(dialect, prefix, "migrations", &files)
    }

    /// The plan of these migrations, whose history is in the table of this name.
    pub(crate) fn of<S: AsRef<str>>(
        dialect: Dialect,
        prefix: &Prefix,
        history: &str,
        files: &[S],
    ) -> Self {
        let record = match dialect {
            Dialect::Sqlite | Dialect::Postgres => "INSERT INTO",
            Dialect::MySql => "INSERT IGNORE INTO",
        };
        let step = |(number, file): (i64, &S)| {
            let record = format!("{record} quadrille_{history} (version) VALUES ({number});\n");
            (number, prefix.apply(&[file.as_ref(), &record].concat()))
        };
        let steps: Vec<_> = (1..).zip(files).map(step).collect();
        let version = format!("SELECT COALESCE(MAX(version), 0) FROM quadrille_{history}");
        Self {
            known: steps.last().map_or(0, |(number, _)| *number),
            history: prefix.apply(&format!(
                "CREATE TABLE IF NOT EXISTS quadrille_{history} \
                 (version BIGINT NOT NULL PRIMARY KEY);\n"
            )),
            version: prefix.apply(&version).into(),
            steps,
        }
    }

    /// All of it, separated by comments.
    pub(crate) fn sql(&self) -> String {
        let steps = self.steps.iter().map(|(number, sql)| format!("\n-- Version {number}.\n{sql}"));
        [self.history.clone()].into_iter().chain(steps).collect()
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
