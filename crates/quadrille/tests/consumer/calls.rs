//! Calls beyond the simple ones: formats, other tokens, and services that are down.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use quadrille::{
    Error, GitHub, KeyRing, Linked, Login, Owner,
    consumer::{Account, Begin, Call, Jar, MemoryStorage, OperatorError, ServiceError, Token},
    transport::{Body, NetworkError, Purpose},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{SECRET, SITE, World};

/// An account at GitHub, without a browser.
pub(crate) async fn account(world: &World) -> (Login, Linked<GitHub>) {
    let login = world.login().storage(MemoryStorage::new());
    let jar = Jar::new(&HeaderMap::new());
    let owner = Owner::user(1);
    let url = login.begin(&jar, &Begin::new("github").owner(&owner)).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    let done = login.finish(&jar, "github", &query, &owner).await.unwrap();
    let linked = login.linked::<GitHub>(&done.account).await.unwrap();
    (login, linked)
}

pub(crate) fn last(world: &World) -> Arc<Request<Bytes>> {
    world.service.asked().last().unwrap().request.clone()
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(body.into()).unwrap()
}

impl World {
    pub(crate) fn answers_api(
        &self,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) {
        self.service.answers_next_with(Purpose::Api, answer(status, headers, body));
    }
}

/// A stream of these pieces.
pub(crate) struct Pieces(std::vec::IntoIter<&'static str>);

impl Pieces {
    pub(crate) fn of<const N: usize>(pieces: [&'static str; N]) -> Body {
        Body::stream(Self(Vec::from(pieces).into_iter()))
    }
}

impl futures_core::Stream for Pieces {
    type Item = Result<Bytes, NetworkError>;
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Bytes::from(piece))))
    }
}

#[tokio::test]
async fn every_method_is_a_call() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let head = github.head("user").await.unwrap();
    assert_eq!((last(&world).method(), head.status), (&Method::HEAD, StatusCode::OK));
    world.answers_api(204, &[("allow", "GET, PUT")], "");
    let options = github.options("user").await.unwrap();
    assert_eq!(last(&world).method(), Method::OPTIONS);
    assert_eq!(options.headers["allow"], "GET, PUT");
    let body = json!({ "a": 1 });
    for (echo, method) in [
        (github.post::<Value>("x", &body).await.unwrap(), "POST"),
        (github.put::<Value>("x", &body).await.unwrap(), "PUT"),
        (github.patch::<Value>("x", &body).await.unwrap(), "PATCH"),
    ] {
        assert_eq!((&echo["method"], &echo["body"]), (&json!(method), &json!("{\"a\":1}")));
    }
    let purge = Method::from_bytes(b"PURGE").unwrap();
    github.request(purge, "x").send().await.unwrap();
    assert_eq!(last(&world).method(), "PURGE");
}

#[tokio::test]
async fn a_call_without_a_body_declares_none() {
    let world = World::new();
    let (_, github) = account(&world).await;
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::POST] {
        github.request(method.clone(), "x").send().await.unwrap();
        assert!(!last(&world).headers().contains_key("content-type"), "{method}");
    }
}

#[tokio::test]
async fn a_text_path_does_not_leave_the_base() {
    let world = World::new();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(
            GitHub::new("our-id", SECRET)
                .with_spec(|s| s.api = "https://git.example/api/v3".into()),
        )
        .http(world.service.clone());
    let api = login.api("github", Token::new("t")).await.unwrap();
    for path in ["..", "../v4/x", "repos/../../x", "/../x", "%2e%2e/x", "..\\x", "a/../../v33"] {
        let error = api.request(Method::GET, path).send().await.unwrap_err();
        assert_eq!(error, OperatorError::CallMalformed.into(), "{path}");
    }
    assert!(world.service.asked().is_empty());
    for (path, uri) in [
        ("repos/../x", "https://git.example/api/v3/x"),
        ("https://git.example/api/v4/x", "https://git.example/api/v4/x"),
        ("", "https://git.example/api/v3/"),
        ("?q=1", "https://git.example/api/v3/?q=1"),
    ] {
        world.answers_api(200, &[], "");
        api.request(Method::GET, path).send().await.unwrap();
        assert_eq!(last(&world).uri().to_string(), uri, "{path}");
    }
}

#[tokio::test]
async fn a_refresh_has_nothing_of_the_call_in_it() {
    let world = World::new();
    world.service.change(|its| its.expire(Duration::from_secs(3600), true));
    let (_, github) = account(&world).await;
    world.wait(Duration::from_secs(3600));
    let call = github.request(Method::POST, "notes").query("q", "leaked").header("x-a", "leaked");
    call.json_body(&json!({ "secret": "leaked" })).send().await.unwrap();
    let asked = world.service.asked();
    let refresh = asked.iter().find(|asked| asked.purpose == Purpose::Refresh).unwrap();
    assert!(!format!("{:?}", refresh.request).contains("leaked"));
    let body = String::from_utf8_lossy(refresh.request.body()).into_owned();
    assert!(
        !body.contains("allow_redirects") && body.contains("grant_type=refresh_token"),
        "{body}"
    );
}

