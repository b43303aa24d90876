//! The API, run as a user runs it, with tokens of an issuer that the test starts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::process::Stdio;

use axum::Router;
use quadrille::{
    Env, Scopes,
    jose::{Algorithm, SigningKey, SigningKeys},
    provider::{AccessTokenFormat, AuthorizationServer, NewClient, store::MemoryStore},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

const API: &str = "https://api.example";

/// The issuer, and the identifier and the secret of a client.
async fn issuer() -> (String, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let env = Env::system();
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let server = AuthorizationServer::new(&issuer, MemoryStore::new(env.clone()))
        .unwrap()
        .scopes([("photos:read", "See your photos"), ("photos:write", "Change your photos")])
        .signing_keys(SigningKeys::new(key, env.now()).unwrap())
        .access_token_format_for(API, AccessTokenFormat::Jwt)
        .unwrap()
        .resource("https://mail.example")
        .unwrap();
    let scopes = Scopes::of(["photos:read", "photos:write"]);
    let registered =
        server.register(NewClient::confidential("Worker").scopes(scopes)).await.unwrap();
    let secret = registered.secret.unwrap().expose().to_owned();
    let routes: Router = server.routes();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (issuer, registered.client.id.to_string(), secret)
}

/// The API as a process, and its address.
async fn api(issuer: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .env("PORT", "0")
        .env("ISSUER", issuer)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().expect("the API says where it is");
    (child, line.strip_prefix("Open ").unwrap().to_owned())
}

#[tokio::test]
async fn tokens_of_the_issuer_for_this_api_are_let_in_and_no_others() {
    let (issuer, id, secret) = issuer().await;
    let (_child, url) = api(&issuer).await;
    let http = reqwest::Client::new();
    let token = async |scope: &str, resource: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", scope), ("resource", resource)];
        let request = http.post(format!("{issuer}/oauth/token")).basic_auth(&id, Some(&secret));
        let answer: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let read = token("photos:read", API).await;
    let photos = format!("{url}/photos");
    let answer = http.get(&photos).bearer_auth(&read).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), format!("the photos of Client({id:?})"));

    let answer = http.post(&photos).bearer_auth(&read).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="photos:read photos:write""#), "{challenge}");
    let both = token("photos:read photos:write", API).await;
    assert_eq!(http.post(&photos).bearer_auth(both).send().await.unwrap().status(), 200);

    let elsewhere = token("photos:read", "https://mail.example").await;
    for other in [&*elsewhere, "nonsense", &read.replacen("eyJ", "eyK", 1)] {
        let answer = http.get(&photos).bearer_auth(other).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{other}");
    }
    let answer = http.get(&photos).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with(r#"Bearer realm="https://api.example""#), "{challenge}");
}
