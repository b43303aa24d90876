//! The endpoints for credentials of OAuth 1.0a (RFC 5849, section 2).

use bytes::Bytes;
use http::{Request, Response};

use crate::provider::{
    error::endpoint::EndpointError,
    oauth1,
    paths::EndpointPath,
    route::Route,
    server::{AuthorizationServer, Inner},
    wire::Methods,
};

use super::row::Endpoint;

pub(super) static TEMPORARY_CREDENTIALS: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.oauth1.is_offered(),
        ..Route::new(
            "temporary credentials",
            EndpointPath::Below("/request_token"),
            Methods::GET_POST,
        )
    },
    is_for_any_origin: false,
    handler: |server, request| {
        Box::pin(async move { oauth1::request_token::answer(server.inner(), request).await })
    },
    refuse,
};

pub(super) static TOKEN_CREDENTIALS: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.oauth1.is_offered(),
        ..Route::new("token credentials", EndpointPath::Below("/access_token"), Methods::GET_POST)
    },
    is_for_any_origin: false,
    handler: |server, request| {
        Box::pin(async move { oauth1::access_token::answer(server.inner(), request).await })
    },
    refuse,
};

/// A refusal of OAuth 1.0a (RFC 5849, section 3.2).
pub(super) fn refuse(
    inner: &Inner,
    route: &Route,
    error: EndpointError,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    oauth1::wire::error(&error.into(), inner.issuer.origin(), route.name, request.clone())
}

impl AuthorizationServer {
    /// The endpoint for temporary credentials (RFC 5849, section 2.1), by POST or GET: a client
    /// names its callback, and gets credentials for the authorization endpoint. The parameter
    /// `scope` holds the requested scopes, separated by spaces. Without it, the words of `realm`
    /// that are scopes of the client are requested, none if it has other words only; without
    /// either, the default scopes of the client.
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env,
    /// #     provider::{AuthorizationServer, oauth1::OAuth1, store::MemoryStore},
    /// # };
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .oauth1(OAuth1::new());
    /// let request = http::Request::post("/oauth/request_token").body("".into())?;
    /// let response = server.request_token(request).await;
    /// assert_eq!(response.status(), 401);
    /// assert_eq!(response.headers()["www-authenticate"], r#"OAuth realm="https://id.example""#);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn request_token(&self, request: Request<Bytes>) -> Response<Bytes> {
        TEMPORARY_CREDENTIALS.answer(self, request).await
    }

    /// The endpoint for token credentials (RFC 5849, section 2.3), by POST or GET: a client
    /// exchanges temporary credentials and the verifier. The `scope` of the answer names the
    /// granted scopes.
    pub async fn access_token(&self, request: Request<Bytes>) -> Response<Bytes> {
        TOKEN_CREDENTIALS.answer(self, request).await
    }
}
