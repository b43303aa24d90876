//! Refusals in the log: what a request only claims of its client, and what a session does not have.

use quadrille::jose::{Algorithm, KeySet, Protected, SigningKey};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{CHALLENGE, PASSWORD, REDIRECT, SCOPES, Stage, add_client, token},
    process::{Folder, Program},
    refusals::last_in_json,
};

const JSON: [&str; 2] = ["--log-format", "json"];
const OPENID: [&str; 2] = ["--set", "openid=true"];
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn http() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

/// A token with this header and these claims, and a signature of nobody.
fn of_nobody(header: &Value, claims: &Value) -> String {
    let engine = base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let part = |json: &Value| base64::Engine::encode(&engine, json.to_string());
    format!("{}.{}.c2ln", part(header), part(claims))
}

async fn authorize(program: &Program, query: &[(&str, &str)]) {
    let url = reqwest::Url::parse_with_params(&program.url("/oauth/authorize"), query).unwrap();
    http().get(url).send().await.unwrap();
}

#[tokio::test]
async fn name_the_client_that_a_token_claims_to_be_of_and_that_nobody_has_proven() {
    let folder = Folder::new();
    let objects = ["--set", "openid_request_objects=true"];
    let arguments = [&SCOPES[..], &OPENID, &objects, &JSON].concat();
    let program = Program::start_with(&folder, &arguments);
    let (key, stranger) = (key(), key());
    let file = folder.path().join("jwks.json");
    let jwks = KeySet::from_iter([key.verifying_key().clone()]).to_json();
    std::fs::write(&file, jwks).unwrap();
    let add = ["client", "add", "Signs", "--id", "signs-itself", "--grant", "client_credentials"];
    let keys = ["--private-key-jwt", "--jwks", file.to_str().unwrap()];
    program.json(&[&add[..], &keys].concat());

    let claims = json!({ "iss": "signs-itself", "sub": "signs-itself", "jti": "canary-jti" });
    let forged = stranger.sign(&Protected::plain(), claims.to_string().as_bytes()).unwrap();
    let by_issuer = json!({ "iss": "signs-itself" });
    for (assertion, parameter, value) in [
        (of_nobody(&json!({ "alg": "XS256" }), &claims), "alg", json!("XS256")),
        (of_nobody(&json!({ "alg": "none" }), &claims), "alg", json!("none")),
        (of_nobody(&json!({ "alg": "ES256", "crit": ["x"] }), &by_issuer), "crit", json!("x")),
        (forged, "", Value::Null),
    ] {
        let grant = ("grant_type", "client_credentials");
        let form = [grant, ("client_assertion_type", ASSERTION), ("client_assertion", &assertion)];
        http().post(program.url("/oauth/token")).form(&form).send().await.unwrap();
        let line = last_in_json(&program);
        assert_eq!(line["claimed_client"], "signs-itself", "{line}");
        assert_eq!(line["grant_type"], "client_credentials", "{line}");
        assert!(line.get("client").is_none(), "{line}");
        if !parameter.is_empty() {
            assert_eq!((&line["parameter"], &line["value"]), (&json!(parameter), &value), "{line}");
        }
        // A name in a parameter is one that the request itself gives.
        let form = [&form[..], &[("client_id", "signs-itself")]].concat();
        http().post(program.url("/oauth/token")).form(&form).send().await.unwrap();
        let line = last_in_json(&program);
        assert_eq!(line["client"], "signs-itself", "{line}");
        assert!(line.get("claimed_client").is_none(), "{line}");
    }
    // One that the client has signed proves it, whatever is wrong with it.
    let late = json!({ "iss": "signs-itself", "sub": "signs-itself", "exp": 1, "jti": "1",
        "aud": program.issuer });
    let late = key.sign(&Protected::plain(), late.to_string().as_bytes()).unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", &late),
    ];
    http().post(program.url("/oauth/token")).form(&form).send().await.unwrap();
    let line = last_in_json(&program);
    assert_eq!((&line["client"], &line["value"]), (&json!("signs-itself"), &json!("1")), "{line}");

    // A client that does not exist may be a secret in the wrong place.
    let nobody = of_nobody(&json!({ "alg": "XS256" }), &json!({ "sub": "nobody" }));
    let form = [form[0], form[1], ("client_assertion", &nobody)];
    http().post(program.url("/oauth/token")).form(&form).send().await.unwrap();
    assert_eq!(last_in_json(&program)["claimed_client"], "n... (6 characters)");

    let app = add_client(&program, "App");
    let id = app["client_id"].as_str().unwrap();
    let object = of_nobody(&json!({ "alg": "ES256" }), &json!({ "client_id": id }));
    authorize(&program, &[("response_type", "code"), ("request", &object)]).await;
    let line = last_in_json(&program);
    assert_eq!(line["claimed_client"], id, "{line}");
    let asked = [("response_type", "code"), ("client_id", id), ("redirect_uri", REDIRECT)];
    let other = of_nobody(&json!({ "alg": "XS256" }), &json!({}));
    authorize(&program, &[&asked[..], &[("request", &other)]].concat()).await;
    let line = last_in_json(&program);
    assert_eq!((&line["client"], &line["value"]), (&json!(id), &json!("XS256")), "{line}");
    assert!(!program.log().contains("canary"), "{}", program.log());
    program.stop();
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

