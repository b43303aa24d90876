//! The audit log, and the number of a request.

use std::{path::Path, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{PASSWORD, Stage},
    process::{Folder, Program, eventually, failure},
};

/// The lines of an audit log.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(path: &Path) -> Vec<String> {
    lines(path).iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
}

/// The response to a request with this number.
async fn numbered(program: &Program, path: &str, number: Option<&str>) -> (String, String) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.get(program.url(path)).header("accept", "text/html");
    if let Some(number) = number {
        request = request.header("x-request-id", number);
    }
    let response = request.send().await.unwrap();
    let number = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    (number, response.text().await.unwrap())
}

#[tokio::test]
async fn the_number_on_an_error_page_is_in_the_log() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let (number, page) = numbered(&program, "/oauth/authorize?client_id=nobody", None).await;
    assert_eq!(number.len(), 16);
    assert!(page.contains(&format!("tell the operator this number: <code>{number}</code>")));
    let log = program.log();
    let of_it: Vec<_> = log.lines().filter(|line| line.contains(&number)).collect();
    for words in ["request refused", "path=\"/oauth/authorize\""] {
        let is_there = of_it.iter().any(|line| line.contains(words));
        assert!(is_there && !of_it.is_empty(), "{words}: {log}");
    }
    // A stranger cannot choose it.
    let (other, page) = numbered(&program, "/nowhere", Some("chosen-by-a-stranger")).await;
    assert!(other != number && page.contains(&other) && !page.contains("stranger"), "{page}");
    assert!(!program.log().contains("stranger"));
    let (_, page) = numbered(&program, "/sign-in", None).await;
    assert!(!page.contains("tell the operator"), "only an error has one");
    program.stop();
}

#[tokio::test]
async fn a_trusted_proxy_chooses_the_number_and_json_lines_have_it() {
    let folder = Folder::new();
    let arguments = ["--trusted-proxy", "127.0.0.1", "--log-format", "json"];
    let program = Program::start_with(&folder, &arguments);
    let (number, page) = numbered(&program, "/nowhere", Some("from-nginx-17")).await;
    assert_eq!(number, "from-nginx-17");
    assert!(page.contains("<code>from-nginx-17</code>"), "{page}");
    let log = program.log();
    let of_it = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_it: Vec<_> = of_it.filter(|line| line["span"]["id"] == "from-nginx-17").collect();
    assert!(of_it.iter().any(|line| line["path"] == "/nowhere"), "{log}");
    for wrong in ["<script>", "", &"x".repeat(129)] {
        let (number, page) = numbered(&program, "/nowhere", Some(wrong)).await;
        assert!(number.len() == 16 && page.contains(&number), "{wrong}: {number}");
    }
    program.stop();
}

