//! The whole authorization code flow, through real forms.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    browser::{Browser, Page},
    process::{Folder, Program, failure},
};

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A provider with a user and a client.
pub(crate) struct Stage {
    pub(crate) program: Program,
    pub(crate) client: Value,
    pub(crate) folder: Folder,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &[&SCOPES, arguments].concat());
        program.add_user("Ada", PASSWORD);
        let client = add_client(&program, "Photo <printer>");
        Self { program, client, folder }
    }

    pub(crate) fn authorize_url(&self) -> String {
        authorize_url(&self.program, &self.client)
    }

    /// The response of the token endpoint.
    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        token(&self.program, &self.client, fields).await
    }

    /// From the authorization request to the consent page.
    pub(crate) async fn consent_page(&self, browser: &Browser) -> Page {
        let page = browser.get(&self.authorize_url()).await;
        browser.sign_in(&page, "ada", PASSWORD).await
    }

    /// From the authorization request to the tokens.
    pub(crate) async fn dance(&self, browser: &Browser) -> Value {
        let page = self.consent_page(browser).await;
        let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
        self.redeem(&page).await
    }

    /// The same for a user who is signed in, and may have consented before.
    pub(crate) async fn dance_again(&self, browser: &Browser) -> Value {
        let page = browser.get(&self.authorize_url()).await;
        if page.parameter("code").is_some() {
            return self.redeem(&page).await;
        }
        let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
        self.redeem(&page).await
    }

    pub(crate) async fn redeem(&self, page: &Page) -> Value {
        let code = page.parameter("code").unwrap_or_else(|| panic!("{} {}", page.url, page.html));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = self.token(&fields).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

/// The claims of an ID token, not verified.
pub(crate) fn claims_of(id_token: &str) -> Value {
    let payload = id_token.split('.').nth(1).unwrap();
    let engine = base64::prelude::BASE64_URL_SAFE_NO_PAD;
    serde_json::from_slice(&base64::Engine::decode(&engine, payload).unwrap()).unwrap()
}

/// The scopes that clients can request.
pub(crate) const SCOPES: [&str; 2] =
    ["--set", "scopes=photos:read=See your photos;photos:write=Add <photos>"];

pub(crate) fn add_client(program: &Program, name: &str) -> Value {
    let scopes = ["--scope", "photos:read", "--scope", "photos:write"];
    program.json(&[&["client", "add", name, "--redirect-uri", REDIRECT], &scopes[..]].concat())
}

pub(crate) fn authorize_url(program: &Program, client: &Value) -> String {
    let query = [
        ("response_type", "code"),
        ("client_id", client["client_id"].as_str().unwrap()),
        ("redirect_uri", REDIRECT),
        ("scope", "photos:read photos:write"),
        ("state", "s&t=1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    reqwest::Url::parse_with_params(&program.url("/oauth/authorize"), query).unwrap().into()
}

pub(crate) async fn token(
    program: &Program,
    client: &Value,
    fields: &[(&str, &str)],
) -> (StatusCode, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http
        .post(program.url("/oauth/token"))
        .basic_auth(client["client_id"].as_str().unwrap(), client["client_secret"].as_str())
        .form(fields)
        .send()
        .await
        .unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_person_signs_in_lets_an_application_in_and_it_gets_tokens() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = browser.get(&stage.authorize_url()).await;
    assert_eq!((page.status, page.url.path()), (StatusCode::OK, "/sign-in"));
    assert!(page.html.contains("to continue to <strong><bdi>Photo &lt;printer&gt;</bdi></strong>"));

    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert_eq!(page.url.path(), "/oauth/authorize");
    assert!(
        page.html.contains("Photo &lt;printer&gt;</bdi></em> asks for access"),
        "{}",
        page.html
    );
    assert!(page.html.contains("See your photos") && page.html.contains("Add &lt;photos&gt;"));
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("form-action"), "it would hold for where the application leads on");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));

    // One of the two boxes is unticked.
    let mut form = page.form("ticket").with("decision", "allow");
    form.fields.retain(|field| field != &("scope".to_owned(), "photos:write".to_owned()));
    let page = browser.submit(&form).await;
    assert!(page.url.as_str().starts_with(REDIRECT), "{} {}", page.url, page.html);
    assert_eq!(page.parameter("state").as_deref(), Some("s&t=1"));
    assert_eq!(page.parameter("iss").as_deref(), Some(&*stage.program.issuer));

    let tokens = stage.redeem(&page).await;
    assert_eq!(tokens["scope"], "photos:read");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(stage.token(&fields).await.0, 200);
    stage.program.stop();
}

