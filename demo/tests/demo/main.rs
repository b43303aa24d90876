//! The demo as a program, from the first page to Ctrl-C.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests, which these lints do not know for such"
)]

/// A browser for pages without script, as the tests of `quadrille serve` have it.
#[path = "../../../crates/quadrille-server/tests/program/browser.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod browser;
/// Programs as child processes.
#[path = "../../../crates/quadrille-server/tests/program/process.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod process;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use browser::Browser;
use process::{Folder, quadrille, text};

/// The program under test, for `process`.
const PROGRAM: &str = env!("CARGO_BIN_EXE_quadrille-demo");

struct Demo {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    ready: Value,
    /// The folder for temporary files. It must be empty after the test.
    folder: Folder,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let folder = Folder::new();
        let mut child = quadrille(&["--json"])
            .args(arguments)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        Self { child, out, ready, folder }
    }

    fn says(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.says("website"))
    }

    /// Sends SIGINT, as Ctrl-C does.
    fn interrupt(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line, and no more");
        let left: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_demo_dances_shows_every_step_and_no_secret_and_leaves_nothing_behind() {
    let demo = Demo::start(&["--listen", "127.0.0.1:0", "--provider-listen", "127.0.0.1:0"]);
    // Each side has its own cookies: `localhost` and `127.0.0.1` are two sites.
    let (at_website, at_provider) = (Browser::new(), Browser::new());
    let home = at_website.get(&demo.url("/")).await;
    assert!(home.html.contains(demo.says("password")), "the first page says how to sign in");

    let asked = at_website.get(&demo.url("/prints")).await;
    assert!(asked.url.as_str().starts_with(demo.says("provider")), "{}", asked.url);
    let state = asked.parameter("state").unwrap();
    let page = at_provider.get(asked.url.as_str()).await;
    // For a user who has consented before, sign-in form and application redirect at once.
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("form-action"), "{policy}");
    let page = at_provider.sign_in(&page, demo.says("username"), demo.says("password")).await;
    let answer = at_provider.submit(&page.form("ticket").with("decision", "allow")).await;
    let code = answer.parameter("code").unwrap();
    let hop = at_website.get(answer.url.as_str()).await;
    assert_eq!((hop.status, hop.header("refresh")), (StatusCode::OK, "0;url=/prints"));
    let prints = at_website.get(&demo.url("/prints")).await;
    assert_eq!(prints.html.matches("<img ").count(), 6);

    let later = at_website.send(Method::POST, &demo.url("/later"), None).await;
    assert_eq!(later.status(), StatusCode::SEE_OTHER);
    assert_eq!(at_website.get(&demo.url("/prints")).await.html.matches("<img ").count(), 6);
    let gone = at_website.send(Method::POST, &demo.url("/disconnect"), None).await;
    assert_eq!(gone.status(), StatusCode::SEE_OTHER);

    let dance = at_website.get(&demo.url("/dance")).await.html;
    for step in [
        "The authorization request",
        "Your password, to the provider",
        "You say yes",
        "The browser brings the code",
        "The tokens",
        "Your photos",
        "You let an hour pass",
        "A new pair",
        "Forgotten",
        "This token opens nothing",
    ] {
        assert!(dance.contains(step), "{step} is missing");
    }
    assert!(!dance.contains("Something else"), "a step without words");
    let mut secrets = vec![state, code, demo.says("password").to_owned()];
    for browser in [&at_website, &at_provider] {
        secrets.extend(browser.cookies.lock().unwrap().values().cloned());
    }
    for secret in secrets {
        assert!(!dance.contains(&secret), "{secret} is on the page");
    }
    // Every long random value that travelled must be absent from the page.
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let random = |text: &&str| {
        text.len() >= 28
            && text.contains(|c: char| c.is_ascii_uppercase())
            && text.contains(|c: char| c.is_ascii_lowercase())
            && text.contains(|c: char| c.is_ascii_digit())
    };
    assert_eq!(dance.split(word).find(random), None);

    // Another visitor sees nothing of it.
    let other = Browser::new().get(&demo.url("/dance")).await.html;
    assert!(other.contains("Nothing has happened yet"));
    demo.interrupt();
}

#[test]
fn a_form_of_another_site_changes_nothing() {
    let demo = Demo::start(&["--listen", "127.0.0.1:0", "--provider-listen", "127.0.0.1:0"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for action in ["/later", "/disconnect"] {
            let request = http.post(demo.url(action)).header("origin", "https://evil.example");
            assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{action}");
        }
    });
}

#[test]
fn the_demo_stays_on_this_machine_and_finds_a_port() {
    let refused = quadrille(&["--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("for this machine only"), "{}", text(&refused.stderr));

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let in_use = quadrille(&["--listen", &address]).output().unwrap();
    assert_eq!(in_use.status.code(), Some(5), "it was asked for, so no other port will do");
    let said = text(&in_use.stderr);
    assert!(said.contains("another program listens there already"), "{said}");

    // Without an address in the arguments, any free port serves.
    let _usual = TcpListener::bind("127.0.0.1:8017");
    let demo = Demo::start(&[]);
    assert_ne!(demo.says("website"), "http://localhost:8017");
    demo.interrupt();
}
