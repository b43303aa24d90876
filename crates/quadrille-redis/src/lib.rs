#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout)]

mod cache;
mod fault;
mod keys;
mod reseal;
mod storage;

pub use cache::RedisCache;
pub use storage::RedisStorage;
