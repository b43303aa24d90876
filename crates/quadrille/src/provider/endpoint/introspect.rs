//! The introspection endpoint (RFC 7662).

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value};

use crate::{
    Binding, Timestamp,
    form::{Limits, Params},
    oauth1::Forwarded,
    oauth2::{
        ActiveToken, IntrospectionRequest, IntrospectionResponse, PresentedClient, RequestError,
        Resources,
    },
    provider::{
        client::{
            authenticate,
            error::AuthenticateError,
            record::{Client, ClientType},
        },
        error::Error,
        oauth1,
        openid::{client::SubjectType, pairwise},
        paths::EndpointPath,
        refusal,
        route::Route,
        server::{AuthorizationServer, Inner},
        store::AccessRecord,
        token::{
            disclosure::{describe, may_know},
            format,
            lookup::{self, Found},
        },
        wire::{self, Methods},
    },
};

use super::row::{self, Endpoint};

pub(super) static INTROSPECTION: Endpoint = Endpoint {
    route: Route {
        describe: |_, url, metadata| {
            metadata.introspection_endpoint = Some(url);
            metadata.introspection_endpoint_auth_methods_supported =
                Some(authenticate::methods(false));
            metadata.introspection_endpoint_auth_signing_alg_values_supported =
                Some(authenticate::algorithms());
        },
        ..Route::new("introspection", EndpointPath::Below("/introspect"), Methods::POST)
    },
    is_for_any_origin: false,
    handler: |server, request| Box::pin(async move { answer(server.inner(), &request).await }),
    refuse: row::refuse,
};

/// A whole form may be a parameter here.
const LIMITS: Limits = Limits { value_bytes: Limits::DEFAULT.bytes, ..Limits::DEFAULT };

impl AuthorizationServer {
    /// The introspection endpoint: who has authenticated asks what a token is worth. A client may
    /// ask about its own tokens; an API elsewhere, registered as a [resource
    /// server](super::super::NewClient::resource_server), about the access tokens that are meant
    /// for it. Of all others it learns that they are not active.
    ///
    /// About a request that a client signed (OAuth 1.0a) a resource server asks by sending along
    /// what the signature covers: see [`Forwarded`]. The request is then remembered, and not good a
    /// second time. Without a `token`, the client signed for itself, which must be registered with
    /// the grant type [`ClientCredentials`](super::super::GrantType::ClientCredentials).
    ///
    /// `sub` is the person for whom the client acts; it is left out where the client acts for
    /// itself, so that a machine is never taken for the user of the same name.
    pub async fn introspect(&self, request: Request<Bytes>) -> Response<Bytes> {
        INTROSPECTION.answer(self, request).await
    }
}

async fn answer(inner: &Inner, request: &Request<Bytes>) -> Response<Bytes> {
    let error = match introspect(inner, request).await {
        Ok(answer) => return answer,
        Err(error) => error,
    };
    refusal::log(inner, INTROSPECTION.route.name, &error, request).await;
    wire::error(&error)
}

async fn introspect(inner: &Inner, request: &Request<Bytes>) -> Result<Response<Bytes>, Error> {
    let params = Params::of_body_within(request, LIMITS).map_err(RequestError::from)?;
    // The hint is not needed: a token says what it is.
    let forwarded = Forwarded::parse(&params)?;
    let text = match &forwarded {
        Some(_) => Forwarded::token(&params)?,
        None => Some(IntrospectionRequest::parse(&params)?.token),
    };
    let now = inner.now();
    let asker = {
        let presented =
            PresentedClient::parse(request.headers(), &params).map_err(AuthenticateError::from)?;
        let from = inner.address_of(request.extensions());
        authenticate::client(inner, &presented, INTROSPECTION.route.path, from, now).await?
    };
    if asker.client_type == ClientType::Public {
        return Err(AuthenticateError::PublicClientAsks.into());
    }
    if let Some(forwarded) = forwarded {
        let judging = oauth1::forwarded::judge(inner, &forwarded, text, &asker);
        return Ok(match Box::pin(judging).await {
            Ok(verdict) => verdict,
            Err(error) => error.to_response(inner.issuer.as_str()),
        });
    }
    let text = text.ok_or(RequestError::Missing("token"))?;
    let found = lookup::find(inner, text).await?;
    if let Some(other) = found.as_ref().filter(|found| !may_know(found, &asker)) {
        log_other(other, &asker);
    }
    let answer = match found.as_ref().and_then(|found| decide(found, &asker, now)) {
        Some(mut token) => {
            token.iss = Some(inner.issuer.as_str().into());
            token.jti = format::jwt_id(text).map(Into::into);
            // A client that is no API learns of its own tokens alone.
            if let (Some(subject), None, SubjectType::Pairwise) =
                (&token.sub, &asker.resource_server, asker.openid.subject_type)
            {
                let key = inner.openid.as_ref().and_then(|openid| openid.pairwise.as_ref());
                let told = pairwise::subject(key, &asker, &subject.as_ref().into())?;
                token.sub = Some(told.as_ref().to_owned().into());
            }
            IntrospectionResponse::Active(token)
        }
        None => IntrospectionResponse::Inactive,
    };
    Ok(answer.to_response())
}

/// Logs why the answer about a valid token is that it is not active: its API cannot tell otherwise.
fn log_other(found: &Found, asker: &Client) {
    let grant = found.grant();
    let reason = match (&asker.resource_server, found) {
        (Some(_), Found::Access(_)) => "the token is for another API",
        (Some(_), _) => "the token is no access token",
        (None, _) => "the token is one of another client",
    };
    let uris = |apis: &Resources| apis.iter().collect::<Vec<_>>().join(" ");
    let introspects = asker.resource_server.as_ref().map(uris);
    tracing::info!(
        client = %asker.id,
        reason,
        aud = uris(&grant.resources),
        introspects = introspects.as_deref(),
        token_client = %grant.client,
        "a token is not active for this client"
    );
}

/// The type of a token (RFC 6749, section 7.1), which says how it is presented (RFC 9449, section
/// 6.2).
const fn token_type(binding: Option<Binding>) -> &'static str {
    match binding {
        Some(Binding::Jwk(_)) => "DPoP",
        Some(Binding::Certificate(_)) | None => "Bearer",
    }
}

/// The members that no field has: the application's data on the grant, and the acting party.
fn members(access: &AccessRecord) -> Map<String, Value> {
    let mut members = access.grant.data().cloned().unwrap_or_default();
    members.extend(acting(access));
    members
}

/// The member `act` of a token that was delegated (RFC 8693, section 4.1).
fn acting(access: &AccessRecord) -> Map<String, Value> {
    let act = access.exchange.as_ref().and_then(|exchange| exchange.act.as_ref());
    act.map(|act| ("act".to_owned(), act.to_json())).into_iter().collect()
}

/// The introspection response for `asker`; `None` if the token is invalid, or `asker` may not know
/// of it. An identifier of OAuth 1.0a is never active: an API would accept it without a signature.
fn decide<'a>(found: &'a Found, asker: &Client, now: Timestamp) -> Option<ActiveToken<'a>> {
    if !may_know(found, asker) {
        return None;
    }
    match found {
        Found::Access(access) if now < access.expires => Some(ActiveToken {
            token_type: Some(token_type(access.binding).into()),
            cnf: access.binding.map(Binding::to_confirmation),
            extra: members(access),
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