#[derive(Debug, PartialEq, Deserialize)]
struct Quota {
    used: u64,
    name: String,
}

#[tokio::test]
async fn an_answer_is_read_as_its_content_type_says() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let get = async |content_type: Option<&str>, body: &'static [u8]| {
        let headers: Vec<_> =
            content_type.map(|value| ("content-type", value)).into_iter().collect();
        world.answers_api(200, &headers, Bytes::from_static(body));
        github.request(Method::GET, "x").send().await.unwrap()
    };
    let quota = || Quota { used: 7, name: "a b".to_owned() };
    let (json, form) = (b"{\"used\":7,\"name\":\"a b\"}", b"used=7&name=a+b");
    for content_type in [
        None,
        Some("application/json"),
        Some("Application/JSON; charset=utf-8"),
        Some("application/problem+json"),
        Some("text/javascript"),
    ] {
        let read: Quota = get(content_type, json).await.decode().await.unwrap();
        assert_eq!(read, quota(), "{content_type:?}");
    }
    let form_type = Some("application/x-www-form-urlencoded; charset=UTF-8");
    assert_eq!(get(form_type, form).await.decode::<Quota>().await.unwrap(), quota());
    let value: Value = get(form_type, form).await.decode().await.unwrap();
    assert_eq!(value, json!({ "used": "7", "name": "a b" }));
    let text = get(Some("text/plain"), b"Keep it").await.decode::<String>().await.unwrap();
    assert_eq!(text, "Keep it");
    let value: Value = get(Some("text/plain"), b"Keep it").await.decode().await.unwrap();
    assert_eq!(value, "Keep it");
    let latin = get(Some("text/html; charset=\"ISO-8859-1\""), b"M\xfcnchen").await;
    assert_eq!(latin.text().await.unwrap(), "München");
    let marked = get(Some("text/plain; charset=utf-8"), b"\xef\xbb\xbfM\xc3\xbcnchen").await;
    assert_eq!(marked.text().await.unwrap(), "München");
    assert_eq!(get(None, b"{\"a\":1}").await.text().await.unwrap(), "{\"a\":1}");
    let malformed = Error::Service {
        service: "github".into(),
        error: ServiceError::Malformed { status: StatusCode::OK },
    };
    for (content_type, body) in [
        (Some("image/png"), &b"{}"[..]),
        (Some("application/json"), b"used=7&name=a+b"),
        (Some("application/x-www-form-urlencoded"), b"used=seven&name=a"),
        (Some("text/plain"), b"{\"used\":7,\"name\":\"a b\"}"),
    ] {
        let error = get(content_type, body).await.decode::<Quota>().await.unwrap_err();
        assert_eq!(error, malformed, "{content_type:?}");
    }
    for content_type in ["text/plain", "text/plain; charset=utf-16"] {
        let error = get(Some(content_type), b"M\xfcnchen").await.text().await.unwrap_err();
        assert_eq!(error, malformed, "{content_type}");
    }
    let answer = get(Some("text/plain"), b"x").await;
    assert_eq!(answer.url.as_str(), "https://api.github.com/x");
}

#[cfg(feature = "xml")]
#[tokio::test]
async fn xml_is_read_into_the_callers_type() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let body = "<?xml version=\"1.0\"?><quota kind=\"x\"><used>7</used><name>a b</name></quota>";
    for content_type in ["application/xml", "text/xml; charset=utf-8", "application/atom+xml"] {
        world.answers_api(200, &[("content-type", content_type)], body);
        let answer = github.request(Method::GET, "x").send().await.unwrap();
        let quota: Quota = answer.decode().await.unwrap();
        assert_eq!(quota, Quota { used: 7, name: "a b".to_owned() }, "{content_type}");
    }
    world.answers_api(200, &[("content-type", "text/xml")], "<quota><used>7");
    let answer = github.request(Method::GET, "x").send().await.unwrap();
    assert_eq!(answer.decode::<Quota>().await.unwrap_err().code(), "service_answer_malformed");
}

