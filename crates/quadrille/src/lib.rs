//! OAuth for Rust web applications, both sides of the dance.

#[cfg(feature = "axum")]
pub mod axum;
pub mod env;
#[cfg(all(doctest, feature = "axum", feature = "consumer", feature = "sqlite"))]
mod guide;
pub mod oauth2;
pub mod page;
pub mod policy;
#[cfg(feature = "provider")]
pub mod provider;
pub mod scope;
pub mod seal;
pub mod secret;

pub use env::{Env, Timestamp};
pub use policy::Policy;
pub use scope::{Scope, Scopes};
pub use seal::KeyRing;
pub use secret::Secret;
