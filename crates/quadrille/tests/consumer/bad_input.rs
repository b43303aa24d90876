use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use quadrille::{
    GitHub, SpecBuf,
    oauth2::ErrorCode,
    transport::{NetworkError, Purpose},
};

use crate::support::{Browser, Page, SECRET, World, pages};

/// A login up to the moment when the service answers: the callback's query.
async fn answered(world: &World, browser: &mut Browser) -> String {
    let away = browser.go("/album").await;
    world.service.consent(away.location(), 7).unwrap()
}

async fn come_back(browser: &mut Browser, query: &str) -> Page {
    browser.visit(&format!("/login/github/authorized?{query}")).await
}

#[tokio::test]
async fn broken_callbacks_are_refused_and_burn_nothing() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let good = answered(&world, &mut browser).await;
    let state = good.split('&').find(|pair| pair.starts_with("state=")).unwrap().to_owned();
    let long = "x".repeat(60_000);
    for (query, code) in [
        ("", "state_unknown"),
        ("code=x", "state_unknown"),
        ("error=access_denied", "state_unknown"),
        ("code=x&state=", "state_unknown"),
        ("code=x&state=made-up", "state_unknown"),
        (&*format!("code=x&{state}A"), "state_unknown"),
        (&*format!("code=x&{}", state.replace("state=A", "state=B")), "state_unknown"),
        (&*format!("code=x&{state}&{state}"), "callback_malformed"),
        (&*format!("code=x&code=y&{state}"), "callback_malformed"),
        (&*format!("code=%zz&{state}"), "callback_malformed"),
        (&*format!("code=%ff&{state}"), "callback_malformed"),
        (&*format!("code=%00&{state}"), "callback_malformed"),
        (&*format!("code={long}&{state}"), "callback_malformed"),
        (&*format!("code=x&error=access_denied&{state}"), "callback_malformed"),
        (&state, "callback_malformed"),
        (&*format!("code=x&iss=https%3A%2F%2Fevil.example&{state}"), "wrong_issuer"),
    ] {
        let page = come_back(&mut browser, query).await;
        let shown = &query[..query.len().min(80)];
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{shown}: {page:?}");
        assert!(page.has_code(code), "{shown} is not {code}: {}", page.text);
        assert!(page.text.contains("Back to the site"), "{shown}");
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
    let back = come_back(&mut browser, &good).await;
    assert_eq!(back.refresh(), Some("/album"), "the true answer is still good: {back:?}");
}

/// OpenID Connect Core, section 3.1.2.5: further parameters are ignored.
#[tokio::test]
async fn what_nobody_reads_in_a_callback_does_not_matter() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let many = "x=1&y=%&".repeat(500);
    for odd in [
        &*many,
        "utm=100%",
        "x=%ff",
        "%zz=1",
        "x=%00",
        "x=caf%E9",
        "x=1&x=2",
        "error=",
        "error=&error=",
        "error_description=%u00f3",
        "denied=1",
        "session_state=%",
        "=",
        "&&",
    ] {
        for first in [true, false] {
            let good = answered(&world, &mut browser).await;
            let pairs = if first { [odd, &good] } else { [&good, odd] };
            let page = come_back(&mut browser, &pairs.join("&")).await;
            assert_eq!(page.refresh(), Some("/album"), "{odd}: {page:?}");
            browser.cookies.clear();
        }
    }
    for odd in [
        "error_description=%u00f3",
        "error_description=caf%E9&error_uri=%",
        "error_description=a&error_description=b",
        "error_description=%00",
        "x=%",
        "code=",
    ] {
        let away = browser.go("/album").await;
        let query = world.service.deny(away.location()).unwrap();
        let page = come_back(&mut browser, &format!("{odd}&{query}")).await;
        assert!(page.has_code("access_denied"), "{odd}: {page:?}");
    }
    // A description without an error says nothing.
    let good = answered(&world, &mut browser).await;
    let state = good.split('&').find(|pair| pair.starts_with("state=")).unwrap();
    let page = come_back(&mut browser, &format!("error=&error_description=x&{state}")).await;
    assert!(page.has_code("callback_malformed"), "{page:?}");
}

