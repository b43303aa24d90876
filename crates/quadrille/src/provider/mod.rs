//! Let other applications in, with their users' consent.

mod access;
mod admin;
mod authenticate;
mod authorization;
mod cache;
mod client;
mod client_document;
mod clock;
mod consent;
mod dance;
mod endpoint;
mod ensure;
mod error;
mod fetch;
mod form_fields;
mod found;
mod grant;
mod guard;
#[cfg(feature = "http-client")]
mod introspection;
mod issuer;
mod kdf;
mod oauth1;
mod problem;
mod redirect;
mod refusal;
mod request;
mod scopes;
mod server;
pub mod store;
mod throttle;
mod ticket;
mod token;
mod turns;
mod verified;
mod verifier_page;
mod wire;

#[cfg(feature = "http-client")]
pub use crate::transport::{
    Body, Cause, HttpClient, NetworkError, NetworkFault, NoHttpClient, Purpose, Reqwest,
};
pub use access::{Access, AccessError, Refused};
pub use admin::{AdminError, NewClient, Registered, RegistrationError};
#[cfg(feature = "axum")]
pub(crate) use authorization::Slot;
pub use authorization::{Authorization, Back, ConsentPage, Step};
pub use cache::Cached;
pub use client::{Client, ClientSecret, ClientType, GrantType, SecretVerifier};
pub use client_document::{ClientDocumentError, ClientMetadataDocuments};
pub use consent::{By, Decision};
pub use error::{BrowserError, ClientError, Error, OperatorError};
#[cfg(feature = "http-client")]
pub use fetch::GuardedFetcher;
pub use fetch::{FetchError, Fetched, Fetcher, is_public};
pub use guard::{Guard, GuardService};
#[cfg(feature = "axum")]
pub(crate) use guard::{Guarded, Site, at_public_path};
#[cfg(feature = "http-client")]
pub use introspection::{Introspection, IntrospectionError};
pub use issuer::{IssuerError, check_issuer};
pub use kdf::{Cost, Kdf, KdfError, Verdict};
#[cfg(feature = "axum")]
pub(crate) use oauth1::{BodyRead, body_of, is_covered, read as read_body, seen as seen_body};
pub use oauth1::{
    GuardBody, NewOAuth1Key, NewOAuth1KeyError, OAuth1, OAuth1Client, OAuth1Credential,
    OAuth1Error, OAuth1Key, OAuth1Value,
};
pub use problem::{Onward, Problem};
pub use redirect::{RedirectUri, RedirectUriError};
pub use scopes::ScopeInfo;
pub use server::AuthorizationServer;
pub use throttle::{Rate, RemoteAddress, Throttle, Who};
pub use verified::Verified;
pub use verifier_page::VerifierPage;
pub use wire::Reply;
#[cfg(feature = "axum")]
pub(crate) use wire::{BODY_LIMIT, Unread};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Who acts with a token. A machine named "7" is never user 7.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// A person, by the subject that the application gave.
    User(Arc<str>),
    /// The client itself, by its `client_id`.
    Client(Arc<str>),
}

/// Who signed in, when and how: what the application knows of the person in front of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authentication {
    /// The person, by a name that never changes and is never given to another.
    pub subject: Arc<str>,
    /// When they signed in.
    pub auth_time: Timestamp,
    /// The authentication context class, if one was reached.
    pub acr: Option<Arc<str>>,
    /// The methods used (RFC 8176): `pwd`, `otp` and so on.
    pub amr: Vec<Arc<str>>,
    /// The application's session, if it has a name for it.
    pub session: Option<Arc<str>>,
}

impl Authentication {
    /// This person signed in at this time, nobody says how.
    pub fn new(subject: impl Into<Arc<str>>, auth_time: Timestamp) -> Self {
        Self { subject: subject.into(), auth_time, acr: None, amr: Vec::new(), session: None }
    }
}
