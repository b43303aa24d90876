use axum::{Router, extract::State, routing::get};
use http::{HeaderMap, StatusCode};
use quadrille::{
    After, Authorized, Error, Failed, Hooks, Identity, KeyRing, Linked, Login, Owner, SpecBuf,
    Visitor,
    consumer::{Begin, BrowserError, Jar, MemoryStorage, NullStorage, Token},
    scopes,
    transport::Purpose,
};
use std::sync::{Arc, Mutex};
use url::Url;

use super::{Library, World, client, come_back, leave, log_in, pages};
use crate::support::{Browser, SECRET, SITE};

#[tokio::test]
async fn a_visitor_is_sent_to_log_in_and_comes_back_to_the_page_they_wanted() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let page = browser.visit("/album?page=2&q=a+b").await;
    assert_eq!(page.location(), "/login/library?next=%2Falbum%3Fpage%3D2%26q%3Da%2Bb");

    let url = Url::parse(&leave(&mut browser, "/album?page=2&q=a+b").await).unwrap();
    assert_eq!((url.host_str(), url.path()), (Some("library.example"), "/oauth/authorize"));
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["oauth_token"], "nothing else is the service's business");
    let callback = world.service.callback(url.as_str());
    let exactly = format!("{SITE}/login/library/authorized");
    assert_eq!(callback, Some(exactly), "what a service compares with a registered one");

    let query = world.service.consent(url.as_str(), 7).unwrap();
    let back = come_back(&mut browser, &query).await;
    assert_eq!(back.refresh(), Some("/album?page=2&q=a+b"), "the way back begins on our origin");
    let page = browser.go(back.refresh().unwrap()).await;
    assert_eq!((page.status, &*page.text), (StatusCode::OK, "You are user-7"));
    let asked: Vec<_> = world.service.asked().iter().map(|asked| asked.purpose).collect();
    assert_eq!(
        asked,
        [Purpose::TemporaryCredentials, Purpose::RedeemCode, Purpose::Identity, Purpose::Api]
    );
}

#[tokio::test]
async fn every_storage_keeps_the_secret_with_the_token() {
    let world = World::new();
    for storage in ["cookies", "memory"] {
        let login = world.login();
        let login = if storage == "memory" { login.storage(MemoryStorage::new()) } else { login };
        let mut browser = Browser::new(login.attach(pages()));
        assert_eq!(log_in(&world, &mut browser, "/album", 7).await.text, "You are user-7");
        assert_eq!(browser.visit("/maybe").await.text, "number 7", "{storage}");
        assert_eq!(browser.visit("/").await.text, "You are user-7", "{storage}");
    }
    let mut browser = Browser::new(world.login().storage(NullStorage).attach(pages()));
    for _ in 1..=2 {
        log_in(&world, &mut browser, "/album", 7).await;
    }
    let page = log_in(&world, &mut browser, "/album", 7).await;
    assert!(page.has_code("login_loop"), "nothing is kept: {page:?}");
}

#[tokio::test]
async fn a_token_from_elsewhere_can_be_given_to_everyone() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let jar = Jar::new(&HeaderMap::new());
    let url = login.begin(&jar, &Begin::new("library").owner(&Owner::user(1))).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    let headers = crate::library::carry(&jar);
    let done = login.finish(&Jar::new(&headers), "library", &query, &Owner::user(1)).await.unwrap();
    let library = login.linked::<Library>(&done.account).await.unwrap();
    let (token, secret) =
        (library.access_token().await.unwrap(), library.token_secret().await.unwrap());
    let token = Token::new(token).token_secret(secret.expect("OAuth 1 has one"));
    let storage = MemoryStorage::everyone_has("library", token.clone());
    let mut browser = Browser::new(world.login().storage(storage).attach(pages()));
    assert_eq!(browser.visit("/").await.text, "You are user-7");

    let asked = world.service.asked().len();
    let storage = MemoryStorage::everyone_has("library", Token::new(token.access_token));
    let mut browser = Browser::new(world.login().storage(storage).attach(pages()));
    let page = browser.visit("/").await;
    assert!(page.has_code("token_secret_missing"), "nothing to sign with: {page:?}");
    assert_eq!(world.service.asked().len(), asked, "nothing is sent without a signature");
}

