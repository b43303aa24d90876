//! `quadrille login`, at an emulator over HTTP, with a browser that follows redirects.

use std::{process::Stdio, time::Duration};

use quadrille::{GitHub, testing::FakeService};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
};

use crate::process::{Folder, quadrille, text};

/// An emulator of GitHub, and its URL.
struct World {
    service: FakeService,
    url: String,
}

impl World {
    async fn new() -> Self {
        let service = FakeService::of::<GitHub>("our-id", "our-secret")
            .user(json!({ "id": 7, "login": "grace" }));
        service.approves_as(7);
        service.change(|manners| manners.device_interval = Duration::from_secs(1));
        let url = service.listen(0).await.unwrap();
        Self { service, url }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = quadrille(&[&["login", "github"], arguments].concat());
        command
            .env("GITHUB_OAUTH_CLIENT_ID", "our-id")
            .env("GITHUB_OAUTH_CLIENT_SECRET", "our-secret")
            .env("GITHUB_OAUTH_BASE_URL", &self.url)
            // Of another program.
            .env("GITHUB_OAUTH_TOKEN_OF_SOMETHING", "x")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut command = Command::from(command);
        command.kill_on_drop(true);
        command
    }

    fn start(&self, arguments: &[&str]) -> Login {
        let mut child = self.command(arguments).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Login { child, said }
    }

    /// Whether the service's API accepts a token.
    async fn accepts(&self, token: &str) -> bool {
        let user = reqwest::Client::new().get(format!("{}/api/v3/user", self.url));
        let answer = user.bearer_auth(token).send().await.unwrap();
        answer.status().is_success() && answer.text().await.unwrap().contains("grace")
    }
}

/// A running `quadrille login`.
struct Login {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Login {
    /// The rest of the first line on standard error that has this text, from the text on.
    async fn says(&mut self, wanted: &str) -> String {
        let mut line = String::new();
        while self.said.read_line(&mut line).await.unwrap() > 0 {
            if let Some(at) = line.find(wanted) {
                return line[at..].trim().to_owned();
            }
            line.clear();
        }
        panic!("nothing about {wanted:?}");
    }

    /// The code of a device login.
    async fn code(&mut self) -> String {
        let line = self.says("type the code ").await;
        line.strip_prefix("type the code ").unwrap().to_owned()
    }

    /// The exit code, standard output, and the rest of standard error.
    async fn ended(mut self) -> (i32, String, String) {
        let mut rest = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut self.said, &mut rest).await.unwrap();
        let output = self.child.wait_with_output().await.unwrap();
        (output.status.code().unwrap(), text(&output.stdout), rest)
    }
}

