//! OAuth 2: the messages, and both halves of each exchange.

mod error;
pub mod form;
mod json;

pub use error::{ErrorCode, ErrorResponse, RequestError};
