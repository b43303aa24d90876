//! `quadrille fake`: a fake of a service, for tests in any language.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Stdio},
};

use reqwest::{Client, Response, StatusCode, Url, header, redirect};
use serde_json::{Value, json};

use crate::process::{Folder, failure, quadrille, run, text};

/// A running fake.
struct Fake {
    child: Child,
    ready: Value,
    http: Client,
}

impl Fake {
    fn start(arguments: &[&str]) -> Self {
        let mut command = quadrille(&["fake", "--json"]);
        // It needs no folder.
        command.args(arguments).env_remove("HOME").env_remove("XDG_DATA_HOME");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none());
        let http = http.tls_certs_only([]).build().unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap(), http }
    }

    fn at(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.ready))
    }

    /// The authorization request of the application.
    fn question(&self) -> Url {
        let query = [
            ("response_type", "code"),
            ("client_id", self.at("client_id")),
            ("redirect_uri", "http://localhost:3000/callback"),
            ("state", "s"),
        ];
        Url::parse_with_params(self.at("authorization_endpoint"), query).unwrap()
    }

    /// The parameters with which a browser comes back, after its user has chosen a button.
    async fn answer(&self, button: &[(&str, &str)]) -> Vec<(String, String)> {
        let answer = self.http.post(self.question()).form(button).send().await.unwrap();
        let location = answer.headers()[header::LOCATION].to_str().unwrap();
        let pairs = Url::parse(location).unwrap();
        pairs.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// The answer of the token endpoint.
    async fn token(&self, form: &[(&str, &str)]) -> Response {
        let who = [
            ("client_id", self.at("client_id")),
            ("client_secret", self.at("client_secret")),
            ("redirect_uri", "http://localhost:3000/callback"),
        ];
        let request = self.http.post(self.at("token_endpoint")).form(&[form, &who].concat());
        request.header("accept", "application/json").send().await.unwrap()
    }

    /// A token of user 1.
    async fn log_in(&self) -> String {
        let answer = self.answer(&[("allow", "1")]).await;
        let code = &answer.iter().find(|(name, _)| name == "code").unwrap().1;
        let form = [("grant_type", "authorization_code"), ("code", code)];
        let tokens: Value = self.token(&form).await.json().await.unwrap();
        tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    async fn call(&self, url: &str, token: &str) -> Response {
        let accept = "application/vnd.github+json";
        let call = self.http.get(url).bearer_auth(token).header("accept", accept);
        call.header("user-agent", "a-client").send().await.unwrap()
    }

    async fn change(&self, method: reqwest::Method, path: &str, body: &Value) -> Response {
        let request = self.http.request(method, format!("{}{path}", self.at("control")));
        request.json(body).send().await.unwrap()
    }

    /// Ends it, and returns its log.
    fn end(mut self) -> String {
        let id = self.child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn an_application_logs_in_at_a_fake_that_says_where_it_is() {
    let fake = Fake::start(&["github", "--user", r#"{"login": "grace"}"#]);
    assert_eq!(fake.ready["service"], "github");
    assert!(fake.at("url").starts_with("http://127.0.0.1:"), "{}", fake.ready);
    let token = fake.log_in().await;
    let account: Value = fake.call(fake.at("account"), &token).await.json().await.unwrap();
    assert_eq!(account["login"], "grace", "{account}");
    let denied = fake.answer(&[("deny", "1")]).await;
    assert!(denied.contains(&("error".to_owned(), "access_denied".to_owned())), "{denied:?}");
    assert_eq!(fake.end(), "");
}

#[tokio::test]
async fn a_test_changes_it_while_it_runs() {
    let fake = Fake::start(&["github", "--fault", "denied"]);
    let put = reqwest::Method::PUT;
    let denied = fake.answer(&[("allow", "1")]).await;
    assert!(denied.iter().any(|(name, _)| name == "error"), "{denied:?}");
    assert_eq!(fake.change(put.clone(), "/faults", &json!([])).await.status(), 204);
    let token = fake.log_in().await;
    assert_eq!(fake.call(fake.at("account"), &token).await.status(), 200);
    fake.change(put.clone(), "/faults", &json!(["server_error"])).await;
    assert_eq!(fake.call(fake.at("account"), &token).await.status(), 500);
    fake.change(put.clone(), "/faults", &json!(["everything_expired"])).await;
    assert_eq!(fake.call(fake.at("account"), &token).await.status(), 401);
    fake.change(put.clone(), "/faults", &json!([])).await;

    let post = reqwest::Method::POST;
    fake.change(post.clone(), "/users", &json!({ "id": 9, "login": "joan" })).await;
    let page = fake.http.get(fake.question()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("joan"), "{page}");
    let teapot = json!({ "for": "api", "status": 418, "body": { "short": "stout" } });
    assert_eq!(fake.change(post.clone(), "/answers", &teapot).await.status(), 204);
    let answer = fake.call(&format!("{}/kettle", fake.at("url")), "any").await;
    assert_eq!(answer.status(), 418);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "short": "stout" }));

    let shown: Value =
        fake.http.get(fake.at("control")).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["faults"], json!([]));
    let last = shown["requests"].as_array().unwrap().last().unwrap();
    assert!(last["url"].as_str().unwrap().ends_with("/kettle"), "{last}");

    for (method, path, body, said) in [
        (put, "/faults", json!(["denid"]), "did you mean"),
        (post.clone(), "/users", json!([]), "object"),
        (post, "/answers", json!({ "for": "tea" }), "api"),
    ] {
        let refused = fake.change(method, path, &body).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        let refused = refused.text().await.unwrap();
        assert!(refused.contains(said), "{refused}");
    }
    // No page of a site changes it, by whatever name.
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let foreign = fake.http.get(fake.at("control")).header(name, value);
        assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{name}");
    }
}

