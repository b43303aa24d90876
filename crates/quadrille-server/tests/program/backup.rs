//! `quadrille backup` and `quadrille restore`.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    browser::Browser,
    flow::{REDIRECT, SCOPES, Stage, VERIFIER},
    me::me,
    process::{Folder, Program, failure, json as run_json, quadrille, run, text},
};

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn a_directory_is_lost_and_its_backup_goes_on_with_every_token() {
    let stage = Stage::with(&["--set", "access_token_format=jwt"]);
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let page = browser.get(&stage.authorize_url()).await;
    assert_eq!(page.url.path(), "/callback", "still signed in, and agreed");
    let code = page.parameter("code").unwrap();

    let backup = stage.folder.path().join("backup");
    let made = stage.program.json(&["backup", &shown(&backup)]);
    assert_eq!(made, json!({ "folder": shown(&backup), "keys": true, "signing_keys": true }));
    #[cfg(unix)]
    for (name, mode) in
        [("", 0o700), ("quadrille.db", 0o600), ("keys", 0o600), ("signing-keys", 0o600)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = std::fs::metadata(backup.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name:?}");
    }

    let Stage { program, client, folder } = stage;
    let listening = program.listening.clone();
    program.stop();
    std::fs::remove_dir_all(folder.data()).unwrap();
    let restored = run_json(&folder.data(), &["restore", &shown(&backup)], "");
    let (dir, from) = (shown(&folder.data()), shown(&backup));
    assert_eq!(restored, json!({ "data_dir": dir, "restored_from": from }));
    let arguments =
        [&SCOPES[..], &["--set", "access_token_format=jwt", "--listen", &listening]].concat();
    let program = Program::start_with(&folder, &arguments);
    let stage = Stage { program, client, folder };

    let access_token = tokens["access_token"].as_str().unwrap();
    let (status, _, _) = me(&stage.program, Method::GET, access_token).await;
    assert_eq!(status, StatusCode::OK);
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    let (status, renewed) = stage.token(&refresh).await;
    assert_eq!(status, StatusCode::OK, "{renewed}");

    // The code may have been redeemed, and the session ended, after the backup was made.
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let (status, refused) = stage.token(&redeem).await;
    assert_eq!((status, &refused["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    let page = browser.get(&stage.authorize_url()).await;
    assert_eq!(page.url.path(), "/sign-in");
    stage.program.stop();
}

#[tokio::test]
async fn a_backup_and_a_restored_directory_replace_nothing() {
    let folder = Folder::new();
    let (data, backup) = (folder.data(), folder.path().join("backup"));
    let backup_to = shown(&backup);
    let (code, said) = failure(&data, &["backup", &backup_to]);
    assert!(code == 4 && said.contains("quadrille.db"), "{said}");
    assert!(!backup.exists());

    let program = Program::start(&folder);
    program.json(&["backup", &backup_to]);
    let (code, said) = failure(&data, &["backup", &backup_to]);
    assert!(code == 7 && said.contains("is not empty"), "{said}");
    let (code, said) = failure(&data, &["restore", &backup_to]);
    assert!(code == 7 && said.contains("exists already"), "{said}");

    // The folder is moved away under the nose of the program.
    std::fs::rename(data.join("quadrille.db"), folder.path().join("moved.db")).unwrap();
    let (code, said) = failure(&data, &["restore", &backup_to]);
    assert!(code == 2 && said.contains("stop it before"), "{said}");
    program.stop();

    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("keys"), std::fs::read(data.join("keys")).unwrap()).unwrap();
    run_json(&other, &["restore", &backup_to], "");
    let third = folder.path().join("third");
    std::fs::create_dir(&third).unwrap();
    std::fs::write(third.join("keys"), "another key ring\n").unwrap();
    let (code, said) = failure(&third, &["restore", &backup_to]);
    assert!(code == 7 && said.contains("differs"), "{said}");
    assert_eq!(std::fs::read(third.join("keys")).unwrap(), b"another key ring\n");
    assert!(!third.join("quadrille.db").exists());
}

#[tokio::test]
async fn a_backup_that_is_damaged_or_unfinished_restores_nothing() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let backup = folder.path().join("backup");
    program.json(&["backup", &shown(&backup)]);
    program.stop();
    let restored = folder.path().join("restored");
    let nothing = |said: &str| {
        assert!(!restored.join("quadrille.db").exists(), "{said}");
    };

    let whole = std::fs::read(backup.join("quadrille.db")).unwrap();
    let half = &whole[..whole.len() / 2 / 4096 * 4096];
    let mut torn = whole.clone();
    for page in torn.chunks_mut(4096).skip(1) {
        page[..8].fill(0xff);
    }
    for bytes in [half, &torn, b"no database", b""] {
        std::fs::write(backup.join("quadrille.db"), bytes).unwrap();
        let (code, said) = failure(&restored, &["restore", &shown(&backup)]);
        assert!(code == 4 && said.contains("quadrille.db"), "{code} {said}");
        nothing(&said);
    }
    std::fs::rename(backup.join("quadrille.db"), backup.join("unfinished.db")).unwrap();
    let (code, said) = failure(&restored, &["restore", &shown(&backup)]);
    assert!(code == 4 && said.contains("quadrille.db"), "{said}");
    nothing(&said);

    std::fs::write(backup.join("quadrille.db"), &whole).unwrap();
    std::fs::rename(backup.join("keys"), folder.path().join("keys")).unwrap();
    std::fs::remove_dir_all(&restored).unwrap();
    let (code, said) = failure(&restored, &["restore", &shown(&backup)]);
    assert!(code == 3 && said.contains("has no key ring"), "{said}");
    nothing(&said);
    std::fs::write(restored.join("keys"), "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=").unwrap();
    let (code, said) = failure(&restored, &["restore", &shown(&backup)]);
    assert!(code == 3 && said.contains("is not that of"), "{said}");
    nothing(&said);
    std::fs::copy(folder.path().join("keys"), restored.join("keys")).unwrap();
    run_json(&restored, &["restore", &shown(&backup)], "");
}

#[tokio::test]
async fn a_key_ring_of_the_environment_stays_out_of_the_backup() {
    let folder = Folder::new();
    let ring = "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=";
    let of_ring = |arguments: &[&str]| {
        let mut command = quadrille(arguments);
        command.arg("--data-dir").arg(folder.data()).env("QUADRILLE_KEYS", ring);
        command.output().unwrap()
    };
    assert!(of_ring(&["user", "list"]).status.code() == Some(4), "no directory yet");
    assert!(of_ring(&["migrate"]).status.success());
    let backup = folder.path().join("backup");
    let made = of_ring(&["backup", &shown(&backup)]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stderr).contains("QUADRILLE_KEYS"), "{}", text(&made.stderr));
    assert!(!backup.join("keys").exists());

    let restored = folder.path().join("restored");
    assert!(
        of_ring(&["client", "add", "Worker", "--grant", "client_credentials"]).status.success()
    );
    let in_use = folder.path().join("in-use");
    assert!(of_ring(&["backup", &shown(&in_use)]).status.success());
    let output = run(&restored, &["restore", &shown(&in_use)], "");
    assert_eq!(output.status.code(), Some(3));
    std::fs::remove_dir_all(folder.data()).unwrap();
    let output = of_ring(&["restore", &shown(&backup)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[tokio::test]
async fn a_directory_that_was_never_served_has_a_backup_without_keys() {
    let folder = Folder::new();
    run_json(&folder.data(), &["migrate"], "");
    let backup = folder.path().join("backup");
    let made = run_json(&folder.data(), &["backup", &shown(&backup)], "");
    assert_eq!(made, json!({ "folder": shown(&backup), "keys": false, "signing_keys": false }));
    std::fs::remove_dir_all(folder.data()).unwrap();
    run_json(&folder.data(), &["restore", &shown(&backup)], "");
    Program::start(&folder).stop();
}

#[tokio::test]
async fn a_backup_that_failed_can_be_made_again() {
    let folder = Folder::new();
    run_json(&folder.data(), &["migrate"], "");
    std::fs::create_dir(folder.data().join("keys")).unwrap();
    let backup = folder.path().join("backup");
    let (code, said) = failure(&folder.data(), &["backup", &shown(&backup)]);
    assert!(code == 4 && said.contains("keys"), "{said}");
    std::fs::remove_dir(folder.data().join("keys")).unwrap();
    run_json(&folder.data(), &["backup", &shown(&backup)], "");
}
