use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use quadrille::{
    Error, GitHub, KeyRing, Linked, Login,
    consumer::{Account, Begin, Jar, MemoryStorage, OperatorError, ServiceError, Token},
    transport::{Body, NetworkError, Purpose},
};
use serde_json::{Value, json};

use crate::support::{SECRET, SITE, World};

/// An account at GitHub, without a browser.
async fn account(world: &World) -> (Login, Linked<GitHub>) {
    let login = world.login().storage(MemoryStorage::new());
    let jar = Jar::new(&http::HeaderMap::new());
    let owner = quadrille::Owner::user(1);
    let url = login.begin(&jar, &Begin::new("github").owner(&owner)).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    let done = login.finish(&jar, "github", &query, &owner).await.unwrap();
    let linked = login.linked::<GitHub>(&done.account).await.unwrap();
    (login, linked)
}

fn last_uri(world: &World) -> String {
    world.service.asked().last().unwrap().request.uri().to_string()
}

#[tokio::test]
async fn paths_are_joined_below_the_base_and_segments_encoded() {
    let world = World::new();
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(
            GitHub::new("our-id", SECRET)
                .with_spec(|s| s.api = "https://git.example/api/v3".into()),
        )
        .storage(MemoryStorage::everyone_has("github", Token::new("t")))
        .http(world.service.clone());
    let account =
        Account { owner: quadrille::Owner::user(1), service: "github".into(), subject: "".into() };
    let github = login.linked::<GitHub>(&account).await.unwrap();
    let ask = async |call: quadrille::consumer::Call| {
        // It does not know this token.
        world.service.answers_next(Purpose::Api, StatusCode::OK, "");
        let _ = call.send().await;
        last_uri(&world)
    };
    let base = "https://git.example/api/v3";
    for (path, joined) in [
        ("user", "/user"),
        ("/user", "/user"),
        ("//evil.example/user", "/evil.example/user"),
        ("\\\\evil.example", "/evil.example"),
        ("repos?q=a b", "/repos?q=a%20b"),
        ("search:all", "/search:all"),
        ("https://git.example/api/v3/page?cursor=2", "/page?cursor=2"),
    ] {
        let uri = ask(github.request(Method::GET, path)).await;
        assert_eq!(uri, format!("{base}{joined}"), "{path}");
    }
    let uri = ask(github.request(Method::GET, ["repos", "a/b", "c d?#%", "é", "..."])).await;
    assert_eq!(uri, format!("{base}/repos/a%2Fb/c%20d%3F%23%25/%C3%A9/..."));
    let uri = ask(github.request(Method::GET, "x").query("a", 1).query("b c", "d&e")).await;
    assert_eq!(uri, format!("{base}/x?a=1&b+c=d%26e"));
    for segments in [["repos", ".."], ["repos", "."], ["", "x"]] {
        let error = github.request(Method::GET, segments).send().await.unwrap_err();
        assert_eq!(error, OperatorError::CallMalformed.into(), "{segments:?}");
    }
}

#[tokio::test]
async fn the_token_goes_to_the_services_own_origin_only() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let before = world.service.asked().len();
    for url in [
        "https://evil.example/user",
        "https://api.github.com.evil.example/",
        "https://api.github.com@evil.example/",
        "http://api.github.com/user",
        "https://api.github.com:8443/user",
        "http://localhost/user",
    ] {
        let error = github.get::<Value>(url).await.unwrap_err();
        assert_eq!(error, OperatorError::ForeignOrigin.into(), "{url}");
    }
    assert_eq!(world.service.asked().len(), before, "nothing was sent");
    github
        .request(Method::GET, "https://uploads.github.com/x")
        .send_token_to_another_origin()
        .send()
        .await
        .unwrap();
    assert_eq!(last_uri(&world), "https://uploads.github.com/x");
    let plain = github.request(Method::GET, "http://evil.example/").send_token_to_another_origin();
    assert_eq!(plain.send().await.unwrap_err(), OperatorError::ForeignOrigin.into());
}

