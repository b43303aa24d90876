//! Clients as lines of JSON, which move them from one provider to another.

pub(crate) mod error;
pub(crate) mod export;
pub(crate) mod import;
mod line;
mod members;
mod times;
pub(crate) mod weak;
