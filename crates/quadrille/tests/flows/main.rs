//! The consumer against the provider, both in this process: two applications, a browser and a
//! person.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test may fail"
)]

mod device;
mod examples;
mod kit;
mod oauth1;
mod oauth2;
mod openid;
mod printer;
mod tampering;
mod tape_secrets;
mod taped;
mod wire;
mod world;
