//! A key of the ring that is replaced, in a folder and in PostgreSQL.

use std::{path::Path, time::Duration};

use serde_json::json;

use crate::process::{Folder, Program, eventually, json as run_json, run, text};

const LIMIT: Duration = Duration::from_secs(20);
const NEW: &str = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";

/// The secrets are sealed for the issuer, which must not follow the port.
const SIGNED: [&str; 3] = ["--oauth1", "--issuer", "https://id.example"];

/// Writes the ring of a folder.
fn ring(data: &Path, keys: &[&str]) {
    std::fs::write(data.join("keys"), keys.join("\n")).unwrap();
}

async fn says(program: &Program, sentence: &str) {
    let says = async || program.log().contains(sentence);
    assert!(eventually(LIMIT, says).await, "{sentence}: {}", program.log());
}

async fn secrets_outlive_the_old_key(database: &[&str]) {
    let folder = Folder::new();
    let data = folder.data();
    let with = |arguments: &[&'static str]| [arguments, database].concat();
    let serve = |arguments: &[&'static str]| Program::start_with(&folder, &with(arguments));
    let program = serve(&SIGNED);
    let add = with(&["client", "add", "Signs", "--oauth1", "--oob", "--id", "signs"]);
    let signs = run_json(&data, &add, "");
    let secret = signs["oauth1_secret"].as_str().unwrap();
    program.stop();
    let file = std::fs::read_to_string(data.join("keys")).unwrap();
    let old = file.lines().find(|line| !line.starts_with('#')).unwrap();

    ring(&data, &[NEW, old]);
    let program = serve(&SIGNED);
    says(&program, "sealed under an older key of the ring: 1;").await;
    let list = with(&["keys", "list"]);
    let listed = text(&run(&data, &list, "").stderr);
    assert!(listed.contains("`quadrille keys reseal` before you remove it"), "{listed}");

    // Too early.
    program.stop();
    ring(&data, &[NEW]);
    let program = serve(&SIGNED);
    says(&program, "that cannot be opened: 1;").await;
    program.stop();
    let reseal = with(&["keys", "reseal"]);
    let lost = json!({ "secrets": 1, "resealed": 0, "bound_to_older_keys": 0, "unreadable": 1 });
    assert_eq!(run_json(&data, &reseal, ""), lost);

    ring(&data, &[NEW, old]);
    let program = serve(&SIGNED);
    let resealed =
        json!({ "secrets": 1, "resealed": 1, "bound_to_older_keys": 0, "unreadable": 0 });
    assert_eq!(run_json(&data, &reseal, ""), resealed, "while it serves");
    let again = json!({ "secrets": 1, "resealed": 0, "bound_to_older_keys": 0, "unreadable": 0 });
    assert_eq!(run_json(&data, &reseal, ""), again);
    program.stop();

    ring(&data, &[NEW]);
    let listed = run(&data, &list, "");
    assert_eq!((listed.status.success(), text(&listed.stderr)), (true, String::new()));
    let export =
        with(&["client", "export", "--secrets-in-plain-text-for-anyone-who-reads-the-file"]);
    let exported = text(&run(&data, &export, "").stdout);
    assert!(exported.contains(secret), "{exported}");
}

#[tokio::test]
async fn in_a_folder_secrets_outlive_the_key_that_sealed_them() {
    secrets_outlive_the_old_key(&[]).await;
}

#[tokio::test]
async fn in_postgresql_secrets_outlive_the_key_that_sealed_them() {
    let url = crate::servers::postgres_database();
    secrets_outlive_the_old_key(&["--database", &url]).await;
}
