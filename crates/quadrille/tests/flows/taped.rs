//! Logins with ID tokens on tapes: recorded over real HTTP, replayed without it.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use quadrille::{
    Identity, KeyRing, Linked, Login, Result, Service, Spec, Timestamp,
    consumer::{Client, MemoryStorage},
    jose::{Algorithm, Protected, SigningKey},
    provider::AuthorizationServer,
    testing::{
        Approves as _, Browser, Emulated, FakeService, Manners, ManualClock, NotIssued, Tape,
        TapeError, TapeMode, TestProvider,
    },
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const APP: &str = "https://app.example";
const HOUR: Duration = Duration::from_secs(3600);

struct Acme;

impl Service for Acme {
    const SPEC: Spec =
        Spec::oidc("acme", "https://id.example").scopes("openid email photos:read").build();
}

quadrille::scopes! {
    Photos = "photos:read", "See your photos";
}

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
        Self { path: folder.path().join("one.json"), _folder: folder }
    }

    fn open(&self, mode: TapeMode) -> Tape {
        Tape::open_as(&self.path, mode).unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }
}

/// A provider as a server on this machine.
async fn listening() -> (TestProvider, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let provider = TestProvider::with(&url, AuthorizationServer::scope::<Photos>)
        .user("ada", json!({ "email": "ada@example.com" }))
        .user("grace", json!({ "email": "grace@example.com" }));
    let router = provider.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (provider, url)
}

async fn home(who: Identity<Acme>) -> String {
    format!("You are {}", who.subject())
}

async fn profile(acme: Linked<Acme>) -> Result<String> {
    Ok(acme.profile().await?.email.unwrap_or_default())
}

async fn album(acme: Linked<Acme>) -> Result<String> {
    let me: Value = acme.get("api/me").await?;
    Ok(format!("the photos of {}", me["user"]))
}

fn login(client: Client<Acme>, http: impl HttpClient, clock: &ManualClock) -> Login {
    Login::new(KeyRing::ephemeral(), APP)
        .with(client)
        .storage(MemoryStorage::new())
        .http(http)
        .env(clock.env())
}

fn browser(login: &Login) -> Browser {
    let pages = Router::new().route("/", get(home)).route("/profile", get(profile));
    Browser::new(login.attach(pages.route("/album", get(album))))
}

/// The pages of a user who has logged in, and comes back when the access token has expired.
async fn pages(browser: &mut Browser, first: String, clock: &ManualClock) -> Vec<String> {
    let mut pages = vec![first];
    for path in ["/album", "/album", "/"] {
        pages.push(browser.visit(path).await.text);
        clock.advance(2 * HOUR);
    }
    pages
}

#[tokio::test]
async fn a_login_with_an_id_token_is_recorded_over_http_and_replayed_without() {
    let (provider, url) = listening().await;
    let (id, secret) = provider.client(&format!("{APP}/login/acme/authorized")).await;
    let client = || Acme::client(id.clone(), secret.clone()).hosted_at(url.clone());
    let shelf = Shelf::new();

    let mut recorded = browser(&login(client(), shelf.open(TapeMode::Record), provider.clock()));
    let page = recorded.log_in(&provider, "/profile", "ada").await;
    let recorded = pages(&mut recorded, page.text, provider.clock()).await;
    let photos = "the photos of \"ada\"";
    assert_eq!(recorded[..3], ["ada@example.com", photos, photos], "the last after a refresh");
    assert_eq!(recorded[3], format!("You are {url}#ada"));

    let text = shelf.text();
    assert!(!text.contains("eyJ") && !text.contains(secret.expose()), "{text}");
    for part in ["\"nonce\": \"tape-nonce-1\"", "\"alg\": \"ES256\"", "\"sub\": \"ada\""] {
        assert!(text.contains(part), "{part}: {text}");
    }

    // Years later; a nonce, a `state`, a verifier and a code of the replay's own.
    let network = NoNetwork::default();
    for knows_time in [true, false] {
        let clock = ManualClock::at(Timestamp::from_seconds(1_950_000_000));
        let tape = shelf.open(TapeMode::ReplayOrFail).over(network.clone());
        let tape = if knows_time { tape.tells_time(&clock.env()) } else { tape };
        let mut replayed = browser(&login(client(), tape.clone(), &clock));
        let page = replayed.log_in(&tape, "/profile", ()).await;
        assert_eq!(pages(&mut replayed, page.text, &clock).await, recorded, "{knows_time}");
        assert_eq!(tape.take_errors(), []);
    }
    assert_eq!(network.0.load(Ordering::SeqCst), 0);
    assert_eq!(shelf.text(), text, "a replay changes nothing");
}

