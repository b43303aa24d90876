//! A provider tells that it has ended sessions: by its server, and by frames in browsers.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::HeaderMap,
    routing::{get, post},
};
use http::{Request, StatusCode};
use quadrille::{
    GitHub, Google, Hooks, Identity, KeyRing, Linked, Login, Owner, Service, SessionEnded, Spec,
    Visitor,
    consumer::{Jar, MemoryStorage},
    testing::{Approves as _, Browser, FakeService, Fault, ManualClock, Page, Refresh},
    transport::Purpose,
};
use serde_json::{Value, json};

use crate::support::{SECRET, SITE};

use super::ISSUER;

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).build();
}

const BACK: &str = "/login/acme/backchannel-logout";
const FRONT: &str = "/login/acme/frontchannel-logout";

type Seen = Arc<Mutex<Vec<SessionEnded>>>;

pub(super) struct World {
    pub(super) service: FakeService,
    pub(super) clock: ManualClock,
    pub(super) login: Login,
    pub(super) seen: Seen,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|login| login)
    }

    fn with(change: impl FnOnce(Login) -> Login) -> Self {
        async fn ended(event: SessionEnded, State(seen): State<Seen>) {
            seen.lock().unwrap().push(event);
        }
        let service = FakeService::openid(ISSUER, "our-id", SECRET)
            .user(json!({ "sub": "7", "sid": "session-of-ada", "email": "ada@example.com" }))
            .user(json!({ "sub": "8", "sid": "session-of-grace" }))
            .user(json!({ "sub": "9" }))
            .user(json!({ "sub": "10", "sid": "session-of-bo", "about": "-".repeat(3000) }));
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let seen = Seen::default();
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(Acme::client("our-id", SECRET))
            .hooks(Hooks::new(seen.clone()).on_session_ended(ended));
        let login = change(login).http(service.clone()).env(clock.env());
        Self { service, clock, login, seen }
    }

    pub(super) fn browser(&self) -> Browser {
        async fn me(me: Option<Identity<Acme>>) -> String {
            me.map_or("nobody".into(), |me| me.subject().to_owned())
        }
        async fn linked(linked: Option<Linked<Acme>>) -> String {
            linked.map_or("nobody".into(), |linked| linked.subject().to_string())
        }
        async fn home(linked: Linked<Acme>) -> String {
            linked.subject().to_string()
        }
        async fn account(visitor: Visitor) -> quadrille::Result<String> {
            let account = visitor.account("acme").await?;
            Ok(account.map_or("nobody".into(), |account| account.subject.to_string()))
        }
        async fn sign_in(visitor: Visitor) -> quadrille::Result<String> {
            let adopted = visitor.adopt("acme", "bob").await?;
            Ok(adopted.map_or("nothing".into(), |account| account.subject.to_string()))
        }
        let pages = Router::new()
            .route("/account", get(account))
            .route("/sign-in", post(sign_in))
            .route("/me", get(me))
            .route("/linked", get(linked))
            .route("/home", get(home));
        Browser::new(self.login.attach(pages).merge(self.login.logout_routes()))
    }

    /// A browser in which this user has been identified.
    async fn identified(&self, user: u64) -> Browser {
        let mut browser = self.browser();
        browser.log_in(&self.service, "/login/acme?only=identity", user).await;
        assert_ne!(browser.visit("/me").await.text, "nobody");
        browser
    }

    async fn post(&self, body: String) -> Page {
        let request =
            Request::post(BACK).header("content-type", "application/x-www-form-urlencoded");
        self.browser().send(request.body(Body::from(body)).unwrap()).await
    }

    /// A request of the provider's server with this token.
    async fn logout(&self, claims: &Value) -> Page {
        let token = self.service.logout_token("our-id", claims).unwrap();
        self.post(format!("logout_token={token}")).await
    }

    fn seen(&self) -> Vec<SessionEnded> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn described(page: &Page) -> String {
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{page:?}");
    assert_eq!(page.headers["cache-control"], "no-store");
    let value: Value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(value["error"], "invalid_request");
    value["error_description"].as_str().unwrap().to_owned()
}

/// Back-Channel Logout, sections 2.5, 2.7 and 2.8.
#[tokio::test]
async fn a_logout_of_a_session_ends_it_and_tells_the_application() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    let mut grace = world.identified(8).await;
    let page = world.logout(&json!({ "sub": "7", "sid": "session-of-ada" })).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(ada.visit("/me").await.text, "nobody");
    assert_eq!(grace.visit("/me").await.text, format!("{ISSUER}#8"));
    let seen = world.seen();
    let [event] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((&*event.service, &*event.issuer), ("acme", ISSUER));
    assert_eq!(event.sub.as_deref(), Some("7"));
    assert_eq!(event.sid.as_deref(), Some("session-of-ada"));
    assert_eq!(event.account, Some(format!("{ISSUER}#7")));
    assert_eq!(event.at, world.clock.now());
    // The next login is another session.
    world.clock.advance(Duration::from_secs(1));
    ada.log_in(&world.service, "/login/acme?only=identity", 7).await;
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
}

