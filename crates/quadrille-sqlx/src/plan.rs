//! The SQL of the tables, and of the history of their changes.

use std::sync::Arc;

use crate::statements::{Dialect, Prefix};

/// The SQL of a migration, and that of the way back, which the first one has not.
#[derive(Clone, Debug)]
pub(crate) struct Migration<S> {
    pub(crate) up: S,
    pub(crate) back: Option<S>,
}

/// Which way the tables are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the version that this library knows.
    Forward,
    /// To the version before it.
    Back,
}

impl Direction {
    /// The direction in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Back => "back",
        }
    }
}

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
    /// The statements of each migration, with the one that records it, and of the way back.
    steps: Vec<(i64, Migration<String>)>,
}

impl Plan {
    pub(crate) fn new(dialect: Dialect, prefix: &Prefix) -> Self {
        macro_rules! files {
            ($folder:literal) => {
                [
                    Migration {
                        up: include_str!(concat!("../migrations/", $folder, "/1.sql")),
                        back: None,
                    },
                    Migration {
                        up: include_str!(concat!("../migrations/", $folder, "/2.sql")),
                        back: Some(include_str!(concat!("../migrations/", $folder, "/2.back.sql"))),
                    },
                ]
            };
        }
        let files = match dialect {
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
        files: &[Migration<S>],
    ) -> Self {
        let record = match dialect {
            Dialect::Sqlite | Dialect::Postgres => "INSERT INTO",
            Dialect::MySql => "INSERT IGNORE INTO",
        };
        let step = |(number, Migration { up, back }): (i64, &Migration<S>)| {
            let record = format!("{record} quadrille_{history} (version) VALUES ({number});\n");
            let forget = format!("DELETE FROM quadrille_{history} WHERE version = {number};\n");
            let sql = |sql: &S, version: &str| prefix.apply(&[sql.as_ref(), version].concat());
            let back = back.as_ref().map(|back| sql(back, &forget));
            (number, Migration { up: sql(up, &record), back })
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

    /// The numbers and the statements of the steps from the version that the tables have.
    pub(crate) fn steps(&self, found: i64, direction: Direction) -> Vec<(i64, &str)> {
        let mut steps = Vec::new();
        for (number, Migration { up, back }) in &self.steps {
            let sql = match direction {
                Direction::Forward => Some(up).filter(|_| *number > found),
                Direction::Back => {
                    back.as_ref().filter(|_| *number == found && found == self.known)
                }
            };
            steps.extend(sql.map(|sql| (*number, sql.as_str())));
        }
        steps
    }

    /// All of it, separated by comments.
    pub(crate) fn sql(&self) -> String {
        let steps = self.steps(0, Direction::Forward).into_iter();
        let steps = steps.map(|(number, sql)| format!("\n-- Version {number}.\n{sql}"));
        [self.history.clone()].into_iter().chain(steps).collect()
    }

    /// The way back to the version before, unless there is none.
    pub(crate) fn back(&self) -> Option<String> {
        let steps = self.steps(self.known, Direction::Back);
        steps.first().map(|(_, sql)| (*sql).to_owned())
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
        sqlx::raw_sql(AssertSqlSafe(plan.sql())).execute(&mut connection).await.unwrap();
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
