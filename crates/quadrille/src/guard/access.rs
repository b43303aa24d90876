//! The permissions of a request, by its access token.

use std::{fmt, marker::PhantomData, sync::Arc};

use http::Extensions;

use crate::{
    Scopes, Timestamp,
    actor::{Actor, Authentication},
    oauth2::Resources,
    scope::ScopeRequirement,
};

use super::{
    error::AccessError, log, refused::Refused, service::Lazy, verdict::Guarded, verified::Verified,
};

/// A request with a valid access token, or signed with valid OAuth 1.0a credentials, that has the
/// scopes the handler needs: a scope, a tuple of scopes (all of them), `Any<(A, B)>` (one of them),
/// or `()` (any token).
///
/// With the feature `axum` it is an extractor, and answers every other request with the challenges
/// of RFC 6750. `Option<Access<S>>` is `None` only for a request without credentials; invalid ones
/// are still refused. Elsewhere [`Access::of`] reads the verdict of a [`Guard`](super::Guard). The
/// layer of `attach` alone checks nothing until a handler or middleware takes an `Access`.
///
/// ```
/// use quadrille::{guard::Access, scopes};
///
/// scopes! { Photos = "photos:read", "See your photos"; }
///
/// async fn list(access: Access<Photos>) -> String {
///     format!("the photos of {:?}", access.user())
/// }
/// ```
pub struct Access<S: ScopeRequirement = ()> {
    token: Verified,
    required: PhantomData<fn() -> S>,
}

impl<S: ScopeRequirement> Access<S> {
    /// Reads the verdict of the guard in front of a service.
    ///
    /// # Errors
    /// [`Refused`], which becomes the answer.
    pub fn of(extensions: &Extensions) -> Result<Self, Refused> {
        match Self::find(extensions)? {
            Some(access) => Ok(access),
            None => Err(refused::<S>(extensions, AccessError::Missing)),
        }
    }

    /// [`Access::of`] where a token is optional: `None` for a request without one.
    ///
    /// # Errors
    /// [`Refused`] if the token is invalid or insufficient.
    pub fn find(extensions: &Extensions) -> Result<Option<Self>, Refused> {
        let guarded = extensions.get::<Guarded>();
        let verdict = match guarded {
            Some(found) => found.verdict.clone(),
            None if extensions.get::<Lazy>().is_some() => Err(AccessError::NotChecked),
            None => Err(AccessError::NoGuard),
        };
        match verdict {
            Ok(None) => Ok(None),
            Ok(Some(token)) if S::is_met(token.scopes()) => {
                Ok(Some(Self { token, required: PhantomData }))
            }
            Ok(Some(token)) => {
                let error = AccessError::InsufficientScope;
                log::token(&error, token.client(), ("scope", token.scopes().as_str()));
                Err(refused::<S>(extensions, error))
            }
            Err(error) => Err(refused::<S>(extensions, error)),
        }
    }

    /// The actor: a user through the client, or the client itself.
    pub fn actor(&self) -> &Actor {
        self.token.actor()
    }

    /// The user for whom the client acts; `None` if it acts for itself.
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

    /// The scopes of the token (RFC 6749, section 3.3).
    pub fn scopes(&self) -> &Scopes {
        self.token.scopes()
    }

    /// The APIs that the token is for (RFC 8707); empty for the server's own.
    pub fn audience(&self) -> &Resources {
        self.token.audience()
    }

    /// The user's authentication; `None` if the client acts for itself.
    pub fn authentication(&self) -> Option<&Arc<Authentication>> {
        self.token.authentication()
    }

    /// The expiry of the token: [`Timestamp::NEVER`] for most credentials of OAuth 1.0a.
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

fn refused<S: ScopeRequirement>(extensions: &Extensions, error: AccessError) -> Refused {
    if matches!(error, AccessError::NoGuard | AccessError::NotChecked) {
        tracing::error!("{error}");
    }
    Refused::new(error, extensions.get::<Guarded>(), S::names())
}
