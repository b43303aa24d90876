//! The examples that live beside other crates, run as they are.

#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/axum_login.rs"]
mod axum_login;
#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/tenants.rs"]
mod tenants;
#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/tower_sessions.rs"]
mod tower_sessions;

use std::sync::Arc;

use quadrille::KeyRing;

use crate::support::{Browser, SECRET, World};

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
