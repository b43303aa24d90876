//! Introspection (RFC 7662): an API asks the server about a token.

mod request;
mod response;

pub use request::IntrospectionRequest;
pub use response::{ActiveToken, IntrospectionResponse, IntrospectionResponseError};
