//! Measurements, health and readiness.

use std::{collections::BTreeSet, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{SCOPES, Stage, token},
    me::me,
    process::{Folder, Program, eventually},
};

const GUIDE: &str = include_str!("../../../../docs/src/program/observing.md");

const MEASURED: [&str; 2] = ["--set", "metrics_listen=127.0.0.1:0"];

async fn get(url: &str) -> (StatusCode, String) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http.get(url).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn metrics(program: &Program) -> String {
    let (status, text) = get(&format!("http://{}/metrics", program.metrics)).await;
    assert_eq!(status, StatusCode::OK);
    text
}

async fn ready(address: &str) -> (StatusCode, Value) {
    let (status, text) = get(&format!("{address}/ready")).await;
    (status, serde_json::from_str(&text).unwrap())
}

/// The value of the line that begins with this name and has these labels.
fn value(metrics: &str, name: &str, labels: &[&str]) -> f64 {
    let is_it = |line: &&str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    let mut found = metrics.lines().filter(is_it);
    let line = found.next().unwrap_or_else(|| panic!("no {name} {labels:?}: {metrics}"));
    assert!(found.next().is_none(), "{name} {labels:?}: {metrics}");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_happens_is_counted_and_the_guide_lists_each_number() {
    let stage = Stage::with(&MEASURED);
    let program = &stage.program;
    let browser = Browser::new();
    let page = browser.get(&stage.authorize_url()).await;
    browser.sign_in(&page, "ada", "wrong horse").await;
    let tokens = stage.dance(&browser).await;
    let access = tokens["access_token"].as_str().unwrap();
    for _ in 0..3 {
        assert_eq!(me(program, reqwest::Method::GET, access).await.0, StatusCode::OK);
    }
    let wrong = json!({ "client_id": stage.client["client_id"], "client_secret": "wrong" });
    let form = [("grant_type", "client_credentials")];
    assert_eq!(token(program, &wrong, &form).await.0, StatusCode::UNAUTHORIZED);

    let shown = metrics(program).await;
    let is = |name: &str, labels: &[&str]| value(&shown, name, labels);
    let requests = "quadrille_requests_total";
    let at = |endpoint, outcome| is(requests, &[endpoint, outcome]);
    assert!(at(r#"endpoint="authorization""#, r#"outcome="ok""#) >= 2.0);
    assert_eq!(at(r#"endpoint="consent""#, r#"outcome="ok""#), 1.0);
    assert_eq!(at(r#"endpoint="token""#, r#"outcome="ok""#), 1.0);
    assert_eq!(at(r#"endpoint="token""#, r#"outcome="invalid_client""#), 1.0);
    let took = "quadrille_request_duration_seconds";
    assert_eq!(is(&format!("{took}_count"), &[r#"endpoint="token""#]), 2.0);
    let sum = is(&format!("{took}_sum"), &[r#"endpoint="token""#]);
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
    assert_eq!(is(&format!("{took}_bucket"), &[r#"endpoint="token""#, r#"le="+Inf""#]), 2.0);
    assert_eq!(is("quadrille_sign_ins_total", &[r#"outcome="ok""#]), 1.0);
    assert_eq!(is("quadrille_sign_ins_total", &[r#"outcome="failed""#]), 1.0);
    assert_eq!(is("quadrille_sign_ins_total", &[r#"outcome="refused""#]), 0.0);
    assert_eq!(is("quadrille_store_duration_seconds_count", &[r#"verb="redeem""#]), 1.0);
    assert_eq!(is("quadrille_store_errors_total", &[r#"kind="busy""#]), 0.0);
    assert!(is("quadrille_sqlite_batch_writes_count", &[]) > 3.0);
    let lookups = "quadrille_cache_lookups_total";
    assert!(is(lookups, &[r#"kind="token""#, r#"result="hit""#]) >= 1.0);
    assert!(is(lookups, &[r#"kind="token""#, r#"result="miss""#]) >= 1.0);
    assert!((0.0..1024.0).contains(&is("quadrille_worker_number", &[])));
    let now = jiff::Timestamp::now().as_millisecond() as f64 / 1000.0;
    let left = is("quadrille_worker_lease_expiry_timestamp_seconds", &[]) - now;
    assert!((100.0..=300.0).contains(&left), "{left}");
    let age = now - is("quadrille_changes_read_timestamp_seconds", &[]);
    assert!((-1.0..60.0).contains(&age), "{age}");
    assert!(is("quadrille_connections", &[]) >= 1.0);
    assert!(is("quadrille_http_responses_total", &[r#"status="401""#]) >= 1.0);

    let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `quadrille_"));
    let told: BTreeSet<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            (format!("quadrille_{}", cells[0].trim_end_matches('`')), cells[1].to_owned())
        })
        .collect();
    let types = shown.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let types: BTreeSet<_> = types
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect();
    assert_eq!(told, types);
    for (name, _) in &types {
        assert!(shown.contains(&format!("# HELP {name} ")), "{name}");
    }
    let id = stage.client["client_id"].as_str().unwrap();
    assert!(!shown.contains(id) && !shown.to_lowercase().contains("ada\""), "{shown}");
}

#[tokio::test]
async fn numbers_are_not_shown_to_everybody() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &MEASURED);
    assert_ne!(program.metrics, program.listening);
    assert_eq!(get(&program.url("/metrics")).await.0, StatusCode::NOT_FOUND);
    let token = get(&format!("http://{}/oauth/token", program.metrics)).await;
    assert_eq!(token.0, StatusCode::NOT_FOUND);
    program.stop();
    let program = Program::start(&folder);
    assert_eq!(program.metrics, "", "off by default");
    program.stop();
}

#[tokio::test]
async fn a_process_that_drains_answers_and_is_not_ready() {
    let folder = Folder::new();
    let arguments = [&SCOPES[..], &MEASURED, &["--set", "drain_time=1h"]].concat();
    let program = Program::start_with(&folder, &arguments);
    let aside = format!("http://{}", program.metrics);
    let whole = |status: &str, process: &str| json!({ "status": status, "process": process, "store": "ok", "keys": "ok", "lease": "ok" });
    for address in [&program.issuer, &aside] {
        assert_eq!(ready(address).await, (StatusCode::OK, whole("ready", "ok")));
        assert_eq!(get(&format!("{address}/health")).await.1, r#"{"status":"ok"}"#);
    }
    program.signal("-TERM");
    let is_drained = || async { ready(&program.issuer).await.0 == 503 };
    assert!(eventually(Duration::from_secs(5), is_drained).await);
    for address in [&program.issuer, &aside] {
        let (status, body) = ready(address).await;
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!((status, body), (unavailable, whole("not_ready", "draining")));
        assert_eq!(get(&format!("{address}/health")).await.0, StatusCode::OK);
    }
    assert_eq!(get(&program.url("/sign-in")).await.0, StatusCode::OK);
    // A second signal ends the wait.
    program.stop();
}
