//! A store in MySQL or MariaDB.

#![allow(
    clippy::redundant_closure,
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a function is not general enough in the lifetime of a row"
)]

mod clients;
mod consents;
mod database;
mod grants;
mod numbers;
mod pending;
mod reads;
mod registration;
mod revoking;
mod rows;
mod store;
mod sweep;
mod tokens;

pub use store::MySqlStore;
