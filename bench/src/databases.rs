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

use std::sync::OnceLock;

/// The URL of the PostgreSQL server, without the name of a database.
pub(crate) fn postgres() -> String {
    format!("postgres://postgres@127.0.0.1:{}/", sql::postgres().port)
}

/// The URL of the MariaDB server, without the name of a database.
pub(crate) fn mariadb() -> String {
    format!("mysql://root@127.0.0.1:{}/", sql::mariadb().port)
}

/// The URL of the Redis server.
pub(crate) fn redis() -> String {
    static SERVER: OnceLock<redis::Server> = OnceLock::new();
    SERVER.get_or_init(redis::Server::start).url.clone()
}
