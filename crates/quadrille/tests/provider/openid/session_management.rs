//! Session management (OpenID Connect Session Management 1.0).

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::SET_COOKIE};
use quadrille::{
    Authentication,
    oauth2::ResponseType,
    provider::{AuthorizationServer, Logout, PageNeeded},
};

use super::{
    asking, consented, openid,
    responses::{DIRECT, NONCE, ask, old},
    world, world_of,
};
use crate::support::{Answer, Browser, World};

const COOKIE: &str = "__Host-quadrille-id-state-";
const ORIGIN: &str = "https://app.example";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// All response types are on, and session management.
async fn managed() -> World {
    let on = |server: AuthorizationServer| {
        let offered = openid().response_types(ResponseType::ALL).session_management();
        server
            .openid(offered.logout(Logout::new()))
            .send_access_tokens_in_redirects_so_that_they_can_leak()
    };
    world_of(old, on).await
}

/// The state that a browser has.
fn state_of(browser: &Browser) -> String {
    let mut states = browser.jar.iter().filter(|(name, _)| name.starts_with(COOKIE));
    let state = states.next().unwrap_or_else(|| panic!("no state: {:?}", browser.jar));
    assert!(states.next().is_none());
    state.1.clone()
}

/// Whether a session state is that of the browser, computed as the frame does it.
fn is_of(claimed: &str, world: &World, origin: &str, browser: &Browser) -> bool {
    let (hash, salt) = claimed.split_once('.').unwrap();
    assert_eq!((hash.len(), salt.len()), (64, 32), "{claimed}");
    let hashed = format!("{} {origin} {} {salt}", world.client.id, state_of(browser));
    let expected = digest(&SHA256, hashed.as_bytes());
    let expected: String = expected.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    hash == expected
}

/// The answer to a request without a page.
async fn silent(world: &World, browser: &mut Browser) -> Answer {
    world.ask(browser, &asking(world, "openid", &[("prompt", "none")])).await
}

/// Session Management, sections 2 and 3.2: in each response type and mode, for the client and the
/// origin of its redirect URI.
#[tokio::test]
async fn an_answer_has_the_state_of_the_browser_as_the_client_knows_it() {
    let world = managed().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = ask(&world, &mut browser, "code", "openid", &[]).await;
    let answer = browser.answer(&world, &page, "decision=all").await;
    let first = answer.query("session_state");
    assert!(is_of(&first, &world, ORIGIN, &browser));
    assert!(!is_of(&first, &world, "https://evil.example", &browser));
    let first_state = state_of(&browser);
    for response_type in DIRECT {
        let name = response_type.as_str();
        let answer = ask(&world, &mut browser, name, "openid", &[NONCE]).await;
        let state = answer.fragment("session_state").unwrap_or_else(|| panic!("{name}"));
        assert!(is_of(&state, &world, ORIGIN, &browser), "{name}");
        assert_ne!(state, first, "another salt");
    }
    let form = ask(&world, &mut browser, "code", "openid", &[("response_mode", "form_post")]).await;
    let (_, field) = form.text().split_once("name=\"session_state\" value=\"").unwrap();
    let (state, _) = field.split_once('"').unwrap();
    assert!(is_of(state, &world, ORIGIN, &browser));
    assert_eq!(state_of(&browser), first_state, "nothing has changed");
}

/// Session Management, section 3.1: also upon a failure, another one each time.
#[tokio::test]
async fn an_error_has_the_state_of_the_browser_too() {
    let world = managed().await;
    let mut browser = Browser::default();
    let mut states = Vec::new();
    for _ in 0..2 {
        let answer = silent(&world, &mut browser).await;
        assert_eq!(answer.query("error"), "login_required");
        states.push(answer.query("session_state"));
    }
    assert_ne!(states[0], states[1]);
    assert!(states.iter().all(|state| is_of(state, &world, ORIGIN, &browser)));
    // A sign-in is another state, and a denial has it.
    world.sign_in("ada");
    let page = world.ask(&mut browser, &asking(&world, "openid", &[])).await;
    let denied = browser.answer(&world, &page, "decision=no").await;
    assert_eq!(denied.query("error"), "access_denied");
    assert!(is_of(&denied.query("session_state"), &world, ORIGIN, &browser));
    assert!(!is_of(&states[0], &world, ORIGIN, &browser));
    // The application may need a page itself for each user.
    let request = asking(&world, "openid", &[("prompt", "none")]);
    let url = request.to_url("https://id.example/oauth/authorize").unwrap();
    let request = Request::get(url).body(Bytes::new()).unwrap();
    let request = world.server.authorize(request).await.unwrap();
    let reply = Response::<Bytes>::from(request.needs_page(PageNeeded::Other));
    assert!(Answer::of(reply).location().contains("&session_state="));
}

#[tokio::test]
async fn requests_of_others_have_no_session_state() {
    let world = managed().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &asking(&world, "photos:read", &[])).await;
    let answer = browser.answer(&world, &page, "decision=all").await;
    assert!(!answer.query("code").is_empty() && !answer.location().contains("session_state"));
    let off = self::world().await;
    let answer = consented(&off, "openid", &[]).await;
    assert!(!answer.location().contains("session_state"), "off by default: {answer:?}");
    assert!(!answer.headers().contains_key(SET_COOKIE));
    assert_eq!(off.server.browser_state_cookie(&HeaderMap::new(), None), None);
}