fn redirect(status: u16, to: &str) -> Response<Bytes> {
    Response::builder().status(status).header("location", to).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn redirects_are_followed_within_the_origin_and_no_further() {
    let world = World::new();
    let (_, github) = account(&world).await;
    world.service.answers_next_with(Purpose::Api, redirect(301, "/repositories/1"));
    world.service.answers_next_with(Purpose::Api, redirect(307, "two"));
    let echo: Value = github.get("repos/old/name").await.unwrap();
    assert_eq!(echo["path"], "/repositories/two");

    world.service.answers_next_with(Purpose::Api, redirect(308, "/moved"));
    let echo: Value = github.post("things", &json!({"a": 1})).await.unwrap();
    assert_eq!((&echo["method"], &echo["body"]), (&json!("POST"), &json!("{\"a\":1}")));

    world.service.answers_next_with(Purpose::Api, redirect(303, "/made"));
    let echo: Value = github.post("things", &json!({"a": 1})).await.unwrap();
    assert_eq!((&echo["method"], &echo["body"]), (&json!("GET"), &json!("")));

    let redirected = Error::Service { service: "github".into(), error: ServiceError::Redirected };
    for to in ["https://evil.example/", "http://api.github.com/", "//evil.example/", "\u{7f}"] {
        let before = world.service.asked().len();
        let mut answer = redirect(302, "/");
        answer.headers_mut().insert(
            "location",
            http::HeaderValue::from_bytes(to.as_bytes())
                .unwrap_or(http::HeaderValue::from_static("https://evil.example")),
        );
        world.service.answers_next_with(Purpose::Api, answer);
        assert_eq!(github.get::<Value>("x").await.unwrap_err(), redirected, "{to}");
        assert_eq!(world.service.asked().len(), before + 1, "{to}");
    }
    for _ in 0..10 {
        world.service.answers_next_with(Purpose::Api, redirect(302, "/round"));
    }
    assert_eq!(github.get::<Value>("round").await.unwrap_err(), redirected);
}

#[tokio::test]
async fn an_error_of_the_api_is_told_as_it_is() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let limited = Response::builder()
        .status(429)
        .header("retry-after", "120")
        .body(Bytes::from_static(b"{\"message\":\"slow down\"}"))
        .unwrap();
    world.service.answers_next_with(Purpose::Api, limited);
    let error = github.get::<Value>("user").await.unwrap_err();
    assert!(error.is_transient());
    let Error::Api { status, retry_after, body, service } = error else { panic!("{error:?}") };
    assert_eq!((status, &*service), (StatusCode::TOO_MANY_REQUESTS, "github"));
    assert_eq!(retry_after, Some(Duration::from_secs(120)));
    assert_eq!(&body[..], b"{\"message\":\"slow down\"}");

    world.service.answers_next(Purpose::Api, StatusCode::BAD_GATEWAY, vec![b'x'; 1 << 20]);
    let Error::Api { body, retry_after, .. } = github.get::<Value>("user").await.unwrap_err()
    else {
        panic!()
    };
    assert_eq!((body.len(), retry_after), (64 * 1024, None));

    world.service.answers_next(Purpose::Api, StatusCode::OK, "<html>");
    let error = ServiceError::Malformed { status: StatusCode::OK };
    let malformed = Error::Service { service: "github".into(), error };
    assert_eq!(github.get::<Value>("user").await.unwrap_err(), malformed);

    world.service.fails_next(Purpose::Api, NetworkError::Connect);
    let error = NetworkError::Connect;
    let network = Error::Network { service: "github".into(), error, cause: None };
    assert_eq!(github.get::<Value>("user").await.unwrap_err(), network);

    world.service.answers_next(Purpose::Api, StatusCode::NO_CONTENT, "");
    github.delete("gists/1").await.unwrap();
    world.service.answers_next(Purpose::Api, StatusCode::CREATED, "");
    github.post::<()>("gists", &json!({})).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_api_that_never_answers_is_not_waited_for_for_ever() {
    let world = World::new();
    let (_, github) = account(&world).await;
    world.service.ignores_next(Purpose::Api);
    let asking = github.request(Method::GET, "user").deadline(Duration::from_secs(3)).send();
    let error = tokio::time::timeout(Duration::from_secs(4), asking).await.unwrap().unwrap_err();
    assert_eq!(error.code(), "service_timed_out");
}

/// A stream of three pieces.
struct Pieces(u8);

impl futures_core::Stream for Pieces {
    type Item = Result<Bytes, NetworkError>;
    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        if self.0 == 3 {
            return std::task::Poll::Ready(None);
        }
        self.0 += 1;
        std::task::Poll::Ready(Some(Ok(Bytes::from(format!("piece {};", self.0)))))
    }
}

#[tokio::test]
async fn bodies_stream_and_a_stream_is_not_sent_twice() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let upload = || github.request(Method::PUT, "upload").body(Body::stream(Pieces(0)));
    let echo: Value = upload().json().await.unwrap();
    assert_eq!(echo["body"], "piece 1;piece 2;piece 3;");
    world.service.answers_next_with(Purpose::Api, redirect(307, "/elsewhere"));
    let redirected = Error::Service { service: "github".into(), error: ServiceError::Redirected };
    assert_eq!(upload().send().await.unwrap_err(), redirected);
    let answer = github.request(Method::GET, "download").send().await.unwrap();
    let mut body = answer.body;
    let piece = std::future::poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut body), cx));
    assert!(piece.await.unwrap().unwrap().starts_with(b"{"));
}

