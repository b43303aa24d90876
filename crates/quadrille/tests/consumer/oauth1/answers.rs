use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use quadrille::transport::{NetworkError, Purpose};

use super::{World, come_back, leave, pages};
use crate::support::{Browser, SECRET};

#[tokio::test]
async fn a_callback_that_is_not_confirmed_is_no_login() {
    let world = World::new();
    world.service.change(|its| its.confirms_callback = false);
    let mut browser = Browser::new(world.login().attach(pages()));
    let page = browser.go("/album").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.has_code("callback_not_confirmed"), "{}", page.text);
    assert!(page.text.contains("/login/library?next=%2Falbum"), "a way on: {}", page.text);
    assert!(browser.cookies.is_empty(), "nothing was begun");
}

#[tokio::test]
async fn a_visitor_who_says_no_is_told_so_however_the_service_puts_it() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for said in [
        "oauth_token={}&oauth_problem=user_refused",
        "oauth_token={}&oauth_problem=permission_denied",
        "oauth_token={}&oauth_problem=permission_denied&oauth_verifier=x",
        "denied={}",
        "oauth_token={}&denied={}",
        "oauth_token={}&oauth_verifier=",
        "oauth_token={}",
    ] {
        let url = leave(&mut browser, "/album").await;
        let token = url.rsplit_once('=').unwrap().1;
        let query = said.replace("{}", token);
        let page = come_back(&mut browser, &query).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{said}: {page:?}");
        assert!(page.has_code("access_denied"), "{said}: {}", page.text);
        assert!(page.text.contains("/login/library?next=%2Falbum"), "a way on");
        let again = come_back(&mut browser, &query).await;
        assert!(again.has_code("attempt_cookie_missing"), "that attempt is over");
    }
    assert_eq!(world.service.times_asked(Purpose::RedeemCode), 0);
}

#[tokio::test]
async fn what_else_the_service_refuses_is_told_by_fault() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (problem, code) in [
        ("consumer_key_refused", "client_refused"),
        ("token_expired", "authorization_refused"),
        ("%3Cscript%3Ealert(1)", "authorization_refused"),
    ] {
        let url = leave(&mut browser, "/album").await;
        let token = url.rsplit_once('=').unwrap().1;
        let query = format!("oauth_token={token}&oauth_problem={problem}");
        let page = come_back(&mut browser, &query).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{page:?}");
        assert!(page.has_code(code), "{problem}: {}", page.text);
        assert!(!page.text.contains("<script>"));
    }
}

/// Bodies that are no answer to a request for credentials, and what each means to the request for
/// temporary ones and to the one that redeems a verifier.
fn bad_answers() -> Vec<(u16, Bytes, &'static str, &'static str)> {
    let html = "<html><body>Service <b>maintenance</b></body></html>";
    let (malformed, busy) = ("service_answer_malformed", "service_unavailable");
    vec![
        (200, Bytes::from(html), malformed, malformed),
        (200, Bytes::new(), malformed, malformed),
        (200, Bytes::from("{}"), malformed, malformed),
        (200, Bytes::from("{\"oauth_token\":7"), malformed, malformed),
        (200, Bytes::from("oauth_token=a"), malformed, malformed),
        (200, Bytes::from("oauth_token=&oauth_token_secret=b"), malformed, malformed),
        (200, Bytes::from(&[0xff, 0xfe][..]), malformed, malformed),
        (
            200,
            Bytes::from(vec![b' '; 1 << 20]),
            "service_answer_too_large",
            "service_answer_too_large",
        ),
        (302, Bytes::new(), malformed, malformed),
        (400, Bytes::from("oauth_problem=timestamp_refused"), "token_refused", "token_refused"),
        (
            401,
            Bytes::from("oauth_problem=consumer_key_unknown"),
            "client_refused",
            "client_refused",
        ),
        (401, Bytes::from("oauth_problem=token_rejected"), "token_refused", "token_refused"),
        (401, Bytes::from("Failed to validate signature"), "client_refused", "token_refused"),
        (401, Bytes::new(), "client_refused", "token_refused"),
        (403, Bytes::from(html), "client_refused", "token_refused"),
        (429, Bytes::new(), busy, busy),
        (500, Bytes::from(html), busy, busy),
        (503, Bytes::from("oauth_problem=user_refused"), busy, busy),
    ]
}

