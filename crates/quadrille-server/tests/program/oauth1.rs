//! OAuth 1.0a. The tests in `interop/` try every signature method with other clients. These tests
//! cover the rest: the pages, the command line, several processes.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page},
    flow::{PASSWORD, REDIRECT},
    process::{Folder, Program, eventually, failure, json, run, text},
};

/// A provider with OAuth 1.0a, and a user.
struct Stage {
    program: Program,
    _folder: Folder,
}

/// The keys of a client: its identifier and secret, and those of a token.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) client: String,
    pub(crate) secret: String,
    pub(crate) token: Option<(String, String)>,
}

impl Stage {
    fn new() -> Self {
        let folder = Folder::new();
        let scopes = "scopes=photos:read=See your photos;photos:write=Add photos";
        let program = Program::start_with(&folder, &["--oauth1", "--set", scopes]);
        program.add_user("Ada", PASSWORD);
        Self { program, _folder: folder }
    }

    fn client(&self, arguments: &[&str]) -> Keys {
        let scopes = ["--scope", "photos:read photos:write", "--oauth1"];
        let add = [&["client", "add", "Photo <printer>"], &scopes[..], arguments].concat();
        Keys::of(&self.program.json(&add))
    }

    /// Temporary credentials.
    async fn begin(&self, client: &Keys, callback: &str) -> Keys {
        let callback = [("oauth_callback", callback)];
        client.with(&client.send(&self.program, "/oauth/request_token", &callback).await)
    }

    /// Opens the authorization URL, and goes to the consent page.
    async fn consent_page(&self, browser: &Browser, temporary: &Keys) -> Page {
        let token = &temporary.token.as_ref().unwrap().0;
        let url = self.program.url("/oauth/authorize");
        let url = Url::parse_with_params(&url, [("oauth_token", token)]).unwrap();
        let page = browser.get(url.as_str()).await;
        assert_eq!(page.url.path(), "/sign-in");
        let lead = "to continue to <strong><bdi>Photo &lt;printer&gt;";
        assert!(page.html.contains(lead), "{}", page.html);
        browser.sign_in(&page, "ada", PASSWORD).await
    }

    async fn finish(&self, temporary: &Keys, verifier: &str) -> Keys {
        let verifier = [("oauth_verifier", verifier)];
        temporary.with(&temporary.send(&self.program, "/oauth/access_token", &verifier).await)
    }

    /// From temporary credentials to token credentials, for a user who may have consented before.
    async fn dance(&self, browser: &Browser, client: &Keys) -> Keys {
        let temporary = self.begin(client, REDIRECT).await;
        let mut page = self.consent_page(browser, &temporary).await;
        if page.parameter("oauth_verifier").is_none() {
            page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
        }
        self.finish(&temporary, &page.parameter("oauth_verifier").unwrap()).await
    }
}

impl Keys {
    pub(crate) fn of(client: &Value) -> Self {
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        Self { client: text("client_id"), secret: text("oauth1_secret"), token: None }
    }

    /// The keys with the token of an answer.
    fn with(&self, (status, body): &(StatusCode, String)) -> Self {
        assert_eq!(*status, 200, "{body}");
        let field = |name: &str| {
            let fields = Url::parse(&format!("x:?{body}")).unwrap();
            fields.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
        };
        Self { token: Some((field("oauth_token"), field("oauth_token_secret"))), ..self.clone() }
    }

    /// A signed POST request, and its response.
    async fn send(
        &self,
        program: &Program,
        path: &str,
        further: &[(&str, &str)],
    ) -> (StatusCode, String) {
        let answer = self.ask(program, program, path, further).await;
        (answer.status(), answer.text().await.unwrap())
    }

    /// Signs for one process, and sends to another.
    async fn ask(
        &self,
        program: &Program,
        to: &Program,
        path: &str,
        further: &[(&str, &str)],
    ) -> Response {
        let header = self.sign(&program.url(path), further);
        send(to, path, &header).await
    }

