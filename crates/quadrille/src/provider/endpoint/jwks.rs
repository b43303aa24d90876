//! The JWK Set of this server (RFC 7517, section 5).

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};

use crate::provider::{
    openid::request_object::options::RequestObjects,
    paths::EndpointPath,
    route::Route,
    server::{AuthorizationServer, Inner},
    wire::Methods,
};

use super::row::{self, Endpoint};

pub(super) static JWKS: Endpoint = Endpoint {
    route: Route {
        describe: |inner, url, metadata| {
            metadata.jwks_uri = Some(url).filter(|_| inner.signing.is_set());
        },
        ..Route::new("keys", EndpointPath::Below("/jwks"), Methods::GET_HEAD)
    },
    is_for_any_origin: true,
    handler: |server, _| Box::pin(async move { answer(server.inner()) }),
    refuse: row::refuse,
};

impl AuthorizationServer {
    /// The `jwks_uri` (RFC 8414, section 2): the public keys of the server, also those that will
    /// sign and those that signed. There is none without
    /// [`signing_keys`](Self::signing_keys).
    pub async fn jwks(&self, request: Request<Bytes>) -> Response<Bytes> {
        JWKS.answer(self, request).await
    }
}

fn answer(inner: &Inner) -> Response<Bytes> {
    let Some(jwks) = jwks(inner) else {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(jwks);
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/jwk-set+json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The keys that sign, and those to which request objects are encrypted.
fn jwks(inner: &Inner) -> Option<Bytes> {
    let objects = inner.openid.as_ref().and_then(|openid| openid.objects.as_ref());
    let mut encrypting = objects.into_iter().flat_map(RequestObjects::encrypting_keys).peekable();
    match encrypting.peek() {
        None => inner.signing.jwks(),
        Some(_) => Some(inner.signing.public()?.with_encrypting(encrypting).to_json().into()),
    }
}
