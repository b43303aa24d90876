//! Several processes that share a database of PostgreSQL.

use std::{path::Path, process::Command, time::Duration};

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::{
    browser::Browser,
    flow::{PASSWORD, REDIRECT, SCOPES, Stage, VERIFIER, token},
    me::me,
    process::{Folder, Program, eventually, failure, json, quadrille, run, text},
    servers,
};

const SECONDS: Duration = Duration::from_secs(20);

/// A provider on a database, with a user and a client.
pub(crate) fn stage(url: &str, arguments: &[&str]) -> Stage {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &served(url, arguments));
    let data = program.data.clone();
    let user = ["user", "add", "Ada", "--password-stdin", "--database", url];
    json(&data, &user, &format!("{PASSWORD}\n"));
    let client = ["client", "add", "Printer", "--redirect-uri", REDIRECT, "--database", url];
    let scopes = ["--scope", "photos:read", "--scope", "photos:write"];
    let client = json(&data, &[&client[..], &scopes].concat(), "");
    Stage { program, client, folder }
}

pub(crate) fn served<'a>(url: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&SCOPES[..], &["--database", url], arguments].concat()
}

/// The folder of another machine, with the key ring of the first.
pub(crate) fn machine(first: &Program) -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.data()).unwrap();
    std::fs::copy(first.data.join("keys"), folder.data().join("keys")).unwrap();
    folder
}

/// Another process, to be reached at its own address.
pub(crate) fn another(folder: &Folder, url: &str, arguments: &[&str]) -> Program {
    let mut program = Program::start_with(folder, &served(url, arguments));
    program.issuer = format!("http://{}", program.listening);
    program
}

