#![doc = include_str!("../README.md")]

mod fault;
mod keys;
mod reseal;
mod storage;

pub use storage::RedisStorage;
