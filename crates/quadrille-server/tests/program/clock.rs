//! A clock that is set while the program runs.

use std::{path::PathBuf, process::Command};

use quadrille::{
    Env,
    jose::{Algorithm, KeySet, Protected, SigningKey},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    flow::{PASSWORD, REDIRECT, SCOPES, Stage, authorize_url, token},
    me::me,
    process::{Folder, Program, preloaded, quadrille},
    redis_server::Server as Redis,
};

const HOUR: i64 = 3600;

/// A program on a machine whose clock can be set: see `set_clock.c`.
struct Clocked {
    stage: Stage,
    clock: Clock,
}

/// The offset of the clock.
pub(crate) struct Clock {
    file: PathBuf,
    library: PathBuf,
}

impl Clock {
    pub(crate) fn new(folder: &Folder) -> Self {
        let clock =
            Self { file: folder.path().join("clock"), library: preloaded(folder, "set_clock.c") };
        clock.is_ahead_by(0);
        clock
    }

    /// The file is replaced as a whole, so no reader sees half a number.
    pub(crate) fn is_ahead_by(&self, seconds: i64) {
        let scratch = self.file.with_extension("new");
        std::fs::write(&scratch, seconds.to_string()).unwrap();
        std::fs::rename(scratch, &self.file).unwrap();
    }

    pub(crate) fn is_seen_by(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("SET_CLOCK", &self.file);
    }

    pub(crate) fn serve(&self, folder: &Folder, arguments: &[&str]) -> Program {
        let arguments = [&SCOPES, arguments].concat();
        Program::start_by(folder, &arguments, |command| self.is_seen_by(command))
    }
}

impl Clocked {
    /// The clock has this offset from the start, also for the command line.
    fn new(ahead: i64) -> Self {
        let Stage { program, client, folder } = Stage::new();
        let (clock, issuer) = (Clock::new(&folder), program.listening.clone());
        program.stop();
        clock.is_ahead_by(ahead);
        let program = clock.serve(&folder, &["--listen", &issuer]);
        Self { stage: Stage { program, client, folder }, clock }
    }

    /// Runs a command on the machine with this clock.
    fn json(&self, arguments: &[&str]) -> Value {
        let mut command = quadrille(arguments);
        self.clock.is_seen_by(&mut command);
        let data = &self.stage.program.data;
        let output = command.arg("--json").arg("--data-dir").arg(data).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn logged(&self, words: &str) -> bool {
        self.stage.program.log().contains(words)
    }
}

#[tokio::test]
async fn after_an_hour_back_the_right_password_is_taken_and_the_step_is_in_the_log() {
    let clocked = Clocked::new(HOUR);
    let (stage, url) = (&clocked.stage, clocked.stage.program.url("/sign-in"));
    stage.dance(&Browser::new()).await;
    // More failures than the limit of attempts.
    let guesser = std::sync::Arc::new(Browser::new());
    let form = guesser.get(&url).await.form("username");
    let form = form.with("username", "ada").with("password", "wrong password");
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let (guesser, form) = (guesser.clone(), form.clone());
        guesses.spawn(async move { guesser.submit(&form).await.status });
    }
    let refused = StatusCode::TOO_MANY_REQUESTS;
    assert!(guesses.join_all().await.contains(&refused));

    assert!(!clocked.logged("the clock went"));
    clocked.clock.is_ahead_by(0);
    let browser = Browser::new();
    let page = browser.sign_in(&browser.get(&url).await, "ada", PASSWORD).await;
    assert_eq!((page.status, page.url.path()), (StatusCode::OK, "/"), "{}", page.html);
    stage.dance_again(&browser).await;
    assert!(clocked.logged("the clock went back"), "{}", stage.program.log());
    clocked.clock.is_ahead_by(HOUR);
    stage.dance_again(&browser).await;
    assert!(clocked.logged("the clock went ahead"), "{}", stage.program.log());
}

