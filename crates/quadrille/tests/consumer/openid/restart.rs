//! What a site remembers of logouts outlives a process, and reaches the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode};
use quadrille::{
    Identity, KeyRing, Login, Owner, Result, Service, Spec,
    consumer::{
        Account, Begin, Change, Context, CookieStorage, Jar, MemoryStorage, PresentedIdToken,
        Replaced, StorageError, Stored, Token, TokenStorage,
    },
    testing::{Browser, FakeService, ManualClock, Page},
};
use serde_json::json;

use super::{ISSUER, with_other_signature};
use crate::{
    library::carry,
    support::{SECRET, SITE},
};

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).build();
}

/// A storage on a server, whose lists fail on demand.
#[derive(Default)]
struct Shared {
    memory: MemoryStorage,
    is_down: AtomicBool,
}

impl TokenStorage for Shared {
    fn is_durable(&self) -> bool {
        false
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        self.memory.link(cx, account, token).await
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        self.memory.load(cx, owner, service, subject).await
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        self.memory.replace(cx, seen, change).await
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        self.memory.unlink(cx, account).await
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(StorageError::Unavailable.into()),
            false => self.memory.accounts(cx, service, after, limit).await,
        }
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        self.memory.lease(cx, account, holder, lease).await
    }
}

/// A site whose processes share a storage.
struct World {
    service: FakeService,
    clock: ManualClock,
    storage: Arc<Shared>,
    keys: KeyRing,
}

impl World {
    fn new() -> Self {
        let service = FakeService::openid(ISSUER, "our-id", SECRET)
            .user(json!({ "sub": "7", "sid": "session-of-ada" }))
            .user(json!({ "sub": "8", "sid": "session-of-grace" }));
        let clock = ManualClock::new();
        service.tells_time(&clock.env());
        let keys = KeyRing::new([&[7; 32]]).unwrap();
        Self { service, clock, storage: Arc::default(), keys }
    }

    /// A process of the site, which has just started.
    fn starts(&self) -> Login {
        Login::new(self.keys.clone(), SITE)
            .with(Acme::client("our-id", SECRET).accept_id_tokens())
            .storage(Arc::clone(&self.storage))
            .http(self.service.clone())
            .env(self.clock.env())
    }

    /// A browser in which this user has been identified.
    async fn identified(&self, user: u64) -> Browser {
        let mut browser = Browser::new(app(&self.starts()));
        browser.log_in(&self.service, "/login/acme?only=identity", user).await;
        browser
    }

    fn logout_token(&self, user: u64) -> String {
        let claims = json!({ "sub": user.to_string() });
        self.service.logout_token("our-id", &claims).unwrap()
    }
}

fn app(login: &Login) -> Router {
    async fn me(me: Option<Identity<Acme>>) -> String {
        me.map_or("nobody".into(), |me| me.subject().to_owned())
    }
    login.attach(Router::new().route("/me", get(me))).merge(login.logout_routes())
}

