//! The thin adapters for axum: routes, layers and extractors.

#[cfg(feature = "consumer")]
pub mod consumer;
#[cfg(feature = "guard")]
mod guard;
#[cfg(feature = "provider")]
pub mod provider;