#[tokio::test]
async fn a_state_of_eight_kibibytes_comes_back_as_it_was_sent() {
    let stage = Stage::new();
    let browser = Browser::new();
    // The longest text that can arrive: each byte is percent-encoded.
    let state = "\u{e9}".repeat(8192 / 6);
    let (before, after) = (stage.authorize_url(), "state=s%26t%3D1");
    assert!(before.contains(after), "{before}");
    let url = before.replace(after, &format!("state={}", "%C3%A9".repeat(8192 / 6)));
    let page = browser.get(&url).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    assert_eq!(page.parameter("state"), Some(state), "{}", page.status);
    stage.redeem(&page).await;
}

#[tokio::test]
async fn a_browser_that_reads_ahead_is_granted_nothing() {
    let stage = Stage::new();
    let browser = Browser::new();
    stage.dance(&browser).await;
    let cookies = browser.cookies.lock().unwrap().clone();
    let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    let ask = |purpose| {
        let request = http.get(stage.authorize_url()).header("cookie", cookies.join("; "));
        request.header("sec-purpose", purpose).send()
    };
    for purpose in ["prefetch", "prefetch;prerender"] {
        let answer = ask(purpose).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{purpose}");
        assert!(!answer.headers().contains_key("location"), "{purpose}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
    let answer = ask("").await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(answer.headers()["location"].to_str().unwrap().starts_with(REDIRECT));
}

#[tokio::test]
async fn a_token_for_nothing_in_particular_names_no_scope() {
    let stage = Stage::new();
    let machine = ["client", "add", "Machine", "--grant", "client_credentials"];
    let machine = stage.program.json(&machine);
    let fields = [("grant_type", "client_credentials")];
    let (status, tokens) = token(&stage.program, &machine, &fields).await;
    assert_eq!(status, StatusCode::OK);
    assert!(tokens["access_token"].is_string() && tokens.get("scope").is_none(), "{tokens}");
}

#[tokio::test]
async fn a_question_answered_before_has_a_way_on() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = stage.consent_page(&browser).await;
    let form = page.form("ticket").with("decision", "allow");
    stage.redeem(&browser.submit(&form).await).await;
    let again = browser.submit(&form).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.html);
    assert!(again.html.contains("\">Your applications</a>"), "{}", again.html);
    assert!(browser.get(&way_on(&again)).await.parameter("code").is_some(), "{}", again.html);
}

/// The link with which a page lets its user try again.
fn way_on(page: &Page) -> String {
    let link = page.html.split("\">Try again</a>").next().unwrap();
    let href = link.rsplit("href=\"").next().unwrap();
    let href = href.replace("&#x2f;", "/").replace("&amp;", "&");
    assert!(href.starts_with("/oauth/authorize?"), "{}", page.html);
    page.url.join(&href).unwrap().into()
}

#[tokio::test]
async fn a_consent_page_that_comes_too_late_begins_again() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = stage.consent_page(&browser).await;
    let form = page.form("ticket").with("decision", "allow");
    // The browser has dropped the cookie of the page.
    let (kept, dropped): (BTreeMap<_, _>, BTreeMap<_, _>) = browser
        .cookies
        .lock()
        .unwrap()
        .clone()
        .into_iter()
        .partition(|(name, _)| !name.contains("ticket"));
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    *browser.cookies.lock().unwrap() = kept;
    let late = browser.submit(&form).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN, "{}", late.html);
    let page = browser.get(&way_on(&late)).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    stage.redeem(&page).await;

    // Signed out meanwhile: the question comes after a new sign-in.
    let browser = Browser::new();
    stage.program.json(&["user", "withdraw", "ada", stage.client["client_id"].as_str().unwrap()]);
    let page = stage.consent_page(&browser).await;
    let form = page.form("ticket").with("decision", "allow");
    stage.program.json(&["user", "sign-out", "ada"]);
    let out = browser.submit(&form).await;
    assert_eq!(out.status, StatusCode::FORBIDDEN, "{}", out.html);
    let link = out.html.split("\">Sign in</a>").next().unwrap();
    let link = link.rsplit("href=\"").next().unwrap().replace("&#x2f;", "/");
    let page = browser.get(out.url.join(&link.replace("&amp;", "&")).unwrap().as_str()).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    stage.redeem(&page).await;
}

