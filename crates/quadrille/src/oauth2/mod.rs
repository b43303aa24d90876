//! OAuth 2 messages: both halves of each exchange.
//!
//! Everything here is a value or a plain function over [`http::Request`] and [`http::Response`],
//! without I/O. `to_url`, `to_request` and `to_response` write, strictly to the specification;
//! `parse` reads, strictly on the server's side and, on the client's, everything that real services
//! send. A complete flow:
//!
//! ```
//! use quadrille::{Env, Scopes, Secret, form::Params, scope::ScopeSeparator};
//! use quadrille::oauth2::{
//!     AuthorizationRequest, AuthorizationResponse, ClientAuth, PresentedClient, Resources,
//!     ResponseMode, TokenRequest, TokenResponse, bearer, pkce::Verifier,
//! };
//!
//! const CALLBACK: &str = "https://app.example/callback";
//! let query = |url: &str| url.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
//!
//! // 1. The client sends the browser to the server.
//! let verifier = Verifier::random(&Env::system());
//! let mut request = AuthorizationRequest::new("web");
//! request.redirect_uri = Some(CALLBACK.into());
//! request.scope = Some(Scopes::parse("photos:read")?);
//! request.state = Some("xyz".into());
//! request.code_challenge = Some(verifier.challenge());
//! let url = request.to_url("https://id.example/oauth/authorize")?;
//!
//! // 2. The server reads it, asks the person, and sends the browser back.
//! let asked = query(&url);
//! let params = Params::parse(asked.as_bytes())?;
//! let asked = AuthorizationRequest::parse(&params)?;
//! let challenge = asked.code_challenge.ok_or("PKCE is missing")?;
//! let answer = AuthorizationResponse::Code {
//!     code: "SplxlOBeZQQYbYS6WxSbIA".into(),
//!     state: asked.state.map(Into::into),
//!     iss: Some("https://id.example".to_owned()),
//!     session_state: None,
//! };
//! let url = answer.to_url(CALLBACK, ResponseMode::Query)?;
//!
//! // 3. The client redeems the code.
//! let answer = query(&url);
//! let answer = AuthorizationResponse::parse(&Params::parse(answer.as_bytes())?)?;
//! assert_eq!((answer.state(), answer.iss()), (Some("xyz"), Some("https://id.example")));
//! let AuthorizationResponse::Code { code, .. } = answer else { panic!("refused") };
//! let auth = ClientAuth::Basic { client_id: "web".into(), client_secret: Secret::from("s3cret") };
//! let request = TokenRequest::AuthorizationCode {
//!     code: code.expose(),
//!     redirect_uri: Some(CALLBACK),
//!     code_verifier: Some(verifier.expose()),
//!     resource: Resources::EMPTY,
//! }
//! .to_request("https://id.example/oauth/token", &auth, &[])?;
//!
//! // 4. The server checks who redeems what, and gives a token.
//! let params = Params::of_body(&request)?;
//! let client = PresentedClient::parse(request.headers(), &params)?;
//! assert_eq!((&*client.id, client.proof.secret()), ("web", Some("s3cret")));
//! match TokenRequest::parse(&params)? {
//!     TokenRequest::AuthorizationCode { code_verifier: Some(verifier), .. } => {
//!         assert!(challenge.matches(verifier));
//!     }
//!     other => panic!("{other:?}"),
//! }
//! let response = TokenResponse::new("2YotnFZFEjr1zCsicMWpAA").to_response();
//!
//! // 5. The client uses it, and a protected resource reads it.
//! let tokens = TokenResponse::parse(&response, ScopeSeparator::Space)?;
//! let mut headers = http::HeaderMap::new();
//! headers.extend(bearer::header(&tokens.access_token).map(|v| (http::header::AUTHORIZATION, v)));
//! assert_eq!(bearer::from_headers(&headers)?, Some("2YotnFZFEjr1zCsicMWpAA"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | exchange | client | server |
//! |---|---|---|
//! | authorization (RFC 6749, 7636, 9207) | [`AuthorizationRequest::to_url`], [`AuthorizationResponse::parse`] | [`AuthorizationRequest::parse`], [`AuthorizationResponse::to_url`] |
//! | for which API (RFC 8707) | [`Resources`], in both requests | [`Resources::narrowed`] |
//! | token (RFC 6749) | [`TokenRequest::to_request`], [`TokenResponse::parse`] | [`TokenRequest::parse`], [`TokenResponse::to_response`] |
//! | device authorization (RFC 8628) | [`DeviceAuthorizationRequest::to_request`], [`DeviceAuthorizationResponse::parse`] | [`DeviceAuthorizationRequest::parse`], [`DeviceAuthorizationResponse::to_response`] |
//! | token exchange (RFC 8693) | [`TokenExchange`], in [`TokenRequest`] | [`TokenRequest::parse`] |
//! | client authentication (RFC 6749, 7523) | [`ClientAuth`] | [`PresentedClient`] |
//! | revocation (RFC 7009) | [`RevocationRequest::to_request`], [`RevocationResponse::parse`] | [`RevocationRequest::parse`], [`RevocationResponse::to_response`] |
//! | introspection (RFC 7662) | [`IntrospectionRequest::to_request`], [`IntrospectionResponse::parse`] | [`IntrospectionRequest::parse`], [`IntrospectionResponse::to_response`] |
//! | registration (RFC 7591) | [`RegistrationRequest::to_request`], [`ClientInformation::parse`] | [`RegistrationRequest::parse`], [`ClientInformation::to_response`] |
//! | its management (RFC 7592) | [`ClientConfigurationRequest::to_request`], [`ClientDeleted::parse`] | [`ClientConfigurationRequest::parse`], [`ClientDeleted::to_response`] |
//! | use of a token (RFC 6750) | [`bearer::header`], [`bearer::Challenge::parse_all`] | [`bearer::from_headers`], [`bearer::Challenge::to_response`] |
//! | metadata (RFC 8414) | [`metadata::well_known_urls`], [`metadata::ServerMetadata::parse`] | [`metadata::well_known_paths`], [`metadata::ServerMetadata`] |
//! | metadata of an API (RFC 9728) | [`metadata::resource_metadata_url`], [`metadata::ResourceMetadata::parse`] | [`metadata::ResourceMetadata`] |
//! | errors | [`ErrorResponse::parse`] | [`RequestError`], [`ErrorResponse::to_response`] |

