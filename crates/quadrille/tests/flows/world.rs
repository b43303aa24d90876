//! The provider, and a browser that goes from one site to the other.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Form, Query, RawForm, RawQuery, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderMap, Request, StatusCode, header};
use quadrille::{
    Authentication, Env, KeyRing, Login, Scopes,
    form::FormWriter,
    guard::Access,
    jose::{Algorithm, SigningKey, SigningKeys},
    page::escape,
    provider::{
        Authorization, AuthorizationServer, Client, ConsentPage, Decision, DeviceGrant, DeviceStep,
        DeviceVerification, NewClient, OpenId, Reply, Step, oauth1::OAuth1, store::MemoryStore,
    },
    scopes,
    testing::ManualClock,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{printer, wire::Wire};

/// The provider.
pub(crate) const ALBUM: &str = "https://album.example";
/// The consumer.
pub(crate) const PRINTER: &str = "https://printer.example";
pub(crate) const CALLBACK: &str = "https://printer.example/login/album/authorized";

scopes! {
    pub(crate) Photos = "photos:read", "See your photos";
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) server: AuthorizationServer,
    pub(crate) client: Client,
    /// What was generated for OAuth 2.
    pub(crate) secret: String,
    /// The consumer's way to the provider.
    pub(crate) wire: Wire,
    pub(crate) album: Router,
}

impl World {
    /// A provider that takes all that can be taken, and its client.
    pub(crate) async fn new(change: impl FnOnce(NewClient) -> NewClient) -> Self {
        let clock = ManualClock::new();
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let oauth1 = OAuth1::new()
            .allow_hmac_sha1_as_most_clients_sign()
            .allow_rsa_sha1_with_its_broken_digest_as_old_clients_sign()
            .allow_plaintext_which_carries_the_secrets_themselves();
        let server = AuthorizationServer::new(ALBUM, MemoryStore::new(clock.env()))
            .unwrap()
            .keys(KeyRing::new([&[7; 32]]).unwrap())
            .env(clock.env())
            .scope::<Photos>()
            .device_grant(DeviceGrant::new())
            .signing_keys(SigningKeys::new(key, clock.now()).unwrap())
            .openid(OpenId::new())
            .oauth1(oauth1);
        let new = NewClient::confidential("Photo printer").redirect_uri(CALLBACK);
        let new = change(new.scopes(Scopes::of(["openid", "photos:read"])));
        let registered = server.register(new).await.unwrap();
        let pages = Router::new()
            .route("/oauth/authorize", get(ask).post(ask))
            .route("/oauth/consent", post(answer))
            .route("/device", get(device).post(device))
            .route("/sign-in", get(sign_in_page).post(sign_in))
            .route(
                "/api/me",
                get(async |access: Access<Photos>| Json(json!({ "id": access.user() }))),
            )
            .route(
                "/api/search",
                get(async |_: Access<Photos>, RawQuery(query): RawQuery| query.unwrap_or_default()),
            )
            .route("/api/form", post(async |_: Access<Photos>, RawForm(form): RawForm| form))
            .route("/api/json", post(async |_: Access<Photos>, Json(body): Json<Value>| Json(body)))
            .with_state(clock.env());
        let album = server.attach(pages);
        let wire = Wire::to(album.clone());
        let secret = registered.secret.map(|secret| secret.expose().to_owned()).unwrap_or_default();
        Self { clock, server, client: registered.client, secret, wire, album }
    }

    /// A login at the provider, by this client.
    pub(crate) fn login<S: 'static>(&self, client: quadrille::consumer::Client<S>) -> Login {
        Login::new(KeyRing::ephemeral(), PRINTER)
            .with(client)
            .http(self.wire.clone())
            .env(self.clock.env())
    }

    /// A person's browser, for the pages of the consumer and the provider.
    pub(crate) fn browser(&self, login: &Login) -> Browser {
        let printer = login.attach(printer::pages());
        Browser::of([(ALBUM, self.album.clone()), (PRINTER, printer)])
    }
}

#[derive(serde::Deserialize)]
struct ConsentForm {
    #[serde(default)]
    scope: Vec<String>,
    decision: String,
}

#[derive(serde::Deserialize)]
struct Next {
    next: String,
}

#[derive(serde::Deserialize)]
struct SignIn {
    name: String,
    next: String,
}

