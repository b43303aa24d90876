use std::time::Duration;

use axum::{Router, extract::FromRequestParts, routing::get};
use http::{StatusCode, request::Parts};
use quadrille::{
    After, Authorized, Error, GitHub, Hooks, Linked, Login, Owner, Result, Visitor,
    consumer::{Account, MemoryStorage},
    transport::Purpose,
};

use crate::support::{Browser, SECRET, World, go_in_circles, pages};

/// Who is signed in, by a cookie that this toy application believes.
struct CurrentUser(String);

#[derive(Clone)]
struct App {
    cookie: &'static str,
}

impl FromRequestParts<App> for CurrentUser {
    type Rejection = StatusCode;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, StatusCode> {
        let cookies = parts.headers.get("cookie").and_then(|value| value.to_str().ok());
        cookies
            .and_then(|cookies| {
                cookies
                    .split("; ")
                    .find_map(|pair| pair.strip_prefix(app.cookie)?.strip_prefix('='))
            })
            .map(|name| Self(name.to_owned()))
            .ok_or(StatusCode::UNAUTHORIZED)
    }
}

fn owned(world: &World) -> Login {
    world
        .login()
        .hooks(Hooks::new(App { cookie: "session" }).owner(|user: &CurrentUser| user.0.clone()))
}

fn sign_in(browser: &mut Browser, user: &str) {
    browser.cookies.insert("session".to_owned(), user.to_owned());
}

#[tokio::test]
async fn after_alice_signs_out_bob_never_sees_her_account_in_the_same_browser() {
    for in_memory in [false, true] {
        let world = World::new();
        let mut login = owned(&world);
        if in_memory {
            login = login.storage(MemoryStorage::new());
        }
        let mut browser = Browser::new(login.attach(pages()));
        sign_in(&mut browser, "alice");
        assert_eq!(browser.log_in(&world.service, "/album", 1).await.text, "You are user-1");
        sign_in(&mut browser, "bob");
        assert_eq!(browser.visit("/maybe").await.text, "nobody");
        world.wait(Duration::from_secs(60));
        assert_eq!(browser.visit("/album").await.status, StatusCode::SEE_OTHER);
        browser.cookies.remove("session");
        assert_eq!(browser.visit("/maybe").await.text, "nobody", "nor whoever is signed out");
        sign_in(&mut browser, "bob");
        assert_eq!(browser.log_in(&world.service, "/album", 2).await.text, "You are user-2");
        sign_in(&mut browser, "alice");
        // One browser has one cookie for it; a storage on the server knows both.
        let alices = if in_memory { "number 1" } else { "nobody" };
        assert_eq!(browser.visit("/maybe").await.text, alices);
    }
}

#[tokio::test]
async fn a_login_is_finished_by_whoever_began_it() {
    let world = World::new();
    let mut browser = Browser::new(owned(&world).attach(pages()));
    sign_in(&mut browser, "alice");
    let away = browser.visit("/login/github").await;
    let query = world.service.consent(away.location(), 1).unwrap();
    for other in [Some("bob"), None] {
        match other {
            Some(user) => sign_in(&mut browser, user),
            None => drop(browser.cookies.remove("session")),
        }
        let page = browser.go(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
        assert!(page.has_code("user_changed"));
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0, "her code was not burnt");
    sign_in(&mut browser, "alice");
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(page.text, "You are user-1");
}

#[tokio::test]
async fn a_login_that_nobody_began_is_nobodys_and_not_of_whoever_signed_in_since() {
    let world = World::new();
    let mut browser = Browser::new(owned(&world).attach(pages()));
    let first = browser.visit("/login/github").await.location().to_owned();
    let second = browser.visit("/login/github").await.location().to_owned();
    let query = world.service.consent(&second, 1).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(page.text, "You are user-1", "nobody began it, and nobody is signed in");
    sign_in(&mut browser, "alice");
    let query = world.service.consent(&first, 666).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
    assert!(page.has_code("user_changed"));
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1, "the code was not burnt");
}