/// Session Management, section 3.2: the state changes with the user, and only then.
#[tokio::test]
async fn a_state_ends_with_the_session_of_the_user() {
    let world = managed().await;
    let mut browser = Browser::default();
    world.sign_in("ada");
    let page = world.ask(&mut browser, &asking(&world, "openid", &[])).await;
    let answer = browser.answer(&world, &page, "decision=all").await;
    let (ada, of_ada) = (answer.query("session_state"), state_of(&browser));
    world.sign_in("bob");
    silent(&world, &mut browser).await;
    assert!(!is_of(&ada, &world, ORIGIN, &browser), "another user has signed in");
    let bob = state_of(&browser);

    // The logout page sets another one, which is kept until the next sign-in.
    let user = world.signed_in.lock().unwrap().take().unwrap();
    let reply = Response::<Bytes>::from(world.server.sign_out(user).reply().await);
    let line = reply.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let (pair, attributes) = line.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; SameSite=None; Secure", "a script of a frame reads it");
    let (name, nobody) = pair.split_once('=').unwrap();
    assert!(nobody != of_ada && nobody != bob);
    browser.jar.insert(name.to_owned(), nobody.to_owned());
    assert_eq!(silent(&world, &mut browser).await.query("error"), "login_required");
    assert_eq!(state_of(&browser), nobody);
}

/// Such a frame gets no cookie of the session, so that nobody seems to be signed in.
#[tokio::test]
async fn the_frame_of_another_site_does_not_end_the_state_of_a_user() {
    let world = managed().await;
    let mut browser = Browser::default();
    world.sign_in("ada");
    silent(&world, &mut browser).await;
    let ada = state_of(&browser);
    world.sign_out();
    let request = asking(&world, "openid", &[("prompt", "none")]);
    let url = request.to_url("https://id.example/oauth/authorize").unwrap();
    for (destination, sets_another) in [("iframe", false), ("document", true)] {
        let cookies = browser.jar.iter().map(|(name, value)| format!("{name}={value}"));
        let request = Request::get(url.strip_prefix("https://id.example").unwrap())
            .header("cookie", cookies.collect::<Vec<_>>().join("; "))
            .header("sec-fetch-dest", destination);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        let state = answer.query("session_state");
        assert_eq!(is_of(&state, &world, ORIGIN, &browser), !sets_another, "{destination}");
        assert_eq!(answer.headers().contains_key(SET_COOKIE), sets_another, "{destination}");
    }
    assert_eq!(state_of(&browser), ada);
}

/// The application's own pages.
#[tokio::test]
async fn an_application_gets_a_cookie_when_something_has_changed() {
    let world = managed().await;
    let user = |subject: &str, session: &str| {
        let mut user = Authentication::new(subject, world.env.now());
        user.session = Some(session.into());
        user
    };
    let mut browser = HeaderMap::new();
    let mut set = |user: Option<&Authentication>| {
        let cookie = world.server.browser_state_cookie(&browser, user);
        let pair = |it: &http::HeaderValue| it.to_str().unwrap().split_once(';').unwrap().0.parse();
        if let Some(cookie) = &cookie {
            browser.insert("cookie", pair(cookie).unwrap());
        }
        cookie.is_some()
    };
    for (user, is_another) in [
        (None, true),
        (None, false),
        (Some(user("ada", "secret-of-a-cookie")), true),
        (Some(user("ada", "secret-of-a-cookie")), false),
        (Some(user("ada", "another")), true),
        (Some(user("bob", "another")), true),
        (None, true),
    ] {
        assert_eq!(set(user.as_ref()), is_another, "{user:?}");
    }
    // What no key of the server opens is replaced.
    let forged = format!("{}A", browser["cookie"].to_str().unwrap());
    browser.insert("cookie", forged.parse().unwrap());
    assert!(world.server.browser_state_cookie(&browser, None).is_some());
}

/// Session Management, section 3.3: exactly where it is on.
#[tokio::test]
async fn the_metadata_name_a_frame_that_every_site_may_show() {
    let get = |path: &str| Request::get(path.to_owned()).body(Body::empty()).unwrap();
    let off = world().await;
    assert!(off.send(get(DISCOVERY)).await.json()["check_session_iframe"].is_null());
    assert_eq!(off.send(get("/oauth/check_session")).await.status(), 404);
    let world = managed().await;
    let document = world.send(get(DISCOVERY)).await.json();
    assert_eq!(document["check_session_iframe"], "https://id.example/oauth/check_session");
    let page = world.send(get("/oauth/check_session")).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("frame-ancestors"));
    for limit in ["x-frame-options", "set-cookie", "cross-origin-resource-policy"] {
        assert!(!page.headers().contains_key(limit), "{limit}");
    }
    assert!(page.text().contains(&format!("data-cookie=\"{COOKIE}")), "{page:?}");
}
