//! Logins by an ID token that a page or an app already has.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{Router, body::Body, extract::State, routing::get};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode};
use quadrille::{
    After, Authorized, GitHub, Google, Hooks, Identity, KeyRing, Login, Owner, Result, Visitor,
    consumer::{Begin, Client, Jar, PresentedIdToken},
    form::FormWriter,
    testing::{Browser, FakeService, ManualClock, OpenIdFault as Fault, Page},
    transport::Purpose,
};
use serde_json::{Value, json};

use crate::{
    library::carry,
    support::{SECRET, SITE},
};

const ID_TOKEN: &str = "/login/google/id-token";
const NONCE: &str = "/login/google/nonce";
const PHONE: &str = "our-id-on-phones";
const TEXT: &str = "0123456789abcdef0123456789abcdef";

struct World {
    google: FakeService,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let google = FakeService::of::<Google>("our-id", SECRET);
        let clock = ManualClock::new();
        google.tells_time(&clock.env());
        Self { google, clock }
    }

    fn login(&self) -> Login {
        self.login_with(Google::new("our-id", SECRET).id_tokens_for([PHONE]))
    }

    fn login_with(&self, google: Client<Google>) -> Login {
        Login::new(KeyRing::ephemeral(), SITE)
            .with(google.accept_id_tokens())
            .http(self.google.clone())
            .env(self.clock.env())
    }

    fn token(&self, user: u64, nonce: &str) -> String {
        self.google.id_token("our-id", user, nonce).unwrap()
    }
}

fn browser(login: &Login) -> Browser {
    async fn home(visitor: Visitor) -> Result<String> {
        visitor.id_token_nonce("google", "/album").await
    }
    async fn album(me: Option<Identity<Google>>) -> String {
        me.map_or("nobody".into(), |me| {
            let email = me.claims().and_then(|claims| claims.text("email"));
            format!("{} {}", me.subject(), email.unwrap_or("?"))
        })
    }
    let app = Router::new().route("/", get(home)).route("/album", get(album));
    Browser::new(login.attach(app).merge(login.id_token_routes()))
}

async fn post(browser: &mut Browser, path: &str, headers: &[(&str, &str)], body: String) -> Page {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request.body(Body::from(body)).unwrap()).await
}

async fn script(browser: &mut Browser, path: &str, body: &Value) -> Page {
    let headers = [
        ("content-type", "application/json"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-origin"),
        ("origin", SITE),
    ];
    post(browser, path, &headers, body.to_string()).await
}

/// An app, whose requests say nothing of where they come from, and have no cookies.
async fn app(login: &Login, body: &Value) -> Page {
    let headers = [("content-type", "application/json")];
    post(&mut browser(login), ID_TOKEN, &headers, body.to_string()).await
}

fn value(page: &Page) -> Value {
    assert_eq!(page.headers["cache-control"], "no-store", "{page:?}");
    serde_json::from_str(&page.text).unwrap()
}

fn code(page: &Page) -> String {
    value(page)["error"].as_str().unwrap_or("none").to_owned()
}

async fn nonce(browser: &mut Browser) -> String {
    let handed_out = script(browser, NONCE, &json!({ "next": "/album" })).await;
    assert_eq!(handed_out.status, StatusCode::OK, "{handed_out:?}");
    let told = value(&handed_out);
    assert_eq!(told["client_id"], "our-id");
    told["nonce"].as_str().unwrap().to_owned()
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = FormWriter::new();
    for (name, value) in pairs {
        form.append(name, value);
    }
    form.finish()
}

/// The form of Google's button, from a page of Google's: of the cookies, only that of Google's own
/// script comes along.
async fn by_google(browser: &mut Browser, credential: &str, cookie: &str, field: &str) -> Page {
    let ours = std::mem::take(&mut browser.cookies);
    browser.cookies.insert("g_csrf_token".into(), cookie.into());
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://accounts.google.com"),
    ];
    let pairs = [("credential", credential), ("g_csrf_token", field), ("select_by", "btn")];
    let page = post(browser, ID_TOKEN, &headers, form(&pairs)).await;
    browser.cookies = ours;
    page
}

fn hashed(text: &str) -> [String; 2] {
    let hash = digest(&SHA256, text.as_bytes());
    let digits = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    [digits, BASE64_URL_SAFE_NO_PAD.encode(hash)]
}

