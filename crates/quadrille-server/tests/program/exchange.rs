//! Token exchange by the rules in the settings.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{SCOPES, Stage, token},
    issuers::{Partner, metadata},
    process::{Folder, Program, failure},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

async fn exchange(
    program: &Program,
    client: &Value,
    (subject, kind): (&str, &str),
) -> (StatusCode, Value) {
    let form = [("grant_type", GRANT), ("subject_token", subject), ("subject_token_type", kind)];
    token(program, client, &form).await
}

/// The result of introspection by an API.
async fn introspected(program: &Program, api: &Value, token: &Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(program.url("/oauth/introspect"));
    let (id, secret) = (api["client_id"].as_str().unwrap(), api["client_secret"].as_str());
    let form = [("token", token["access_token"].as_str().unwrap())];
    request.basic_auth(id, secret).form(&form).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_client_exchanges_tokens_of_those_clients_that_the_settings_name() {
    let stage = Stage::new();
    assert!(!metadata(&stage.program).await.to_string().contains("token-exchange"));
    let tokens = stage.dance(&Browser::new()).await;
    let Stage { program, client: shop, folder } = stage;
    let add = ["client", "add", "Mailer", "--grant", "token_exchange", "--scope", "photos:read"];
    let (mailer, other) = (program.json(&add), program.json(&add));
    let api = program.json(&["client", "add", "API", "--resource-server"]);
    let subject = (tokens["access_token"].as_str().unwrap(), ACCESS_TOKEN);
    assert_eq!(exchange(&program, &mailer, subject).await.1["error"], "unsupported_grant_type");

    let listen = program.listening.clone();
    let (mailer_id, shop_id) = (&mailer["client_id"], &shop["client_id"]);
    let restarted = |before: Program, rest: &str| {
        before.stop();
        let rule =
            format!("token_exchange={{ {mailer_id} = {{ tokens_of = [{shop_id}]{rest} }} }}");
        let arguments = ["--listen", &listen, "--set", &rule];
        Program::start_with(&folder, &[&SCOPES[..], &arguments].concat())
    };
    let program = restarted(program, "");
    assert!(metadata(&program).await["grant_types_supported"].to_string().contains(GRANT));
    let (status, exchanged) = exchange(&program, &mailer, subject).await;
    assert_eq!((status, &exchanged["scope"]), (StatusCode::OK, &json!("photos:read")));
    let shown = introspected(&program, &api, &exchanged).await;
    assert_eq!((&shown["client_id"], &shown["username"]), (mailer_id, &Value::Null), "{shown}");
    assert_eq!(&shown["act"]["sub"], mailer_id, "{shown}");
    assert_eq!(exchange(&program, &other, subject).await.1["error"], "invalid_grant");
    // A token of the mailer itself is not one of the shop.
    let own = (exchanged["access_token"].as_str().unwrap(), ACCESS_TOKEN);
    assert_eq!(exchange(&program, &mailer, own).await.1["error"], "invalid_grant");

    let long = "impersonation-which-hides-the-exchange-from-apis";
    let program = restarted(program, &format!(", kind = '{long}'"));
    let (_, exchanged) = exchange(&program, &mailer, subject).await;
    let shown = introspected(&program, &api, &exchanged).await;
    assert_eq!((&shown["active"], shown.get("act")), (&json!(true), None), "{shown}");
}

#[tokio::test]
async fn jwts_of_an_issuer_that_is_trusted_for_it_are_exchanged() {
    let partner = Partner::new();
    let stage = Stage::new();
    let add = ["client", "add", "Mailer", "--grant", "token_exchange", "--scope", "photos:read"];
    let mailer = stage.program.json(&add);
    let Stage { program, client: _, folder } = stage;
    program.stop();
    let trusted = partner.setting("trusted_for = ['token-exchange'], subjects = { '17' = 'ada' }");
    let id = &mailer["client_id"];
    let rule = format!("token_exchange={{ {id} = {{ jwts_of = ['https://partner.example'] }} }}");
    let set = ["--set", &trusted, "--set", &rule];
    let program = Program::start_with(&folder, &[&SCOPES[..], &set].concat());
    let grants = metadata(&program).await["grant_types_supported"].to_string();
    assert!(grants.contains(GRANT) && !grants.contains("jwt-bearer"), "{grants}");
    let jwt = partner.jwt(&program, "17", &json!({}));
    let (status, exchanged) = exchange(&program, &mailer, (&jwt, JWT)).await;
    assert_eq!(status, StatusCode::OK, "{exchanged}");
    let unknown = partner.jwt(&program, "18", &json!({}));
    assert_eq!(exchange(&program, &mailer, (&unknown, JWT)).await.1["error"], "invalid_grant");

    let untrusted = partner.setting("trusted_for = ['jwt-bearer'], subjects = 'user-names'");
    let wrong = ["config", "--set", &untrusted, "--set", &rule];
    let (code, said) = failure(&Folder::new().data(), &wrong);
    assert!(code == 3 && said.contains("token-exchange"), "{said}");
}
