//! `quadrille client`: rules of one client, and its secrets.

use std::path::Path;

use quadrille::jose::{Algorithm, KeySet, SigningKey};
use serde_json::{Value, json};

use crate::process::{Folder, failure, json, run, text};

pub(crate) const SCOPES: [&str; 2] = ["--set", "scopes=photos,profile,mail"];
const REDIRECT: [&str; 2] = ["--redirect-uri", "https://app.example/callback"];
pub(crate) const MACHINE: &str = "--grant=client_credentials";

pub(crate) fn add(data: &Path, arguments: &[&str]) -> Value {
    let add = ["client", "add", "Printer", "--scope", "photos profile"];
    json(data, &[&add[..], &REDIRECT, arguments, &SCOPES].concat(), "")
}

#[test]
fn a_client_has_rules_of_its_own_which_are_shown_and_withdrawn() {
    let folder = Folder::new();
    let data = folder.data();
    let rules = [
        "--default-scope",
        "photos",
        "--access-token-lifetime",
        "5m",
        "--refresh-token-total-lifetime",
        "7d",
        "--require-pkce",
        "--allow-refresh-tokens-without-rotation-so-that-a-stolen-one-stays-valid",
        "--redirect-uri-pattern-so-that-any-subdomain-receives-codes",
        "https://*.preview.example.com/callback",
    ];
    let added = add(&data, &rules);
    assert_eq!(added["default_scope"], "photos");
    assert_eq!(added["lifetimes"], json!({ "access_token": 300, "refresh_token_total": 604_800 }));
    assert_eq!(added["requires_pkce"], true);
    assert_eq!(added["without_rotation"], true);
    assert_eq!(added["redirect_uri_patterns"], json!(["https://*.preview.example.com/callback"]));
    let id = added["client_id"].as_str().unwrap();
    let shown = text(&run(&data, &["client", "show", id], "").stdout);
    for line in ["default scopes", "300 s", "do not rotate", "*.preview.example.com"] {
        assert!(shown.contains(line), "{shown}");
    }
    let edit = [
        "client",
        "edit",
        id,
        "--access-token-lifetime",
        "default",
        "--all-scopes-by-default",
        "--rotate-refresh-tokens",
        "--without-redirect-uri-patterns",
    ];
    let edited = json(&data, &[&edit[..], &SCOPES].concat(), "");
    assert_eq!(edited["lifetimes"], json!({ "refresh_token_total": 604_800 }));
    for name in ["default_scope", "without_rotation", "redirect_uri_patterns"] {
        assert!(edited.get(name).is_none(), "{name}");
    }
    assert_eq!(edited["requires_pkce"], true, "what is not named remains");
}

#[test]
fn mistakes_in_rules_name_the_right_word() {
    let folder = Folder::new();
    let data = folder.data();
    let add = |arguments: &[&str]| {
        let add = ["client", "add", "Printer", "--scope", "photos"];
        failure(&data, &[&add[..], &REDIRECT, arguments, &SCOPES].concat())
    };
    let (code, said) = add(&["--default-scope", "phots"]);
    assert_eq!(code, 2);
    assert!(said.contains("did you mean \"photos\"?"), "{said}");
    let (code, said) = add(&["--default-scope", "mail"]);
    assert!(code == 2 && said.contains("not among the scopes of the client"), "{said}");
    let (code, said) = add(&["--access-token-lifetime", "0s"]);
    assert!(code == 2 && said.contains("between one second and ten years"), "{said}");
    let pattern = "--redirect-uri-pattern-so-that-any-subdomain-receives-codes";
    let (code, said) = add(&[pattern, "https://*.example.com/"]);
    assert!(code == 2 && said.contains("https://*.example.com/"), "{said}");
    let rotation = "--allow-refresh-tokens-without-rotation-so-that-a-stolen-one-stays-valid";
    let (code, said) = add(&["--public", rotation]);
    assert!(code == 2 && said.contains("must rotate"), "{said}");
    assert_eq!(failure(&data, &["client", "edit", "x"]).0, 2, "nothing is to be changed");
}

