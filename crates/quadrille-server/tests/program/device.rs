//! The device authorization grant, with its page.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, SCOPES},
    process::{Folder, Program, eventually, failure, json, run, text},
};

const GRANTS: [&str; 4] = ["--grant", "device_code", "--grant", "refresh_token"];

/// A provider that lets devices in, with a user and a client on a device.
struct Stage {
    program: Program,
    client: String,
    _folder: Folder,
}

impl Stage {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let program =
            Program::start_with(&folder, &[&SCOPES[..], &["--device"], arguments].concat());
        program.add_user("Ada", PASSWORD);
        let scopes = ["--scope", "photos:read"];
        let add = ["client", "add", "Tele <vision>", "--public"];
        let client = program.json(&[&add[..], &GRANTS, &scopes].concat());
        let client = client["client_id"].as_str().unwrap().to_owned();
        Self { program, client, _folder: folder }
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let form = [form, &[("client_id", &*self.client)]].concat();
        let answer = http.post(self.program.url(path)).form(&form).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// The codes for a device.
    async fn codes(&self) -> Value {
        let (status, codes) = self.post("/oauth/device_authorization", &[]).await;
        assert_eq!(status, 200, "{codes}");
        codes
    }

    async fn poll(&self, codes: &Value) -> Value {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", codes["device_code"].as_str().unwrap()),
        ];
        self.post("/oauth/token", &form).await.1
    }

    /// A browser that is signed in, on the device page.
    async fn at_the_page(&self) -> (Browser, Page) {
        let browser = Browser::new();
        let page = browser.get(&self.program.url("/device")).await;
        assert_eq!(page.url.path(), "/sign-in", "nobody tries codes without signing in");
        let page = browser.sign_in(&page, "ada", PASSWORD).await;
        assert_eq!((page.status.as_u16(), page.url.path()), (200, "/device"), "{}", page.html);
        (browser, page)
    }
}

fn code(codes: &Value) -> &str {
    codes["user_code"].as_str().unwrap()
}

#[tokio::test]
async fn a_person_types_the_code_and_the_device_gets_tokens() {
    let stage = Stage::new();
    let codes = stage.codes().await;
    assert_eq!(codes["verification_uri"], stage.program.url("/device"));
    assert_eq!(stage.poll(&codes).await["error"], "authorization_pending");
    assert_eq!(stage.poll(&codes).await["error"], "slow_down");
    let (browser, page) = stage.at_the_page().await;
    assert!(page.header("content-security-policy").contains("form-action 'self'"));
    assert!(!page.html.contains("<script"));
    let typed = code(&codes).to_lowercase().replace('-', " ");
    let page = browser.submit(&page.form("user_code").with("user_code", &typed)).await;
    for shown in [
        "Tele &lt;vision&gt;</bdi></em> asks for access",
        code(&codes),
        "See your photos",
        "127.0.0.1",
        "The device goes on by itself.",
    ] {
        assert!(page.html.contains(shown), "{shown}: {}", page.html);
    }
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    assert!(page.html.contains("Tele &lt;vision&gt; has access"), "{}", page.html);
    let tokens = stage.poll(&codes).await;
    assert_eq!(tokens["scope"], "photos:read", "{tokens}");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let me = http.get(stage.program.url("/api/me"));
    let me = me.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
    assert!(me.text().await.unwrap().contains("Ada"));

    let page = browser.get(&stage.program.url("/")).await;
    assert!(page.html.contains("<h2><bdi>Tele &lt;vision&gt;</bdi></h2>"), "on the account page");
    let ask = stage.program.url(&format!("/applications/withdraw?client_id={}", stage.client));
    let page = browser.get(&ask).await;
    browser.submit(&page.form("client_id")).await;
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(stage.post("/oauth/token", &refresh).await.1["error"], "invalid_grant");
    let log = stage.program.log();
    assert!(log.contains("consent_given") && log.contains(&stage.client), "{log}");
    for secret in ["device_code", "access_token", "refresh_token"] {
        let secret = codes[secret].as_str().or(tokens[secret].as_str()).unwrap();
        assert!(!log.contains(secret), "a secret in the log");
    }
    assert!(!log.contains(code(&codes)), "nor the user code");
}