#[tokio::test]
async fn what_was_allowed_is_not_asked_again_until_it_is_withdrawn() {
    let stage = Stage::new();
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let again = browser.get(&stage.authorize_url()).await;
    assert!(again.parameter("code").is_some(), "{} {}", again.url, again.html);

    let applications = browser.get(&stage.program.url("/")).await;
    assert!(applications.html.contains("Photo &lt;printer&gt;"), "{}", applications.html);
    assert!(applications.html.contains("See your photos"));
    let withdrawal = browser.withdrawal(&applications).await;
    let mut nobodys = withdrawal.clone();
    nobodys.fields.retain(|(name, _)| name != "client_id");
    assert!(browser.submit(&nobodys).await.status.is_client_error());
    let page = browser.submit(&withdrawal).await;
    assert!(page.html.contains("Withdrawn"), "{}", page.html);
    assert!(!page.html.contains("printer"));
    assert!(stage.program.log().contains("consent_withdrawn"));

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, error) = stage.token(&fields).await;
    assert_eq!((status, &error["error"]), (StatusCode::BAD_REQUEST, &Value::from("invalid_grant")));
    let asked = browser.get(&stage.authorize_url()).await;
    assert!(asked.html.contains("asks for access"), "{}", asked.html);
}

#[tokio::test]
async fn the_operator_lists_and_revokes_the_grants_of_a_user() {
    let stage = Stage::new();
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let shown = stage.program.json(&["user", "access", "ada"]);
    let client = &shown["clients"][0];
    assert_eq!((&client["name"], &client["grants"]), (&"Photo <printer>".into(), &1.into()));
    assert!(client["last_token"].is_string(), "{shown}");
    assert_eq!(shown["sessions"].as_array().unwrap().len(), 1);
    let account = browser.get(&stage.program.url("/")).await;
    assert!(account.html.contains("last token"), "{}", account.html);

    stage.program.json(&["user", "sign-out", "ada"]);
    let signed_out = browser.get(&stage.program.url("/")).await;
    assert!(signed_out.html.contains("Sign in"), "{}", signed_out.html);
    let id = client["client_id"].as_str().unwrap();
    let (code, said) =
        failure(&stage.program.data, &["user", "withdraw", "ada", "Photo <printer>"]);
    assert!(code == 2 && said.ends_with(&format!("its client_id is wanted: {id}\n")), "{said}");
    stage.program.json(&["user", "withdraw", "ada", id]);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(stage.token(&fields).await.1["error"], "invalid_grant");
    let shown = stage.program.json(&["user", "access", "ada"]);
    assert_eq!(shown, serde_json::json!({ "clients": [], "tokens": [], "sessions": [] }));
    let data = &stage.program.data;
    for command in [&["user", "withdraw", "ada", id][..], &["user", "access", "nobody"]] {
        assert!(failure(data, command).1.contains("there is no"), "{command:?}");
    }
}

#[tokio::test]
async fn a_withdrawal_is_reported_once_and_by_no_link() {
    let stage = Stage::new();
    let browser = Browser::new();
    stage.dance(&browser).await;
    let home = stage.program.url("/");
    for query in ["?withdrawn=true", "?withdrawn=false"] {
        let page = browser.get(&format!("{home}{query}")).await;
        assert!(!page.html.contains("class=\"notice\""), "{}", page.html);
    }
    let form = browser.withdrawal(&browser.get(&home).await).await;
    let sent = browser.send(Method::POST, form.action.as_str(), Some(&form)).await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let note = browser.cookie("note").expect("a note");
    let page = browser.get(&home).await;
    assert!(page.html.contains("Withdrawn"), "{}", page.html);
    let page = browser.get(&home).await;
    assert!(!page.html.contains("Withdrawn"), "{}", page.html);
    // The note of one session says nothing in another.
    let other = Browser::new();
    other.sign_in(&other.get(&stage.program.url("/sign-in")).await, "ada", PASSWORD).await;
    other.keep(note);
    assert!(!other.get(&home).await.html.contains("Withdrawn"));
}

