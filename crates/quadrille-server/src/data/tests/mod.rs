//! Tests that every database of the program has to pass.

mod claims;
pub(super) mod contract;
mod logos;
mod passwords;
#[path = "../../../../quadrille/tests/shared/ports.rs"]
mod ports;
mod sealed;
pub(super) mod world;

#[path = "../../../../quadrille-sqlx/tests/storages/servers.rs"]
#[allow(dead_code, reason = "the tests of storages need further servers")]
pub(super) mod servers;
