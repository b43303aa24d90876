//! Data of the application that a login carries.

use axum::extract::State;
use http::HeaderMap;
use quadrille::{
    After, Authorized, BeforeLogin, Hooks, KeyRing, Login, Owner, Twitter,
    consumer::{Begin, Jar, MemoryStorage},
    testing::FakeService,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

use crate::support::{Browser, SITE, World, pages};

type Seen = Arc<Mutex<Vec<Option<Value>>>>;

/// An application that gives the header `x-invitation` to a login, and writes down what arrives.
fn app(login: &Login) -> (Seen, Browser) {
    async fn leaving(_: BeforeLogin, headers: HeaderMap) -> After {
        let Some(data) = headers.get("x-invitation") else { return After::go_on() };
        After::go_on().with_data(json!({ "invitation": data.to_str().unwrap() }))
    }
    async fn arrived(new: Authorized, State(seen): State<Seen>) {
        seen.lock().unwrap().push(new.data().cloned());
    }
    let seen = Seen::default();
    let hooks = Hooks::new(seen.clone()).before_login(leaving).on_authorized(arrived);
    (seen, Browser::new(login.clone().hooks(hooks).attach(pages())))
}

async fn leave(browser: &mut Browser, path: &str, invitation: &str) -> crate::support::Page {
    let request = http::Request::get(path)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("x-invitation", invitation);
    browser.send(request.body(axum::body::Body::empty()).unwrap()).await
}

#[tokio::test]
async fn what_a_login_is_given_arrives_with_the_user_and_travels_sealed() {
    let world = World::new();
    let (seen, mut browser) = app(&world.login());
    let first = leave(&mut browser, "/login/github?next=/album", "canary-one").await;
    let second = leave(&mut browser, "/login/github", "canary-two").await;
    let third = browser.visit("/login/github").await;
    for away in [&first, &second] {
        assert!(!format!("{away:?}").contains("canary"), "{away:?}");
        let url = url::Url::parse(away.location()).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1;
        assert!(state.len() < 250, "{} characters", state.len());
    }
    for away in [&second, &third, &first] {
        let query = world.service.consent(away.location(), 7).unwrap();
        let page = browser.go(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(page.status, 200, "{page:?}");
    }
    let data = |text| Some(json!({ "invitation": text }));
    assert_eq!(*seen.lock().unwrap(), [data("canary-two"), None, data("canary-one")]);
    let left = browser.cookies.keys().any(|name| name.contains("page-") || name.contains("try-"));
    assert!(!left, "{:?}", browser.cookies);
}

#[tokio::test]
async fn the_data_of_one_attempt_is_of_no_use_to_another() {
    let world = World::new();
    let (seen, mut browser) = app(&world.login());
    let first = leave(&mut browser, "/login/github", "one").await;
    let of_first = browser.cookies.keys().find(|name| name.contains("page-")).unwrap().clone();
    let second = leave(&mut browser, "/login/github", "two").await;
    let is_second = |name: &&String| name.contains("page-") && **name != of_first;
    let of_second = browser.cookies.keys().find(is_second).unwrap().clone();
    let swapped = browser.cookies[&of_second].clone();
    browser.cookies.insert(of_first, swapped);
    let query = world.service.consent(first.location(), 7).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("attempt_cookie_missing"), "{page:?}");
    browser.cookies.remove(&of_second);
    let query = world.service.consent(second.location(), 7).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("attempt_cookie_missing"), "without its data no login: {page:?}");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn more_data_than_fits_is_refused_at_the_beginning() {
    let world = World::new();
    let login = world.login();
    for (characters, fits) in [(510, true), (511, false)] {
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new("github").data("x".repeat(characters));
        match login.begin(&jar, &begin).await {
            Ok(_) => assert!(fits),
            Err(error) => {
                assert!(!fits);
                assert_eq!(error.code(), "data_too_large");
                assert!(error.to_string().contains("513 bytes"), "{error}");
                assert!(jar.close().is_empty(), "nothing has begun");
            }
        }
    }
}

#[tokio::test]
async fn programs_without_axum_get_it_back_too_and_so_do_services_of_oauth_1() {
    let world = World::new();
    let service = FakeService::of::<Twitter>("our-key", "our-secret");
    let twitter = Login::new(KeyRing::ephemeral(), SITE)
        .with(Twitter::new("our-key", "our-secret"))
        .http(service.clone())
        .storage(MemoryStorage::new());
    for (login, name) in [(world.login(), "github"), (twitter.clone(), "twitter")] {
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new(name).next("/album").data(json!(["a", 1, null]));
        let url = login.begin(&jar, &begin).await.unwrap();
        let mut cookies = HeaderMap::new();
        for line in jar.close() {
            let pair = line.to_str().unwrap().split(';').next().unwrap().to_owned();
            cookies.append("cookie", pair.parse().unwrap());
        }
        let query = world.service.consent(&url, 7).or_else(|| service.consent(&url, 7)).unwrap();
        let jar = Jar::new(&cookies);
        let done = login.finish(&jar, name, &query, &Owner::NOBODY).await.unwrap();
        assert_eq!((&*done.next, done.data), ("/album", Some(json!(["a", 1, null]))), "{name}");
    }
    let begin = Begin::new("twitter").data(7);
    let begun = twitter.begin_out_of_band(&begin).await.unwrap();
    let pin = service.pin(&begun.url, 7).unwrap();
    let done = twitter.finish_out_of_band(&begun.attempt, &pin, &Owner::NOBODY).await.unwrap();
    assert_eq!(done.data, Some(json!(7)));
}
