//! Pairwise subjects (OpenID Connect Core, section 8): their secret and their sector.

use std::path::Path;

use crate::process::{Folder, Program, failure, quadrille, run, text};

const ON: [&str; 2] = ["--set", "openid=true"];
const SECRET: &str = "QUADRILLE_OPENID_PAIRWISE_SECRET";

fn started(folder: &Folder, secret: &str, further: &[&str]) {
    let program = Program::start_by(folder, &[&ON, further].concat(), |command| {
        command.env(SECRET, secret);
    });
    program.stop();
}

/// Starts with a secret that is refused. Returns the exit code and the message.
fn refused(data: &Path, secret: &str) -> (Option<i32>, String) {
    let mut command = quadrille(&["serve", "--listen", "127.0.0.1:0"]);
    let output = command.args(ON).arg("--data-dir").arg(data).env(SECRET, secret).output().unwrap();
    (output.status.code(), text(&output.stderr))
}

fn add(data: &Path, further: &[&str]) -> String {
    let add = ["client", "add", "App", "--redirect-uri", "https://app.example/cb"];
    let add = [&add[..], &["--scope", "openid"], further, &ON].concat();
    let output = run(data, &add, "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stderr)
}

/// Applications would take every user for a new one.
#[test]
fn another_secret_of_pairwise_subjects_is_accepted_only_if_the_operator_says_so() {
    let folder = Folder::new();
    let data = folder.data();
    let [one, two, three] = ["1a", "2b", "3c"].map(|digits| digits.repeat(32));
    started(&folder, &one, &[]);
    // Nobody knows a subject yet.
    started(&folder, &two, &[]);
    add(&data, &["--subject-type", "pairwise"]);
    started(&folder, &two, &[]);
    let (code, said) = refused(&data, &three);
    assert!(code == Some(3) && said.contains("--replace-pairwise-secret"), "{said}");
    assert!(!said.contains(&three), "{said}");
    started(&folder, &three, &["--replace-pairwise-secret"]);
    started(&folder, &three, &[]);
    assert_eq!(refused(&data, &two).0, Some(3));
    let (code, said) = refused(&data, &"0".repeat(64));
    assert!(code == Some(3) && said.contains("openssl rand"), "{said}");
}

#[test]
fn a_sector_without_pairwise_subjects_is_pointed_out() {
    let folder = Folder::new();
    let data = folder.data();
    let sector = ["--sector-identifier-uri", "https://app.example/sector.json"];
    let without = "has no effect without --subject-type pairwise";
    assert!(add(&data, &sector).contains(without));
    let said = add(&data, &[&sector[..], &["--subject-type", "pairwise"]].concat());
    assert!(!said.contains(without), "{said}");
}

#[test]
fn the_setting_that_is_missing_for_a_scope_is_named() {
    let folder = Folder::new();
    let data = folder.data();
    let add = ["client", "add", "App", "--redirect-uri", "https://app.example/cb"];
    for (scope, setting) in [("offline_access", "openid_offline_access"), ("email", "openid")] {
        let add = [&add[..], &["--scope", scope]].concat();
        let (code, said) = failure(&data, &add);
        assert!(code == 2 && said.contains(&format!(": {setting} = true adds it")), "{said}");
    }
}

#[test]
fn openid_connect_is_on_for_an_issuer_of_this_machine_with_tls_too() {
    let folder = Folder::new();
    for (issuer, on) in [
        ("https://localhost:8443", "true"),
        ("https://127.0.0.1", "true"),
        ("https://id.example", "false"),
    ] {
        let mut command = quadrille(&["config", "--json", "--issuer", issuer]);
        command.env_remove("QUADRILLE_OPENID").arg("--data-dir").arg(folder.path());
        let output = command.output().unwrap();
        let settings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let openid = settings.as_array().unwrap().iter().find(|one| one["key"] == "openid");
        assert_eq!(openid.unwrap()["value"], on, "{issuer}");
    }
}