async fn post(login: &Login, token: &str) -> Page {
    let request = Request::post("/login/acme/backchannel-logout")
        .header("content-type", "application/x-www-form-urlencoded");
    let body = Body::from(format!("logout_token={token}"));
    Browser::new(app(login)).send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_logout_reaches_other_processes_within_seconds_and_those_that_start_later() {
    let world = World::new();
    let (here, elsewhere) = (world.starts(), world.starts());
    let mut ada = world.identified(7).await;
    let mut grace = world.identified(8).await;
    for browser in [&mut ada, &mut grace] {
        browser.app = app(&elsewhere);
        assert_ne!(browser.visit("/me").await.text, "nobody");
    }
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(post(&here, &world.logout_token(7)).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(ada.clone().visit("/me").await.text, "nobody");
    for process in [world.starts(), elsewhere, here] {
        (ada.app, grace.app) = (app(&process), app(&process));
        assert_eq!(ada.clone().visit("/me").await.text, "nobody");
        assert_eq!(grace.visit("/me").await.text, format!("{ISSUER}#8"));
    }
}

#[tokio::test]
async fn a_frame_in_a_browser_ends_the_session_for_all_processes() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    let frame = "/login/acme/frontchannel-logout?iss=https%3A%2F%2Fid.example%2Ftenant";
    let query = format!("{frame}&sid=session-of-ada");
    let page = Browser::new(app(&world.starts())).visit_from("cross-site", &query).await;
    assert_eq!(page.status, StatusCode::OK);
    ada.app = app(&world.starts());
    assert_eq!(ada.visit("/me").await.text, "nobody");
}

#[tokio::test]
async fn a_frame_that_is_only_asked_for_its_headers_ends_nothing() {
    let world = World::new();
    let login = world.starts();
    let mut ada = world.identified(7).await;
    ada.app = app(&login);
    let frame = "/login/acme/frontchannel-logout?iss=https%3A%2F%2Fid.example%2Ftenant";
    let request = Request::head(format!("{frame}&sid=session-of-ada"));
    let page = Browser::new(app(&login)).send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
}

#[tokio::test]
async fn a_token_that_was_used_at_one_process_is_of_no_use_at_another() {
    let world = World::new();
    let token = world.logout_token(7);
    assert_eq!(post(&world.starts(), &token).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(1));
    let page = post(&world.starts(), &token).await;
    assert!(page.text.contains("logout_token_rejected"), "{page:?}");
    assert_eq!(post(&world.starts(), &world.logout_token(7)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn both_forms_of_a_signature_are_one_logout_token() {
    let world = World::new();
    for first_is_other in [false, true] {
        let token = world.logout_token(7);
        let (mut one, mut two) = (token.clone(), with_other_signature(&token));
        assert_ne!(one, two);
        if first_is_other {
            std::mem::swap(&mut one, &mut two);
        }
        assert_eq!(post(&world.starts(), &one).await.status, StatusCode::OK, "it is valid");
        let page = post(&world.starts(), &two).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.text.contains("logout_token_rejected"), "{page:?}");
    }
}

#[tokio::test]
async fn both_forms_of_a_signature_are_one_id_token() {
    let world = World::new();
    let text = "a-text-of-an-app-of-22-characters";
    for first_is_other in [false, true] {
        let token = world.service.id_token("our-id", 7, &hashed(text)).unwrap();
        let mut forms = [token.clone(), with_other_signature(&token)];
        if first_is_other {
            // Another token, whose second form comes first.
            world.clock.advance(Duration::from_secs(1));
            let next = world.service.id_token("our-id", 7, &hashed(text)).unwrap();
            forms = [with_other_signature(&next), next];
        }
        let mut codes = Vec::new();
        for token in &forms {
            let presented = PresentedIdToken::new(token).with_text_of_the_app(text);
            let (login, jar) = (world.starts(), Jar::new(&HeaderMap::new()));
            let done = login.finish_with_id_token(&jar, "acme", &presented, &Owner::NOBODY).await;
            codes.push(done.map(drop).map_err(|error| error.code()));
        }
        assert_eq!(codes, [Ok(()), Err("attempt_cookie_missing")]);
    }
}

/// The `nonce` of an app that chose this text.
fn hashed(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_id_token_logs_in_once_at_all_processes() {
    let world = World::new();
    let mut outcomes = Vec::new();
    let text = "a-text-of-an-app-of-22-characters";
    let token = world.service.id_token("our-id", 7, &hashed(text)).unwrap();
    for _ in 0..2 {
        let presented = PresentedIdToken::new(&token).with_text_of_the_app(text);
        let jar = Jar::new(&HeaderMap::new());
        let login = world.starts();
        let done = login.finish_with_id_token(&jar, "acme", &presented, &Owner::NOBODY).await;
        outcomes.push(done.map(|done| done.account.subject.to_string()).map_err(|e| e.code()));
    }
    let subject = format!("{ISSUER}#7");
    assert_eq!(outcomes, [Ok(subject), Err("attempt_cookie_missing")]);
}

#[tokio::test]
async fn a_storage_that_is_down_hides_no_logout_from_a_process_that_starts() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    let running = world.starts();
    ada.app = app(&running);
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    world.storage.is_down.store(true, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"), "by what it knows");
    ada.app = app(&world.starts());
    assert_eq!(ada.visit("/me").await.status, StatusCode::SERVICE_UNAVAILABLE);
    world.storage.is_down.store(false, Ordering::SeqCst);
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
}

#[tokio::test]
async fn a_process_that_receives_no_logouts_reads_no_records() {
    let world = World::new();
    let mut ada = world.identified(7).await;
    let deaf = world.starts();
    async fn me(me: Option<Identity<Acme>>) -> String {
        me.map_or("nobody".into(), |me| me.subject().to_owned())
    }
    ada.app = deaf.attach(Router::new().route("/me", get(me)));
    world.storage.is_down.store(true, Ordering::SeqCst);
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    world.storage.is_down.store(false, Ordering::SeqCst);
    assert_eq!(post(&world.starts(), &world.logout_token(7)).await.status, StatusCode::OK);
    assert_eq!(ada.visit("/me").await.text, format!("{ISSUER}#7"));
    let hears = world.starts().receives_logouts();
    ada.app = hears.attach(Router::new().route("/me", get(me)));
    assert_eq!(ada.visit("/me").await.text, "nobody");
}

#[tokio::test]
async fn where_browsers_store_the_tokens_each_process_remembers_for_itself() {
    let world = World::new();
    let login = || world.starts().storage(CookieStorage);
    let token = world.logout_token(7);
    let (here, elsewhere) = (login(), login());
    assert_eq!(post(&here, &token).await.status, StatusCode::OK);
    assert_eq!(post(&here, &token).await.status, StatusCode::BAD_REQUEST);
    let (jar, begin) = (Jar::new(&HeaderMap::new()), Begin::new("acme"));
    elsewhere.begin(&jar, &begin).await.unwrap();
    assert!(!carry(&jar).is_empty());
    let event = elsewhere.end_by_logout_token("acme", &token).await.unwrap();
    here.end_by_another_process(&event);
}
