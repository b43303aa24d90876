//! Routes, layers and extractors for axum.
//!
//! The module has a name of its own, so that a glob of this crate leaves the crate `axum` alone:
//!
//! ```
//! use axum::Router;
//! use quadrille::*;
//!
//! # #[cfg(feature = "consumer")] {
//! let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000");
//! let app: Router = login.attach(Router::new());
//! # }
//! ```

#[cfg(feature = "consumer")]
pub mod consumer;
#[cfg(feature = "guard")]
mod guard;
#[cfg(feature = "provider")]
pub mod provider;
