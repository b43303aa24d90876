//! `quadrille client edit`: what a client has is taken away again.

use std::path::Path;

use quadrille::jose::{Algorithm, DecryptingKey, KeyManagement, KeySet, SigningKey};
use serde_json::{Value, json};

use crate::process::{Folder, Program, failure, json, run, text};

const APIS: [&str; 2] = ["--set", "resources=https://api.example,https://mail.example"];

fn added(data: &Path, arguments: &[&str]) -> String {
    let added = json(data, &[&["client", "add"], arguments].concat(), "");
    added["client_id"].as_str().unwrap().to_owned()
}

fn resource_server(data: &Path, audiences: &[&str]) -> String {
    let named = audiences.iter().flat_map(|uri| ["--audience", *uri]);
    let add: Vec<_> = ["Photo API", "--resource-server"].into_iter().chain(named).collect();
    added(data, &[&add[..], &APIS].concat())
}

#[test]
fn an_audience_is_taken_away_and_the_last_one_only_if_the_operator_says_what_is_left() {
    let folder = Folder::new();
    let data = folder.data();
    let id = resource_server(&data, &["https://api.example", "https://mail.example"]);
    let edit = |further: &[&str]| {
        json(&data, &[&["client", "edit", &id], further, &APIS].concat(), "")["resource_server"]
            .clone()
    };
    let refused =
        |further: &[&str]| failure(&data, &[&["client", "edit", &id], further, &APIS].concat());
    let (code, said) = refused(&["--remove-audience", "https://mails.example"]);
    assert!(code == 2 && said.contains("did you mean \"https://mail.example\"?"), "{said}");
    // The same URI in another spelling.
    let left = edit(&["--remove-audience", "https://MAIL.example/"]);
    assert_eq!(left, json!(["https://api.example"]));
    let last = ["--remove-audience", "https://api.example"];
    let (code, said) = refused(&last);
    assert!(code == 2 && said.contains("--resource-server false"), "{said}");
    let replaced = edit(&[&last[..], &["--add-audience", "https://mail.example"]].concat());
    assert_eq!(replaced, json!(["https://mail.example"]));
    let last = ["--remove-audience", "https://mail.example", "--resource-server", "true"];
    assert_eq!(edit(&last), json!([]));
    let (code, said) = refused(&["--add-audience", "https://apis.example"]);
    assert!(code == 2 && said.contains("did you mean \"https://api.example\"?"), "{said}");
}

#[test]
fn a_client_becomes_an_api_that_introspects_tokens_and_is_none_again() {
    let folder = Folder::new();
    let data = folder.data();
    let id = added(&data, &["Shop", "--redirect-uri", "https://shop.example/cb"]);
    let edit = ["client", "edit", &id];
    let api = ["--add-audience", "https://api.example"];
    let (code, said) = failure(&data, &[&edit[..], &api, &APIS].concat());
    assert!(code == 2 && said.contains("introspects no tokens"), "{said}");
    let on = ["--resource-server", "true"];
    let edited = json(&data, &[&edit[..], &api, &on, &APIS].concat(), "");
    assert_eq!(edited["resource_server"], json!(["https://api.example"]));
    let edited = json(&data, &[&edit[..], &["--resource-server", "false"]].concat(), "");
    assert_eq!(edited.get("resource_server"), None);
}

/// The warning names a command, which then works without the setting.
#[test]
fn an_audience_that_the_settings_lost_is_taken_away_by_the_command_of_the_warning() {
    let folder = Folder::new();
    let data = folder.data();
    let id = resource_server(&data, &["https://api.example", "https://mail.example"]);
    let set = ["--set", "resources=https://mail.example"];
    let program = Program::start_with(&folder, &set);
    let command = format!("client edit {id} --remove-audience https://api.example");
    assert!(program.log().contains(&format!("`quadrille {command}` takes it away")));
    let edit = ["client", "edit", &id, "--name", "Photos"];
    let (code, said) = failure(&data, &[&edit[..], &set].concat());
    assert!(code == 2 && said.contains("--remove-audience https://api.example takes"), "{said}");
    let command: Vec<_> = command.split(' ').collect();
    let edited = program.json(&command);
    assert_eq!(edited["resource_server"], json!(["https://mail.example"]));
    program.stop();
    let log = Program::start_with(&folder, &set).log();
    assert!(!log.contains("which the setting resources has not"), "{log}");
}

