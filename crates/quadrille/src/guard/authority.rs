//! The authority that judges credentials.

use std::pin::Pin;

use http::request::Parts;

use crate::{Timestamp, oauth1::SignedRequest, scope::ScopeTree};

use super::{error::AccessError, verified::Verified};

/// The authority behind a [`Guard`](super::Guard): the authorization server of this process, or an
/// issuer elsewhere.
pub(crate) trait Authority: Send + Sync {
    /// The issuer of the tokens.
    fn issuer(&self) -> &str;

    /// The time.
    fn now(&self) -> Timestamp;

    /// The scopes that imply others.
    fn scope_tree(&self) -> ScopeTree {
        ScopeTree::new()
    }

    /// The facts behind a bearer token (RFC 6750), in a check that began at `at`.
    fn token<'a>(&'a self, token: &'a str, at: Timestamp) -> Answer<'a>;

    /// The facts behind a signed request (RFC 5849). A valid one is used up.
    fn signed<'a>(&'a self, request: SignedAt<'a>) -> Answer<'a>;

    /// `true` if signed requests are accepted.
    fn offers_oauth1(&self) -> bool;
}

/// The answer of an authority.
pub(crate) type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Verified, AccessError>> + Send + 'a>>;

/// A signed request at an API.
pub(crate) struct SignedAt<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) signed: SignedRequest<'a>,
    pub(crate) body: &'a [u8],
    /// The public origin of the API, which the signature covers.
    pub(crate) origin: &'a str,
    /// `true` if a client may sign without a token.
    pub(crate) allows_clients: bool,
}
