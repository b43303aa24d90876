//! Limits that all processes of a database share.

use reqwest::{Client, StatusCode};
use serde_json::json;

use crate::{
    browser::Browser,
    flow::PASSWORD,
    postgres::{another, machine, stage},
    process::Program,
    servers,
};

const OPEN: [&str; 2] = ["--set", "registration=open-to-anybody-so-that-strangers-add-clients"];

async fn register(program: &Program) -> StatusCode {
    let http = Client::builder().no_proxy().build().unwrap();
    let metadata = json!({
        "redirect_uris": ["http://127.0.0.1:9/callback"],
        "token_endpoint_auth_method": "none",
    });
    let request = http.post(program.url("/oauth/register")).json(&metadata);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn what_one_process_has_counted_all_others_and_a_restarted_one_know() {
    let url = servers::postgres_database();
    let arguments = [&OPEN[..], &["--device"]].concat();
    let stage = stage(&url, &arguments);
    let folder = machine(&stage.program);
    let second = another(&folder, &url, &arguments);
    for number in 0..20 {
        let program = if number % 2 == 0 { &stage.program } else { &second };
        assert_eq!(register(program).await, StatusCode::CREATED, "{number}");
    }
    for program in [&stage.program, &second] {
        assert_eq!(register(program).await, StatusCode::TOO_MANY_REQUESTS);
    }

    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/device")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let form = page.form("user_code").with("user_code", "BCDF-GHJK");
    for _ in 0..10 {
        assert_eq!(browser.submit(&form).await.status, 400);
    }
    let elsewhere = Browser::new();
    let page = elsewhere.get(&second.url("/device")).await;
    let page = elsewhere.sign_in(&page, "ada", PASSWORD).await;
    let form = page.form("user_code").with("user_code", "BCDF-GHJK");
    assert_eq!(elsewhere.submit(&form).await.status, 429);

    drop(second);
    let second = another(&folder, &url, &arguments);
    assert_eq!(register(&second).await, StatusCode::TOO_MANY_REQUESTS, "it forgot nothing");
}
