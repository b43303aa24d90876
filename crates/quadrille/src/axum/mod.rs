//! The thin adapters for axum: routes, layers and extractors.

#[cfg(feature = "consumer")]
pub mod consumer;
#[cfg(feature = "consumer")]
pub mod consumer_extract;
#[cfg(feature = "consumer")]
pub mod consumer_hooks;
#[cfg(feature = "consumer")]
mod consumer_layer;
#[cfg(feature = "consumer")]
mod consumer_leave;
#[cfg(feature = "consumer")]
mod consumer_pages;
#[cfg(feature = "guard")]
mod guard;
#[cfg(feature = "provider")]
pub mod provider;
