//! npm's oidc-provider, used as a plain OAuth 2 service.

use std::time::Duration;

use axum::{Router, extract::State, routing::get};
use quadrille::{KeyRing, Linked, Login, Result, Service, Spec, testing::ManualClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Running, node, visit};

// Everything that the form-encoding of RFC 6749, section 2.3.1 is there for.
const CLIENT_ID: &str = "quadrille:website";
const CLIENT_SECRET: &str = "a secret: 100% + a bit & more";

struct OidcProvider;

impl Service for OidcProvider {
    const SPEC: Spec = Spec::oauth2("oidc-provider", "auth", "token", "api")
        .issuer_in_every_answer("")
        .scopes("api:read")
        .build();
}

#[tokio::test]
async fn a_visitor_logs_in_with_a_service_that_others_wrote_and_stays_so_when_the_token_expires() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let client = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": format!("{site}/login/oidc-provider/authorized"),
    });
    let service = Running::start(node("servers/oidc-provider.js"), &client).await;
    let clock = ManualClock::new();
    let client = OidcProvider::client(CLIENT_ID, CLIENT_SECRET).hosted_at(service.issuer.clone());
    let login = Login::new(KeyRing::ephemeral(), &site).env(clock.env()).with(client);
    login.check().unwrap();
    let pages = Router::new().route("/photos", get(who)).route("/tomorrow", get(who_tomorrow));
    let app = login.attach(pages.with_state(clock));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let wanted = format!("{site}/photos?album=2");
    let urls = [wanted.clone(), format!("{site}/photos"), format!("{site}/tomorrow")];
    let seen = visit(&urls, &json!({ "login": "margot", "password": "anything" })).await;

    let text = |page: usize| seen[page]["text"].as_str().unwrap();
    assert!(seen.as_array().unwrap().iter().all(|page| page["status"] == 200), "{seen}");
    assert_eq!(seen[0]["url"], wanted, "back at the page that was wanted");
    assert!(text(0).starts_with("margot by token "), "{seen}");
    assert_eq!(text(1), text(0), "the same token serves until it expires");
    assert!(text(2).starts_with("margot by token "), "{seen}");
    assert_ne!(text(2), text(0), "a token that has expired is refreshed on the way");
}

async fn who(service: Linked<OidcProvider>) -> Result<String> {
    let me: Value = service.get("me").await?;
    let text = |name: &str| me[name].as_str().unwrap_or_default().to_owned();
    Ok(format!("{} by token {}", text("login"), text("token")))
}

async fn who_tomorrow(
    State(clock): State<ManualClock>,
    service: Linked<OidcProvider>,
) -> Result<String> {
    clock.advance(Duration::from_secs(24 * 3600));
    who(service).await
}
