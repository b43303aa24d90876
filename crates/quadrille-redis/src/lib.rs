#![doc = include_str!("../README.md")]

mod cache;
mod fault;
mod keys;
mod reseal;
mod storage;

pub use cache::RedisCache;
pub use storage::RedisStorage;
