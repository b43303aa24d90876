//! Calls of a service's API.

mod answer;
mod multipart;
mod request;
mod sending;
#[cfg(feature = "xml")]
mod xml;

pub use answer::Answer;
pub use multipart::{Multipart, Part};
pub use request::Call;
