//! Tokens of grants that have no code: for what the application, or another issuer, says.

use std::sync::Arc;

use crate::{
    Scopes,
    form::Params,
    jose::Claims,
    oauth2::{Resources, TokenResponse},
    provider::{
        client::{
            grant_type::GrantType,
            record::{Client, ClientType},
        },
        error::endpoint::TokenError,
        error::{Error, OperatorError},
        server::Inner,
        store::{Grant, Issue, RowId},
        subject,
        token::{
            decided::{
                granted::{Granted, Not, NotGranted},
                trusted::TrustedIssuer,
            },
            issuers,
            planned::Occasion,
        },
    },
    scope::ScopeTree,
};

use super::{Limits, error::DirectError, first_refresh, mint_within, narrowed, store};

/// The scopes and APIs of a request, which the client may have.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) scopes: Scopes,
    pub(crate) resources: Resources,
}

impl Asked {
    /// Checks what the client requests.
    pub(crate) fn check(
        inner: &Inner,
        client: &Client,
        scope: Option<&Scopes>,
        resource: &Resources,
    ) -> Result<Self, DirectError> {
        let resources = inner.resources.narrowed(resource).ok_or(DirectError::ResourceUnknown)?;
        let scopes = client.requested_scopes(scope, inner.scopes.known());
        Ok(Self { scopes: scopes.ok_or(DirectError::ScopeNotAllowed)?, resources })
    }

    /// Reads and checks what the client requests.
    pub(crate) fn read(inner: &Inner, client: &Client, params: &Params<'_>) -> Result<Self, Error> {
        let scope = crate::oauth2::read_scope(params)?;
        Ok(Self::check(inner, client, scope.as_ref(), &Resources::read(params)?)?)
    }

    /// Narrows the request to scopes that another party vouches for, and those that they imply. It
    /// is refused if nothing of it is left.
    pub(crate) fn within(
        self,
        bound: Option<&Scopes>,
        tree: &ScopeTree,
    ) -> Result<Self, DirectError> {
        let Some(bound) = bound else { return Ok(self) };
        let scopes = self.scopes.intersection(&tree.expand(bound));
        match scopes.is_empty() && !self.scopes.is_empty() {
            true => Err(DirectError::ScopeNotGranted),
            false => Ok(Self { scopes, ..self }),
        }
    }

    /// Narrows the request to what the application grants.
    fn narrowed(self, granted: &Granted, known: &Resources) -> Result<Self, DirectError> {
        let scopes = match &granted.scopes {
            Some(scopes) => self.scopes.intersection(scopes),
            None => self.scopes.clone(),
        };
        if scopes.is_empty() && !self.scopes.is_empty() {
            return Err(DirectError::ScopeNotGranted);
        }
        let resources = match &granted.resources {
            None => self.resources,
            Some(only) if self.resources.is_empty() => {
                known.narrowed(only).ok_or(DirectError::ResourceUnknown)?
            }
            Some(only) => narrowed(&self.resources, only).ok_or(DirectError::ResourceNotGranted)?,
        };
        Ok(Self { scopes, resources })
    }
}

/// The number of a grant on which the application is about to decide. It is drawn first, so a
/// removal of the user while the application decides has a greater number, and ends the grant.
pub(crate) async fn number(inner: &Inner, client: &Client) -> Result<RowId, Error> {
    inner.row_of_grant(client.number).await
}

/// Issues what the application grants, under the number drawn before. An assertion is used up after
/// all checks, and before anything is issued.
pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    (grant_type, row): (GrantType, RowId),
    asked: Asked,
    granted: Granted,
    assertion: Option<(&TrustedIssuer, &Claims)>,
) -> Result<TokenResponse, Error> {
    if granted.subject.is_none() && client.client_type == ClientType::Public {
        return Err(DirectError::PublicClient.into());
    }
    let Asked { scopes, resources } = asked.narrowed(&granted, &inner.resources)?;
    if let Some(authentication) = &granted.authentication
        && !subject::is_there(inner, authentication).await?
    {
        return Err(TokenError::Gone.into());
    }
    let now = inner.now();
    let grant = Grant {
        id: row,
        client: client.id.clone(),
        actor: granted.actor(client),
        scopes,
        resources,
        authentication: granted.authentication.clone(),
        details: None,
    };
    let (family, refresh) = match granted.refresh_token {
        true => first_refresh(inner, client, &grant, now).await?.unzip(),
        false => (None, None),
    };
    let until = granted.lifetime.map(|lifetime| now + lifetime);
    let limits = Limits { until, ..Limits::default() };
    let occasion = Occasion::Grant(grant_type);
    let minted = mint_within(inner, client, occasion, row, grant, now, limits).await?;
    let refresh = refresh.map(|refresh| refresh.write(inner.prefixes.refresh.as_ref()));
    let mut response = minted.response(refresh.as_ref());
    for (name, value) in granted.members {
        response.extra.entry(name).or_insert(value);
    }
    if let Some((trusted, claims)) = assertion {
        issuers::use_up(inner, trusted, claims).await?;
    }
    store(inner, Issue { access: minted.record, family }).await?;
    Ok(response)
}

/// The error of an application that grants nothing.
pub(crate) fn refused(not: NotGranted) -> Error {
    match not.0 {
        Not::Refused { reason, refusal } => {
            tracing::info!(%reason, "the application grants nothing");
            TokenError::NotGranted(refusal).into()
        }
        Not::Unavailable(error) => OperatorError::Grant(error).into(),
    }
}