#[test]
fn what_a_client_cannot_use_is_pointed_out() {
    let folder = Folder::new();
    let data = folder.data();
    let (code, said) = failure(&data, &["client", "add", "App", "--public"]);
    assert!(code == 2 && said.contains("needs --redirect-uri"), "{said}");
    let machine = ["client", "add", "Job", MACHINE];
    let (code, said) = failure(&data, &[&machine[..], &REDIRECT].concat());
    assert!(code == 2 && said.contains("--redirect-uri needs the grant"), "{said}");
    let added = add(&data, &["--require-pkce"]);
    let id = added["client_id"].as_str().unwrap();
    let shown = text(&run(&data, &["client", "show", id], "").stdout);
    assert!(shown.lines().any(|line| line.starts_with("PKCE") && line.ends_with("required")));
    let unused = "are of no use without the grant authorization_code";
    let edit = ["client", "edit", id, "--grant", "client_credentials"];
    let edit = |further: &[&str]| {
        let output = run(&data, &[&edit[..], further, &SCOPES].concat(), "");
        assert!(output.status.success(), "{output:?}");
        text(&output.stderr)
    };
    assert!(edit(&[]).contains(unused));
    assert!(!edit(&["--remove-redirect-uri", "https://app.example/callback"]).contains(unused));
    let line = r#"{"client_id": "job", "client_name": "Job", "client_secret": "twelve chars",
        "grant_types": ["client_credentials"], "redirect_uris": ["https://app.example/"]}"#;
    let output = run(&data, &["client", "import", "-"], &line.replace('\n', " "));
    assert!(text(&output.stderr).contains(unused), "{output:?}");
}

#[test]
fn a_pem_file_in_place_of_a_jwk_set_is_called_so() {
    let folder = Folder::new();
    let data = folder.data();
    let file = folder.path().join("key.pem");
    let path = file.to_str().unwrap();
    for (kind, is_private) in [("PUBLIC", false), ("RSA PRIVATE", true)] {
        let pem = format!("-----BEGIN {kind} KEY-----\nMCow\n-----END {kind} KEY-----\n");
        std::fs::write(&file, pem).unwrap();
        let robot = ["client", "add", "Robot", "--private-key-jwt", "--jwks", path];
        let (code, said) = failure(&data, &robot);
        assert!(code == 2 && said.contains(path) && said.contains("this is PEM"), "{said}");
        assert_eq!(said.contains("stays with the client"), is_private, "{said}");
        assert!(!said.contains("MCow"), "{said}");
    }
}

#[test]
fn a_scope_that_the_settings_lost_is_pointed_out_at_the_next_change() {
    let folder = Folder::new();
    let data = folder.data();
    let id = add(&data, &[])["client_id"].as_str().unwrap().to_owned();
    let edit = ["client", "edit", &id, "--name", "Plotter", "--set", "scopes=photo,profile"];
    let (code, said) = failure(&data, &edit);
    assert!(code == 2 && said.contains("did you mean \"photo\"?"), "{said}");
    let api = ["client", "add", "API", "--resource-server", "--audience", "https://api.example"];
    let set = ["--set", "resources=https://api.example"];
    let added = json(&data, &[&api[..], &set].concat(), "");
    let id = added["client_id"].as_str().unwrap();
    let edit =
        ["client", "edit", id, "--name", "Photos", "--set", "resources=https://apis.example"];
    let (code, said) = failure(&data, &edit);
    assert!(code == 2 && said.contains("did you mean \"https://apis.example\"?"), "{said}");
}

#[test]
fn a_secret_is_rolled_over_by_command() {
    let folder = Folder::new();
    let data = folder.data();
    let added = add(&data, &[]);
    let id = added["client_id"].as_str().unwrap();
    let old = added["secrets"][0]["id"].as_str().unwrap();
    let new = json(&data, &["client", "secret", "add", id], "");
    assert!(new["client_secret"].as_str().unwrap().len() > 40);
    let chosen = ["client", "secret", "add", id, "--secret-stdin", "--expires-in", "90d"];
    let chosen = json(&data, &chosen, "correct horse battery\n");
    assert!(chosen.get("client_secret").is_none(), "it is known already");
    let listed = json(&data, &["client", "secret", "list", id], "");
    let kinds: Vec<_> = listed.as_array().unwrap().iter().map(|secret| &secret["kind"]).collect();
    assert_eq!(kinds, ["generated", "generated", "chosen"]);
    assert!(!listed.to_string().contains("correct") && !listed.to_string().contains("argon2"));
    assert!(listed[2]["expires"].is_string() && listed[0]["created"].is_string());
    let expired = json(&data, &["client", "secret", "expire", id, old, "--in", "1h"], "");
    assert!(expired[0]["expires"].is_string());
    let left = json(&data, &["client", "secret", "remove", id, old, "--yes"], "");
    assert_eq!(left.as_array().unwrap().len(), 2);
    let (code, said) = failure(&data, &["client", "secret", "remove", id, old]);
    assert!(code == 2 && said.contains("has no secret"), "{said}");
    let last = left[1]["id"].as_str().unwrap();
    json(&data, &["client", "secret", "remove", id, last, "--yes"], "");
    let only = left[0]["id"].as_str().unwrap();
    let (code, said) = failure(&data, &["client", "secret", "remove", id, only, "--yes"]);
    assert!(code == 2 && said.contains("only valid secret"), "{said}");
    assert_eq!(failure(&data, &["client", "secret", "list", "nobody"]).0, 6);
    let short = run(&data, &["client", "secret", "add", id, "--secret-stdin"], "short\n");
    assert_eq!(short.status.code(), Some(2), "{}", text(&short.stderr));
    let none = run(&data, &["client", "secret", "add", id, "--secret-stdin"], "");
    assert!(text(&none.stderr).contains("no secret on standard input"));
}