#[tokio::test]
async fn what_a_service_does_not_have_is_answered_as_it_would_and_said_in_the_log() {
    let fake = Fake::start(&["dropbox"]);
    let anywhere = format!("{}/kettle", fake.at("url"));
    assert_eq!(fake.call(&anywhere, "any").await.status(), StatusCode::NOT_FOUND);
    let device = format!("{}/device_authorization", fake.at("url"));
    let begun = fake.http.post(device).form(&[("client_id", fake.at("client_id"))]);
    assert_eq!(begun.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let log = fake.end();
    assert!(log.contains("there is nothing at this path") && log.contains("/kettle"), "{log}");
    assert!(log.contains("no device logins"), "{log}");

    let fake = Fake::start(&["github"]);
    let refused = fake.token(&[("grant_type", "refresh_token"), ("refresh_token", "x")]).await;
    let refused: Value = refused.json().await.unwrap();
    assert!(refused["error"].is_string(), "{refused}");
    let log = fake.end();
    assert!(log.contains("issues no refresh tokens"), "{log}");
}

#[tokio::test]
async fn a_tape_is_played_for_programs_in_any_language() {
    let tape = concat!(env!("CARGO_MANIFEST_DIR"), "/../quadrille/tests/tapes/github_user.json");
    let fake = Fake::start(&["--tape", tape]);
    let user = fake.call(&format!("{}/user", fake.at("url")), "any").await;
    assert_eq!(user.json::<Value>().await.unwrap()["login"], "ada");
    let lacks = fake.call(&format!("{}/gists", fake.at("url")), "any").await;
    assert_eq!(lacks.status(), StatusCode::NOT_FOUND);
    let told: Value = lacks.json().await.unwrap();
    let nearest = "lacks the exchange GET https://api.github.com/gists, the nearest is GET";
    assert!(told["error_description"].as_str().unwrap().contains(nearest), "{told}");
    let log = fake.end();
    assert!(log.contains(nearest), "{log}");
}

#[tokio::test]
async fn a_request_that_is_refused_says_why_and_takes_no_answer_of_the_script() {
    let fake = Fake::start(&["x"]);
    let scripted = json!({ "for": "api", "status": 500, "body": {} });
    fake.change(reqwest::Method::POST, "/answers", &scripted).await;
    let visit = async |query: &[(&str, &str)]| {
        let there = [("client_id", "a-client"), ("redirect_uri", "http://localhost:3000/callback")];
        let query = [&there, query].concat();
        let url = Url::parse_with_params(fake.at("authorization_endpoint"), query).unwrap();
        let answer = fake.http.get(url).send().await.unwrap();
        answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
    };
    let told = visit(&[("state", "s")]).await;
    assert!(told.contains("error=invalid_request") && told.contains("state=s"), "{told}");
    assert!(told.contains("response_type+is+missing"), "{told}");
    let told = visit(&[
        ("response_type", "code"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "s256"),
    ])
    .await;
    assert!(told.contains("code_challenge_method+is+unknown"), "{told}");
    // X accepts the secret in the header alone.
    let refused = fake.token(&[("grant_type", "authorization_code"), ("code", "x")]).await;
    let refused: Value = refused.json().await.unwrap();
    let why = refused["error_description"].as_str().unwrap();
    assert!(why.contains("by client_secret_post, and this service accepts client_secret_basic"));
    let anything = fake.call(&format!("{}/kettle", fake.at("url")), "any").await;
    assert_eq!(anything.status(), 500, "the scripted answer is for the API");
    let log = fake.end();
    for said in ["response_type is missing", "code_challenge_method is unknown", why] {
        assert!(log.contains(said), "{said}: {log}");
    }
}

#[test]
fn services_and_faults_are_listed_and_mistyped_ones_named() {
    let folder = Folder::new();
    let listed = run(&folder.data(), &["fake", "--list", "--json"], "");
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let names = listed["services"].as_array().unwrap().iter().map(|row| row["service"].clone());
    let names: Vec<Value> = names.collect();
    assert!(names.contains(&json!("github")) && names.contains(&json!("twitter")), "{listed}");
    assert!(listed["faults"].as_array().unwrap().contains(&json!("slow")), "{listed}");
    let shown = text(&run(&folder.data(), &["fake", "--list"], "").stdout);
    assert!(shown.contains("GitHub") && shown.contains("everything_expired"), "{shown}");
    for (arguments, said) in [
        (&["fake", "gihtub"][..], "there is no service \"gihtub\"; did you mean \"github\"?"),
        (
            &["fake", "github", "--fault", "slo"],
            "there is no fault \"slo\"; did you mean \"slow\"?",
        ),
        (&["fake", "github", "--user", "ada"], "--user: the claims of a user are a JSON object"),
        (&["fake", "--tape", "no/tape.json"], "the tape no/tape.json: entity not found"),
        (
            &["fake", "--tape", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")],
            "is damaged at line 1",
        ),
        (
            &["fake", "github", "--approve-as", "0"],
            "--approve-as: the accounts have the numbers from 1",
        ),
        (&["fake", "github", "--callback", "nope"], "--callback: \"nope\" is no absolute URL"),
        (&["fake", "github", "--callback", "localhost:3000/cb"], "is no absolute URL"),
        (&["fake", "github", "--client-id="], "--client-id is empty"),
        (&["fake", "github", "--client-secret="], "--client-secret is empty"),
        (&["fake"], "<SERVICE>"),
    ] {
        let (code, told) = failure(&folder.data(), arguments);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(!folder.data().exists());
}