/// A cookie with a name in it, which is no way to sign anybody in outside of a test.
fn signed_in(headers: &HeaderMap, env: &Env) -> Option<Authentication> {
    let cookies = headers.get(header::COOKIE)?.to_str().unwrap();
    let name = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("user="))?;
    Some(Authentication::new(name, env.now()))
}

async fn ask(State(env): State<Env>, headers: HeaderMap, request: Authorization) -> Response {
    match request.step(signed_in(&headers, &env)).await {
        Step::SignIn(back) => Redirect::to(&format!("/sign-in?next={back}")).into_response(),
        Step::Consent(page) => consent(&page).into_response(),
        Step::Done(reply) => reply.into_response(),
    }
}

fn consent(page: &ConsentPage) -> Html<String> {
    let mut html = format!("<form method=post action=\"{}\">", escape(&page.action));
    for scope in &page.scopes {
        html += &format!("<input type=checkbox name=scope value=\"{}\">", scope.name);
    }
    for (name, value) in page.form_fields() {
        html += &format!("<input type=hidden name=\"{name}\" value=\"{}\">", escape(value));
    }
    Html(html + "<button name=decision value=allow></button><button name=decision value=deny>")
}

/// The page on which users type the codes of devices in.
async fn device(
    State(env): State<Env>,
    headers: HeaderMap,
    request: DeviceVerification,
) -> Response {
    match request.step(signed_in(&headers, &env)).await {
        DeviceStep::SignIn(back) => Redirect::to(&format!("/sign-in?next={back}")).into_response(),
        DeviceStep::Code(page) => {
            let code = escape(page.user_code.as_deref().unwrap_or_default());
            Html(format!("{:?}<input name=user_code value=\"{code}\">", page.refused))
                .into_response()
        }
        DeviceStep::Consent(page) => consent(&page).into_response(),
        DeviceStep::Done(reply) => reply.into_response(),
    }
}

async fn answer(
    State(env): State<Env>,
    headers: HeaderMap,
    decision: Decision<ConsentForm>,
) -> Reply {
    let user = signed_in(&headers, &env).expect("who answers is signed in");
    match decision.form.decision.as_str() {
        "allow" => decision.by(user).only(&decision.form.scope).await,
        _ => decision.by(user).deny().await,
    }
}

async fn sign_in_page(Query(Next { next }): Query<Next>) -> Html<String> {
    let next = escape(&next);
    Html(format!(
        "<form method=post action=/sign-in><input name=next value=\"{next}\"><input name=name>"
    ))
}

async fn sign_in(Form(form): Form<SignIn>) -> Response {
    let cookie = format!("user={}; Path=/", form.name);
    ([(header::SET_COOKIE, cookie)], Redirect::to(&form.next)).into_response()
}

struct Site {
    app: Router,
    cookies: BTreeMap<String, String>,
}

/// Goes wherever it is sent, and keeps the cookies of each site.
pub(crate) struct Browser {
    sites: BTreeMap<&'static str, Site>,
}

/// Where a browser ended.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.text.contains(&format!("<code>{code}</code>"))
    }

    /// The values of the form's fields of this name, decoded.
    fn fields<'a>(&'a self, name: &str) -> impl Iterator<Item = String> + use<'a> {
        let start = format!("name={name} ");
        let quoted = format!("name=\"{name}\" ");
        self.text
            .split("<input ")
            .filter(move |input| input.contains(&start) || input.contains(&quoted))
            .map(|input| {
                let (_, value) = input.split_once("value=\"").expect("a value");
                value.split('"').next().unwrap().replace("&amp;", "&")
            })
    }
}

