//! A database that cannot be used at the start, or that fails later.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::{
    browser::Browser,
    flow::{PASSWORD, SCOPES, Stage},
    me::me,
    process::{Folder, Program, eventually, json, preloaded, quadrille, run, text},
};

/// Starts `serve` with file modes in force: for root without the capability to override them.
fn serve_heeding_modes(data: &Path) -> Output {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut program = quadrille(&["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]);
    program.arg(data);
    if !is_root {
        return program.output().unwrap();
    }
    let mut command = Command::new("setpriv");
    command.arg("--bounding-set=-dac_override,-dac_read_search,-fowner");
    command.arg(program.get_program()).args(program.get_args());
    command.output().unwrap()
}

#[test]
fn one_that_is_read_only_is_named_at_start_and_left_as_it_is() {
    let folder = Folder::new();
    json(&folder.data(), &["migrate"], "");
    let database = folder.data().join("quadrille.db");
    let before = std::fs::read(&database).unwrap();
    let set = |folder_mode, file_mode| {
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(&database, file_mode);
        mode(&folder.data(), folder_mode);
    };
    for (folder_mode, file_mode) in [(0o500, 0o400), (0o700, 0o400), (0o500, 0o600)] {
        set(folder_mode, file_mode);
        let output = serve_heeding_modes(&folder.data());
        set(0o700, 0o600);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{folder_mode:o} {file_mode:o}: {said}");
        let error: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(error["error"], "database_read_only", "{folder_mode:o} {file_mode:o}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("quadrille.db") && message.contains("writable"), "{message}");
        assert_eq!(std::fs::read(&database).unwrap(), before);
    }
    Program::start(&folder).stop();
}

#[test]
fn one_of_a_later_version_and_one_that_is_none_are_left_alone() {
    let folder = Folder::new();
    json(&folder.data(), &["migrate"], "");
    let database = folder.data().join("quadrille.db");
    let sql = "INSERT INTO quadrille_migrations (namespace, version, applied)
        VALUES ('quadrille/store', 999, 0)";
    rusqlite::Connection::open(&database).unwrap().execute(sql, []).unwrap();
    let output = run(&folder.data(), &["serve", "--listen", "127.0.0.1:0"], "");
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("version 999"), "{}", text(&output.stderr));

    let other = Folder::new();
    std::fs::create_dir_all(other.data()).unwrap();
    std::fs::write(other.data().join("quadrille.db"), "no database at all, ".repeat(100)).unwrap();
    let output = run(&other.data(), &["serve", "--listen", "127.0.0.1:0", "--json"], "");
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = run(&file.join("data"), &["serve", "--listen", "127.0.0.1:0"], "");
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("file/data"), "{}", text(&output.stderr));
}

#[test]
fn one_that_another_program_holds_is_waited_for_and_then_named() {
    let folder = Folder::new();
    json(&folder.data(), &["migrate"], "");
    let database = folder.data().join("quadrille.db");
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let output = run(&folder.data(), &["serve", "--listen", "127.0.0.1:0", "--json"], "");
    assert_eq!(output.status.code(), Some(4));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"], "database_locked", "{error}");
    assert!(error["message"].as_str().unwrap().contains("quadrille.db"), "{error}");
}

/// A running program whose disk can be made to fail, for any user: see `failing_disk.c`.
struct Failing {
    stage: Stage,
    disk: PathBuf,
    library: PathBuf,
}

impl Failing {
    fn new() -> Self {
        let Stage { program, client, folder } = Stage::new();
        program.stop();
        let library = preloaded(&folder, "failing_disk.c");
        let disk = folder.path().join("disk");
        let program = Program::start_by(&folder, &SCOPES, |command| {
            command.env("LD_PRELOAD", &library).env("FAILING_DISK", &disk);
        });
        Self { stage: Stage { program, client, folder }, disk, library }
    }

    fn breaks(&self, number: i32) {
        std::fs::write(&self.disk, number.to_string()).unwrap();
    }

    fn is_mended(&self) {
        std::fs::remove_file(&self.disk).unwrap();
    }
}

const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

/// The token endpoint's answer to this refresh token.
async fn refresh(stage: &Stage, refresh_token: &str) -> (StatusCode, Option<String>, Value) {
    let (id, secret) = (&stage.client["client_id"], stage.client["client_secret"].as_str());
    let answer = Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(stage.program.url("/oauth/token"))
        .basic_auth(id.as_str().unwrap(), secret)
        .form(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
        .send()
        .await
        .unwrap();
    let wait = answer.headers().get("retry-after");
    let wait = wait.map(|wait| wait.to_str().unwrap().to_owned());
    (answer.status(), wait, answer.json().await.unwrap())
}

#[tokio::test]
async fn a_full_disk_is_told_to_everyone_and_nothing_that_was_answered_is_lost() {
    let failing = Failing::new();
    let stage = &failing.stage;
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let text_of = |name: &str| tokens[name].as_str().unwrap().to_owned();

    failing.breaks(ENOSPC);
    let http = Client::builder().no_proxy().build().unwrap();
    let ready = async || {
        let ready = http.get(stage.program.url("/ready")).send().await.unwrap();
        (ready.status(), ready.text().await.unwrap())
    };
    let is_full = || async {
        let (status, parts) = ready().await;
        status == StatusCode::SERVICE_UNAVAILABLE && parts.contains(r#""store":"full""#)
    };
    assert!(eventually(Duration::from_secs(10), is_full).await, "{:?}", ready().await);
    for _ in 0..3 {
        let (status, wait, answer) = refresh(stage, &text_of("refresh_token")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
        assert_eq!(answer["error"], "temporarily_unavailable");
        assert_eq!(wait.as_deref(), Some("1"));
    }
    let somebody = Browser::new();
    let page = somebody.get(&stage.authorize_url()).await;
    let page = somebody.sign_in(&page, "ada", PASSWORD).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.html);
    assert!(page.html.contains("temporarily_unavailable"), "{}", page.html);
    assert_eq!(page.header("retry-after"), "10");
    let account = browser.get(&stage.program.url("/")).await;
    let withdrawal = browser.withdrawal(&account).await;
    for (form, path) in [
        (withdrawal, "/applications/withdraw"),
        (account.form("form"), "/sign-out"),
        (account.form("form"), "/sign-out/everywhere"),
    ] {
        let mut form = form;
        form.action = stage.program.url(path).parse().unwrap();
        let page = browser.submit(&form).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", page.html);
        assert_eq!(page.header("retry-after"), "10", "{path}");
    }
    // Requests that only read go on.
    let (status, ..) = me(&stage.program, reqwest::Method::GET, &text_of("access_token")).await;
    assert_eq!(status, StatusCode::OK);
    let home = browser.get(&stage.program.url("/")).await;
    assert!(home.html.contains("Signed in as <strong><bdi>Ada"), "{}", home.html);
    let add = ["client", "add", "Late", "--grant", "client_credentials", "--json", "--data-dir"];
    let output = quadrille(&add)
        .arg(&stage.program.data)
        .env("LD_PRELOAD", &failing.library)
        .env("FAILING_DISK", &failing.disk)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"], "database_full", "{error}");
    let log = stage.program.log();
    assert!(log.contains("full; make room"), "{log}");

    failing.is_mended();
    let is_ready = || async { ready().await.0 == StatusCode::OK };
    assert!(eventually(Duration::from_secs(10), is_ready).await, "{:?}", ready().await);
    let (status, _, renewed) = refresh(stage, &text_of("refresh_token")).await;
    assert_eq!(status, StatusCode::OK, "the refused requests used nothing up: {renewed}");
    let page = somebody.get(&stage.authorize_url()).await;
    somebody.sign_in(&page, "ada", PASSWORD).await;
    let (status, ..) = refresh(stage, renewed["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    failing.stage.program.stop();
}

#[tokio::test]
async fn a_disk_that_becomes_read_only_loses_nothing_and_is_named_in_the_log() {
    let failing = Failing::new();
    let stage = &failing.stage;
    let tokens = stage.dance(&Browser::new()).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    failing.breaks(EROFS);
    let (status, _, answer) = refresh(stage, refresh_token).await;
    assert!(status.is_server_error(), "{answer}");
    let log = stage.program.log();
    assert!(log.contains("the database failed: disk I/O error"), "{log}");
    failing.is_mended();
    let (status, _, renewed) = refresh(stage, refresh_token).await;
    assert_eq!(status, StatusCode::OK, "{renewed}");
    failing.stage.program.stop();
}

#[tokio::test]
async fn one_that_another_program_locks_meanwhile_is_waited_for_then_named_and_can_be_read() {
    let stage = Stage::new();
    let tokens = stage.dance(&Browser::new()).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let other = rusqlite::Connection::open(stage.program.data.join("quadrille.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (status, wait, answer) = refresh(&stage, refresh_token).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    assert_eq!(
        (answer["error"].as_str(), wait.as_deref()),
        (Some("temporarily_unavailable"), Some("1"))
    );
    let access = tokens["access_token"].as_str().unwrap();
    let (status, ..) = me(&stage.program, reqwest::Method::GET, access).await;
    assert_eq!(status, StatusCode::OK);
    assert!(stage.program.log().contains("locked by another program"), "{}", stage.program.log());
    let output = run(
        &stage.program.data,
        &["client", "add", "Late", "--grant", "client_credentials", "--json"],
        "",
    );
    assert_eq!(output.status.code(), Some(4));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"], "database_locked", "{error}");
    other.execute_batch("COMMIT").unwrap();
    let (status, _, renewed) = refresh(&stage, refresh_token).await;
    assert_eq!(status, StatusCode::OK, "{renewed}");
    stage.program.stop();
}
