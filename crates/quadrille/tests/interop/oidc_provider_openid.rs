//! npm's oidc-provider as an OpenID Provider, of which the application knows the issuer alone.

use std::time::Duration;

use axum::{Router, extract::State, routing::get};
use quadrille::{
    Env, KeyRing, Login, Result, SpecBuf, Visitor,
    consumer::{Client, ClientKeys, Dynamic, OAuth2Buf},
    jose::{Algorithm, SigningKey, SigningKeys},
    testing::ManualClock,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Running, node, visit};

const SECRET: &str = "a secret: 100% + a bit & some more of it";

async fn who(visitor: Visitor) -> Result<String> {
    let acme = visitor.linked("acme").await?;
    let claims = acme.claims().expect("an ID token is kept");
    let profile = acme.profile().await?;
    let issued = claims.all()["iat"].as_i64().unwrap_or_default();
    Ok(json!({
        "account": &*acme.subject(),
        "sub": claims.text("sub"),
        "issued": issued,
        "email": profile.email,
        "verified": profile.email_verified,
    })
    .to_string())
}

async fn who_later(State(clock): State<ManualClock>, visitor: Visitor) -> Result<String> {
    // Access tokens live for a minute, ID tokens for an hour.
    clock.advance(Duration::from_secs(90));
    who(visitor).await
}

#[tokio::test]
async fn a_visitor_is_who_the_id_token_of_others_says_also_after_a_refresh() {
    log_in(|spec| spec.client("openid", SECRET)).await;
}

#[tokio::test]
async fn an_application_authenticates_by_keys_that_the_provider_fetches_from_it() {
    log_in(|spec| spec.signing_client("signing")).await;
}

#[tokio::test]
async fn an_application_authenticates_by_assertions_with_its_secret() {
    let signs = |spec: SpecBuf<OAuth2Buf>| spec.secret_signs_assertions(Algorithm::Hs256);
    log_in(|spec| signs(spec).client("secret-jwt", SECRET)).await;
}

/// A login of a client of the provider, and a refresh.
async fn log_in(client: impl FnOnce(SpecBuf<OAuth2Buf>) -> Client<Dynamic>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let registered = json!({
        "client_id": "website",
        "client_secret": SECRET,
        "redirect_uris": [format!("{site}/login/acme/authorized")],
    });
    let service = Running::start(node("servers/oidc-provider.js"), &registered).await;
    let clock = ManualClock::at(Env::system().now());
    let spec = SpecBuf::oidc("acme", service.issuer.clone()).scopes("openid email");
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let login = Login::new(KeyRing::ephemeral(), &site)
        .env(clock.env())
        .client_keys(ClientKeys::new(SigningKeys::new(key, clock.now()).unwrap()))
        .with(client(spec).parameter("max_age", "600"));
    login.check().unwrap();
    let pages = Router::new().route("/who", get(who)).route("/later", get(who_later));
    let app = login.attach(pages.with_state(clock));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let margot = json!({ "login": "margot", "password": "anything" });
    let seen = visit(&[format!("{site}/who"), format!("{site}/later")], &margot).await;
    assert!(seen.as_array().unwrap().iter().all(|page| page["status"] == 200), "{seen}");
    let page =
        |at: usize| -> Value { serde_json::from_str(seen[at]["text"].as_str().unwrap()).unwrap() };
    let first = page(0);
    assert_eq!(first["account"], format!("{}#margot", service.issuer), "{seen}");
    assert_eq!(first["sub"], "margot");
    assert_eq!(first["email"], "margot@id.example");
    assert_eq!(first["verified"], true);
    assert_eq!(page(1)["account"], first["account"], "after a refresh with its own ID token");
}
