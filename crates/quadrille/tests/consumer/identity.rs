use std::time::Duration;

use axum::{Router, routing::get};
use http::StatusCode;
use quadrille::{GitHub, Identity, Linked, scopes, transport::Purpose};
use url::Url;

use crate::support::{Browser, World, go_in_circles, pages};

scopes! {
    Gists = "gist", "Create gists";
    Repositories = "repo", "Read and write repositories";
}

async fn who(me: Identity<GitHub>) -> String {
    format!("number {}", me.subject())
}

async fn gists(github: Linked<GitHub, Gists>) -> String {
    format!("{} with {}", github.subject(), github.scopes())
}

fn app(world: &World) -> Browser {
    let routes = Router::new()
        .route("/who", get(who))
        .route("/gists", get(gists))
        .route("/both", get(async |_: Linked<GitHub, (Gists, Repositories)>| "both"));
    Browser::new(world.login().attach(pages().merge(routes)))
}

fn scopes_asked(url: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(name, _)| name == "scope").map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn who_a_visitor_is_can_be_known_without_keeping_a_token() {
    let world = World::new();
    let mut browser = app(&world);
    assert_eq!(browser.log_in(&world.service, "/who?x=1", 7).await.text, "number 7");
    assert_eq!(browser.visit("/maybe").await.text, "nobody", "no token was kept");
    assert!(!browser.cookies.keys().any(|name| name.contains("token")));
    world.wait(Duration::from_secs(14 * 24 * 3600));
    assert_eq!(browser.visit("/who").await.text, "number 7");
    world.wait(Duration::from_secs(1));
    assert_eq!(browser.visit("/who").await.status, StatusCode::SEE_OTHER, "a lifetime of its own");
    assert_eq!(world.service.times_asked(Purpose::Api), 0);
}

#[tokio::test]
async fn whoever_is_linked_is_known_too() {
    let world = World::new();
    let mut browser = app(&world);
    browser.log_in(&world.service, "/album", 7).await;
    assert_eq!(browser.visit("/who").await.text, "number 7");
}

#[tokio::test]
async fn a_further_scope_is_asked_for_when_it_is_missing_and_only_then() {
    let world = World::new();
    let mut browser = app(&world);
    assert_eq!(browser.log_in(&world.service, "/gists", 7).await.text, "7 with gist");
    world.wait(Duration::from_secs(60));
    let away = browser.go("/both").await;
    assert_eq!(
        scopes_asked(away.location()).as_deref(),
        Some("gist repo"),
        "what it has, and more"
    );
    let query = world.service.consent(away.location(), 7).unwrap();
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert_eq!(page.text, "both");
    assert_eq!(browser.visit("/gists").await.text, "7 with gist repo");
}

#[tokio::test]
async fn a_further_scope_must_come_from_the_same_account() {
    let world = World::new();
    let mut browser = app(&world);
    browser.log_in(&world.service, "/album", 7).await;
    world.wait(Duration::from_secs(60));
    let page = browser.log_in(&world.service, "/gists", 8).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.has_code("account_changed"), "{}", page.text);
    assert_eq!(browser.visit("/maybe").await.text, "number 7", "nothing was changed");
}

#[tokio::test]
async fn a_scope_that_is_not_granted_does_not_go_in_circles() {
    let world = World::new();
    world.service.change(|its| its.scopes = Some("user:email"));
    let mut browser = app(&world);
    let page = go_in_circles(&world, &mut browser, "/gists").await;
    assert!(page.has_code("login_loop"), "{}", page.text);
    assert!(page.text.contains("ask="), "the way on asks for the scope once more: {}", page.text);
}

#[tokio::test]
async fn a_page_that_wants_a_further_scope_asks_for_it_right_after_a_login_to_another_page() {
    let world = World::new();
    let mut browser = app(&world);
    browser.log_in(&world.service, "/album", 7).await;
    let login = browser.visit("/gists").await;
    assert_eq!(login.status, StatusCode::SEE_OTHER, "{}", login.text);
    let page = browser.log_in(&world.service, "/gists?sort=new", 7).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
}

#[tokio::test]
async fn a_strangers_link_cannot_ask_for_more_than_the_site_does() {
    let world = World::new();
    let mut browser = app(&world);
    let away = browser.visit("/login/github?scope=delete_repo").await;
    assert_eq!(scopes_asked(away.location()), None);
    let page = browser.visit("/login/github?ask=delete_repo").await;
    assert!(page.has_code("state_unknown"), "{page:?}");
}

#[tokio::test]
async fn a_parameter_of_the_login_that_nobody_reads_does_not_matter() {
    let world = World::new();
    let mut browser = app(&world);
    browser.log_in(&world.service, "/album", 7).await;
    world.wait(Duration::from_secs(60));
    let login = browser.visit("/gists").await.location().to_owned();
    assert!(login.contains("ask="), "{login}");
    for odd in ["only=%", "only=a&only=b", "only=identity", "utm=%"] {
        let away = browser.visit(&format!("{login}&{odd}")).await;
        assert_eq!(scopes_asked(away.location()).as_deref(), Some("gist"), "{odd}");
    }
    for odd in ["only=%", "only=identity&only=x"] {
        let page = browser.visit(&format!("/login/github?{odd}")).await;
        assert!(page.has_code("login_malformed"), "{odd}: {page:?}");
    }
}
