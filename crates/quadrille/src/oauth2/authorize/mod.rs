//! The authorization endpoint (RFC 6749, sections 3.1, 4.1.1, 4.1.2, 4.2.1 and 4.2.2; RFC 7636,
//! section 4.3; RFC 9207).

mod request;
mod response;
mod response_type;

pub use request::{Addressee, AuthorizationRequest, AuthorizationRequestError};
pub use response::{AuthorizationResponse, AuthorizationResponseError};
pub use response_type::{ResponseMode, ResponseType};