#[tokio::test]
async fn an_answer_goes_to_its_own_service_and_site_only() {
    let world = World::new();
    let login = world.login().with(GitHub::new("our-id", SECRET).named("other"));
    let app = login.attach(pages()).merge(login.clone().at("/second").attach(axum::Router::new()));
    let mut browser = Browser::new(app);
    let query = answered(&world, &mut browser).await;
    for path in ["/login/other", "/second/github"] {
        let page = browser.visit(&format!("{path}/authorized?{query}")).await;
        assert!(page.has_code("state_unknown"), "{path}: {page:?}");
    }
    assert_eq!(come_back(&mut browser, &query).await.refresh(), Some("/album"));
}

#[tokio::test]
async fn only_pages_of_this_site_are_gone_back_to() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (next, target) in [
        ("%2Falbum", "/album"),
        ("%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2F%09%2Fevil.example", "/"),
        ("%2F%252f%252fevil.example", "/"),
        ("javascript%3Aalert(1)", "/"),
        ("%2F%0d%0aSet-Cookie%3A%20x%3D1", "/"),
    ] {
        let away = browser.visit(&format!("/login/github?next={next}")).await;
        let query = world.service.consent(away.location(), 7).unwrap();
        assert_eq!(come_back(&mut browser, &query).await.refresh(), Some(target), "{next}");
    }
}

#[tokio::test]
async fn a_page_to_come_back_to_that_cannot_be_read_is_the_front_page() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let long = format!("next=%2F{}", "x".repeat(30_000));
    let many = format!("next=%2Falbum{}", "&x=1".repeat(1000));
    for (query, target) in [
        ("next=%2Fp%ff", "/"),
        ("next=%2F100%", "/"),
        ("next=%zz", "/"),
        ("next=%2F%00", "/"),
        ("next=%2Falbum&next=%2F%2Fevil.example", "/"),
        (&*long, "/"),
        (&*many, "/album"),
        ("next=%2Falbum&utm=100%&x=1&x=2", "/album"),
    ] {
        let shown = &query[..query.len().min(80)];
        let away = browser.visit(&format!("/login/github?{query}")).await;
        assert_eq!(away.status, StatusCode::FOUND, "{shown}: {away:?}");
        let answer = world.service.consent(away.location(), 7).unwrap();
        assert_eq!(come_back(&mut browser, &answer).await.refresh(), Some(target), "{shown}");
        let form = Request::post("/login/github")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(query.to_owned()));
        let away = browser.send(form.unwrap()).await;
        assert_eq!(away.status, StatusCode::OK, "{shown}: {away:?}");
        let answer = world.service.consent(away.refresh().unwrap(), 7).unwrap();
        assert_eq!(come_back(&mut browser, &answer).await.refresh(), Some(target), "{shown}");
    }
}