#[tokio::test]
async fn a_code_from_the_link_survives_the_sign_in_and_is_compared_first() {
    let stage = Stage::new();
    let codes = stage.codes().await;
    let browser = Browser::new();
    let page = browser.get(codes["verification_uri_complete"].as_str().unwrap()).await;
    assert_eq!(page.url.path(), "/sign-in");
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert!(page.html.contains("Compare this code"), "{}", page.html);
    let form = page.form("user_code");
    assert!(form.fields.contains(&("user_code".to_owned(), code(&codes).to_owned())), "{form:?}");
    let page = browser.submit(&form).await;
    let page = browser.submit(&page.form("ticket").with("decision", "deny")).await;
    assert!(page.html.contains("Tele &lt;vision&gt; was not let in"), "{}", page.html);
    assert_eq!(stage.poll(&codes).await["error"], "access_denied");
    // Again from the link.
    let page = browser.get(codes["verification_uri_complete"].as_str().unwrap()).await;
    let page = browser.submit(&page.form("user_code")).await;
    assert_eq!(page.status, 400);
    assert!(page.html.contains("This code was used before"), "{}", page.html);
}

#[tokio::test]
async fn wrong_expired_and_too_many_codes_are_told_in_plain_words() {
    let stage = Stage::with(&["--set", "device.code_lifetime=1s"]);
    let codes = stage.codes().await;
    assert_eq!(codes["expires_in"], 1);
    let (browser, first) = stage.at_the_page().await;
    let send =
        async |typed: &str| browser.submit(&first.form("user_code").with("user_code", typed)).await;
    for (typed, words) in [
        ("", "Type in the code that your device shows."),
        ("<b>hello", "A code has eight letters"),
        ("BCDF-GHJK", "No device waits with this code"),
    ] {
        let page = send(typed).await;
        assert_eq!(page.status, 400, "{typed}");
        assert!(page.html.contains(words) && !page.html.contains("<b>"), "{}", page.html);
        assert!(page.html.contains("role=\"alert\""));
    }
    let is_expired = async || send(code(&codes)).await.html.contains("This code has expired");
    // Before that second is over, the consent page is shown, which counts for nothing.
    assert!(eventually(Duration::from_secs(5), is_expired).await);
    assert_eq!(stage.poll(&codes).await["error"], "expired_token");
    let mut page = send("BCDF-GHJK").await;
    for _ in 0..20 {
        page = send("BCDF-GHJK").await;
    }
    assert_eq!(page.status, 429);
    assert!(page.html.contains("Too many codes were tried"), "{}", page.html);
    assert!(page.header("retry-after").parse::<u64>().is_ok());
}

#[tokio::test]
async fn the_grant_is_off_until_it_is_switched_on() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &SCOPES);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/device", "/oauth/device_authorization"] {
        assert_eq!(http.get(program.url(path)).send().await.unwrap().status(), 404, "{path}");
    }
    let metadata = http.get(program.url("/.well-known/oauth-authorization-server"));
    let metadata = metadata.send().await.unwrap().text().await.unwrap();
    assert!(!metadata.contains("device"), "{metadata}");
    let add = ["client", "add", "Television", "--public", "--grant", "device_code"];
    let output = run(&program.data, &add, "");
    assert!(text(&output.stderr).contains("quadrille serve --device"), "{output:?}");

    let on = Program::start_with(&Folder::new(), &["--device"]);
    let metadata = http.get(on.url("/.well-known/oauth-authorization-server"));
    let metadata: Value = metadata.send().await.unwrap().json().await.unwrap();
    let url = on.url("/oauth/device_authorization");
    assert_eq!(metadata["device_authorization_endpoint"], url);
}

#[test]
fn clients_are_added_and_edited_with_the_grant() {
    let folder = Folder::new();
    let data = folder.data();
    let add = ["client", "add", "Television", "--public"];
    let client = json(&data, &[&add[..], &GRANTS].concat(), "");
    let urn = "urn:ietf:params:oauth:grant-type:device_code";
    assert!(client["grant_types"].to_string().contains(urn), "{client}");
    let id = client["client_id"].as_str().unwrap();
    let edited = json(&data, &["client", "edit", id, "--grant", "device_code"], "");
    assert_eq!(edited["grant_types"], serde_json::json!([urn]));
    let (code, said) = failure(&data, &["client", "edit", id, "--grant", "refresh_token"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("device_code"), "{said}");
}
