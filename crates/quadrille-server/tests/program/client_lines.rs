//! `quadrille client export` and `import`: clients as lines of JSON.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    clients::{MACHINE, SCOPES, add},
    process::{Folder, failure, json, run, text},
};

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

    json(&data, &["client", "edit", "signs", method, "HMAC-SHA256"], "");
    assert_eq!(methods(&data), json!(["HMAC-SHA256"]));
    json(&data, &["client", "edit", "signs", "--name", "Signs still"], "");
    assert_eq!(methods(&data), json!(["HMAC-SHA256"]), "another change leaves them");
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
    let good = r#"{"client_id": "a", "client_name": "A", "client_secret": "twelve chars", "grant_types": ["client_credentials"]}"#;
    let bcrypt = "$2b$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2";
    let hashed = format!(
        r#"{{"client_id": "b", "client_name": "B", "grant_types": ["client_credentials"], "secrets": [{{"verifier": "{bcrypt}"}}]}}"#
    );
    let wrong = [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        (
            r#"{"client_id": "x", "client_id": "y", "client_name": "X"}"#,
            "the member \"client_id\" is there twice",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secrt": "s"}"#,
            "did you mean \"client_secret\"",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "grant_types": ["client_credentials"]}"#,
            "needs a secret",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s"}"#,
            "a client needs redirect_uris, where users return",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "redirect_uris": []}"#,
            "a client needs redirect_uris, where users return",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "redirect_uris": ["https://app.example/"], "created": -1}"#,
            "created is no time in seconds since 1970",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "redirect_uris": ["https://app.example/"], "created": 1796057576311}"#,
            "created is in milliseconds: times are seconds since 1970",
        ),
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
            r#"{"client_id": "x", "client_name": "X", "client_secret": "s", "grant_types": ["client_credentials"], "scope": "phots"}"#,
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
            r#"{"client_id": "x", "client_name": "X", "grant_types": ["client_credentials"], "secrets": [{"verifier": "plain"}]}"#,
            "none of Argon2id",
        ),
        (
            r#"{"client_id": "x", "client_name": "X", "secrets": [{"verifier": "$2b$31$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2"}]}"#,
            "costs too much",
        ),
        (
            r#"{"client_id": "a", "client_name": "X", "client_secret": "s", "grant_types": ["client_credentials"]}"#,
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
    let weak = [
        r#"{"client_id": "short", "client_name": "Short", "client_secret": "a", "grant_types": ["client_credentials"]}"#.to_owned(),
        format!(
            r#"{{"client_id": "few", "client_name": "Few", "grant_types": ["client_credentials"], "secrets": [{{"verifier": "pbkdf2_sha256$1$salt${}="}}]}}"#,
            "A".repeat(43)
        ),
    ];
    let told = run(&data, &import, &weak.join("\n"));
    let said = text(&told.stderr);
    assert!(told.status.success(), "{said}");
    assert!(said.contains("short can be guessed: the length of a secret is 1"), "{said}");
    assert!(
        said.contains("few can be guessed: the iterations of a verifier (PBKDF2) are 1"),
        "{said}"
    );
    let differs = good.replace("\"A\"", "\"Another\"");
    let refused = run(&data, &import, &differs);
    let said = text(&refused.stderr);
    let named = "line 1: there is another client with this client_id, which differs from the line in client_name; ";
    assert!(said.contains(named) && said.contains("`quadrille client edit` changes it"), "{said}");
    let api = good
        .replace("\"a\"", "\"api\"")
        .replace(r#", "grant_types": ["client_credentials"]"#, "")
        .replace('}', r#", "resource_server": "https://x.example"}"#);
    let refused = run(&data, &import, &api);
    assert!(text(&refused.stderr).contains("(see the setting resources)"), "{refused:?}");
}
