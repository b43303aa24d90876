//! The provider in an axum application.

mod extract;
mod layer;
mod place;
mod routes;

pub use layer::{ServerFuture, ServerLayer, ServerService};
