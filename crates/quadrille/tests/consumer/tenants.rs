use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{FromRequestParts, Path},
    routing::get,
};
use http::{Request, Response, StatusCode, request::Parts};
use quadrille::{
    Error, Hooks, KeyRing, Login, Result, SpecBuf, Visitor,
    consumer::{BrowserError, Client, Dynamic, MemoryStorage, OperatorError},
    testing::{FakeService, ManualClock},
    transport::{Body, HttpClient, NetworkError, Purpose},
};

use crate::support::{Browser, Page, SITE};

/// Customers, each with a server of their own, in what stands for a database.
#[derive(Clone)]
struct Customers {
    rows: Arc<Mutex<BTreeMap<String, FakeService>>>,
    asked: Arc<AtomicUsize>,
    broken: Arc<Mutex<Option<&'static str>>>,
}

impl Customers {
    fn new() -> Self {
        let rows = ["acme", "globex"].map(|name| {
            (name.to_owned(), FakeService::new(&format!("id-at-{name}"), &format!("secret-{name}")))
        });
        Self {
            rows: Arc::new(Mutex::new(rows.into())),
            asked: Arc::default(),
            broken: Arc::default(),
        }
    }

    fn of(&self, tenant: &str) -> FakeService {
        self.rows.lock().unwrap()[tenant].clone()
    }

    fn times_asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn crm_of(
    customers: Customers,
    tenant: String,
) -> Result<Option<Client<Dynamic>>, &'static str> {
    customers.asked.fetch_add(1, Ordering::Relaxed);
    if let Some(reason) = *customers.broken.lock().unwrap() {
        return Err(reason);
    }
    if !customers.rows.lock().unwrap().contains_key(&tenant) {
        return Ok(None);
    }
    let base = format!("https://{tenant}.example");
    let mut spec = SpecBuf::oauth2(
        "whatever it says here",
        format!("{base}/authorize"),
        format!("{base}/token"),
        format!("{base}/api"),
    );
    spec.identity = Some(("user".into(), "id".into()));
    Ok(Some(spec.client(format!("id-at-{tenant}"), format!("secret-{tenant}"))))
}

/// The network: each customer's host is that customer's server.
impl HttpClient for Customers {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        let host = request.uri().host().unwrap().to_owned();
        let service = self.of(host.strip_suffix(".example").unwrap());
        service.send(request, purpose).await
    }
}

async fn contacts(Path(tenant): Path<String>, visitor: Visitor) -> Result<String> {
    let crm = visitor.linked(&format!("crm~{tenant}")).await?;
    let me: serde_json::Value = crm.get("user").await?;
    Ok(format!("{} at {}", me["login"].as_str().unwrap_or("?"), crm.service()))
}

async fn maybe(Path(tenant): Path<String>, visitor: Visitor) -> Result<String> {
    let account = visitor.account(&format!("crm~{tenant}")).await?;
    Ok(account.map_or("nobody".to_owned(), |account| format!("number {}", account.subject)))
}

async fn forget(Path(tenant): Path<String>, visitor: Visitor) -> Result<&'static str> {
    visitor.unlink(&format!("crm~{tenant}")).await?;
    Ok("bye")
}

struct World {
    customers: Customers,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self { customers: Customers::new(), clock: ManualClock::new() }
    }

    fn login(&self) -> Login {
        Login::new(KeyRing::ephemeral(), SITE)
            .with_tenants("crm", self.customers.clone(), crm_of)
            .http(self.customers.clone())
            .env(self.clock.env())
    }

    fn browser(&self, login: &Login) -> Browser {
        let pages = Router::new()
            .route("/contacts/{tenant}", get(contacts))
            .route("/maybe/{tenant}", get(maybe))
            .route("/forget/{tenant}", get(forget));
        Browser::new(login.attach(pages))
    }

    async fn log_in(&self, browser: &mut Browser, tenant: &str, user: u64) -> Page {
        let away = browser.go(&format!("/contacts/{tenant}")).await;
        let query = self.customers.of(tenant).consent(away.location(), user).unwrap();
        browser.go(&format!("/login/crm~{tenant}/authorized?{query}")).await
    }
}

