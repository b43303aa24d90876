//! What a request may do, by the token that came with it.

use std::{fmt, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use http::{Extensions, Response, StatusCode, header};

use crate::{
    Scopes, Timestamp, oauth1,
    oauth2::{
        ErrorCode, Resources,
        bearer::{BearerError, Challenge},
    },
    scope::ScopeRequirement,
};

use super::{
    actor::{Actor, Authentication},
    error::Error,
    guard::Guarded,
    oauth1::{OAuth1Error, refusal},
    server::AuthorizationServer,
    verified::Verified,
};

/// A request that carries a good token, or is signed with good credentials of OAuth 1.0a, for what the handler needs: a scope, a tuple of scopes (all
/// of them), `Any<(A, B)>` (one of them), or nothing more than a token, `()`.
///
/// With the feature `axum` it is an extractor, and answers by itself what is not good enough, with
/// the challenges of RFC 6750. `Option<Access<S>>` is `None` only when no token came; a bad one is
/// refused all the same. Elsewhere [`Access::of`] reads what a [`Guard`](super::Guard) found: the
/// layer of `attach` alone checks nothing before a handler or middleware takes an `Access`.
pub struct Access<S: ScopeRequirement = ()> {
    token: Verified,
    required: PhantomData<fn() -> S>,
}

impl<S: ScopeRequirement> Access<S> {
    /// Reads what the guard in front of a service found.
    ///
    /// # Errors
    /// [`Refused`], which becomes the answer.
    pub fn of(extensions: &Extensions) -> Result<Self, Refused> {
        match Self::find(extensions)? {
            Some(access) => Ok(access),
            None => Err(refused::<S>(extensions, AccessError::Missing)),
        }
    }

    /// [`Access::of`] where a token is not required: `None` when none came.
    ///
    /// # Errors
    /// [`Refused`] when one came that is not good enough.
    pub fn find(extensions: &Extensions) -> Result<Option<Self>, Refused> {
        let guarded = extensions.get::<Guarded>();
        let verdict = match guarded {
            Some(found) => found.verdict.clone(),
            None if extensions.get::<AuthorizationServer>().is_some() => {
                Err(AccessError::NotChecked)
            }
            None => Err(AccessError::NoGuard),
        };
        match verdict {
            Ok(None) => Ok(None),
            Ok(Some(token)) if S::is_met(token.scopes()) => {
                Ok(Some(Self { token, required: PhantomData }))
            }
            Ok(Some(token)) => {
                let error = AccessError::InsufficientScope;
                super::refusal::log_token(
                    &error,
                    token.client(),
                    ("scope", token.scopes().as_str()),
                );
                Err(refused::<S>(extensions, error))
            }
            Err(error) => Err(refused::<S>(extensions, error)),
        }
    }

    /// Who acts: a person through the client, or the client itself.
    pub fn actor(&self) -> &Actor {
        self.token.actor()
    }

    /// The person for whom the client acts; `None` when it acts for itself.
    pub fn user(&self) -> Option<&Arc<str>> {
        match self.actor() {
            Actor::User(subject) => Some(subject),
            Actor::Client(_) => None,
        }
    }

    /// The `client_id`.
    pub fn client(&self) -> &Arc<str> {
        self.token.client()
    }

    /// What the token is good for.
    pub fn scopes(&self) -> &Scopes {
        self.token.scopes()
    }

    /// The APIs at which it is good (RFC 8707); the server's own where there is none.
    pub fn audience(&self) -> &Resources {
        self.token.audience()
    }

    /// How and when the person signed in; `None` when the client acts for itself.
    pub fn authentication(&self) -> Option<&Arc<Authentication>> {
        self.token.authentication()
    }

    /// When the token stops being good: [`Timestamp::NEVER`] for most credentials of OAuth 1.0a.
    pub fn expires(&self) -> Timestamp {
        self.token.expires()
    }
}

impl<S: ScopeRequirement> Clone for Access<S> {
    fn clone(&self) -> Self {
        Self { token: self.token.clone(), required: PhantomData }
    }
}

impl<S: ScopeRequirement> fmt::Debug for Access<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("actor", self.actor())
            .field("client", self.client())
            .field("scopes", self.scopes())
            .finish_non_exhaustive()
    }
}