#[test]
fn a_client_brings_its_id_its_secret_and_its_consumer_secret_along() {
    let folder = Folder::new();
    let data = folder.data();
    let own = ["client", "add", "Old", "--id", "old app", "--secret-stdin"];
    let own = [&own[..], &REDIRECT].concat();
    let added = json(&data, &own, "a secret of its own\n");
    assert_eq!(added["client_id"], "old app");
    assert!(added.get("client_secret").is_none());
    assert_eq!(run(&data, &own, "a secret of its own\n").status.code(), Some(7), "it is taken");
    let signs = ["client", "add", "Signs", "--id", "signs", "--oauth1", "--two-legged"];
    let signs =
        json(&data, &[&signs[..], &["--oauth1-secret-stdin"]].concat(), "0123456789abcdef0");
    assert!(signs.get("oauth1_secret").is_none());
    assert_eq!(signs["grant_types"], json!(["client_credentials"]));
    assert_eq!(signs["redirect_uris"], json!([]));
}

#[test]
fn a_scheme_that_any_program_can_claim_is_pointed_out() {
    let folder = Folder::new();
    let data = folder.data();
    let app = ["client", "add", "App", "--public", "--redirect-uri", "photos:/callback"];
    let output = run(&data, &app, "");
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("can claim the scheme of photos:/callback"));
}

#[test]
fn settings_that_leave_an_application_without_credentials_are_called_so() {
    let folder = Folder::new();
    let data = folder.data();
    let note = "has no secret after that";
    let added = json(&data, &["client", "add", "Job", MACHINE], "");
    let id = added["client_id"].as_str().unwrap();
    let old = json(&data, &["client", "secret", "list", id], "")[0]["id"].clone();
    let expire = ["client", "secret", "expire", id, old.as_str().unwrap(), "--in", "1s"];
    assert!(text(&run(&data, &expire, "").stderr).contains(note), "the only one");
    json(&data, &["client", "secret", "add", id], "");
    assert!(!text(&run(&data, &expire, "").stderr).contains(note), "another one remains");

    for (uri, is_inside) in [
        ("https://127.0.0.1/jwks", true),
        ("https://[::1]/jwks", true),
        ("https://10.1.2.3/jwks", true),
        ("https://localhost/jwks", true),
        ("https://robot.example/jwks.json", false),
    ] {
        let add = ["client", "add", "Robot", MACHINE, "--private-key-jwt"];
        let output = run(&data, &[&add[..], &["--jwks-uri", uri]].concat(), "");
        assert_eq!(text(&output.stderr).contains("not fetched"), is_inside, "{uri}");
    }
}

#[test]
fn the_keys_of_a_client_are_rotated_by_its_new_keys_alone() {
    let folder = Folder::new();
    let data = folder.data();
    let file = |name: &str| {
        let path = folder.path().join(name);
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::from_iter([key.verifying_key().clone()]);
        std::fs::write(&path, keys.to_json()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (old, new) = (file("old.json"), file("new.json"));
    let add = ["client", "add", "Robot", "--id", "robot", "--grant", "client_credentials"];
    let keys = ["--private-key-jwt", "--jwks", &old, "--assertion-alg", "ES256"];
    let before = json(&data, &[&add[..], &keys].concat(), "");
    let edited = json(&data, &["client", "edit", "robot", "--jwks", &new], "");
    assert_eq!(edited["token_endpoint_auth_method"], "private_key_jwt");
    let exported = text(&run(&data, &["client", "export", "robot"], "").stdout);
    let exported: Value = serde_json::from_str(&exported).unwrap();
    let new_keys: Value = serde_json::from_str(&std::fs::read_to_string(&new).unwrap()).unwrap();
    let exported_text = exported.to_string();
    assert!(exported_text.contains(new_keys["keys"][0]["x"].as_str().unwrap()), "{exported}");
    assert!(exported_text.contains("ES256"), "{exported}");
    assert_eq!(before["client_id"], json!("robot"));

    json(&data, &["client", "add", "Job", "--id", "job", "--grant", "client_credentials"], "");
    for wrong in
        [&["client", "edit", "job", "--jwks", &new][..], &["client", "add", "X", "--jwks", &new]]
    {
        let (code, said) = failure(&data, wrong);
        assert!(code == 2 && said.contains("--private-key-jwt"), "{said}");
    }
}
