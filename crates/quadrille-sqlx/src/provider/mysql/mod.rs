//! MySQL and MariaDB.

mod dialect;
mod engine;
mod remembering;
mod sweep;
mod transfer;
mod translation;
