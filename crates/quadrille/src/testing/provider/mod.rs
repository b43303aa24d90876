//! A whole provider in the process of a test.

#![expect(clippy::panic, clippy::expect_used, reason = "a test fails by a panic")]

mod faults;
mod pages;
mod stage;

use std::{
    convert::Infallible,
    fmt,
    future::pending,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{self, to_bytes},
};
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;
use tower::{Service, ServiceExt as _};

use crate::{
    KeyRing, Login, Owner, Secret,
    consumer::{self, Account},
    form::FormWriter,
    jose::{Algorithm, SigningKeys},
    provider::{
        AuthorizationServer, ClaimsQuery, ClaimsUnavailable, DeviceGrant, NewClient, OpenId,
        store::MemoryStore,
    },
    transport::{Body, HttpClient, NetworkError, Purpose},
};

use super::{Approves, Browser, Fault, ManualClock, handler::link, key::key, script::whole};

use faults::{
    LONGEST, asked_wrongly, is_refresh, refused, server_error, with_wrong_issuer, without_scopes,
};
use pages::USER;
use stage::Stage;

/// The claims that clients can get about the users.
const CLAIMS: [&str; 8] = [
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "email",
    "email_verified",
    "picture",
    "locale",
];

/// A whole provider in the process of a test, without a port: an [`AuthorizationServer`] with its
/// store, its keys, a clock that the test moves, an API below `/api`, and users who sign in and
/// consent as the test says. It is the real server, not a fake: all of its rules hold.
///
/// For a consumer in the same test it is an HTTP client ([`login`](Self::login)), and for a browser a
/// site ([`router`](Self::router)); it is also a [`tower::Service`].
///
/// ```
/// use axum::{Router, routing::get};
/// use quadrille::{Identity, Service, Spec, testing::{Browser, TestProvider}};
///
/// struct Acme;
///
/// impl Service for Acme {
///     const SPEC: Spec = Spec::oidc("acme", "https://id.example").scopes("openid email").build();
/// }
///
/// async fn home(who: Identity<Acme>) -> String {
///     format!("You are {}", who.subject())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let provider = TestProvider::new("https://id.example");
/// let login = provider.login::<Acme>("https://app.example").await;
/// let mut browser = Browser::new(login.attach(Router::new().route("/", get(home))));
/// let page = browser.log_in(&provider, "/", "ada").await;
/// assert_eq!(page.text, "You are https://id.example#ada");
/// # }
/// ```
///
/// Clones are the same provider.
#[derive(Clone)]
pub struct TestProvider(Arc<Inner>);

struct Inner {
    server: AuthorizationServer,
    app: Router,
    clock: ManualClock,
    stage: Stage,
}

impl TestProvider {
    /// A provider with this issuer: OpenID Connect, codes, device codes, refresh tokens and client
    /// credentials. The user `ada` signs in, and allows everything.
    ///
    /// # Panics
    /// If the URL cannot be an issuer.
    pub fn new(issuer: &str) -> Self {
        Self::with(issuer, |server| server)
    }

    /// A provider whose server has further settings, such as scopes and a policy.
    ///
    /// ```
    /// use quadrille::{scopes, testing::TestProvider};
    ///
    /// scopes! { Photos = "photos:read", "See your photos"; }
    ///
    /// let provider = TestProvider::with("https://id.example", |server| server.scope::<Photos>());
    /// assert_eq!(provider.server().issuer(), "https://id.example");
    /// ```
    ///
    /// # Panics
    /// If the URL cannot be an issuer.
    pub fn with(
        issuer: &str,
        change: impl FnOnce(AuthorizationServer) -> AuthorizationServer,
    ) -> Self {
        let clock = ManualClock::new();
        let stage = Stage::new();
        let source = stage.clone();
        let claims = move |query: ClaimsQuery| {
            let known = source.script().claims.get(query.subject()).cloned();
            async move { Ok::<_, ClaimsUnavailable>(Some(known.unwrap_or_default())) }
        };
        let server = AuthorizationServer::new(issuer, MemoryStore::new(clock.env()))
            .unwrap_or_else(|error| panic!("{issuer} cannot be an issuer: {error}"))
            .env(clock.env())
            .signing_keys(signing_keys(1, &clock))
            .device_grant(DeviceGrant::new())
            .openid(OpenId::new().claims(CLAIMS, claims));
        let server = change(server);
        let app = pages::app(&server, &stage, &clock);
        Self(Arc::new(Inner { server, app, clock, stage }))
    }

