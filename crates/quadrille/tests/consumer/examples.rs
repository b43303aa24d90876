//! The examples that live beside other crates, run as they are.

#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/axum_login.rs"]
mod axum_login;
#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/linked_accounts.rs"]
mod linked_accounts;
#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/tenants.rs"]
mod tenants;
#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/tower_sessions.rs"]
mod tower_sessions;

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use quadrille::{GitLab, KeyRing};

use crate::support::{Browser, Page, SECRET, World};

#[tokio::test]
async fn beside_tower_sessions() {
    let world = World::new();
    let mut alice = Browser::new(tower_sessions::app(world.login()));
    assert_eq!(alice.visit("/").await.text, "Log in at /login/github?next=/home");
    let page = alice.log_in(&world.service, "/login/github?next=/home", 41).await;
    assert_eq!(page.text, "user 1 is number 41 on GitHub");
    let mut bob = Browser { app: alice.app.clone(), cookies: Default::default() };
    let page = bob.log_in(&world.service, "/login/github?next=/home", 42).await;
    assert_eq!(page.text, "user 2 is number 42 on GitHub");
    assert_eq!(alice.visit("/home").await.text, "user 1 is number 41 on GitHub");
}

#[tokio::test]
async fn beside_axum_login() {
    let world = World::new();
    let mut alice = Browser::new(axum_login::app(world.login_with(KeyRing::ephemeral())));
    // axum-login sends her to the login by itself, saying where she wanted to go.
    let page = alice.log_in(&world.service, "/home", 41).await;
    assert_eq!(page.text, "user 1 is number 41 on GitHub");
    let mut bob = Browser { app: alice.app.clone(), cookies: Default::default() };
    let page = bob.log_in(&world.service, "/home", 42).await;
    assert_eq!(page.text, "user 2 is number 42 on GitHub");
    assert_eq!(alice.visit("/home").await.text, "user 1 is number 41 on GitHub");
}

#[tokio::test]
async fn a_service_for_each_customer() {
    let world = World::new();
    let customer = tenants::Customer {
        host: "git.acme.example".to_owned(),
        client_id: "our-id".to_owned(),
        client_secret: SECRET.to_owned(),
    };
    let customers = Arc::new([("acme".to_owned(), customer)].into());
    let mut alice = Browser::new(tenants::app(world.login(), customers));
    let away = alice.go("/acme").await;
    assert!(away.location().starts_with("https://git.acme.example/login/oauth/authorize?"));
    let query = world.service.consent(away.location(), 41).unwrap();
    let page = alice.go(&format!("/login/gitea~acme/authorized?{query}")).await;
    assert_eq!(page.text, "You are \"user-41\" at acme");
    assert!(alice.go("/another").await.has_code("tenant_unknown"));
}

#[tokio::test]
async fn users_link_and_unlink_accounts_of_two_services() {
    let world = World::new();
    let login = world.login().with(GitLab::new("our-id", SECRET));
    let mut alice = Browser::new(linked_accounts::app(login));
    assert_eq!(alice.visit("/accounts").await.location(), "/");
    let (github, gitlab) = ("/login/github?next=/accounts", "/login/gitlab?next=/accounts");
    let page = alice.log_in(&world.service, github, 41).await;
    assert!(page.text.contains("github 41"), "{}", page.text);
    assert_eq!(unlink(&mut alice, "same-origin", "github", 41).await.status, StatusCode::CONFLICT);
    let page = alice.log_in(&world.service, gitlab, 7).await;
    assert!(page.text.contains("github 41") && page.text.contains("gitlab 7"), "{}", page.text);

    // Either account is the same user, in another browser.
    let mut elsewhere = Browser { app: alice.app.clone(), cookies: Default::default() };
    let page = elsewhere.log_in(&world.service, gitlab, 7).await;
    assert!(page.text.contains("github 41"), "{}", page.text);

    // Another user's account is refused, and stays where it is.
    let mut bob = Browser { app: alice.app.clone(), cookies: Default::default() };
    bob.log_in(&world.service, github, 42).await;
    assert!(bob.log_in(&world.service, gitlab, 7).await.has_code("account_of_another_user"));
    assert_eq!(unlink(&mut bob, "same-origin", "gitlab", 7).await.location(), "/accounts");
    assert!(alice.visit("/accounts").await.text.contains("gitlab 7"));

    // A form of another site unlinks nothing.
    for site in ["cross-site", "same-site"] {
        let refused = unlink(&mut alice, site, "gitlab", 7).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    assert!(alice.visit("/accounts").await.text.contains("gitlab 7"));

    assert_eq!(unlink(&mut alice, "same-origin", "gitlab", 7).await.location(), "/accounts");
    assert!(!alice.visit("/accounts").await.text.contains("gitlab 7"));
    let page = bob.log_in(&world.service, gitlab, 7).await;
    assert!(page.text.contains("github 42") && page.text.contains("gitlab 7"), "{}", page.text);
}

async fn unlink(browser: &mut Browser, from: &str, service: &str, subject: u64) -> Page {
    let request = Request::post("/unlink")
        .header("sec-fetch-site", from)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("service={service}&subject={subject}")))
        .unwrap();
    browser.send(request).await
}
