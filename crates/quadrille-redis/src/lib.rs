#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout)]

mod cache;
mod fault;
mod keys;
mod reseal;
mod storage;
#[cfg(feature = "provider")]
mod volatile;

pub use cache::RedisCache;
pub use storage::RedisStorage;
#[cfg(feature = "provider")]
pub use volatile::VolatileRedis;