#[tokio::test]
async fn the_form_of_googles_button_logs_in_the_browser_that_got_the_nonce() {
    let world = World::new();
    let mut browser = browser(&world.login());
    let nonce = browser.visit("/").await.text;
    let token = world.token(7, &nonce);
    let hop = by_google(&mut browser, &token, "twice", "twice").await;
    assert_eq!(hop.status, StatusCode::OK, "{hop:?}");
    let to = hop.refresh().expect("a page that goes on").to_owned();
    assert!(to.starts_with("/login/google/id-token?posted="), "{to}");
    assert!(!hop.text.contains(&token) && !to.contains(&token), "the token is in no history");
    let done = browser.visit(&to).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/album"), "{done:?}");
    assert_eq!(browser.visit("/album").await.text, "7 ada@example.com");
    assert_eq!(browser.visit(&to).await.location(), "/album", "a reload is harmless");
    world.clock.advance(Duration::from_secs(11));
    assert!(browser.visit(&to).await.has_code("attempt_cookie_missing"));
    assert_eq!(world.google.times_asked(Purpose::RedeemCode), 0);
    assert_eq!(world.google.times_asked(Purpose::Identity), 0, "the token says it all");
}

#[tokio::test]
async fn a_script_logs_in_by_the_token_that_the_browser_gave_it() {
    let world = World::new();
    let mut browser = browser(&world.login());
    let nonce = nonce(&mut browser).await;
    for name in ["id_token", "credential"] {
        let token = world.token(7, &nonce);
        let done = script(&mut browser, ID_TOKEN, &json!({ name: token })).await;
        if name == "credential" {
            assert_eq!(code(&done), "attempt_cookie_missing", "a nonce is valid once");
            continue;
        }
        assert_eq!(value(&done), json!({ "service": "google", "next": "/album" }));
    }
    assert_eq!(browser.visit("/album").await.text, "7 ada@example.com");
}

#[tokio::test]
async fn a_token_is_used_up_even_if_the_cookies_are_kept() {
    let world = World::new();
    let login = world.login();
    let mut browser = browser(&login);
    let nonce = nonce(&mut browser).await;
    let token = json!({ "id_token": world.token(7, &nonce) });
    let mut copy = browser.clone();
    assert_eq!(script(&mut browser, ID_TOKEN, &token).await.status, StatusCode::OK);
    let again = script(&mut copy, ID_TOKEN, &token).await;
    assert_eq!(code(&again), "attempt_cookie_missing");
    assert_eq!(copy.visit("/album").await.text, "nobody");
}

#[tokio::test]
async fn an_app_proves_by_a_text_that_it_requested_the_token() {
    let world = World::new();
    let login = world.login();
    for nonce in hashed(TEXT) {
        let token = world.google.id_token(PHONE, 7, &nonce).unwrap();
        let asked = json!({ "id_token": token, "nonce": TEXT, "next": "/album" });
        let done = app(&login, &asked).await;
        assert_eq!(value(&done), json!({ "service": "google", "next": "/album" }));
        assert!(done.headers.contains_key("set-cookie"), "the identity");
        assert_eq!(code(&app(&login, &asked).await), "attempt_cookie_missing", "once");
    }
    let [nonce, _] = hashed(TEXT);
    let token = world.google.id_token(PHONE, 8, &nonce).unwrap();
    for (text, expected) in [
        // A thief of the token alone knows the hash, and not the text.
        (json!(nonce), "id_token_rejected"),
        (json!(TEXT.to_uppercase()), "id_token_rejected"),
        (json!("0123456789abcdef01234"), "callback_malformed"),
        (json!(null), "attempt_cookie_missing"),
    ] {
        let refused = app(&login, &json!({ "id_token": token, "nonce": text })).await;
        assert_eq!(code(&refused), expected, "{text}");
    }
    let far = json!({ "id_token": token, "nonce": TEXT, "next": "https://evil.example/" });
    assert_eq!(value(&app(&login, &far).await)["next"], "/", "no other site is gone on to");
}

