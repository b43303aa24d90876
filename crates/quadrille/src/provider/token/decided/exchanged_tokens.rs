//! The tokens that a client presents for an exchange (RFC 8693, section 2.1): what they say, and whether
//! they may be exchanged at all.

use std::sync::Arc;

use serde_json::Map;

use crate::{
    Act, Scopes, Timestamp,
    actor::Actor,
    jose::Claims,
    provider::{
        client::record::Client,
        store::{AccessRecord, Grant, SubjectToken, TokenRef},
        token::grant::error::ExchangeError,
    },
};

use super::exchange::{ActorToken, Party, Subject};

/// The actor token, an access token that the client presents. A token with an `act` of its own is
/// none: the parties in it would be lost.
pub(crate) fn actor_of_access(
    record: &AccessRecord,
    client: &Client,
    now: Timestamp,
) -> Result<ActorToken, ExchangeError> {
    let is_delegated = record.exchange.as_ref().is_some_and(|exchange| exchange.act.is_some());
    if now >= record.expires || record.binding.is_some() || is_delegated {
        return Err(ExchangeError::ActorUnknown);
    }
    if record.grant.client != client.id {
        return Err(ExchangeError::ActorOfAnotherClient);
    }
    Ok(ActorToken {
        party: Party::of(&record.grant.actor),
        audience: Some(record.grant.resources.clone()),
        claims: None,
        issued_to: Some(record.grant.client.clone()),
    })
}

/// The actor token, a JWT of another issuer.
pub(crate) fn actor_of_claims(
    issuer: &Arc<str>,
    claims: Claims,
) -> Result<ActorToken, ExchangeError> {
    let sub = claims.sub.as_deref().ok_or(ExchangeError::ActorUnknown)?.into();
    let party = Party { iss: Some(issuer.clone()), sub, is_client: false };
    Ok(ActorToken { party, audience: None, claims: Some(claims), issued_to: None })
}

/// The party behind an access token, if it may be exchanged at all.
pub(crate) fn of_access(
    record: &AccessRecord,
    reference: Option<&TokenRef>,
    exchanges: usize,
    client: &Client,
    now: Timestamp,
) -> Result<Subject, ExchangeError> {
    if now >= record.expires {
        return Err(ExchangeError::SubjectExpired);
    }
    if record.binding.is_some() {
        return Err(ExchangeError::Bound);
    }
    // A client that acts for itself has nobody whom another one could act for.
    if matches!(&record.grant.actor, Actor::Client(_)) && record.grant.client != client.id {
        return Err(ExchangeError::SubjectIsClient);
    }
    let token = match reference {
        Some(TokenRef::Row { row, hash }) => SubjectToken::Access { row: *row, hash: *hash },
        Some(TokenRef::Foreign { hash }) => SubjectToken::Foreign { hash: *hash },
        None => return Err(ExchangeError::SubjectUnknown),
    };
    let act = record.exchange.as_ref().and_then(|exchange| exchange.act.clone());
    let subject = of_grant(&record.grant, record.expires, token);
    Ok(Subject { act, exchanges, ..subject })
}

/// The party behind a token with this grant.
pub(crate) fn of_grant(grant: &Grant, expires: Timestamp, token: SubjectToken) -> Subject {
    Subject {
        party: Party::of(&grant.actor),
        client: Some(grant.client.clone()),
        actor: Some(grant.actor.clone()),
        authentication: grant.authentication.clone(),
        data: grant.data().cloned().unwrap_or_default(),
        scopes: Some(grant.scopes.clone()),
        resources: Some(grant.resources.clone()),
        expires,
        act: None,
        may_act: None,
        claims: None,
        token: Some(token),
        exchanges: 0,
    }
}

/// The party behind a JWT of another issuer. A claim that cannot be read must not be ignored.
pub(crate) fn of_claims(
    issuer: &Arc<str>,
    claims: Claims,
    now: Timestamp,
) -> Result<Subject, ExchangeError> {
    // Within the leeway for clocks, the new token would have expired, too.
    let expires = claims.exp.filter(|expires| now < *expires);
    let expires = expires.ok_or(ExchangeError::SubjectExpired)?;
    let party = |name: &str| match claims.extra.get(name) {
        None => Ok(None),
        Some(claim) => Act::read(claim).map(Some).ok_or(ExchangeError::ActMalformed),
    };
    let scopes = match claims.extra.get("scope") {
        None => None,
        Some(scope) => {
            let scopes = scope.as_str().and_then(|scope| Scopes::parse(scope).ok());
            Some(scopes.ok_or(ExchangeError::ScopeMalformed)?)
        }
    };
    let sub = claims.sub.as_deref().ok_or(ExchangeError::SubjectUnknown)?;
    Ok(Subject {
        party: Party { iss: Some(issuer.clone()), sub: sub.into(), is_client: false },
        client: None,
        actor: None,
        authentication: None,
        data: Map::new(),
        scopes,
        resources: None,
        expires,
        act: party("act")?,
        may_act: party("may_act")?,
        claims: Some(claims),
        token: None,
        exchanges: 0,
    })
}
