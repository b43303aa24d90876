//! An access token for the redirect (RFC 6749, section 4.2.2).

use std::sync::Arc;

use crate::{
    oauth2::TokenResponse,
    provider::{
        client::{grant_type::GrantType, record::Client},
        error::Error,
        server::Inner,
        store::{Grant, Issue},
        token::planned::Occasion,
    },
};

use super::{mint, store};

/// Issues the token of a grant that its user has just approved. It has no refresh token.
pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    grant: Grant,
) -> Result<TokenResponse, Error> {
    let now = inner.now();
    let occasion = Occasion::Grant(GrantType::Implicit);
    let minted = mint(inner, client, occasion, inner.row().await?, grant, now).await?;
    let response = minted.response(None);
    store(inner, Issue { access: minted.record, family: None }).await?;
    tracing::debug!(client = %client.id, "a token is sent in a redirect");
    Ok(response)
}
