//! The disclosure of tokens to clients (RFC 7662).

use std::borrow::Cow;

use crate::{
    Timestamp,
    actor::Actor,
    oauth2::ActiveToken,
    provider::{
        client::record::Client,
        store::{AccessRecord, Grant},
    },
};

use super::lookup::Found;

/// The introspection response for a valid signed request. One without a token has no time of issue.
pub(crate) fn about<'a>(access: &'a AccessRecord, issuer: &'a str) -> ActiveToken<'a> {
    ActiveToken {
        iss: Some(issuer.into()),
        exp: Some(access.expires).filter(|expires| *expires < Timestamp::NEVER),
        iat: match access.grant.actor {
            Actor::User(_) => Some(access.row.time()),
            Actor::Client(_) => None,
        },
        ..describe(&access.grant)
    }
}

/// `true` if `asker` may learn anything about a token: as its client, or as an API in its audience.
pub(crate) fn may_know(found: &Found, asker: &Client) -> bool {
    let grant = found.grant();
    grant.client == asker.id || (matches!(found, Found::Access(_)) && is_meant_for(asker, grant))
}

/// `true` if `asker` is an API in the audience of this grant's tokens.
pub(crate) fn is_meant_for(asker: &Client, grant: &Grant) -> bool {
    asker.resource_server.as_ref().is_some_and(|apis| match apis.is_empty() {
        true => grant.resources.is_empty(),
        false => apis.iter().any(|uri| grant.resources.contains(uri)),
    })
}

/// The members of an introspection response that the grant of a token decides.
pub(crate) fn describe(grant: &Grant) -> ActiveToken<'_> {
    let authentication = grant.authentication.as_deref();
    ActiveToken {
        scope: Some(grant.scopes.clone()).filter(|scopes| !scopes.is_empty()),
        client_id: Some(grant.client.as_ref().into()),
        sub: match &grant.actor {
            Actor::User(subject) => Some(subject.as_ref().into()),
            Actor::Client(_) => None,
        },
        aud: grant.resources.iter().map(Cow::Borrowed).collect(),
        acr: authentication.and_then(|who| who.acr.as_deref()).map(Cow::Borrowed),
        auth_time: authentication.map(|who| who.auth_time),
        extra: grant.data().cloned().unwrap_or_default(),
        ..ActiveToken::default()
    }
}
