//! Client authentication (RFC 6749, section 2.3; RFC 7521, section 4.2; RFC 7523, section 2.2).

mod basic;
mod credentials;
mod error;
mod method;
mod presented;
#[cfg(test)]
mod tests;

pub use credentials::ClientAuth;
pub use error::ClientAuthError;
pub use method::AuthMethod;
pub use presented::{ClientProof, PresentedClient};

/// The `client_assertion_type` of a JWT (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