impl Browser {
    pub(crate) fn of(sites: impl IntoIterator<Item = (&'static str, Router)>) -> Self {
        let sites = sites.into_iter();
        let site = |app| Site { app, cookies: BTreeMap::new() };
        Self { sites: sites.map(|(origin, app)| (origin, site(app))).collect() }
    }

    /// Opens a page, and whatever it leads to.
    pub(crate) async fn open(&mut self, url: &str) -> Page {
        self.follow(url, None).await
    }

    /// Opens a page of the consumer's, signs in and allows what is asked for.
    pub(crate) async fn log_in(&mut self, path: &str, name: &str) -> Page {
        let page = self.ask(path, name).await;
        self.decide(&page, "allow").await
    }

    /// Opens a page of the consumer's and signs in: the consent page.
    pub(crate) async fn ask(&mut self, path: &str, name: &str) -> Page {
        let page = self.open(&format!("{PRINTER}{path}")).await;
        self.sign_in(page, name).await
    }

    /// Past the sign-in, if this is the page for it.
    pub(crate) async fn sign_in(&mut self, page: Page, name: &str) -> Page {
        let Some(next) = page.fields("next").next() else { return page };
        let mut form = FormWriter::new();
        form.append("next", &next);
        form.append("name", name);
        self.follow(&format!("{ALBUM}/sign-in"), Some(form.finish())).await
    }

    /// Submits the form on the page for user codes, as it is.
    pub(crate) async fn send_code(&mut self, page: &Page) -> Page {
        let mut form = FormWriter::new();
        let code = page.fields("user_code").next().unwrap_or_else(|| panic!("{page:?}"));
        form.append("user_code", &code);
        self.follow(&format!("{ALBUM}/device"), Some(form.finish())).await
    }

    /// Submits the consent page.
    pub(crate) async fn decide(&mut self, page: &Page, decision: &str) -> Page {
        let mut form = FormWriter::new();
        form.append("ticket", &page.fields("ticket").next().unwrap_or_else(|| panic!("{page:?}")));
        for scope in page.fields("scope") {
            form.append("scope", &scope);
        }
        form.append("decision", decision);
        let action = url::Url::parse(&page.url).unwrap().join("/oauth/consent").unwrap();
        self.follow(action.as_str(), Some(form.finish())).await
    }

    /// Opens a page by a link of another site.
    pub(crate) async fn open_from_elsewhere(&mut self, url: &str) -> Page {
        self.follow_from("cross-site", url, None).await
    }

    /// Submits the form on the page that asks whether to log in.
    pub(crate) async fn confirm(&mut self, page: &Page) -> Page {
        let (_, rest) = page.text.split_once(" action=\"").unwrap_or_else(|| panic!("{page:?}"));
        let mut form = FormWriter::new();
        for name in ["iss", "login_hint", "target_link_uri"] {
            form.append_some(name, page.fields(name).next().as_deref());
        }
        let action = url::Url::parse(&page.url).unwrap();
        let action = action.join(rest.split('"').next().unwrap()).unwrap();
        self.follow(action.as_str(), Some(form.finish())).await
    }

    async fn follow(&mut self, url: &str, form: Option<String>) -> Page {
        self.follow_from("same-origin", url, form).await
    }

    async fn follow_from(&mut self, site: &str, url: &str, mut form: Option<String>) -> Page {
        let mut url = url.to_owned();
        for _ in 0..12 {
            let (status, headers, text) = self.send(site, &url, form.take()).await;
            let location = headers.get(header::LOCATION).or_else(|| headers.get(header::REFRESH));
            let Some(location) = location else { return Page { url, status, text } };
            let location = location.to_str().unwrap();
            let location = location.strip_prefix("0;url=").unwrap_or(location);
            url = url::Url::parse(&url).unwrap().join(location).unwrap().into();
        }
        panic!("redirected in circles: {url}");
    }

    /// Sends a request of which the browser says (`Sec-Fetch-Site`) that it comes from `from`.
    async fn send(
        &mut self,
        from: &str,
        url: &str,
        form: Option<String>,
    ) -> (StatusCode, HeaderMap, String) {
        let site = self.sites.iter_mut().find(|(origin, _)| url.starts_with(**origin));
        let (origin, site) = site.unwrap_or_else(|| panic!("nobody is at {url}"));
        let cookies: Vec<_> = site.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let target = &url[origin.len()..];
        let mut request = Request::get(if target.is_empty() { "/" } else { target })
            .header("host", origin.split_once("://").unwrap().1)
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", from)
            .header("cookie", cookies.join("; "));
        if form.is_some() {
            request = request.method("POST");
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let request = request.body(Body::from(form.unwrap_or_default())).unwrap();
        let answer = site.app.clone().oneshot(request).await.unwrap();
        for line in answer.headers().get_all(header::SET_COOKIE) {
            let (pair, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                site.cookies.remove(name);
            } else {
                site.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }
}
