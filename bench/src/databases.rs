//! Servers of databases on loopback, started as the tests of the storages start theirs. They end
//! with this program.

#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, of which the bench needs a part"
)]

#[path = "../../crates/quadrille-redis/tests/storage/server.rs"]
mod redis;
#[path = "../../crates/quadrille-sqlx/tests/storages/servers.rs"]
mod sql;

use std::{process::Command, sync::OnceLock};

use crate::{Result, ports, process::Side};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Database {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MariaDb];

    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite FULL",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        }
    }
}

/// The URL of the PostgreSQL server, without the name of a database.
pub(crate) fn postgres() -> String {
    format!("postgres://postgres@127.0.0.1:{}/", sql::postgres().port)
}

/// The URL of the MariaDB server, without the name of a database.
pub(crate) fn mariadb() -> String {
    format!("mysql://root@127.0.0.1:{}/", sql::mariadb().port)
}

/// The URL of a database of the side's own, on a server that waits for the disk; emptied if it is to be
/// `new`.
pub(crate) fn empty_postgres(side: Side, new: bool) -> Result<String> {
    static SERVER: OnceLock<sql::Server> = OnceLock::new();
    let port = SERVER.get_or_init(|| sql::new_postgres(&["-N", "200"])).port;
    let name = format!("{side:?}").to_lowercase();
    if new {
        let on = ["-h", "127.0.0.1", "-U", "postgres", "-p", &port.to_string()];
        run(Command::new("dropdb").args(on).args(["--if-exists", "--force", &name]))?;
        run(Command::new("createdb").args(on).arg(&name))?;
    }
    Ok(format!("postgres://postgres@127.0.0.1:{port}/{name}"))
}

/// The URL of an empty database of the side's own in MariaDB, on a server that waits for the disk.
pub(crate) fn empty_mariadb(side: Side) -> Result<String> {
    static SERVER: OnceLock<sql::Server> = OnceLock::new();
    let port = SERVER.get_or_init(|| sql::new_mariadb("1")).port;
    let name = format!("{side:?}").to_lowercase();
    let sql = format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}");
    let on = ["--no-defaults", "-h", "127.0.0.1", "-u", "root", "-P", &port.to_string()];
    run(Command::new("mariadb").args(on).args(["-e", &sql]))?;
    Ok(format!("mysql://root@127.0.0.1:{port}/{name}"))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// The URL of the Redis server.
pub(crate) fn redis() -> String {
    static SERVER: OnceLock<redis::Server> = OnceLock::new();
    SERVER.get_or_init(redis::Server::start).url.clone()
}