/// Back-Channel Logout, section 2.6: items 4 and 5.
#[tokio::test]
async fn a_session_is_named_alone_and_a_user_alone_means_all_sessions() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    assert_eq!(world.logout(&json!({ "sid": "another" })).await.status, StatusCode::OK);
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    assert_eq!(world.logout(&json!({ "sid": "session-of-ada" })).await.status, StatusCode::OK);
    assert_eq!(ada.visit("/me").await.text, "nobody");
    world.clock.advance(Duration::from_secs(1));
    let mut grace = world.identified(8).await;
    let mut other = world.identified(9).await;
    assert_eq!(world.logout(&json!({ "sub": "8" })).await.status, StatusCode::OK);
    assert_eq!(grace.visit("/me").await.text, "nobody");
    assert_eq!(other.visit("/me").await.text, format!("{ISSUER}#9"));
    // A session of a user whose token named none could be the one.
    assert_eq!(world.logout(&json!({ "sub": "9", "sid": "x" })).await.status, StatusCode::OK);
    assert_eq!(other.visit("/me").await.text, "nobody");
}

/// Back-Channel Logout, sections 2.6 and 2.8.
#[tokio::test]
async fn what_is_no_logout_token_for_us_ends_nothing() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    let ends = json!({ "sub": "7" });
    let event = "http://schemas.openid.net/event/backchannel-logout";
    for change in [
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": "another-client" }),
        json!({ "aud": ["our-id", "another-client"] }),
        json!({ "nonce": "n" }),
        json!({ "events": null }),
        json!({ "events": { "https://other.example": {} } }),
        json!({ "events": { event: "yes" } }),
        json!({ "jti": null }),
        json!({ "iat": null }),
        json!({ "exp": 1 }),
        json!({ "exp": null }),
        json!({ "sub": null }),
        json!({ "sid": 7 }),
    ] {
        let mut claims = ends.clone();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        assert_eq!(described(&world.logout(&claims).await), "logout_token_rejected", "{change}");
    }
    // The provider's own ID token, and a token of a key that it does not publish.
    let id_token = world.service.id_token("our-id", 7, "n").unwrap();
    let other = FakeService::openid(ISSUER, "our-id", SECRET);
    other.tells_time(&world.clock.env());
    other.suffers(Fault::KeysRotated);
    let forged = other.logout_token("our-id", &ends).unwrap();
    let right = world.service.logout_token("our-id", &ends).unwrap();
    let (signed, _) = right.rsplit_once('.').unwrap();
    for token in [&*id_token, &forged, "a.b.c", "", &format!("{signed}.AAAA")] {
        let page = world.post(format!("logout_token={token}")).await;
        assert_ne!(described(&page), "", "{token}");
    }
    for body in
        [String::new(), "token=x".into(), format!("logout_token={right}&logout_token={right}")]
    {
        assert_eq!(described(&world.post(body).await), "callback_malformed");
    }
    let json = Request::post(BACK).header("content-type", "application/json");
    let page = world.browser().send(json.body(Body::from("{}")).unwrap()).await;
    assert_eq!(described(&page), "callback_malformed");
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    assert_eq!(world.seen(), [], "the application hears of none");
}

/// Back-Channel Logout, section 2.6: `jti`.
#[tokio::test]
async fn a_logout_token_is_valid_once() {
    let world = World::new();
    let token = world.service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
    let body = format!("logout_token={token}");
    assert_eq!(world.post(body.clone()).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(1));
    let mut ada = world.identified(7).await;
    assert_eq!(described(&world.post(body).await), "logout_token_rejected");
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"), "the new session goes on");
    assert_eq!(world.seen().len(), 1);
}

/// Back-Channel Logout, section 2.7.
#[tokio::test]
async fn a_linked_account_that_is_a_browsers_session_ends_and_one_with_offline_access_does_not() {
    for (scopes, ends) in [("openid", true), ("openid offline_access", false)] {
        for on_the_server in [true, false] {
            let world = World::with(|_| {
                let client = Acme::client("our-id", SECRET).scopes(scopes);
                let login = Login::new(KeyRing::ephemeral(), SITE).with(client);
                match on_the_server {
                    true => login.storage(MemoryStorage::new()),
                    false => login,
                }
            });
            let mut browser = world.browser();
            browser.log_in(&world.service, "/login/acme", 7).await;
            let subject = format!("{ISSUER}#7");
            assert_eq!(browser.visit("/linked").await.text, subject);
            let page = world.logout(&json!({ "sub": "7", "sid": "session-of-ada" })).await;
            assert_eq!(page.status, StatusCode::OK, "{page:?}");
            let expected = if ends { "nobody" } else { &subject };
            assert_eq!(browser.visit("/linked").await.text, expected, "{scopes}");
            assert_eq!(browser.visit("/me").await.text, "nobody", "the identity has ended");
            let home = browser.visit("/home").await;
            assert_eq!(home.status == StatusCode::SEE_OTHER, ends, "{home:?}");
        }
    }
}