#[tokio::test]
async fn another_site_logs_nobody_in() {
    let world = World::new();
    let login = world.login();
    let mut victim = browser(&login);
    let mut mallory = browser(&login);
    let theirs = mallory.visit("/").await.text;
    let ours = victim.visit("/").await.text;
    let token = world.token(666, &theirs);
    // Mallory's token, and the two halves of a double submit that a sibling domain could set.
    let hop = by_google(&mut victim, &token, "twice", "twice").await;
    let page = victim.visit(hop.refresh().unwrap()).await;
    assert!(page.has_code("attempt_cookie_missing"), "{page:?}");
    // A link with the form of Mallory's own browser.
    let hop = by_google(&mut mallory, &token, "twice", "twice").await;
    let page = victim.visit(hop.refresh().unwrap()).await;
    assert!(page.has_code("attempt_cookie_missing"), "{page:?}");
    // A text, which needs no cookie, is not read from a form.
    let [hash, _] = hashed(TEXT);
    let by_text = world.token(666, &hash);
    let same_origin = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
    ];
    for name in ["nonce", "n%6fnce"] {
        let body = form(&[("id_token", &by_text)]) + "&" + name + "=" + TEXT;
        let hop = post(&mut victim, ID_TOKEN, &same_origin, body).await;
        let page = victim.visit(hop.refresh().unwrap()).await;
        assert!(page.has_code("attempt_cookie_missing"), "{page:?}");
    }
    for (cookie, field) in [("one", "other"), ("", ""), ("one", "")] {
        let page = by_google(&mut victim, &token, cookie, field).await;
        assert!(page.has_code("not_this_origin"), "{cookie} {field}: {page:?}");
    }
    let own = world.token(7, &ours);
    for headers in [
        [("content-type", "application/json"), ("sec-fetch-site", "cross-site")],
        [("content-type", "application/json"), ("sec-fetch-site", "same-site")],
        [("content-type", "application/json"), ("origin", "https://evil.example")],
        [("content-type", "text/plain"), ("sec-fetch-site", "same-origin")],
    ] {
        for (path, body) in [
            (NONCE, json!({})),
            (ID_TOKEN, json!({ "id_token": own })),
            (ID_TOKEN, json!({ "id_token": by_text, "nonce": TEXT })),
        ] {
            let page = post(&mut victim, path, &headers, body.to_string()).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?} {path}: {page:?}");
        }
    }
    // Without its double submit, a form must be of a page of this site.
    let form = form(&[("id_token", &own)]);
    let cross = [("content-type", same_origin[0].1), ("sec-fetch-site", "cross-site")];
    let page = post(&mut victim, ID_TOKEN, &cross, form.clone()).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
    assert_eq!(victim.visit("/album").await.text, "nobody");
    // Nothing of all that has used the nonce up.
    let hop = post(&mut victim, ID_TOKEN, &same_origin, form).await;
    assert_eq!(victim.visit(hop.refresh().unwrap()).await.location(), "/album");
    assert_eq!(victim.visit("/album").await.text, "7 ada-7@example.com");
}

#[tokio::test]
async fn no_fault_of_a_token_takes_the_site_in_or_uses_the_nonce_up() {
    let world = World::new();
    let mut browser = browser(&world.login());
    let nonce = nonce(&mut browser).await;
    for (fault, expected) in [
        (Fault::NonceMissing, "id_token_rejected"),
        (Fault::NonceOther, "attempt_cookie_missing"),
        (Fault::IssuerOther, "id_token_rejected"),
        (Fault::IssuerWithSlash, "id_token_rejected"),
        (Fault::AudienceOther, "id_token_rejected"),
        (Fault::AudienceShared, "id_token_rejected"),
        (Fault::AuthorizedPartyOther, "id_token_rejected"),
        (Fault::SubjectMissing, "id_token_rejected"),
        (Fault::Expired, "id_token_rejected"),
        (Fault::IssuedInFuture, "id_token_rejected"),
        (Fault::IssuedNever, "id_token_rejected"),
        (Fault::SignatureWrong, "id_token_rejected"),
        (Fault::KeyUnknown, "id_token_rejected"),
        (Fault::Unsecured, "id_token_rejected"),
        (Fault::HmacWithPublicKey, "id_token_rejected"),
    ] {
        world.google.misidentifies(fault);
        let token = world.token(7, &nonce);
        let page = script(&mut browser, ID_TOKEN, &json!({ "id_token": token })).await;
        assert_eq!(code(&page), expected, "{fault:?}: {page:?}");
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "the caller's fault: {fault:?}");
        world.google.recovers();
    }
    for body in [json!({}), json!({ "id_token": "a.b" }), json!({ "id_token": null }), json!([])] {
        let page = script(&mut browser, ID_TOKEN, &body).await;
        assert!(["callback_malformed", "id_token_rejected"].contains(&&*code(&page)), "{page:?}");
    }
    let token = world.token(7, &nonce);
    let page = script(&mut browser, ID_TOKEN, &json!({ "id_token": token })).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
}