    /// The signature of RFC 5849, section 3.4.2, with SHA-256, computed by hand.
    pub(crate) fn sign(&self, url: &str, further: &[(&str, &str)]) -> String {
        static NONCES: AtomicU64 = AtomicU64::new(0);
        let nonce = NONCES.fetch_add(1, Ordering::Relaxed).to_string();
        let now = quadrille::Env::system().now().seconds().to_string();
        let (token, token_secret) =
            self.token.as_ref().map_or((None, ""), |(token, secret)| (Some(token), secret));
        let mut parameters = vec![
            ("oauth_consumer_key", self.client.as_str()),
            ("oauth_nonce", &nonce),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", &now),
        ];
        parameters.extend(token.map(|token| ("oauth_token", token.as_str())));
        parameters.extend_from_slice(further);
        parameters.sort_unstable();
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value));
        let pairs: Vec<_> = parameters.iter().map(pair).collect();
        let base = format!("POST&{}&{}", encoded(url), encoded(&pairs.join("&")));
        let key = format!("{}&{}", encoded(&self.secret), encoded(token_secret));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), base.as_bytes());
        let signature = BASE64_STANDARD.encode(tag);
        parameters.push(("oauth_signature", &signature));
        let quoted = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", encoded(value));
        format!("OAuth {}", parameters.iter().map(quoted).collect::<Vec<_>>().join(", "))
    }
}

pub(crate) async fn send(to: &Program, path: &str, header: &str) -> Response {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(Method::POST, format!("http://{}{path}", to.listening));
    request.header("authorization", header).send().await.unwrap()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[tokio::test]
async fn a_person_sees_the_same_pages_as_in_the_other_dance() {
    let stage = Stage::new();
    let (program, browser) = (&stage.program, Browser::new());
    let client = stage.client(&["--redirect-uri", REDIRECT]);
    let temporary = stage.begin(&client, REDIRECT).await;
    let page = stage.consent_page(&browser, &temporary).await;
    assert!(
        page.html.contains("Photo &lt;printer&gt;</bdi></em> asks for access"),
        "{}",
        page.html
    );
    assert!(
        page.html.contains("See your photos") && page.html.contains("http:&#x2f;&#x2f;127.0.0.1:9")
    );
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("form-action"), "{policy}");

    // One of the two boxes is unticked.
    let mut form = page.form("ticket").with("decision", "allow");
    form.fields.retain(|field| field != &("scope".to_owned(), "photos:write".to_owned()));
    let page = browser.submit(&form).await;
    assert!(page.url.as_str().starts_with(REDIRECT), "{} {}", page.url, page.html);
    let keys = stage.finish(&temporary, &page.parameter("oauth_verifier").unwrap()).await;
    let (status, me) = keys.send(program, "/api/me", &[]).await;
    assert_eq!(status, 200, "{me}");
    let me: Value = serde_json::from_str(&me).unwrap();
    assert_eq!((&me["username"], &me["scope"]), (&json!("Ada"), &json!("photos:read")));

    let applications = browser.get(&program.url("/")).await;
    assert!(applications.html.contains("Photo &lt;printer&gt;"), "{}", applications.html);
    assert!(applications.html.contains("See your photos"));
    let page = browser.submit(&browser.withdrawal(&applications).await).await;
    assert!(page.html.contains("Withdrawn"), "{}", page.html);
    assert_eq!(keys.send(program, "/api/me", &[]).await.0, 401, "withdrawn at once");
}

#[tokio::test]
async fn a_program_without_an_address_has_its_code_on_a_page() {
    let stage = Stage::new();
    let browser = Browser::new();
    let client = stage.client(&["--oob"]);
    let temporary = stage.begin(&client, "oob").await;
    let page = stage.consent_page(&browser, &temporary).await;
    assert!(page.html.contains("a code to type in there"), "{}", page.html);
    let form = page.form("ticket");
    let page = browser.submit(&form.clone().with("decision", "allow")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.contains("Your code for <em><bdi>Photo &lt;printer&gt;"), "{}", page.html);
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let output = page.html.split("<output").nth(1).unwrap();
    let verifier = output.split(['>', '<']).nth(1).unwrap();
    let keys = stage.finish(&temporary, verifier).await;
    assert_eq!(keys.send(&stage.program, "/api/me", &[]).await.0, 200);
}

