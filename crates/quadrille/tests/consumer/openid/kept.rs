//! ID tokens in cookies, which have little room.

use axum::{Router, routing::get};
use quadrille::{KeyRing, Linked, Login, Service, Spec, testing::FakeService};
use serde_json::json;

use crate::support::{Browser, SECRET, SITE};

use super::ISSUER;

struct Acme;

impl Service for Acme {
    const SPEC: Spec = Spec::oidc("acme", ISSUER).build();
}

async fn claims(acme: Linked<Acme>) -> String {
    let claims = acme.claims();
    claims.and_then(|claims| claims.text("name").map(str::to_owned)).unwrap_or("none".to_owned())
}

async fn logged_in(name: &str) -> Browser {
    let service =
        FakeService::openid(ISSUER, "our-id", SECRET).user(json!({ "sub": "7", "name": name }));
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(Acme::client("our-id", SECRET))
        .http(service.clone());
    let mut browser = Browser::new(login.attach(Router::new().route("/claims", get(claims))));
    let away = browser.go("/claims").await;
    let query = service.consent(away.location(), 7).unwrap();
    let page = browser.go(&format!("/login/acme/authorized?{query}")).await;
    assert_eq!(page.status, 200, "{page:?}");
    browser
}

#[tokio::test]
async fn claims_are_known_from_the_cookie_and_given_up_before_the_account_is() {
    assert_eq!(logged_in("Ada").await.visit("/claims").await.text, "Ada");
    // Longer than all cookies of a login may be.
    assert_eq!(logged_in(&"x".repeat(8000)).await.visit("/claims").await.text, "none");
}
