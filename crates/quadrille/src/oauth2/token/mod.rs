//! The token endpoint (RFC 6749, section 3.2).

mod request;
mod response;

pub use request::TokenRequest;
pub(super) use request::read_scope;
pub use response::{TokenResponse, TokenResponseError, TokenType};