#[tokio::test]
async fn logins_of_a_replay_that_cross_have_their_own_nonces() {
    let (provider, url) = listening().await;
    let (id, secret) = provider.client(&format!("{APP}/login/acme/authorized")).await;
    let client = || Acme::client(id.clone(), secret.clone()).hosted_at(url.clone());
    let shelf = Shelf::new();
    let recording = login(client(), shelf.open(TapeMode::Record), provider.clock());
    for user in ["ada", "grace"] {
        browser(&recording).log_in(&provider, "/", user).await;
    }

    let clock = ManualClock::new();
    let tape = shelf.open(TapeMode::ReplayOrFail).tells_time(&clock.env());
    let replaying = browser(&login(client(), tape.clone(), &clock));
    let (mut one, mut other) = (replaying.clone(), replaying);
    let away = one.go("/login/acme?next=/").await.location().to_owned();
    let there = other.go("/login/acme?next=/").await.location().to_owned();
    let back = tape.approve(&away, ()).await.unwrap();
    let other_back = tape.approve(&there, ()).await.unwrap();
    for (browser, callback, user) in [(&mut one, back, "ada"), (&mut other, other_back, "grace")] {
        browser.go(callback.strip_prefix(APP).unwrap()).await;
        let page = browser.visit("/").await;
        assert_eq!(page.text, format!("You are {url}#{user}"));
    }
}

/// The status line, the header `location` and the body of a response to a browser.
async fn got(url: &str) -> (String, Option<String>, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let location = head.lines().find_map(|line| line.strip_prefix("location: "));
    let status = head.lines().next().unwrap_or_default().to_owned();
    (status, location.map(str::to_owned), body.to_owned())
}

/// As `quadrille fake --tape` plays it for programs in any language.
#[tokio::test]
async fn a_tape_that_a_server_plays_is_the_service_at_another_url() {
    let (provider, url) = listening().await;
    let (id, secret) = provider.client(&format!("{APP}/login/acme/authorized")).await;
    let client = |url: &str| Acme::client(id.clone(), secret.clone()).hosted_at(url.to_owned());
    let shelf = Shelf::new();
    let recording = login(client(&url), shelf.open(TapeMode::Record), provider.clock());
    browser(&recording).log_in(&provider, "/album", "ada").await;

    let clock = ManualClock::new();
    let played = shelf.open(TapeMode::ReplayOrFail).tells_time(&clock.env());
    let there = played.listen(0).await.unwrap();
    assert_ne!(there, url);
    let login = Login::new(KeyRing::ephemeral(), APP).with(client(&there)).env(clock.env());
    let mut app = browser(&login);
    let away = app.go("/album").await.location().to_owned();
    assert!(away.starts_with(&there), "{away}");
    let (status, back, _) = got(&away).await;
    assert_eq!(status, "HTTP/1.1 303 See Other");
    let page = app.go(back.unwrap().strip_prefix(APP).unwrap()).await;
    assert_eq!(page.text, "the photos of \"ada\"", "{page:?}");
    assert_eq!(app.visit("/").await.text, format!("You are {there}#ada"));

    let (status, _, told) = got(&format!("{there}/kettle")).await;
    assert_eq!(status, "HTTP/1.1 404 Not Found");
    assert!(told.contains("lacks the exchange GET") && told.contains("/kettle"), "{told}");
    assert_eq!(played.take_errors(), [], "the program has been told, and no test fails");
}

/// A service that signs as most do.
struct ByRsa;

/// A service that signs by the client secret, which only the request has.
struct BySecret;

impl Service for ByRsa {
    const SPEC: Spec = signing(Algorithm::Rs256);
}

impl Service for BySecret {
    const SPEC: Spec = signing(Algorithm::Hs256);
}

impl Emulated for ByRsa {
    const MANNERS: Manners = Manners::STANDARD;
}

impl Emulated for BySecret {
    const MANNERS: Manners = Manners::STANDARD;
}

const fn signing(algorithm: Algorithm) -> Spec {
    Spec::oauth2(
        "acme",
        "https://id.example/authorize",
        "https://id.example/token",
        "https://id.example",
    )
    .openid("https://id.example", "https://id.example/keys")
    .scopes("openid")
    .id_tokens_signed_by(algorithm)
    .build()
}

