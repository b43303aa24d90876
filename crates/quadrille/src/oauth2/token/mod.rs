//! The token endpoint (RFC 6749, section 3.2).

mod request;
mod response;

pub(crate) use request::read_scope;
pub use request::{TokenExchange, TokenRequest, token_type};
pub use response::{TokenResponse, TokenResponseError, TokenType};