#[tokio::test]
async fn who_says_no_to_a_program_without_an_address_reads_that_nothing_was_granted() {
    let stage = Stage::new();
    let browser = Browser::new();
    let temporary = stage.begin(&stage.client(&["--oob"]), "oob").await;
    let page = stage.consent_page(&browser, &temporary).await;
    let page = browser.submit(&page.form("ticket").with("decision", "deny")).await;
    assert!(page.html.contains("Photo &lt;printer&gt; was not let in"), "{}", page.html);
    assert!(page.html.contains("class=\"card"), "{}", page.html);
}

#[tokio::test]
async fn token_credentials_are_revoked_by_command_and_end_with_their_client() {
    let stage = Stage::new();
    let (program, browser) = (&stage.program, Browser::new());
    let is_refused = |keys: Keys| async move {
        keys.send(program, "/api/me", &[]).await.0 == StatusCode::UNAUTHORIZED
    };
    let soon = Duration::from_secs(5);

    let client = stage.client(&["--redirect-uri", REDIRECT]);
    let keys = stage.dance(&browser, &client).await;
    assert_eq!(keys.send(program, "/api/me", &[]).await.0, 200);
    let token = &keys.token.as_ref().unwrap().0;
    let revoke = ["token", "revoke", "--token-stdin"];
    assert!(run(&program.data, &revoke, token).status.success());
    assert!(eventually(soon, || is_refused(keys.clone())).await);
    assert_eq!(run(&program.data, &revoke, token).status.code(), Some(6), "revoked already");

    let keys = stage.dance(&Browser::new(), &client).await;
    program.json(&["client", "remove", &client.client, "--yes"]);
    assert!(eventually(soon, || is_refused(keys.clone())).await);
}

#[tokio::test]
async fn a_rotated_secret_serves_beside_the_old_one_for_as_long_as_was_said() {
    let stage = Stage::new();
    let program = &stage.program;
    let client = stage.client(&["--redirect-uri", REDIRECT]);
    let begins = |keys: Keys| async move {
        keys.send(program, "/oauth/request_token", &[("oauth_callback", REDIRECT)]).await.0 == 200
    };
    // The client has no other secret, so the command needs no flag.
    let rotated = program.json(&["client", "rotate-secret", &client.client]);
    let soon = Duration::from_secs(5);
    assert!(eventually(soon, || begins(Keys::of(&rotated))).await);
    assert!(begins(client.clone()).await);
    let last = program.json(&["client", "rotate-secret", &client.client, "--keep-old", "0s"]);
    assert!(eventually(soon, || begins(Keys::of(&last))).await);
    assert!(!begins(client).await && !begins(Keys::of(&rotated)).await);
}

#[tokio::test]
async fn without_being_asked_for_there_is_no_oauth_1() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    for path in ["/oauth/request_token", "/oauth/access_token"] {
        let answer = send(&program, path, "OAuth x=\"y\"").await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    let keys = Keys { client: "x".into(), secret: "y".into(), token: None };
    let answer = keys.ask(&program, &program, "/api/me", &[]).await;
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
}