async fn is_replayed<S: Emulated>() {
    async fn who<S: Service>(who: Identity<S>) -> String {
        who.subject().to_owned()
    }
    const SECRET: &str = "a secret-canary of thirty-two bytes";
    let shelf = Shelf::new();
    let service = FakeService::of::<S>("our-id", SECRET);
    let site = |tape: Tape| {
        let login =
            Login::new(KeyRing::ephemeral(), APP).with(S::client("our-id", SECRET)).http(tape);
        Browser::new(login.attach(Router::new().route("/", get(who::<S>))))
    };
    let tape = shelf.open(TapeMode::Record).over(service.clone());
    let recorded = site(tape).log_in(&service, "/", 7).await;
    assert_eq!(recorded.text, "https://id.example#7");
    assert!(!shelf.text().contains("canary"), "{}", shelf.text());

    let tape = shelf.open(TapeMode::ReplayOrFail).over(NoNetwork::default());
    assert_eq!(site(tape.clone()).log_in(&tape, "/", ()).await.text, recorded.text);
}

#[tokio::test]
async fn an_id_token_is_issued_by_the_algorithm_that_was_recorded() {
    is_replayed::<ByRsa>().await;
    is_replayed::<BySecret>().await;
}

#[tokio::test]
async fn a_login_that_did_not_begin_at_the_tape_is_told() {
    let (provider, url) = listening().await;
    let (id, secret) = provider.client(&format!("{APP}/login/acme/authorized")).await;
    let client = || Acme::client(id.clone(), secret.clone()).hosted_at(url.clone());
    let shelf = Shelf::new();
    let clock = provider.clock();
    let recording = login(client(), shelf.open(TapeMode::Record), clock);
    browser(&recording).log_in(&provider, "/", "ada").await;

    let tape = shelf.open(TapeMode::ReplayOrFail);
    let mut replayed = browser(&login(client(), tape.clone(), clock));
    // The test approves at the provider that was recorded.
    replayed.log_in(&provider, "/", "ada").await;
    let errors = tape.take_errors();
    let [error @ TapeError::NotIssued { reason: NotIssued::NonceUnknown, .. }] = &errors[..] else {
        panic!("{errors:?}")
    };
    assert!(error.to_string().contains("begin it by `Browser::log_in(&tape, ...)`"), "{error}");

    // A tape that somebody has changed.
    let text = shelf.text();
    let (before, after) = text.rsplit_once("\"alg\": \"ES256\"").unwrap();
    fs::write(&shelf.path, format!("{before}\"alg\": \"ES257\"{after}")).unwrap();
    let tape = shelf.open(TapeMode::ReplayOrFail);
    browser(&login(client(), tape.clone(), clock)).log_in(&tape, "/", ()).await;
    let errors = tape.take_errors();
    let [TapeError::NotIssued { reason: NotIssued::Malformed, request, .. }] = &errors[..] else {
        panic!("{errors:?}")
    };
    assert_eq!(*request, format!("POST {url}/oauth/token"));
}

/// Where a name tells what it is, the token is replaced; elsewhere nothing is written.
#[tokio::test]
async fn a_tape_with_an_id_token_or_its_signature_cannot_be_written() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let token = key.sign(&Protected::plain(), br#"{"sub":"7","nonce":"canary-nonce"}"#).unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let send = async |shelf: &Shelf, body: String| {
        let answer = Response::builder().header("content-type", "application/json");
        let tape = shelf.open(TapeMode::Record).over(Answers(answer.body(body.into()).unwrap()));
        let request = Request::post("https://id.example/token").body(Body::default()).unwrap();
        let sent = tape.send(request, Purpose::RedeemCode).await;
        (sent.is_ok(), tape.take_errors())
    };
    let shelf = Shelf::new();
    let told = json!({
        "id_token": token,
        "seen": { "as": format!("hint={token}"), "signature": signature },
        "again": format!("{signature} it is"),
    });
    assert_eq!(send(&shelf, told.to_string()).await, (true, Vec::new()));
    let text = shelf.text();
    for secret in [&token, signature, "canary-nonce"] {
        assert!(!text.contains(secret), "{text}");
    }
    for part in ["\"nonce\": \"tape-nonce-1\"", "hint=tape-id_token-1", "tape-signature-1 it is"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    for hidden in [signature, &token] {
        let shelf = Shelf::new();
        let body = json!({ "id_token": token, "trace": BASE64_STANDARD.encode(hidden) });
        let (is_sent, errors) = send(&shelf, body.to_string()).await;
        let [TapeError::SecretLeft { member, .. }] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!((is_sent, &**member), (false, "response.body.json.trace"));
        assert!(!shelf.path.exists(), "nothing is written");
    }

    // Nor is one played that somebody has put there.
    fs::write(&shelf.path, text.replacen("\"tape-signature-1\"", &format!("{token:?}"), 1))
        .unwrap();
    let error = Tape::open_as(&shelf.path, TapeMode::Replay).unwrap_err();
    assert!(matches!(error, TapeError::ContainsSecret { exchange: 1, .. }), "{error}");
    assert!(!error.to_string().contains(signature), "{error}");
}
