//! The introspection endpoint (RFC 7662).

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::{
    Timestamp,
    oauth2::{
        ActiveToken, IntrospectionRequest, IntrospectionResponse, PresentedClient, RequestError,
        form::Params,
    },
};

use super::super::{
    Actor, AuthorizationServer, Client, ClientType,
    error::{ClientError, Error},
    found::Found,
    server::Inner,
    store::Grant,
    throttle::RemoteAddress,
    wire,
};

impl AuthorizationServer {
    /// The introspection endpoint: who has authenticated asks what a token is worth. A client may
    /// ask about its own tokens; an API elsewhere, registered as a
    /// [resource server](super::super::NewClient::resource_server), about the access tokens that are
    /// meant for it. Of all others it learns that they are not active.
    ///
    /// `sub` is the person for whom the client acts; it is left out where the client acts for
    /// itself, so that a machine is never taken for the user of the same name.
    pub async fn introspect(&self, request: Request<Bytes>) -> Response<Bytes> {
        match introspect(self.inner(), &request).await {
            Ok(answer) => answer.to_response(),
            Err(error) => wire::error(&error, "introspection"),
        }
    }
}

async fn introspect(
    inner: &Inner,
    request: &Request<Bytes>,
) -> Result<IntrospectionResponse, Error> {
    wire::admit(request, &[Method::POST], "POST")?;
    let params = Params::of_body(request).map_err(RequestError::from)?;
    // The hint is not needed: a token says what it is.
    let IntrospectionRequest { token, .. } = IntrospectionRequest::parse(&params)?;
    let presented =
        PresentedClient::parse(request.headers(), &params).map_err(ClientError::from)?;
    let from = request.extensions().get::<RemoteAddress>().copied();
    let asker = inner.authenticate(&presented, from).await?;
    if asker.client_type == ClientType::Public {
        return Err(ClientError::PublicClientAsks.into());
    }
    let found = inner.find(token).await?;
    let active = found.and_then(|found| decide(&found, &asker, inner.now()));
    Ok(match active {
        Some(mut token) => {
            token.iss = Some(inner.issuer.as_str().to_owned());
            IntrospectionResponse::Active(Box::new(token))
        }
        None => IntrospectionResponse::Inactive,
    })
}

/// What is said of a token to who asks; `None` when it is not good, or none of their business. An
/// identifier of OAuth 1.0a is no good by itself: whoever heard that it is active would take it
/// without a signature.
fn decide(found: &Found, asker: &Client, now: Timestamp) -> Option<ActiveToken> {
    if !may_know(found, asker) {
        return None;
    }
    match found {
        Found::Access(access) if now < access.expires => Some(ActiveToken {
            token_type: Some("Bearer".to_owned()),
            exp: Some(access.expires),
            iat: Some(access.row.time()),
            ..describe(&access.grant)
        }),
        Found::Refresh(token, family) => {
            let exp = family.expires.min(family.ends);
            let is_current =
                family.generation == token.generation && family.current == token.hash();
            (is_current && now < exp).then(|| ActiveToken {
                exp: Some(exp),
                iat: Some(family.rotated),
                ..describe(&family.grant)
            })
        }
        Found::Access(_) | Found::Credential(_) => None,
    }
}

fn may_know(found: &Found, asker: &Client) -> bool {
    let grant = found.grant();
    grant.client == asker.id
        || match (found, &asker.resource_server) {
            (Found::Access(_), Some(apis)) if apis.is_empty() => grant.resources.is_empty(),
            (Found::Access(_), Some(apis)) => apis.iter().any(|uri| grant.resources.contains(uri)),
            (Found::Refresh(..) | Found::Credential(_), _) | (_, None) => false,
        }
}

fn describe(grant: &Grant) -> ActiveToken {
    let authentication = grant.authentication.as_deref();
    ActiveToken {
        scope: Some(grant.scopes.clone()).filter(|scopes| !scopes.is_empty()),
        client_id: Some(grant.client.as_ref().to_owned()),
        sub: match &grant.actor {
            Actor::User(subject) => Some(subject.as_ref().to_owned()),
            Actor::Client(_) => None,
        },
        aud: grant.resources.iter().map(str::to_owned).collect(),
        acr: authentication.and_then(|who| who.acr.as_deref()).map(str::to_owned),
        auth_time: authentication.map(|who| who.auth_time),
        ..ActiveToken::default()
    }
}