#[tokio::test]
async fn a_client_that_was_added_while_the_clock_was_ahead_gets_tokens_that_are_good() {
    let clocked = Clocked::new(HOUR);
    let program = &clocked.stage.program;
    let machine = clocked.json(&["client", "add", "Machine", "--grant", "client_credentials"]);
    let late = clocked.json(&["client", "add", "Late", "--redirect-uri", REDIRECT]);
    clocked.clock.is_ahead_by(0);

    let (status, tokens) = token(program, &machine, &[("grant_type", "client_credentials")]).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(me(program, Method::GET, access).await.0, StatusCode::OK);

    // And one to which a user consents.
    let browser = Browser::new();
    let url = authorize_url(program, &late).replace("scope=photos%3Aread+photos%3Awrite", "scope=");
    let page = browser.sign_in(&browser.get(&url).await, "ada", PASSWORD).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let code = page.parameter("code").unwrap_or_else(|| panic!("{} {}", page.url, page.html));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", crate::flow::VERIFIER),
    ];
    let (status, tokens) = token(program, &late, &fields).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(me(program, Method::GET, access).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_was_withdrawn_while_the_clock_was_ahead_can_be_allowed_again() {
    let clocked = Clocked::new(HOUR);
    let (stage, browser) = (&clocked.stage, Browser::new());
    let before = stage.dance(&browser).await;
    let home = browser.get(&stage.program.url("/")).await;
    let page = browser.submit(&browser.withdrawal(&home).await).await;
    assert!(page.html.contains("Withdrawn"), "{}", page.html);
    clocked.clock.is_ahead_by(0);

    let page = browser.get(&stage.authorize_url()).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    let tokens = stage.redeem(&page).await;
    let is_good = async |tokens: &Value| {
        let access = tokens["access_token"].as_str().unwrap();
        me(&stage.program, Method::GET, access).await.0 == StatusCode::OK
    };
    assert!(is_good(&tokens).await && !is_good(&before).await);
    let page = browser.get(&stage.authorize_url()).await;
    assert!(page.parameter("code").is_some(), "it is remembered: {}", page.html);
}

#[tokio::test]
async fn a_clock_that_went_back_while_nothing_ran_is_in_the_log() {
    let Clocked { stage, clock } = Clocked::new(HOUR);
    stage.dance(&Browser::new()).await;
    let (listening, words) =
        (stage.program.listening.clone(), "a row from the future: the clock went back");
    assert!(!stage.program.log().contains(words));
    stage.program.stop();
    clock.is_ahead_by(0);
    let program = clock.serve(&stage.folder, &["--listen", &listening]);
    assert!(program.log().contains(words), "{}", program.log());
    let browser = Browser::new();
    let page = browser.sign_in(&browser.get(&program.url("/sign-in")).await, "ada", PASSWORD).await;
    assert_eq!(page.url.path(), "/", "{}", page.html);
}

/// The mark of its use is in that cache alone.
#[tokio::test]
async fn a_used_assertion_is_refused_when_the_cache_is_taken_away() {
    let (redis, folder) = (Redis::start(), Folder::new());
    let clock = Clock::new(&folder);
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, KeySet::from_iter([key.verifying_key().clone()]).to_json()).unwrap();
    let program = clock.serve(&folder, &["--cache", &redis.url]);
    let add = ["client", "add", "Signs", "--id", "signs", "--grant", "client_credentials"];
    program.json(&[&add[..], &["--private-key-jwt", "--jwks", file.to_str().unwrap()]].concat());
    let (issuer, listening) = (program.issuer.clone(), program.listening.clone());
    let assertion = |made: i64| {
        let claims = json!({ "iss": "signs", "sub": "signs", "aud": issuer, "jti": made.to_string(),
            "iat": made, "exp": made + 300 });
        key.sign(&Protected::plain(), claims.to_string().as_bytes()).unwrap()
    };
    let request = async |program: &Program, assertion: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        let http = Client::builder().no_proxy().build().unwrap();
        let sent = http.post(program.url("/oauth/token")).form(&form).send().await.unwrap();
        sent.status()
    };
    // A cache knows nothing of what was used before its first use.
    let now = Env::system().now().seconds();
    assert_eq!(request(&program, &assertion(now)).await, StatusCode::UNAUTHORIZED);
    clock.is_ahead_by(60);
    let used = assertion(now + 60);
    assert_eq!(request(&program, &used).await, StatusCode::OK, "{}", program.log());
    assert_eq!(request(&program, &used).await, StatusCode::UNAUTHORIZED);
    program.stop();
    let program = clock.serve(&folder, &["--listen", &listening]);
    assert_eq!(request(&program, &used).await, StatusCode::UNAUTHORIZED);
    assert!(program.log().contains("had another cache"), "{}", program.log());
}
