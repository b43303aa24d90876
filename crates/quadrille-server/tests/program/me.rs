//! `/api/me`: a call with a token.

use std::time::Duration;

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{Stage, token},
    process::{Program, eventually, run},
};

/// The response of the API to this token.
pub(crate) async fn me(
    program: &Program,
    method: Method,
    token: &str,
) -> (StatusCode, HeaderMap, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, program.url("/api/me")).bearer_auth(token);
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.text().await.unwrap();
    (status, headers, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test]
async fn an_application_learns_for_whom_it_acts_and_what_it_may_do() {
    let stage = Stage::new();
    let tokens = stage.dance(&Browser::new()).await;
    for method in [Method::GET, Method::POST] {
        let token = tokens["access_token"].as_str().unwrap();
        let (status, headers, me) = me(&stage.program, method, token).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["content-type"], "application/json");
        let sub = stage.program.json(&["user", "list"])[0]["subject"].clone();
        assert_eq!(
            me,
            json!({
                "sub": sub,
                "username": "Ada",
                "client_id": stage.client["client_id"],
                "scope": "photos:read photos:write",
            })
        );
    }
}

#[tokio::test]
async fn a_machine_is_not_taken_for_a_person() {
    let stage = Stage::new();
    let machine =
        ["client", "add", "Machine", "--grant", "client_credentials", "--scope", "photos:read"];
    let machine = stage.program.json(&machine);
    let form = [("grant_type", "client_credentials")];
    let (_, tokens) = token(&stage.program, &machine, &form).await;
    let token = tokens["access_token"].as_str().unwrap();
    let (_, _, me) = me(&stage.program, Method::GET, token).await;
    assert_eq!(me, json!({ "client_id": machine["client_id"], "scope": "photos:read" }));
}

#[tokio::test]
async fn who_brings_no_good_token_is_told_by_the_challenge() {
    let stage = Stage::new();
    let (status, headers, _) = me(&stage.program, Method::GET, "canary").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let challenge = headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"), "{challenge}");
    let answer = Browser::new().get(&stage.program.url("/api/me")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.header("www-authenticate").contains("error"), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_client_that_knows_only_the_api_finds_the_provider() {
    let stage = Stage::new();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let (_, headers, _) = me(&stage.program, Method::GET, "canary").await;
    let challenge = headers["www-authenticate"].to_str().unwrap();
    let url = challenge.split("resource_metadata=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(url, stage.program.url("/.well-known/oauth-protected-resource/api/me"));
    let metadata = http.get(url).send().await.unwrap();
    assert_eq!(metadata.headers()["access-control-allow-origin"], "*");
    let metadata: Value = metadata.json().await.unwrap();
    let issuer = &*stage.program.issuer;
    let resource = stage.program.url("/api/me");
    assert_eq!(
        metadata,
        json!({
            "resource": resource,
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
            "resource_name": issuer.split("//").nth(1),
        })
    );

    // A token for this API alone is valid there, and one for another is not.
    let machine =
        ["client", "add", "Machine", "--grant", "client_credentials", "--scope", "photos:read"];
    let machine = stage.program.json(&machine);
    let form = [("grant_type", "client_credentials"), ("resource", &*resource)];
    let (_, tokens) = token(&stage.program, &machine, &form).await;
    let (status, _, told) =
        me(&stage.program, Method::GET, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((status, &told["scope"]), (StatusCode::OK, &json!("photos:read")));
    let form = [("grant_type", "client_credentials"), ("resource", "https://api.example")];
    let (status, tokens) = token(&stage.program, &machine, &form).await;
    assert_eq!((status, &tokens["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_target")));
}

#[tokio::test]
async fn a_token_for_another_api_is_no_good() {
    let stage = Stage::with(&["--set", "resources=https://api.example"]);
    let machine = ["client", "add", "Machine", "--grant", "client_credentials"];
    let machine = stage.program.json(&machine);
    let form = [("grant_type", "client_credentials"), ("resource", "https://api.example")];
    let (_, tokens) = token(&stage.program, &machine, &form).await;
    let (status, ..) =
        me(&stage.program, Method::GET, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_ends_with_its_consent_its_user_and_by_command() {
    let stage = Stage::new();
    let (program, browser) = (&stage.program, Browser::new());
    let refused = |token: &Value| {
        let token = token.as_str().unwrap().to_owned();
        async move { me(program, Method::GET, &token).await.0 == StatusCode::UNAUTHORIZED }
    };
    // Commands are separate processes.
    let soon = Duration::from_secs(5);

    let token = stage.dance(&browser).await["access_token"].clone();
    let page = browser.get(&program.url("/")).await;
    browser.submit(&browser.withdrawal(&page).await).await;
    assert!(refused(&token).await, "withdrawn by the person, in this process: at once");

    let token = stage.dance_again(&browser).await["access_token"].clone();
    let revoke = ["token", "revoke", "--token-stdin"];
    assert!(run(&program.data, &revoke, token.as_str().unwrap()).status.success());
    assert!(eventually(soon, || refused(&token)).await);

    let token = stage.dance_again(&browser).await["access_token"].clone();
    program.json(&["user", "remove", "ada", "--yes"]);
    assert!(eventually(soon, || refused(&token)).await);
}

#[tokio::test]
async fn an_application_in_a_browser_can_read_what_it_is_told_and_that_it_is_refused() {
    let stage = Stage::new();
    let (program, http) = (&stage.program, reqwest::Client::builder().no_proxy().build().unwrap());
    let ask = |method| http.request(method, program.url("/api/me")).send();
    let preflight = ask(Method::OPTIONS).await.unwrap();
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    let allowed = preflight.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("authorization"), "{allowed}");
    let refused = ask(Method::GET).await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    for answer in [preflight, refused] {
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert!(answer.headers().get("access-control-allow-credentials").is_none());
    }
}
