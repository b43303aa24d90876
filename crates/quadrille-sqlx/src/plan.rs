//! The SQL of the tables, and of the history of their changes.

use std::sync::Arc;

use crate::statements::{Dialect, Prefix};

/// The version of the tables that this library reads and writes: the number of its last migration.
pub(crate) const KNOWN: i64 = 1;
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
        let (files, record): ([&str; KNOWN as usize], _) = match dialect {
            Dialect::Sqlite => ([include_str!("../migrations/sqlite/1.sql")], "INSERT INTO"),
            Dialect::Postgres => ([include_str!("../migrations/postgres/1.sql")], "INSERT INTO"),
            Dialect::MySql => ([include_str!("../migrations/mysql/1.sql")], "INSERT IGNORE INTO"),
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
