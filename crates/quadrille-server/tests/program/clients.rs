//! `quadrille client`: rules of one client, and its secrets.

use std::path::Path;

use quadrille::jose::{Algorithm, KeySet, SigningKey};
use serde_json::{Value, json};

use crate::process::{Folder, failure, json, run, text};

const SCOPES: [&str; 2] = ["--set", "scopes=photos,profile,mail"];
const REDIRECT: [&str; 2] = ["--redirect-uri", "https://app.example/callback"];
const MACHINE: &str = "--grant=client_credentials";

fn add(data: &Path, arguments: &[&str]) -> Value {
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
fn clients_move_to_another_provider_with_their_secrets() {
    let folder = Folder::new();
    let data = folder.data();
    let printer = add(&data, &["--default-scope", "photos", "--access-token-lifetime", "5m"]);
    let signs = ["client", "add", "Signs", "--oauth1", "--oob", "--id", "signs"];
    let signs = json(&data, &signs, "");
    let file = folder.path().join("clients.jsonl");
    let file = file.to_str().unwrap();
    let plain = "--secrets-in-plain-text-for-anyone-who-reads-the-file";
    let output = run(&data, &["client", "export", "--output", file, plain], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = std::fs::read_to_string(file).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(!lines.contains(printer["client_secret"].as_str().unwrap()), "only its hash is known");
    assert!(lines.contains(signs["oauth1_secret"].as_str().unwrap()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = run(&data, &["client", "export", "--output", file], "");
    assert_eq!(again.status.code(), Some(7), "no file is overwritten");
    assert!(text(&again.stderr).contains("exists already"), "{again:?}");

    let other = Folder::new();
    let import = ["client", "import", file, "--set", "scopes=photos,profile,mail"];
    let imported = json(&other.data(), &import, "");
    assert_eq!(imported["added"].as_array().unwrap().len(), 2);
    for id in [printer["client_id"].as_str().unwrap(), "signs"] {
        let (here, there) = (
            json(&data, &["client", "show", id], ""),
            json(&other.data(), &["client", "show", id], ""),
        );
        assert_eq!(here, there);
    }
    let twice = json(&other.data(), &import, "");
    assert_eq!((&twice["added"], twice["known"].as_array().unwrap().len()), (&json!([]), 2));
    let exported = text(&run(&other.data(), &["client", "export", plain], "").stdout);
    assert_eq!(exported, lines, "what was brought along is what is there");
}

#[test]
fn what_is_exported_and_imported_is_the_same() {
    let folder = Folder::new();
    let data = folder.data();
    let jwks = folder.path().join("jwks.json");
    let key = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    std::fs::write(&jwks, key).unwrap();
    let api = ["--set", "resources=https://api.example"];
    json(&data, &["migrate"], "");
    json(&data, &["keys", "rotate"], "");
    let without_rotation =
        "--allow-refresh-tokens-without-rotation-so-that-a-stolen-one-stays-valid";
    let pattern = "--redirect-uri-pattern-so-that-any-subdomain-receives-codes";
    let rules = ["--first-party", "--refresh-token-total-lifetime", "7d", without_rotation];
    let rules = [&rules[..], &[pattern, "https://*.preview.example.com/callback"]].concat();
    let printer = add(&data, &[&rules[..], &["--access-token-format", "jwt"]].concat());
    let id = printer["client_id"].as_str().unwrap();
    json(&data, &["client", "secret", "add", id, "--expires-in", "90d"], "");
    let chosen = ["client", "secret", "add", id, "--secret-stdin"];
    json(&data, &chosen, "correct horse battery\n");
    // Revocations are remembered for the longer time.
    let edit = ["client", "edit", id, "--refresh-token-total-lifetime", "1d"];
    json(&data, &[&edit[..], &SCOPES].concat(), "");
    for further in [
        &["App", "--public", "--require-pkce", "--redirect-uri", "com.example.app:/callback"][..],
        &["Robot", "--private-key-jwt", "--jwks", jwks.to_str().unwrap(), MACHINE],
        &["Signs", "--client-secret-jwt", "--assertion-alg", "HS256", MACHINE],
        &["Fetched", "--private-key-jwt", "--jwks-uri", "https://robot.example/jwks.json", MACHINE],
        &["API", "--resource-server", "--audience", "https://api.example"],
        &["TV", "--public", "--grant", "device_code"],
        &["Old", "--oauth1", "--redirect-uri", "https://old.example/callback"],
        &["Both", "--oauth1", "--oob", "--grant", "client_credentials"],
    ] {
        json(&data, &[&["client", "add"], further, &api].concat(), "");
    }
    let lines = text(&run(&data, &["client", "export"], "").stdout);
    assert_eq!(lines.lines().count(), 9, "{lines}");
    let ids: Vec<String> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["client_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let shown =
        || ids.iter().map(|id| json(&data, &["client", "show", id], "")).collect::<Vec<_>>();
    let before = shown();
    for id in &ids {
        json(&data, &["client", "remove", id, "--yes"], "");
    }
    let import = [&["client", "import", "-"], &SCOPES[..], &api].concat();
    assert_eq!(json(&data, &import, &lines)["added"].as_array().unwrap().len(), 9);
    assert_eq!(text(&run(&data, &["client", "export"], "").stdout), lines);
    assert_eq!(shown(), before);

    // Without keys that sign, the tokens of one of them could not be issued.
    let other = Folder::new();
    let refused = run(&other.data(), &import, &lines);
    assert!(text(&refused.stderr).contains("no key signs access tokens"), "{refused:?}");
    assert_eq!(json(&other.data(), &["client", "list"], ""), json!([]));
}

#[test]
fn signature_methods_of_a_client_are_shown_changed_and_moved() {
    let folder = Folder::new();
    let data = folder.data();
    let method = "--oauth1-signature-method";
    let add = ["client", "add", "Signs", "--oauth1", "--oob", "--id", "signs"];
    let weak = [method, "HMAC-SHA1"];
    let (code, said) = failure(&data, &[&add[..], &weak].concat());
    assert!(code == 2 && said.contains("HMAC-SHA1-as-most-clients-sign"), "{said}");
    let strong = [method, "HMAC-SHA512", method, "HMAC-SHA1-as-most-clients-sign"];
    let output = run(&data, &[&add[..], &strong].concat(), "");
    let said = text(&output.stderr);
    assert!(said.contains("HMAC-SHA1-as-most-clients-sign in oauth1.signature_methods"), "{said}");
    let methods = |data: &Path| {
        json(data, &["client", "show", "signs"], "")["oauth1"]["signature_methods"].clone()
    };
    assert_eq!(methods(&data), json!(["HMAC-SHA512", "HMAC-SHA1"]));
    let shown = text(&run(&data, &["client", "show", "signs"], "").stdout);
    assert!(shown.contains("HMAC-SHA512 HMAC-SHA1"), "{shown}");

    let plain = "--secrets-in-plain-text-for-anyone-who-reads-the-file";
    let lines = text(&run(&data, &["client", "export", plain], "").stdout);
    let other = Folder::new();
    assert_eq!(json(&other.data(), &["client", "import", "-"], &lines)["added"], json!(["signs"]));
    assert_eq!(methods(&other.data()), json!(["HMAC-SHA512", "HMAC-SHA1"]));

    json(&data, &["client", "edit", "signs", method, "RSA-SHA256"], "");
    assert_eq!(methods(&data), json!(["RSA-SHA256"]));
    json(&data, &["client", "edit", "signs", "--name", "Signs still"], "");
    assert_eq!(methods(&data), json!(["RSA-SHA256"]), "another change leaves them");
    json(&data, &["client", "edit", "signs", "--all-oauth1-signature-methods"], "");
    assert_eq!(methods(&data), Value::Null);
    let printer = ["client", "add", "Printer", "--redirect-uri", "https://a.example/cb"];
    let (code, said) = failure(&data, &[&printer[..], &[method, "HMAC-SHA512"]].concat());
    assert!(code == 2 && said.contains("needs a key to sign with"), "{said}");
}

#[test]
fn sealed_secrets_are_for_the_same_keys() {
    let folder = Folder::new();
    let data = folder.data();
    json(&data, &["client", "add", "Signs", "--oauth1", "--oob", "--id", "signs"], "");
    let lines = text(&run(&data, &["client", "export"], "").stdout);
    let other = Folder::new();
    let refused = run(&other.data(), &["client", "import", "-"], &lines);
    assert!(text(&refused.stderr).contains("sealed under other keys"), "{refused:?}");
    json(&data, &["client", "remove", "signs", "--yes"], "");
    assert_eq!(json(&data, &["client", "import", "-"], &lines)["added"], json!(["signs"]));
}

#[test]
fn wrong_lines_are_named_and_nothing_is_imported() {
    let folder = Folder::new();
    let data = folder.data();
    let good = r#"{"client_id": "a", "client_name": "A", "client_secret": "twelve chars"}"#;
    let bcrypt = "$2b$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2";
    let hashed = format!(
        r#"{{"client_id": "b", "client_name": "B", "secrets": [{{"verifier": "{bcrypt}"}}]}}"#
    );
    let wrong = [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        (r#"{"client_id": "x", "client_id": "y", "client_name": "X"}"#, "each member once"),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secrt": "s"}"#,
            "did you mean \"client_secret\"",
        ),
        (r#"{"client_id": "x", "client_name": "X"}"#, "needs a secret"),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "twelve chars", "grant_types": ["client_credentials"], "access_token_format": "jwt"}"#,
            "quadrille keys rotate",
        ),
        (r#"{"client_name": "X", "client_secret": "s"}"#, "the member client_id is missing"),
        (r#"{"client_id": "x", "client_secret": "s"}"#, "the member client_name is missing"),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "grant_types": ["implict"]}"#,
            "did you mean \"implicit\"",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "grant_types": ["device_code"]}"#,
            "did you mean \"urn:ietf:params:oauth:grant-type:device_code\"",
        ),
        (r#"{"client_id": "x", "client_name": "X", "client_secret": 7}"#, "printable ASCII"),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "scope": "phots"}"#,
            "did you mean \"photos\"",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "redirect_uris": ["http://app.example/"]}"#,
            "http://app.example/",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "redirect_uris": "https://app.example/"}"#,
            "no array of texts",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "secrets": [{"verifier": "plain"}]}"#,
            "none of Argon2id",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "secrets": [{"verifier": "$2b$31$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2"}]}"#,
            "costs too much",
        ),
        (
            r#"{"client_id": "a", "client_name": "X", "client_secret": "s"}"#,
            "line 1 has this client_id",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_type": "public", "client_secret": "s", "redirect_uris": ["https://app.example/"]}"#,
            "a public client has no secret",
        ),
    ];
    let lines: Vec<&str> = [good, &hashed].into_iter().chain(wrong.map(|(line, _)| line)).collect();
    let import = ["client", "import", "-", "--set", "scopes=photos"];
    let refused = run(&data, &import, &lines.join("\n"));
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    for (number, (line, reason)) in (3..).zip(wrong) {
        let start = format!("line {number}: ");
        let found = said.lines().find(|said| said.starts_with(&start));
        assert!(found.is_some_and(|found| found.contains(reason)), "{line}: {said}");
    }
    assert_eq!(json(&data, &["client", "list"], ""), json!([]));
    let with_mark = format!("\u{feff}{good}\n{hashed}");
    let imported = json(&data, &import, &with_mark);
    assert_eq!(imported["added"], json!(["a", "b"]));
    let differs = good.replace("\"A\"", "\"Another\"");
    let refused = run(&data, &import, &differs);
    assert!(text(&refused.stderr).contains("line 1: there is another client"), "{refused:?}");
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
