//! The API, run as a user runs it, with tokens of an issuer that the test starts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "../../shared/issuer.rs"]
mod issuer;

use issuer::{API, Issuer, MAIL};

#[tokio::test]
async fn tokens_of_the_issuer_for_this_api_are_let_in_and_no_others() {
    let issuer = Issuer::start().await;
    let (_child, url) = issuer.api(env!("CARGO_BIN_EXE_api")).await;
    let http = reqwest::Client::new();
    let read = issuer.token("photos:read", API).await;
    let photos = format!("{url}/photos");
    let answer = http.get(&photos).bearer_auth(&read).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.text().await.unwrap(),
        format!("the photos of Client({:?})", issuer.client_id)
    );

    let answer = http.post(&photos).bearer_auth(&read).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="photos:read photos:write""#), "{challenge}");
    let both = issuer.token("photos:read photos:write", API).await;
    assert_eq!(http.post(&photos).bearer_auth(both).send().await.unwrap().status(), 200);

    let elsewhere = issuer.token("photos:read", MAIL).await;
    for other in [&*elsewhere, "nonsense", &read.replacen("eyJ", "eyK", 1)] {
        let answer = http.get(&photos).bearer_auth(other).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{other}");
    }
    let answer = http.get(&photos).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with(r#"Bearer realm="https://api.example""#), "{challenge}");
}
