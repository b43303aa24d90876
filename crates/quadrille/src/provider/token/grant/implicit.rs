//! An access token for the redirect (RFC 6749, section 4.2.2).

use std::sync::Arc;

use crate::{
    Scopes,
    oauth2::TokenResponse,
    provider::{
        client::{grant_type::GrantType, record::Client},
        error::Error,
        server::Inner,
        store::{Grant, Issue},
        token::planned::Occasion,
    },
};

use super::{ask, mint, store};

/// Issues the token of a grant that its user has just approved, and says which scopes it has. It has
/// no refresh token.
pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    grant: Grant,
) -> Result<(TokenResponse, Scopes), Error> {
    let now = inner.now();
    let occasion = Occasion::Grant(GrantType::Implicit);
    let minted = mint(inner, client, occasion, inner.row().await?, grant, now).await?;
    let (response, scopes) = (minted.response(None), minted.record.grant.scopes.clone());
    store(inner, Issue { access: minted.record, family: None }).await?;
    tracing::debug!(client = %client.id, "a token is sent in a redirect");
    Ok((response, scopes))
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
