//! The answer to a refused request (RFC 6750, section 3; RFC 5849, section 3.2).

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::{
    RemoteAddress, Scopes, Timestamp, oauth1,
    oauth2::bearer::{BearerError, Challenge},
    scope::ScopeTree,
};

use super::{error::AccessError, step_up::StepUp};

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
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    error: AccessError,
    place: Option<Place>,
    required: Scopes,
    step_up: Option<Box<StepUp>>,
}

impl Refused {
    pub(crate) fn new(error: AccessError, place: Option<Place>, required: Scopes) -> Self {
        Self { error, place, required, step_up: None }
    }

    /// The refusal of a token whose user must authenticate again.
    pub(crate) fn of_authentication(place: Place, required: Scopes, step_up: StepUp) -> Self {
        let error = AccessError::InsufficientAuthentication;
        Self { error, place: Some(place), required, step_up: Some(Box::new(step_up)) }
    }

    /// The reason.
    pub fn error(&self) -> &AccessError {
        &self.error
    }

    /// The challenge (RFC 6750, section 3), with the URL of the API's metadata (RFC 9728, section
    /// 5.1).
    pub fn challenge(&self) -> Challenge {
        let mut challenge = Challenge::new();
        if let Some(place) = &self.place {
            challenge = challenge.realm(place.realm());
            if let Some(url) = &place.manner.metadata {
                challenge = challenge.extra("resource_metadata", url);
            }
        }
        // With the scopes of a token that must be replaced, one new token suffices.
        let names_scopes = matches!(
            self.error,
            AccessError::Missing
                | AccessError::InsufficientScope
                | AccessError::InsufficientAuthentication
        );
        if names_scopes {
            challenge = challenge.scope(self.required.as_str());
        }
        if let Some(step_up) = &self.step_up {
            challenge = step_up.write(challenge);
        }
        match self.error.code() {
            Some(code) => challenge.error(code, self.description()),
            None => challenge,
        }
    }

    /// The scopes that the handler needs.
    pub fn required(&self) -> &Scopes {
        &self.required
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match &self.error {
            AccessError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            AccessError::NoGuard | AccessError::NotChecked => StatusCode::INTERNAL_SERVER_ERROR,
            AccessError::Signature(error) => error.status(),
            _ => self.challenge().status(),
        }
    }

    /// The response: the challenge, or a plain failure if the request is not to blame. If signed
    /// requests are accepted, there is a challenge for each of the two schemes. The body and its
    /// headers are those of the application's page ([`Guard::refusal_page`](super::Guard)).
    pub fn to_response(&self) -> Response<Bytes> {
        tracing::debug!(reason = %self.error, "access to an API refused");
        let mut response = self.plain_response();
        if let Some(Place { manner, .. }) = &self.place
            && let Some(page) = &manner.page
        {
            let (parts, body) = page(self).into_parts();
            *response.body_mut() = body;
            for (name, value) in &parts.headers {
                // Status, challenges and caching are the guard's to decide.
                if !response.headers().contains_key(name) || name == header::CONTENT_TYPE {
                    response.headers_mut().insert(name, value.clone());
                }
            }
        }
        response
    }

    fn plain_response(&self) -> Response<Bytes> {
        let bearer = self.challenge();
        let realm = self.place.as_ref().map_or("", Place::realm);
        let offers_oauth1 = self.place.as_ref().is_some_and(|place| place.manner.offers_oauth1);
        let (mut response, other) = match &self.error {
            AccessError::Signature(error) => {
                (error.to_response(realm), Some(bearer.to_header_value()))
            }
            _ => {
                let other = offers_oauth1.then(|| oauth1::Challenge::new(realm));
                (bearer.to_response(), other.map(|other| other.to_header_value()))
            }
        };
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match &self.error {
            AccessError::NoGuard | AccessError::NotChecked => {
                tracing::error!(reason = %self.error, "access to an API cannot be checked");
                headers.remove(header::WWW_AUTHENTICATE);
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                headers.insert(header::CONTENT_TYPE, plain);
                // A mistake in the application's code, which only its developers see.
                let text = format!("For the developers of this service: {}.\n", self.error);
                *response.body_mut() = text.into();
            }
            AccessError::Unavailable => {
                headers.remove(header::WWW_AUTHENTICATE);
            }
            _ => {
                if let Some(other) = other
                    && headers.contains_key(header::WWW_AUTHENTICATE)
                {
                    headers.append(header::WWW_AUTHENTICATE, other);
                }
            }
        }
        response
    }

    const fn description(&self) -> &'static str {
        match self.error {
            AccessError::Missing | AccessError::Signature(_) => "",
            AccessError::Bearer(BearerError::Several) => "send one access token, in the header",
            AccessError::Bearer(_) => "the access token is malformed",
            AccessError::Unknown => {
                "the access token is not known, was revoked, or is not for this API"
            }
            AccessError::Expired => "the access token has expired",
            AccessError::OtherAudience => "the access token is not meant for this API",
            AccessError::Unproven => {
                "the access token is bound to a key, of which there is no proof"
            }
            AccessError::InsufficientAuthentication => {
                "the user must sign in again, or more strongly"
            }
            AccessError::ByApplication => "the access token is refused",
            AccessError::InsufficientScope => "the access token lacks a required scope",
            AccessError::Unavailable | AccessError::NoGuard | AccessError::NotChecked => {
                "access tokens cannot be checked"
            }
        }
    }
}

/// The place where a request was checked, for challenges.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) manner: Arc<Manner>,
    /// The number of the request's origin among those of the API.
    pub(crate) origin: usize,
    /// The time of the check.
    pub(crate) at: Timestamp,
    /// The address of the request's sender, for the log.
    pub(crate) from: Option<RemoteAddress>,
}

impl Place {
    /// The origin of the request.
    fn realm(&self) -> &str {
        self.manner.origin(self.origin)
    }
}

/// The manner in which a guard refuses requests.
#[derive(Clone)]
pub(crate) struct Manner {
    /// The API's own origins, the main one first.
    pub(crate) origins: Vec<Arc<str>>,
    /// The URL of the API's metadata; `None` without any.
    pub(crate) metadata: Option<Arc<str>>,
    /// `true` if challenges offer OAuth 1.0a too.
    pub(crate) offers_oauth1: bool,
    /// The scopes that imply others.
    pub(crate) scope_tree: ScopeTree,
    /// The application's page; `None` for an empty body.
    pub(crate) page: Option<RefusalPage>,
}

impl Manner {
    /// The origin with this number; empty without any.
    pub(super) fn origin(&self, number: usize) -> &str {
        self.origins.get(number).map_or("", |origin| origin)
    }
}

/// A page of the application for refused requests.
pub(crate) type RefusalPage = Arc<dyn Fn(&Refused) -> Response<Bytes> + Send + Sync>;

impl fmt::Debug for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manner").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}
