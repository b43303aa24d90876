//! The revocation endpoint (RFC 7009).

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    form::Params,
    oauth2::{PresentedClient, RequestError, RevocationRequest, RevocationResponse},
    provider::{
        client::{authenticate, error::AuthenticateError},
        error::{Error, endpoint::EndpointError},
        oauth1,
        paths::EndpointPath,
        refusal,
        route::Route,
        server::{AuthorizationServer, Inner},
        token,
        wire::{self, Methods},
    },
};

use super::row::{self, Endpoint};

pub(super) static REVOCATION: Endpoint = Endpoint {
    route: Route {
        describe: |inner, url, metadata| {
            metadata.revocation_endpoint = Some(url);
            metadata.revocation_endpoint_auth_methods_supported =
                Some(authenticate::methods(inner.has_public_clients()));
            metadata.revocation_endpoint_auth_signing_alg_values_supported =
                Some(authenticate::algorithms());
        },
        ..Route::new("revocation", EndpointPath::Below("/revoke"), Methods::POST)
    },
    is_for_any_origin: true,
    handler: |server, request| Box::pin(async move { answer(server.inner(), request).await }),
    refuse,
};

impl AuthorizationServer {
    /// The revocation endpoint: a client that has authenticated ends one of its own tokens, and
    /// with it all that was granted together with it. A token that is unknown, or not the client's,
    /// is none of its business: the answer is the same.
    ///
    /// Where OAuth 1.0a is offered, a client may sign the request instead, with the token that it
    /// ends or without any.
    pub async fn revoke(&self, request: Request<Bytes>) -> Response<Bytes> {
        REVOCATION.answer(self, request).await
    }
}

async fn answer(inner: &Inner, request: Request<Bytes>) -> Response<Bytes> {
    if oauth1::revoke::is_signed(inner, &request) {
        return oauth1::revoke::answer(inner, request).await;
    }
    match revoke(inner, &request).await {
        Ok(()) => RevocationResponse.to_response(),
        Err(error) => {
            refusal::log(inner, REVOCATION.route.name, &error, &request).await;
            wire::error(&error)
        }
    }
}

/// A refusal in the protocol of the request.
fn refuse(
    inner: &Inner,
    route: &Route,
    error: EndpointError,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    match oauth1::revoke::is_signed(inner, request) {
        true => super::oauth1::refuse(inner, route, error, request),
        false => row::refuse(inner, route, error, request),
    }
}

async fn revoke(inner: &Inner, request: &Request<Bytes>) -> Result<(), Error> {
    let params = Params::of_body(request).map_err(RequestError::from)?;
    // The hint is not needed: a token says what it is.
    let RevocationRequest { token: text, .. } = RevocationRequest::parse(&params)?;
    let presented =
        PresentedClient::parse(request.headers(), &params).map_err(AuthenticateError::from)?;
    let from = inner.address_of(request.extensions());
    let client =
        authenticate::client(inner, &presented, REVOCATION.route.path, from, inner.now()).await?;
    token::revoke::by_client(inner, &client, text).await
}
