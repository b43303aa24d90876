//! PostgreSQL.

mod dialect;
mod engine;
mod laps;
mod remembering;
mod sweep;
mod transfer;
