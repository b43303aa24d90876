//! An access token for the client itself (RFC 6749, section 4.4).

use std::sync::Arc;

use crate::{
    Scopes,
    actor::Actor,
    oauth2::{Resources, TokenResponse},
    provider::{
        client::{
            grant_type::GrantType,
            record::{Client, ClientType},
        },
        error::Error,
        openid::details::OPENID,
        server::Inner,
        store::{Grant, Issue},
        token::planned::Occasion,
    },
};

use super::{error::ClientCredentialsError, mint, store};

/// Decides whether this client may have a token for itself, with which of the `known` scopes and
/// for which of the known APIs.
pub(crate) fn decide(
    client: &Client,
    scope: Option<&Scopes>,
    resource: &Resources,
    (scopes, resources): (&Scopes, &Resources),
) -> Result<(Scopes, Resources), ClientCredentialsError> {
    if client.client_type == ClientType::Public {
        return Err(ClientCredentialsError::PublicClient);
    }
    let resources = resources.narrowed(resource).ok_or(ClientCredentialsError::ResourceUnknown)?;
    // There is no user whom an ID token could be about (OpenID Connect Core, section 3.1.2.1).
    let scopes: Scopes = scopes.iter().filter(|name| *name != OPENID).collect();
    let scopes = client.requested_scopes(scope, &scopes);
    Ok((scopes.ok_or(ClientCredentialsError::ScopeNotAllowed)?, resources))
}

pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    scope: Option<&Scopes>,
    resource: &Resources,
) -> Result<TokenResponse, Error> {
    let known = (inner.scopes.known(), &inner.resources);
    let (scopes, resources) = decide(client, scope, resource, known)?;
    // One number serves for the grant and its only token.
    let row = inner.row_above(client.number).await?;
    let grant = Grant {
        id: row,
        client: client.id.clone(),
        actor: Actor::Client(client.id.clone()),
        scopes,
        resources,
        authentication: None,
        details: None,
    };
    let occasion = Occasion::Grant(GrantType::ClientCredentials);
    let minted = mint(inner, client, occasion, row, grant, inner.now()).await?;
    let response = minted.response(None);
    store(inner, Issue { access: minted.record, family: None }).await?;
    Ok(response)
}