/// Why a request may not do what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// No token came.
    #[error("no access token came with the request")]
    Missing,
    /// What came cannot be read.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The request is signed, and the signature or what goes with it is no good (RFC 5849).
    #[error(transparent)]
    Signature(OAuth1Error),
    /// The token is none of ours, or was revoked.
    #[error("there is no such access token")]
    Unknown,
    /// The token is good, but at another API (RFC 8707).
    #[error("the access token is meant for another API")]
    OtherAudience,
    /// The token has expired.
    #[error("the access token has expired")]
    Expired,
    /// The token is good, but not for this.
    #[error("the access token is not good for this")]
    InsufficientScope,
    /// It cannot be told now: the store failed, or the issuer elsewhere. The reason is in the log.
    #[error("access tokens cannot be checked now")]
    Unavailable,
    /// There is no guard in front of the service.
    #[error(
        "there is no guard in front of this service: put a Guard there, or call attach on the router \
         that has all routes, since axum's layers cover the routes that were added before them"
    )]
    NoGuard,
    /// The layer of the server is there, but it checks a request only when a handler takes an
    /// `Access` as an argument.
    #[error(
        "nothing has checked the request yet: take Access as an argument (a middleware of axum's \
         from_fn can, too), or put a Guard in front where Access::of is called"
    )]
    NotChecked,
}

impl AccessError {
    pub(crate) fn operator(reason: &Error) -> Self {
        tracing::error!(%reason, "an access token could not be checked");
        Self::Unavailable
    }

    /// The code on the wire (RFC 6750, section 3.1). None is named where no token came.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Missing | Self::Signature(_) => None,
            Self::Bearer(error) => Some(error.code()),
            Self::Unknown | Self::Expired | Self::OtherAudience => Some(ErrorCode::InvalidToken),
            Self::InsufficientScope => Some(ErrorCode::InsufficientScope),
            Self::Unavailable => Some(ErrorCode::TemporarilyUnavailable),
            Self::NoGuard | Self::NotChecked => Some(ErrorCode::ServerError),
        }
    }
}

impl From<OAuth1Error> for AccessError {
    fn from(error: OAuth1Error) -> Self {
        match error {
            // Where the reason was logged.
            OAuth1Error::Unavailable => Self::Unavailable,
            error => Self::Signature(error),
        }
    }
}

/// A refused request, and what to answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    error: AccessError,
    realm: Option<Arc<str>>,
    offers_oauth1: bool,
    required: Vec<&'static str>,
}

impl Refused {
    /// Why.
    pub fn error(&self) -> &AccessError {
        &self.error
    }

    /// The challenge (RFC 6750, section 3).
    pub fn challenge(&self) -> Challenge {
        let mut challenge = Challenge::new();
        if let Some(realm) = &self.realm {
            challenge = challenge.realm(realm);
        }
        if matches!(self.error, AccessError::Missing | AccessError::InsufficientScope) {
            challenge = challenge.scope(&self.required.join(" "));
        }
        match self.error.code() {
            Some(code) => challenge.error(code, self.description()),
            None => challenge,
        }
    }

    /// The answer: the challenge, or a plain failure where the request is not to blame. Where signed
    /// requests are taken, there is a challenge for each of the two.
    pub fn to_response(&self) -> Response<Bytes> {
        tracing::debug!(reason = %self.error, "an API request was refused");
        let bearer = self.challenge();
        let realm = self.realm.as_deref().unwrap_or("");
        let (mut response, other) = match &self.error {
            AccessError::Signature(error) => {
                (refusal(error, realm), Some(bearer.to_header_value()))
            }
            _ => {
                let other = self.offers_oauth1.then(|| oauth1::Challenge::new(realm));
                (bearer.to_response(), other.map(|other| other.to_header_value()))
            }
        };
        let status = match self.error {
            AccessError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            AccessError::NoGuard | AccessError::NotChecked => StatusCode::INTERNAL_SERVER_ERROR,
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
            AccessError::InsufficientScope => "the access token is not good for this",
            AccessError::Unavailable | AccessError::NoGuard | AccessError::NotChecked => {
                "access tokens cannot be checked"
            }
        }
    }
}

fn refused<S: ScopeRequirement>(extensions: &Extensions, error: AccessError) -> Refused {
    if matches!(error, AccessError::NoGuard | AccessError::NotChecked) {
        tracing::error!("{error}");
    }
    let guarded = extensions.get::<Guarded>();
    let realm = guarded.map(|guarded| guarded.realm.clone());
    let offers_oauth1 = guarded.is_some_and(|guarded| guarded.offers_oauth1);
    Refused { error, realm, offers_oauth1, required: S::names() }
}
