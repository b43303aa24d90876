//! The authorization endpoint with temporary credentials (RFC 5849, section 2.2).

use std::{sync::Arc, time::Duration};

use crate::{
    Timestamp,
    form::Params,
    oauth2::RequestError,
    provider::{
        authorize::{
            dance::{Dance, ForVerifier},
            request::{Asked, Prompt},
        },
        client::{record::Client, redirect_uri::matching::RedirectRule},
        clock::is_over,
        error::Error,
        server::Inner,
        store::{PendingRecord, PendingRef, PendingState},
        token::{format::TokenKind, lookup},
    },
};

use super::temporary_error::TemporaryError;

/// The request behind temporary credentials. Invalid ones lead to a page, because only they hold a
/// callback to redirect to.
pub(crate) async fn asked(inner: &Inner, params: &Params<'_>) -> Result<Asked, Error> {
    let token = params.one("oauth_token").map_err(RequestError::from)?;
    let token = token.ok_or(RequestError::Missing("oauth_token"))?;
    if params.many("client_id").next().is_some() {
        return Err(TemporaryError::TwoDances.into());
    }
    let issuer = inner.issuer_id().await?;
    let reference = lookup::reference(inner, TokenKind::Temporary, token);
    let reference = reference.ok_or(TemporaryError::Unknown)?;
    let pending = inner.store.pending(issuer, &PendingRef::Identifier(reference)).await?;
    let pending = pending.ok_or(TemporaryError::Unknown)?;
    let client = inner.store.client(issuer, &pending.client).await?;
    Ok(decide(
        &pending,
        token,
        client,
        inner.oauth1.temporary_lifetime,
        inner.redirect_rule.as_deref(),
        inner.now(),
    )?)
}

fn decide(
    pending: &PendingRecord,
    token: &str,
    client: Option<Arc<Client>>,
    lifetime: Duration,
    rule: Option<&RedirectRule>,
    now: Timestamp,
) -> Result<Asked, TemporaryError> {
    let client = client.ok_or(TemporaryError::Unknown)?;
    let temporary = pending.kind.temporary().ok_or(TemporaryError::Unknown)?;
    if is_over(now, pending.expires, lifetime) {
        return Err(TemporaryError::Expired);
    }
    // Approved ones pass: the same answer given again has the same effect.
    if matches!(pending.state, PendingState::Redeemed(_) | PendingState::Denied) {
        return Err(TemporaryError::Used);
    }
    let dance = Dance::Verifier(ForVerifier {
        temporary: pending.row,
        token: token.into(),
        callback: temporary.callback.clone(),
        expires: pending.expires,
    });
    if !dance.rules().is_open_to(&client, rule) || !client.scopes.is_superset(&pending.scopes) {
        return Err(TemporaryError::Unknown);
    }
    let (scopes, resources) = (pending.scopes.clone(), pending.resources.clone());
    Ok(Asked { client, scopes, resources, prompt: Prompt::default(), dance })
}
