//! Device authorization (RFC 8628): a device without a browser, or a program on a terminal, shows a
//! code that its user types in elsewhere.

mod request;
mod response;

pub use request::DeviceAuthorizationRequest;
pub use response::{DeviceAuthorizationResponse, DeviceAuthorizationResponseError};
