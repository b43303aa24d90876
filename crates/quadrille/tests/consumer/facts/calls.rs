//! Facts about calls to an API.

use super::*;

const HEADERS: &[(&str, &str)] =
    &[("Client-Id", "{client_id}"), ("Accept", "application/vnd.acme+json; version=3")];

service!(
    Particular,
    acme().identity("me", "id").call_headers(HEADERS).token_scheme("Acme-token"),
    {}
);

#[tokio::test]
async fn each_call_has_the_services_headers_and_scheme() {
    let world = World::of::<Particular>();
    let linked = world.linked::<Particular>().await;
    assert_eq!(world.last().purpose, Purpose::Identity, "{:?}", world.last());
    call(&linked).await.unwrap();
    let asked = world.last();
    assert_eq!(header(&asked, "client-id"), "our-id");
    assert_eq!(header(&asked, "accept"), "application/vnd.acme+json; version=3");
    assert!(header(&asked, "authorization").starts_with("Acme-token access-canary"));
    let error = linked.request(Method::GET, "x").header("accept", "text/plain").send().await;
    assert!(matches!(error, Err(Error::Api { .. })), "the fake service requires its own");
    assert_eq!(header(&world.last(), "accept"), "text/plain", "the call decides");
}

service!(
    Scattered,
    acme().identity("me", "id").api_in_token("instance_url", "acme.example acme-eu.example"),
    {
        api_origin: Some("https://na7.acme.example"),
        refresh: Refresh::Lasting,
        lifetime: Some(HOUR),
    }
);

#[tokio::test]
async fn calls_go_to_the_accounts_own_host() {
    let world = World::of::<Scattered>();
    let linked = world.linked::<Scattered>().await;
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/me");
    call(&linked).await.unwrap();
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/anything");
    let at_home = linked.get::<serde_json::Value>("https://api.acme.example/v1/x").await;
    assert_eq!(at_home.unwrap_err(), OperatorError::ForeignOrigin.into());
    // A refresh may name no host, or another one.
    let answer = r#"{"access_token":"access-canary-1"}"#;
    world.fake.answers_next(Purpose::Refresh, StatusCode::OK, answer);
    world.clock.advance(HOUR);
    let _ = call(&linked).await;
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/anything");
}

#[tokio::test]
async fn no_token_goes_to_a_host_that_is_not_the_services() {
    for origin in [
        "https://evil.example",
        "https://acme.example.evil.example",
        "https://evilacme.example",
        "http://na7.acme.example",
        "https://acme.example@evil.example",
        "https://user@na7.acme.example",
        "//na7.acme.example",
        "na7.acme.example",
        "",
    ] {
        let world = World::of::<Scattered>();
        let answer = serde_json::json!({ "access_token": "a", "instance_url": origin });
        world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, answer.to_string());
        let error = world.account().await.unwrap_err();
        let malformed = ServiceError::Malformed { status: StatusCode::OK };
        let expected = Error::Service { service: "acme".into(), error: malformed };
        assert_eq!(error, expected, "{origin}");
        assert_eq!(world.last().purpose, Purpose::RedeemCode, "{origin}");
    }
    for odd in ["7", "[]", "{}"] {
        let world = World::of::<Scattered>();
        let answer = format!(r#"{{"access_token":"a","instance_url":{odd}}}"#);
        world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, answer);
        assert!(world.account().await.is_err(), "{odd}");
    }
}

#[tokio::test]
async fn a_stored_token_is_not_sent_to_a_host_that_is_not_the_services() {
    let fake = FakeService::of::<Scattered>("our-id", SECRET);
    let token = Token::new("secret").api("https://evil.example");
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Scattered::client("our-id", SECRET))
        .storage(MemoryStorage::everyone_has("acme", token))
        .http(fake.clone());
    let account = Account { owner: Owner::user(1), service: "acme".into(), subject: "".into() };
    let linked = login.linked::<Scattered>(&account).await.unwrap();
    assert_eq!(call(&linked).await.unwrap_err(), OperatorError::ForeignOrigin.into());
    assert_eq!(linked.profile().await.unwrap_err(), OperatorError::ForeignOrigin.into());
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_cookie_remembers_the_accounts_host() {
    let world = World::of::<Scattered>();
    let login = world.login.clone().storage(CookieStorage);
    let jar = Jar::new(&HeaderMap::new());
    let link = login.begin(&jar, &Begin::new("acme")).await.unwrap();
    let query = world.fake.consent(&link, 7).unwrap();
    let jar = Jar::new(&carry(&jar));
    login.finish(&jar, "acme", &query, &Owner::NOBODY).await.unwrap();
    let routes = axum::Router::new().route(
        "/",
        axum::routing::get(async |acme: Linked<Scattered>| call(&acme).await.map(|_| "called")),
    );
    let mut browser = crate::support::Browser::new(login.attach(routes));
    let cookies = carry(&jar);
    for pair in cookies["cookie"].to_str().unwrap().split("; ") {
        let (name, value) = pair.split_once('=').unwrap();
        browser.cookies.insert(name.to_owned(), value.to_owned());
    }
    assert_eq!(browser.visit("/").await.text, "called");
    assert_eq!(url(&world.last()), "https://na7.acme.example/v1/anything");
}
