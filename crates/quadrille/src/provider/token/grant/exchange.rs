//! Token exchange (RFC 8693).

use std::sync::Arc;

use crate::{
    Timestamp,
    jose::Unverified,
    oauth2::{Resources, TokenExchange, TokenResponse, token_type},
    provider::{
        client::{
            grant_type::GrantType,
            record::{Client, ClientType},
        },
        error::Error,
        server::Inner,
        store::{Grant, GrantDetails, Issue, SubjectToken},
        token::{
            decided::{
                exchange::{ActorToken, Decision, Exchanging, Subject, decide},
                exchanged_tokens::{
                    actor_of_access, actor_of_claims, of_access, of_claims, of_grant,
                },
                trusted::Purpose,
            },
            issuers,
            lookup::{self, Found},
            planned::Occasion,
        },
    },
};

use super::{Limits, direct, error::ExchangeError, mint_within, store};

pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    asked: TokenExchange<'_>,
) -> Result<TokenResponse, Error> {
    let policy = inner.decided.exchange.as_ref().ok_or(ExchangeError::NotOffered)?;
    if client.client_type == ClientType::Public {
        return Err(ExchangeError::PublicClient.into());
    }
    if asked.requested_token_type.is_some_and(|kind| kind != token_type::ACCESS_TOKEN) {
        return Err(ExchangeError::RequestedType.into());
    }
    let named = asked.resource.iter().chain(asked.audience.iter().copied());
    let named = Resources::of(named).map_err(|_| ExchangeError::AudienceUnknown)?;
    let wanted = inner.resources.narrowed(&named).ok_or(ExchangeError::AudienceUnknown)?;
    let now = inner.now();
    let subject =
        subject(inner, client, asked.subject_token, asked.subject_token_type, now).await?;
    let actor = match asked.actor_token {
        Some((token, kind)) => Some(actor(inner, client, token, kind, now).await?),
        None => None,
    };
    let (expires, authentication) = (subject.expires, subject.authentication.clone());
    let details = GrantDetails::with(subject.data.clone());
    let exchanging = Exchanging {
        client: client.clone(),
        subject,
        actor,
        scopes: asked.scope,
        wanted,
        issuer: inner.issuer.as_str().into(),
    };
    let row = direct::number(inner, client).await?;
    let allowed = policy(exchanging.clone()).await.map_err(direct::refused)?;
    let decision = decide(&exchanging, &allowed, inner.scopes.known())?;
    let Decision { actor, scopes, resources, exchange } = decision;
    let grant = Grant {
        id: row,
        client: client.id.clone(),
        actor,
        scopes,
        resources,
        authentication,
        details,
    };
    let shortest = allowed.lifetime.map_or(expires, |lifetime| expires.min(now + lifetime));
    let limits =
        Limits { until: Some(shortest), exchange: Some(Arc::new(exchange)), ..Limits::default() };
    let occasion = Occasion::Grant(GrantType::TokenExchange);
    let minted = mint_within(inner, client, occasion, row, grant, now, limits).await?;
    let mut response = minted.response(None);
    let issued = token_type::ACCESS_TOKEN.into();
    response.extra.insert("issued_token_type".to_owned(), issued);
    store(inner, Issue { access: minted.record, family: None }).await?;
    Ok(response)
}

/// The party behind a valid subject token.
async fn subject(
    inner: &Inner,
    client: &Client,
    token: &str,
    kind: &str,
    now: Timestamp,
) -> Result<Subject, Error> {
    if kind == token_type::JWT && !is_ours(inner, token) {
        let (issuer, claims) = issuers::verify(inner, token, Purpose::Exchange)
            .await
            .map_err(ExchangeError::SubjectToken)?;
        return Ok(of_claims(issuer.issuer(), claims, now)?);
    }
    let found = lookup::find(inner, token).await?.ok_or(ExchangeError::SubjectUnknown)?;
    match (kind, &found) {
        (token_type::ACCESS_TOKEN | token_type::JWT, Found::Access(record)) => {
            let reference = lookup::access_reference(inner, token);
            let exchanges = lookup::exchanges(inner, record).await?;
            let exchanges = exchanges.ok_or(ExchangeError::SubjectUnknown)?;
            Ok(of_access(record, reference.as_ref(), exchanges, client, now)?)
        }
        (token_type::REFRESH_TOKEN, Found::Refresh(refresh, family)) => {
            let expires = family.expires.min(family.ends);
            let is_current =
                family.generation == refresh.generation && family.current == refresh.hash();
            // A refresh token is of use to its own client alone.
            if !is_current || now >= expires || family.grant.client != client.id {
                return Err(ExchangeError::SubjectUnknown.into());
            }
            let token = SubjectToken::Refresh { family: family.row };
            Ok(of_grant(&family.grant, expires, token))
        }
        (token_type::ACCESS_TOKEN | token_type::REFRESH_TOKEN | token_type::JWT, _) => {
            Err(ExchangeError::SubjectUnknown.into())
        }
        _ => Err(ExchangeError::TokenType.into()),
    }
}

/// `true` if a JWT says that it is of this server: its row decides then.
fn is_ours(inner: &Inner, token: &str) -> bool {
    let claims = Unverified::parse(token).ok().and_then(|token| token.claims_of_anybody().ok());
    claims.is_some_and(|claims| claims.iss.as_deref() == Some(inner.issuer.as_str()))
}

/// A valid actor token.
async fn actor(
    inner: &Inner,
    client: &Client,
    token: &str,
    kind: &str,
    now: Timestamp,
) -> Result<ActorToken, Error> {
    if kind == token_type::JWT && !is_ours(inner, token) {
        let (issuer, claims) = issuers::verify(inner, token, Purpose::Exchange)
            .await
            .map_err(ExchangeError::ActorToken)?;
        return Ok(actor_of_claims(issuer.issuer(), claims)?);
    }
    if !matches!(kind, token_type::ACCESS_TOKEN | token_type::JWT) {
        return Err(ExchangeError::TokenType.into());
    }
    let Some(Found::Access(record)) = lookup::find(inner, token).await? else {
        return Err(ExchangeError::ActorUnknown.into());
    };
    // An exchanged token is valid only while its subject token is.
    lookup::exchanges(inner, &record).await?.ok_or(ExchangeError::ActorUnknown)?;
    Ok(actor_of_access(&record, client, now)?)
}
