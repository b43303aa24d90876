//! Parameters of the authorization request that a request to log in may choose.

use axum::body::Body;
use http::{Request, StatusCode};
use quadrille::{
    After, BeforeLogin, GitHub, Hooks, KeyRing, Login, Owner, Twitter,
    consumer::{Begin, Jar, MemoryStorage},
    testing::FakeService,
};
use url::Url;

use crate::support::{Browser, SECRET, SITE, World, pages};

fn login(world: &World) -> Login {
    let github = GitHub::new("our-id", SECRET)
        .parameter("allow_signup", "false")
        .parameter("prompt", "consent")
        .allow_parameters(["login", "prompt"]);
    Login::new(KeyRing::ephemeral(), SITE)
        .with(github)
        .http(world.service.clone())
        .env(world.clock.env())
}

/// The values of a parameter in a URL.
fn values(url: &str, name: &str) -> Vec<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

#[tokio::test]
async fn a_link_chooses_what_is_on_the_list_and_nothing_else() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let link = "/login/github?next=/album&login=ada%40b+%26c&hd=x&scope=repo&state=x\
                &redirect_uri=https%3A%2F%2Fevil.example&client_id=evil&response_mode=fragment";
    let away = browser.visit(link).await;
    let url = away.location();
    assert_eq!(values(url, "login"), ["ada@b &c"]);
    assert_eq!(values(url, "prompt"), ["consent"], "the usual one");
    assert_eq!(values(url, "allow_signup"), ["false"]);
    assert_eq!(values(url, "client_id"), ["our-id"]);
    assert_eq!(values(url, "redirect_uri"), [format!("{SITE}/login/github/authorized")]);
    assert_eq!(values(url, "state").len(), 1);
    for name in ["hd", "scope", "response_mode", "next"] {
        assert!(values(url, name).is_empty(), "{name}: {url}");
    }
    let query = world.service.consent(url, 7).unwrap();
    assert_eq!(
        browser.go(&format!("/login/github/authorized?{query}")).await.text,
        "You are user-7"
    );
    // In the place of the registration's, since no parameter may be repeated.
    let away = browser.visit("/login/github?prompt=login").await;
    assert_eq!(values(away.location(), "prompt"), ["login"]);
    let away = browser.visit("/login/github?prompt=").await;
    assert_eq!(values(away.location(), "prompt"), ["consent"], "an empty one is none");
}

#[tokio::test]
async fn without_a_list_nothing_passes() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let away = browser.visit("/login/github?login=ada&login=eve").await;
    assert!(values(away.location(), "login").is_empty(), "{away:?}");
}

#[tokio::test]
async fn a_broken_choice_is_said_and_begins_nothing() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let (fits, too_long) = ("x".repeat(1024), "x".repeat(1025));
    for odd in
        ["login=a&login=b", "login=%0d%0aa", "login=%7f", "login=%00", "login=%ff", "login=%"]
            .into_iter()
            .chain([&*format!("login={too_long}")])
    {
        let page = browser.visit(&format!("/login/github?{odd}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{odd}");
        assert!(page.has_code("login_malformed"), "{odd}: {page:?}");
        assert!(page.text.contains("This link is broken"));
        assert!(!page.headers.contains_key("set-cookie"), "{odd}");
    }
    let away = browser.visit(&format!("/login/github?login={fits}")).await;
    assert_eq!(values(away.location(), "login"), [fits]);
}

#[tokio::test]
async fn the_page_that_asks_keeps_the_choice() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let page = browser.visit_from("cross-site", "/login/github?login=a%22b&hd=x").await;
    assert!(page.text.contains(r#"name="login" value="a&quot;b""#), "{page:?}");
    assert!(!page.text.contains(r#"name="hd""#), "{page:?}");
    let request = Request::post("/login/github")
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("login=a%22b"))
        .unwrap();
    let hop = browser.send(request).await;
    assert_eq!(values(hop.refresh().unwrap(), "login"), ["a\"b"]);
}

#[tokio::test]
async fn a_hook_sees_the_choice_and_has_the_last_word() {
    async fn hook(event: BeforeLogin) -> After {
        assert_eq!(event.parameters, [("login".to_owned(), "ada".to_owned())]);
        After::go_on().with_parameter("login", "eve")
    }
    let world = World::new();
    let login = login(&world).hooks(Hooks::new(()).before_login(hook));
    let mut browser = Browser::new(login.attach(pages()));
    let away = browser.visit("/login/github?login=ada").await;
    assert_eq!(values(away.location(), "login"), ["eve"]);
}

#[tokio::test]
async fn code_cannot_repeat_what_the_login_sets() {
    let world = World::new();
    let login = login(&world);
    let jar = Jar::new(&http::HeaderMap::new());
    for name in ["client_id", "State", "redirect_uri", "code_challenge", "oauth_token", "scope"] {
        let begin = Begin::new("github").owner(&Owner::NOBODY).parameter(name, "x");
        let error = login.begin(&jar, &begin).await.unwrap_err();
        assert_eq!(error.code(), "parameter_reserved", "{name}");
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(jar.close().is_empty(), "nothing has begun");
}

#[test]
fn what_a_link_may_never_choose_stops_the_program() {
    for name in
        ["client_id", "request_uri", "nonce", "resource", "RESPONSE_MODE", "next", "", "a b"]
    {
        let github = GitHub::new("our-id", SECRET).allow_parameters(["login", name]);
        let login = Login::new(KeyRing::ephemeral(), SITE).with(github);
        let error = login.check().unwrap_err();
        assert_eq!(error.code(), "parameter_reserved", "{name}");
    }
}

#[tokio::test]
async fn services_of_oauth_1_take_them_too() {
    let service = FakeService::of::<Twitter>("our-key", "our-secret");
    let twitter = Twitter::new("our-key", "our-secret").allow_parameters(["screen_name"]);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(twitter)
        .http(service.clone())
        .storage(MemoryStorage::new());
    let mut browser = Browser::new(login.attach(pages()));
    let away = browser.visit("/login/twitter?screen_name=ada&oauth_token=evil").await;
    assert_eq!(values(away.location(), "screen_name"), ["ada"]);
    assert_eq!(values(away.location(), "oauth_token").len(), 1);
    assert!(service.consent(away.location(), 7).is_some(), "still a right request");
}
