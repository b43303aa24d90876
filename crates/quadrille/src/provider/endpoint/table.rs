//! The table of endpoints, from which paths, routes, metadata and limits follow.
//!
//! A new endpoint is a file with its row, and the row's name in [`ENDPOINTS`].

use bytes::Bytes;
use http::{Request, Response};

use crate::provider::{
    authorize::{authorization::AUTHORIZATION, consent::CONSENT},
    openid::logout::request::END_SESSION,
    paths::EndpointPath,
    refusal,
    route::Route,
    server::AuthorizationServer,
    wire::{self, Methods},
};

use super::{
    check_session::CHECK_SESSION,
    device::DEVICE_AUTHORIZATION,
    introspect::INTROSPECTION,
    jwks::JWKS,
    metadata,
    oauth1::{TEMPORARY_CREDENTIALS, TOKEN_CREDENTIALS},
    register::{CLIENT_CONFIGURATION, REGISTRATION},
    revoke::REVOCATION,
    row::{self, Answer, Endpoint},
    token::TOKEN,
    userinfo::USERINFO,
    webfinger::WEBFINGER,
};

/// The endpoints that clients call, which the server answers.
pub(crate) static ENDPOINTS: [&Endpoint; 14] = [
    &TOKEN,
    &DEVICE_AUTHORIZATION,
    &REVOCATION,
    &INTROSPECTION,
    &TEMPORARY_CREDENTIALS,
    &TOKEN_CREDENTIALS,
    &JWKS,
    &REGISTRATION,
    &CLIENT_CONFIGURATION,
    &USERINFO,
    &METADATA,
    &OPENID_CONFIGURATION,
    &WEBFINGER,
    &CHECK_SESSION,
];

/// The pages for users, which the application answers.
static PAGES: [&Route; 3] = [&AUTHORIZATION, &CONSENT, &END_SESSION];

static METADATA: Endpoint = Endpoint {
    route: Route::new(
        "metadata",
        EndpointPath::WellKnown("oauth-authorization-server"),
        Methods::GET_HEAD,
    ),
    is_for_any_origin: true,
    handler: |server, request| describe(&server, &request),
    refuse: row::refuse,
};

/// The same document where clients of OpenID Connect look for it (OpenID Connect Discovery, section
/// 4).
static OPENID_CONFIGURATION: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.openid.is_some(),
        ..Route::new(
            "openid-configuration",
            EndpointPath::WellKnown("openid-configuration"),
            Methods::GET_HEAD,
        )
    },
    is_for_any_origin: true,
    handler: |server, request| describe(&server, &request),
    refuse: row::refuse,
};

fn describe(server: &AuthorizationServer, request: &Request<Bytes>) -> Answer {
    let routes = PAGES.into_iter().chain(ENDPOINTS.iter().map(|endpoint| &endpoint.route));
    let answer = metadata::answer(server.inner(), routes).unwrap_or_else(|error| {
        let error = error.into();
        refusal::log_unread(METADATA.route.name, &error, request);
        wire::error(&error)
    });
    Box::pin(async { answer })
}

