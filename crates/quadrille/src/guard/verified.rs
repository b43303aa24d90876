//! The facts behind valid credentials of a request.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    Binding, Scopes, Timestamp,
    actor::{Act, Actor, Authentication},
    oauth2::Resources,
};

/// Valid credentials of a request, as a [`Guard`](super::Guard) found them.
///
/// ```
/// use quadrille::guard::{AccessError, Guard};
///
/// async fn user(guard: &Guard, request: http::Request<()>) -> Result<String, AccessError> {
///     let (parts, ()) = request.into_parts();
///     let verified = guard.check(&parts, b"").await?.ok_or(AccessError::Missing)?;
///     Ok(format!("{:?} by {}", verified.actor(), verified.client()))
/// }
/// ```
#[derive(Clone)]
pub struct Verified(Arc<dyn Facts>);

/// The facts behind credentials. An authority keeps them in a form of its own, so that a check
/// copies nothing.
pub(crate) trait Facts: Send + Sync {
    fn actor(&self) -> &Actor;
    fn client(&self) -> &Arc<str>;
    fn scopes(&self) -> &Scopes;
    fn audience(&self) -> &Resources;
    fn authentication(&self) -> Option<&Arc<Authentication>>;
    fn expires(&self) -> Timestamp;
    fn binding(&self) -> Option<Binding>;
    fn act(&self) -> Option<&Act>;
    fn data(&self) -> Option<&Map<String, Value>>;
}

impl Verified {
    pub(crate) fn new(facts: Arc<dyn Facts>) -> Self {
        Self(facts)
    }

    /// The actor: a user through the client, or the client itself.
    pub fn actor(&self) -> &Actor {
        self.0.actor()
    }

    /// The `client_id`; empty if an issuer elsewhere does not say.
    pub fn client(&self) -> &Arc<str> {
        self.0.client()
    }

    /// The scopes of the token (RFC 6749, section 3.3).
    pub fn scopes(&self) -> &Scopes {
        self.0.scopes()
    }

    /// The APIs that the token is for (RFC 8707); empty for the server's own.
    pub fn audience(&self) -> &Resources {
        self.0.audience()
    }

    /// The user's authentication; `None` if the client acts for itself, or an issuer elsewhere does
    /// not say.
    pub fn authentication(&self) -> Option<&Arc<Authentication>> {
        self.0.authentication()
    }

    /// The party that acts for the user, if the token was delegated to it (RFC 8693, section 4.1).
    pub fn act(&self) -> Option<&Act> {
        self.0.act()
    }

    /// The expiry of the token.
    pub fn expires(&self) -> Timestamp {
        self.0.expires()
    }

    /// The data that the issuer keeps with the grant, if there is any: that of
    /// `By::data` in this process, and the members that no
    /// specification defines of an issuer elsewhere.
    pub fn data(&self) -> Option<&Map<String, Value>> {
        self.0.data()
    }

    /// The key to which the token is bound (RFC 9449, RFC 8705), which the request proved to have;
    /// `None` for a bearer token. No guard reads such proofs yet, so that all refuse bound tokens.
    pub fn binding(&self) -> Option<Binding> {
        self.0.binding()
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("actor", self.actor())
            .field("client", self.client())
            .field("scopes", self.scopes())
            .field("audience", self.audience())
            .finish_non_exhaustive()
    }
}
