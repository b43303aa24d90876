//! Logouts by a frame in a browser, which prove nothing: at services with many issuers, and in numbers.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use http::StatusCode;
use quadrille::{
    Identity, KeyRing, Login, Microsoft, Service, Spec,
    consumer::{CookieStorage, MemoryStorage, TokenStorage},
    testing::{Browser, Emulated, FakeService, Manners, ManualClock, Page},
};
use serde_json::json;

use super::ISSUER;
use crate::support::{SECRET, SITE};

/// The tenant of the users of a fake service.
const TENANT: &str = "9122040d-6c67-4c5b-b112-36a304b66dad";

/// A service with an issuer of each tenant, which names it in its frames.
struct Many;

impl Service for Many {
    const SPEC: Spec = Spec::oauth2(
        "many",
        "https://login.example/authorize",
        "https://login.example/token",
        "https://login.example/api",
    )
    .openid("https://login.example/{tenantid}/v2.0", "https://login.example/common/keys")
    .issuer_of_each_tenant("{tenantid}", "tid")
    .build();
}

impl Emulated for Many {
    const MANNERS: Manners = Manners::STANDARD;
}

async fn me<S>(me: Option<Identity<S>>) -> String {
    me.map_or("nobody".into(), |me| me.subject().to_owned())
}

struct World {
    service: FakeService,
    login: Login,
}

impl World {
    fn many() -> Self {
        Self::of(FakeService::of::<Many>("our-id", SECRET), |login| {
            login.with(Many::client("our-id", SECRET))
        })
    }

    fn microsoft() -> Self {
        Self::of(FakeService::of::<Microsoft>("our-id", SECRET), |login| {
            login.with(Microsoft::new("our-id", SECRET))
        })
    }

    fn of(service: FakeService, with: impl FnOnce(Login) -> Login) -> Self {
        let service = service
            .user(json!({ "sub": "7", "sid": "session-of-ada" }))
            .user(json!({ "sub": "8", "sid": "session-of-grace" }));
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let login =
            with(Login::new(KeyRing::ephemeral(), SITE)).http(service.clone()).env(clock.env());
        Self { service, login }
    }

    fn browser(&self) -> Browser {
        let pages =
            Router::new().route("/many", get(me::<Many>)).route("/azure", get(me::<Microsoft>));
        Browser::new(self.login.attach(pages).merge(self.login.logout_routes()))
    }

    async fn identified(&self, service: &str, user: u64) -> Browser {
        let mut browser = self.browser();
        let start = format!("/login/{service}?only=identity");
        browser.log_in(&self.service, &start, user).await;
        assert_ne!(browser.visit(&format!("/{service}")).await.text, "nobody");
        browser
    }

    async fn frame(&self, service: &str, query: &str) -> Page {
        let frame = format!("/login/{service}/frontchannel-logout?{query}");
        self.browser().visit_from("cross-site", &frame).await
    }
}

fn iss(tenant: &str) -> String {
    format!("iss=https%3A%2F%2Flogin.example%2F{tenant}%2Fv2.0")
}

