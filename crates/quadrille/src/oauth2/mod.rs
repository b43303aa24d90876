//! OAuth 2: the messages, and both halves of each exchange.

mod authorize;
pub mod bearer;
mod client_auth;
mod error;
pub mod form;
mod json;
pub mod metadata;
pub mod pkce;
mod post;
mod revoke;
mod token;

pub use authorize::{
    Addressee, AuthorizationRequest, AuthorizationRequestError, AuthorizationResponse,
    AuthorizationResponseError, ResponseType,
};
pub use client_auth::{AuthMethod, ClientAuth, ClientAuthError, PresentedClient};
pub use error::{ErrorCode, ErrorResponse, RequestError};
pub use post::EndpointError;
pub use revoke::{RevocationRequest, RevocationResponse, RevocationResponseError, TokenTypeHint};
pub use token::{TokenRequest, TokenResponse, TokenResponseError, TokenType};
