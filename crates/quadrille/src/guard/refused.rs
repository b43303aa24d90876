//! The answer to a refused request (RFC 6750, section 3; RFC 5849, section 3.2).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::{
    oauth1,
    oauth2::bearer::{BearerError, Challenge},
};

use super::{error::AccessError, verdict::Guarded};

/// A refused request, and its answer.
///
/// ```
/// use bytes::Bytes;
/// use quadrille::{guard::Access, scopes};
///
/// scopes! { Photos = "photos:read", "See your photos"; }
///
/// fn list(request: &http::Request<()>) -> http::Response<Bytes> {
///     match Access::<Photos>::of(request.extensions()) {
///         Ok(access) => http::Response::new(format!("for {}", access.client()).into()),
///         Err(refused) => refused.to_response(),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    error: AccessError,
    realm: Option<Arc<str>>,
    metadata: Option<Arc<str>>,
    offers_oauth1: bool,
    required: Vec<&'static str>,
}

impl Refused {
    pub(crate) fn new(
        error: AccessError,
        guarded: Option<&Guarded>,
        required: Vec<&'static str>,
    ) -> Self {
        let realm = guarded.map(|guarded| guarded.realm.clone());
        let metadata = guarded.and_then(|guarded| guarded.metadata.clone());
        let offers_oauth1 = guarded.is_some_and(|guarded| guarded.offers_oauth1);
        Self { error, realm, metadata, offers_oauth1, required }
    }

    /// The reason.
    pub fn error(&self) -> &AccessError {
        &self.error
    }

    /// The challenge (RFC 6750, section 3), with the URL of the API's metadata (RFC 9728, section
    /// 5.1).
    pub fn challenge(&self) -> Challenge {
        let mut challenge = Challenge::new();
        if let Some(realm) = &self.realm {
            challenge = challenge.realm(realm);
        }
        if let Some(url) = &self.metadata {
            challenge = challenge.extra("resource_metadata", url);
        }
        if matches!(self.error, AccessError::Missing | AccessError::InsufficientScope) {
            challenge = challenge.scope(&self.required.join(" "));
        }
        match self.error.code() {
            Some(code) => challenge.error(code, self.description()),
            None => challenge,
        }
    }

    /// The answer: the challenge, or a plain failure if the request is not to blame. If signed
    /// requests are accepted, there is a challenge for each of the two schemes.
    pub fn to_response(&self) -> Response<Bytes> {
        tracing::debug!(reason = %self.error, "access to an API refused");
        let bearer = self.challenge();
        let realm = self.realm.as_deref().unwrap_or("");
        let (mut response, other) = match &self.error {
            AccessError::Signature(error) => {
                (error.to_response(realm), Some(bearer.to_header_value()))
            }
            _ => {
                let other = self.offers_oauth1.then(|| oauth1::Challenge::new(realm));
                (bearer.to_response(), other.map(|other| other.to_header_value()))
            }
        };
        let status = match self.error {
            AccessError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            AccessError::NoGuard | AccessError::NotChecked => {
                tracing::error!(reason = %self.error, "access to an API cannot be checked");
                // A mistake in the application's code, which only its developers see.
                let text = format!("For the developers of this service: {}.\n", self.error);
                *response.body_mut() = text.into();
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => {
                let headers = response.headers_mut();
                if let Some(other) = other
                    && headers.contains_key(header::WWW_AUTHENTICATE)
                {
                    headers.append(header::WWW_AUTHENTICATE, other);
                }
                return response;
            }
        };
        *response.status_mut() = status;
        response.headers_mut().remove(header::WWW_AUTHENTICATE);
        response
    }

    const fn description(&self) -> &'static str {
        match self.error {
            AccessError::Missing | AccessError::Signature(_) => "",
            AccessError::Bearer(BearerError::Several) => "send one access token, in the header",
            AccessError::Bearer(_) => "the access token is malformed",
            AccessError::Unknown => "the access token is not known, or was revoked",
            AccessError::Expired => "the access token has expired",
            AccessError::OtherAudience => "the access token is not meant for this API",
            AccessError::Unproven => {
                "the access token is bound to a key, of which there is no proof"
            }
            AccessError::InsufficientScope => "the access token lacks a required scope",
            AccessError::Unavailable | AccessError::NoGuard | AccessError::NotChecked => {
                "access tokens cannot be checked"
            }
        }
    }
}
