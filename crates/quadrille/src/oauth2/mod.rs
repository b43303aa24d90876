//! OAuth 2: the messages, and both halves of each exchange.

pub mod bearer;
mod error;
pub mod form;
mod json;
pub mod metadata;

pub use error::{ErrorCode, ErrorResponse, RequestError};
