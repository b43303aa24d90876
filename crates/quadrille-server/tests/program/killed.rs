//! A program that is killed at work, again and again.

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use crate::{
    browser::Browser,
    flow::{SCOPES, Stage},
    process::{Program, run, text},
};

/// Requests until the program is gone. A complete answer is a promise.
async fn answer(
    http: &Client,
    program: &Program,
    client: &Value,
    fields: &[(&str, &str)],
) -> Option<Value> {
    let asked = http
        .post(program.url("/oauth/token"))
        .basic_auth(client["client_id"].as_str().unwrap(), client["client_secret"].as_str())
        .form(fields);
    let response = asked.send().await.ok()?;
    let status = response.status();
    let answer = response.json().await.ok()?;
    assert_eq!(status, StatusCode::OK, "{answer}");
    Some(answer)
}

fn field(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_answered_before_a_kill_is_good_after_it() {
    let stage = Stage::new();
    let tokens = stage.dance(&Browser::new()).await;
    let machine =
        stage.program.json(&["client", "add", "Machine", "--grant", "client_credentials"]);
    let Stage { mut program, client, folder } = stage;
    let mut refresh_token = field(&tokens, "refresh_token");
    let http = Client::builder().no_proxy().build().unwrap();
    for round in 0..20 {
        let (answered, mut count) = watch::channel(0);
        let renew = async {
            let mut newest = refresh_token.clone();
            loop {
                let fields = [("grant_type", "refresh_token"), ("refresh_token", &*newest)];
                let Some(answer) = answer(&http, &program, &client, &fields).await else { break };
                newest = field(&answer, "refresh_token");
                answered.send_modify(|count| *count += 1);
            }
            newest
        };
        let work = async || {
            let mut newest = None;
            let fields = [("grant_type", "client_credentials")];
            while let Some(answer) = answer(&http, &program, &machine, &fields).await {
                newest = Some(field(&answer, "access_token"));
                answered.send_modify(|count| *count += 1);
            }
            newest
        };
        let kill = async {
            // The moment within a request varies.
            count.wait_for(|count| *count > 10 + round).await.unwrap();
            program.signal("-KILL");
        };
        let (newest, first, second, ()) = tokio::join!(renew, work(), work(), kill);
        let listening = program.listening.clone();
        drop(program);
        let listen = ["--listen", &*listening];
        program = Program::start_with(&folder, &[&SCOPES[..], &listen].concat());
        // A request under way at the kill may count as a repeat.
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &*newest)];
        let renewed = answer(&http, &program, &client, &fields).await.unwrap();
        refresh_token = field(&renewed, "refresh_token");
        // Only a valid token can be revoked.
        let token = first.or(second).unwrap();
        let output = run(&program.data, &["token", "revoke", "--token-stdin"], &token);
        assert!(output.status.success(), "round {round}: {}", text(&output.stderr));
        let output = run(&program.data, &["token", "revoke", "--token-stdin"], &token);
        assert_eq!(output.status.code(), Some(6), "{}", text(&output.stderr));
    }
    assert!(!program.log().contains("panicked"));
}
