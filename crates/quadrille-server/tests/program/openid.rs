//! OpenID Connect.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    process::{Folder, Program},
};

async fn get(url: &str) -> Value {
    serde_json::from_str(&Browser::new().get(url).await.html).unwrap()
}

#[tokio::test]
async fn with_the_setting_the_program_is_a_provider_with_a_key_for_rs256() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "openid=true"]);
    let discovered = get(&program.url("/.well-known/openid-configuration")).await;
    assert_eq!(discovered["issuer"], program.url(""));
    assert_eq!(discovered["scopes_supported"], json!(["openid", "profile"]));
    assert_eq!(discovered["id_token_signing_alg_values_supported"], json!(["RS256"]));
    let keys = get(discovered["jwks_uri"].as_str().unwrap()).await;
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    // Clients can be registered with the scopes, by a command in another process.
    let callback = ["--redirect-uri", "https://app.example/cb", "--scope", "openid"];
    let client = program.json(&[&["client", "add", "App"], &callback[..]].concat());
    assert!(client["client_id"].is_string(), "{client}");
}

#[tokio::test]
async fn without_the_setting_there_is_no_discovery() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let answer = reqwest::get(program.url("/.well-known/openid-configuration")).await.unwrap();
    assert_eq!(answer.status(), 404);
}
