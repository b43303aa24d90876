//! The revocation endpoint (RFC 7009).

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::{
    RemoteAddress,
    form::Params,
    oauth2::{PresentedClient, RequestError, RevocationRequest, RevocationResponse},
    provider::{
        client::authenticate,
        error::{ClientError, Error},
        oauth1, refusal,
        server::{AuthorizationServer, Inner},
        token::revoke,
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
        wire::for_any_origin(match answer(self.inner(), &request).await {
            Ok(()) => RevocationResponse.to_response(),
            Err(error) => {
                refusal::log("revocation", &error, &request);
                wire::error(&error)
            }
        })
    }
}

async fn answer(inner: &Inner, request: &Request<Bytes>) -> Result<(), Error> {
    wire::admit(request, &[Method::POST], "POST")?;
    let params = Params::of_body(request).map_err(RequestError::from)?;
    // The hint is not needed: a token says what it is.
    let RevocationRequest { token, .. } = RevocationRequest::parse(&params)?;
    let presented =
        PresentedClient::parse(request.headers(), &params).map_err(ClientError::from)?;
    let from = request.extensions().get::<RemoteAddress>().copied();
    let client = authenticate::client(inner, &presented, from).await?;
    revoke::by_client(inner, &client, token).await
}
