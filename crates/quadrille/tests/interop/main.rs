//! Our consumer logs in with services that others wrote. Both listen on loopback; a person with a
//! browser (`interop/clients/node/visit.js`) goes through their forms.

#![cfg(all(feature = "consumer", feature = "axum", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test may fail"
)]

#[cfg(feature = "provider")]
mod access_tokens;
mod encrypted;
mod oauthlib;
mod oidc_provider;
mod openid;
mod support;
mod tokens;
