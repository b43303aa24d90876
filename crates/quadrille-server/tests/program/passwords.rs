//! Clients that see the passwords of users, and passwords that other programs have hashed.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{PASSWORD, SCOPES},
    process::{Folder, Program, json, run, text},
};

const ON: [&str; 2] = ["--set", "let_clients_see_passwords_of_users=true"];

struct Stage {
    program: Program,
    client: Value,
    _folder: Folder,
}

impl Stage {
    fn with(arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &[&SCOPES[..], arguments].concat());
        program.add_user("Ada", PASSWORD);
        let add = ["client", "add", "Old app", "--grant", "password", "--grant", "refresh_token"];
        let client = program.json(&[&add[..], &["--scope", "photos:read"]].concat());
        Self { program, client, _folder: folder }
    }

    async fn ask(
        &self,
        from: &str,
        name: &str,
        password: &str,
    ) -> (StatusCode, Option<u64>, Value) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http
            .post(self.program.url("/oauth/token"))
            .header("x-forwarded-for", from)
            .basic_auth(
                self.client["client_id"].as_str().unwrap(),
                self.client["client_secret"].as_str(),
            )
            .form(&[("grant_type", "password"), ("username", name), ("password", password)])
            .send()
            .await
            .unwrap();
        let wait = answer.headers().get("retry-after");
        let wait = wait.map(|wait| wait.to_str().unwrap().parse().unwrap());
        (answer.status(), wait, answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn the_grant_is_off_unless_the_setting_says_so() {
    let stage = Stage::with(&[]);
    let (status, _, answer) = stage.ask("192.0.2.1", "ada", PASSWORD).await;
    assert_eq!((status.as_u16(), &answer["error"]), (400, &"unsupported_grant_type".into()));
}

#[tokio::test]
async fn an_old_application_gets_tokens_for_a_user_s_password() {
    let stage = Stage::with(&ON);
    for typed in ["ada", "Ada", " ADA "] {
        let (status, _, tokens) = stage.ask("192.0.2.1", typed, PASSWORD).await;
        assert_eq!((status.as_u16(), &tokens["scope"]), (200, &"photos:read".into()), "{tokens}");
        assert!(tokens["refresh_token"].is_string());
    }
    for (name, password) in
        [("ada", "wrong"), ("nobody", PASSWORD), ("a\u{7}b", PASSWORD), ("ada", &"x".repeat(2000))]
    {
        let (status, _, answer) = stage.ask("192.0.2.1", name, password).await;
        assert_eq!((status.as_u16(), &answer["error"]), (400, &"invalid_grant".into()), "{name}");
    }
    let browser = Browser::new();
    let page = browser.get(&stage.program.url("/sign-in")).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    assert!(page.html.contains("Old app"), "the user sees the application: {}", page.html);
}

#[tokio::test]
async fn guesses_have_the_limits_of_the_sign_in_page_and_lock_nobody_out() {
    let stage = Stage::with(&[&ON[..], &["--trusted-proxy", "127.0.0.1"]].concat());
    let mut guesses = tokio::task::JoinSet::new();
    let stage = std::sync::Arc::new(stage);
    for _ in 0..40 {
        let stage = stage.clone();
        guesses.spawn(async move { stage.ask("198.51.100.1", "ada", "wrong").await });
    }
    let answers = guesses.join_all().await;
    let refused = answers.iter().filter(|(status, ..)| status.as_u16() == 429);
    let refused: Vec<_> = refused.collect();
    assert!(refused.len() >= 20, "{}", refused.len());
    for (_, wait, answer) in refused {
        assert!(wait.unwrap() >= 1 && answer["error"] == "temporarily_unavailable", "{answer}");
    }
    // The page counts the same failures.
    let page = Browser::at("198.51.100.1");
    let form = page.get(&stage.program.url("/sign-in")).await;
    let second = page.sign_in(&form, "ada", "wrong");
    let waited = tokio::time::timeout(Duration::from_millis(500), second).await;
    assert!(waited.is_err() || waited.unwrap().status == StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(stage.ask("192.0.2.1", "ada", PASSWORD).await.0, StatusCode::OK);
}

/// A line of an import, for a user with this verifier.
fn line(name: &str, password: &str) -> String {
    json!({ "username": name, "subject": name, "password": password, "created": 1_700_000_000 })
        .to_string()
}

#[tokio::test]
async fn users_of_other_programs_keep_their_passwords() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    // Of "correct horse".
    let bcrypt = "$2b$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2";
    let django = "pbkdf2_sha256$1000$NaClNaClNaCl$uXisDtkZ3O8GJUTqimErIL5F7hM1q1d5W8GLpdBWUDw=";
    let import = |lines: &str| run(&program.data, &["user", "import", "-"], lines);
    let sha256 = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";
    for (wrong, why) in [
        (sha256, "none of Argon2id in PHC form, bcrypt, and PBKDF2 as passlib"),
        ("$1$salt$md5", "none of Argon2id in PHC form, bcrypt, and PBKDF2 as passlib"),
        ("$2b$04$", "the verifier is malformed"),
        (&bcrypt.replace("$04$", "$31$"), "the verifier costs too much"),
    ] {
        let output = import(&line("eve", wrong));
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(why), "{wrong}: {said}");
    }
    let lines = [line("ada", bcrypt), line("bob", django)].join("\n");
    let imported = json(&program.data, &["user", "import", "-"], &lines);
    assert_eq!(imported["added"], json!(["ada", "bob"]));
    for name in ["ada", "bob"] {
        let browser = Browser::new();
        let page = browser.get(&program.url("/sign-in")).await;
        let page = browser.sign_in(&page, name, "Correct horse").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.html);
        let page = browser.sign_in(&page, name, "correct horse").await;
        assert!(page.html.contains("Signed in as"), "{}", page.html);
    }
    let exported = text(&run(&program.data, &["user", "export"], "").stdout);
    assert_eq!(exported.matches("$argon2id$").count(), 2, "verified once, hashed anew: {exported}");
}