#[tokio::test]
async fn every_request_says_what_it_is_for_and_who_asks() {
    let world = World::new();
    let (_, github) = account(&world).await;
    github.request(Method::GET, "x").header("accept", "text/plain").send().await.unwrap();
    let form = github.request(Method::POST, "form").form_body([("a b", "c&d")]);
    let echo: Value = form.json().await.unwrap();
    assert_eq!(echo["body"], "a+b=c%26d");
    let asked = world.service.asked();
    let purposes: Vec<_> = asked.iter().map(|asked| asked.purpose).collect();
    assert_eq!(purposes, [Purpose::RedeemCode, Purpose::Identity, Purpose::Api, Purpose::Api]);
    for asked in &asked {
        let agent = asked.request.headers()["user-agent"].to_str().unwrap();
        assert!(agent.starts_with("quadrille/"), "GitHub refuses requests without");
    }
    assert_eq!(asked[2].request.headers()["accept"], "text/plain");
    assert_eq!(github.access_token().await.unwrap().expose(), "access-canary-2");
}

#[tokio::test]
async fn a_date_says_when_to_ask_again() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let limited = Response::builder()
        .status(503)
        .header("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")
        .body(Bytes::new())
        .unwrap();
    world.service.answers_next_with(Purpose::Api, limited);
    let Error::Api { retry_after, .. } = github.get::<Value>("user").await.unwrap_err() else {
        panic!()
    };
    assert!(retry_after.unwrap() > Duration::from_secs(86_400));
}

#[tokio::test]
async fn an_idempotent_call_whose_connection_breaks_is_sent_once_more() {
    let world = World::new();
    let (_, github) = account(&world).await;
    let interrupted = NetworkError::Interrupted;
    let asked = || world.service.times_asked(Purpose::Api);
    for (method, times) in [
        (Method::GET, 2),
        (Method::HEAD, 2),
        (Method::PUT, 2),
        (Method::DELETE, 2),
        (Method::POST, 1),
        (Method::PATCH, 1),
    ] {
        let before = asked();
        world.service.fails_next(Purpose::Api, interrupted);
        let answer = github.request(method.clone(), "thing").body(Bytes::from("x")).send().await;
        assert_eq!(answer.is_ok(), times == 2, "{method}");
        assert_eq!(asked() - before, times, "{method}");
    }
    let before = asked();
    for _ in 0..2 {
        world.service.fails_next(Purpose::Api, interrupted);
    }
    let error = github.get::<Value>("user").await.unwrap_err();
    assert_eq!((error.code(), asked() - before), ("service_interrupted", 2), "once, not for ever");
    let before = asked();
    for error in [NetworkError::Connect, NetworkError::TimedOut] {
        world.service.fails_next(Purpose::Api, error);
        assert!(github.get::<Value>("user").await.is_err());
    }
    assert_eq!(asked() - before, 2, "nobody waits twice");
    world.service.fails_next(Purpose::Api, interrupted);
    let stream = github.request(Method::PUT, "upload").body(Body::stream(Pieces(0)));
    assert!(stream.send().await.is_err(), "a stream is gone");
}

#[tokio::test]
async fn a_401_to_a_stream_refreshes_the_token_for_the_next_call() {
    let world = World::new();
    world.service.change(|its| its.expire(Duration::from_secs(3600), true));
    let (_, github) = account(&world).await;
    let upload = || github.request(Method::PUT, "upload").body(Body::stream(Pieces(0)));
    world.wait(Duration::from_secs(60));
    world.service.ends_access_tokens();
    let before = world.service.times_asked(Purpose::Api);
    let Error::Api { status, .. } = upload().send().await.unwrap_err() else { panic!() };
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.service.times_asked(Purpose::Refresh), 1);
    assert_eq!(world.service.times_asked(Purpose::Api), before + 1, "a stream is not sent twice");
    let echo: Value = upload().json().await.unwrap();
    assert_eq!(echo["body"], "piece 1;piece 2;piece 3;");
    // And when the refresh token is dead, too, there is another way on.
    world.wait(Duration::from_secs(60));
    world.service.ends_access_tokens();
    world.service.ends_refresh_tokens();
    let error = upload().send().await.unwrap_err();
    assert!(matches!(error, Error::NotLinked(_)), "{error}");
}