#[tokio::test]
async fn who_a_visitor_is_can_be_known_without_keeping_a_token() {
    async fn who(me: Identity<Library>) -> String {
        format!("number {}", me.subject())
    }
    let world = World::new();
    let routes = pages().route("/who", get(who));
    let mut browser = Browser::new(world.login().attach(routes));
    assert_eq!(log_in(&world, &mut browser, "/who", 7).await.text, "number 7");
    assert_eq!(browser.visit("/maybe").await.text, "nobody", "no token was kept");
}

scopes! {
    Photos = "photos:read", "See photos";
    Letters = "letters", "Read letters";
}

#[tokio::test]
async fn scopes_are_asked_for_in_what_is_signed() {
    async fn photos(library: Linked<Library, Photos>) -> String {
        format!("{} with {}", library.subject(), library.scopes())
    }
    async fn both(library: Linked<Library, (Photos, Letters)>) -> String {
        library.scopes().to_string()
    }
    let world = World::new();
    let routes = Router::new().route("/photos", get(photos)).route("/both", get(both));
    let mut browser = Browser::new(world.login().attach(routes));
    let page = log_in(&world, &mut browser, "/photos", 7).await;
    assert_eq!(page.text, "7 with photos:read");
    let asked = |index: usize| {
        let request = world.service.asked()[index].request.clone();
        let header = request.headers()["authorization"].to_str().unwrap().to_owned();
        (header, String::from_utf8(request.body().to_vec()).unwrap())
    };
    assert_eq!(asked(0).1, "scope=photos%3Aread");
    assert!(!asked(0).0.contains("realm"), "{}", asked(0).0);
    assert_eq!(asked(1).1, "");
    world.wait(std::time::Duration::from_secs(60));
    let page = log_in(&world, &mut browser, "/both", 7).await;
    assert_eq!(page.text, "photos:read letters", "what it has, and more");
}

#[tokio::test]
async fn hooks_see_the_login_and_its_failure() {
    type Seen = Arc<Mutex<Vec<String>>>;
    async fn authorized(new: Authorized, State(seen): State<Seen>) -> quadrille::Result<After> {
        let me: serde_json::Value = new.get("me").await?;
        let more: Vec<_> = new.more().keys().map(String::as_str).collect();
        seen.lock().unwrap().push(format!("{} {} {more:?}", new.service(), me["login"]));
        Ok(After::go_on().for_owner(7))
    }
    async fn failed(failed: Failed, State(seen): State<Seen>) {
        let next = failed.next.as_deref();
        seen.lock().unwrap().push(format!("{} {next:?}", failed.error.code()));
    }
    let world = World::new();
    let seen = Seen::default();
    let login = world.login().storage(MemoryStorage::new());
    let hooks = Hooks::new(Arc::clone(&seen)).on_authorized(authorized).on_error(failed);
    let login = login.hooks(hooks);
    let mut browser = Browser::new(login.attach(pages()));
    log_in(&world, &mut browser, "/login/library?next=/maybe", 7).await;
    let account = login.accounts::<Library>().unwrap().next().await.unwrap().unwrap().account();
    assert_eq!(account.owner, Owner::user(7));
    let url = leave(&mut browser, "/login/library?next=/album").await;
    let query = world.service.deny(&url).unwrap();
    browser.go(&format!("/login/library/authorized?{query}")).await;
    world.service.answers_next(Purpose::TemporaryCredentials, StatusCode::UNAUTHORIZED, "");
    browser.go("/login/library?next=/album").await;
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "library \"user-7\" [\"user_id\"]",
            "access_denied Some(\"/album\")",
            "client_refused Some(\"/album\")",
        ]
    );
}

