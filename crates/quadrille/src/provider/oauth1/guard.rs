//! Signed requests at an API of this server (RFC 5849, section 3).

use std::sync::Arc;

use crate::{
    Timestamp,
    actor::Actor,
    guard::{SignatureError, SignedAt},
    provider::{
        client::{grant_type::GrantType, record::Client},
        server::Inner,
        store::{AccessRecord, Grant},
    },
};

use super::{
    remember::remember,
    verify::{self, CheckedToken, Wanted},
};

/// Checks a signed request and remembers its nonce.
pub(crate) async fn check(
    inner: &Inner,
    request: SignedAt<'_>,
) -> Result<Arc<AccessRecord>, SignatureError> {
    let SignedAt { parts, signed, body, origin, allows_clients } = request;
    let from = inner.address_of(&parts.extensions);
    let checked = verify::check(inner, &signed, origin, Wanted::CredentialOrNothing, from).await?;
    signed.check_body(body)?;
    let found = match &checked.token {
        CheckedToken::Credential(held) => held.access.clone(),
        _ if allows_clients => for_itself(inner, &checked.client)?,
        _ => return Err(SignatureError::TokenMissing),
    };
    remember(inner, &signed, checked.now).await?;
    Ok(found)
}

/// The grant of a client that signed with its own key only.
pub(super) fn for_itself(
    inner: &Inner,
    client: &Client,
) -> Result<Arc<AccessRecord>, SignatureError> {
    let grant_type = GrantType::ClientCredentials;
    if !client.grant_types.contains(&grant_type) || !inner.offers(&grant_type) {
        return Err(SignatureError::NotForItself);
    }
    let grant = Grant {
        id: client.number,
        client: client.id.clone(),
        actor: Actor::Client(client.id.clone()),
        scopes: client.scopes.intersection(inner.scopes.known()),
        resources: Default::default(),
        authentication: None,
        details: None,
    };
    let (row, hash, expires) = (client.number, [0; 32], Timestamp::NEVER);
    Ok(Arc::new(AccessRecord { row, hash, grant, expires, binding: None, exchange: None }))
}
