//! Tapes: exchanges that are recorded over real HTTP without their secrets, and replayed without it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use quadrille::{
    GitHub, KeyRing, Linked, Login, Result, Twitter,
    consumer::{MemoryStorage, Token},
    testing::{Browser, FakeService, ManualClock, Tape, TapeError, TapeMode, tape},
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use serde_json::json;

const SITE: &str = "https://app.example";
const SECRET: &str = "secret-canary";
const HOUR: Duration = Duration::from_secs(3600);

/// A client without a network, which counts the requests that would have needed one.
#[derive(Clone, Default)]
struct NoNetwork(Arc<AtomicUsize>);

impl HttpClient for NoNetwork {
    async fn send(&self, _: Request<Body>, _: Purpose) -> Result<Response<Body>, NetworkError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(NetworkError::Connect)
    }
}

/// A network with one answer.
#[derive(Clone)]
struct Answers(Response<Bytes>);

impl HttpClient for Answers {
    async fn send(&self, _: Request<Body>, _: Purpose) -> Result<Response<Body>, NetworkError> {
        Ok(self.0.clone().map(Body::from))
    }
}

/// A tape in a folder of the test's own.
struct Shelf {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("tapes/one.json"), _folder: folder }
    }

    fn record(&self) -> Tape {
        Tape::open_as(&self.path, TapeMode::Record).unwrap()
    }

    fn replay(&self) -> Tape {
        Tape::open_as(&self.path, TapeMode::ReplayOrFail).unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    /// Writes a tape with one exchange, a call, whose response has this body.
    fn holds(&self, request: &str, body: &str) {
        fs::create_dir_all(self.path.parent().unwrap()).unwrap();
        let text = format!(
            "{{\n\"quadrille_tape\": 1,\n\"exchanges\": [{{\n\"purpose\": \"Api\",\n\"request\": \
             {request},\n\"response\": {{\"status\": 200, \"body\": {body}}}\n}}]\n}}\n"
        );
        fs::write(&self.path, text).unwrap();
    }
}

async fn home(github: Linked<GitHub>) -> Result<String> {
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("You are {}, {}", me["login"], me["name"]))
}

async fn post(github: Linked<GitHub>) -> Result<String> {
    let made: serde_json::Value =
        github.post("repos/ada/engine/issues", &json!({ "title": "Sea" })).await?;
    Ok(made["method"].to_string())
}

/// A browser at an application with this client and this network.
fn browser(
    client: quadrille::consumer::Client<GitHub>,
    http: impl HttpClient,
    clock: &ManualClock,
) -> Browser {
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(client)
        .storage(MemoryStorage::new())
        .http(http)
        .env(clock.env());
    Browser::new(login.attach(Router::new().route("/", get(home)).route("/post", get(post))))
}

/// The pages of a user who logs in, comes back when the token has expired, and then once more.
async fn pages(browser: &mut Browser, first: String, clock: &ManualClock) -> Vec<String> {
    let mut pages = vec![first];
    for path in ["/", "/post", "/"] {
        clock.advance(2 * HOUR);
        pages.push(browser.visit(path).await.text);
    }
    pages
}

