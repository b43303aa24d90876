//! The authorization server as the authority of a guard.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    Binding, Scopes, Timestamp,
    actor::{Act, Actor, Authentication},
    guard::{AccessError, Answer, Authority, Facts, Guard, SignedAt, Verified},
    oauth2::Resources,
    scope::ScopeTree,
};

use super::{
    oauth1,
    server::{AuthorizationServer, Inner},
    store::AccessRecord,
    token::lookup,
};

impl Guard {
    /// A guard that trusts `server`, for an API at the issuer's own origin, with its page for
    /// refused requests.
    pub fn new(server: &AuthorizationServer) -> Self {
        let inner = server.inner().clone();
        let origin = inner.issuer.origin().clone();
        let page = inner.refusal_page.clone();
        Self::of(inner, origin).page(page)
    }
}

impl Authority for Inner {
    fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    fn now(&self) -> Timestamp {
        self.now()
    }

    fn scope_tree(&self) -> ScopeTree {
        self.policy.scope_tree.clone()
    }

    fn token<'a>(&'a self, token: &'a str, at: Timestamp) -> Answer<'a> {
        Box::pin(access(self, token, at))
    }

    fn signed<'a>(&'a self, request: SignedAt<'a>) -> Answer<'a> {
        Box::pin(async { Ok(Verified::new(oauth1::guard::check(self, request).await?)) })
    }

    fn offers_oauth1(&self) -> bool {
        self.oauth1.is_offered()
    }
}

/// The facts behind an access token, if it is valid.
async fn access(inner: &Inner, text: &str, at: Timestamp) -> Result<Verified, AccessError> {
    let token = lookup::access_reference(inner, text).ok_or(AccessError::Unknown)?;
    let record = lookup::access(inner, &token).await.map_err(AccessError::unavailable)?;
    Ok(Verified::new(decide(record, at)?))
}

/// Decides whether a token is valid.
pub(super) fn decide(
    record: Option<Arc<AccessRecord>>,
    now: Timestamp,
) -> Result<Arc<AccessRecord>, AccessError> {
    match record {
        None => Err(AccessError::Unknown),
        Some(record) if now >= record.expires => Err(AccessError::Expired),
        Some(record) => Ok(record),
    }
}

impl Facts for AccessRecord {
    fn actor(&self) -> &Actor {
        &self.grant.actor
    }

    fn client(&self) -> &Arc<str> {
        &self.grant.client
    }

    fn scopes(&self) -> &Scopes {
        &self.grant.scopes
    }

    fn audience(&self) -> &Resources {
        &self.grant.resources
    }

    fn authentication(&self) -> Option<&Arc<Authentication>> {
        self.grant.authentication.as_ref()
    }

    fn expires(&self) -> Timestamp {
        self.expires
    }

    fn binding(&self) -> Option<Binding> {
        self.binding
    }

    fn act(&self) -> Option<&Act> {
        self.exchange.as_ref()?.act.as_ref()
    }

    fn data(&self) -> Option<&Map<String, Value>> {
        self.grant.data()
    }
}
