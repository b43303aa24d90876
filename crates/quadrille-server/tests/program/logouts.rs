//! How clients learn of sessions that end (OpenID Connect Back-Channel Logout 1.0).

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Form, Router, extract::State, http::StatusCode, routing::post};
use quadrille::jose::Unverified;
use reqwest::Url;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, Page},
    clock::Clock,
    flow::{CHALLENGE, PASSWORD, REDIRECT, VERIFIER, claims_of, token},
    process::{Folder, Program, eventually, json as run_json},
};

const LIMIT: Duration = Duration::from_secs(20);

/// Settings with which logout tokens get to this machine.
pub(crate) const TO_THIS_MACHINE: &str =
    "fetch_from_this_machine_so_that_strangers_can_send_to_its_services=true";
const SETTINGS: [&str; 4] = ["--set", "openid=true", "--set", TO_THIS_MACHINE];

/// The host of a client, with the claims of the logout tokens that it got.
#[derive(Clone)]
pub(crate) struct Told {
    address: SocketAddr,
    tokens: Arc<Mutex<Vec<Value>>>,
    /// The answers before it accepts tokens.
    answers: Arc<Mutex<Vec<Duration>>>,
}

#[derive(serde::Deserialize)]
struct Sent {
    logout_token: String,
}

async fn take(State(told): State<Told>, Form(sent): Form<Sent>) -> StatusCode {
    let delay = told.answers.lock().unwrap().pop();
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    let token = Unverified::parse(&sent.logout_token).unwrap();
    assert_eq!(token.header().typ(), Some("logout+jwt"));
    let payload = sent.logout_token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, payload).unwrap();
    told.tokens.lock().unwrap().push(serde_json::from_slice(&claims).unwrap());
    StatusCode::OK
}

impl Told {
    /// On a thread of its own, since a test that waits for the program to end gives none to it.
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let told = Self { address, tokens: Arc::default(), answers: Arc::default() };
        let router = Router::new().route("/out", post(take)).with_state(told.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        told
    }

    fn uri(&self) -> String {
        format!("http://{}/out", self.address)
    }

    fn sessions(&self) -> Vec<Value> {
        self.tokens.lock().unwrap().iter().map(|token| token["sid"].clone()).collect()
    }

    async fn learns_of(&self, sessions: &[&Value]) {
        let expected = || self.sessions().iter().collect::<Vec<_>>() == sessions;
        assert!(eventually(LIMIT, async || expected()).await, "{:?}", self.sessions());
    }
}

/// A provider with two users, and a client that gets logout tokens.
struct Stage {
    program: Program,
    client: Value,
    told: Told,
    folder: Folder,
}

impl Stage {
    fn new(settings: &[&str]) -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &[&SETTINGS, settings].concat());
        Self::of(folder, program)
    }

    fn of(folder: Folder, program: Program) -> Self {
        program.add_user("ada", PASSWORD);
        program.add_user("bob", PASSWORD);
        let told = Told::start();
        let client = add(&program, "Shop", &told);
        Self { program, client, told, folder }
    }

    /// The claims of an ID token, for a user who signs in if that is asked for.
    async fn log_in(
        &self,
        browser: &Browser,
        client: &Value,
        (user, further): (&str, &str),
    ) -> Value {
        let id = client["client_id"].as_str().unwrap();
        let query = [
            ("response_type", "code"),
            ("client_id", id),
            ("redirect_uri", REDIRECT),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(&self.program.url("/oauth/authorize"), query).unwrap();
        let mut page = browser.get(&format!("{url}{further}")).await;
        if page.url.path() == "/sign-in" {
            page = browser.sign_in(&page, user, PASSWORD).await;
        }
        if page.parameter("code").is_none() {
            page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
        }
        self.redeem(client, &page).await
    }

    async fn redeem(&self, client: &Value, page: &Page) -> Value {
        let code = page.parameter("code").unwrap_or_else(|| panic!("{} {}", page.url, page.html));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = token(&self.program, client, &fields).await;
        assert_eq!(status, 200, "{tokens}");
        claims_of(tokens["id_token"].as_str().unwrap())
    }

    async fn sign_out(&self, browser: &Browser) {
        let page = browser.get(&self.program.url("/")).await;
        let mut form = page.form("form");
        form.action = form.action.join("/sign-out").unwrap();
        browser.submit(&form).await;
        let home = browser.get(&self.program.url("/")).await;
        assert_eq!(home.url.path(), "/sign-in");
    }
}

