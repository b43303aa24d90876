//! Scopes asked for one login at a time.

use http::HeaderMap;
use quadrille::{
    GitHub, Hooks, KeyRing, Login, Owner, Scopes,
    consumer::{Begin, Jar, MemoryStorage},
};
use url::Url;

use crate::support::{Browser, SECRET, SITE, World, pages};

fn login(world: &World) -> Login {
    Login::new(KeyRing::ephemeral(), SITE)
        .with(GitHub::new("our-id", SECRET).scopes("user:email").allow_scopes("gist repo"))
        .http(world.service.clone())
        .env(world.clock.env())
}

fn asked(url: &str) -> Vec<String> {
    let url = Url::parse(url).unwrap();
    let scope = url.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
    let mut names: Vec<_> = scope.split([' ', ',']).map(str::to_owned).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_link_asks_for_scopes_on_the_list_besides_those_that_the_account_has() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let away = browser.visit("/login/github?scope=gist+admin:org").await;
    assert_eq!(asked(away.location()), ["gist", "user:email"], "and no other");
    let query = world.service.consent(away.location(), 7).unwrap();
    browser.go(&format!("/login/github/authorized?{query}")).await;
    let away = browser.visit("/login/github?scope=repo").await;
    assert_eq!(asked(away.location()), ["gist", "repo", "user:email"]);
    let query = world.service.consent(away.location(), 8).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("account_changed"), "another account is no wider one: {page:?}");
    for usual in ["", "scope=", "scope=admin:org"] {
        let away = browser.visit(&format!("/login/github?{usual}")).await;
        assert_eq!(asked(away.location()), ["user:email"], "{usual}");
    }
    let page = browser.visit("/login/github?scope=gist&scope=repo").await;
    assert!(page.has_code("login_malformed"), "{page:?}");
}

#[tokio::test]
async fn the_page_that_asks_keeps_the_scopes_of_the_list() {
    let world = World::new();
    let mut browser = Browser::new(login(&world).attach(pages()));
    let page = browser.visit_from("cross-site", "/login/github?scope=gist+admin:org").await;
    assert!(page.text.contains(r#"name="scope" value="gist""#), "{page:?}");
}

#[tokio::test]
async fn code_asks_for_scopes_besides_those_of_the_users_account() {
    let world = World::new();
    let login = login(&world).hooks(Hooks::new(())).storage(MemoryStorage::new());
    let ada = Owner::user("ada");
    let log_in = async |scopes: &str, user: u64| {
        let jar = Jar::new(&HeaderMap::new());
        let begin = Begin::new("github").owner(&ada).further_scopes(Scopes::of(scopes.split(' ')));
        let url = login.begin(&jar, &begin).await.unwrap();
        let mut cookies = HeaderMap::new();
        for line in jar.close() {
            let pair = line.to_str().unwrap().split(';').next().unwrap().to_owned();
            cookies.append("cookie", pair.parse().unwrap());
        }
        let query = world.service.consent(&url, user).unwrap();
        let done = login.finish(&Jar::new(&cookies), "github", &query, &ada).await;
        (asked(&url), done)
    };
    let (scopes, done) = log_in("gist", 7).await;
    assert_eq!((scopes, done.is_ok()), (vec!["gist".to_owned(), "user:email".to_owned()], true));
    let (scopes, done) = log_in("admin:org", 8).await;
    assert_eq!(scopes, ["admin:org", "gist", "user:email"]);
    assert_eq!(done.unwrap_err().code(), "account_changed");
}