#[tokio::test]
async fn whatever_the_service_answers_ends_in_a_page() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (status, body, leaving, redeeming) in bad_answers() {
        let status = StatusCode::from_u16(status).unwrap();
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        world.service.answers_next(Purpose::TemporaryCredentials, status, body.clone());
        let page = browser.go("/album").await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{status} {shown}: {page:?}");
        assert!(page.has_code(leaving), "{status} {shown} is not {leaving}: {}", page.text);

        let url = leave(&mut browser, "/album").await;
        let query = world.service.consent(&url, 7).unwrap();
        world.service.answers_next(Purpose::RedeemCode, status, body);
        let page = come_back(&mut browser, &query).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{status} {shown}: {page:?}");
        assert!(page.has_code(redeeming), "{status} {shown} is not {redeeming}: {}", page.text);
        assert!(!page.text.contains("maintenance"), "what strangers wrote is not shown");
        assert!(page.text.contains("/login/library?next=%2Falbum"), "a way on");
    }
    assert_eq!(browser.visit("/maybe").await.text, "nobody");
}

#[tokio::test]
async fn json_and_forms_of_any_content_type_are_understood() {
    let world = World::new();
    for (content_type, body) in [
        ("text/html", "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true"),
        ("", "oauth_callback_confirmed=true&oauth_token_secret=s&oauth_token=t&x=y"),
        (
            "application/json",
            r#"{"oauth_token":"t","oauth_token_secret":"s","oauth_callback_confirmed":true}"#,
        ),
    ] {
        let mut browser = Browser::new(world.login().attach(pages()));
        let answer = http::Response::builder().header("content-type", content_type);
        let answer = answer.body(Bytes::from(body)).unwrap();
        world.service.answers_next_with(Purpose::TemporaryCredentials, answer.clone());
        let url = leave(&mut browser, "/album").await;
        assert!(url.ends_with("oauth_token=t"), "{url}");
        world.service.answers_next_with(Purpose::RedeemCode, answer);
        world.service.answers_next(Purpose::Identity, StatusCode::OK, "{\"id\":7}");
        let back = come_back(&mut browser, "oauth_token=t&oauth_verifier=v").await;
        assert_eq!(back.refresh(), Some("/album"), "{content_type}: {back:?}");
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
    }
}

#[tokio::test]
async fn a_network_that_fails_does_not_use_up_the_attempt() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    for (error, status, code) in [
        (NetworkError::Connect, 502, "service_unreachable"),
        (NetworkError::Interrupted, 502, "service_interrupted"),
        (NetworkError::TimedOut, 504, "service_timed_out"),
    ] {
        world.service.fails_next(Purpose::TemporaryCredentials, error);
        let page = browser.go("/album").await;
        assert_eq!(page.status.as_u16(), status);
        assert!(page.has_code(code), "{}", page.text);
    }
    let url = leave(&mut browser, "/album").await;
    let query = world.service.consent(&url, 7).unwrap();
    world.service.fails_next(Purpose::RedeemCode, NetworkError::Connect);
    assert!(come_back(&mut browser, &query).await.has_code("service_unreachable"));
    // Reloading the page is another try.
    assert_eq!(come_back(&mut browser, &query).await.refresh(), Some("/album"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_is_not_waited_for_for_ever() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    world.service.ignores_next(Purpose::TemporaryCredentials);
    let page = tokio::time::timeout(Duration::from_secs(15), browser.go("/album")).await;
    let page = page.expect("an answer within seconds");
    assert_eq!(page.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(page.has_code("service_timed_out"));
}

#[tokio::test]
async fn a_wrong_secret_is_the_operators_affair() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    super::log_in(&world, &mut browser, "/album", 7).await;
    world.service.changes_secret("another");
    let page = browser.go("/login/library").await;
    assert!(page.has_code("client_refused"), "{page:?}");
    assert_eq!(browser.visit("/maybe").await.text, "number 7", "nobody is unlinked");
    let page = browser.visit("/album").await;
    assert!(page.has_code("api_error"), "{page:?}");
    world.service.changes_secret(SECRET);
    assert_eq!(browser.visit("/album").await.text, "You are user-7");
}
