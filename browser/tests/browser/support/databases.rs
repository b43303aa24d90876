//! Servers, started as the tests of the storages start their databases. They end with the tests.

use std::sync::OnceLock;

#[path = "../../../../crates/quadrille/tests/shared/ports.rs"]
pub(crate) mod ports;
#[path = "../../../../crates/quadrille-redis/tests/storage/server.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod redis_server;
#[path = "../../../../crates/quadrille-sqlx/tests/storages/servers.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod sql_servers;

pub(crate) use sql_servers::{Server, as_nobody, place, postgres};

/// An empty Redis server.
pub(crate) fn redis() -> &'static redis_server::Server {
    static SERVER: OnceLock<redis_server::Server> = OnceLock::new();
    SERVER.get_or_init(redis_server::Server::start)
}