    /// Adds claims about a user: `json!({"email": "ada@example.com"})`. Users without claims can sign
    /// in, too.
    ///
    /// ```
    /// use quadrille::testing::TestProvider;
    /// use serde_json::json;
    ///
    /// let provider = TestProvider::new("https://id.example")
    ///     .user("ada", json!({ "name": "Ada Lovelace", "email": "ada@example.com" }));
    /// ```
    ///
    /// # Panics
    /// If the claims are no object.
    #[must_use]
    pub fn user(self, name: &str, claims: Value) -> Self {
        let Value::Object(claims) = claims else { panic!("the claims about {name} are no object") };
        self.0.stage.script().claims.insert(name.to_owned(), claims);
        self
    }

    /// The server: to register clients, to mint tokens, to revoke.
    pub fn server(&self) -> &AuthorizationServer {
        &self.0.server
    }

    /// The clock of the provider, and of the [`login`](Self::login)s at it.
    pub fn clock(&self) -> &ManualClock {
        &self.0.clock
    }

    /// The user who signs in from now on, in any browser.
    pub fn signs_in(&self, name: &str) {
        self.0.stage.script().user = Some(name.to_owned());
    }

    /// The scopes that users grant from now on, of those that are requested.
    pub fn allows(&self, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.0.stage.script().allows = Some(scopes);
    }

    /// Shows a page to sign in (with a field `name`) and a consent page (with boxes `scope` and
    /// buttons `decision`, `allow` and `deny`) from now on, for a browser that
    /// [fills them in](Browser::fill).
    ///
    /// ```
    /// # use quadrille::testing::{Browser, TestClient, TestProvider};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let provider = TestProvider::new("https://id.example");
    /// provider.shows_pages();
    /// let client = TestClient::register(provider.server(), "openid").await;
    /// let mut browser = Browser::new(provider.router());
    /// let page = browser.go(&client.request()).await;
    /// let page = browser.fill(&page, &[("name", "ada")]).await;
    /// let page = browser.fill(&page, &[("decision", "deny")]).await;
    /// assert!(page.location().contains("error=access_denied"));
    /// # }
    /// ```
    pub fn shows_pages(&self) {
        let mut script = self.0.stage.script();
        script.user = None;
        script.shows_pages = true;
    }

    /// Turns a fault on, until the provider [recovers](Self::recovers). Refresh tokens are always
    /// rotated, so [`Fault::RefreshRotated`] changes nothing. After [`Fault::EverythingExpired`] the
    /// clock is a second ahead. The faults of ID tokens are those of
    /// [`FakeService::misidentifies`](super::FakeService::misidentifies).
    ///
    /// ```
    /// # use quadrille::testing::{Browser, TestClient, TestProvider};
    /// use quadrille::testing::Fault;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let provider = TestProvider::new("https://id.example");
    /// # let client = TestClient::register(provider.server(), "openid").await;
    /// # let mut browser = Browser::new(provider.router());
    /// provider.suffers(Fault::Denied);
    /// let page = browser.go(&client.request()).await;
    /// assert!(page.location().contains("error=access_denied"));
    /// provider.recovers();
    /// # }
    /// ```
    pub fn suffers(&self, fault: Fault) {
        let mut script = self.0.stage.script();
        script.faults.push(fault);
        match fault {
            Fault::EverythingExpired => script.must_revoke = true,
            Fault::KeysRotated => {
                script.key += 1;
                let keys = signing_keys(script.key, &self.0.clock);
                self.0.server.replace_signing_keys(keys);
            }
            _ => {}
        }
    }