#[tokio::test]
async fn a_nonce_lasts_an_hour() {
    let world = World::new();
    let mut browser = browser(&world.login());
    let nonce = nonce(&mut browser).await;
    world.clock.advance(Duration::from_secs(3601));
    let token = world.token(7, &nonce);
    let late = script(&mut browser, ID_TOKEN, &json!({ "id_token": token })).await;
    assert_eq!(code(&late), "attempt_expired");
}

#[tokio::test]
async fn another_client_of_the_application_logs_in_only_if_it_is_named_and_never_in_a_dance() {
    let world = World::new();
    let [nonce, _] = hashed(TEXT);
    let token = world.google.id_token("another-client", 7, &nonce).unwrap();
    let asked = json!({ "id_token": token, "nonce": TEXT });
    let usual = world.login();
    assert_eq!(code(&app(&usual, &asked).await), "id_token_rejected");
    let google = Google::new("our-id", SECRET).id_tokens_for(["another-client"]);
    let login = world.login_with(google);
    assert_eq!(app(&login, &asked).await.status, StatusCode::OK);
    world.google.misidentifies(Fault::AudienceOther);
    let mut browser = browser(&login);
    let page = browser.log_in(&world.google, "/login/google", 7).await;
    assert!(page.has_code("id_token_rejected"), "{page:?}");
    for name in ["", "a\nb"] {
        let google = Google::new("our-id", SECRET).id_tokens_for([name.to_owned()]);
        let error = world.login_with(google).check().unwrap_err();
        assert_eq!(error.code(), "client_id_malformed");
    }
}

type Seen = Arc<Mutex<Vec<String>>>;

