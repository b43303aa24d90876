//! Calls of a service's API.

mod answer;
pub(super) mod api;
mod link;
mod multipart;
mod pages;
mod request;
mod sending;
#[cfg(feature = "xml")]
mod xml;

pub use answer::Answer;
pub use multipart::{Multipart, Part};
pub use pages::Pages;
pub use request::Call;
