#![doc = include_str!("../README.md")]

mod fault;
mod keys;
mod reseal;
mod storage;

pub use reseal::{Progress, Reseal};
pub use storage::RedisStorage;
