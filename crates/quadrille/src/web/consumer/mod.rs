//! Logins in axum: routes, a layer, extractors and hooks.
//!
//! The names that every application uses are at the root of the crate: [`Visitor`](crate::Visitor),
//! [`Rejected`](crate::Rejected), [`SameOrigin`](crate::SameOrigin), [`Hooks`](crate::Hooks), [`After`](crate::After), the hooks'
//! events and [`recover`](crate::recover).

pub(crate) mod after;
mod ended;
pub(crate) mod extract;
mod frame;
pub(crate) mod hooks;
mod id_token;
mod initiated;
mod jar;
mod layer;
mod leave;
mod logout;
mod navigation;
mod organizations;
mod pages;
pub(crate) mod rejected;
pub(crate) mod routes;
pub(crate) mod same_origin;
mod script;
mod words;

pub use after::IntoAfter;
pub use hooks::Hook;
pub use layer::{LoginLayer, LoginService};