pub(crate) fn field(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

pub(crate) async fn revoke(program: &Program, client: &Value, token: &str) -> StatusCode {
    let http = Client::builder().no_proxy().build().unwrap();
    let request = http
        .post(program.url("/oauth/revoke"))
        .basic_auth(field(client, "client_id"), client["client_secret"].as_str())
        .form(&[("token", token)]);
    request.send().await.unwrap().status()
}

async fn published_keys(program: &Program) -> usize {
    let http = Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| -> Value {
        http.get(program.url(path)).send().await.unwrap().json().await.unwrap()
    };
    let metadata = get("/.well-known/oauth-authorization-server").await;
    let keys = reqwest::Url::parse(metadata["jwks_uri"].as_str().unwrap()).unwrap();
    get(keys.path()).await["keys"].as_array().unwrap().len()
}

#[tokio::test]
async fn one_process_finishes_what_another_began_and_notices_what_it_ended() {
    one_finishes_what_another_began(&servers::postgres_database()).await;
}

pub(crate) async fn one_finishes_what_another_began(url: &str) {
    let stage = stage(
        url,
        &["--set", "jwt_resources=https://api.example", "--set", "resources=https://api.example"],
    );
    let folder = machine(&stage.program);
    let second = another(
        &folder,
        url,
        &["--set", "jwt_resources=https://api.example", "--set", "resources=https://api.example"],
    );

    let browser = Browser::new();
    let page = stage.consent_page(&browser).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let code = page.parameter("code").unwrap();
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let (status, tokens) = token(&second, &stage.client, &redeem).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let access = field(&tokens, "access_token");
    for program in [&stage.program, &second] {
        assert_eq!(me(program, Method::GET, &access).await.0, StatusCode::OK);
    }
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", &field(&tokens, "refresh_token"))];
    let (status, renewed) = stage.token(&refresh).await;
    assert_eq!(status, StatusCode::OK, "{renewed}");

    assert_eq!(revoke(&stage.program, &stage.client, &access).await, StatusCode::OK);
    assert_eq!(me(&stage.program, Method::GET, &access).await.0, StatusCode::UNAUTHORIZED);
    let refused = || async { me(&second, Method::GET, &access).await.0 != StatusCode::OK };
    assert!(eventually(SECONDS, refused).await);
    let next =
        [("grant_type", "refresh_token"), ("refresh_token", &field(&renewed, "refresh_token"))];
    let (status, answer) = token(&second, &stage.client, &next).await;
    assert_eq!((status, &*field(&answer, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));

    let rotated = json(&second.data, &["keys", "rotate", "--database", url], "");
    assert_eq!(rotated["keys"].as_array().unwrap().len(), 2, "{rotated}");
    for program in [&stage.program, &second] {
        assert!(eventually(SECONDS, || async { published_keys(program).await == 2 }).await);
    }
    assert!(!second.data.join("signing-keys").exists());
    second.stop();
    stage.program.stop();
}

#[tokio::test]
async fn a_process_with_another_key_ring_says_so_and_stops() {
    let url = servers::postgres_database();
    let Stage { program, folder, .. } = stage(&url, &[]);
    let serve = |data: &Path| {
        run(data, &["serve", "--listen", "127.0.0.1:0", "--database", &url, "--json"], "")
    };
    let refused = |data: &Path, why: &str| {
        let output = serve(data);
        // Before it, the log may warn of files that others can read.
        let said = text(&output.stderr);
        let error: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(field(&error, "message").contains(why), "{error}");
    };
    let other = Folder::new();
    refused(&other.data(), "copy it from another machine");
    assert!(!other.data().join("keys").exists());
    let ring = |keys: &[String]| {
        std::fs::create_dir_all(other.data()).unwrap();
        std::fs::write(other.data().join("keys"), keys.join("\n")).unwrap();
    };
    let old = std::fs::read_to_string(folder.data().join("keys")).unwrap();
    let old = old.lines().last().unwrap().to_owned();
    let new = "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=".to_owned();
    ring(std::slice::from_ref(&new));
    refused(&other.data(), "is not that of postgres://");

    // A rotation: the new key comes behind the old one everywhere, then in front, then alone.
    for keys in [[old.clone(), new.clone()], [new.clone(), old.clone()]] {
        ring(&keys);
        another(&other, &url, &["--set", "access_token_format=jwt"]).stop();
    }
    ring(std::slice::from_ref(&new));
    another(&other, &url, &["--set", "access_token_format=jwt"]).stop();
    refused(&folder.data(), "is not that of postgres://");

    // The one that did not follow notices.
    let (status, log) = program.ended();
    assert_eq!(status.code(), Some(3), "{log}");
    assert!(log.contains("has got another key ring"), "{log}");
}

#[tokio::test]
async fn a_key_ring_that_is_given_up_ends_every_token_and_is_never_used_again() {
    let url = servers::postgres_database();
    let stage = stage(&url, &["--set", "access_token_format=jwt"]);
    let tokens = stage.dance(&Browser::new()).await;
    let lost = std::fs::read_to_string(stage.folder.data().join("keys")).unwrap();
    let lost = lost.lines().last().unwrap().to_owned();
    let new = "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=";
    let ring = Folder::new();
    let of_ring = |keys: &str| {
        std::fs::create_dir_all(ring.data()).unwrap();
        std::fs::write(ring.data().join("keys"), keys).unwrap();
    };
    of_ring(new);
    let give_up = ["keys", "replace-ring-and-end-all-tokens", "--database", &url];
    let (code, said) = failure(&ring.data(), &give_up);
    assert!(code == 2 && said.contains("every session and every token") && said.contains("--yes"));
    let give_up = [&give_up[..], &["--yes"]].concat();
    assert_eq!(json(&ring.data(), &give_up, "")["replaced"], true);
    assert_eq!(json(&ring.data(), &give_up, "")["replaced"], false);
    let Stage { program, client, folder } = stage;
    let listening = program.listening.clone();
    let (status, log) = program.ended();
    assert_eq!(status.code(), Some(3), "{log}");
    let (code, said) = failure(&folder.data(), &give_up);
    assert!(code == 3 && said.contains("given up"), "{said}");

    for keys in [format!("{new}\n{lost}"), format!("{lost}\n{new}"), lost] {
        of_ring(&keys);
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
        let (code, said) = failure(&ring.data(), &serve);
        assert_eq!(code, 3, "{said}");
    }
    of_ring(new);
    let jwt = ["--set", "access_token_format=jwt", "--listen", &listening];
    let stage =
        Stage { program: Program::start_with(&ring, &served(&url, &jwt)), client, folder: ring };
    let refresh = field(&tokens, "refresh_token");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &*refresh)];
    assert_eq!(stage.token(&refresh).await.0, StatusCode::BAD_REQUEST);
    let access = field(&tokens, "access_token");
    assert_eq!(me(&stage.program, Method::GET, &access).await.0, StatusCode::UNAUTHORIZED);
    let browser = Browser::new();
    let page = browser.get(&stage.authorize_url()).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert!(page.parameter("code").is_some(), "the consent stays: {}", page.html);
    stage.program.stop();
}