#[tokio::test]
async fn two_tenants_in_one_browser_stay_apart() {
    for in_memory in [false, true] {
        let world = World::new();
        let login = world.login();
        let login = if in_memory { login.storage(MemoryStorage::new()) } else { login };
        let mut browser = world.browser(&login);
        assert_eq!(world.log_in(&mut browser, "acme", 1).await.text, "user-1 at crm~acme");
        assert_eq!(browser.visit("/maybe/globex").await.text, "nobody");
        assert_eq!(world.log_in(&mut browser, "globex", 2).await.text, "user-2 at crm~globex");
        assert_eq!(browser.visit("/contacts/acme").await.text, "user-1 at crm~acme");
        assert_eq!(browser.visit("/maybe/acme").await.text, "number 1");
        assert_eq!(browser.visit("/forget/acme").await.text, "bye");
        assert_eq!(browser.visit("/maybe/acme").await.text, "nobody");
        assert_eq!(browser.visit("/maybe/globex").await.text, "number 2");
    }
}

#[tokio::test]
async fn the_login_of_a_tenant_goes_to_its_own_server_with_its_own_callback() {
    let world = World::new();
    let mut browser = world.browser(&world.login());
    let page = browser.visit("/contacts/acme").await;
    assert_eq!(page.location(), "/login/crm~acme?next=%2Fcontacts%2Facme");
    let page = browser.visit(page.location()).await;
    assert!(page.location().starts_with("https://acme.example/authorize?"), "{page:?}");
    assert!(page.location().contains("client_id=id-at-acme&"), "{page:?}");
    let callback = "redirect_uri=https%3A%2F%2Fapp.example%2Flogin%2Fcrm~acme%2Fauthorized&";
    assert!(page.location().contains(callback), "{page:?}");
}

#[tokio::test]
async fn an_answer_for_one_tenant_is_refused_at_another_and_burns_nothing() {
    let world = World::new();
    let mut browser = world.browser(&world.login());
    browser.visit("/login/crm~globex").await;
    let away = browser.visit("/login/crm~acme").await;
    let query = world.customers.of("acme").consent(away.location(), 1).unwrap();
    let page = browser.visit(&format!("/login/crm~globex/authorized?{query}")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.has_code("state_unknown"), "{}", page.text);
    for tenant in ["acme", "globex"] {
        assert_eq!(world.customers.of(tenant).times_asked(Purpose::RedeemCode), 0, "{tenant}");
    }
    let page = browser.visit(&format!("/login/crm~acme/authorized?{query}")).await;
    assert_eq!(page.refresh(), Some("/"), "the true one is still good: {page:?}");
}