pub(crate) mod answer;
mod authorize;
pub mod bearer;
mod client_auth;
mod device;
mod endpoint;
mod error;
mod introspect;
pub(crate) mod member;
pub mod metadata;
pub mod pkce;
mod post;
mod registration;
mod resource;
mod revoke;
mod token;

pub use authorize::{
    Addressee, AuthorizationRequest, AuthorizationRequestError, AuthorizationResponse,
    AuthorizationResponseError, ResponseMode, ResponseType,
};
pub use client_auth::{AuthMethod, ClientAuth, ClientAuthError, ClientProof, PresentedClient};
pub use device::{
    DeviceAuthorizationRequest, DeviceAuthorizationResponse, DeviceAuthorizationResponseError,
};
pub use endpoint::EndpointError;
pub use error::{ErrorCode, ErrorResponse, RequestError};
pub use introspect::{
    ActiveToken, IntrospectionRequest, IntrospectionResponse, IntrospectionResponseError,
};
pub(crate) use post::post_form;
pub use registration::{
    ClientConfiguration, ClientConfigurationRequest, ClientDeleted, ClientInformation,
    ClientMetadata, RegistrationRequest, RegistrationRequestError, RegistrationResponseError,
    SecretExpiry,
};
pub use resource::{InvalidResource, Resources};
pub use revoke::{RevocationRequest, RevocationResponse, RevocationResponseError, TokenTypeHint};
#[cfg(feature = "provider")]
pub(crate) use token::read_scope;
pub use token::{
    TokenExchange, TokenRequest, TokenResponse, TokenResponseError, TokenType, token_type,
};