#[tokio::test]
async fn a_form_that_is_too_long_begins_no_login() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let form = Request::post("/login/github?only=identity")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("next=/{}", "a".repeat(1024 * 1024))));
    let page = browser.send(form.unwrap()).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{page:?}");
    assert_eq!(page.refresh(), None);
    assert!(page.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn unknown_services_and_wrong_methods_are_said_to_be_so() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for path in [
        "/login/gitlab",
        "/login/gitlab/authorized?code=x&state=y",
        "/login/%ff",
        "/login/%ff/authorized?code=x&state=y",
        "/login/%ff/arrived?code=x&state=y",
    ] {
        let page = browser.visit(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}: {page:?}");
        assert!(page.has_code("service_unknown"));
    }
    for (method, path) in [
        ("PUT", "/login/github"),
        ("POST", "/login/github/authorized"),
        ("POST", "/login/github/arrived"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(browser.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    let page = browser.visit("/login/github?only=%zz").await;
    assert_eq!((page.status, page.has_code("login_malformed")), (StatusCode::BAD_REQUEST, true));
}

/// OpenID Connect Core, section 3.1.2.6.
#[tokio::test]
async fn what_the_service_refuses_is_told_by_fault() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (error, status, code) in [
        (ErrorCode::AccessDenied, 403, "access_denied"),
        (ErrorCode::InvalidScope, 502, "authorization_refused"),
        (ErrorCode::UnauthorizedClient, 502, "client_refused"),
        (ErrorCode::TemporarilyUnavailable, 502, "service_unavailable"),
        (ErrorCode::from("<script>alert(1)</script>"), 502, "authorization_refused"),
    ] {
        let away = browser.go("/album").await;
        let query = world.service.refuse(away.location(), error).unwrap();
        let page = come_back(&mut browser, &query).await;
        assert_eq!(page.status.as_u16(), status, "{page:?}");
        assert!(page.has_code(code), "{}", page.text);
        assert!(page.text.contains("/login/github?next=%2Falbum"), "a way on");
        assert!(!page.text.contains("<script>"));
        let again = come_back(&mut browser, &query).await;
        assert!(again.has_code("attempt_cookie_missing"), "that attempt is over");
    }
}

#[tokio::test]
async fn whatever_a_token_endpoint_answers_ends_in_a_page() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let html = "<html><body>Service <b>maintenance</b></body></html>";
    let huge = Bytes::from(vec![b' '; 1 << 20]);
    for (status, body, expected, code) in [
        (200, Bytes::from(html), 502, "service_answer_malformed"),
        (200, Bytes::new(), 502, "service_answer_malformed"),
        (200, Bytes::from("{}"), 502, "service_answer_malformed"),
        (200, Bytes::from("{\"access_token\":7"), 502, "service_answer_malformed"),
        (200, Bytes::from("{\"access_token\":\"a\\nb\"}"), 502, "service_answer_malformed"),
        (200, Bytes::from(&[0xff, 0xfe][..]), 502, "service_answer_malformed"),
        (200, huge.clone(), 502, "service_answer_too_large"),
        (302, Bytes::new(), 502, "service_answer_malformed"),
        (400, Bytes::from("{\"error\":\"invalid_grant\"}"), 502, "token_refused"),
        (200, Bytes::from("error=bad_verification_code"), 502, "token_refused"),
        (200, Bytes::from("error=incorrect_client_credentials"), 502, "client_refused"),
        (401, Bytes::from("{\"error\":\"invalid_client\"}"), 502, "client_refused"),
        (401, Bytes::from(html), 502, "client_refused"),
        (429, Bytes::new(), 502, "service_unavailable"),
        (500, Bytes::from(html), 502, "service_unavailable"),
        (503, Bytes::from("{\"error\":\"invalid_grant\"}"), 502, "service_unavailable"),
    ] {
        let query = answered(&world, &mut browser).await;
        let status = StatusCode::from_u16(status).unwrap();
        world.service.answers_next(Purpose::RedeemCode, status, body.clone());
        let page = come_back(&mut browser, &query).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(page.status.as_u16(), expected, "{status} {shown}");
        assert!(page.has_code(code), "{status} {shown} is not {code}: {}", page.text);
        assert!(!page.text.contains("maintenance"), "what strangers wrote is not shown");
    }
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
}

#[tokio::test]
async fn a_network_that_fails_does_not_use_up_the_attempt() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let query = answered(&world, &mut browser).await;
    for (error, status, code) in [
        (NetworkError::Connect, 502, "service_unreachable"),
        (NetworkError::Interrupted, 502, "service_interrupted"),
        (NetworkError::TimedOut, 504, "service_timed_out"),
    ] {
        world.service.fails_next(Purpose::RedeemCode, error);
        let page = come_back(&mut browser, &query).await;
        assert_eq!(page.status.as_u16(), status);
        assert!(page.has_code(code), "{}", page.text);
    }
    // Reloading the page is another try.
    assert_eq!(come_back(&mut browser, &query).await.refresh(), Some("/album"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_is_not_waited_for_for_ever() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let query = answered(&world, &mut browser).await;
    world.service.ignores_next(Purpose::RedeemCode);
    let page = tokio::time::timeout(Duration::from_secs(15), come_back(&mut browser, &query));
    let page = page.await.expect("an answer within seconds");
    assert_eq!(page.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(page.has_code("service_timed_out"));
}

#[tokio::test]
async fn a_wrong_secret_is_the_operators_affair_and_unlinks_nobody() {
    let world = World::new();
    world.service.change(|its| its.expire(Duration::from_secs(600), true));
    let mut alice = Browser::new(world.login().attach(pages()));
    alice.log_in(&world.service, "/login/github", 7).await;
    world.service.changes_secret("another");
    for minute in 1..=60 {
        world.wait(Duration::from_secs(60));
        let page = alice.visit("/album").await;
        if minute < 10 {
            assert_eq!(page.text, "You are user-7", "the token is still good");
        } else {
            assert_eq!(page.status, StatusCode::BAD_GATEWAY, "minute {minute}: {page:?}");
            assert!(page.has_code("client_refused"));
        }
    }
    world.service.changes_secret(SECRET);
    world.wait(Duration::from_secs(60));
    assert_eq!(alice.visit("/album").await.text, "You are user-7", "she is still linked");
}

#[tokio::test]
async fn a_tampered_token_cookie_links_nobody() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    browser.log_in(&world.service, "/login/github", 7).await;
    let name = "__Host-quadrille-token-github";
    let whole = browser.cookies[name].clone();
    for index in (0..whole.len()).step_by(11) {
        let mut bytes = whole.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        browser.cookies.insert(name.to_owned(), String::from_utf8(bytes).unwrap());
        assert_eq!(browser.visit("/maybe").await.text, "nobody", "byte {index}");
    }
    browser.cookies.insert(name.to_owned(), whole);
    assert_eq!(browser.visit("/maybe").await.text, "number 7");
}

#[tokio::test]
async fn an_issuer_counts_where_the_service_has_one_and_nowhere_else() {
    let world = World::new();
    let plain = SpecBuf::oauth2(
        "plain",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com",
    );
    let named = {
        let mut named = plain.clone();
        named.name = "named".into();
        named.issuer("https://id.example")
    };
    let login = world.login();
    let login = [plain, named].into_iter().fold(login, |login, spec| {
        login.with(spec.identity("user", "id").client("our-id", SECRET))
    });
    let mut browser = Browser::new(login.attach(pages()));
    for (iss, is_right) in [
        ("iss=https%3A%2F%2Fid.example", true),
        ("iss=", true),
        ("iss=https%3A%2F%2Fid.example&iss=https%3A%2F%2Fid.example", false),
        ("iss=https%3A%2F%2Fid.example&iss=", true),
        ("iss=https%3A%2F%2Fid.example&iss=b", false),
        ("iss=https%3A%2F%2Fid.example&iss=%ff", false),
        ("iss=%", false),
        ("iss=%ff", false),
        ("iss=b", false),
    ] {
        for (service, is_right) in [("plain", true), ("named", is_right)] {
            let away = browser.visit(&format!("/login/{service}")).await;
            let good = world.service.consent(away.location(), 7).unwrap();
            let good = good.split('&').filter(|pair| !pair.starts_with("iss="));
            let good = good.collect::<Vec<_>>().join("&");
            for query in [format!("{iss}&{good}"), format!("{good}&{iss}")] {
                let page = browser.visit(&format!("/login/{service}/authorized?{query}")).await;
                if is_right {
                    assert!(page.refresh().is_some(), "{service} {iss}: {page:?}");
                    break;
                }
                assert_eq!(page.status, StatusCode::BAD_REQUEST, "{service} {iss}: {page:?}");
            }
        }
    }
}