#[tokio::test]
async fn name_a_registered_client_in_full_whose_registration_access_token_is_wrong() {
    let folder = Folder::new();
    let open = "registration=open-to-anybody-so-that-strangers-add-clients";
    let program = Program::start_with(&folder, &[&["--set", open], &JSON[..]].concat());
    let metadata = json!({ "redirect_uris": [REDIRECT] });
    let registered = http().post(program.url("/oauth/register")).json(&metadata).send().await;
    let registered: Value = registered.unwrap().json().await.unwrap();
    let uri = registered["registration_client_uri"].as_str().unwrap();
    http().get(uri).bearer_auth("canary").send().await.unwrap();
    let line = last_in_json(&program);
    assert_eq!(line["client"], registered["client_id"], "{line}");
    assert!(!program.log().contains("canary"), "{}", program.log());
    let nobody = format!("{}?client_id=somebody", program.url("/oauth/register/client"));
    http()
        .get(uri.replace(registered["client_id"].as_str().unwrap(), "somebody"))
        .send()
        .await
        .unwrap();
    assert_eq!(last_in_json(&program)["client"], "so... (8 characters)", "{nobody}");
    program.stop();
}

#[tokio::test]
async fn name_the_client_of_a_machines_token_that_is_not_exchanged() {
    let stage = Stage::new();
    let Stage { program, client: shop, folder } = stage;
    let grants = ["--grant", "token_exchange", "--scope", "photos:read"];
    let mailer = program.json(&[&["client", "add", "Mailer"], &grants[..]].concat());
    let machine = ["client", "add", "Machine", "--grant", "client_credentials"];
    let machine = program.json(&[&machine[..], &["--scope", "photos:read"]].concat());
    program.stop();
    let of = format!("['{}', '{}']", shop["client_id"], machine["client_id"]).replace('"', "");
    let rule = format!("token_exchange={{ {} = {{ tokens_of = {of} }} }}", mailer["client_id"]);
    let program = Program::start_with(&folder, &[&SCOPES[..], &["--set", &rule], &JSON].concat());
    let stage = Stage { program, client: shop, folder };
    let tokens = stage.dance(&Browser::new()).await;
    let of_user = tokens["access_token"].as_str().unwrap();
    let grant = [("grant_type", "client_credentials")];
    let (_, tokens) = token(&stage.program, &machine, &grant).await;
    let of_machine = tokens["access_token"].as_str().unwrap();
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let asked = |subject| {
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", kind),
            ("subject_token", subject),
        ]
    };
    let actor = [("actor_token", of_machine), ("actor_token_type", kind)];
    for (form, parameter) in [
        (asked(of_machine).to_vec(), "subject_token.client_id"),
        ([&asked(of_user)[..], &actor].concat(), "actor_token.client_id"),
    ] {
        token(&stage.program, &mailer, &form).await;
        let line = last_in_json(&stage.program);
        assert_eq!(line["client"], mailer["client_id"], "{line}");
        assert_eq!(line["parameter"], parameter, "{line}");
        assert_eq!(line["value"], machine["client_id"], "{line}");
    }
    stage.program.stop();
}

#[tokio::test]
async fn name_the_classes_that_are_not_met_and_the_sender_of_every_authorization_request() {
    let acr = ["--set", "openid_acr_values=urn:password"];
    let stage = Stage::with(&[&OPENID[..], &acr, &JSON].concat());
    let program = &stage.program;
    let id = stage.client["client_id"].as_str().unwrap();
    program.json(&["client", "edit", id, "--add-scope", "openid"]);
    let (browser, started) = (Browser::new(), stage.authorize_url());
    let url = |further: &[(&str, &str)]| {
        let asked = [
            ("response_type", "code"),
            ("client_id", id),
            ("redirect_uri", REDIRECT),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let query = [&asked[..], further].concat();
        reqwest::Url::parse_with_params(&program.url("/oauth/authorize"), query).unwrap()
    };
    let refused = |reason: &str| {
        let line = last_in_json(program);
        assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
        assert_eq!((&line["client"], &line["from"]), (&json!(id), &json!("127.0.0.1")), "{line}");
        line
    };
    browser.get(url(&[("prompt", "none")]).as_str()).await;
    refused("no user is signed in");
    let page = browser.get(&started).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    browser.submit(&page.form("ticket").with("decision", "deny")).await;
    refused("denied");
    browser.get(url(&[("prompt", "none")]).as_str()).await;
    refused("consent is required");
    let essential = r#"{"id_token":{"acr":{"essential":true,"values":["urn:gold","urn:silver"]}}}"#;
    browser.get(url(&[("claims", essential)]).as_str()).await;
    let line = refused("does not suffice");
    let blamed = (&line["parameter"], &line["value"]);
    assert_eq!(blamed, (&json!("acr_values"), &json!("urn:gold urn:silver")), "{line}");
    stage.program.stop();
}
