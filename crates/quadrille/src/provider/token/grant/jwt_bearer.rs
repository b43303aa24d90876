//! JWTs of trusted issuers as grants (RFC 7523, section 2.1; RFC 7521, section 4.1).

use std::sync::Arc;

use crate::{
    Scopes,
    jose::Claims,
    oauth2::{Resources, TokenResponse},
    provider::{
        client::{grant_type::GrantType, record::Client},
        error::Error,
        server::Inner,
        token::{
            decided::{
                asserted::Asserted,
                trusted::{Purpose, TrustedIssuer},
            },
            issuers,
        },
    },
};

use super::{
    direct::{self, Asked},
    error::{AssertionError, DirectError},
};

/// The identifier of the client of an assertion whose request names none, if its issuer has one.
/// Nothing but the assertion authenticates it.
pub(crate) async fn client_of<'i>(
    inner: &'i Inner,
    assertion: &str,
) -> Result<Option<&'i Arc<str>>, AssertionError> {
    let (issuer, _) = issuers::verify(inner, assertion, Purpose::Assertion).await?;
    Ok(issuer.client())
}

/// The scopes of the assertion's own `scope` claim (RFC 8693, section 4.2), if it has one: its issuer
/// vouches for no more.
fn bound(claims: &Claims) -> Result<Option<Scopes>, AssertionError> {
    let Some(claim) = claims.extra.get("scope") else { return Ok(None) };
    let text = claim.as_str().ok_or(AssertionError::Scope)?;
    Scopes::parse(text).map(Some).map_err(|_| AssertionError::Scope)
}

pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    assertion: &str,
    scope: Option<&Scopes>,
    resource: &Resources,
) -> Result<TokenResponse, Error> {
    let decide = inner.decided.jwt_bearer.as_ref().ok_or(DirectError::NotOffered)?;
    let asked = Asked::check(inner, client, scope, resource)?;
    let (issuer, claims): (&TrustedIssuer, _) =
        issuers::verify(inner, assertion, Purpose::Assertion).await?;
    issuers::check_unused(inner, issuer, &claims).await?;
    let asked = asked.within(bound(&claims)?.as_ref(), &inner.policy.scope_tree)?;
    let Asked { scopes, resources } = asked.clone();
    let (client_of, told) = (client.clone(), claims.clone());
    let asserted = Asserted { client: client_of, claims: told, scopes, resources };
    let number = direct::number(inner, client).await?;
    let granted = decide(asserted).await.map_err(direct::refused)?;
    let assertion = Some((issuer, &claims));
    direct::issue(inner, client, (GrantType::JwtBearer, number), asked, granted, assertion).await
}