#[tokio::test]
async fn an_error_after_a_redirect_and_a_conditional_answer_are_told() {
    let world = World::new();
    let (_, github) = account(&world).await;
    world.answers_api(304, &[("etag", "\"1\"")], "");
    let call = github.request(Method::GET, "x").header("if-none-match", "\"1\"");
    assert_eq!(call.send().await.unwrap().status, StatusCode::NOT_MODIFIED);
    world.answers_api(302, &[("location", "/elsewhere?a=1")], "");
    let answer = github.request(Method::GET, "x").send().await.unwrap();
    assert_eq!(answer.url.as_str(), "https://api.github.com/elsewhere?a=1");
    // Some services do not encode it.
    world.answers_api(302, &[("location", "/Zürich")], "");
    let answer = github.request(Method::GET, "x").send().await.unwrap();
    assert_eq!(answer.url.as_str(), "https://api.github.com/Z%C3%BCrich");
}

#[tokio::test]
async fn an_error_is_an_answer_if_told_so_but_a_refused_token_never() {
    let world = World::new();
    let (_, github) = account(&world).await;
    for status in [404, 422, 429, 500, 503] {
        world.answers_api(status, &[("x-left", "0")], "{\"a\":1}");
        let answer = github.request(Method::GET, "x").any_status().send().await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["x-left"]),
            (status, &"0".parse().unwrap())
        );
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "a": 1 }));
    }
    world.answers_api(401, &[], "");
    let error = github.request(Method::GET, "x").any_status().send().await.unwrap_err();
    assert_eq!(error.code(), "api_error");
    world.service.ends_access_tokens();
    let error = github.request(Method::GET, "x").any_status().send().await.unwrap_err();
    assert_eq!(error.code(), "not_linked");
}

#[tokio::test]
async fn a_body_that_says_that_the_call_failed_is_an_error_however_it_is_read() {
    let world = World::new();
    let github = GitHub::new("our-id", SECRET).with_spec(|s| s.failure_flag = Some("ok".into()));
    let login = Login::new(KeyRing::ephemeral(), SITE).with(github).http(world.service.clone());
    let api = login.api("github", Token::new("t")).await.unwrap();
    let get = async || {
        world.answers_api(200, &[], "{\"ok\":false}");
        api.request(Method::GET, "x")
    };
    let failed = async |read: Result<Value, Error>| {
        let Error::Api { body, .. } = read.unwrap_err() else { panic!() };
        assert_eq!(body, "{\"ok\":false}");
    };
    failed(get().await.json().await).await;
    failed(get().await.send().await.unwrap().json().await).await;
    failed(get().await.send().await.unwrap().decode().await).await;
    failed(get().await.send().await.unwrap().text().await.map(Value::from)).await;
    let answer = get().await.any_status().send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "ok": false }));
}

#[tokio::test]
async fn a_token_of_the_caller_is_sent_and_never_refreshed_or_stored() {
    let world = World::new();
    world.service.change(|its| its.expire(Duration::from_secs(3600), true));
    let (login, github) = account(&world).await;
    let own = github.access_token().await.unwrap();
    for api in [
        github.with_token(Token::new("bot")),
        login.api("github", Token::new("bot").refresh_token("r")).await.unwrap(),
    ] {
        let error = api.get::<Value>("user").await.unwrap_err();
        assert_eq!(last(&world).headers()["authorization"], "Bearer bot");
        let Error::Api { status, .. } = error else { panic!("{error:?}") };
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(world.service.times_asked(Purpose::Refresh), 0);
    let same = login.api("github", Token::new(own.expose())).await.unwrap();
    let echo: Value = same.get("x").await.unwrap();
    assert_eq!(echo["path"], "/x");
    assert_eq!(github.access_token().await.unwrap(), own, "the account keeps its own");
    let error = same.get::<Value>("https://evil.example/").await.unwrap_err();
    assert_eq!(error, OperatorError::ForeignOrigin.into());
    let error = login.api("gitlab", Token::new("t")).await.unwrap_err();
    assert_eq!(error.code(), "service_unknown");
    let account = Account { owner: Owner::NOBODY, service: "github".into(), subject: "".into() };
    assert!(login.linked::<GitHub>(&account).await.is_err(), "nothing was stored");
}

#[expect(clippy::disallowed_methods, reason = "tokio's clock is paused, and moved by waiting")]
fn paused_clock() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_service_only_if_told_to() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let get = || github.request(Method::GET, "user");
    let limited = |status, after| world.answers_api(status, &[("retry-after", after)], "");
    let waited = async |call: Call| {
        let start = paused_clock();
        let answered = call.send().await;
        (answered, start.elapsed().as_secs())
    };
    let minute = Duration::from_secs(60);

    limited(429, "5");
    let (answered, seconds) = waited(get()).await;
    let Error::Api { retry_after, .. } = answered.unwrap_err() else { panic!() };
    assert_eq!((retry_after, seconds), (Some(Duration::from_secs(5)), 0));

    for status in [429, 503, 403] {
        limited(status, "5");
        let (answered, seconds) = waited(get().retry_after(minute)).await;
        assert_eq!((answered.unwrap().status, seconds), (StatusCode::OK, 5), "{status}");
    }
    // A date, by the clock of the Env.
    let now = world.clock.env().now().seconds();
    let date = std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(now + 20).unwrap());
    let date = httpdate::fmt_http_date(date);
    limited(503, &date);
    let (answered, seconds) = waited(get().retry_after(minute)).await;
    assert!(answered.is_ok());
    assert!((19..=20).contains(&seconds), "{seconds}");

    // More than allowed, in one piece or in several.
    limited(429, "61");
    let (answered, seconds) = waited(get().retry_after(minute)).await;
    assert_eq!((answered.unwrap_err().code(), seconds), ("api_error", 0));
    for _ in 0..3 {
        limited(429, "25");
    }
    let (answered, seconds) = waited(get().retry_after(minute)).await;
    assert_eq!((answered.unwrap_err().code(), seconds), ("api_error", 50));
    // "At once" for ever.
    for _ in 0..10 {
        limited(429, "0");
    }
    let before = world.service.times_asked(Purpose::Api);
    let (answered, seconds) = waited(get().retry_after(Duration::from_secs(5))).await;
    assert_eq!((answered.unwrap_err().code(), seconds), ("api_error", 5));
    assert_eq!(world.service.times_asked(Purpose::Api) - before, 6);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_again_that_may_have_been_done_or_is_gone() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let minute = Duration::from_secs(60);
    for (status, headers) in
        [(500, &[("retry-after", "1")][..]), (404, &[("retry-after", "1")]), (503, &[])]
    {
        world.answers_api(status, headers, "");
        let call = github.request(Method::POST, "x").retry_after(minute).send().await;
        assert_eq!(call.unwrap_err().code(), "api_error", "{status}");
    }
    world.answers_api(503, &[("retry-after", "1")], "");
    let upload = github.request(Method::PUT, "x").body(Pieces::of(["a"])).retry_after(minute);
    assert_eq!(upload.send().await.unwrap_err().code(), "api_error");
    world.answers_api(503, &[("retry-after", "1")], "");
    let call = github.request(Method::POST, "x").json_body(&json!([1])).retry_after(minute);
    let echo: Value = call.json().await.unwrap();
    assert_eq!(echo["body"], "[1]");
}