#[tokio::test]
async fn a_request_is_good_for_one_of_several_processes() {
    let folder = Folder::new();
    let issuer = ["--oauth1", "--issuer", "https://id.example"];
    let alone = Program::start_with(&folder, &issuer);
    let second = [&["serve", "--listen", "127.0.0.1:0"], &issuer[..]].concat();
    let several = ["--set", "oauth1.several_processes=true"];
    for second in [second.clone(), [&second, &several[..]].concat()] {
        let (code, said) = failure(&folder.data(), &second);
        assert!(code == 2 && said.contains("several_processes"), "{said}");
    }
    alone.stop();

    let issuer = [&issuer[..], &several].concat();
    let (a, b) = (Program::start_with(&folder, &issuer), Program::start_with(&folder, &issuer));
    let client = a.json(&["client", "add", "App", "--oauth1", "--redirect-uri", REDIRECT]);
    let client = Keys::of(&client);
    let header = client.sign(&a.url("/oauth/request_token"), &[("oauth_callback", REDIRECT)]);
    assert_eq!(send(&a, "/oauth/request_token", &header).await.status(), 200);
    let again = send(&b, "/oauth/request_token", &header).await;
    assert_eq!(again.status(), 401);
    assert_eq!(again.text().await.unwrap(), "oauth_problem=nonce_used");
    assert_eq!(failure(&folder.data(), &second).0, 2);
}

#[tokio::test]
async fn no_request_is_good_again_after_several_processes_follow_one_or_one_follows_several() {
    let alone = &["--oauth1", "--issuer", "https://id.example"][..];
    let several = [alone, &["--set", "oauth1.several_processes=true"]].concat();
    for (before, after) in [(alone, &several[..]), (&several[..], alone)] {
        let folder = Folder::new();
        let program = Program::start_with(&folder, before);
        let client = ["client", "add", "App", "--oauth1", "--redirect-uri", REDIRECT];
        let client = Keys::of(&program.json(&client));
        let url = program.url("/oauth/request_token");
        let header = client.sign(&url, &[("oauth_callback", REDIRECT)]);
        assert_eq!(send(&program, "/oauth/request_token", &header).await.status(), 200);
        program.stop();
        let program = Program::start_with(&folder, after);
        for _ in 0..2 {
            let again = send(&program, "/oauth/request_token", &header).await;
            assert_eq!(again.status(), 401);
            assert_eq!(again.text().await.unwrap(), "oauth_problem=timestamp_refused");
        }
        program.stop();
    }
}

