//! Refusals in the log: an operator sees which client sent which request.

use reqwest::{Client, redirect::Policy};

use crate::{
    flow::SCOPES,
    process::{Folder, Program},
};

const CALLBACK: &str = "https://app.example/callback";

/// The last refusal in the log.
fn last_refusal(program: &Program) -> String {
    let log = program.log();
    let mut refusals = log.lines().filter(|line| line.contains("request refused"));
    refusals.next_back().unwrap_or_else(|| panic!("no refusal in {log}")).to_owned()
}

#[tokio::test]
async fn name_the_client_and_the_value_that_is_to_blame_and_no_secret() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &[&SCOPES[..], &["--oauth1"]].concat());
    let client = program.json(&["client", "add", "App", "--redirect-uri", CALLBACK]);
    let id = client["client_id"].as_str().unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let good = [("client_id", id), ("response_type", "code"), ("redirect_uri", CALLBACK)];
    let evil = "https://evil.example/callback";
    for (name, value) in [
        ("client_id", "nobody"),
        ("redirect_uri", evil),
        ("scope", "photos:raed"),
        ("resource", "https://unknown.example"),
        ("response_type", "token"),
        ("response_mode", "fragment"),
    ] {
        let mut query = good.to_vec();
        query.retain(|(known, _)| *known != name);
        query.push((name, value));
        query.push(("state", "canary-state"));
        query.extend([
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ]);
        let url = reqwest::Url::parse_with_params(&program.url("/oauth/authorize"), &query);
        http.get(url.unwrap()).send().await.unwrap();
        let line = last_refusal(&program);
        let (who, value) = match name {
            // It may be a secret in the wrong place.
            "client_id" => ("n... (6 characters)", "n... (6 characters)"),
            _ => (id, value),
        };
        for words in [&format!("client=\"{who}\""), &format!("value=\"{value}\"")] {
            assert!(line.contains(words), "{name}: {line}");
        }
        assert!(!line.contains("canary"), "{line}");
    }
    let token = |form: &[(&str, &str)], secret: &str| {
        http.post(program.url("/oauth/token")).basic_auth(id, Some(secret)).form(form).send()
    };
    let scope = [("grant_type", "authorization_code"), ("code", "canary-code")];
    token(&scope, secret).await.unwrap();
    let line = last_refusal(&program);
    assert!(line.contains("there is no such code") && line.contains(id), "{line}");
    assert!(line.contains(r#"grant_type="authorization_code""#), "{line}");
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    for (grant_type, parameter) in
        [("client_credentials", ("scope", "photos:raed")), (exchange, ("scope", "photos:read"))]
    {
        token(&[("grant_type", grant_type), parameter], secret).await.unwrap();
        let line = last_refusal(&program);
        assert!(line.contains(&format!("grant_type=\"{grant_type}\"")), "{line}");
    }
    token(&[("grant_type", "pass\nword"), ("x", "y")], secret).await.unwrap();
    let line = last_refusal(&program);
    assert!(line.contains(r#"value="pass\nword""#) && line.contains(id), "{line}");
    let long = "canary".repeat(3000);
    token(&[("grant_type", "refresh_token"), ("refresh_token", &long)], secret).await.unwrap();
    let line = last_refusal(&program);
    assert!(line.contains(r#"parameter="refresh_token""#) && line.contains(id), "{line}");
    assert!(line.contains("too long") && !line.contains("canary"), "{line}");
    let many: Vec<_> = (0..65).map(|_| ("x", "y")).chain(good).collect();
    http.post(program.url("/oauth/authorize")).form(&many).send().await.unwrap();
    let line = last_refusal(&program);
    assert!(line.contains("too many parameters") && line.contains(id), "{line}");
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", "canary"), ("token", "canary")];
        let asked = http.post(program.url(path)).basic_auth(id, Some("canary-secret")).form(&form);
        asked.send().await.unwrap();
        let line = last_refusal(&program);
        assert!(line.contains("secret is wrong") && line.contains(id), "{path}: {line}");
    }
    for path in ["/oauth/request_token", "/oauth/access_token", "/api/me"] {
        let header = "OAuth oauth_consumer_key=\"stranger\", oauth_signature_method=\"HMAC-SHA1\", \
            oauth_signature=\"canary\", oauth_timestamp=\"1\", oauth_nonce=\"n\", oauth_token=\"t\"";
        http.post(program.url(path)).header("authorization", header).send().await.unwrap();
        let line = last_refusal(&program);
        for words in ["client=\"st... (8 characters)\"", "value=\"HMAC-SHA1\"", "from=127.0.0.1"] {
            assert!(line.contains(words), "{path}: {line}");
        }
    }
    let mut query = good.to_vec();
    query.extend([("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]);
    query.push(("code_challenge_method", "plain"));
    let url = reqwest::Url::parse_with_params(&program.url("/oauth/authorize"), &query).unwrap();
    http.get(url).send().await.unwrap();
    let line = last_refusal(&program);
    assert!(line.contains(r#"parameter="code_challenge_method" value="plain""#), "{line}");
    http.get(program.url("/api/me")).bearer_auth("canary-token").send().await.unwrap();
    let line = last_refusal(&program);
    for words in ["the access token is unknown or revoked", "endpoint=\"api\"", "from=127.0.0.1"] {
        assert!(line.contains(words), "{line}");
    }
    assert!(!program.log().contains("canary"), "{}", program.log());
    program.stop();
}
