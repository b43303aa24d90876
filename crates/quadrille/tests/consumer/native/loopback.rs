//! The loopback flow, over real connections of this machine.

use std::{net::SocketAddr, sync::mpsc, time::Duration};

use http::StatusCode;
use quadrille::{
    GitHub, GitLab, KeyRing, LinkedIn, Login, Owner, Result, Twitter,
    consumer::{Begin, Finished, Loopback, LoopbackLogin, MemoryStorage},
    testing::FakeService,
    transport::{NetworkError, Purpose},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

use super::World;
use crate::support::SECRET;

/// A login that nobody prints.
fn quiet() -> Loopback {
    Loopback::new().open(|_| ())
}

/// A login in progress, as the browser sees it.
struct Begun {
    url: String,
    redirect_uri: String,
    finishing: JoinHandle<Result<Finished>>,
}

impl Begun {
    fn of(login: LoopbackLogin) -> Self {
        let (url, redirect_uri) = (login.url().to_owned(), login.redirect_uri().to_owned());
        Self { url, redirect_uri, finishing: tokio::spawn(login.finish()) }
    }

    fn callback(&self, query: &str) -> String {
        format!("{}?{query}", self.redirect_uri)
    }

    async fn code(self) -> &'static str {
        self.finishing.await.unwrap().unwrap_err().code()
    }
}

impl World {
    async fn begin_at(&self, loopback: Loopback) -> Begun {
        let login = self.login.begin_loopback(&Begin::new("github"), loopback).await;
        Begun::of(login.unwrap())
    }

    fn consent(&self, begun: &Begun) -> String {
        begun.callback(&self.service.consent(&begun.url, 7).unwrap())
    }
}

/// Sends a request to a port of this machine. Returns the status and everything received.
async fn send(address: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has read enough closes the connection.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await;
    let text = String::from_utf8_lossy(&received).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text)
}

fn authority(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

async fn request(method: &str, url: &str, headers: &str) -> (u16, String) {
    let authority = authority(url);
    let path = url.split_once(&authority).unwrap().1;
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {authority}\r\n{headers}\r\n");
    send(&authority, &head).await
}

async fn get(url: &str) -> (u16, String) {
    request("GET", url, "").await
}

#[tokio::test]
async fn a_browser_returns_to_the_port_and_sees_that_the_user_is_logged_in() {
    let world = World::new();
    let (sender, opened) = mpsc::channel();
    let loopback = Loopback::new().open(move |url| sender.send(url.to_owned()).unwrap());
    let begin = Begin::new("github").owner(&Owner::user(1)).parameter("login", "ada");
    let begun = Begun::of(world.login.begin_loopback(&begin, loopback).await.unwrap());
    assert!(begun.redirect_uri.starts_with("http://127.0.0.1:"), "{}", begun.redirect_uri);
    assert!(begun.redirect_uri.ends_with("/callback"));
    for part in ["&state=", "&code_challenge=", "&code_challenge_method=S256", "&login=ada"] {
        assert!(begun.url.contains(part), "{}", begun.url);
    }
    let (status, page) = get(&world.consent(&begun)).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("You are logged in with GitHub"), "{page}");
    assert!(page.contains("content-security-policy") && page.contains("no-store"), "{page}");
    assert!(!page.contains("canary"), "{page}");
    let address = authority(&begun.redirect_uri);
    let url = begun.url.clone();
    let done = begun.finishing.await.unwrap().unwrap();
    assert_eq!((&*done.account.subject, &done.account.owner), ("7", &Owner::user(1)));
    assert_eq!(opened.recv().unwrap(), url);
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
    let github = world.login.linked::<GitHub>(&done.account).await.unwrap();
    assert_eq!(github.profile().await.unwrap().subject, "7");
}

