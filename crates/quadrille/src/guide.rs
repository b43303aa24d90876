//! README and guide, whose examples are compiled and run.

#[doc = include_str!("../../../docs/src/consumer/calls.md")]
mod calls {}
#[doc = include_str!("../../../docs/src/consumer/flows.md")]
mod flows {}
#[doc = include_str!("../../../docs/src/provider/guard.md")]
mod guard {}
#[doc = include_str!("../../../docs/src/consumer/hooks.md")]
mod hooks {}
#[doc = include_str!("../../../docs/src/program/keys.md")]
mod keys {}
#[doc = include_str!("../../../docs/src/consumer/login.md")]
mod login {}
#[doc = include_str!("../../../docs/src/provider/oauth1.md")]
mod oauth1 {}
#[doc = include_str!("../../../docs/src/consumer/oauth1.md")]
mod oauth1_services {}
#[doc = include_str!("../../../docs/src/provider/provider.md")]
mod provider {}
#[doc = include_str!("../../../README.md")]
mod readme {}
#[doc = include_str!("../../../docs/src/consumer/services.md")]
mod services {}
#[doc = include_str!("../../../docs/src/consumer/storage.md")]
mod storage {}
#[doc = include_str!("../../../docs/src/testing.md")]
mod testing {}
