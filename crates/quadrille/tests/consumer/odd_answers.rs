//! Responses that broke other clients, as their users reported them.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use quadrille::{
    GitHub, KeyRing, Login, Service as _, SpecBuf,
    consumer::{Begin, MemoryStorage},
    testing::FakeService,
    transport::Purpose,
};

use crate::{
    canary::logged,
    support::{Browser, Page, SECRET, World, pages},
};

const HOUR: Duration = Duration::from_secs(3600);

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(Bytes::from(body.to_owned())).unwrap()
}

/// The page after a login whose token response is this one.
async fn logged_in_with(response: Response<Bytes>) -> Page {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    world.service.answers_next_with(Purpose::RedeemCode, response);
    world.service.answers_next(Purpose::Identity, StatusCode::OK, r#"{"id":7}"#);
    world.service.answers_next(Purpose::Api, StatusCode::OK, r#"{"login":"seven"}"#);
    browser.log_in(&world.service, "/album", 7).await
}

#[tokio::test]
async fn a_token_is_read_from_whatever_is_around_it() {
    for (status, headers, body) in [
        (200, &[][..], r#"{"access_token":"t","expires_in":"3600"}"#),
        (200, &[], r#"{"access_token":"t","expires_in":3600.5}"#),
        (200, &[], r#"{"access_token":"t","expires_in":-1}"#),
        (200, &[], r#"{"access_token":"t","expires_in":null,"refresh_token":null}"#),
        (200, &[], r#"{"access_token":"t","expires_in":1617955200000000000000000085}"#),
        (200, &[], r#"{"access_token":"t","expires_in":""}"#),
        (200, &[], r#"{"access_token":"t","expires_in":{"value":3600}}"#),
        (200, &[], r#"{"access_token":"t","expires_in":3600,"expires_in":3600}"#),
        (200, &[], r#"{"access_token":"t","token_type":"bearer "}"#),
        (200, &[], r#"{"access_token":"t","token_type":"\tBearer\n"}"#),
        (200, &[], r#"{"access_token":"t","scope":null}"#),
        (200, &[], r#"{"access_token":"t","scope":["a","b"]}"#),
        (200, &[], r#"{"access_token":"t","scope":[]}"#),
        (200, &[], r#"{"access_token":"t","scope":{"a":true}}"#),
        (200, &[], r#"{"access_token":"t","scope":"a a\ta\n"}"#),
        (200, &[], r#"{"access_token":"t","refresh_token":""}"#),
        (200, &[], r#"{"access_token":"t","error":null,"error_description":null}"#),
        (200, &[], r#"{"access_token":"t","error":0,"errors":[]}"#),
        (200, &[], r#"{"access_token":"t","error":false}"#),
        (200, &[], r#"{"access_token":"t","id_token":7}"#),
        (200, &[], "\u{feff}{\"access_token\":\"t\"}\r\n\r\n"),
        (200, &[("content-type", "text/html; charset=iso-8859-1")], r#"{"access_token":"t"}"#),
        (200, &[("content-type", "application/json;")], r#"{"access_token":"t"}"#),
        (200, &[("content-encoding", "identity")], r#"{"access_token":"t"}"#),
        (200, &[("content-type", "text/plain")], "access_token=t&expires=5184000"),
        (200, &[], "access_token=t&scope=a%2Cb&token_type=bearer\n"),
        (201, &[], r#"{"access_token":"t"}"#),
        (203, &[], r#"{"access_token":"t"}"#),
    ] {
        let page = logged_in_with(answer(status, headers, body)).await;
        assert_eq!(page.text, "You are seven", "{status} {headers:?} {body}: {page:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_told_by_its_kind() {
    let there = [("location", "https://github.com/login/oauth/access_token2")];
    for (status, headers, body, code) in [
        (200, &[][..], r#"{"access_token":"t"}{"access_token":"t"}"#, "service_answer_malformed"),
        (200, &[], r#"{"access_token":"t"}<!-- 3 ms -->"#, "service_answer_malformed"),
        (200, &[], "<b>Notice</b>: {\"access_token\":\"t\"}", "service_answer_malformed"),
        (200, &[], r#"[{"access_token":"t"}]"#, "service_answer_malformed"),
        (200, &[], r#"{"access_token":{"token":"t"}}"#, "service_answer_malformed"),
        (200, &[], r#"{"access_token":"t","access_token":"u"}"#, "service_answer_malformed"),
        (200, &[], r#"{"accessToken":"t"}"#, "service_answer_malformed"),
        (200, &[], r#"{"access_token":"t","token_type":"JWT"}"#, "token_type_unknown"),
        (200, &[], r#"{"error":"invalid_grant"}"#, "token_refused"),
        (200, &[], r#"{"ok":false,"error":"invalid_code"}"#, "token_refused"),
        (200, &[], r#"{"errors":[{"errorType":"invalid_grant"}]}"#, "token_refused"),
        (200, &[], r#"{"errors":[{"message":"Bad"}],"data":null}"#, "service_answer_malformed"),
        (200, &[("content-encoding", "br")], "\u{b}\u{2}", "service_answer_malformed"),
        (204, &[], "", "service_answer_malformed"),
        (301, &there, "", "service_answer_malformed"),
        (303, &there, "", "service_answer_malformed"),
        (307, &there, "", "service_answer_malformed"),
        (403, &[], "<html>Rate limited</html>", "service_answer_malformed"),
        (404, &[], "", "service_answer_malformed"),
        (408, &[], "", "service_answer_malformed"),
        (422, &[], r#"{"error":"invalid_grant"}"#, "token_refused"),
        (429, &[("retry-after", "soon")], "", "service_unavailable"),
        (529, &[], "", "service_unavailable"),
    ] {
        let page = logged_in_with(answer(status, headers, body)).await;
        assert!(page.has_code(code), "{status} {headers:?} {body} is not {code}: {page:?}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_the_answer_leaves_out_or_empty_is_kept() {
    for member in ["", r#","refresh_token":"""#, r#","refresh_token":null"#] {
        let world = World::new();
        world.service.change(|its| its.expire(HOUR, false));
        let mut browser = Browser::new(world.login().attach(pages()));
        browser.log_in(&world.service, "/album", 7).await;
        world.wait(HOUR);
        let body = format!(r#"{{"access_token":"t","expires_in":3600{member}}}"#);
        world.service.answers_next(Purpose::Refresh, StatusCode::OK, body);
        world.service.answers_next(Purpose::Api, StatusCode::OK, r#"{"login":"seven"}"#);
        assert_eq!(browser.visit("/album").await.text, "You are seven", "{member}");
        world.wait(HOUR);
        let page = browser.visit("/album").await;
        assert_eq!(page.text, "You are user-7", "{member}: refreshed once more: {page:?}");
    }
}

#[test]
fn the_log_says_what_is_missing_in_an_answer_and_nothing_of_its_content() {
    let log = logged(async {
        let body = r#"{"accessToken":"token-canary"}"#;
        logged_in_with(answer(200, &[], body)).await;
    });
    assert!(log.contains("answer has no access_token"), "{log}");
    assert!(!log.contains("token-canary"), "{log}");
    let log = logged(async {
        let service = FakeService::of::<GitHub>("our-id", SECRET);
        let login = Login::new(KeyRing::ephemeral(), "http://localhost")
            .with(GitHub::public_client("our-id"))
            .storage(MemoryStorage::new())
            .http(service.clone());
        let body = r#"{"device_code":"code-canary","user_code":"U-1",
            "verification_uri":"https://id.example/device"}"#;
        service.answers_next(Purpose::DeviceAuthorization, StatusCode::OK, body);
        let refused = login.begin_device(&Begin::new("github")).await.unwrap_err();
        assert_eq!(refused.code(), "service_answer_malformed");
    });
    assert!(log.contains("answer has no expires_in"), "{log}");
    assert!(!log.contains("code-canary"), "{log}");
}

/// Of Facebook, whose words for errors are none of OAuth 2.
#[test]
fn a_refusal_in_other_words_is_named_in_the_log_and_not_described() {
    let log = logged(async {
        let body = r#"{"error":{"message":"words-canary","type":"OAuthException","code":190}}"#;
        let page = logged_in_with(answer(400, &[], body)).await;
        assert!(page.has_code("token_refused"), "{page:?}");
    });
    assert!(log.contains("refused the token request: OAuthException"), "{log}");
    assert!(!log.contains("words-canary"), "it may repeat a secret: {log}");
}

#[test]
fn a_callback_with_an_error_code_alone_is_a_refusal() {
    let log = logged(async {
        let service = FakeService::new("our-id", SECRET);
        let spec = SpecBuf::oauth2(
            "acme",
            "https://acme.example/authorize",
            "https://acme.example/token",
            "https://acme.example/api",
        );
        let login = Login::new(KeyRing::ephemeral(), "http://localhost")
            .with(spec.client("our-id", SECRET))
            .http(service);
        for (params, code) in [
            ("error_code=1349126&error_message=App+not+set+up", "authorization_refused"),
            ("error_codes=1", "callback_malformed"),
        ] {
            let mut browser = Browser::new(login.clone().attach(pages()));
            let away = browser.go("/login/acme").await.location().to_owned();
            let state = away.split('&').find(|pair| pair.starts_with("state=")).unwrap();
            let page = browser.visit(&format!("/login/acme/authorized?{params}&{state}")).await;
            assert!(page.has_code(code), "{params}: {page:?}");
        }
    });
    assert!(log.contains("refused the login: 1349126"), "{log}");
}
