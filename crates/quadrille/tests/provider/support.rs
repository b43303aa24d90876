//! A provider, a client, a browser and a person.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Redirect, Response as AxumResponse},
    routing::{get, post},
};
use http::{HeaderMap, Request, Response, header};
use quadrille::{
    Authentication, Env, KeyRing, Policy, Scopes,
    form::{FormWriter, Params},
    guard::Access,
    oauth2::{AuthorizationRequest, ClientAuth, Resources, TokenRequest, pkce::Verifier},
    provider::{
        Authorization, AuthorizationServer, Client, ConsentPage, Decision, DeviceStep,
        DeviceVerification, Display, NewClient, PageHints, RedirectUri, Reply, Step,
        store::{MemoryStore, SqliteStore, Store},
    },
    scopes,
    testing::ManualClock,
};
use tower::ServiceExt as _;

/// The time on tokio's clock, which is paused: waiting moves it.
#[expect(clippy::disallowed_methods, reason = "no wall clock: it stands still until a test waits")]
pub(crate) fn paused_clock() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const CALLBACK: &str = "https://app.example/cb";
/// Two APIs elsewhere.
pub(crate) const API: &str = "https://api.example";
pub(crate) const MAIL: &str = "https://mail.example/v1";

scopes! {
    pub(crate) Photos = "photos:read", "See your photos";
    pub(crate) Upload = "photos:write", "Add photos of yours";
}

/// Who is signed in at the application, and when they did.
pub(crate) type SignedIn = Arc<Mutex<Option<Authentication>>>;

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) env: Env,
    pub(crate) server: AuthorizationServer,
    pub(crate) app: Router,
    pub(crate) signed_in: SignedIn,
    pub(crate) client: Client,
    pub(crate) secret: String,
}

#[derive(Debug, serde::Deserialize)]
struct ConsentForm {
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    claim: Vec<String>,
    /// The application's own data.
    album: Option<u64>,
    decision: String,
}

async fn ask(State(user): State<SignedIn>, request: Authorization) -> AxumResponse {
    let user = user.lock().unwrap().clone();
    let hints = shown(request.hints());
    match request.step(user).await {
        Step::SignIn(back) => {
            let page = if back.is_choice() { "/choose" } else { "/sign-in" };
            Redirect::to(&format!("{page}?next={back}{hints}")).into_response()
        }
        Step::Consent(page) => consent(&page).into_response(),
        Step::Done(reply) => reply.into_response(),
    }
}

/// The wishes of a client for the sign-in page, those that it has.
fn shown(hints: &PageHints) -> String {
    let mut words = FormWriter::new();
    for (name, wish) in [("create", hints.create), ("select_account", hints.select_account)] {
        words.append_some(name, wish.then_some("1"));
    }
    words.append_some("login_hint", hints.login_hint.as_deref());
    words.append_some("display", hints.display.map(Display::as_str));
    for locale in &hints.ui_locales {
        words.append("ui_locale", locale);
    }
    let words = words.finish();
    if words.is_empty() { words } else { format!("&{words}") }
}

fn consent(page: &ConsentPage) -> String {
    let mut html = format!(
        "client={}\nhost={}\n",
        page.client.name,
        page.client_host.as_deref().unwrap_or_default()
    );
    if page.registered_itself {
        let at = page.destination.as_deref().unwrap_or_default();
        html += &format!("itself at {at}\n");
    }
    html += &format!("back={}\n", page.back.path_and_query());
    for scope in &page.scopes {
        html += &format!("scope={} {}\n", scope.name, scope.description);
    }
    if !page.granted.is_empty() {
        html += &format!("granted={}\n", page.granted);
    }
    for claim in &page.claims {
        html += &format!("claim={claim}\n");
    }
    if let Some(album) = page.data.get("album") {
        html += &format!("album={album}\n");
    }
    for uri in page.resources.iter() {
        html += &format!("at={uri}\n");
    }
    if let Some(device) = &page.device {
        let from = device.address.map(|address| address.to_string()).unwrap_or_default();
        html += &format!(
            "device={} from={from} since={}\n",
            device.user_code,
            device.requested.seconds()
        );
    }
    for (name, value) in page.form_fields() {
        html += &format!("field={name}={value}\n");
    }
    html
}

/// The page for user codes.
async fn device(State(user): State<SignedIn>, request: DeviceVerification) -> AxumResponse {
    let user = user.lock().unwrap().clone();
    match request.step(user).await {
        DeviceStep::SignIn(back) => Redirect::to(&format!("/sign-in?next={back}")).into_response(),
        DeviceStep::Code(page) => {
            let (code, refused) = (page.user_code.unwrap_or_default(), page.refused);
            format!("action={}\ncode={code}\nrefused={refused:?}\n", page.action).into_response()
        }
        DeviceStep::Consent(page) => consent(&page).into_response(),
        DeviceStep::Done(reply) => reply.into_response(),
    }
}