fn add(program: &Program, name: &str, told: &Told) -> Value {
    let uri = told.uri();
    let client = ["client", "add", name, "--redirect-uri", REDIRECT, "--scope", "openid"];
    let logout = ["--backchannel-logout-uri", &uri, "--set", TO_THIS_MACHINE];
    program.json(&[&client[..], &logout].concat())
}

/// The session goes on, so that its clients learn of its end.
#[tokio::test]
async fn a_new_sign_in_of_the_same_user_takes_no_client_out_of_the_session() {
    let stage = Stage::new(&[]);
    let (other_host, browser) = (Told::start(), Browser::new());
    let other = add(&stage.program, "Other", &other_host);
    let first = stage.log_in(&browser, &stage.client, ("ada", "")).await;
    for further in ["&prompt=login", "&max_age=0", "&prompt=select_account+login"] {
        let before = browser.cookie("session").unwrap();
        let again = stage.log_in(&browser, &other, ("ada", further)).await;
        assert!(again["auth_time"].as_i64() > first["auth_time"].as_i64());
        // A secret that somebody else may know is worth nothing after the sign-in.
        let thief = Browser::new();
        thief.keep(before);
        assert_eq!(thief.get(&stage.program.url("/")).await.url.path(), "/sign-in");
    }
    let page = browser.get(&stage.program.url("/sign-in")).await;
    browser.sign_in(&page, "ada", PASSWORD).await;
    let same = stage.log_in(&browser, &stage.client, ("ada", "")).await;
    assert_eq!(same["sid"], first["sid"]);
    let of_other = stage.log_in(&browser, &other, ("ada", "")).await["sid"].clone();
    stage.sign_out(&browser).await;
    stage.told.learns_of(&[&first["sid"]]).await;
    other_host.learns_of(&[&of_other]).await;
}

#[tokio::test]
async fn after_a_logout_to_a_wrong_address_a_user_gets_to_the_page_with_the_button() {
    let stage = Stage::new(&[]);
    let browser = Browser::new();
    stage.log_in(&browser, &stage.client, ("ada", "")).await;
    let id = stage.client["client_id"].as_str().unwrap();
    let query = [("client_id", id), ("post_logout_redirect_uri", "https://app.example/out")];
    let url = Url::parse_with_params(&stage.program.url("/oauth/logout"), query).unwrap();
    let page = browser.get(url.as_str()).await;
    assert!(page.html.contains("You were not signed out"), "{}", page.html);
    let onward = ">Your account, where you can sign out</a>";
    assert!(page.html.contains(onward), "{}", page.html);
    stage.sign_out(&browser).await;
}

#[tokio::test]
async fn clients_learn_that_another_user_has_signed_in_in_the_browser() {
    let stage = Stage::new(&[]);
    let browser = Browser::new();
    let adas = stage.log_in(&browser, &stage.client, ("ada", "")).await;
    let bobs = stage.log_in(&browser, &stage.client, ("bob", "&prompt=login")).await;
    assert_ne!(adas["sid"], bobs["sid"]);
    stage.told.learns_of(&[&adas["sid"]]).await;
    assert_eq!(stage.told.tokens.lock().unwrap()[0]["sub"], adas["sub"]);
    stage.sign_out(&browser).await;
    stage.told.learns_of(&[&adas["sid"], &bobs["sid"]]).await;
}

