//! Properties that security reviewers check.

use std::os::unix::fs::PermissionsExt as _;

use crate::process::{Folder, Program, failure, json, run, text};

#[test]
fn the_commonest_passwords_are_refused() {
    let folder = Folder::new();
    for common in ["password1", "QwertyUiop", "12345678"] {
        let add = ["user", "add", "ada", "--password-stdin"];
        let output = run(&folder.data(), &add, &format!("{common}\n"));
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains("most common") && !said.contains(common), "{said}");
    }
    json(&folder.data(), &["user", "add", "ada", "--password-stdin"], "four hands round\n");
    let set = ["user", "set-password", "ada", "--password-stdin"];
    let output = run(&folder.data(), &set, "iloveyou\n");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(failure(&folder.data(), &["user", "set-password", "bob", "--password-stdin"]).0, 6);
}

#[test]
fn a_folder_or_database_that_others_can_write_is_pointed_out() {
    let folder = Folder::new();
    json(&folder.data(), &["migrate"], "");
    let mode = |path: std::path::PathBuf, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let program = Program::start(&folder);
    assert!(!program.log().contains("can be written by other users"), "{}", program.log());
    program.stop();
    mode(folder.data(), 0o770);
    mode(folder.data().join("quadrille.db"), 0o606);
    let program = Program::start(&folder);
    let log = program.log();
    assert!(log.contains("data can be written by other users"), "{log}");
    assert!(log.contains("quadrille.db can be written by other users"), "{log}");
    program.stop();
}

#[tokio::test]
async fn a_site_under_https_is_asked_for_by_https_only() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--issuer", "https://id.example"]);
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    for path in ["/sign-in", "/nowhere", "/oauth/token", "/health", "/"] {
        let url = format!("http://{}{path}", program.listening);
        let answer = http.get(url).send().await.unwrap();
        let header = answer.headers().get("strict-transport-security");
        assert_eq!(header.unwrap(), "max-age=31536000", "{path}");
    }
}
