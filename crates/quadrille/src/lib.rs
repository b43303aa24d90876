//! OAuth for Rust web applications, both sides: log users in at other services, and be such a
//! service.
//!
//! The safe choice is the short one: PKCE, `state`, `iss`, exact redirect URIs, sealed cookies,
//! hashed tokens and rotating refresh tokens are the default. Whatever weakens it has a long name
//! that says what is given up.
//!
#![cfg_attr(all(feature = "axum", feature = "consumer"), doc = include_str!("tour/consumer.md"))]
//!
#![cfg_attr(all(feature = "axum", feature = "provider"), doc = include_str!("tour/provider.md"))]
//!
//! # The messages alone
//!
//! [`oauth2`] and [`oauth1`] hold the messages of both sides as plain values over [`http`]'s types,
//! without I/O, clock or randomness, so they work in any framework, in a queue worker or in a test;
//! [`oidc`] has those of OpenID Connect, and [`jose`] their signatures.
//! Below them are [`Scopes`], [`Secret`] (never printed, wiped when dropped), [`KeyRing`] (sealed
//! boxes for cookies, URLs and databases), [`Env`] (clock and randomness, as an argument) and
//! [`json`] (objects with each member once).
//!
//! # Features
//!
//! A feature adds API and never changes behaviour.
//!
//! | feature | adds |
//! |---|---|
//! | `consumer` (default) | logging in with, linking and calling other services |
//! | `guard` | the guard of an API, which `provider` always has |
//! | `provider` (default) | the authorization server |
//! | `http-client` | what `consumer` sends requests with; with `guard`, the guard of an API elsewhere |
//! | `axum` (default) | routes, layers and extractors for whichever side is enabled |
//! | `sqlite` | the provider's embedded database |
//! | `metrics` | measurements of the provider, for a recorder of the crate `metrics` |
//! | `rsa-sha1` | signing OAuth 1 requests with RSA-SHA1; verifying needs no feature |
//! | `memory-cache` | a cache in the process, in front of a storage of tokens |
//! | `xml` | responses of APIs that are XML, read into your types |
//! | `testing` | fake services, tapes, a whole provider, a clock to move by hand, and contracts, for your own tests |
//!
//! Without features, only the core remains: no runtime, no web framework, no HTTP client, no
//! database.
//!
//! # Errors
//!
//! Errors are enums by fault: the browser's, the other party's, the network's or the operator's.
//! Tests compare them, logs contain the precise reason, responses contain the code of a
//! specification, and none contains a secret.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::indexing_slicing, clippy::print_stderr, clippy::print_stdout)]
#![cfg_attr(test, allow(clippy::string_slice, clippy::unwrap_used, reason = "a test may fail"))]

#[cfg(feature = "guard")]
mod actor;
#[cfg(feature = "guard")]
mod binding;
#[cfg(feature = "consumer")]
pub mod consumer;
pub mod cookie;
#[cfg(feature = "guard")]
mod cross_origin;
mod der;
mod digest;
pub mod env;
#[cfg(any(
    feature = "consumer",
    feature = "provider",
    all(feature = "guard", feature = "http-client")
))]
#[cfg_attr(
    not(feature = "provider"),
    allow(dead_code, unreachable_pub, reason = "only the provider hands all of it on")
)]
mod fetch;
pub mod form;
#[cfg(feature = "guard")]
pub mod guard;
#[cfg(all(doctest, feature = "axum", feature = "consumer", feature = "sqlite"))]
mod guide;
pub mod jose;
pub mod json;
mod loopback;
pub mod oauth1;
pub mod oauth2;
pub mod oidc;
pub mod page;
pub mod policy;
pub mod prelude;
#[cfg(any(feature = "provider", feature = "consumer"))]
mod probe;
#[cfg(feature = "provider")]
pub mod provider;
#[cfg(feature = "guard")]
mod public_uri;
#[cfg(feature = "provider")]
mod registered_domain;
#[cfg(feature = "guard")]
mod remote_address;
pub mod scope;
pub mod seal;
pub mod secret;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(all(feature = "http-client", any(feature = "consumer", feature = "guard")))]
pub mod transport;
#[cfg(feature = "axum")]
pub mod web;
#[cfg(test)]
mod work;

#[cfg(feature = "guard")]
pub use actor::{Act, Actor, Authentication};
#[cfg(feature = "guard")]
pub use binding::Binding;
#[cfg(feature = "consumer")]
pub use consumer::{
    Authorized, Identity, Linked, Login, Owner, Profile, Refreshed, Service, SessionEnded, Spec,
    SpecBuf,
};
#[cfg(feature = "consumer")]
pub use consumer::{
    error::{Error, Result},
    presets::*,
};
pub use env::{Env, Timestamp};
pub use policy::Policy;
#[cfg(feature = "guard")]
pub use remote_address::RemoteAddress;
pub use scope::{Scope, Scopes};
pub use seal::KeyRing;
pub use secret::Secret;
#[cfg(all(feature = "axum", feature = "consumer"))]
pub use web::consumer::{
    after::After,
    extract::Visitor,
    hooks::{BeforeLogin, Failed, Hooks},
    rejected::Rejected,
    routes::recover,
    same_origin::SameOrigin,
};