/// Front-Channel Logout, section 3.
#[tokio::test]
async fn where_each_tenant_has_an_issuer_a_frame_ends_the_session_of_its_own() {
    let world = World::many();
    let mut ada = world.identified("many", 7).await;
    let subject = format!("https://login.example/{TENANT}/v2.0#7");
    for issuer in [
        String::new(),
        iss("%7Btenantid%7D"),
        iss(""),
        iss("a%2F..%2Fb"),
        format!("iss=https%3A%2F%2Fevil.example%2F{TENANT}%2Fv2.0"),
        format!("{}&{}", iss(TENANT), iss(TENANT)),
    ] {
        let page = world.frame("many", &format!("{issuer}&sid=session-of-ada")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{issuer}: {page:?}");
    }
    // A session of another tenant has the same identifier.
    let other = world.frame("many", &format!("{}&sid=session-of-ada", iss("other"))).await;
    assert_eq!(other.status, StatusCode::OK);
    assert_eq!(ada.visit("/many").await.text, subject);
    let own = format!("{}&sid=session-of-ada", iss(TENANT));
    let event = world.login.end_by_front_channel("many", &own).await.unwrap();
    assert_eq!(event.issuer, format!("https://login.example/{TENANT}/v2.0"));
    assert!(!event.proven);
    assert_eq!(ada.visit("/many").await.text, "nobody");
}

#[tokio::test]
async fn where_each_tenant_has_an_issuer_a_logout_token_ends_the_session_of_its_own() {
    let world = World::many();
    let mut ada = world.identified("many", 7).await;
    for tenant in ["other", TENANT] {
        assert_ne!(ada.visit("/many").await.text, "nobody", "{tenant}");
        let issuer = format!("https://login.example/{tenant}/v2.0");
        let claims = json!({ "iss": issuer, "tid": tenant, "sid": "session-of-ada" });
        let token = world.service.logout_token("our-id", &claims).unwrap();
        let event = world.login.end_by_logout_token("many", &token).await.unwrap();
        assert!(event.proven);
    }
    assert_eq!(ada.visit("/many").await.text, "nobody");
}

#[tokio::test]
async fn microsoft_sends_the_session_alone() {
    let world = World::microsoft();
    let mut ada = world.identified("azure", 7).await;
    let mut grace = world.identified("azure", 8).await;
    for query in ["", "sid=", "iss=https%3A%2F%2Fevil.example&sid=session-of-ada"] {
        assert_eq!(world.frame("azure", query).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(world.frame("azure", "sid=session-of-ada").await.status, StatusCode::OK);
    assert_eq!(ada.visit("/azure").await.text, "nobody");
    assert_ne!(grace.visit("/azure").await.text, "nobody");
    let issuer = format!("iss=https%3A%2F%2Flogin.microsoftonline.com%2F{TENANT}%2Fv2.0");
    let page = world.frame("azure", &format!("{issuer}&sid=session-of-grace")).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert_eq!(grace.visit("/azure").await.text, "nobody");
}

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).build();
}

/// A site whose processes share a storage.
struct Shared {
    service: FakeService,
    clock: ManualClock,
    storage: Arc<MemoryStorage>,
    keys: KeyRing,
}

impl Shared {
    fn new() -> Self {
        let service = FakeService::openid(ISSUER, "our-id", SECRET)
            .user(json!({ "sub": "7", "sid": "session-of-ada" }));
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let keys = KeyRing::new([&[7; 32]]).unwrap();
        Self { service, clock, storage: Arc::default(), keys }
    }

    fn starts(&self) -> Login {
        Login::new(self.keys.clone(), SITE)
            .with(Acme::client("our-id", SECRET))
            .storage(Arc::clone(&self.storage))
            .http(self.service.clone())
            .env(self.clock.env())
            .receives_logouts()
    }

    /// Requests of nobody about sessions that do not exist.
    async fn floods(&self, login: &Login, numbers: std::ops::Range<usize>) {
        for number in numbers {
            self.ends(login, &format!("nobody-{number}")).await;
        }
    }

    async fn ends(&self, login: &Login, sid: &str) {
        let query = format!("iss=https%3A%2F%2Fid.example%2Ftenant&sid={sid}");
        login.end_by_front_channel("acme", &query).await.unwrap();
    }

    async fn rows(&self, login: &Login, kind: &str) -> usize {
        let cx = login.storage_context().unwrap();
        self.storage.accounts(&cx, kind, None, usize::MAX).await.unwrap().len()
    }
}

fn app(login: &Login) -> Router {
    login.attach(Router::new().route("/me", get(me::<Acme>)))
}

/// The sessions that only browsers say have ended, and that are remembered.
const MOST: usize = 16_384;

#[tokio::test]
async fn requests_of_nobody_push_out_no_logout_and_leave_so_many_rows_at_all_processes() {
    let world = Shared::new();
    let (here, elsewhere) = (world.starts(), world.starts());
    let mut ada = Browser::new(app(&here));
    ada.log_in(&world.service, "/login/acme?only=identity", 7).await;
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    // A process that has not seen the session is told of its end.
    world.ends(&elsewhere, "session-of-ada").await;
    assert_eq!(world.rows(&here, "quadrille.ended-by-browser").await, 1);
    let look = async |login: &Login| {
        world.clock.advance(Duration::from_secs(2));
        Browser::new(app(login)).visit("/me").await
    };
    look(&here).await;
    assert_eq!(world.rows(&here, "quadrille.ended-by-browser").await, 0);
    assert_eq!(world.rows(&here, "quadrille.ended").await, 1, "the other process has seen it");
    world.floods(&here, 0..MOST - 1000).await;
    world.floods(&elsewhere, MOST..2 * MOST - 1000).await;
    for process in [&here, &elsewhere, &here] {
        look(process).await;
    }
    assert_eq!(world.rows(&here, "quadrille.ended-by-browser").await, MOST);
    for process in [&here, &elsewhere, &world.starts()] {
        let mut copy = Browser::new(app(process));
        copy.cookies = ada.cookies.clone();
        assert_eq!(copy.visit("/me").await.text, "nobody", "after a restart, too");
    }
}

#[test]
fn a_site_whose_storage_is_in_browsers_is_warned_that_a_restart_forgets_logouts() {
    let log = |login: Login| {
        crate::canary::logged(async move {
            let _: Router = login.logout_routes();
        })
    };
    let world = Shared::new();
    let warned = log(world.starts().storage(CookieStorage));
    assert!(warned.contains("go on after a restart"), "{warned}");
    let silent = log(world.starts());
    assert!(!silent.contains("restart"), "{silent}");
}