/// With tokens in a storage on the server, or in cookies.
fn stored(on_the_server: bool) -> World {
    World::with(|login| match on_the_server {
        true => login.storage(MemoryStorage::new()),
        false => login,
    })
}

/// Back-Channel Logout, section 2.7: a callback that is opened once more, with a copy of its cookie, gets
/// no answer that the process remembers of its code.
#[tokio::test]
async fn a_logout_of_the_provider_ends_what_a_copied_cookie_could_repeat() {
    for (path, on_the_server) in [
        ("/login/acme?only=identity", false),
        ("/login/acme?next=/home", false),
        ("/login/acme?next=/home", true),
    ] {
        let world = stored(on_the_server);
        let mut browser = world.browser();
        let away = browser.go(path).await.location().to_owned();
        let callback = world.service.approve(&away, 7).await.unwrap();
        let callback = callback.strip_prefix(SITE).unwrap();
        let (mut early, mut late) = (browser.clone(), browser.clone());
        browser.go(callback).await;
        early.go(callback).await;
        let who = if path.ends_with("identity") { "/me" } else { "/linked" };
        assert_ne!(early.visit(who).await.text, "nobody", "{path}: it is remembered");
        assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1, "{path}");

        world.clock.advance(Duration::from_secs(1));
        world.logout(&json!({ "sub": "7", "sid": "session-of-ada" })).await;
        let page = late.go(callback).await;
        assert!(page.has_code("token_refused"), "{path}: {page:?}");
        assert_eq!(world.service.times_asked(Purpose::RedeemCode), 2, "{path}");
        for page in ["/me", "/linked"] {
            assert_eq!(late.visit(page).await.text, "nobody", "{path}, {page}");
        }
    }
}

#[tokio::test]
async fn the_next_user_of_a_browser_gets_no_account_of_a_session_that_has_ended() {
    for on_the_server in [true, false] {
        let world = stored(on_the_server);
        let mut browser = world.browser();
        browser.log_in(&world.service, "/login/acme", 7).await;
        assert_eq!(browser.visit("/account").await.text, format!("{ISSUER}#7"));
        world.logout(&json!({ "sub": "7", "sid": "session-of-ada" })).await;
        assert_eq!(browser.visit("/account").await.text, "nobody");
        let sign_in = Request::post("/sign-in").body(Body::empty()).unwrap();
        assert_eq!(browser.send(sign_in).await.text, "nothing", "{on_the_server}");
        assert_eq!(browser.visit("/linked").await.text, "nobody");
    }
}

#[tokio::test]
async fn a_refresh_makes_no_new_session() {
    let hour = Duration::from_secs(3600);
    for on_the_server in [true, false] {
        let world = stored(on_the_server);
        world.service.change(|manners| {
            manners.lifetime = Some(hour);
            manners.refresh = Refresh::Rotating;
        });
        let mut browser = world.browser();
        browser.log_in(&world.service, "/login/acme", 7).await;
        world.clock.advance(hour);
        // A logout of which this process hears after it has refreshed the token.
        let other = World::new();
        let at = world.clock.now();
        other.clock.set(at);
        other.logout(&json!({ "sid": "session-of-ada" })).await;
        world.clock.advance(hour);
        assert_eq!(browser.visit("/home").await.text, format!("{ISSUER}#7"));
        world.login.end_by_another_process(&other.seen()[0]);
        assert_eq!(browser.visit("/linked").await.text, "nobody", "{on_the_server}");
    }
}

#[tokio::test]
async fn a_session_ends_whose_claims_found_no_room() {
    let frame = "iss=https%3A%2F%2Fid.example%2Ftenant&sid=session-of-bo";
    for (start, page) in [("/login/acme?only=identity", "/me"), ("/login/acme", "/linked")] {
        let world = World::new();
        let mut browser = world.browser();
        browser.log_in(&world.service, start, 10).await;
        assert_eq!(browser.visit(page).await.text, format!("{ISSUER}#10"));
        let told = world.browser().visit_from("cross-site", &format!("{FRONT}?{frame}")).await;
        assert_eq!(told.status, StatusCode::OK, "{told:?}");
        assert_eq!(browser.visit(page).await.text, "nobody");
    }
}

