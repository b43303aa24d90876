//! The revocation endpoint (RFC 7009).

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::{
    RemoteAddress,
    form::Params,
    oauth2::{PresentedClient, RequestError, RevocationRequest, RevocationResponse},
    provider::{
        client::{authenticate, record::Client},
        error::{ClientError, Error},
        oauth1, refusal,
        server::{AuthorizationServer, Inner},
        store::{Grant, RowId},
        token::{grant, lookup},
        wire,
    },
};

impl AuthorizationServer {
    /// The revocation endpoint: a client that has authenticated ends one of its own tokens, and
    /// with it all that was granted together with it. A token that is unknown, or not the client's,
    /// is none of its business: the answer is the same.
    ///
    /// Where OAuth 1.0a is offered, a client may sign the request instead, with the token that it
    /// ends or without any.
    pub async fn revoke(&self, request: Request<Bytes>) -> Response<Bytes> {
        if let Some(answer) = wire::preflight(&request, "POST") {
            return answer;
        }
        let request = match oauth1::revoke::revoke(self.inner(), request).await {
            Ok(answer) => return wire::for_any_origin(answer),
            Err(request) => request,
        };
        wire::for_any_origin(match revoke(self.inner(), &request).await {
            Ok(()) => RevocationResponse.to_response(),
            Err(error) => {
                refusal::log("revocation", &error, &request);
                wire::error(&error)
            }
        })
    }
}

async fn revoke(inner: &Inner, request: &Request<Bytes>) -> Result<(), Error> {
    wire::admit(request, &[Method::POST], "POST")?;
    let params = Params::of_body(request).map_err(RequestError::from)?;
    // The hint is not needed: a token says what it is.
    let RevocationRequest { token, .. } = RevocationRequest::parse(&params)?;
    let presented =
        PresentedClient::parse(request.headers(), &params).map_err(ClientError::from)?;
    let from = request.extensions().get::<RemoteAddress>().copied();
    let client = authenticate::client(inner, &presented, from).await?;
    let Some(found) = lookup::find(inner, token).await? else { return Ok(()) };
    if let Some(grant) = revocable(found.grant(), &client) {
        let until = grant::all_over(inner, inner.now());
        if inner.store.revoke_grant(inner.issuer_id().await?, grant, until).await? {
            tracing::info!(client = %client.id, grant = grant.0, "the client revoked a grant");
        }
    }
    Ok(())
}

/// What to revoke: what the client itself was granted.
pub(crate) fn revocable(grant: &Grant, client: &Client) -> Option<RowId> {
    (grant.client == client.id).then_some(grant.id)
}
