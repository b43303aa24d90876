//! The store of a provider on the application's own pool.

#![allow(
    clippy::redundant_closure,
    clippy::redundant_closure_for_method_calls,
    reason = "the path of a function is not general enough in the lifetime of a row"
)]

mod application;
mod batches;
mod clients;
mod clock;
mod columns;
mod consents;
mod database;
mod dialect;
mod engine;
mod fault;
mod gate;
mod grants;
mod held;
mod keys;
mod known_since;
mod lookups;
#[cfg(feature = "mysql")]
mod mysql;
mod newest;
mod news;
mod numbers;
mod options;
mod pending;
#[cfg(feature = "postgres")]
mod postgres;
mod reader;
mod reads;
mod registration;
mod remembered;
mod revoking;
mod server_time;
mod store;
mod texts;
mod tokens;
mod transfer;
mod values;

pub use application::{SqlTransaction, TransactionError};
pub use fault::store_error;
pub use options::StoreOptions;
#[cfg(feature = "postgres")]
pub use postgres::Replica;
pub use store::SqlStore;