#[tokio::test]
async fn people_and_commands_are_recorded_with_whom_they_concern() {
    let folder = Folder::new();
    let file = folder.path().join("audit.jsonl");
    let setting = format!("audit_log={}", file.display());
    let setting = ["--set", &*setting];
    let stage = Stage::with(&[&setting[..], &["--log", "off"]].concat());
    let (program, browser) = (&stage.program, Browser::new());
    let page = browser.get(&stage.authorize_url()).await;
    browser.sign_in(&page, "ada", "wrong horse").await;
    browser.sign_in(&page, "typed my passw0rd here", PASSWORD).await;
    stage.dance(&browser).await;
    let id = stage.client["client_id"].as_str().unwrap();
    let command = |arguments: &[&str]| program.json(&[arguments, &setting].concat());
    command(&["client", "edit", id, "--name", "Printer"]);
    command(&["client", "rotate-secret", id]);
    let token = ["user", "token", "add", "ada", "backup", "--scope", "photos:read"];
    let number = command(&token)["number"].clone();
    command(&["user", "token", "revoke", "ada", number.as_str().unwrap()]);
    command(&["user", "withdraw", "ada", id]);
    command(&["user", "list"]);
    command(&["user", "remove", "ada", "--yes"]);
    command(&["client", "remove", id, "--yes"]);
    let rotated = command(&["keys", "rotate", "--at-once"]);
    failure(&program.data, &[&["client", "remove", "nobody"][..], &setting].concat());

    let subject = lines(&file)[0]["subject"].clone();
    assert!(subject.is_string());
    let expected = [
        json!({ "event": "sign_in_failed", "account": "Ada", "subject": subject,
            "address": "127.0.0.1", "slowed_down": false }),
        json!({ "event": "sign_in_failed", "address": "127.0.0.1", "slowed_down": false }),
        json!({ "event": "sign_in", "account": "Ada", "subject": subject,
            "address": "127.0.0.1", "known_browser": false }),
        json!({ "event": "consent_given", "account": "Ada", "subject": subject,
            "address": "127.0.0.1", "client": id, "asked": "photos:read photos:write",
            "allowed": "photos:read photos:write" }),
        json!({ "event": "client_changed", "client": id }),
        json!({ "event": "secret_rotated", "client": id }),
        json!({ "event": "token_added", "account": "Ada", "subject": subject, "token": number,
            "name": "backup", "allowed": "photos:read" }),
        json!({ "event": "token_revoked", "account": "Ada", "subject": subject, "token": number }),
        json!({ "event": "consent_withdrawn", "account": "Ada", "subject": subject, "client": id }),
        json!({ "event": "user_removed", "account": "Ada", "subject": subject }),
        json!({ "event": "client_removed", "client": id }),
        json!({ "event": "keys_rotated", "name": rotated["keys"][0]["kid"], "at_once": true }),
    ];
    let found = lines(&file);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (mut line, expected) in found.into_iter().zip(expected) {
        let members = line.as_object_mut().unwrap();
        let time = members.remove("time").unwrap();
        let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
        assert!(jiff::Timestamp::now().duration_since(time).as_secs() < 600);
        let request = members.remove("request");
        let operator = members.remove("operator");
        let uid = members.remove("uid");
        members.remove("sudo_user");
        let is_by_request = expected.get("address").is_some();
        assert_eq!(request.is_some_and(|number| number.is_string()), is_by_request, "{expected}");
        assert_eq!(operator.is_some_and(|name| name.is_string()), !is_by_request, "{expected}");
        assert_eq!(uid.is_some_and(|uid| uid.is_u64()), cfg!(unix) && !is_by_request);
        assert_eq!(line, expected);
    }
    assert_eq!(program.log(), "", "the level of the log is another matter");
}

#[tokio::test]
async fn each_request_of_the_audit_log_is_the_one_of_the_response() {
    let folder = Folder::new();
    let file = folder.path().join("audit.jsonl");
    let setting = format!("audit_log={}", file.display());
    let stage = Stage::with(&["--set", &setting]);
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let form = page.form("username").with("username", "ada").with("password", "wrong horse");
    let response = browser.send(Method::POST, form.action.as_str(), Some(&form)).await;
    assert_eq!(lines(&file)[0]["request"], response.headers()["x-request-id"].to_str().unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn a_rotated_audit_log_goes_on_in_a_new_file_and_a_lost_one_stops_nobody() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let [file, old] = ["audit.jsonl", "audit.jsonl.1"].map(|name| folder.path().join(name));
    let setting = format!("audit_log={}", file.display());
    let stage = Stage::with(&["--set", &setting]);
    let browser = Browser::new();
    let fail = async || {
        let page = browser.get(&stage.program.url("/sign-in")).await;
        browser.sign_in(&page, "ada", "wrong horse").await.status
    };
    fail().await;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::rename(&file, &old).unwrap();
    stage.program.signal("-HUP");
    fail().await;
    assert_eq!(
        [names(&old), names(&file)],
        [["sign_in_failed"]; 2].map(|it| it.map(str::to_owned))
    );
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(fail().await, StatusCode::FORBIDDEN);
    let told = || async { stage.program.log().contains("the audit log is not written") };
    assert!(eventually(Duration::from_secs(5), told).await);
    std::fs::remove_dir(&file).unwrap();
    fail().await;
    assert_eq!(names(&file), ["sign_in_failed"]);
    let log = stage.program.log();
    assert_eq!(log.matches("the audit log is not written").count(), 1, "{log}");
    assert!(log.contains("the audit log is written again"), "{log}");
    stage.program.stop();
}

#[test]
fn an_audit_log_that_cannot_be_opened_is_an_error_at_the_start() {
    let folder = Folder::new();
    let setting = ["--set", "audit_log=/nowhere/at/all"];
    for command in [&["serve"][..], &["client", "list"]] {
        let (code, said) = failure(&folder.data(), &[command, &setting].concat());
        assert!(code == 3 && said.contains("audit_log: /nowhere/at/all"), "{code} {said}");
    }
}