#[tokio::test]
async fn a_login_with_refreshes_and_calls_is_recorded_over_http_and_replayed_without() {
    let github = FakeService::of::<GitHub>("our-id", SECRET)
        .user(json!({"id": 7, "login": "ada", "name": "Ada"}));
    github.change(|manners| manners.expire(HOUR, true));
    let url = github.listen(0).await.unwrap();
    let client = || GitHub::new("our-id", SECRET).hosted_at(url.clone());
    let shelf = Shelf::new();

    let clock = ManualClock::new();
    let mut recorded = browser(client(), shelf.record(), &clock);
    let page = recorded.log_in(&github, "/", 7).await;
    let recorded = pages(&mut recorded, page.text, &clock).await;
    assert_eq!(recorded[0], "You are \"ada\", \"Ada\"");
    assert_eq!(recorded[2], "\"POST\"");

    let text = shelf.text();
    assert!(!text.contains("canary"), "{text}");
    for part in ["tape-access_token-3", "tape-refresh_token-2", "\"login\": \"ada\"", "title"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let (network, clock) = (NoNetwork::default(), ManualClock::new());
    let tape = shelf.replay().over(network.clone());
    let mut replayed = browser(client(), tape.clone(), &clock);
    let page = replayed.log_in(&tape, "/", ()).await;
    assert_eq!(pages(&mut replayed, page.text, &clock).await, recorded);
    assert_eq!(network.0.load(Ordering::SeqCst), 0);
    assert_eq!(tape.take_errors(), []);
    assert_eq!(shelf.text(), text, "a replay changes nothing");
}

#[tokio::test]
async fn a_login_by_oauth_1_is_recorded_and_replayed() {
    async fn home(twitter: Linked<Twitter>) -> Result<String> {
        let me: serde_json::Value = twitter.get("account/settings.json?lang=en").await?;
        Ok(me.to_string())
    }

    let service = FakeService::of::<Twitter>("our-key", SECRET);
    let url = service.listen(0).await.unwrap();
    let shelf = Shelf::new();
    let browser = |tape: Tape| {
        let login = Login::new(KeyRing::ephemeral(), SITE)
            .with(Twitter::new("our-key", SECRET).hosted_at(url.clone()))
            .storage(MemoryStorage::new())
            .http(tape);
        Browser::new(login.attach(Router::new().route("/", get(home))))
    };
    let recorded = browser(shelf.record()).log_in(&service, "/", 7).await;
    assert_eq!(recorded.status, StatusCode::OK, "{recorded:?}");
    assert!(!shelf.text().contains("canary"), "{}", shelf.text());

    let tape = shelf.replay().over(NoNetwork::default());
    let replayed = browser(tape.clone()).log_in(&tape, "/", ()).await;
    assert_eq!(replayed.text, recorded.text);
}

/// An exchange with a secret in every place that has a name for it.
#[tokio::test]
async fn no_secret_of_any_place_is_written() {
    let shelf = Shelf::new();
    let answer = json!({
        "deep": [{ "accessToken": "canary-in-json-1", "note": "it is canary-in-json-1 again" }],
        "token": { "kind": "bearer", "value": "canary-under-token" },
        "see": "https://api.example/next?api_key=canary-in-url&page=2#access_token=canary-in-hash",
        "proof": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmVkLWNhbmFyeQ",
        "state": "open",
    });
    let answer = Response::builder()
        .header("content-type", "application/json")
        .header("set-cookie", "session=canary-cookie; Path=/")
        .header("location", "https://app.example/back?client_secret=canary-in-location")
        .header("x-request-id", "42")
        .body(Bytes::from(answer.to_string()))
        .unwrap();
    let tape = shelf.record().over(Answers(answer)).secret("mailbox", "canary@example.com");
    let basic = BASE64_STANDARD.encode("our-id:canary%2Fbasic");
    let form =
        "title=Sea&password=canary-pass&assertion=canary-assertion&about=canary%40example.com";
    let parts = "--b0undary\r\ncontent-disposition: form-data; name=\"secret\"\r\n\r\ncanary-part\r\n\
                 --b0undary\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nSea\r\n--b0undary--\r\n";
    let requests = [
        ("application/x-www-form-urlencoded", form, format!("Basic {basic}")),
        ("multipart/form-data; boundary=b0undary", parts, "Bearer canary-bearer".to_owned()),
        (
            "application/json",
            r#"{"query": "{ me }", "client_assertion": "canary-client-assertion"}"#,
            r#"OAuth oauth_consumer_key="key", oauth_token="canary-oauth", oauth_signature="canary%3D""#
                .to_owned(),
        ),
    ];
    for (kind, body, authorization) in requests {
        let request =
            Request::post("https://u:canary-user@api.example/a?sig=1&access_token=canary-query")
                .header("content-type", kind)
                .header("authorization", authorization)
                .header("cookie", "sid=canary-sid")
                .header("x-api-key", "canary-header")
                .body(Body::from(Bytes::from(body)))
                .unwrap();
        tape.send(request, Purpose::Api).await.unwrap();
    }
    let text = shelf.text();
    let left: Vec<_> = text.lines().filter(|line| line.contains("canary")).collect();
    assert_eq!(left, [""; 0]);
    for part in ["\"state\": \"open\"", "title=Sea", "Basic our-id:tape-client_secret-1", "\"42\""]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    Tape::open_as(&shelf.path, TapeMode::ReplayOrFail).expect("a tape that was written is read");
}

/// In a form that no rule knows, a secret is found, and nothing is written.
#[tokio::test]
async fn a_tape_with_a_secret_cannot_be_written() {
    let shelf = Shelf::new();
    let hidden = json!({ "debug": { "trace": BASE64_STANDARD.encode("> Bearer token-canary-7") } });
    let binary = b"\xff\xfe token-canary-7 \xff".to_vec();
    for (body, member) in [
        (hidden.to_string().into_bytes(), "response.body.json.debug.trace"),
        (json!({ "token-canary-7": true }).to_string().into_bytes(), "response.body.json.x"),
        (binary, "response.body"),
    ] {
        let answer = Response::new(Bytes::from(body));
        let tape = shelf.record().over(Answers(answer));
        let github = tape.linked(GitHub::new("our-id", SECRET), Token::new("token-canary-7")).await;
        let called = github.get::<serde_json::Value>("user").await;
        if member == "response.body.json.x" {
            // The name of a member is replaced as a value is.
            assert!(called.is_ok() && !shelf.text().contains("canary"));
            fs::remove_file(&shelf.path).unwrap();
            continue;
        }
        assert_eq!(called.unwrap_err().code(), "service_unreachable");
        let errors = tape.take_errors();
        let [error] = &errors[..] else { panic!("{errors:?}") };
        assert!(!error.to_string().contains("canary"), "{error}");
        let TapeError::SecretLeft { exchange: 1, member: found, request, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!((&**found, &**request), (member, "GET https://api.github.com/user"));
        assert!(!shelf.path.exists(), "nothing is written");
    }
}

#[tokio::test]
async fn a_request_that_the_tape_lacks_is_named_with_the_nearest() {
    let shelf = Shelf::new();
    let request = r#"{"method": "GET", "url": "https://api.github.com/repos?page=1"}"#;
    shelf.holds(request, r#"{"json": []}"#);
    let network = NoNetwork::default();
    let tape = shelf.replay().over(network.clone());
    let github = tape.linked(GitHub::new("our-id", SECRET), tape.token("NOT_SET")).await;
    let error = github.get::<serde_json::Value>("repos?page=2").await.unwrap_err();
    assert_eq!(error.code(), "service_unreachable");
    assert!(github.get::<serde_json::Value>("gists").await.is_err());
    assert_eq!(network.0.load(Ordering::SeqCst), 0, "replay-or-fail never leaves the machine");
    let errors: Vec<_> = tape.take_errors().iter().map(ToString::to_string).collect();
    let path = shelf.path.display();
    assert_eq!(
        errors,
        [
            format!(
                "the tape {path} lacks the exchange GET https://api.github.com/repos?page=2, the nearest \
                 is GET https://api.github.com/repos?page=1: the query parameter \"page\" is \"1\" on the \
                 tape, and \"2\" was sent; QUADRILLE_TAPE=record records the tape again"
            ),
            format!(
                "the tape {path} lacks the exchange GET https://api.github.com/gists, the nearest is GET \
                 https://api.github.com/repos?page=1: the path is /repos on the tape; \
                 QUADRILLE_TAPE=record records the tape again"
            ),
        ],
    );
}

#[tokio::test]
async fn another_body_is_told_with_the_difference() {
    let shelf = Shelf::new();
    let request = r#"{"method": "POST", "url": "https://api.github.com/gists",
        "body": {"json": {"files": [{"name": "a.txt"}], "public": true}}}"#;
    shelf.holds(request, r#"{"json": {"id": 1}}"#);
    let tape = shelf.replay();
    let github = tape.linked(GitHub::new("our-id", SECRET), tape.token("NOT_SET")).await;
    let send = async |body: serde_json::Value| {
        github.post("gists", &body).await.map(|_: serde_json::Value| ())
    };
    send(json!({"files": [{"name": "b.txt"}], "public": true})).await.unwrap_err();
    send(json!({"files": [{"name": "a.txt"}]})).await.unwrap_err();
    send(json!({"public": true, "files": [{"name": "a.txt"}]})).await.unwrap();
    let differences: Vec<_> = tape
        .take_errors()
        .into_iter()
        .map(|error| match error {
            TapeError::OtherBody { difference, .. } => difference,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        differences,
        [
            "the member \"files.0.name\" is \"a.txt\" on the tape, and \"b.txt\" was sent",
            "the member \"public\" was not sent",
        ],
    );
    // A request that changes something is played once.
    send(json!({"public": true, "files": [{"name": "a.txt"}]})).await.unwrap_err();
    let error = tape.take_errors().remove(0).to_string();
    assert!(error.contains("has been played already"), "{error}");
}

#[test]
fn a_damaged_tape_is_told_with_its_line_and_without_its_values() {
    let shelf = Shelf::new();
    fs::create_dir_all(shelf.path.parent().unwrap()).unwrap();
    for (text, line) in [
        ("", 1),
        ("{\n\"quadrille_tape\": 1,\n\"exchanges\": [}\n", 3),
        ("{\n\"quadrille_tape\": 2,\n\"exchanges\": []}\n", 2),
        ("{\n\"quadrille_tape\": 1,\n\"exchanges\":\n\"gho_canarycanarycanary\"}\n", 4),
        ("{\n\"quadrille_tape\": 1,\n\"exchanges\": [{\n\"purpose\": \"Magic\"}]}", 4),
    ] {
        fs::write(&shelf.path, text).unwrap();
        let error = Tape::open_as(&shelf.path, TapeMode::Replay).unwrap_err();
        assert!(matches!(error, TapeError::Damaged { line: at, .. } if at == line), "{error:?}");
        assert!(error.to_string().contains(&format!("damaged at line {line}: ")), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    // A recording replaces the file.
    Tape::open_as(&shelf.path, TapeMode::Record).unwrap();
}

#[test]
fn a_tape_that_contains_a_secret_is_not_played_and_names_the_member() {
    let shelf = Shelf::new();
    let get = r#"{"method": "GET", "url": "https://api.github.com/user"}"#;
    for (request, body, member) in [
        (
            get,
            r#"{"json": {"a": [{"access_token": "canary"}]}}"#,
            "response.body.json.a.0.access_token",
        ),
        (get, r#"{"form": ["client_secret=canary"]}"#, "response.body.form.0"),
        (get, r#"{"text": "gho_canarycanarycanary"}"#, "response.body.text"),
        (
            r#"{"method": "GET", "url": "https://api.github.com/user?access_token=canary"}"#,
            r#"{"text": "hello"}"#,
            "request.url",
        ),
        (
            r#"{"method": "GET", "url": "https://a.example/", "headers": {"authorization": "Bearer canary"}}"#,
            r#"{"text": "hello"}"#,
            "request.headers.authorization",
        ),
    ] {
        shelf.holds(request, body);
        let error = Tape::open_as(&shelf.path, TapeMode::ReplayOrFail).unwrap_err();
        let path = shelf.path.clone();
        let expected = TapeError::ContainsSecret { path, exchange: 1, member: member.to_owned() };
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_replay_goes_to_the_network_for_what_the_tape_lacks_and_adds_it() {
    let shelf = Shelf::new();
    shelf.holds(
        r#"{"method": "GET", "url": "https://api.github.com/user"}"#,
        r#"{"json": {"login": "ada"}}"#,
    );
    let answer = Response::new(Bytes::from(r#"{"login": "grace"}"#));
    let tape = Tape::open_as(&shelf.path, TapeMode::Replay).unwrap().over(Answers(answer));
    let github = tape.linked(GitHub::new("our-id", SECRET), Token::new("token-canary-7")).await;
    let login = async |github: &Linked<GitHub>, path: &str| {
        let me: serde_json::Value = github.get(path).await.unwrap();
        me["login"].as_str().unwrap().to_owned()
    };
    assert_eq!(login(&github, "user").await, "ada");
    assert_eq!(login(&github, "users/grace").await, "grace");
    assert!(!shelf.text().contains("canary"));

    let tape = shelf.replay().over(NoNetwork::default());
    let github = tape.linked(GitHub::new("our-id", SECRET), tape.token("NOT_SET")).await;
    assert_eq!(login(&github, "users/grace").await, "grace");
    assert_eq!(login(&github, "user").await, "ada");
    assert_eq!(login(&github, "user").await, "ada", "a request that changes nothing is repeated");
}

#[tokio::test]
async fn a_tape_in_order_tells_a_request_that_comes_too_early() {
    let shelf = Shelf::new();
    let service = FakeService::of::<GitHub>("our-id", SECRET);
    let real = service.linked::<GitHub>(7).await.access_token().await.unwrap();
    let tape = shelf.record().over(service);
    let github = tape.linked(GitHub::new("our-id", SECRET), Token::new(real.expose())).await;
    for path in ["user", "gists"] {
        github.get::<serde_json::Value>(path).await.unwrap();
    }
    let tape = shelf.replay().in_order();
    let github = tape.linked(GitHub::new("our-id", SECRET), tape.token("NOT_SET")).await;
    github.get::<serde_json::Value>("gists").await.unwrap_err();
    github.get::<serde_json::Value>("user").await.unwrap();
    github.get::<serde_json::Value>("gists").await.unwrap();
    let expected = TapeError::OutOfOrder {
        path: shelf.path.clone(),
        request: "GET https://api.github.com/gists".to_owned(),
        next: "GET https://api.github.com/user".to_owned(),
    };
    assert_eq!(tape.take_errors(), [expected]);
}

#[tokio::test]
async fn a_test_that_has_not_looked_at_a_fault_fails() {
    let shelf = Shelf::new();
    let tape = shelf.replay();
    let github = tape.linked(GitHub::new("our-id", SECRET), tape.token("NOT_SET")).await;
    github.get::<serde_json::Value>("user").await.unwrap_err();
    drop(github);
    let said = catch_unwind(AssertUnwindSafe(move || drop(tape))).unwrap_err();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("lacks the exchange GET https://api.github.com/user"), "{said}");
}

#[tokio::test]
async fn a_token_is_read_from_the_environment_only_to_record() {
    let shelf = Shelf::new();
    let set = std::env::vars().find(|(name, value)| name == "PATH" && !value.is_empty()).unwrap();
    assert_eq!(shelf.replay().token("PATH").access_token.expose(), "tape-access_token-0");
    assert_eq!(shelf.record().token("PATH").access_token.expose(), set.1.trim());
    let said = catch_unwind(AssertUnwindSafe(|| shelf.record().token("NOT_SET"))).unwrap_err();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.starts_with("set NOT_SET to an access token"), "{said}");
}

#[test]
fn a_mode_that_does_not_exist_is_told() {
    for (name, mode) in [
        ("record", TapeMode::Record),
        ("replay", TapeMode::Replay),
        ("replay-or-fail", TapeMode::ReplayOrFail),
    ] {
        assert_eq!(name.parse(), Ok(mode));
    }
    let error = "rewind".parse::<TapeMode>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "QUADRILLE_TAPE is \"rewind\": it must be record, replay or replay-or-fail",
    );
}

#[tokio::test]
async fn a_tape_of_the_package_is_one_line() {
    let tape = tape!("github_user");
    let github = tape.linked(GitHub::new("our-id", SECRET), tape.token("GITHUB_TOKEN")).await;
    assert_eq!(home(github).await.unwrap(), "You are \"ada\", \"Ada Lovelace\"");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tapes/github_user.json").exists());
}