#[tokio::test]
async fn a_tenant_that_there_is_not_gets_a_page_that_says_so() {
    let world = World::new();
    let mut browser = world.browser(&world.login());
    for path in ["/login/crm~nobody", "/login/crm~nobody/authorized?state=x", "/contacts/nobody"] {
        let page = browser.visit(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}: {page:?}");
        assert!(page.has_code("tenant_unknown") && page.text.contains("No such login"), "{path}");
    }
    let looked_up = world.customers.times_asked();
    let long = "x".repeat(65);
    for name in ["", "..%2F..", "a%20b", "a%00b", "%C3%A4", "a~b", "a;b", "a%3Bb", &long] {
        let page = browser.visit(&format!("/login/crm~{name}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{name}: {page:?}");
        assert!(page.has_code("tenant_unknown"), "{name}: {page:?}");
    }
    assert_eq!(world.customers.times_asked(), looked_up, "no such name reaches the resolver");
    for name in ["crm", "erp~acme", "~acme"] {
        let page = browser.visit(&format!("/login/{name}")).await;
        assert!(page.has_code("service_unknown"), "{name}: {page:?}");
    }
}

#[tokio::test]
async fn a_resolver_that_fails_is_the_operators_affair_and_the_login_can_go_on_later() {
    let world = World::new();
    let login = world.login();
    let mut browser = world.browser(&login);
    let away = browser.visit("/login/crm~acme").await;
    let query = world.customers.of("acme").consent(away.location(), 1).unwrap();
    world.clock.advance(Duration::from_secs(60));
    *world.customers.broken.lock().unwrap() = Some("no database: canary");
    let back = format!("/login/crm~acme/authorized?{query}");
    for path in ["/login/crm~acme", "/contacts/acme", &back] {
        let page = browser.visit(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {page:?}");
        assert!(page.has_code("tenant_lookup_failed"), "{path}: {page:?}");
        assert!(!page.text.contains("canary"), "its reason is for the log");
    }
    assert_eq!(browser.visit("/maybe/acme").await.text, "nobody", "this asks nobody");
    *world.customers.broken.lock().unwrap() = None;
    assert_eq!(browser.visit(&back).await.refresh(), Some("/"));
    assert_eq!(browser.visit("/contacts/acme").await.text, "user-1 at crm~acme");
}

#[tokio::test]
async fn a_tenant_is_looked_up_once_a_minute_and_what_changed_is_heeded_then() {
    let world = World::new();
    let login = world.login();
    let mut browser = world.browser(&login);
    world.log_in(&mut browser, "acme", 1).await;
    for _ in 0..10 {
        assert_eq!(browser.visit("/contacts/acme").await.text, "user-1 at crm~acme");
    }
    assert_eq!(world.customers.times_asked(), 1);
    world.customers.rows.lock().unwrap().remove("acme");
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(browser.visit("/maybe/acme").await.text, "number 1");
    assert_eq!(world.customers.times_asked(), 1);
    world.clock.advance(Duration::from_secs(1));
    let page = browser.visit("/contacts/acme").await;
    assert!(page.has_code("tenant_unknown"), "{page:?}");
    assert_eq!(browser.visit("/forget/acme").await.text, "bye", "what is left can be forgotten");
    assert_eq!(browser.visit("/maybe/acme").await.text, "nobody");
}

#[tokio::test]
async fn the_tenants_in_memory_are_bounded() {
    let world = World::new();
    let login = world.login();
    let service = FakeService::new("id", "secret");
    for number in 0..5000 {
        world.customers.rows.lock().unwrap().insert(number.to_string(), service.clone());
        let accounts = login.accounts_by_name(&format!("crm~{number}")).await;
        assert!(accounts.is_ok());
    }
    for number in 4990..5000 {
        login.accounts_by_name(&format!("crm~{number}")).await.unwrap();
    }
    assert_eq!(world.customers.times_asked(), 5000, "the last ones are remembered");
    login.accounts_by_name("crm~0").await.unwrap();
    assert_eq!(world.customers.times_asked(), 5001, "the first ones are not");
}

#[tokio::test]
async fn outside_requests_a_tenants_accounts_are_reached_by_its_name() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    for (tenant, user) in [("acme", 1), ("acme", 2), ("globex", 3)] {
        world.log_in(&mut world.browser(&login), tenant, user).await;
    }
    let mut accounts = login.accounts_by_name("crm~acme").await.unwrap();
    let mut found = Vec::new();
    while let Some(crm) = accounts.next().await {
        found.push(crm.unwrap().account());
    }
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    assert_eq!(found.iter().map(|a| &*a.subject).collect::<Vec<_>>(), ["1", "2"]);
    let crm = login.linked_by_name(&found[0]).await.unwrap();
    let me: serde_json::Value = crm.get("user").await.unwrap();
    assert_eq!(me["login"], "user-1");
    world.customers.rows.lock().unwrap().remove("acme");
    world.clock.advance(Duration::from_secs(60));
    let error = login.linked_by_name(&found[0]).await.unwrap_err();
    assert_eq!(error, BrowserError::TenantUnknown.into());
    login.unlink(&found[0]).await.unwrap();
}

#[tokio::test]
async fn what_a_tenant_cannot_be_is_told_at_start_or_when_it_is_asked_for() {
    let repeated = World::new().login().with(
        SpecBuf::oauth2(
            "crm",
            "https://a.example/authorize",
            "https://a.example/token",
            "https://a.example",
        )
        .client("id", "secret"),
    );
    let error = OperatorError::ServiceRepeated { service: "crm".into() };
    assert_eq!(repeated.check().unwrap_err(), Error::Operator(error));
    let malformed = World::new().login().with_tenants("c~m", Customers::new(), crm_of);
    let error = OperatorError::ServiceNameMalformed { service: "c~m".into() };
    assert_eq!(malformed.check().unwrap_err(), Error::Operator(error));

    async fn insecure(_: (), tenant: String) -> Result<Option<Client<Dynamic>>> {
        let base = format!("http://{tenant}.example");
        Ok(Some(SpecBuf::oauth2("crm", base.clone(), base.clone(), base).client("id", "secret")))
    }
    let login = Login::new(KeyRing::ephemeral(), SITE).with_tenants("crm", (), insecure);
    let error = login.accounts_by_name("crm~acme").await.unwrap_err();
    let reason = OperatorError::EndpointMalformed { service: "crm~acme".into() };
    assert_eq!(error, Error::Operator(reason));
}

#[tokio::test]
async fn cookies_of_a_tenant_that_is_gone_make_room() {
    let world = World::new();
    let mut browser = world.browser(&world.login());
    let log_in = async |browser: &mut Browser, tenant: &str, size: usize| {
        let token = format!("{{\"access_token\":\"{}\"}}", "x".repeat(size));
        let service = world.customers.of(tenant);
        service.answers_next(Purpose::RedeemCode, StatusCode::OK, token);
        service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
        let away = browser.visit(&format!("/login/crm~{tenant}")).await;
        let query = service.consent(away.location(), 7).unwrap();
        browser.visit(&format!("/login/crm~{tenant}/authorized?{query}")).await
    };
    let has_acmes =
        |browser: &Browser| browser.cookies.keys().any(|name| name.ends_with("token-crm~acme"));
    assert!(log_in(&mut browser, "acme", 3500).await.refresh().is_some());
    let page = log_in(&mut browser, "globex", 3000).await;
    assert!(page.has_code("cookie_too_large"), "both are customers: {page:?}");
    assert_eq!(browser.visit("/maybe/acme").await.text, "number 7");
    world.clock.advance(Duration::from_secs(61));
    world.customers.rows.lock().unwrap().remove("acme");
    let page = log_in(&mut browser, "globex", 1000).await;
    assert!(page.refresh().is_some(), "{page:?}");
    assert!(has_acmes(&browser), "nobody is looked up while there is room");
    *world.customers.broken.lock().unwrap() = Some("no database");
    let page = log_in(&mut browser, "globex", 3000).await;
    assert!(page.has_code("cookie_too_large"), "nobody knows whether acme is gone: {page:?}");
    assert!(has_acmes(&browser));
    *world.customers.broken.lock().unwrap() = None;
    let page = log_in(&mut browser, "globex", 3000).await;
    assert_eq!(page.refresh(), Some("/"), "{page:?}");
    let left: Vec<_> = browser.cookies.keys().filter(|name| name.contains("token")).collect();
    assert!(left.iter().all(|name| name.ends_with("crm~globex")), "{left:?}");
    assert_eq!(browser.visit("/maybe/globex").await.text, "number 7");
}

/// The tenant's server decides which account returns, and a link in an e-mail looks like a typed
/// address: Mallory, a tenant, would link an account of her own to the user who follows it.
#[tokio::test]
async fn a_user_who_is_signed_in_is_asked_before_a_tenants_login_unless_a_page_of_ours_leads_there()
{
    let world = World::new();
    struct CurrentUser(String);
    impl FromRequestParts<()> for CurrentUser {
        type Rejection = StatusCode;
        async fn from_request_parts(parts: &mut Parts, _: &()) -> Result<Self, StatusCode> {
            let user = quadrille::cookie::one(&parts.headers, "user").map(str::to_owned);
            user.map(Self).ok_or(StatusCode::UNAUTHORIZED)
        }
    }
    let hooks = Hooks::new(()).owner(|user: &CurrentUser| user.0.clone());
    let login = world.login().storage(MemoryStorage::new()).hooks(hooks);
    let mut browser = world.browser(&login);
    for (user, site, asks) in [
        (None, "none", false),
        (Some("ada"), "none", true),
        (Some("ada"), "cross-site", true),
        (Some("ada"), "same-origin", false),
    ] {
        if let Some(user) = user {
            browser.cookies.insert("user".to_owned(), user.to_owned());
        }
        let page = browser.visit_from(site, "/login/crm~acme?next=/maybe/acme").await;
        let asked = page.text.contains("<form") && !page.headers.contains_key("set-cookie");
        assert_eq!(asked, asks, "{user:?} from {site}: {page:?}");
    }
}