/// Runs on the real clock until the timestamp is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_copy_of_a_request_gets_in_at_the_end_of_its_time() {
    let folder = Folder::new();
    let options = ["--oauth1", "--issuer", "https://id.example"];
    let several = ["--set", "oauth1.several_processes=true", "--set", "oauth1.timestamp_window=2s"];
    let options = [&options[..], &several].concat();
    let programs = [Program::start_with(&folder, &options), Program::start_with(&folder, &options)];
    let client = ["client", "add", "App", "--oauth1", "--redirect-uri", REDIRECT];
    let client = Keys::of(&programs[0].json(&client));
    let url = programs[0].url("/oauth/request_token");
    let header = client.sign(&url, &[("oauth_callback", REDIRECT)]);
    let target = |program: &Program| format!("http://{}/oauth/request_token", program.listening);
    let targets: Vec<_> = programs.iter().chain(&programs).map(target).collect();
    let senders = targets.into_iter().map(|target| {
        let header = header.clone();
        tokio::spawn(async move {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut let_in = 0;
            loop {
                let request = http.post(&target).header("authorization", &header);
                let answer = request.send().await.unwrap();
                let is_good = answer.status() == StatusCode::OK;
                let text = answer.text().await.unwrap();
                match text.as_str() {
                    "oauth_problem=timestamp_refused" => return let_in,
                    "oauth_problem=nonce_used" => {}
                    text => assert!(is_good, "{text}"),
                }
                let_in += usize::from(is_good);
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    let mut let_in = 0;
    for sender in senders {
        let_in += sender.await.unwrap();
    }
    assert_eq!(let_in, 1);
}

#[tokio::test]
async fn logs_hold_no_secret_and_no_verifier() {
    let stage = Stage::new();
    let browser = Browser::new();
    let client = stage.client(&["--redirect-uri", REDIRECT]);
    let temporary = stage.begin(&client, REDIRECT).await;
    let page = stage.consent_page(&browser, &temporary).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let verifier = page.parameter("oauth_verifier").unwrap();
    let keys = stage.finish(&temporary, &verifier).await;
    let wrong = Keys { secret: "canary".into(), ..keys.clone() };
    assert_eq!(wrong.send(&stage.program, "/api/me", &[]).await.0, 401);
    let log = stage.program.log();
    assert!(log.contains("the signature is wrong"), "the reason is in the log: {log}");
    let (temporary, token) = (temporary.token.unwrap(), keys.token.unwrap());
    for canary in ["canary", &client.secret, &temporary.1, &token.1, &token.0, &verifier] {
        assert!(!log.contains(canary), "{canary} is in the log:\n{log}");
    }
}

#[test]
fn clients_that_sign_are_added_shown_listed_and_given_a_part_later() {
    let folder = Folder::new();
    let data = folder.data();
    let signs = ["--oauth1", "--redirect-uri", REDIRECT, "--oob"];
    let client = json(&data, &[&["client", "add", "Signs"], &signs[..]].concat(), "");
    assert_eq!(client["oauth1_secret"].as_str().unwrap().len(), 43);
    assert_eq!((client.get("client_secret"), &client["grant_types"]), (None, &json!([])));
    let part =
        json!({ "keys": [{ "kind": "shared_secret", "expires": null }], "out_of_band": true });
    assert_eq!(client["oauth1"], part);

    let id = client["client_id"].as_str().unwrap();
    let shown = json(&data, &["client", "show", id], "");
    assert_eq!((shown.get("oauth1_secret"), &shown["oauth1"]), (None, &part));
    let show = text(&run(&data, &["client", "show", id], "").stdout);
    assert!(show.contains("a shared secret") && show.contains("(oob)"), "{show}");

    let both = ["client", "add", "Both", "--redirect-uri", REDIRECT];
    let both = json(&data, &both, "");
    assert_eq!(both.get("oauth1"), None);
    let id = both["client_id"].as_str().unwrap();
    let rotated = json(&data, &["client", "rotate-secret", id], "");
    assert!(rotated.get("client_secret").is_some() && rotated.get("oauth1_secret").is_none());
    let rotated = json(&data, &["client", "rotate-secret", id, "--oauth1"], "");
    assert!(rotated.get("oauth1_secret").is_some() && rotated.get("client_secret").is_none());
    let list = text(&run(&data, &["client", "list"], "").stdout);
    assert!(list.contains("OAuth 1.0a") && list.contains("OAuth 2 and 1.0a"), "{list}");
    let pretend = run(&data, &["client", "add", "x", "--oauth1", "--oob"], "");
    let said = text(&pretend.stderr);
    assert!(said.contains("Store the oauth1_secret") && said.contains("serve --oauth1"), "{said}");
}

#[test]
fn clients_that_could_never_sign_or_never_be_safe_are_refused() {
    let folder = Folder::new();
    let data = folder.data();
    let refused = |arguments: &[&str]| {
        let (code, said) = failure(&data, &[&["client", "add", "X"], arguments].concat());
        assert_eq!(code, 2, "{said}");
        said
    };
    assert!(refused(&["--oauth1"]).contains("--oob"));
    assert!(refused(&["--oob", "--redirect-uri", REDIRECT]).contains("--oauth1"));
    let said = refused(&["--oauth1", "--public", "--redirect-uri", REDIRECT]);
    assert!(said.contains("public"), "{said}");
    let file = folder.path().join("key.pem");
    let path = file.to_str().unwrap();
    let (code, said) =
        failure(&data, &["client", "add", "X", "--oauth1", "--oob", "--rsa-key", path]);
    assert!(code == 4 && said.contains("key.pem"), "{said}");
    std::fs::write(&file, "no key").unwrap();
    let said = refused(&["--oauth1", "--oob", "--rsa-key", path]);
    assert!(said.contains("key.pem: not a key in PEM form"), "{said}");
    refused(&["--rsa-key", path, "--redirect-uri", REDIRECT]);
    assert!(!data.exists(), "a refused client leaves nothing");
}