    /// Turns all faults off. Tokens that expired stay invalid, and keys that were replaced stay so.
    pub fn recovers(&self) {
        self.0.stage.script().faults.clear();
    }

    /// The provider as a site of a browser ([`Browser::across`]), or as a part of another application.
    pub fn router(&self) -> Router {
        Router::new().fallback_service(self.clone())
    }

    /// A client of the provider with this redirect URI, all grants and all scopes. Returns its
    /// identifier and its secret.
    ///
    /// # Panics
    /// If the server refuses the registration.
    pub async fn client(&self, redirect_uri: &str) -> (String, Secret) {
        let server = &self.0.server;
        let new = NewClient::confidential("A client")
            .redirect_uri(redirect_uri)
            .grant_types(server.inner().offered_grant_types())
            .scopes(server.inner().scopes.known().clone());
        let registered = server.register(new).await;
        let registered =
            registered.unwrap_or_else(|error| panic!("the client is not registered: {error}"));
        let secret = registered.secret.expect("a confidential client has a secret");
        (registered.client.id.to_string(), secret)
    }

    /// A login at this provider for an application at this URL, registered as a client, with its
    /// clock. The issuer of `S` is that of the provider.
    ///
    /// # Panics
    /// If the server refuses the registration.
    pub async fn login<S: consumer::Service>(&self, public_url: &str) -> Login {
        let public_url = public_url.trim_end_matches('/');
        let callback = format!("{public_url}/login/{}/authorized", S::SPEC.name);
        let (id, secret) = self.client(&callback).await;
        Login::new(KeyRing::ephemeral(), public_url)
            .with(S::client(id, secret))
            .http(self.clone())
            .env(self.0.clock.env())
    }

    /// Logs `owner` in at `service` of `login` as this user, and stores the account: for tests of code
    /// that loads accounts by itself ([`Login::linked`]). The storage of the login must be on the
    /// server.
    ///
    /// ```
    /// # use quadrille::{Service, Spec, testing::TestProvider};
    /// use quadrille::{Owner, consumer::MemoryStorage};
    ///
    /// # struct Acme;
    /// # impl Service for Acme {
    /// #     const SPEC: Spec = Spec::oidc("acme", "https://id.example").build();
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> quadrille::Result<()> {
    /// let provider = TestProvider::new("https://id.example");
    /// let login = provider.login::<Acme>("https://app.example").await.storage(MemoryStorage::new());
    /// let account = provider.link(&login, "acme", &Owner::user("ada"), "ada").await;
    /// let acme = login.linked::<Acme>(&account).await?;
    /// assert_eq!(acme.get::<serde_json::Value>("api/me").await?["user"], "ada");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the login fails.
    pub async fn link(&self, login: &Login, service: &str, owner: &Owner, user: &str) -> Account {
        link(self, login, service, owner, user).await
    }

    /// Lets the device with this code in, as this user; `false` if the code is wrong.
    pub async fn approve_device(&self, user_code: &str, user: &str) -> bool {
        let Some(path) = self.0.server.device_path() else { return false };
        let mut browser = self.browser_of(user);
        let mut form = FormWriter::after_url(path);
        form.append("user_code", user_code);
        let page = browser.go(&form.finish()).await;
        page.status.is_success() && !page.text.contains("name=\"user_code\"")
    }

    /// A browser at the provider in which this user has signed in.
    fn browser_of(&self, user: &str) -> Browser {
        self.0.stage.script().seen.insert(user.to_owned());
        let mut browser = Browser::new(self.router());
        browser.cookies.insert(USER.to_owned(), user.to_owned());
        browser
    }

    /// The answer to a request that came as servers receive it.
    async fn serve(self, request: Request<body::Body>) -> Response<body::Body> {
        let faults = {
            let script = self.0.stage.script();
            script.faults.clone()
        };
        let has = |fault| faults.contains(&fault);
        if has(Fault::Slow) {
            pending::<()>().await;
        }
        if has(Fault::ServerError) {
            return server_error();
        }
        self.revoke_if_due().await;
        let server = &self.0.server;
        let path = request.uri().path().to_owned();
        let is_token = path.ends_with("/token");
        let is_authorize = path == server.authorize_path();
        let request = match is_authorize {
            true => asked_wrongly(request, has(Fault::Denied), has(Fault::CallbackUnregistered)),
            false => request,
        };
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LONGEST).await.unwrap_or_default();
        if is_token && has(Fault::RefreshRefused) && is_refresh(&body) {
            return refused(has(Fault::ErrorsUnder200));
        }
        let request = Request::from_parts(parts, body::Body::from(body));
        let response = self.0.app.clone().oneshot(request).await;
        let mut response = response.unwrap_or_else(|never| match never {});
        if has(Fault::WrongIssuer) {
            with_wrong_issuer(&mut response);
        }
        if is_token {
            if has(Fault::ErrorsUnder200) && response.status().is_client_error() {
                *response.status_mut() = StatusCode::OK;
            }
            if has(Fault::ScopesDropped) {
                response = without_scopes(response).await;
            }
        }
        let is_page = is_authorize || response.headers().contains_key(header::LOCATION);
        if has(Fault::WrongContentType) && !is_page {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
        }
        response
    }