/// Also of those that were never the newest one.
#[tokio::test]
async fn no_key_of_a_ring_that_is_given_up_is_used_again() {
    let url = servers::postgres_database();
    let folder = Folder::new();
    let [old, newest, next, new] = [
        "b2xkIG9uZSwgYnV0IG9mIDMyIGJ5dGVzLCB0b28uLi4=",
        "bmV3ZXN0IG9uZSwgYnV0IG9mIDMyIGJ5dGVzLCB0b28=",
        "bmV4dCBvbmUsIGJ1dCBvZiAzMiBieXRlcywgdG9vLi4=",
        "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=",
    ];
    let of_ring = |keys: &[&str]| {
        std::fs::create_dir_all(folder.data()).unwrap();
        std::fs::write(folder.data().join("keys"), keys.join("\n")).unwrap();
    };
    let add = |id: &str| {
        let add = ["client", "add", "App", "--id", id, "--grant", "client_credentials"];
        let place = ["--issuer", "https://id.example", "--database", &url];
        json(&folder.data(), &[&add[..], &place].concat(), "");
    };
    of_ring(&[old]);
    add("first");
    of_ring(&[newest, old, next]);
    add("second");
    let give_up = ["keys", "replace-ring-and-end-all-tokens", "--yes", "--database", &url];
    for stolen in [old, next] {
        of_ring(&[new, stolen]);
        let (code, said) = failure(&folder.data(), &give_up);
        assert!(code == 3 && said.contains("given up"), "{said}");
    }
    of_ring(&[new]);
    assert_eq!(json(&folder.data(), &give_up, "")["replaced"], true);
    for stolen in [old, newest, next] {
        for keys in [[stolen, new], [new, stolen]] {
            of_ring(&keys);
            let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
            let (code, said) = failure(&folder.data(), &serve);
            assert_eq!(code, 3, "{said}");
        }
    }
}

#[tokio::test]
async fn what_a_command_refuses_names_the_database_and_not_its_password() {
    let url = servers::postgres_database();
    let folder = Folder::new();
    let known = ["--database", &url, "--issuer", "https://id.example"];
    let machine = ["client", "add", "Machine", "--grant", "client_credentials"];
    json(&folder.data(), &[&machine[..], &known].concat(), "");
    let (scheme, place) = url.split_once("://").unwrap();
    let (user, place) = place.split_once('@').unwrap();
    let with_password = format!("{scheme}://{user}:hunter2@{place}");
    for (command, more) in [
        (&["serve", "--listen", "127.0.0.1:0"][..], "add --rename-issuer"),
        (&machine, "only `quadrille serve --rename-issuer`"),
    ] {
        let mut refused = quadrille(command);
        refused.args(["--issuer", "https://typo.example", "--data-dir"]).arg(folder.data());
        let output = refused.env("QUADRILLE_DATABASE", &with_password).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("{place} has the issuer https://id.example")), "{said}");
        assert!(said.contains(more) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_process_whose_issuer_was_replaced_stops() {
    let url = servers::postgres_database();
    let Stage { program, folder, .. } = stage(&url, &[]);
    let other = machine(&program);
    // Another port makes no other issuer.
    let second = Program::start_with(&other, &served(&url, &[]));
    assert_eq!(second.issuer, program.issuer);
    second.stop();
    let renamed = ["--issuer", "https://id.example"];
    let third = Program::start_with(&other, &served(&url, &renamed));
    let (status, log) = program.ended();
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("has got the issuer https://id.example"), "{log}");
    third.stop();
    let output =
        run(&folder.data(), &["serve", "--database", &url, "--issuer", "https://x.example"], "");
    assert!(text(&output.stderr).contains("--rename-issuer"), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_done_with_a_database_on_a_server_is_said_with_its_reason() {
    let folder = Folder::new();
    let url = servers::postgres_database();
    let failed = |arguments: &[&str], code: i32, error: &str, why: &str| {
        let output = run(&folder.data(), &[arguments, &["--json"]].concat(), "");
        let said: Value = serde_json::from_slice(&output.stderr)
            .unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output.stderr)));
        assert_eq!((output.status.code(), &*field(&said, "error")), (Some(code), error), "{said}");
        assert!(field(&said, "message").contains(why), "{said}");
        assert!(!text(&output.stderr).contains("hunter2"));
    };
    for command in [&["backup", "x"][..], &["restore", "x"]] {
        failed(&[command, &["--database", &url]].concat(), 2, "refused", "pg_dump");
    }
    failed(&["user", "list", "--database", &url], 4, "database_older", "migrate them");
    let nowhere = format!("postgres://postgres@127.0.0.1:{}/id", crate::ports::free_port());
    failed(&["user", "list", "--database", &nowhere], 4, "database_unavailable", "127.0.0.1");
    let with_password = "postgres://id:hunter2@127.0.0.1/id";
    failed(&["user", "list", "--database", with_password], 3, "config", "QUADRILLE_DATABASE");
    failed(&["user", "list", "--database", "mongodb://db/id"], 3, "config", "postgres://");
    let file = ["user", "list", "--database", &url, "--set", "signing_keys_file=x"];
    failed(&file, 3, "config", "signing_keys_file");
    let alone = ["user", "list", "--database", &url, "--set", "oauth1.several_processes=false"];
    failed(&alone, 3, "config", "several_processes");

    let migrated = json(&folder.data(), &["migrate", "--database", &url], "");
    assert_eq!(migrated["migrated"], true);
    assert_eq!(
        json(&folder.data(), &["user", "list", "--database", &url], ""),
        Value::Array(vec![])
    );
    let mut shown = quadrille(&["config", "--json"]);
    let shown = shown.env("QUADRILLE_DATABASE", with_password).output().unwrap();
    assert!(shown.status.success());
    assert!(text(&shown.stdout).contains("postgres://id:***@127.0.0.1/id"));
    assert!(!text(&shown.stdout).contains("hunter2"));
}

