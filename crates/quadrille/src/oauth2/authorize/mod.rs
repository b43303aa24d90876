//! The authorization endpoint (RFC 6749, sections 3.1, 4.1.1 and 4.1.2; RFC 7636, section 4.3; RFC
//! 9207).

mod request;
mod response;

pub use request::{Addressee, AuthorizationRequest, AuthorizationRequestError, ResponseType};
pub use response::{AuthorizationResponse, AuthorizationResponseError};
