//! The names that most applications use, for `use quadrille::prelude::*`.
//!
//! Nothing here has the name of a crate, and what an application names once (a storage, a client's
//! registration, the settings of OAuth 1) keeps its path. `Result` takes the place of the standard
//! one: it has this crate's [`Error`](crate::Error) unless another is given.
//!
#![cfg_attr(all(feature = "axum", feature = "consumer"), doc = include_str!("tour/prelude.md"))]

#[cfg(feature = "sqlite")]
pub use crate::provider::store::SqliteStore;
#[cfg(feature = "provider")]
pub use crate::provider::{
    Authorization, AuthorizationServer, ConsentPage, Decision, Reply, Step, store::MemoryStore,
};
#[cfg(all(feature = "axum", feature = "consumer"))]
pub use crate::{After, Rejected, SameOrigin, Visitor};
#[cfg(feature = "guard")]
pub use crate::{
    Authentication,
    guard::{Access, Guard},
};
#[cfg(feature = "consumer")]
pub use crate::{Authorized, Linked, Login, Result, Service, Spec, consumer::presets::*};
pub use crate::{Env, KeyRing, Scope, Scopes, Secret, scopes};
