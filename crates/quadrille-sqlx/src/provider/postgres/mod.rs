//! PostgreSQL.

mod dialect;
mod engine;
mod laps;
mod listening;
mod remembering;
mod replicas;
mod sweep;
mod transfer;

pub use replicas::Replica;
