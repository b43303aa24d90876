//! The store of a provider on the application's own pool.

mod fault;
mod keys;
mod options;
#[cfg(feature = "postgres")]
mod postgres;

pub use options::StoreOptions;
#[cfg(feature = "postgres")]
pub use postgres::PgStore;