#[tokio::test]
async fn a_service_that_sends_websites_a_form_sends_a_program_a_query() {
    let service = FakeService::of::<GitHub>("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(GitHub::new("our-id", SECRET).parameter("response_mode", "form_post"))
        .storage(MemoryStorage::new())
        .http(service);
    let begun = login.begin_loopback(&Begin::new("github"), quiet()).await.unwrap();
    let begun = Begun::of(begun);
    assert!(begun.url.contains("&response_mode=query&"), "{}", begun.url);
    assert!(!begun.url.contains("form_post"), "{}", begun.url);
}

#[tokio::test]
async fn no_other_request_uses_the_login_up() {
    let world = World::new();
    let begun = world.begin_at(quiet()).await;
    let answer = world.consent(&begun);
    let base = begun.redirect_uri.strip_suffix("/callback").unwrap();
    let forged = |query: &str| begun.callback(query);
    for (status, url) in [
        (404, format!("{base}/favicon.ico")),
        (404, format!("{base}/")),
        (404, answer.replace("/callback", "/callback/")),
        (400, forged("")),
        (400, forged("code=x")),
        (400, forged("code=x&state=")),
        (400, forged("code=x&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        (400, forged("error=access_denied&state=x")),
        (400, format!("{answer}&state=x")),
        (400, format!("{answer}&code=x")),
        (400, answer.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F&x=")),
        (400, forged(&format!("code=%FF&{}", "a=b&".repeat(4000)))),
    ] {
        let (seen, page) = get(&url).await;
        assert_eq!(seen, status, "{url}: {page}");
    }
    for (status, method, headers) in [
        (204, "HEAD", ""),
        (404, "POST", "content-length: 0\r\n"),
        (404, "OPTIONS", ""),
        (503, "GET", "sec-purpose: prefetch\r\n"),
    ] {
        assert_eq!(request(method, &answer, headers).await.0, status, "{method} {headers}");
    }
    // A name of another site that leads to this machine.
    let (address, path) = (authority(&answer), answer.split_once("/callback").unwrap().1);
    for host in ["host: evil.example\r\n", "host: 127.0.0.1\r\n", ""] {
        let head = format!("GET /callback{path} HTTP/1.1\r\n{host}\r\n");
        assert_eq!(send(&address, &head).await.0, 404, "{host}");
    }
    for garbage in ["\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}"] {
        assert!(matches!(send(&address, garbage).await.0, 0 | 400), "{garbage:?}");
    }
    let huge = format!("GET /callback?{} HTTP/1.1\r\nhost: {address}\r\n\r\n", "x".repeat(200_000));
    assert!(matches!(send(&address, &huge).await.0, 0 | 400 | 414 | 431));
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);

    assert_eq!(get(&answer).await.0, 200);
    assert!(begun.finishing.await.unwrap().is_ok());
}

#[tokio::test]
async fn an_idle_connection_keeps_nobody_waiting() {
    let world = World::new();
    let begun = world.begin_at(quiet()).await;
    let answer = world.consent(&begun);
    // Browsers open a second connection in advance.
    let idle = TcpStream::connect(authority(&answer)).await.unwrap();
    assert_eq!(get(&answer).await.0, 200);
    assert!(begun.finishing.await.unwrap().is_ok());
    drop(idle);
}

#[tokio::test]
async fn of_two_answers_the_first_counts() {
    let world = World::new();
    let begun = world.begin_at(quiet()).await;
    let answer = world.consent(&begun);
    world.service.ignores_next(Purpose::RedeemCode);
    let first = tokio::spawn({
        let answer = answer.clone();
        async move { get(&answer).await }
    });
    while world.service.times_asked(Purpose::RedeemCode) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&answer).await.0, 404);
    begun.finishing.abort();
    let _ = first.await.unwrap();
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 1);
}

#[tokio::test]
async fn a_failure_is_shown_in_the_browser_and_told_to_the_program() {
    let world = World::new();
    let begun = world.begin_at(quiet()).await;
    let denied = begun.callback(&world.service.deny(&begun.url).unwrap());
    let (status, page) = get(&denied).await;
    assert!(status == 403 && page.contains("access_denied"), "{page}");
    assert_eq!(begun.code().await, "access_denied");

    let begun = world.begin_at(quiet()).await;
    world.service.fails_next(Purpose::RedeemCode, NetworkError::TimedOut);
    let (status, page) = get(&world.consent(&begun)).await;
    assert!(status == 504 && page.contains("service_timed_out"), "{page}");
    assert_eq!(begun.code().await, "service_timed_out");

    let begun = world.begin_at(quiet()).await;
    let answer = world.consent(&begun);
    world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, r#"{"error":"<script>"}"#);
    let (status, page) = get(&answer).await;
    assert!(status == 502 && page.contains("token_refused"), "{page}");
    assert!(!page.contains("<script>"), "{page}");
    assert_eq!(begun.code().await, "token_refused");
}

#[tokio::test]
async fn a_user_has_limited_time() {
    let world = World::new();
    let begun = world.begin_at(quiet().lasts(Duration::ZERO)).await;
    assert_eq!(begun.code().await, "attempt_expired");
}

#[tokio::test]
async fn a_login_that_is_dropped_closes_its_port() {
    let world = World::new();
    let login = world.login.begin_loopback(&Begin::new("github"), quiet()).await.unwrap();
    let address = authority(login.redirect_uri());
    assert!(TcpStream::connect(&address).await.is_ok());
    drop(login);
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let world = World::new();
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = other.local_addr().unwrap();
    let loopback = quiet().port(address.port());
    let refused = world.login.begin_loopback(&Begin::new("github"), loopback).await.unwrap_err();
    assert_eq!(refused.code(), "loopback_listen");
    assert!(refused.to_string().contains(&address.to_string()), "{refused}");
    // With the name, either address may be asked.
    let loopback = quiet().port(address.port()).localhost_because_the_service_accepts_no_address();
    let refused = world.login.begin_loopback(&Begin::new("github"), loopback).await.unwrap_err();
    assert_eq!(refused.code(), "loopback_listen");
}