#[tokio::test]
async fn whoever_began_must_be_who_is_signed_in_at_the_end() {
    let world = World::new();
    let login = world.login().storage(MemoryStorage::new());
    let leaving = Jar::new(&HeaderMap::new());
    let (alice, bob) = (Owner::user("alice"), Owner::user("bob"));
    let begin = Begin::new("library").next("/album").owner(&alice).parameter("lang", "en & fr");
    let url = login.begin(&leaving, &begin).await.unwrap();
    assert!(url.contains("?lang=en+%26+fr&oauth_token="), "{url}");
    let query = world.service.consent(&url, 7).unwrap();
    let headers = crate::library::carry(&leaving);

    let elsewhere = Jar::new(&HeaderMap::new());
    let error = login.finish(&elsewhere, "library", &query, &alice).await.unwrap_err();
    assert_eq!(error, BrowserError::AttemptCookieMissing.into());
    let error = login.finish(&Jar::new(&headers), "library", &query, &bob).await.unwrap_err();
    assert_eq!(error, BrowserError::UserChanged.into());
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0, "nothing was used up");
    let done = login.finish(&Jar::new(&headers), "library", &query, &alice).await.unwrap();
    assert_eq!((&*done.next, &*done.account.subject), ("/album", "7"));
    let library = login.linked::<Library>(&done.account).await.unwrap();
    let library = library.detach(std::time::Duration::from_secs(3600)).await.unwrap();
    world.wait(std::time::Duration::from_secs(5 * 365 * 24 * 3600));
    let me: serde_json::Value = library.get("me").await.unwrap();
    assert_eq!(me["login"], "user-7", "tokens of OAuth 1 do not expire");
    world.service.ends_access_tokens();
    let error = library.get::<serde_json::Value>("me").await.unwrap_err();
    let Error::NotLinked(who) = error else { panic!("{error:?}") };
    assert_eq!(who.reason, quadrille::consumer::NotLinkedReason::NeedsLinkingAgain);
}

#[tokio::test]
async fn services_known_at_run_time_only_work_the_same() {
    let world = World::new();
    let mut login =
        Login::new(KeyRing::ephemeral(), SITE).http(world.service.clone()).env(world.clock.env());
    for tenant in 1..=3 {
        let base = format!("https://tenant-{tenant}.example");
        let mut spec = SpecBuf::oauth1(
            format!("tenant-{tenant}"),
            format!("{base}/request"),
            format!("{base}/authorize?x=1"),
            format!("{base}/access"),
            format!("{base}/api"),
        );
        spec.identity = Some(("me".into(), "id".into()));
        login = login.with(spec.client("our-key", SECRET));
    }
    async fn page(
        visitor: Visitor,
        axum::extract::Path(tenant): axum::extract::Path<String>,
    ) -> quadrille::Result<String> {
        let account = visitor.linked(&tenant).await?;
        let me: serde_json::Value = account.get("me").await?;
        Ok(format!("{} is {}", account.service(), me["login"]))
    }
    let mut browser = Browser::new(login.attach(Router::new().route("/at/{tenant}", get(page))));
    for tenant in 1..=3_u64 {
        let url = leave(&mut browser, &format!("/at/tenant-{tenant}")).await;
        let expected = format!("https://tenant-{tenant}.example/authorize?x=1&oauth_token=");
        assert!(url.starts_with(&expected), "{url}");
        let query = world.service.consent(&url, tenant).unwrap();
        let page = browser.go(&format!("/login/tenant-{tenant}/authorized?{query}")).await;
        assert_eq!(page.text, format!("tenant-{tenant} is \"user-{tenant}\""));
    }
}

#[tokio::test]
async fn it_lives_at_another_path_and_beside_services_of_oauth_2() {
    let world = World::new();
    let login = world.login_as(client().named("books")).at("/admin/login");
    let mut browser = Browser::new(login.attach(pages()));
    let url = leave(&mut browser, "/album").await;
    let callback = world.service.callback(&url).unwrap();
    assert_eq!(callback, format!("{SITE}/admin/login/books/authorized"));
    let query = world.service.consent(&url, 7).unwrap();
    let page = browser.go(&format!("/admin/login/books/authorized?{query}")).await;
    assert_eq!(page.text, "You are user-7");

    let both = world.login().with(quadrille::GitHub::new("our-id", SECRET));
    let mut browser = Browser::new(both.attach(pages()));
    let away = browser.visit("/login/github").await;
    assert!(away.location().starts_with("https://github.com/"));
    assert_eq!(log_in(&world, &mut browser, "/album", 7).await.text, "You are user-7");
}

#[tokio::test]
async fn a_service_is_asked_for_nothing_before_the_visitor_has_certainly_come_here() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let page = browser.visit_from("cross-site", "/login/library").await;
    assert!(page.text.contains("<h1>Log in with "), "{page:?}");
    for (method, header) in [("HEAD", "x-nothing"), ("GET", "sec-purpose")] {
        let request = http::Request::builder()
            .method(method)
            .uri("/login/library")
            .header("sec-fetch-site", "same-origin")
            .header(header, "prefetch");
        let page = browser.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert!(page.headers.get("location").is_none(), "{page:?}");
    }
    assert!(world.service.asked().is_empty(), "no temporary credentials were asked for");
    assert!(browser.cookies.is_empty());
}
