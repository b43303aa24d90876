//! The command line.

mod mistakes;
mod order;
mod settings;

use std::io::Write as _;

use serde_json::Value;

use crate::process::{Folder, Program, failure, json, quadrille, run, text};

const REDIRECT: [&str; 2] = ["--redirect-uri", "https://app.example/callback"];

#[test]
fn help_has_examples_and_says_what_exit_codes_mean() {
    let help = text(&quadrille(&["--help"]).output().unwrap().stdout);
    assert!(help.contains("quadrille client add") && help.contains("Exit codes"), "{help}");
    for command in ["serve", "user", "client", "token", "login", "migrate", "config"] {
        let output = quadrille(&[command, "--help"]).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{command}");
    }
    let serve = text(&quadrille(&["serve", "--help"]).output().unwrap().stdout);
    assert!(serve.contains("QUADRILLE_KEYS") && serve.contains("--trusted-proxy"), "{serve}");
    assert_eq!(quadrille(&["serv"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn users_are_added_listed_and_removed() {
    let folder = Folder::new();
    let data = folder.data();
    let add = ["user", "add", "Ada@example.org", "--password-stdin"];
    let ada = json(&data, &add, "correct horse\nmore\n");
    assert_eq!(ada["username"], "Ada@example.org");
    assert_eq!(ada["subject"].as_str().unwrap().len(), 22);
    let output =
        run(&data, &["user", "add", "ada@EXAMPLE.org", "--password-stdin"], "correct horse");
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    let list = json(&data, &["user", "list"], "");
    assert_eq!(list[0]["subject"], ada["subject"]);
    assert!(!list.to_string().contains("argon2"));
    json(&data, &["user", "remove", "ada@example.org", "--yes"], "");
    assert_eq!(failure(&data, &["user", "remove", "ada@example.org"]).0, 6);
    let again = json(&data, &add, "correct horse");
    assert_ne!(again["subject"], ada["subject"], "a name given again is another person");
}

#[test]
fn a_first_party_client_is_shown_with_where_its_users_are_asked() {
    let folder = Folder::new();
    let data = folder.data();
    let (web, here) = ("https://app.example/callback", "http://127.0.0.1/callback");
    for (arguments, words) in [
        (&["--redirect-uri", here][..], "not asked: first party"),
        (&["--public", "--redirect-uri", web], "not asked: first party"),
        (&["--public", "--redirect-uri", here], "asked although first party"),
        (&["--public", "--redirect-uri", web, "--redirect-uri", here], "not asked at https"),
    ] {
        let add = [&["client", "add", "Printer", "--first-party"], arguments].concat();
        let client = json(&data, &add, "");
        let show = ["client", "show", client["client_id"].as_str().unwrap()];
        let shown = text(&run(&data, &show, "").stdout);
        let consent = shown.lines().find_map(|line| line.strip_prefix("consent")).unwrap();
        assert!(consent.trim().starts_with(words), "{arguments:?}: {shown}");
    }
}

#[test]
fn an_edited_client_keeps_what_is_not_named_and_a_mistake_changes_nothing() {
    let folder = Folder::new();
    let data = folder.data();
    let scopes = ["--set", "scopes=photos,profile,mail"];
    let json_of = |arguments: &[&str]| json(&data, &[arguments, &scopes].concat(), "");
    let add = ["client", "add", "Printer", "--redirect-uri", "https://app.example/a"];
    let added = json_of(&[&add[..], &["--scope", "photos profile"]].concat());
    let id = added["client_id"].as_str().unwrap();

    let uris = ["--add-redirect-uri", "https://app.example/b"];
    let edited = json_of(&[&["client", "edit", id][..], &uris].concat());
    assert_eq!(
        edited["redirect_uris"],
        serde_json::json!(["https://app.example/a", "https://app.example/b"])
    );
    assert!(edited.get("client_secret").is_none(), "no secret is new");
    for name in ["client_name", "scope", "secrets", "grant_types", "created"] {
        assert_eq!(edited[name], added[name], "{name}");
    }
    let edited = json_of(&[
        "client",
        "edit",
        id,
        "--name",
        " Photo printer ",
        "--add-scope",
        "mail",
        "--remove-scope",
        "photos",
        "--first-party",
        "true",
        "--remove-redirect-uri",
        "https://app.example/a",
        "--grant",
        "authorization_code",
    ]);
    assert_eq!(edited["client_name"], "Photo printer");
    assert_eq!(edited["scope"], "profile mail");
    assert_eq!(edited["first_party"], true);
    assert_eq!(edited["redirect_uris"], serde_json::json!(["https://app.example/b"]));
    assert_eq!(edited["grant_types"], serde_json::json!(["authorization_code"]));

    let shown = json(&data, &["client", "show", id], "");
    for (arguments, code, said) in [
        (&["--remove-scope", "profil"][..], 2, "\"profile\""),
        (&["--add-scope", "emial"], 2, "there is no scope"),
        (&["--remove-redirect-uri", "https://app.example/bb"], 2, "https://app.example/b"),
        (&["--add-redirect-uri", "http://app.example/"], 2, "http://app.example/"),
        (&["--remove-redirect-uri", "https://app.example/b"], 2, "redirect URI"),
        (&["--name", "\u{202e}"], 2, "name"),
        (&[], 2, "one option at least is needed"),
    ] {
        let command = [&["client", "edit", id][..], arguments, &scopes].concat();
        let (found, text) = failure(&data, &command);
        assert_eq!(found, code, "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
        assert_eq!(json(&data, &["client", "show", id], ""), shown, "{arguments:?}");
    }
    assert_eq!(failure(&data, &["client", "edit", "nobody", "--name", "X"]).0, 6);
}

#[test]
fn the_authentication_of_a_client_is_changed_and_its_secrets_go_when_they_are_of_no_use() {
    let folder = Folder::new();
    let data = folder.data();
    let client = json(&data, &["client", "add", "Robot", "--grant", "client_credentials"], "");
    let id = client["client_id"].as_str().unwrap();
    let edit = |arguments: &[&str]| json(&data, &[&["client", "edit", id], arguments].concat(), "");
    let url = "https://robot.example/jwks.json";
    let robot = edit(&["--private-key-jwt", "--jwks-uri", url]);
    assert_eq!(robot["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(robot["secrets"], Value::Array(Vec::new()), "{robot}");
    assert_eq!(robot["client_secret"], Value::Null);
    let file = folder.path().join("jwks.json");
    let key = r#"{"keys":[{"kty":"OKP","crv":"Ed25519",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    std::fs::write(&file, key).unwrap();
    let keys = ["--private-key-jwt", "--jwks", file.to_str().unwrap()];
    edit(&[&keys[..], &["--name", "Robot 2"]].concat());
    let signs = edit(&["--client-secret-jwt", "--assertion-alg", "HS256"]);
    assert_eq!(signs["token_endpoint_auth_method"], "client_secret_jwt");
    assert!(signs["client_secret"].is_string(), "a secret that can sign is a new one");
    let sends = edit(&["--client-secret-basic"]);
    assert_eq!(sends["token_endpoint_auth_method"], "client_secret_basic");
    for wrong in [
        &["--private-key-jwt"][..],
        &["--jwks-uri", url],
        &["--assertion-alg", "ES256"],
        &["--client-secret-basic", "--assertion-alg", "ES256"],
        &["--client-secret-basic", "--client-secret-post"],
        &["--private-key-jwt", "--jwks-uri", "http://127.0.0.1/jwks"],
    ] {
        let (code, said) = failure(&data, &[&["client", "edit", id], wrong].concat());
        assert_eq!(code, 2, "{wrong:?}: {said}");
    }
    let shown = json(&data, &["client", "show", id], "");
    assert_eq!(shown["token_endpoint_auth_method"], "client_secret_basic");
    let phone = ["client", "add", "Phone", "--public", "--redirect-uri", "com.example:/cb"];
    let phone = json(&data, &phone, "");
    let phone = ["client", "edit", phone["client_id"].as_str().unwrap(), "--client-secret-jwt"];
    assert_eq!(failure(&data, &phone).0, 2);
}

#[test]
fn two_users_whose_names_are_or_look_the_same_are_refused() {
    let folder = Folder::new();
    let data = folder.data();
    let add = |name: &str| run(&data, &["user", "add", name, "--password-stdin"], "correct horse");
    assert!(add("Ren\u{e9}").status.success());
    let decomposed = add("rene\u{301}");
    let said = text(&decomposed.stderr);
    assert_eq!(decomposed.status.code(), Some(7), "{said}");
    assert!(said.contains("\"rene\u{301}\""), "as it was typed: {said}");
    assert!(add("user1").status.success());
    assert_eq!(add("userI").status.code(), Some(2), "it is shown with a capital I");
    assert!(add("paypal").status.success());
    let cyrillic = add("p\u{430}ypal");
    let said = text(&cyrillic.stderr);
    assert_eq!(cyrillic.status.code(), Some(2), "{said}");
    assert!(said.contains("the user \"paypal\" looks the same"), "{said}");
    assert_eq!(add("a\u{202e}b").status.code(), Some(2), "it is read from the other end");
    json(&data, &["user", "remove", "RENE\u{301}", "--yes"], "");
}

#[test]
fn passwords_and_names_that_will_not_do_are_refused() {
    let folder = Folder::new();
    let code = |name: &str, password: &str| {
        let output = run(&folder.data(), &["user", "add", name, "--password-stdin"], password);
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let (status, said) = code("ada", "short\n");
    assert!(status == 2 && said.contains("at least 8"), "{said}");
    assert_eq!(code("ada", &"x".repeat(2000)).0, 2);
    assert_eq!(code("", "correct horse").0, 2);
    assert_eq!(code(" ada", "correct horse").0, 2);
    assert_eq!(code("a\u{1}b", "correct horse").0, 2);
    assert!(!folder.data().exists(), "nothing is made for nothing");
    let output = quadrille(&["user", "add", "ada", "--data-dir"])
        .arg(folder.data())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(text(&output.stderr).contains("--password-stdin"), "{}", text(&output.stderr));
}

#[test]
fn clients_are_added_shown_rotated_and_removed() {
    let folder = Folder::new();
    let data = folder.data();
    let add = ["client", "add", "My app", "--set", "scopes=a,b,c", "--scope", "a b"];
    let add = [&add, &["--scope", "c"][..], &REDIRECT[..]].concat();
    let client = json(&data, &add, "");
    let id = client["client_id"].as_str().unwrap();
    assert_eq!(client["scope"], "a b c");
    assert_eq!(client["grant_types"], serde_json::json!(["authorization_code", "refresh_token"]));
    assert_eq!(client["client_secret"].as_str().unwrap().len(), 43);

    let shown = json(&data, &["client", "show", id], "");
    assert_eq!(shown["client_name"], "My app");
    assert_eq!(shown.get("client_secret"), None);
    let rotated = json(&data, &["client", "rotate-secret", id, "--keep-old", "1h"], "");
    assert_ne!(rotated["client_secret"], client["client_secret"]);
    let secrets = json(&data, &["client", "show", id], "")["secrets"].clone();
    assert_eq!(secrets.as_array().unwrap().len(), 2);
    let rotated = json(&data, &["client", "rotate-secret", id, "--keep-old", "0s"], "");
    assert_eq!(rotated["secrets"].as_array().unwrap().len(), 1, "{rotated}");

    let public = [&["client", "add", "Phone", "--public"], &REDIRECT[..]].concat();
    let public = json(&data, &public, "");
    assert_eq!(public.get("client_secret"), None);
    let list = json(&data, &["client", "list"], "");
    assert_eq!(list.as_array().unwrap().len(), 2);
    let id = public["client_id"].as_str().unwrap();
    assert_eq!(failure(&data, &["client", "rotate-secret", id]).0, 2);
    json(&data, &["client", "remove", id, "--yes"], "");
    for command in ["show", "remove", "rotate-secret"] {
        assert_eq!(failure(&data, &["client", command, id]).0, 6, "{command}");
    }
}

#[test]
fn a_scope_or_an_api_that_does_not_exist_is_refused_and_the_nearest_is_named() {
    let folder = Folder::new();
    let data = folder.data();
    let known =
        ["--set", "scopes=photos:read,photos:write", "--set", "resources=https://a.example"];
    let refused = |arguments: &[&str], settings: &[&str]| {
        let (code, said) = failure(&data, &[&["client", "add", "X"], arguments, settings].concat());
        assert_eq!(code, 2, "{said}");
        said
    };
    let typo = ["--grant", "client_credentials", "--scope", "photos:raed"];
    assert!(refused(&typo, &known).contains("did you mean \"photos:read\"?"));
    let typo = ["--resource-server", "--audience", "https://a.exampel"];
    assert!(refused(&typo, &known).contains("did you mean \"https://a.example\"?"));
    let comma = ["--grant", "client_credentials", "--scope", "photos:read,photos:write"];
    assert!(refused(&comma, &known).contains("there is no scope"));
    let good = ["--grant", "client_credentials", "--scope", "photos:read"];
    assert!(refused(&good, &[]).contains("serve"), "nobody said which there are");
    // The folder remembers what it was served with.
    Program::start_with(&folder, &known).stop();
    json(&data, &[&["client", "add", "X"], &good[..]].concat(), "");
    json(
        &data,
        &["client", "add", "Api", "--resource-server", "--audience", "https://a.example"],
        "",
    );
    assert!(refused(&["--scope", "nothing:like-it"], &[]).contains("there is no scope"));
    let documents = ["--set", "client_metadata_document_scopes=photos:wirte"];
    let (code, said) = failure(&data, &[&["config"], &known[..], &documents].concat());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("did you mean \"photos:write\"?"), "{said}");
}

#[test]
fn a_client_that_signs_is_registered_with_its_public_keys_and_has_no_secret() {
    let folder = Folder::new();
    let data = folder.data();
    let file = folder.path().join("jwks.json");
    let key = r#"{"keys":[{"kty":"OKP","crv":"Ed25519",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    std::fs::write(&file, key).unwrap();
    let keys = ["--private-key-jwt", "--jwks", file.to_str().unwrap()];
    let robot = json(
        &data,
        &[&["client", "add", "Robot", "--grant", "client_credentials"], &keys[..]].concat(),
        "",
    );
    assert_eq!(robot["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(robot["client_secret"], Value::Null);
    let url = ["--private-key-jwt", "--jwks-uri", "https://robot.example/jwks.json"];
    json(
        &data,
        &[&["client", "add", "Robot", "--grant", "client_credentials"], &url[..]].concat(),
        "",
    );
    let shared = ["client", "add", "Robot", "--grant", "client_credentials", "--client-secret-jwt"];
    let shared = json(&data, &shared, "");
    assert_eq!(shared["token_endpoint_auth_method"], "client_secret_jwt");
    assert!(shared["client_secret"].as_str().unwrap().len() >= 64);

    let refused = |arguments: &[&str]| {
        let arguments =
            [&["client", "add", "X", "--grant", "client_credentials"], arguments].concat();
        let (code, said) = failure(&data, &arguments);
        assert_eq!(code, 2, "{said}");
        said
    };
    refused(&["--private-key-jwt"]);
    refused(&[&keys[..], &["--public"]].concat());
    refused(&[&keys[..], &["--client-secret-jwt"]].concat());
    assert!(refused(&[&keys[..], &["--assertion-alg", "none"]].concat()).contains("ES256"));
    assert!(refused(&[&keys[..], &["--assertion-alg", "RS256"]].concat()).contains("no key"));
    let inward = ["--private-key-jwt", "--jwks-uri", "http://127.0.0.1/jwks"];
    assert!(refused(&inward).contains("https"));
    std::fs::write(&file, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#).unwrap();
    assert!(refused(&keys).contains("private or shared key"));
}

#[test]
fn an_older_application_can_be_let_in_without_pkce_if_it_has_a_secret() {
    let folder = Folder::new();
    let data = folder.data();
    let flag = "--allow-without-pkce-so-that-a-leaked-code-can-be-injected";
    let old = json(&data, &[&["client", "add", "Old", flag], &REDIRECT[..]].concat(), "");
    assert_eq!(old["without_pkce"], true);
    let new = json(&data, &[&["client", "add", "New"], &REDIRECT[..]].concat(), "");
    assert_eq!(new.get("without_pkce"), None);
    let public = [&["client", "add", "Phone", "--public", flag], &REDIRECT[..]].concat();
    assert_eq!(failure(&data, &public).0, 2);
}

#[test]
fn clients_that_could_never_work_or_never_be_safe_are_refused() {
    let folder = Folder::new();
    let data = folder.data();
    let refused = |arguments: &[&str]| {
        let (code, said) = failure(&data, &[&["client", "add"], arguments].concat());
        assert_eq!(code, 2, "{said}");
        said
    };
    let said = refused(&["X", "--redirect-uri", "http://app.example/callback"]);
    assert!(said.contains("http://app.example/callback"), "{said}");
    refused(&["X", "--redirect-uri", "https://app.example/#fragment"]);
    refused(&["X", "--grant", "authorization_code"]);
    let said = refused(&["X", "--grant", "refresh_token"]);
    assert!(said.contains("authorization_code"), "{said}");
    refused(&["X", "--grant", "refresh_token", "--grant", "client_credentials"]);
    let said = refused(&["X", "--grant", "client_credentials", REDIRECT[0], REDIRECT[1]]);
    assert!(said.contains("--redirect-uri"), "{said}");
    refused(&["X", "--public", "--grant", "client_credentials"]);
    refused(&["X", "--scope", "\"quoted\"", REDIRECT[0], REDIRECT[1]]);
    refused(&["", REDIRECT[0], REDIRECT[1]]);
    refused(&["X", "--grant", "passwords"]);
}

#[test]
fn a_command_on_a_directory_that_is_not_there_says_so_and_makes_nothing() {
    let folder = Folder::new();
    for command in [&["user", "list"][..], &["client", "list"], &["client", "show", "x"]] {
        let (code, said) = failure(&folder.data(), command);
        let missing =
            format!("{} has no data of a provider: name the right", folder.data().display());
        assert!(code == 4 && said.contains(&missing), "{said}");
        assert!(said.contains("--data-dir or QUADRILLE_DATA_DIR"), "{said}");
    }
    assert!(!folder.data().exists());
}

#[test]
fn a_client_that_is_refused_leaves_no_folder() {
    let folder = Folder::new();
    let mistyped = ["client", "add", "App", REDIRECT[0], REDIRECT[1], "--scope", "phots"];
    let inner = ["client", "add", "App", REDIRECT[0], "http://app.example/cb"];
    for refused in [&mistyped[..], &inner] {
        let (code, said) = failure(&folder.data(), refused);
        assert_eq!(code, 2, "{said}");
        assert!(!said.contains("This begins a new provider"), "{said}");
    }
    assert!(!folder.data().exists());
}

#[test]
fn the_first_client_of_a_new_folder_comes_with_a_remark_and_the_second_without() {
    let folder = Folder::new();
    let add = || run(&folder.data(), &["client", "add", "App", REDIRECT[0], REDIRECT[1]], "");
    let begins = format!("This begins a new provider in {}.", folder.data().display());
    let said = text(&add().stderr);
    assert!(said.contains(&begins) && said.contains("QUADRILLE_DATA_DIR"), "{said}");
    let said = text(&add().stderr);
    assert!(!said.contains(&begins), "{said}");
}

#[test]
fn an_unknown_token_cannot_be_revoked() {
    let folder = Folder::new();
    json(&folder.data(), &["migrate"], "");
    let revoke = |token: &str| {
        let output = run(&folder.data(), &["token", "revoke", "--token-stdin", "--json"], token);
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let (code, said) = revoke("canary-token\n");
    assert!(code == 6 && said.contains("not_found") && !said.contains("canary"), "{said}");
    assert_eq!(revoke(" \n").0, 2);
}

#[test]
fn a_secret_that_cannot_be_written_is_a_failure_that_says_how_to_get_another() {
    let folder = Folder::new();
    let output = quadrille(&["client", "add", "Machine", "--grant", "client_credentials"])
        .arg("--data-dir")
        .arg(folder.data())
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the disk is full"), "{said}");
    let id = json(&folder.data(), &["client", "list"], "")[0]["client_id"].clone();
    assert!(said.contains(&format!("rotate-secret {}", id.as_str().unwrap())), "{said}");
}

#[test]
fn beside_json_mistakes_and_remarks_are_json_too() {
    for arguments in [&["serv", "--json"][..], &["user", "add", "--json"], &["--json", "x", "y"]] {
        let output = quadrille(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"], "usage");
        assert!(!error["message"].as_str().unwrap().starts_with("error"), "{error}");
    }
    let output = quadrille(&["config", "--json"]).env("QUADRILLE_LISTN", "x").output().unwrap();
    let remark: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(remark["remark"].as_str().unwrap().contains("did you mean"), "{remark}");
}

#[test]
fn what_the_system_refuses_is_said_in_our_words() {
    let folder = Folder::new();
    let mut child = quadrille(&["user", "add", "ada", "--password-stdin", "--data-dir"])
        .arg(folder.data())
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"correct \xff horse\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("text in UTF-8"), "{}", text(&output.stderr));

    let file = folder.path().join("file");
    std::fs::write(&file, b"\xff").unwrap();
    let below = file.join("below");
    for (path, words) in [
        (&*file, "it is not text in UTF-8"),
        (folder.path(), "it is a folder"),
        (&*below, "a part of the path is a file"),
    ] {
        let output = quadrille(&["config", "--config"]).arg(path).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(words) && !said.contains("os error"), "{said}");
    }
}
