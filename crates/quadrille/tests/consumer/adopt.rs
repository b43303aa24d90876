//! Accounts that a browser has, for the user who signs in with it.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{FromRequestParts, Path},
    routing::post,
};
use http::{Request, StatusCode, request::Parts};
use quadrille::{
    GitHub, Hooks, KeyRing, Login, Owner, Visitor,
    consumer::{Account, CookieStorage, FileStorage, MemoryStorage, TokenStorage},
    transport::Purpose,
};
use tempfile::TempDir;

use crate::support::{Browser, Page, World, pages};

const HOUR: Duration = Duration::from_secs(3600);

/// Who is signed in, by a cookie that this toy application believes.
struct CurrentUser(String);

impl<St: Sync> FromRequestParts<St> for CurrentUser {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Self, StatusCode> {
        let cookies = parts.headers.get("cookie").and_then(|value| value.to_str().ok());
        let user = cookies.and_then(|all| all.split("; ").find_map(|c| c.strip_prefix("user=")));
        user.map(|user| Self(user.to_owned())).ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// Signs nobody in with the name `-`.
async fn sign_in(Path(user): Path<String>, visitor: Visitor) -> quadrille::Result<String> {
    let owner = Some(user).filter(|user| user != "-");
    let adopted = visitor.adopt("github", owner).await?;
    Ok(adopted.map_or("nothing".to_owned(), |account| format!("{:?}", account.owner)))
}

fn login(world: &World, storage: impl TokenStorage) -> Login {
    world
        .login_with(KeyRing::new([&[1; 32]]).unwrap())
        .storage(storage)
        .hooks(Hooks::new(()).owner(|user: &CurrentUser| user.0.clone()))
}

fn app(login: &Login) -> Router {
    login.attach(pages().route("/sign-in/{user}", post(sign_in)))
}

fn file() -> (FileStorage, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (FileStorage::open(folder.path().join("tokens")).unwrap(), folder)
}

/// Tells the application who signs in, and comes back with the session.
async fn signs_in(browser: &mut Browser, user: &str) -> Page {
    let page = browser
        .send(Request::post(format!("/sign-in/{user}")).body(axum::body::Body::empty()).unwrap())
        .await;
    browser.cookies.insert("user".to_owned(), user.to_owned());
    page
}

fn has_token(browser: &Browser) -> bool {
    browser.cookies.keys().any(|name| name.contains("token"))
}

#[tokio::test]
async fn what_lies_in_a_cookie_moves_to_the_storage_at_sign_in() {
    // A visitor, who signs in later, and a user of an application that had no storage before.
    for before in [None, Some("alice")] {
        let world = World::new();
        let mut browser = Browser::new(app(&login(&world, CookieStorage)));
        if let Some(user) = before {
            browser.cookies.insert("user".to_owned(), user.to_owned());
        }
        browser.log_in(&world.service, "/album", 7).await;
        assert!(has_token(&browser));

        let (storage, _folder) = file();
        let login = login(&world, storage.clone());
        browser.app = app(&login);
        assert_eq!(browser.visit("/maybe").await.text, "nobody");
        assert_eq!(signs_in(&mut browser, "alice").await.text, "Owner(\"u:alice\")");
        assert!(!has_token(&browser));
        assert_eq!(browser.visit("/album").await.text, "You are user-7");
        assert_eq!(signs_in(&mut browser, "alice").await.text, "nothing", "a second time");
        let cx = login.storage_context().unwrap();
        let all = storage.accounts(&cx, "github", None, 10).await.unwrap();
        assert_eq!(all.len(), 1);
        // Nobody has it without her.
        browser.cookies.remove("user");
        assert_eq!(browser.visit("/maybe").await.text, "nobody");
    }
}

#[tokio::test]
async fn another_users_cookie_is_not_taken_and_stays() {
    let world = World::new();
    let mut browser = Browser::new(app(&login(&world, CookieStorage)));
    browser.cookies.insert("user".to_owned(), "alice".to_owned());
    browser.log_in(&world.service, "/album", 7).await;
    let (storage, _folder) = file();
    browser.app = app(&login(&world, storage));
    for other in ["bob", "-", "Alice", "alice%20"] {
        browser.cookies.remove("user");
        assert_eq!(signs_in(&mut browser, other).await.text, "nothing", "{other}");
        assert_eq!(browser.visit("/maybe").await.text, "nobody", "{other}");
        assert!(has_token(&browser), "{other}");
    }
    browser.cookies.remove("user");
    assert_eq!(signs_in(&mut browser, "alice").await.text, "Owner(\"u:alice\")");
}

#[tokio::test]
async fn accounts_of_a_browser_move_to_its_user() {
    let world = World::new();
    let login = login(&world, MemoryStorage::new());
    let mut browser = Browser::new(app(&login));
    browser.log_in(&world.service, "/album", 7).await;
    browser.log_in(&world.service, "/login/github?next=/album", 8).await;
    assert_eq!(browser.visit("/maybe").await.text, "number 8");
    let mut other = Browser::new(app(&login));
    assert_eq!(signs_in(&mut other, "mallory").await.text, "nothing", "in another browser");

    assert_eq!(signs_in(&mut browser, "-").await.text, "nothing", "nobody is signed in");
    browser.cookies.remove("user");
    assert_eq!(browser.visit("/maybe").await.text, "number 8");
    assert_eq!(signs_in(&mut browser, "alice").await.text, "Owner(\"u:alice\")");
    assert_eq!(browser.visit("/maybe").await.text, "number 8", "still the one linked last");
    // The second account has taken the place of the first, which may be another person's.
    for (number, is_linked) in [(7, false), (8, true)] {
        let (service, subject) = ("github".into(), number.to_string().into());
        let account = Account { owner: Owner::user("alice"), service, subject };
        assert_eq!(login.linked_by_name(&account).await.is_ok(), is_linked, "{number}");
    }
    browser.cookies.remove("user");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
}

#[tokio::test]
async fn a_storage_that_cannot_be_written_loses_nothing() {
    let world = World::new();
    let mut browser = Browser::new(app(&login(&world, CookieStorage)));
    browser.log_in(&world.service, "/album", 7).await;
    let (storage, folder) = file();
    browser.app = app(&login(&world, storage));
    let (path, elsewhere) = (folder.path().join("tokens"), folder.path().join("elsewhere"));
    std::fs::rename(&path, &elsewhere).unwrap();
    let page = signs_in(&mut browser, "alice").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(has_token(&browser));
    std::fs::rename(&elsewhere, &path).unwrap();
    browser.cookies.remove("user");
    assert_eq!(signs_in(&mut browser, "alice").await.text, "Owner(\"u:alice\")");
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
}

#[tokio::test]
async fn an_old_cookie_undoes_no_refresh() {
    let world = World::new();
    world.service.change(|its| its.expire(HOUR, true));
    let mut browser = Browser::new(app(&login(&world, CookieStorage)));
    browser.log_in(&world.service, "/album", 7).await;
    let before = browser.cookies.clone();
    let (storage, _folder) = file();
    browser.app = app(&login(&world, storage));
    signs_in(&mut browser, "alice").await;
    world.wait(HOUR);
    world.service.ends_access_tokens();
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    // The response that removed the cookie was lost.
    browser.cookies = before;
    assert_eq!(signs_in(&mut browser, "alice").await.text, "Owner(\"u:alice\")");
    assert!(!has_token(&browser));
    world.wait(HOUR);
    world.service.ends_access_tokens();
    assert_eq!(browser.visit("/album").await.text, "You are user-7", "by the token of the refresh");
}

#[tokio::test]
async fn with_cookies_alone_the_token_is_sealed_for_the_user() {
    let world = World::new();
    let mut browser = Browser::new(app(&login(&world, CookieStorage)));
    browser.log_in(&world.service, "/album", 7).await;
    assert_eq!(signs_in(&mut browser, "alice").await.text, "Owner(\"u:alice\")");
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
    browser.cookies.remove("user");
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
}

/// Otherwise a site that signs its visitors in here, as a user of its own, gets their tokens.
#[tokio::test]
async fn a_sign_in_that_another_site_sent_gives_no_account_away() {
    let world = World::new();
    let in_cookies = login(&world, CookieStorage);
    let on_the_server = login(&world, MemoryStorage::new());
    for before in [&in_cookies, &on_the_server] {
        let mut browser = Browser::new(app(before));
        browser.log_in(&world.service, "/album", 7).await;
        browser.app = app(&on_the_server);
        let send = async |browser: &mut Browser, name: &str, value: &str| {
            let request = Request::post("/sign-in/mallory").header("accept", "text/html");
            let request = request.header(name, value).body(axum::body::Body::empty());
            browser.send(request.unwrap()).await
        };
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            // A link in an e-mail, which signs in as its sender.
            ("sec-fetch-site", "none"),
            ("origin", "https://www.app.example"),
            ("origin", "null"),
            ("referer", "https://evil.example/"),
        ] {
            let page = send(&mut browser, name, value).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{name}: {value}: {page:?}");
            assert!(page.has_code("not_this_origin"), "{page:?}");
        }
        let owner = Owner::user("mallory");
        assert!(on_the_server.linked_of_owner::<GitHub>(&owner).await.is_err());
        let page = send(&mut browser, "sec-fetch-site", "same-origin").await;
        assert_eq!(page.text, "Owner(\"u:mallory\")", "nothing was lost");
        on_the_server
            .log_out(&Account { owner, service: "github".into(), subject: "7".into() })
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_from_before_the_clock_was_set_back_delays_a_sign_in_and_refuses_none() {
    let world = World::new();
    let storage = Arc::new(MemoryStorage::new());
    let login = login(&world, Arc::clone(&storage));
    let mut browser = Browser::new(app(&login));
    browser.log_in(&world.service, "/album", 7).await;
    let alice =
        Account { owner: Owner::user("alice"), service: "github".into(), subject: "7".into() };
    let cx = login.storage_context().unwrap();
    assert!(storage.lease(&cx, &alice, 1, Duration::from_secs(15)).await.unwrap());
    world.clock.set(world.clock.now() - HOUR);
    assert_eq!(signs_in(&mut browser, "alice").await.text, "Owner(\"u:alice\")");
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
}
