//! OAuth for Rust web applications, both sides of the dance.

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "consumer")]
pub mod consumer;
pub mod env;
#[cfg(feature = "consumer")]
pub mod error;
#[cfg(all(doctest, feature = "axum", feature = "consumer", feature = "sqlite"))]
mod guide;
pub mod oauth2;
pub mod page;
pub mod policy;
#[cfg(feature = "consumer")]
pub mod presets;
#[cfg(feature = "provider")]
pub mod provider;
#[cfg(feature = "consumer")]
mod quirks;
pub mod scope;
pub mod seal;
pub mod secret;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(all(feature = "axum", feature = "consumer"))]
pub use crate::axum::{
    consumer::recover,
    consumer_extract::{Rejected, Visitor},
    consumer_hooks::{After, BeforeLogin, Failed},
};
#[cfg(feature = "consumer")]
pub use consumer::{Authorized, Identity, Linked, Login, Owner, Refreshed, Service, Spec, SpecBuf};
pub use env::{Env, Timestamp};
#[cfg(feature = "consumer")]
pub use error::{Error, Result};
pub use policy::Policy;
#[cfg(feature = "consumer")]
pub use presets::GitHub;
pub use scope::{Scope, Scopes};
pub use seal::KeyRing;
pub use secret::Secret;
