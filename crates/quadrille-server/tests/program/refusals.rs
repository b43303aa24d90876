//! Refusals in the log: an operator sees which client sent which request.

use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{PASSWORD, REDIRECT, SCOPES, Stage, add_client, token},
    issuers::Partner,
    oauth1::{Keys, send},
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
    assert!(line.contains(r#"value="pass\\nword""#) && line.contains(id), "{line}");
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
        for words in ["client=\"stranger\"", "value=\"HMAC-SHA1\"", "from=127.0.0.1"] {
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
    for words in [
        "the access token is unknown, revoked, or not for this API",
        "endpoint=\"api\"",
        "from=127.0.0.1",
    ] {
        assert!(line.contains(words), "{line}");
    }
    assert!(!program.log().contains("canary"), "{}", program.log());
    program.stop();
}

/// The last refusal in a log of JSON lines. Its values are plain texts: a quotation mark at the
/// beginning of one would be a mark of `Debug`.
pub(crate) fn last_in_json(program: &Program) -> Value {
    let line: Value = serde_json::from_str(&last_refusal(program)).unwrap();
    for (name, value) in line.as_object().unwrap() {
        assert!(!value.to_string().starts_with(r#""\""#), "{name}: {line}");
        assert!(!value.to_string().contains("Some("), "{name}: {line}");
    }
    line
}

#[tokio::test]
async fn lines_of_json_have_the_texts_themselves() {
    let folder = Folder::new();
    let json = ["--log-format", "json"];
    let program = Program::start_with(&folder, &[&SCOPES[..], &json, &["--oauth1"]].concat());
    let client = add_client(&program, "App");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "canary")];
    token(&program, &client, &refresh).await;
    let line = last_in_json(&program);
    assert_eq!(line["client"], client["client_id"]);
    assert_eq!(line["grant_type"], "refresh_token");
    assert_eq!((&line["endpoint"], &line["from"]), (&json!("token"), &json!("127.0.0.1")));
    token(&program, &client, &[("grant_type", "pass\u{9b}2J\u{202e}\nword")]).await;
    assert_eq!(last_in_json(&program)["value"], r"pass\u{9b}2J\u{202e}\nword");
    let add = ["client", "add", "Printer", "--oauth1", "--redirect-uri", REDIRECT];
    let printer = Keys::of(&program.json(&add));
    let header = printer.sign(&program.url("/oauth/request_token"), &[]);
    let old = header.replace("HMAC-SHA256", "HMAC-SHA1");
    send(&program, "/oauth/request_token", &old).await;
    let line = last_in_json(&program);
    // Refused before the client is looked up, and it is named.
    assert_eq!(line["client"], *printer.client);
    assert_eq!(line["value"], "HMAC-SHA1");
    let log = program.log();
    assert!(!log.contains("canary") && !log.contains(&printer.secret), "{log}");
    program.stop();
}

#[tokio::test]
async fn name_the_subject_the_key_and_the_method_that_are_not_accepted() {
    let (partner, stranger) = (Partner::new(), Partner::new());
    let rest = "trusted_for = ['jwt-bearer'], subjects = 'user-names', \
        requests_are_of_client = 'service'";
    let folder = Folder::new();
    let set = ["--set", &partner.setting(rest), "--log-format", "json"];
    let program = Program::start_with(&folder, &[&SCOPES[..], &set].concat());
    program.add_user("Ada", PASSWORD);
    let grant = ["--grant", "jwt_bearer", "--scope", "photos:read"];
    program.json(&[&["client", "add", "Service", "--id", "service"][..], &grant].concat());
    let jwt_bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let http = Client::builder().no_proxy().build().unwrap();
    let asks = async |assertion: &str, further: &[(&str, &str)]| {
        let form = [("grant_type", jwt_bearer), ("assertion", assertion)];
        let form = [&form[..], further].concat();
        http.post(program.url("/oauth/token")).form(&form).send().await.unwrap();
        last_in_json(&program)
    };
    let blamed = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (text("client"), text("parameter"), text("value"))
    };
    let expected = |client: &str, parameter: &str, value: &str| {
        (client.to_owned(), parameter.to_owned(), value.to_owned())
    };
    let nobody = partner.jwt(&program, "nobody", &json!({}));
    let line = asks(&nobody, &[]).await;
    assert_eq!(blamed(&line), expected("service", "sub", "nobody"), "{line}");
    let ada = partner.jwt(&program, "Ada", &json!({}));
    let line = asks(&ada, &[("scope", "photos:write")]).await;
    assert_eq!(blamed(&line), expected("service", "scope", "photos:write"), "{line}");
    // An assertion that the issuer has not signed is of no client.
    let jwks: Value = serde_json::from_str(&stranger.jwks()).unwrap();
    let kid = jwks["keys"][0]["kid"].as_str().unwrap();
    let line = asks(&stranger.jwt(&program, "Ada", &json!({})), &[]).await;
    assert_eq!(blamed(&line), expected("", "kid", kid), "{line}");
    assert_eq!(line["claimed_client"], "service", "{line}");

    let id = "basic only";
    let add = ["client", "add", "Old", "--id", id, "--client-secret-basic"];
    let client = program.json(&[&add[..], &["--grant", "client_credentials"]].concat());
    let secret = client["client_secret"].as_str().unwrap();
    let grant = ("grant_type", "client_credentials");
    let form = [grant, ("client_id", id), ("client_secret", secret)];
    http.post(program.url("/oauth/token")).form(&form).send().await.unwrap();
    let line = last_in_json(&program);
    let method = expected(id, "token_endpoint_auth_method", "client_secret_post");
    assert_eq!(blamed(&line), method, "{line}");

    // An assertion that cannot be read still says whose it is.
    let malformed = partner.jwt_of(&json!({ "iss": id, "sub": id, "exp": "soon" }));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let form = [grant, ("client_assertion_type", kind), ("client_assertion", &malformed)];
    http.post(program.url("/oauth/token")).form(&form).send().await.unwrap();
    let line = last_in_json(&program);
    assert_eq!(line["claimed_client"], id, "{line}");
    assert_eq!((&line["parameter"], &line["value"]), (&json!("exp"), &json!("soon")), "{line}");
    program.stop();
}

#[tokio::test]
async fn name_the_sender_of_a_wrong_token_at_the_userinfo_endpoint() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "openid=true", "--log-format", "json"]);
    let http = Client::builder().no_proxy().build().unwrap();
    for wrong in ["zzz", "a b"] {
        let request = http.get(program.url("/oauth/userinfo")).bearer_auth(wrong);
        assert!(request.send().await.unwrap().status().is_client_error());
        let line = last_in_json(&program);
        assert!(line["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{line}");
        assert_eq!(line["from"], "127.0.0.1", "{line}");
        assert!(!line.to_string().contains(wrong), "{line}");
    }
    program.stop();
}

