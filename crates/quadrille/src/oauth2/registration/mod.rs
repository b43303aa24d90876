//! Dynamic client registration (RFC 7591) and its management (RFC 7592): both halves.

mod configuration;
mod information;
mod metadata;
mod request;

pub use configuration::{ClientConfiguration, ClientConfigurationRequest, ClientDeleted};
pub use information::{ClientInformation, RegistrationResponseError, SecretExpiry};
pub use metadata::ClientMetadata;
pub use request::{RegistrationRequest, RegistrationRequestError};