/// Runs a login that must fail. Returns its exit code and its messages.
fn failure(arguments: &[&str]) -> (i32, String) {
    let mut command = quadrille(&[&["login"], arguments].concat());
    for name in ["CLIENT_ID", "CLIENT_SECRET", "BASE_URL"] {
        command.env_remove(format!("GITHUB_OAUTH_{name}"));
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
    (output.status.code().unwrap(), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_alone_is_printed_when_the_browser_returns() {
    let world = World::new().await;
    let mut login = world.start(&[]);
    let url = login.says("http").await;
    assert!(url.starts_with(&world.url), "{url}");
    let page = reqwest::get(&url).await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("You are logged in with GitHub"));
    let (code, token, said) = login.ended().await;
    assert_eq!((code, said.as_str()), (0, ""));
    let token = token.strip_suffix('\n').unwrap();
    assert!(!token.contains(char::is_whitespace), "{token:?}");
    assert!(world.accepts(token).await);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_saved_for_its_owner_only_after_a_code_was_typed_in() {
    use std::os::unix::fs::PermissionsExt as _;
    let (world, folder) = (World::new().await, Folder::new());
    let file = folder.path().join("token");
    let mut login = world.start(&["--device", "--save", file.to_str().unwrap()]);
    // The user types the code in at the page that the program names.
    let uri = login.says("http").await;
    let code = login.code().await;
    let page = reqwest::get(format!("{uri}?user_code={code}")).await.unwrap();
    assert!(page.text().await.unwrap().contains("Go back to your device"));
    let (code, printed, said) = login.ended().await;
    assert_eq!((code, printed.as_str()), (0, ""), "{said}");
    assert!(said.contains("saved in"), "{said}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(world.accepts(std::fs::read_to_string(&file).unwrap().trim()).await);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let login = world.start(&["--device", "--save", link.to_str().unwrap()]);
    let (code, _, said) = login.ended().await;
    assert!(code == 4 && said.contains("it is a link"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_token_with_its_metadata_as_json() {
    let world = World::new().await;
    world.service.change(|manners| manners.expire(Duration::from_secs(3600), false));
    let mut login = world.start(&["--device", "--json", "--scope", "gist", "--scope", "repo"]);
    let remark: Value = serde_json::from_str(&login.says("{\"remark\"").await).unwrap();
    let remark = remark["remark"].as_str().unwrap().to_owned();
    let (_, code) = remark.split_once("type the code ").unwrap();
    assert!(world.service.approve_device(code.lines().next().unwrap(), 7));
    let (code, printed, said) = login.ended().await;
    assert_eq!(code, 0, "{said}");
    let shown: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(shown["service"], "github");
    assert_eq!(shown["subject"], "7");
    assert_eq!(shown["scopes"], json!(["gist", "repo"]));
    assert!(shown["refresh_token"].is_string() && shown["expires"].is_string(), "{shown}");
    assert!(world.accepts(shown["access_token"].as_str().unwrap()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_has_its_exit_code() {
    let world = World::new().await;
    let mut login = world.start(&["--device"]);
    let code = login.code().await;
    world.service.deny_device(&code);
    let (code, printed, said) = login.ended().await;
    assert_eq!((code, printed.as_str()), (8, ""));
    assert!(said.contains("refused"), "{said}");

    world.service.change(|manners| manners.device_lifetime = Duration::from_secs(2));
    let (code, _, said) = world.start(&["--device"]).ended().await;
    assert!(code == 8 && said.contains("run the command again"), "{said}");

    let (code, _, said) = world.start(&["--timeout", "0"]).ended().await;
    assert!(code == 8 && said.contains("expired"), "{said}");

    world.service.changes_secret("another");
    let mut login = world.start(&[]);
    let page = reqwest::get(login.says("http").await).await.unwrap();
    assert_eq!(page.status(), 502);
    assert!(page.text().await.unwrap().contains("client_refused"));
    let (code, _, said) = login.ended().await;
    assert!(code == 8 && said.contains("GITHUB_OAUTH_CLIENT_SECRET"), "{said}");
    assert!(!said.contains("our-secret"), "{said}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, _, said) = world.start(&["--port", &port]).ended().await;
    assert!(code == 5 && said.contains(&port), "{said}");
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    for (arguments, wanted) in [
        (&["githbu"][..], "did you mean \"github\"?"),
        (&["nothing-like-it"], "--list"),
        (&["twitter"], "OAuth 1"),
        (&["github"], "GITHUB_OAUTH_CLIENT_ID"),
        (&["github", "--client-id", "x", "--option", "scops=a"], "did you mean"),
        (&["github", "--client-id", "x", "--option", "scopes"], "KEY=VALUE"),
        (&["github", "--client-id", "x", "--option", "client_secret=canary"], "_CLIENT_SECRET"),
        (&["github", "--client-id", "x", "--base-url", "http://git.example"], "base_url"),
        (&["github", "--client-id", "x", "--path", "callback"], "slash"),
        (&["gitlab", "--client-id", "x"], "--port 8017"),
        (&["spotify", "--client-id", "x", "--device"], "leave --device out"),
        (&["github", "--device", "--port", "1"], "cannot be used with"),
        (&[], "required"),
    ] {
        let (code, said) = failure(arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(wanted) && !said.contains("canary"), "{arguments:?}: {said}");
        // The log does not say the same again.
        assert!(!said.contains("ERROR"), "{arguments:?}: {said}");
    }
    let missing = ["github", "--client-id", "x", "--client-secret-file", "/nonexistent/secret"];
    let (code, said) = failure(&missing);
    assert!(code == 4 && said.contains("/nonexistent/secret"), "{said}");
    // Nothing listens on this port.
    let url = format!("http://127.0.0.1:{}", crate::ports::free_port());
    let (code, said) = failure(&["github", "--client-id", "x", "--device", "--base-url", &url]);
    assert!(code == 8 && said.contains("refused"), "{said}");
}

#[test]
fn the_services_are_listed() {
    let list = text(&quadrille(&["login", "--list"]).output().unwrap().stdout);
    let github = list.lines().find(|line| line.starts_with("github ")).unwrap();
    assert!(github.contains("GitHub") && github.contains("yes") && github.contains("any"));
    assert!(!list.contains("twitter"), "{list}");
    let json = quadrille(&["login", "--list", "--json"]).output().unwrap().stdout;
    let json: Value = serde_json::from_slice(&json).unwrap();
    let google = json.as_array().unwrap().iter().find(|it| it["service"] == "google").unwrap();
    assert_eq!(google["device_flow"], true);
}
