//! The thin adapters for axum: routes, layers and extractors.

#[cfg(feature = "provider")]
pub mod provider;
