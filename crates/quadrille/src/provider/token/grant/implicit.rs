//! An access token for the redirect (RFC 6749, section 4.2.2).

use std::{sync::Arc, time::Duration};

use crate::{
    Scopes,
    provider::{
        authorize::error::BrowserError,
        client::{grant_type::GrantType, record::Client},
        error::Error,
        server::Inner,
        store::{CodeRecord, Grant, Issue},
        token::planned::Occasion,
    },
};

use super::{Minted, ask, mint, store};

/// The space of [`OnceKeys::remember_once`](crate::provider::store::OnceKeys::remember_once).
const SPACE: &str = "token_in_redirect";

/// The time for which a page is remembered beyond its approval, since clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// The token of a grant that its user has just approved, not stored yet. It has no refresh token.
pub(crate) async fn minted(
    inner: &Inner,
    client: &Arc<Client>,
    grant: Grant,
) -> Result<Minted, Error> {
    let occasion = Occasion::Grant(GrantType::Implicit);
    mint(inner, client, occasion, inner.row().await?, grant, inner.now()).await
}

/// Stores the token of an approval, of whose answers one gets a token: each would be another one.
pub(crate) async fn store_once(
    inner: &Inner,
    client: &Client,
    minted: Minted,
    approved: &CodeRecord,
) -> Result<(), Error> {
    let (issuer, until) = (inner.issuer_id().await?, approved.expires + MARGIN);
    if !inner.store.remember_once(issuer, SPACE, approved.hash, until).await? {
        return Err(BrowserError::TicketAnswered.into());
    }
    store(inner, Issue { access: minted.record, family: None }).await?;
    tracing::debug!(client = %client.id, "a token is sent in a redirect");
    Ok(())
}

/// Asks the application about an ID token that comes without an access token, and says which scopes
/// remain.
pub(crate) async fn allowed(
    inner: &Inner,
    client: &Arc<Client>,
    grant: Grant,
) -> Result<Scopes, Error> {
    let lifetime = Some(client.policy(&inner.policy).id_token_lifetime);
    let occasion = Occasion::Grant(GrantType::Implicit);
    Ok(ask(inner, client, occasion, grant, lifetime).await?.grant.scopes)
}