#[test]
fn every_list_and_every_value_of_openid_connect_is_taken_away() {
    let folder = Folder::new();
    let data = folder.data();
    let jwks = folder.path().join("keys.json");
    let signs = SigningKey::generate(Algorithm::Es256).unwrap();
    let opens = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
    let keys = KeySet::from_iter([signs.verifying_key().clone()]);
    let keys = keys.with_encrypting([opens.encrypting_key().clone()]);
    std::fs::write(&jwks, keys.to_json()).unwrap();
    let on = ["--set", "openid=true", "--set", "openid_request_objects=true"];
    let add = ["Shop", "--redirect-uri", "https://shop.example/cb", "--scope", "openid"];
    let plain = json(&data, &[&["client", "add"], &add[..], &on].concat(), "");
    let has = [
        "--response-type",
        "code",
        "--response-type",
        "code id_token",
        "--grant",
        "authorization_code",
        "--grant",
        "implicit",
        "--request-uri",
        "https://shop.example/request.jwt",
        "--default-acr-value",
        "urn:one",
        "--sector-identifier-uri",
        "https://shop.example/sector.json",
        "--default-max-age",
        "60",
        "--id-token-encryption",
        "ECDH-ES",
        "--userinfo-encryption",
        "ECDH-ES",
        "--request-object-alg",
        "ES256",
        "--request-object-encryption",
        "ECDH-ES",
        "--require-signed-request-object",
        "true",
        "--message-jwks",
        jwks.to_str().unwrap(),
    ];
    let id = added(&data, &[&add[..], &has, &on].concat());
    let takes = [
        "--without-response-types",
        "--without-request-uris",
        "--without-default-acr-values",
        "--without-sector-identifier-uri",
        "--without-message-jwks",
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--default-max-age",
        "default",
        "--id-token-encryption",
        "default",
        "--userinfo-encryption",
        "default",
        "--request-object-alg",
        "default",
        "--request-object-encryption",
        "default",
        "--require-signed-request-object",
        "false",
    ];
    let shown = text(&run(&data, &["client", "show", &id], "").stdout);
    assert!(shown.contains("are in signed request objects, or refused"), "{shown}");
    let edited = json(&data, &[&["client", "edit", &id], &takes[..], &on].concat(), "");
    assert_eq!(edited.get("openid"), plain.get("openid"), "{edited}");
    let both =
        ["client", "edit", &id, "--without-request-uris", "--request-uri", "https://a.example"];
    assert_eq!(failure(&data, &both).0, 2);
}

#[test]
fn a_command_without_a_change_names_some_of_them_and_not_all() {
    let folder = Folder::new();
    let (code, said) = failure(&folder.data(), &["client", "edit", "shop"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--name <NAME>, --add-redirect-uri <URI>, "), "{said}");
    assert!(said.contains("--help lists all") && said.len() < 400, "{said}");
    let (code, said) = failure(&folder.data(), &["client", "edit", "shop", "--private-key-jwt"]);
    assert!(code == 2 && said.contains("--jwks-uri <URL>") && said.len() < 400, "{said}");
}

#[test]
fn a_client_that_signs_its_requests_gives_up_its_grants() {
    let folder = Folder::new();
    let data = folder.data();
    let add = ["Old", "--oauth1", "--redirect-uri", "https://old.example/cb"];
    let id = added(&data, &[&add[..], &["--grant", "authorization_code"]].concat());
    let edited = json(&data, &["client", "edit", &id, "--without-grants"], "");
    assert_eq!(edited["grant_types"], json!([]));
    let shop = added(&data, &["Shop", "--redirect-uri", "https://shop.example/cb"]);
    assert_eq!(failure(&data, &["client", "edit", &shop, "--without-grants"]).0, 2);
}

#[test]
fn a_mistyped_member_of_a_line_is_named_wherever_it_is() {
    let folder = Folder::new();
    let data = folder.data();
    for (further, said) in [
        (
            r#""oauth1": {"keys": [], "out_of_bnd": true}"#,
            "\"out_of_bnd\" in oauth1; did you mean \"out_of_band\"?",
        ),
        (
            r#""oauth1_secret": "kd94hf93k423kf44", "oauth1": {"keys": [], "methods": []}"#,
            "methods is empty",
        ),
        (r#""lifetimes": {"acces_token": 60}"#, "in lifetimes; did you mean \"access_token\"?"),
        (r#""openid": {"subjet_type": "pairwise"}"#, "in openid; did you mean \"subject_type\"?"),
        (r#""secrets": [{"verifer": "x"}]"#, "in secrets; did you mean \"verifier\"?"),
    ] {
        let line = format!(
            r#"{{"client_id": "x", "client_name": "X", "client_secret": "twelve chars", {further}}}"#
        );
        let output = run(&data, &["client", "import", "-"], &line);
        let error = text(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(said), "{line}: {error}");
    }
    assert_eq!(json(&data, &["client", "list"], ""), Value::Array(Vec::new()));
}
