//! One login box for many organizations: the site registers itself at their providers.

mod lookups;
mod registered;
mod renewals;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body as Page, routing::get};
use http::{Method, Request, Response, StatusCode, header};
use quadrille::{
    Env, Error, KeyRing, Login, Result,
    consumer::{
        ClientKeys, CookieStorage, MemoryStorage, Organizations, RegistrationUnusable as Unusable,
        ServiceError,
    },
    jose::{Algorithm, SigningKey, SigningKeys},
    testing::{Browser, FakeService, ManualClock},
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use serde_json::{Value, json};

use tokio::sync::Semaphore;

use super::ISSUER;
use crate::support::{SECRET, SITE};

/// The network: the host of an organization, its provider, and its registration endpoint.
#[derive(Clone)]
struct Net {
    service: FakeService,
    clock: ManualClock,
    state: Arc<Mutex<State>>,
}

struct State {
    /// The issuer that WebFinger names.
    issuer: String,
    /// Changes to the metadata of the provider.
    metadata: Value,
    /// The response to a registration, and those to reading it.
    registration: (StatusCode, Value),
    reading: (StatusCode, Value),
    /// The registrations that are answered, if not all are.
    turns: Option<Arc<Semaphore>>,
    /// The requests so far: method, URL, authorization and body.
    seen: Vec<(Method, String, Option<String>, String)>,
}

const REGISTER: &str = "https://id.example/register";
const MANAGE: &str = "https://id.example/register/our-id";

fn registered() -> Value {
    json!({ "client_id": "our-id", "client_secret": SECRET, "client_secret_expires_at": 0 })
}

impl Net {
    fn new() -> Self {
        let (service, clock) = (FakeService::openid(ISSUER, "our-id", SECRET), ManualClock::new());
        service.tells_time(&clock.env());
        let state = State {
            issuer: ISSUER.to_owned(),
            metadata: json!({}),
            registration: (StatusCode::CREATED, registered()),
            reading: (StatusCode::OK, registered()),
            turns: None,
            seen: Vec::new(),
        };
        Self { service, clock, state: Arc::new(Mutex::new(state)) }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn organizations(&self) -> Organizations {
        Organizations::new("work")
            .client_name("Photo album")
            .scopes("openid email")
            .http_that_strangers_can_send_to_services_inside(self.clone())
    }

    fn login(&self, organizations: Organizations, storage: &Arc<MemoryStorage>) -> Login {
        Login::new(KeyRing::new([&[7; 32]]).unwrap(), SITE)
            .with_organizations(organizations)
            .storage(Arc::clone(storage))
            .http(self.clone())
            .env(self.clock.env())
    }

    /// A site at which the issuer is allowed.
    fn site(&self) -> Login {
        self.login(self.organizations().allow_issuer(ISSUER), &Arc::default())
    }

    fn seen(&self, method: &Method, url: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let is = |seen: &&(Method, String, Option<String>, String)| {
            seen.0 == *method && seen.1.starts_with(url)
        };
        state.seen.iter().filter(is).map(|(.., body)| body.clone()).collect()
    }

    fn registrations(&self) -> usize {
        self.seen(&Method::POST, REGISTER).len()
    }
}

fn answer(status: StatusCode, value: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(bytes::Bytes::from(value.to_string())));
    *answer.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

impl HttpClient for Net {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        let (parts, body) = request.into_parts();
        let Body::Whole(body) = body else { panic!("no request streams") };
        let (url, path) = (parts.uri.to_string(), parts.uri.path().to_owned());
        let turns = self.state.lock().unwrap().turns.clone();
        let answered = {
            let mut state = self.state.lock().unwrap();
            let authorization = parts.headers.get(header::AUTHORIZATION);
            let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
            let text = String::from_utf8(body.to_vec()).unwrap();
            state.seen.push((parts.method.clone(), url.clone(), authorization, text));
            if path == "/.well-known/webfinger" {
                let rel = "http://openid.net/specs/connect/1.0/issuer";
                let links = json!([{ "rel": rel, "href": state.issuer }]);
                Some(answer(StatusCode::OK, &json!({ "subject": "acct:x", "links": links })))
            } else if path.ends_with("/openid-configuration") {
                let mut all = json!({
                    "issuer": ISSUER,
                    "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "token_endpoint": format!("{ISSUER}/token"),
                    "jwks_uri": format!("{ISSUER}/keys"),
                    "registration_endpoint": REGISTER,
                    "id_token_signing_alg_values_supported": ["ES256"],
                });
                for (name, value) in state.metadata.as_object().unwrap() {
                    all[name] = value.clone();
                }
                Some(answer(StatusCode::OK, &all))
            } else if url == REGISTER {
                assert_eq!(purpose, Purpose::Register);
                Some(answer(state.registration.0, &state.registration.1))
            } else if url == MANAGE {
                Some(answer(state.reading.0, &state.reading.1))
            } else {
                None
            }
        };
        if let Some(turns) = turns.filter(|_| url == REGISTER) {
            turns.acquire().await.unwrap().forget();
        }
        match answered {
            Some(answered) => Ok(answered),
            None => self.service.send(Request::from_parts(parts, body.into()), purpose).await,
        }
    }
}

fn app(login: &Login) -> Router {
    let album = Router::new().route("/album", get(async || "an album"));
    login.attach(album).merge(login.organization_routes())
}

fn box_with(typed: &str, site: &str) -> Request<Page> {
    let mut form = quadrille::form::FormWriter::new();
    form.append("identifier", typed).append("next", "/album");
    Request::post("/login/work/organization")
        .header("accept", "text/html")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", site)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Page::from(form.finish()))
        .unwrap()
}

async fn types(login: &Login, typed: &str) -> std::result::Result<String, String> {
    let page = Browser::new(app(login)).send(box_with(typed, "same-origin")).await;
    match page.refresh() {
        Some(to) => Ok(to.to_owned()),
        None => {
            let code = page.text.split_once("<code>").and_then(|(_, rest)| rest.split_once('<'));
            Err(code.unwrap_or_else(|| panic!("{page:?}")).0.to_owned())
        }
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// OpenID Connect Discovery, section 2; OpenID Connect Dynamic Client Registration, sections 2 and
/// 3.
#[tokio::test]
async fn an_address_leads_to_the_login_of_its_organization() {
    let net = Net::new();
    let storage = Arc::default();
    let login = || net.login(net.organizations().allow_issuer(ISSUER), &storage);
    let here = login();
    let mut browser = Browser::new(app(&here));
    let hop = browser.send(box_with("ada@acme.example", "same-origin")).await;
    let to = hop.refresh().unwrap().to_owned();
    let (path, query) = to.split_once('?').unwrap();
    assert!(path.starts_with("/login/work~") && query.contains("next=%2Falbum"), "{to}");
    let away = browser.visit(&to).await;
    let url = away.location();
    assert!(url.starts_with(&format!("{ISSUER}/authorize?")), "{url}");
    assert_eq!(parameter(url, "client_id").as_deref(), Some("our-id"));
    assert_eq!(parameter(url, "login_hint").as_deref(), Some("ada@acme.example"));
    let callback = format!("{SITE}{path}/authorized");
    assert_eq!(parameter(url, "redirect_uri").as_deref(), Some(&*callback));
    let query = net.service.consent(url, 7).unwrap();
    let back = browser.go(&format!("{callback}?{query}")).await;
    assert_ne!(back.status, StatusCode::BAD_REQUEST, "{back:?}");
    let service = path.strip_prefix("/login/").unwrap();
    let mut accounts = here.accounts_by_name(service).await.unwrap();
    let account = accounts.next().await.unwrap().unwrap();
    assert_eq!(&*account.subject(), format!("{ISSUER}#7"));

    let seen = net.seen(&Method::GET, "https://acme.example/.well-known/webfinger?");
    assert_eq!(seen.len(), 1, "the host of the address is asked");
    let asked: Value = serde_json::from_str(&net.seen(&Method::POST, REGISTER)[0]).unwrap();
    assert_eq!(asked["redirect_uris"], json!([callback]));
    assert_eq!(asked["application_type"], "web");
    assert_eq!(asked["client_name"], "Photo album");
    assert_eq!(asked["token_endpoint_auth_method"], "client_secret_basic");
    // Neither another user nor another process registers again.
    for process in [&here, &login()] {
        assert!(types(process, "grace@acme.example").await.unwrap().starts_with(path));
    }
    assert_eq!(net.registrations(), 1);
}

#[tokio::test]
async fn a_provider_that_can_name_a_session_is_asked_for_logouts_of_single_ones() {
    for (receives, can, asked) in
        [(true, true, json!(true)), (true, false, json!(null)), (false, true, json!(null))]
    {
        let net = Net::new();
        let metadata = json!({ "backchannel_logout_session_supported": can });
        net.change(|state| state.metadata = metadata);
        let login = net.site();
        let login = if receives { login.receives_logouts() } else { login };
        types(&login, "ada@acme.example").await.unwrap();
        let seen: Value = serde_json::from_str(&net.seen(&Method::POST, REGISTER)[0]).unwrap();
        assert_eq!(seen["backchannel_logout_session_required"], asked, "{receives} {can}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_not_allowed_learns_nothing() {
    let net = Net::new();
    let storage = Arc::default();
    let nobody = net.login(net.organizations(), &storage);
    assert_eq!(types(&nobody, "ada@acme.example").await, Err("organization_unknown".into()));
    let others = ["https://id.example/tenant/", "https://ID.example/tenant", "https://id.example"];
    for other in others {
        let login = net.login(net.organizations().allow_issuer(other), &storage);
        assert_eq!(types(&login, "ada@acme.example").await, Err("organization_unknown".into()));
    }
    let refusing = net.login(net.organizations().allow_by(async |_| false), &storage);
    assert_eq!(types(&refusing, "acme.example").await, Err("organization_unknown".into()));
    assert_eq!(net.registrations(), 0);
    assert_eq!(net.seen(&Method::GET, &format!("{ISSUER}/")).len(), 0);
    let by_hook = net.organizations().allow_by(async |issuer: String| issuer == ISSUER);
    assert!(types(&net.login(by_hook, &storage), "acme.example").await.is_ok());
    // An organization that is allowed no longer has no login.
    let error = nobody.register_at("work", ISSUER).await.unwrap_err();
    assert_eq!(error.code(), "organization_unknown");
    let to = types(&net.site(), "acme.example").await.unwrap();
    let page = Browser::new(app(&nobody)).visit(&to).await;
    assert!(page.has_code("tenant_unknown"), "{page:?}");
}

/// OpenID Connect Discovery, section 2.
#[tokio::test]
async fn a_host_that_names_no_issuer_is_no_organization() {
    let net = Net::new();
    let login = net.site();
    for lie in
        ["", "http://id.example", "javascript:alert(1)", "https://id.example?x", "id.example"]
    {
        net.change(|state| lie.clone_into(&mut state.issuer));
        net.clock.advance(Duration::from_secs(10));
        assert_eq!(types(&login, "ada@acme.example").await, Err("organization_unknown".into()));
    }
    for typed in ["", "ada", "=ada", "http://acme.example", "a b@acme.example", "acct:ada"] {
        let expected = if typed == "ada" { "organization_unknown" } else { "identifier_malformed" };
        assert_eq!(types(&login, typed).await, Err(expected.into()), "{typed}");
    }
    let domain = net.organizations().domain("globex.example", ISSUER);
    let login = net.login(domain, &Arc::default());
    assert!(types(&login, "hank@Globex.example").await.is_ok(), "the application names its issuer");
    assert_eq!(net.seen(&Method::GET, "https://globex.example").len(), 0);
}

#[tokio::test]
async fn what_a_user_types_reaches_no_service_inside() {
    let net = Net::new();
    let organizations = Organizations::new("work").allow_by(async |_| true);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with_organizations(organizations)
        .storage(MemoryStorage::new())
        .http(net.clone());
    for typed in ["127.0.0.1", "10.0.0.1", "https://[::1]:8080/", "169.254.169.254", "localhost"] {
        let error = login.find_organization("work", typed).await.unwrap_err();
        assert_eq!(error.code(), "organization_unknown", "{typed}");
    }
    for issuer in ["https://127.0.0.1", "https://192.168.0.1/tenant", "https://localhost"] {
        let error = login.register_at("work", issuer).await.unwrap_err();
        let expected = Error::Network {
            service: "work".into(),
            error: NetworkError::AddressRefused,
            cause: None,
        };
        assert_eq!(error, expected, "{issuer}");
    }
    assert_eq!(net.seen(&Method::GET, "").len(), 0, "nor by the usual client");
}

#[tokio::test]
async fn the_box_of_another_site_finds_nothing() {
    let net = Net::new();
    let mut browser = Browser::new(app(&net.site()));
    let page = browser.send(box_with("ada@acme.example", "cross-site")).await;
    assert!(page.has_code("not_this_origin"), "{page:?}");
    assert_eq!(net.seen(&Method::GET, "").len(), 0);
}

#[tokio::test]
async fn a_secret_that_expires_is_renewed_where_the_provider_says() {
    let net = Net::new();
    let storage = Arc::default();
    let login = || net.login(net.organizations().allow_issuer(ISSUER), &storage);
    let expires = |after: u64| (net.clock.now() + Duration::from_secs(after)).seconds();
    let with = |expires: i64| {
        let mut answer = registered();
        answer["client_secret_expires_at"] = expires.into();
        answer["registration_access_token"] = "token-canary".into();
        answer["registration_client_uri"] = MANAGE.into();
        answer
    };
    net.change(|state| state.registration.1 = with(expires(86_400)));
    login().register_at("work", ISSUER).await.unwrap();
    net.clock.advance(Duration::from_secs(82_000));
    login().register_at("work", ISSUER).await.unwrap();
    assert_eq!(net.seen(&Method::GET, MANAGE).len(), 0, "not yet");
    net.clock.advance(Duration::from_secs(1000));
    net.change(|state| state.reading.1 = with(expires(86_400)));
    login().register_at("work", ISSUER).await.unwrap();
    assert_eq!(net.seen(&Method::GET, MANAGE).len(), 1);
    let bearer = net.state.lock().unwrap().seen.iter().any(|(_, url, authorization, _)| {
        url == MANAGE && authorization.as_deref() == Some("Bearer token-canary")
    });
    assert!(bearer, "by the registration access token");
    assert_eq!(net.registrations(), 1);
    // A provider that does not renew it is asked for another registration.
    net.clock.advance(Duration::from_secs(86_400));
    net.change(|state| {
        state.reading = (StatusCode::UNAUTHORIZED, json!({ "error": "invalid_token" }));
        state.registration.1 = with(expires(86_400));
    });
    login().register_at("work", ISSUER).await.unwrap();
    assert_eq!(net.registrations(), 2);
}

/// OpenID Connect Dynamic Client Registration, section 3.
#[tokio::test]
async fn a_provider_that_lies_or_refuses_is_told_by_fault() {
    let fails = async |change: fn(&mut State)| {
        let net = Net::new();
        net.change(change);
        let error = net.site().register_at("work", ISSUER).await.unwrap_err();
        let Error::Service { service, error } = error else { panic!("{error:?}") };
        assert_eq!(&*service, "work");
        error
    };
    let other = fails(|state| state.metadata = json!({ "issuer": "https://evil.example" })).await;
    assert_eq!(other.code(), "provider_metadata_unusable");
    let inside =
        fails(|state| state.metadata = json!({ "registration_endpoint": "http://10.0.0.1/" }))
            .await;
    assert_eq!(inside.code(), "provider_metadata_unusable");
    let huge = fails(|state| state.metadata = json!({ "padding": "x".repeat(70_000) })).await;
    assert_eq!(huge, ServiceError::TooLarge);
    let none = fails(|state| state.metadata = json!({ "registration_endpoint": null })).await;
    assert_eq!(none, ServiceError::RegistrationUnsupported);
    let strange = fails(|state| {
        state.metadata = json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth"] });
    });
    assert_eq!(strange.await, ServiceError::RegistrationUnsupported);
    let refused = fails(|state| {
        let error = json!({ "error": "invalid_redirect_uri" });
        state.registration = (StatusCode::BAD_REQUEST, error);
    });
    let error = ServiceError::RegistrationRefused { error: "invalid_redirect_uri".into() };
    assert_eq!(refused.await, error);
    let hijacked = fails(|state| {
        state.registration.1["redirect_uris"] = json!(["https://evil.example/"]);
    });
    assert_eq!(hijacked.await, ServiceError::RegistrationUnusable(Unusable::Callback));
    let busy = fails(|state| state.registration = (StatusCode::BAD_GATEWAY, json!({})));
    assert_eq!(busy.await.code(), "service_unavailable");
}

/// OpenID Connect Dynamic Client Registration, section 2.
#[tokio::test]
async fn a_site_with_keys_registers_them_where_the_provider_takes_them() {
    let net = Net::new();
    net.change(|state| {
        state.metadata =
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"] });
        state.registration.1 = json!({ "client_id": "our-id" });
    });
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let keys = ClientKeys::new(SigningKeys::new(key, Env::system().now()).unwrap());
    net.service.knows_keys(keys.jwks().as_bytes()).unwrap();
    let login = net.site().client_keys(keys);
    let to = types(&login, "ada@acme.example").await.unwrap();
    let asked: Value = serde_json::from_str(&net.seen(&Method::POST, REGISTER)[0]).unwrap();
    assert_eq!(asked["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(asked["jwks_uri"], format!("{SITE}/login/jwks.json"));
    let mut browser = Browser::new(app(&login));
    let away = browser.visit(&to).await;
    let query = net.service.consent(away.location(), 7).unwrap();
    let (path, _) = to.split_once('?').unwrap();
    browser.go(&format!("{path}/authorized?{query}")).await;
    let service = path.strip_prefix("/login/").unwrap();
    let mut accounts = login.accounts_by_name(service).await.unwrap();
    assert!(accounts.next().await.is_some());
}

#[test]
fn registrations_need_a_storage_on_the_server() {
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with_organizations(Organizations::new("work"))
        .storage(CookieStorage);
    assert_eq!(login.check().unwrap_err().code(), "storage_in_browser");
}