#[tokio::test]
async fn clients_learn_of_sessions_that_commands_end_also_while_nothing_serves() {
    let Stage { program, client, told, folder } = Stage::new(&[]);
    let mut stage = Stage { program, client, told, folder };
    let mut expected = Vec::new();
    let set = ["user", "set-password", "ada", "--password-stdin"];
    let commands: [&[&str]; 3] =
        [&["user", "sign-out", "ada"], &set, &["user", "remove", "ada", "--yes"]];
    for command in commands {
        let browser = Browser::new();
        expected.push(stage.log_in(&browser, &stage.client, ("ada", "")).await["sid"].clone());
        let data = stage.folder.data();
        if command == ["user", "remove", "ada", "--yes"] {
            let listening = stage.program.listening.clone();
            stage.program.stop();
            run_json(&data, command, "");
            let again = [&SETTINGS[..], &["--listen", &listening]].concat();
            stage.program = Program::start_with(&stage.folder, &again);
        } else {
            run_json(&data, command, &format!("{PASSWORD}\n"));
        }
        stage.told.learns_of(&expected.iter().collect::<Vec<_>>()).await;
    }
    // And one session alone.
    let browser = Browser::new();
    expected.push(stage.log_in(&browser, &stage.client, ("bob", "")).await["sid"].clone());
    let sessions = stage.program.json(&["user", "access", "bob"])["sessions"].clone();
    let session = sessions[0]["session"].as_str().unwrap();
    stage.program.json(&["user", "sign-out", "bob", "--session", session]);
    stage.told.learns_of(&expected.iter().collect::<Vec<_>>()).await;
    // Nothing of all that is left for the next process.
    let database = rusqlite::Connection::open(stage.folder.data().join("quadrille.db")).unwrap();
    let rows = "SELECT count(*) FROM quadrille_program_ended";
    let left = async || database.query_row(rows, [], |row| row.get::<_, i64>(0)).unwrap() == 0;
    assert!(eventually(LIMIT, left).await);
}

#[tokio::test]
async fn clients_learn_of_sessions_that_expire() {
    let folder = Folder::new();
    let clock = Clock::new(&folder);
    let program = clock.serve(&folder, &SETTINGS);
    let stage = Stage::of(folder, program);
    let claims = stage.log_in(&Browser::new(), &stage.client, ("ada", "")).await;
    // The access token has expired before it.
    clock.is_ahead_by(13 * 3600);
    let learned = async || !stage.told.sessions().is_empty();
    assert!(eventually(LIMIT, learned).await);
    assert_eq!(stage.told.sessions(), [claims["sid"].clone()]);
}

#[tokio::test]
async fn a_program_that_stops_waits_for_logout_tokens_and_names_those_that_it_gives_up() {
    for (time, is_told) in [("20s", true), ("1s", false)] {
        let setting = format!("shutdown_timeout={time}");
        let stage = Stage::new(&["--set", &setting]);
        let browser = Browser::new();
        let claims = stage.log_in(&browser, &stage.client, ("ada", "")).await;
        *stage.told.answers.lock().unwrap() = vec![Duration::from_secs(3)];
        stage.sign_out(&browser).await;
        stage.program.signal("-TERM");
        let Stage { program, client, told, .. } = stage;
        let (status, log) = program.ended();
        assert!(status.success(), "{log}");
        assert_eq!(told.sessions(), if is_told { vec![claims["sid"].clone()] } else { vec![] });
        let given_up = log.lines().find(|line| line.contains("the program stops"));
        assert_eq!(given_up.is_some(), !is_told, "{log}");
        let id = client["client_id"].as_str().unwrap();
        assert!(given_up.is_none_or(|line| line.contains(id)), "{given_up:?}");
    }
}

#[test]
fn an_address_on_this_machine_is_refused_without_the_setting() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "openid=true"]);
    let client = ["client", "add", "Shop", "--redirect-uri", REDIRECT, "--scope", "openid"];
    for flag in ["--backchannel-logout-uri", "--frontchannel-logout-uri"] {
        let uri = "http://127.0.0.1:9/out";
        let add = [&client[..], &[flag, uri]].concat();
        let (_, said) = crate::process::failure(&program.data, &add);
        let member = flag.trim_start_matches("--").replace('-', "_");
        assert!(said.contains(&format!("{member}: not on the public Internet")), "{said}");
        let setting = TO_THIS_MACHINE.split('=').next().unwrap();
        assert!(said.contains(&format!("For tests, the setting {setting} ")), "{said}");
        let fragment = [&client[..], &[flag, "https://app.example/#x"]].concat();
        let (_, said) = crate::process::failure(&program.data, &fragment);
        assert!(said.contains(flag) && !said.contains("redirect URI"), "{said}");
    }
    assert_eq!(program.json(&["client", "list"]), json!([]));
}