    /// Revokes everything after [`Fault::EverythingExpired`].
    async fn revoke_if_due(&self) {
        let seen: Vec<_> = {
            let mut script = self.0.stage.script();
            if !std::mem::take(&mut script.must_revoke) {
                return;
            }
            script.seen.iter().cloned().collect()
        };
        for subject in seen {
            if let Err(error) = self.0.server.revoke_subject(&subject).await {
                panic!("the grants of {subject} are not revoked: {error}");
            }
        }
        // All that is issued at the time of a revocation counts as issued before it.
        self.0.clock.advance(Duration::from_secs(1));
    }
}

/// Approves as the user with this name, who signs in at once; the consent is as
/// [`TestProvider::allows`] says.
impl Approves for TestProvider {
    type User<'u> = &'u str;

    async fn approve(&self, url: &str, user: Self::User<'_>) -> Option<String> {
        let mut browser = self.browser_of(user);
        let page = browser.go(url).await;
        let location = page.headers.get(header::LOCATION)?.to_str().ok()?;
        Some(location.to_owned())
    }
}

impl HttpClient for TestProvider {
    async fn send(
        &self,
        request: Request<Body>,
        _: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        let (mut parts, body) = whole(request).await?.into_parts();
        // As servers receive it: the origin is in the Host header, not in the request line.
        let host = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
        parts.headers.extend(host.map(|host| (header::HOST, host)));
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = path.parse().map_err(|_| NetworkError::Connect)?;
        let request = Request::from_parts(parts, body::Body::from(body));
        let (parts, body) = self.clone().serve(request).await.into_parts();
        let body = to_bytes(body, LONGEST).await.map_err(|_| NetworkError::Interrupted)?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

impl Service<Request<body::Body>> for TestProvider {
    type Response = Response<body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<body::Body>) -> Self::Future {
        let serving = self.clone().serve(request);
        Box::pin(async move { Ok(serving.await) })
    }
}

impl fmt::Debug for TestProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestProvider").field(&self.0.server.issuer()).finish()
    }
}

/// The signing key with this number.
fn signing_keys(number: u64, clock: &ManualClock) -> SigningKeys {
    let key = key(&format!("test-{number}"), Algorithm::Es256).expect("a key is made");
    SigningKeys::new(key, clock.now()).expect("a key with a name")
}