impl AuthorizationServer {
    /// The metadata document: exactly what is enabled. It is served at both well-known addresses.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let request = http::Request::get("/.well-known/oauth-authorization-server");
    /// let response = server.metadata(request.body(bytes::Bytes::new())?).await;
    /// assert_eq!(response.headers()["content-type"], "application/json");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn metadata(&self, request: Request<Bytes>) -> Response<Bytes> {
        METADATA.answer(self, request).await
    }

    /// Answers a request to any of the endpoints that clients call, in a framework that has no
    /// adapter here. The path is as requests arrive: see
    /// [`prefix_is_stripped`](Self::prefix_is_stripped). The authorization endpoint and the consent
    /// form are pages of the application: see [`authorize`](Self::authorize) and
    /// [`answer`](Self::answer).
    ///
    /// A body of more than 64 KiB is refused; to read one byte more of it is enough.
    ///
    /// ```
    /// use http::Request;
    /// use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?;
    /// let request = Request::post("/oauth/token").body("grant_type=client_credentials".into())?;
    /// let response = server.handle(request).await.map_err(|_| "no endpoint")?;
    /// assert_eq!(response.status(), 415);
    ///
    /// let request = Request::get("/photos").body("".into())?;
    /// assert_eq!(server.handle(request).await.unwrap_err().uri(), "/photos");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The request, if no endpoint is at its path.
    pub async fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Request<Bytes>> {
        let inner = self.inner();
        let is_here = |endpoint: &&&Endpoint| {
            let paths = inner.paths.all_of(endpoint.route.path);
            let mut arriving = paths.map(|path| inner.as_it_arrives(&path) == request.uri().path());
            (endpoint.route.is_offered)(inner) && arriving.any(|is_here| is_here)
        };
        match ENDPOINTS.iter().find(is_here) {
            Some(endpoint) => Ok(endpoint.answer(self, inner.as_sent(request)).await),
            None => Err(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::{Method, StatusCode, header::ALLOW};

    use super::*;
    use crate::{
        Env,
        jose::{Algorithm, SigningKey, SigningKeys},
        provider::{
            DynamicRegistration, Logout, OpenId, device::DeviceGrant, oauth1::OAuth1,
            store::MemoryStore,
        },
    };

    fn server(issuer: &str) -> AuthorizationServer {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let keys = SigningKeys::new(key, Env::system().now()).unwrap();
        let server = AuthorizationServer::new(issuer, MemoryStore::new(Env::system())).unwrap();
        server.signing_keys(keys)
    }

    /// Servers at the root, below a path, and where that path is stripped, with all endpoints.
    fn servers() -> [AuthorizationServer; 4] {
        let registration = DynamicRegistration::by_initial_access_token();
        let whole = |issuer| {
            let server = server(issuer).oauth1(OAuth1::new()).device_grant(DeviceGrant::new());
            let openid = OpenId::new().logout(Logout::new()).webfinger().session_management();
            server.dynamic_registration(registration.clone()).openid(openid)
        };
        let with_path = || whole("https://id.example/id");
        [
            whole("https://id.example"),
            whole("https://id.example").at("/"),
            with_path(),
            with_path().prefix_is_stripped(),
        ]
    }

    fn request(method: &Method, path: &str, body: Vec<u8>) -> Request<Bytes> {
        let mut request = Request::new(body.into());
        (*request.method_mut(), *request.uri_mut()) = (method.clone(), path.parse().unwrap());
        request
    }

    #[tokio::test]
    async fn each_endpoint_is_found_and_refuses_other_methods_and_long_bodies() {
        use Method as M;
        for server in servers() {
            let inner = server.inner();
            for endpoint in ENDPOINTS {
                let Route { name, methods, body_limit, .. } = endpoint.route;
                for path in inner.paths.all_of(endpoint.route.path) {
                    let path = inner.as_it_arrives(&path);
                    for method in [M::GET, M::HEAD, M::POST, M::PUT, M::PATCH, M::DELETE] {
                        let answer = server.handle(request(&method, path, Vec::new())).await;
                        let answer = answer.unwrap_or_else(|_| panic!("{name} is not at {path}"));
                        let is_refused = answer.status() == StatusCode::METHOD_NOT_ALLOWED;
                        let is_accepted = methods.list.contains(&method);
                        assert_ne!(is_refused, is_accepted, "{name}: {method} {path}");
                        let allowed = answer.headers().get(ALLOW);
                        assert_eq!(allowed.is_some(), is_refused, "{name}: {method}");
                        assert!(allowed.is_none_or(|names| names == methods.names));
                    }
                    let long = request(&methods.list[0], path, vec![b'a'; body_limit + 1]);
                    let answer = server.handle(long).await.unwrap();
                    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{name}");
                }
            }
        }
    }

    #[tokio::test]
    async fn what_has_no_endpoint_is_given_back() {
        let server = server("https://id.example/id");
        for path in [
            "/",
            "/photos",
            "/id/oauth/authorize",
            "/id/oauth/consent",
            "/id/oauth/request_token",
            "/id/oauth/access_token",
            "/id/oauth/device_authorization",
            "/id/device",
            "/id/oauth/register",
            "/id/oauth/register/client",
            "/id/oauth/userinfo",
            "/id/oauth/logout",
            "/id/oauth/check_session",
            "/id/.well-known/openid-configuration",
            "/oauth/token",
            "/id/oauth/token/",
            "/id/oauth/tokens",
            "/id/.well-known/oauth-authorization-server/id",
        ] {
            let request = request(&Method::POST, path, b"a=b".to_vec());
            let given_back = server.handle(request).await.unwrap_err();
            assert_eq!((given_back.uri().path(), &given_back.body()[..]), (path, &b"a=b"[..]));
        }
    }

    #[tokio::test]
    async fn metadata_names_the_endpoints_that_are_offered_where_they_answer() {
        for server in servers() {
            let inner = server.inner();
            let path = inner.paths.of(METADATA.route.path);
            let request =
                |method, path: &str| request(method, inner.as_it_arrives(path), Vec::new());
            let document = server.handle(request(&Method::GET, &path)).await.unwrap();
            let document: BTreeMap<String, serde_json::Value> =
                serde_json::from_slice(document.body()).unwrap();
            let mut named = Vec::new();
            for (name, url) in &document {
                if let Some(name) = name.strip_suffix("_endpoint") {
                    let path = url.as_str().unwrap().strip_prefix("https://id.example").unwrap();
                    let path_here = inner.as_it_arrives(path);
                    let is_page = path_here == server.authorize_path()
                        || Some(path_here) == server.end_session_path();
                    let is_here = server.handle(request(&Method::POST, path)).await.is_ok();
                    assert!(is_here != is_page, "{name} at {path}");
                    named.push(name);
                }
            }
            assert_eq!(
                named,
                [
                    "authorization",
                    "device_authorization",
                    "end_session",
                    "introspection",
                    "registration",
                    "revocation",
                    "token",
                    "userinfo"
                ]
            );
        }
        let plain = server("https://id.example");
        let request = request(&Method::GET, "/.well-known/oauth-authorization-server", Vec::new());
        let document = plain.handle(request).await.unwrap();
        let document: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(document.body()).unwrap();
        assert!(!document.contains_key("registration_endpoint"));
    }
}