#[tokio::test]
async fn a_service_that_compares_the_port_needs_the_registered_one() {
    let service = FakeService::of::<GitLab>("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(GitLab::new("our-id", SECRET))
        .with(Twitter::new("our-key", SECRET))
        .storage(MemoryStorage::new())
        .http(service.clone());
    let refused = |name, loopback| {
        let login = login.clone();
        async move { login.begin_loopback(&Begin::new(name), loopback).await.unwrap_err().code() }
    };
    assert_eq!(refused("gitlab", quiet()).await, "loopback_port_missing");
    assert_eq!(
        refused("gitlab", quiet().port(0).path("callback")).await,
        "loopback_path_malformed"
    );
    assert_eq!(refused("twitter", quiet()).await, "not_for_programs");
    let cookies =
        Login::new(KeyRing::ephemeral(), "http://localhost").with(GitHub::new("our-id", SECRET));
    let refused = cookies.begin_loopback(&Begin::new("github"), quiet()).await.unwrap_err();
    assert_eq!(refused.code(), "outside_request");

    let loopback = quiet().port(0).path("/back");
    let begun = Begun::of(login.begin_loopback(&Begin::new("gitlab"), loopback).await.unwrap());
    assert!(begun.redirect_uri.ends_with("/back"));
    let answer = begun.callback(&service.consent(&begun.url, 7).unwrap());
    assert_eq!(get(&answer).await.0, 200);
    assert!(begun.finishing.await.unwrap().is_ok());
}

#[tokio::test]
async fn programs_use_pkce_even_where_websites_cannot() {
    let service = FakeService::of::<LinkedIn>("our-id", SECRET);
    let login = Login::new(KeyRing::ephemeral(), "http://localhost")
        .with(LinkedIn::new("our-id", SECRET))
        .storage(MemoryStorage::new())
        .http(service.clone());
    let begin = Begin::new("linkedin");
    let begun = Begun::of(login.begin_loopback(&begin, quiet().port(0)).await.unwrap());
    assert!(begun.url.contains("&code_challenge_method=S256"), "{}", begun.url);
    let answer = begun.callback(&service.consent(&begun.url, 7).unwrap());
    assert_eq!(get(&answer).await.0, 200);
    assert!(begun.finishing.await.unwrap().is_ok());
}

#[tokio::test]
async fn the_name_localhost_is_answered_at_both_addresses() {
    let world = World::new();
    let has_ipv6 = TcpListener::bind("[::1]:0").await.is_ok();
    let loopback = quiet().localhost_because_the_service_accepts_no_address();
    let begun = world.begin_at(loopback).await;
    assert!(begun.redirect_uri.starts_with("http://localhost:"), "{}", begun.redirect_uri);
    let port = Url::parse(&begun.redirect_uri).unwrap().port().unwrap();
    let answer = world.consent(&begun);
    let path = answer.split_once(&format!(":{port}")).unwrap().1;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n");
    if has_ipv6 {
        assert_eq!(send(&format!("[::1]:{port}"), &ask("/")).await.0, 404);
    }
    assert_eq!(send(&format!("127.0.0.1:{port}"), &ask(path)).await.0, 200);
    assert!(begun.finishing.await.unwrap().is_ok());

    if has_ipv6 {
        let begun = world.begin_at(quiet().ipv6()).await;
        assert!(begun.redirect_uri.starts_with("http://[::1]:"), "{}", begun.redirect_uri);
        assert_eq!(get(&world.consent(&begun)).await.0, 200);
        assert!(begun.finishing.await.unwrap().is_ok());
    }
}

/// Of another program or user of this machine, or of a page in the browser.
#[tokio::test]
async fn connections_that_send_nothing_keep_no_answer_out() {
    let world = World::new();
    let begun = world.begin_at(quiet()).await;
    let answer = world.consent(&begun);
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(TcpStream::connect(authority(&answer)).await.unwrap());
    }
    let answered = tokio::time::timeout(Duration::from_secs(8), get(&answer)).await;
    assert_eq!(answered.expect("it is read before they time out").0, 200);
    assert!(begun.finishing.await.unwrap().is_ok());
    drop(idle);
}

#[tokio::test]
async fn a_flood_while_the_code_is_redeemed_does_not_cost_the_browser_its_page() {
    let world = World::new();
    let begun = world.begin_at(quiet()).await;
    let answer = world.consent(&begun);
    world.service.ignores_next(Purpose::RedeemCode);
    let authority = authority(&answer);
    let path = answer.split_once(&authority).unwrap().1;
    let mut browser = TcpStream::connect(&authority).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\n\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    while world.service.times_asked(Purpose::RedeemCode) == 0 {
        tokio::task::yield_now().await;
    }
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(TcpStream::connect(&authority).await.unwrap());
    }
    // The server has seen them all when it answers the last one.
    assert_ne!(get(&begun.callback("")).await.0, 0);
    let waits = tokio::time::timeout(Duration::from_millis(50), browser.read_u8()).await;
    assert!(waits.is_err(), "{waits:?}");
    begun.finishing.abort();
    drop(idle);
}
