//! npm's oidc-provider, used as a plain OAuth 2 service.

use std::time::Duration;

use axum::{Router, body::Body, extract::State, routing::get};
use http::{Request, StatusCode};
use quadrille::{
    KeyRing, Linked, Login, Result, Service, Spec,
    consumer::{Begin, Finished, LoggedOut, Loopback, MemoryStorage, Revocation, Token},
    testing::{Browser, ManualClock},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, time};

use crate::support::{Running, node, visit};

// Everything that the form-encoding of RFC 6749, section 2.3.1 is there for.
const CLIENT_ID: &str = "quadrille:website";
const CLIENT_SECRET: &str = "a secret: 100% + a bit & more";

struct OidcProvider;

impl Service for OidcProvider {
    const SPEC: Spec = Spec::oauth2("oidc-provider", "auth", "token", "api")
        .issuer_in_every_answer("")
        .scopes("api:read")
        .identity("me", "login")
        .device_authorization("device/auth")
        .revocation("../token/revocation", Revocation::Standard)
        .any_loopback_port()
        .build();
}

/// The service, for a website with these redirect URIs.
async fn start(redirect_uris: &[String]) -> Running {
    let client = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": redirect_uris,
    });
    Running::start(node("servers/oidc-provider.js"), &client).await
}

/// The person and their password.
fn margot() -> Value {
    json!({ "login": "margot", "password": "anything" })
}

#[tokio::test]
async fn a_visitor_logs_in_with_a_service_that_others_wrote_and_stays_so_when_the_token_expires() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let service = start(&[format!("{site}/login/oidc-provider/authorized")]).await;
    let clock = ManualClock::new();
    let client = OidcProvider::client(CLIENT_ID, CLIENT_SECRET).hosted_at(service.issuer.clone());
    let login = Login::new(KeyRing::ephemeral(), &site).env(clock.env()).with(client);
    login.check().unwrap();
    let pages = Router::new().route("/photos", get(who)).route("/tomorrow", get(who_tomorrow));
    let app = login.attach(pages.with_state(clock));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let wanted = format!("{site}/photos?album=2");
    let urls = [wanted.clone(), format!("{site}/photos"), format!("{site}/tomorrow")];
    let seen = visit(&urls, &margot()).await;

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

#[tokio::test]
async fn a_callback_by_post_ends_at_the_page_that_was_wanted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let service = start(&[format!("{site}/login/oidc-provider/authorized")]).await;
    let client = OidcProvider::client(CLIENT_ID, CLIENT_SECRET).hosted_at(service.issuer.clone());
    let client = client.parameter("response_mode", "form_post");
    let login = Login::new(KeyRing::ephemeral(), &site).with(client);
    login.check().unwrap();
    let app = login.attach(Router::new().route("/photos", get(who)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let wanted = format!("{site}/photos?album=2");
    let seen = visit(std::slice::from_ref(&wanted), &margot()).await;
    assert_eq!(seen[0]["url"], wanted, "{seen}");
    assert!(seen[0]["text"].as_str().unwrap().starts_with("margot by token "), "{seen}");
}

#[tokio::test]
async fn a_script_finishes_the_login_that_it_began() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let page = format!("{site}/app/logged-in");
    let service = start(std::slice::from_ref(&page)).await;
    let client = OidcProvider::client(CLIENT_ID, CLIENT_SECRET).hosted_at(service.issuer.clone());
    let login = Login::new(KeyRing::ephemeral(), &site).with(client.json_callback(page));
    login.check().unwrap();
    let routes = Router::new().route("/photos", get(who));
    let mut browser = Browser::new(login.attach(routes).merge(login.json_routes()));
    // The page of the application, whose script takes the query.
    let pages = Router::new().route("/app/logged-in", get(async || "a script"));
    tokio::spawn(async move { axum::serve(listener, pages).await });

    let begun = post(&mut browser, "begin", &json!({ "next": "/photos" })).await;
    let seen = visit(&[begun["url"].as_str().unwrap().to_owned()], &margot()).await;
    let back = url::Url::parse(seen[0]["url"].as_str().unwrap()).unwrap();
    let query: serde_json::Map<String, Value> =
        back.query_pairs().map(|(name, value)| (name.into(), (&*value).into())).collect();
    let done = post(&mut browser, "finish", &query.into()).await;
    assert_eq!(done["next"], "/photos", "{done}");
    let page = browser.visit("/photos").await;
    assert!(page.text.starts_with("margot by token "), "{page:?}");
}