#[tokio::test]
async fn a_login_right_after_a_logout_is_another_session() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    world.clock.advance(Duration::from_millis(300));
    world.logout(&json!({ "sub": "7" })).await;
    assert_eq!(ada.visit("/me").await.text, "nobody");
    world.clock.advance(Duration::from_millis(1));
    ada.log_in(&world.service, "/login/acme?only=identity", 7).await;
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
}

#[tokio::test]
async fn an_account_of_a_user_is_the_applications_to_end() {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let clock = ManualClock::new();
    service.tells_time(&clock.env());
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Acme::client("our-id", SECRET))
        .storage(MemoryStorage::new())
        .http(service.clone())
        .env(clock.env());
    let ada = Owner::user("ada");
    service.link(&login, "acme", &ada, 7).await;
    let token = service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
    login.end_by_logout_token("acme", &token).await.unwrap();
    let jar = Jar::new(&HeaderMap::new());
    assert!(login.linked_in_request::<Acme>(&jar, &ada).await.is_ok());
}

/// Front-Channel Logout, section 3.
#[tokio::test]
async fn a_frame_ends_the_session_whose_identifier_it_has() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    let frame = async |query: &str| {
        // No cookies of ours come with a frame on a page of another site.
        world.browser().visit_from("cross-site", &format!("{FRONT}?{query}")).await
    };
    let issuer = "iss=https%3A%2F%2Fid.example%2Ftenant";
    for query in [
        "".to_owned(),
        "sid=session-of-ada".to_owned(),
        issuer.to_owned(),
        format!("{issuer}&sid="),
        "iss=https%3A%2F%2Fid.example&sid=session-of-ada".to_owned(),
        format!("{issuer}&sid=session-of-ada&sid=x"),
    ] {
        let page = frame(&query).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}: {page:?}");
    }
    assert_eq!(frame(&format!("{issuer}&sid=another")).await.status, StatusCode::OK);
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    world.seen();
    let page = frame(&format!("{issuer}&sid=session-of-ada")).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(!page.headers.contains_key("x-frame-options"), "the provider shows it in a frame");
    assert_eq!(page.headers["content-security-policy"], "default-src 'none'");
    assert_eq!(ada.visit("/me").await.text, "nobody");
    let seen = world.seen();
    assert_eq!(seen[0].sid.as_deref(), Some("session-of-ada"));
    assert_eq!((&seen[0].sub, &seen[0].account), (&None, &None), "a frame names no user");
}

#[tokio::test]
async fn another_process_ends_what_it_is_told_of() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    let other = World::new();
    other.logout(&json!({ "sub": "7", "sid": "session-of-ada" })).await;
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    let message = serde_json::to_vec(&other.seen()[0]).unwrap();
    world.login.end_by_another_process(&serde_json::from_slice(&message).unwrap());
    assert_eq!(ada.visit("/me").await.text, "nobody");
}

/// Back-Channel Logout, section 2.8.
#[tokio::test]
async fn a_hook_that_fails_is_a_logout_that_failed() {
    let world = World::with(|login| {
        login.hooks(Hooks::new(()).on_session_ended(async |_: SessionEnded| {
            Err::<(), _>(StatusCode::SERVICE_UNAVAILABLE)
        }))
    });
    assert_eq!(described(&world.logout(&json!({ "sub": "7" })).await), "not_ended");
}

#[tokio::test]
async fn a_logout_token_that_had_no_effect_may_be_sent_again() {
    for on_the_server in [true, false] {
        let fails = Arc::new(AtomicBool::new(true));
        let hook = async |_: SessionEnded, State(fails): State<Arc<AtomicBool>>| match fails
            .swap(false, Ordering::Relaxed)
        {
            true => Err(StatusCode::SERVICE_UNAVAILABLE),
            false => Ok(()),
        };
        let hooks = Hooks::new(fails.clone()).on_session_ended(hook);
        let world = World::with(|login| match on_the_server {
            true => login.storage(MemoryStorage::new()).hooks(hooks),
            false => login.hooks(hooks),
        });
        let token = world.service.logout_token("our-id", &json!({ "sub": "7" })).unwrap();
        let body = format!("logout_token={token}");
        assert_eq!(described(&world.post(body.clone()).await), "not_ended");
        assert_eq!(world.post(body.clone()).await.status, StatusCode::OK);
        assert_eq!(described(&world.post(body).await), "logout_token_rejected");
    }
}

#[tokio::test]
async fn services_without_id_tokens_and_unknown_ones_have_no_logouts() {
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET))
        .with(Google::new("our-id", SECRET))
        .http(FakeService::new("our-id", SECRET));
    for (service, code) in [("github", "not_openid"), ("nobody", "service_unknown")] {
        let error = login.end_by_logout_token(service, "a.b.c").await.unwrap_err();
        assert_eq!(error.code(), code);
        let error = login.end_by_front_channel(service, "iss=a&sid=b").await.unwrap_err();
        assert_eq!(error.code(), code);
    }
}