#[tokio::test]
async fn from_signed_out_to_signed_in_only_a_hook_may_link() {
    async fn silent(_: Authorized) {}
    async fn theirs(_: Authorized, parts: http::HeaderMap) -> After {
        let _ = parts;
        After::go_on().for_owner("alice")
    }
    let world = World::new();
    let base = || owned(&world).storage(MemoryStorage::new());
    for (login, linked) in [
        (base().hooks(Hooks::new(()).on_authorized(silent)), false),
        (base().hooks(Hooks::new(()).on_authorized(theirs)), true),
    ] {
        let mut browser = Browser::new(login.attach(pages()));
        let away = browser.visit("/login/github").await.location().to_owned();
        sign_in(&mut browser, "alice");
        let query = world.service.consent(&away, 9).unwrap();
        let page = browser.go(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(page.has_code("user_changed"), !linked, "{page:?}");
        let expected = if linked { "number 9" } else { "nobody" };
        assert_eq!(browser.visit("/maybe").await.text, expected);
    }
}

#[tokio::test]
async fn the_applications_session_is_looked_at_on_our_own_origin_only() {
    let world = World::new();
    let mut browser = Browser::new(owned(&world).attach(pages()));
    sign_in(&mut browser, "alice");
    let away = browser.visit("/login/github").await;
    let query = world.service.consent(away.location(), 1).unwrap();
    // Coming from the service, the browser keeps a Strict cookie to itself.
    let session = browser.cookies.remove("session").unwrap();
    let hop = browser.visit(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(hop.status, StatusCode::OK);
    let arrival = hop.refresh().unwrap().to_owned();
    assert_eq!(arrival, format!("/login/github/arrived?{query}"));
    assert!(hop.text.contains("<a href"), "a browser that does not go on by itself has a link");
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
    sign_in(&mut browser, &session);
    assert_eq!(browser.go(&arrival).await.text, "You are user-1");
}

#[tokio::test]
async fn without_users_a_storage_on_the_server_tells_browsers_apart() {
    let world = World::new();
    let app = world.login().storage(MemoryStorage::new()).attach(pages());
    let (mut one, mut two) = (Browser::new(app.clone()), Browser::new(app));
    assert_eq!(one.log_in(&world.service, "/album", 1).await.text, "You are user-1");
    assert_eq!(two.visit("/maybe").await.text, "nobody");
    assert_eq!(two.log_in(&world.service, "/album", 2).await.text, "You are user-2");
    assert_eq!(one.visit("/maybe").await.text, "number 1");
}

#[tokio::test]
async fn a_user_may_have_several_accounts_and_the_last_one_linked_is_current() {
    let world = World::new();
    let login = owned(&world).storage(MemoryStorage::new());
    let mut browser = Browser::new(login.attach(pages()));
    sign_in(&mut browser, "alice");
    for account in [1, 2] {
        browser.log_in(&world.service, "/login/github", account).await;
        assert_eq!(browser.visit("/maybe").await.text, format!("number {account}"));
    }
    let mut accounts = login.accounts::<GitHub>().unwrap();
    let mut subjects = Vec::new();
    while let Some(github) = accounts.next().await {
        let account = github.unwrap().account();
        assert_eq!(account.owner, Owner::user("alice"));
        subjects.push(account.subject.to_string());
    }
    assert_eq!(subjects, ["1", "2"]);
    let account = |user: &str, subject: &str| Account {
        owner: Owner::user(user),
        service: "github".into(),
        subject: subject.into(),
    };
    for subject in ["1", "2"] {
        let github = login.linked::<GitHub>(&account("alice", subject)).await.unwrap();
        assert_eq!(&*github.subject(), subject);
        let error = login.linked::<GitHub>(&account("bob", subject)).await.unwrap_err();
        assert!(matches!(error, Error::NotLinked(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_hook_can_say_whose_account_it_is() {
    let world = World::new();
    async fn sign_up(new: Authorized) -> Result<After> {
        let claims = new.claims().await?.expect("GitHub says who someone is");
        let user = format!("user-of-{}", claims.subject());
        let cookie = [("set-cookie", format!("session={user}; Path=/"))];
        Ok(After::answer((cookie, axum::response::Redirect::to(new.next()))).for_owner(user))
    }
    async fn whoami(user: CurrentUser, github: Linked<GitHub>) -> String {
        format!("{} is {}", user.0, github.subject())
    }
    let app = Router::new().route("/me", get(whoami)).with_state(App { cookie: "session" });
    let login =
        owned(&world).storage(MemoryStorage::new()).hooks(Hooks::new(()).on_authorized(sign_up));
    let mut browser = Browser::new(login.attach(pages().merge(app)));
    let away = browser.visit("/login/github?next=/me").await;
    let query = world.service.consent(away.location(), 9).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(page.text, "user-of-9 is 9");
    assert_eq!(world.service.times_asked(Purpose::Identity), 1, "asked once for each login");
}

#[tokio::test]
async fn who_comes_after_somebody_in_the_same_browser_does_not_go_in_circles() {
    for hook in [false, true] {
        async fn plain(_: Authorized) {}
        let world = World::new();
        let login = owned(&world);
        let login = if hook { login.hooks(Hooks::new(()).on_authorized(plain)) } else { login };
        let mut browser = Browser::new(login.attach(pages()));
        sign_in(&mut browser, "alice");
        assert_eq!(browser.log_in(&world.service, "/album", 1).await.text, "You are user-1");
        sign_in(&mut browser, "bob");
        let page = browser.visit("/album").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "bob has just come: {page:?}");
        browser.cookies.remove("session");
        let page = browser.visit("/album").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "and so has who is nobody: {page:?}");
    }
}

#[tokio::test]
async fn circles_of_one_user_are_noticed_whether_signed_in_or_not() {
    async fn nothing_kept(_: Authorized) -> After {
        After::go_on().without_storing()
    }
    async fn for_another(_: Authorized) -> After {
        After::go_on().for_owner("somebody else")
    }
    let world = World::new();
    for user in [None, Some("alice")] {
        for login in [
            owned(&world).hooks(Hooks::new(()).on_authorized(nothing_kept)),
            owned(&world).hooks(Hooks::new(()).on_authorized(for_another)),
        ] {
            let mut browser = Browser::new(login.attach(pages()));
            if let Some(user) = user {
                sign_in(&mut browser, user);
            }
            let page = go_in_circles(&world, &mut browser, "/album").await;
            assert!(page.has_code("login_loop"), "{user:?}: {page:?}");
        }
    }
}

/// Mallory knows the identifier, for example from a browser that several people use.
#[tokio::test]
async fn a_browser_without_an_account_gets_a_new_identifier_when_it_logs_in() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let mut browser = Browser::new(login.attach(pages()));
    browser.log_in(&world.service, "/album", 1).await;
    let mut mallory = browser.clone();
    let request = http::Request::post("/login/github/logout")
        .header("sec-fetch-site", "same-origin")
        .body(axum::body::Body::empty());
    browser.send(request.unwrap()).await;
    assert_eq!(mallory.visit("/maybe").await.text, "nobody");

    assert_eq!(browser.log_in(&world.service, "/album", 7).await.text, "You are user-7");
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
    assert_eq!(mallory.visit("/maybe").await.text, "nobody");
    // With the same account, the browser keeps its identifier.
    let mut copy = browser.clone();
    browser.log_in(&world.service, "/login/github?next=/album", 7).await;
    assert_eq!(copy.visit("/maybe").await.text, "number 7");
}

/// One person has the cookie of another one's browser: from a shared computer, or since they put their
/// own there.
#[tokio::test]
async fn a_copy_of_a_cookie_has_no_account_of_the_next_user_of_the_browser() {
    async fn second(visitor: Visitor) -> Result<String> {
        let account = visitor.account("second").await?;
        Ok(account.map_or("nobody".to_owned(), |account| account.subject.to_string()))
    }
    let world = World::new();
    let login = world.login().with(GitHub::new("our-id", SECRET).named("second"));
    let login = login.storage(MemoryStorage::new());
    let mut browser = Browser::new(login.attach(pages().route("/second", get(second))));
    browser.log_in(&world.service, "/album", 7).await;
    for (login_at, user, first_has, second_has) in [
        ("/login/github?next=/album", 8, "number 8", "nobody"),
        ("/login/second?next=/album", 9, "number 8", "9"),
        ("/login/github?next=/album", 10, "number 10", "9"),
    ] {
        let mut copy = browser.clone();
        browser.log_in(&world.service, login_at, user).await;
        assert_eq!(browser.visit("/maybe").await.text, first_has, "{user}");
        assert_eq!(browser.visit("/second").await.text, second_has, "accounts move along: {user}");
        assert_eq!(copy.visit("/maybe").await.text, "nobody", "{user}");
        assert_eq!(copy.visit("/second").await.text, "nobody", "{user}");
    }
    // After a logout the account of the user before does not come up again.
    let logout =
        http::Request::post("/login/github/logout").header("sec-fetch-site", "same-origin");
    browser.send(logout.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
    assert_eq!(browser.visit("/second").await.text, "9");
}
