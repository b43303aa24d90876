//! The guide, so that what it shows is compiled and run.

#[doc = include_str!("../../../docs/src/provider/guard.md")]
mod guard {}
#[doc = include_str!("../../../docs/src/program/keys.md")]
mod keys {}
#[doc = include_str!("../../../docs/src/provider/provider.md")]
mod provider {}