#[tokio::test]
async fn name_the_client_of_a_token_that_may_not_be_exchanged_and_the_sender_of_one_for_another_api()
 {
    let stage = Stage::new();
    let add = ["client", "add", "Mailer", "--grant", "token_exchange", "--scope", "photos:read"];
    let mailer = stage.program.json(&add);
    let shop = stage.client["client_id"].clone();
    let Stage { program, client, folder } = stage;
    program.stop();
    let rule =
        format!("token_exchange={{ {} = {{ tokens_of = ['mailer'] }} }}", mailer["client_id"]);
    let api = "https://api.example";
    let set = ["--set", &rule, "--set", "resources=https://api.example", "--log-format", "json"];
    let program = Program::start_with(&folder, &[&SCOPES[..], &set].concat());
    let stage = Stage { program, client, folder };
    let tokens = stage.dance(&Browser::new()).await;
    let access = tokens["access_token"].as_str().unwrap();
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", access),
        ("subject_token_type", kind),
    ];
    token(&stage.program, &mailer, &[form[0], form[1], ("subject_token_type", "foo")]).await;
    let line = last_in_json(&stage.program);
    let blamed = (&line["parameter"], &line["value"]);
    assert_eq!(blamed, (&json!("subject_token_type"), &json!("foo")), "{line}");
    token(&stage.program, &mailer, &form).await;
    let line = last_in_json(&stage.program);
    assert_eq!(line["client"], mailer["client_id"], "{line}");
    assert_eq!(line["parameter"], "subject_token.client_id", "{line}");
    assert_eq!(line["value"], shop, "{line}");

    let add = ["client", "add", "Machine", "--grant", "client_credentials"];
    let machine = stage.program.json(&add);
    let form = [("grant_type", "client_credentials"), ("resource", api)];
    let (_, tokens) = token(&stage.program, &machine, &form).await;
    let token = tokens["access_token"].as_str().unwrap();
    let http = Client::builder().no_proxy().build().unwrap();
    http.get(stage.program.url("/api/me")).bearer_auth(token).send().await.unwrap();
    let line = last_in_json(&stage.program);
    assert_eq!(line["client"], machine["client_id"], "{line}");
    assert_eq!((&line["value"], &line["from"]), (&json!(api), &json!("127.0.0.1")), "{line}");
    stage.program.stop();
}