#[tokio::test]
async fn hooks_run_as_after_a_redirect() {
    struct Me(u64);
    impl<St: Send + Sync> axum::extract::FromRequestParts<St> for Me {
        type Rejection = StatusCode;
        async fn from_request_parts(
            parts: &mut http::request::Parts,
            _: &St,
        ) -> std::result::Result<Self, StatusCode> {
            let cookies = parts.headers.get_all("cookie").iter();
            let is = cookies.filter_map(|cookies| cookies.to_str().ok());
            match is.flat_map(|is| is.split("; ")).find_map(|one| one.strip_prefix("me=")) {
                Some(id) => Ok(Self(id.parse().unwrap())),
                None => Err(StatusCode::UNAUTHORIZED),
            }
        }
    }
    async fn arrived(new: Authorized, State(seen): State<Seen>) -> Result<After> {
        let claims = new.claims().await?.unwrap();
        let email = claims.text("email").unwrap_or("?").to_owned();
        let selected = new.callback_parameter("select_by").unwrap_or("?").to_owned();
        assert_eq!(new.callback_parameter("credential"), None);
        // There is no token to call the API with.
        let called = new.get::<Value>("oauth2/v3/userinfo").await.unwrap_err();
        seen.lock().unwrap().push(format!("{email} {selected} {}", called.code()));
        Ok(After::go_on().for_owner(44))
    }
    let (world, seen) = (World::new(), Seen::default());
    let hooks = Hooks::new(seen.clone()).owner(|me: &Me| me.0).on_authorized(arrived);
    let login = world.login().hooks(hooks);
    let mut browser = browser(&login);
    let page = browser.visit("/").await.text;
    let token = world.token(7, &page);
    let hop = by_google(&mut browser, &token, "twice", "twice").await;
    let done = browser.visit(hop.refresh().unwrap()).await;
    assert_eq!(done.location(), "/album", "{done:?}");
    assert_eq!(*seen.lock().unwrap(), ["ada@example.com btn call_malformed"]);
    assert_eq!(world.google.times_asked(Purpose::Api), 0);
    assert_eq!(browser.visit("/album").await.text, "nobody");
    browser.cookies.insert("me".into(), "44".into());
    assert_eq!(browser.visit("/album").await.text, "7 ada@example.com");
    // A nonce for one user finishes no login of another, and is not used up by that.
    let nonce = nonce(&mut browser).await;
    browser.cookies.insert("me".into(), "45".into());
    let asked = json!({ "id_token": world.token(7, &nonce) });
    assert_eq!(code(&script(&mut browser, ID_TOKEN, &asked).await), "user_changed");
    browser.cookies.insert("me".into(), "44".into());
    assert_eq!(script(&mut browser, ID_TOKEN, &asked).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_the_site_requires_of_accounts_holds_for_presented_tokens() {
    let world = World::new();
    let google = Google::new("our-id", SECRET).hosted_domain("example.com");
    let login = world.login_with(google);
    let mut browser = browser(&login);
    let nonce = nonce(&mut browser).await;
    let token = world.token(7, &nonce);
    let page = script(&mut browser, ID_TOKEN, &json!({ "id_token": token })).await;
    assert_eq!(code(&page), "account_not_allowed");
}

#[tokio::test]
async fn a_service_without_id_tokens_says_so() {
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET))
        .http(FakeService::new("our-id", SECRET));
    let mut browser = browser(&login);
    let page = script(&mut browser, "/login/github/nonce", &json!({})).await;
    assert_eq!(code(&page), "not_openid");
    let asked = json!({ "id_token": "a.b.c", "nonce": TEXT });
    assert_eq!(code(&script(&mut browser, "/login/github/id-token", &asked).await), "not_openid");
    let page = script(&mut browser, "/login/nobody/nonce", &json!({})).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_program_without_axum_does_the_same() {
    let world = World::new();
    let login = world.login();
    let jar = Jar::new(&HeaderMap::new());
    let begin = Begin::new("google").next("/album").data(json!({ "coupon": 7 }));
    let nonce = login.id_token_nonce(&jar, &begin).await.unwrap();
    let cookies = carry(&jar);
    let token = world.token(7, &nonce);
    let presented = PresentedIdToken::new(&token);
    let finish = async |jar: Jar| {
        login.finish_with_id_token(&jar, "google", &presented, &Owner::NOBODY).await
    };
    let missing = finish(Jar::new(&HeaderMap::new())).await.unwrap_err();
    assert_eq!(missing.code(), "attempt_cookie_missing");
    let done = finish(Jar::new(&cookies)).await.unwrap();
    assert_eq!((&*done.account.subject, &*done.next), ("7", "/album"));
    assert_eq!(done.data, Some(json!({ "coupon": 7 })));
}

#[test]
fn no_token_and_no_text_reaches_a_log() {
    let log = crate::canary::logged(async {
        let world = World::new();
        let mut browser = browser(&world.login());
        let nonce = nonce(&mut browser).await;
        let [hash, _] = hashed("canary-canary-canary-canary");
        for body in [
            json!({ "id_token": world.token(7, &nonce), "canary": "canary" }),
            json!({ "id_token": world.token(7, &hash), "nonce": "canary-canary-canary-canary" }),
            json!({ "id_token": "canary.canary.canary" }),
        ] {
            script(&mut browser, ID_TOKEN, &body).await;
        }
    });
    assert!(log.contains("id_token_rejected") && !log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_sign_in_that_is_too_old_for_the_site_is_none() {
    let world = World::new();
    let client = Google::new("our-id", SECRET).parameter("max_age", "60");
    let mut browser = browser(&world.login_with(client));
    for (fault, expected) in [(Some(Fault::AuthTimeMissing), "id_token_rejected"), (None, "")] {
        let nonce = nonce(&mut browser).await;
        if let Some(fault) = fault {
            world.google.misidentifies(fault);
        }
        let token = world.token(7, &nonce);
        let page = script(&mut browser, ID_TOKEN, &json!({ "id_token": token })).await;
        match expected {
            "" => assert_eq!(page.status, StatusCode::OK, "{page:?}"),
            expected => assert_eq!(code(&page), expected, "{page:?}"),
        }
        world.google.recovers();
    }
}