#[tokio::test]
async fn a_dump_is_restored_as_the_guide_says_it() {
    let (url, restored) = (servers::postgres_database(), servers::postgres_database());
    let finish = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    let tool = |name: &str| Command::new(servers::program(name));
    dumped_and_restored(&url, &restored, |dump| {
        finish(tool("pg_dump").args(["--format=custom", "--file"]).arg(dump).arg(&url));
        let into = ["--no-owner", "--single-transaction", "--dbname", &restored];
        finish(tool("pg_restore").args(into).arg(dump));
    })
    .await;
}

/// A database goes on in another one, into which `copy` copies it by way of a file.
pub(crate) async fn dumped_and_restored(url: &str, restored: &str, copy: impl FnOnce(&Path)) {
    const GUIDE: &str = include_str!("../../../../docs/src/program/postgres.md");
    let stage = stage(url, &[]);
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let page = browser.get(&stage.authorize_url()).await;
    let code = page.parameter("code").unwrap();

    copy(&stage.folder.path().join("id.dump"));
    let Stage { program, client, folder } = stage;
    let listening = program.listening.clone();
    program.stop();

    assert!(GUIDE.contains("\nquadrille restore --database "));
    let ended = json(&folder.data(), &["restore", "--database", restored], "");
    assert_eq!(ended["restored_from"], Value::Null);

    let program = Program::start_with(&folder, &served(restored, &["--listen", &listening]));
    let stage = Stage { program, client, folder };
    let access = field(&tokens, "access_token");
    assert_eq!(me(&stage.program, Method::GET, &access).await.0, StatusCode::OK);
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", &field(&tokens, "refresh_token"))];
    assert_eq!(stage.token(&refresh).await.0, StatusCode::OK);
    // The code may have been redeemed, and the session ended, after the dump was made.
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(stage.token(&redeem).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(browser.get(&stage.authorize_url()).await.url.path(), "/sign-in");
    stage.program.stop();
}

#[tokio::test]
async fn a_replica_that_does_not_answer_is_measured_and_left_out() {
    let url = servers::postgres_database();
    let nowhere = "postgres://postgres@127.0.0.1:1/id";
    let measured = ["--read-from", nowhere, "--set", "metrics_listen=127.0.0.1:0"];
    let stage = stage(&url, &measured);
    let tokens = stage.dance(&Browser::new()).await;
    let access = field(&tokens, "access_token");
    assert_eq!(me(&stage.program, Method::GET, &access).await.0, StatusCode::OK);
    let http = Client::builder().no_proxy().build().unwrap();
    let metrics = format!("http://{}/metrics", stage.program.metrics);
    let is_measured = || async {
        let shown = http.get(&metrics).send().await.unwrap().text().await.unwrap();
        shown.contains("quadrille_replica_lag_seconds{replica=\"1\"} inf")
            && shown.contains("quadrille_replica_used{replica=\"1\"} 0")
    };
    assert!(eventually(SECONDS, is_measured).await);
}
