//! Grants of the application's own (RFC 6749, section 4.5).

use std::sync::Arc;

use crate::{
    RemoteAddress,
    form::Params,
    oauth2::TokenResponse,
    provider::{
        client::{
            grant_type::{ExtensionGrantType, GrantType},
            record::Client,
        },
        error::Error,
        server::Inner,
        token::decided::extension::{ErasedGrant, GrantRequest},
    },
};

use super::direct::{self, Asked};

/// Answers a token request with a grant of the application's own.
pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    (name, grant): (&ExtensionGrantType, &Arc<dyn ErasedGrant>),
    params: &Params<'_>,
    from: Option<RemoteAddress>,
) -> Result<TokenResponse, Error> {
    let asked = Asked::read(inner, client, params)?;
    let parameters = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = GrantRequest {
        client: client.clone(),
        scopes: asked.scopes.clone(),
        resources: asked.resources.clone(),
        from,
        parameters: parameters.collect(),
    };
    let number = direct::number(inner, client).await?;
    let granted = grant.grant(request).await.map_err(direct::refused)?;
    let which = (GrantType::Extension(name.clone()), number);
    direct::issue(inner, client, which, asked, granted, None).await
}
