//! Calls of a service's API.

mod answer;
mod request;
mod sending;
#[cfg(feature = "xml")]
mod xml;

pub use answer::Answer;
pub use request::Call;