/// A request of the application's own script.
async fn post(browser: &mut Browser, step: &str, body: &Value) -> Value {
    let request = Request::post(format!("/login/oidc-provider/{step}"))
        .header("content-type", "application/json")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body.to_string()));
    let page = browser.send(request.unwrap()).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    serde_json::from_str(&page.text).unwrap()
}

/// A program, the clock by which its tokens expire, and its login.
fn program(service: &Running) -> (ManualClock, Login) {
    let clock = ManualClock::new();
    let client = OidcProvider::public_client("program").hosted_at(service.issuer.clone());
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .env(clock.env())
        .with(client)
        .storage(MemoryStorage::new());
    login.check().unwrap();
    (clock, login)
}

/// The account works, its refresh tokens rotate, and it ends at the service when the user logs out.
async fn use_and_log_out(clock: &ManualClock, login: &Login, done: Finished) {
    assert_eq!(&*done.account.subject, "margot");
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let linked = login.linked::<OidcProvider>(&done.account).await.unwrap();
        tokens.push(who(linked).await.unwrap());
        clock.advance(Duration::from_secs(24 * 3600));
    }
    assert!(tokens.iter().all(|token| token.starts_with("margot by token ")), "{tokens:?}");
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2], "each is refreshed: {tokens:?}");
    let linked = login.linked::<OidcProvider>(&done.account).await.unwrap();
    let token = linked.access_token().await.unwrap();
    let ended = linked.log_out().await.unwrap();
    assert!(matches!(ended, LoggedOut::Revoked), "{ended:?}");
    let dead = login.api("oidc-provider", Token::new(token)).await.unwrap();
    let refused = dead.get::<Value>("me").await.unwrap_err();
    assert!(matches!(refused, quadrille::Error::Api { status, .. } if status == 401), "{refused}");
}

#[tokio::test]
async fn a_program_logs_in_by_a_code_that_the_user_types_in() {
    let service = start(&["https://app.example/callback".to_owned()]).await;
    let (clock, login) = program(&service);
    let device = login.begin_device(&Begin::new("oidc-provider")).await.unwrap();
    let fill =
        json!({ "login": "margot", "password": "anything", "user_code": device.user_code() });
    let seen = visit(&[device.verification_uri().to_owned()], &fill).await;
    assert_eq!(seen[0]["status"], 200, "{seen}");
    let waiting = tokio::spawn(device.finish());
    tokio::task::yield_now().await;
    // The first request for the token is due after five seconds.
    time::pause();
    time::advance(Duration::from_secs(5)).await;
    time::resume();
    use_and_log_out(&clock, &login, waiting.await.unwrap().unwrap()).await;
}

#[tokio::test]
async fn a_program_logs_in_in_a_browser_of_the_same_machine() {
    let service = start(&["https://app.example/callback".to_owned()]).await;
    let (clock, login) = program(&service);
    let (opened, mut url) = mpsc::unbounded_channel();
    let loopback = Loopback::new().open(move |url| opened.send(url.to_owned()).unwrap());
    let waiting = login.begin_loopback(&Begin::new("oidc-provider"), loopback).await.unwrap();
    let waiting = tokio::spawn(waiting.finish());
    let seen = visit(&[url.recv().await.unwrap()], &margot()).await;
    assert_eq!(seen[0]["status"], 200, "{seen}");
    assert!(seen[0]["text"].as_str().unwrap().contains("logged in"), "{seen}");
    use_and_log_out(&clock, &login, waiting.await.unwrap().unwrap()).await;
}