async fn answer(State(user): State<SignedIn>, decision: Decision<ConsentForm>) -> Reply {
    let user = user.lock().unwrap().clone().expect("the test signs somebody in");
    let by = decision.by(user).claims(&decision.form.claim);
    let by = match decision.form.album {
        Some(album) => by.data("album", album).unwrap(),
        None => by,
    };
    match decision.form.decision.as_str() {
        "all" => by.all().await,
        "only" => by.only(&decision.form.scope).await,
        _ => by.deny().await,
    }
}

async fn photos(access: Access<Photos>) -> String {
    format!("{:?} by {}", access.actor(), access.client())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Policy::safe(), |new| new).await
    }

    /// With a confidential client.
    pub(crate) async fn with(policy: Policy, change: impl FnOnce(NewClient) -> NewClient) -> Self {
        let client = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
        Self::of(policy, change(client)).await
    }

    /// With a public client.
    pub(crate) async fn public(redirect_uri: &str) -> Self {
        Self::public_with(Policy::safe(), redirect_uri).await
    }

    pub(crate) async fn public_with(policy: Policy, redirect_uri: &str) -> Self {
        Self::of(policy, NewClient::public("Photo app").redirect_uri(redirect_uri)).await
    }

    async fn of(policy: Policy, new: NewClient) -> Self {
        let clock = ManualClock::new();
        let store = MemoryStore::new(clock.env());
        Self::over(store, clock, policy, new).await
    }

    /// On a database file in `folder`. Other worlds may be on the same one, as other processes.
    pub(crate) async fn on_disk(folder: &Path, clock: ManualClock) -> Self {
        let store = SqliteStore::open(folder.join("provider.db"), clock.env()).unwrap();
        let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
        Self::over(store, clock, Policy::safe(), new).await
    }

    /// With a server and a confidential client of the test's own making.
    pub(crate) async fn set_up(
        policy: Policy,
        client: impl FnOnce(NewClient) -> NewClient,
        server: impl FnOnce(AuthorizationServer) -> AuthorizationServer,
    ) -> Self {
        let clock = ManualClock::new();
        let store = MemoryStore::new(clock.env());
        let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
        Self::build(store, clock, policy, new, server).await
    }

    async fn over(store: impl Store, clock: ManualClock, policy: Policy, new: NewClient) -> Self {
        Self::build(store, clock, policy, new, |server| server).await
    }

    pub(crate) async fn build(
        store: impl Store,
        clock: ManualClock,
        policy: Policy,
        new: NewClient,
        change: impl FnOnce(AuthorizationServer) -> AuthorizationServer,
    ) -> Self {
        let env = clock.env();
        let server = AuthorizationServer::new(ISSUER, store)
            .unwrap()
            .keys(KeyRing::new([&[7; 32]]).unwrap())
            .env(env.clone())
            .policy(policy)
            .scope::<Photos>()
            .scope::<Upload>()
            .resource(API)
            .unwrap()
            .resource(MAIL)
            .unwrap();
        let server = change(server);
        let new = new.scopes(Scopes::parse("photos:read photos:write").unwrap());
        let registered = server.register(new).await.unwrap();
        let signed_in = SignedIn::default();
        let app = Router::new()
            .route("/oauth/authorize", get(ask).post(ask))
            .route("/oauth/consent", post(answer))
            .route("/device", get(device).post(device))
            .route("/api/photos", get(photos))
            .route("/api/data", get(|access: Access| async move { format!("{:?}", access.data()) }))
            .route("/api/any", get(|access: Option<Access>| async move { format!("{access:?}") }))
            .with_state(signed_in.clone());
        let app = server.attach(app);
        let secret = registered.secret.map(|secret| secret.expose().to_owned()).unwrap_or_default();
        Self { clock, env, server, app, signed_in, client: registered.client, secret }
    }

    pub(crate) fn sign_in(&self, subject: &str) {
        let authentication = Authentication::new(subject, self.env.now());
        *self.signed_in.lock().unwrap() = Some(authentication);
    }

    pub(crate) fn sign_out(&self) {
        *self.signed_in.lock().unwrap() = None;
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of_app(self.app.clone(), request).await
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", content_type);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::from_bytes(&[42; 32])
    }

    /// A good request.
    pub(crate) fn asking(&self) -> AuthorizationRequest<'_> {
        let mut request = AuthorizationRequest::new(&*self.client.id);
        request.redirect_uri = self.client.redirect_uris.first().map(|uri| uri.as_str().into());
        request.state = Some("xyz".into());
        request.code_challenge = Some(self.verifier().challenge());
        request
    }

    pub(crate) async fn ask(
        &self,
        browser: &mut Browser,
        request: &AuthorizationRequest<'_>,
    ) -> Answer {
        let url = request.to_url("https://id.example/oauth/authorize").unwrap();
        browser.get(self, url.strip_prefix(ISSUER).unwrap()).await
    }

    pub(crate) fn auth(&self) -> ClientAuth {
        let client_id = (*self.client.id).into();
        match self.secret.as_str() {
            "" => ClientAuth::None { client_id },
            secret => ClientAuth::Basic { client_id, client_secret: secret.into() },
        }
    }

    pub(crate) async fn token(&self, auth: &ClientAuth, asked: &TokenRequest<'_>) -> Answer {
        let request = asked.to_request("https://id.example/oauth/token", auth, &[]).unwrap();
        self.send(request.map(Body::from)).await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        let verifier = self.verifier();
        let asked = TokenRequest::AuthorizationCode {
            code,
            redirect_uri: self.client.redirect_uris.first().map(RedirectUri::as_str),
            code_verifier: Some(verifier.expose()),
            resource: Resources::EMPTY,
        };
        self.token(&self.auth(), &asked).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        let asked =
            TokenRequest::RefreshToken { refresh_token, scope: None, resource: Resources::EMPTY };
        self.token(&self.auth(), &asked).await
    }

    /// A code for a person who signs in and grants everything.
    pub(crate) async fn code(&self, subject: &str) -> String {
        self.sign_in(subject);
        let mut browser = Browser::default();
        let request = self.asking();
        let mut page = self.ask(&mut browser, &request).await;
        if page.status() == 200 {
            page = browser.answer(self, &page, "decision=all").await;
        }
        page.query("code")
    }

    /// The tokens that such a code buys.
    pub(crate) async fn tokens(&self, subject: &str) -> Tokens {
        let code = self.code(subject).await;
        self.redeem(&code).await.tokens()
    }

    pub(crate) async fn photos(&self, token: &str) -> Answer {
        let request =
            Request::get("/api/photos").header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn is_good(&self, token: &str) -> bool {
        self.photos(token).await.status() == 200
    }
}

pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) scope: String,
}

#[derive(Debug)]
pub(crate) struct Answer(Response<Bytes>);

impl Answer {
    pub(crate) async fn of_app(app: Router, request: Request<Body>) -> Self {
        let response = app.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Self(Response::from_parts(parts, body))
    }

    pub(crate) fn of(response: Response<Bytes>) -> Self {
        Self(response)
    }
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }
    pub(crate) fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).unwrap()
    }
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.0.body()).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
    /// The error in a direct answer.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
    pub(crate) fn tokens(&self) -> Tokens {
        assert_eq!(self.status(), 200, "{}", self.text());
        let json = self.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Tokens {
            access: text("access_token").unwrap(),
            refresh: text("refresh_token"),
            scope: text("scope").unwrap_or_default(),
        }
    }
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status(), 303, "{}", self.text());
        self.header("location")
    }
    /// A parameter of the redirect.
    pub(crate) fn query(&self, name: &str) -> String {
        self.after('?', name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }
    /// A parameter in the fragment of the redirect.
    pub(crate) fn fragment(&self, name: &str) -> Option<String> {
        self.after('#', name)
    }
    fn after(&self, sign: char, name: &str) -> Option<String> {
        let (_, text) = self.location().split_once(sign).unwrap();
        let params = Params::parse(text.as_bytes()).unwrap();
        params.many(name).next().map(str::to_owned)
    }
    pub(crate) fn ticket(&self) -> &str {
        let field = self.text().lines().find_map(|line| line.strip_prefix("field=ticket="));
        field.unwrap_or_else(|| panic!("no consent page: {self:?}"))
    }
    /// The reason in small print on a problem page.
    pub(crate) fn reason(&self) -> &str {
        let (_, rest) = self.text().split_once("<code>").unwrap_or_else(|| panic!("{self:?}"));
        rest.split_once("</code>").unwrap().0
    }
}

/// Keeps cookies.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, world: &World, path: &str) -> Answer {
        self.send(world, Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&mut self, world: &World, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(world, request).await
    }

    /// Submits the form of a consent page.
    pub(crate) async fn answer(&mut self, world: &World, page: &Answer, fields: &str) -> Answer {
        let mut form = FormWriter::new();
        form.append("ticket", page.ticket());
        self.post(world, "/oauth/consent", &format!("{}&{fields}", form.finish())).await
    }

    async fn send(&mut self, world: &World, mut request: Request<Body>) -> Answer {
        let cookies: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let answer = world.send(request).await;
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}