fn down(seconds: u64) -> Error {
    let retry_after = Duration::from_secs(seconds);
    Error::Service { service: "github".into(), error: ServiceError::Down { retry_after } }
}

#[tokio::test(start_paused = true)]
async fn while_a_service_is_down_only_calls_that_asked_for_it_fail_at_once() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let get = || github.request(Method::GET, "user");
    get().fail_fast().send().await.unwrap();
    for error in
        [NetworkError::Refused, NetworkError::Connect, NetworkError::Name, NetworkError::Tls]
    {
        world.service.fails_next(Purpose::Api, error);
        assert!(get().send().await.is_err());
        let before = world.service.times_asked(Purpose::Api);
        assert_eq!(get().fail_fast().send().await.unwrap_err(), down(1), "{error:?}");
        assert_eq!(world.service.times_asked(Purpose::Api), before, "nothing was sent");
        get().send().await.unwrap();
        get().fail_fast().send().await.unwrap();
    }
    // Each further failure doubles the pause.
    for seconds in [1, 2, 4] {
        world.service.fails_next(Purpose::Api, NetworkError::Refused);
        assert_eq!(get().fail_fast().send().await.unwrap_err().code(), "service_unreachable");
        assert_eq!(get().fail_fast().send().await.unwrap_err(), down(seconds));
        world.wait(Duration::from_secs(seconds));
    }
    get().fail_fast().send().await.unwrap();
    // The service may say how long.
    world.answers_api(503, &[("retry-after", "120")], "");
    assert!(get().send().await.is_err());
    world.wait(Duration::from_secs(20));
    let error = get().fail_fast().send().await.unwrap_err();
    assert_eq!(error, down(100));
    assert!(error.is_transient());
    world.wait(Duration::from_secs(100));
    get().fail_fast().send().await.unwrap();
    // What concerns one call or one user is no outage.
    for status in [429, 500, 404, 401] {
        world.answers_api(status, &[], "");
        assert!(get().send().await.is_err());
        get().fail_fast().send().await.unwrap();
    }
    world.service.fails_next(Purpose::Api, NetworkError::Interrupted);
    let post = github.request(Method::POST, "x");
    assert_eq!(post.send().await.unwrap_err().code(), "service_interrupted");
    world.service.ignores_next(Purpose::Api);
    assert!(get().deadline(Duration::from_secs(3)).send().await.is_err());
    get().fail_fast().send().await.unwrap();
    world.service.ignores_next(Purpose::Api);
    assert!(get().send().await.is_err(), "half a minute without a response");
    assert_eq!(get().fail_fast().send().await.unwrap_err(), down(1));
}