#[tokio::test]
async fn a_consent_that_was_never_given_is_not_reported_as_withdrawn() {
    let stage = Stage::new();
    let (ada, bob) = (Browser::new(), Browser::new());
    stage.dance(&ada).await;
    let form = ada.get(&stage.program.url("/")).await.form("client_id");
    let client = form.fields.iter().find(|(name, _)| name == "client_id").unwrap().1.clone();
    stage.program.add_user("bob", PASSWORD);
    let page = bob.get(&stage.program.url("/sign-in")).await;
    let home = bob.sign_in(&page, "bob", PASSWORD).await;
    // Bob gave no client access: neither Ada's nor an unknown one.
    for client in [client.as_str(), "nobody"] {
        let mut of_bob = home.form("form").with("client_id", client);
        of_bob.action = form.action.clone();
        let page = bob.submit(&of_bob).await;
        assert!(page.html.contains("There was nothing to withdraw"), "{}", page.html);
        assert!(!page.html.contains("Withdrawn"), "{}", page.html);
    }
    assert!(!stage.program.log().contains("consent_withdrawn"));
    assert!(ada.get(&stage.program.url("/")).await.html.contains("printer"));
}

#[tokio::test]
async fn saying_no_tells_the_application_so() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = stage.consent_page(&browser).await;
    let page = browser.submit(&page.form("ticket").with("decision", "deny")).await;
    assert_eq!(page.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(page.parameter("state").as_deref(), Some("s&t=1"));
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let stage = Stage::new();
    let browser = Browser::new();
    let url = stage.authorize_url().replace("127.0.0.1%3A9", "evil.example");
    let page = browser.get(&url).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.html.contains("not registered") && page.html.contains("class=\"card"));
    assert!(!page.html.contains("evil.example"));
    let page = browser.get(&stage.program.url("/oauth/authorize?client_id=nobody")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_consent_form_counts_in_the_browser_it_was_shown_in() {
    let stage = Stage::new();
    let (ada, other) = (Browser::new(), Browser::new());
    let page = stage.consent_page(&ada).await;
    stage.program.add_user("Mallory", PASSWORD);
    other.sign_in(&other.get(&stage.program.url("/sign-in")).await, "mallory", PASSWORD).await;
    let form = page.form("ticket").with("decision", "allow");
    let refused = other.submit(&form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.html);
    assert!(ada.submit(&form).await.parameter("code").is_some());
}

#[tokio::test]
async fn logs_and_pages_hold_no_secret() {
    let stage = Stage::new();
    let browser = Browser::new();
    let page = browser.get(&stage.authorize_url()).await;
    let failed = browser.sign_in(&page, "ada", "canary-wrong-password").await;
    assert!(!failed.html.contains("canary"));
    let tokens = stage.dance(&browser).await;
    let (_, error) = token(
        &stage.program,
        &serde_json::json!({ "client_id": stage.client["client_id"], "client_secret": "canary-secret" }),
        &[("grant_type", "client_credentials")],
    )
    .await;
    assert_eq!(error["error"], "invalid_client");
    let session = browser.cookie("session").unwrap().1;
    let log = stage.program.log();
    assert!(log.contains("/oauth/token"), "requests are in the log: {log}");
    let secret = |value: &Value| value.as_str().unwrap().to_owned();
    for canary in [
        "canary",
        PASSWORD,
        &secret(&stage.client["client_secret"]),
        &secret(&tokens["access_token"]),
        &secret(&tokens["refresh_token"]),
        &session,
        "code=",
        "state=",
        VERIFIER,
    ] {
        assert!(!log.contains(canary), "{canary} is in the log:\n{log}");
    }
}
