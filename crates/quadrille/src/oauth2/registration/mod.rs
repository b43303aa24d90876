//! Dynamic client registration (RFC 7591) and its management (RFC 7592): both halves.

mod configuration;
mod error;
mod information;
mod metadata;
mod request;

pub use configuration::{ClientConfiguration, ClientConfigurationRequest, ClientDeleted};
pub use error::{RegistrationRequestError, RegistrationResponseError};
pub use information::{ClientInformation, SecretExpiry};
pub use metadata::ClientMetadata;
pub use request::RegistrationRequest;
