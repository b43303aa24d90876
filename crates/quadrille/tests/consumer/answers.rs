//! What services answer, in whatever way they answer it.

use std::io::Write as _;

use axum::{Router, routing::get};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{Response, StatusCode, header};
use quadrille::{
    GitHub, KeyRing, Login, Result, SpecBuf, Visitor,
    consumer::{Client, Dynamic, OAuth2Buf},
    testing::FakeService,
    transport::Purpose,
};

use crate::support::{Browser, Page, SECRET, SITE, World, pages};

fn acme() -> SpecBuf<OAuth2Buf> {
    SpecBuf::oauth2(
        "acme",
        "https://acme.example/authorize",
        "https://acme.example/token",
        "https://acme.example/api",
    )
    .identity("user", "data.id")
}

/// A browser at a site with this service.
struct Acme {
    service: FakeService,
    browser: Browser,
}

impl Acme {
    fn new(client: Client<Dynamic>) -> Self {
        async fn who(visitor: Visitor) -> Result<String> {
            Ok(visitor.linked("acme").await?.subject().to_string())
        }
        let service = FakeService::new("our-id", SECRET);
        let login = Login::new(KeyRing::ephemeral(), SITE).with(client).http(service.clone());
        let app = login.attach(Router::new().route("/who", get(who)));
        Self { service, browser: Browser::new(app) }
    }

    async fn log_in(&mut self) -> Page {
        let away = self.browser.go("/login/acme?next=/who").await;
        let query = self.service.consent(away.location(), 7).unwrap();
        self.browser.go(&format!("/login/acme/authorized?{query}")).await
    }

    async fn log_in_as(&mut self, profile: impl Into<Bytes>) -> Page {
        self.browser.cookies.clear();
        self.service.answers_next(Purpose::Identity, StatusCode::OK, profile);
        self.log_in().await
    }
}

#[tokio::test]
async fn numbers_that_differ_in_a_digit_are_two_people() {
    let mut acme = Acme::new(acme().client("our-id", SECRET));
    for id in ["184467440737095516159", "184467440737095516001", "-9223372036854775809", "7"] {
        let page = acme.log_in_as(format!("{{\"data\":{{\"id\":{id}}}}}")).await;
        assert_eq!(page.text, id);
        let page = acme.log_in_as(format!("{{\"data\":{{\"id\":\"{id}\"}}}}")).await;
        assert_eq!(page.text, id, "as a text");
    }
    for id in ["1.84e20", "7.0", "7e0", "-0", "true", "null", "\"\"", "{}", "[7]", "\"a\\u0000\""] {
        let page = acme.log_in_as(format!("{{\"data\":{{\"id\":{id}}}}}")).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{id}: {page:?}");
        assert!(page.has_code("subject_missing"), "{id}: {page:?}");
    }
    for profile in ["{}", "{\"id\":7}", "{\"data\":{\"id\":7,\"id\":8}}", "[]", "[{\"id\":7}]"] {
        let page = acme.log_in_as(profile).await;
        assert!(page.has_code("subject_missing"), "{profile}: {page:?}");
    }
    for profile in ["7", "null", "<html>", ""] {
        let page = acme.log_in_as(profile).await;
        assert!(page.has_code("service_answer_malformed"), "{profile}: {page:?}");
    }
}

#[tokio::test]
async fn what_nobody_reads_of_a_profile_does_not_matter() {
    let mut acme = Acme::new(acme().client("our-id", SECRET));
    for profile in [
        &b"\xef\xbb\xbf{\"data\":{\"id\":7}}"[..],
        b"{\"data\":{\"id\":7},\"name\":\"Ren\xe9\"}",
        b"{\"data\":{\"id\":7,\"name\":\"Ren\xe9\"}}",
        b"{\"data\":{\"id\":7},\"far\":1e999,\"half\":\"\\ud800\",\"error\":\"\"}",
        br#"{"data":{"id":7,"\ud800":"\udfff"},"\ud800":["\ud800",{"\udc00":1e999}]}"#,
        b" \r\n{\"data\":{\"id\":7}}\r\n",
    ] {
        let page = acme.log_in_as(Bytes::from_static(profile)).await;
        assert_eq!(page.text, "7", "{}", profile.escape_ascii());
    }
    for unread in [&b"{\"data\":{\"id\":\"Ren\xe9\"}}"[..], br#"{"data":{"id":"Ren\ud800"}}"#] {
        let page = acme.log_in_as(unread).await;
        assert!(page.has_code("subject_missing"), "an identifier is read exactly: {page:?}");
    }
}

#[tokio::test]
async fn only_bearer_tokens_are_used_as_bearer_tokens() {
    for (token_type, good) in [
        ("Bearer", true),
        ("bearer", true),
        ("BEARER", true),
        ("mac", false),
        ("none", false),
        ("DPoP", false),
        ("N_A", false),
        ("bearer mac", false),
        ("b\u{e9}arer", false),
    ] {
        let world = World::new();
        world.service.change(|its| its.expire(std::time::Duration::from_secs(3600), false));
        let mut browser = Browser::new(world.login().attach(pages()));
        browser.log_in(&world.service, "/album", 7).await;
        // At a refresh.
        world.wait(std::time::Duration::from_secs(3600));
        world.service.change(|its| its.token_type = token_type);
        let page = browser.visit("/album").await;
        assert_eq!(page.text == "You are user-7", good, "{token_type}: {page:?}");
        assert_eq!(page.has_code("token_type_unknown"), !good, "{token_type}: {page:?}");
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
        // At a login.
        let mut browser = Browser::new(world.login().attach(pages()));
        let asked = world.service.times_asked(Purpose::Identity);
        let page = browser.log_in(&world.service, "/album", 7).await;
        assert_eq!(page.text == "You are user-7", good, "{token_type}: {page:?}");
        assert_eq!(page.has_code("token_type_unknown"), !good, "{token_type}: {page:?}");
        assert_eq!(world.service.times_asked(Purpose::Identity) > asked, good, "it is not sent");
    }
}

#[tokio::test]
async fn a_token_that_no_header_carries_is_the_services_fault() {
    for token in ["a b", " a", "a ", "a\\tb", "a\\u007f", "\\u00e9"] {
        let body = format!("{{\"access_token\":\"{token}\",\"expires_in\":3600}}");
        let world = World::new();
        world.service.change(|its| its.expire(std::time::Duration::from_secs(3600), false));
        let mut browser = Browser::new(world.login().attach(pages()));
        browser.log_in(&world.service, "/album", 7).await;
        world.wait(std::time::Duration::from_secs(3600));
        world.service.answers_next(Purpose::Refresh, StatusCode::OK, body.clone());
        let page = browser.visit("/album").await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{token}: {page:?}");
        assert!(page.has_code("service_answer_malformed"), "{token}: {page:?}");
        assert_eq!(browser.visit("/maybe").await.text, "number 7");
        let mut browser = Browser::new(world.login().attach(pages()));
        world.service.answers_next(Purpose::RedeemCode, StatusCode::OK, body);
        let page = browser.log_in(&world.service, "/album", 7).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{token}: {page:?}");
        assert!(page.has_code("service_answer_malformed"), "{token}: {page:?}");
    }
}

#[tokio::test]
async fn a_service_may_have_its_own_word_for_bearer_or_none() {
    let token = |token_type: &str| format!("{{\"access_token\":\"t\"{token_type}}}");
    for (member, good) in [
        ("", true),
        (",\"token_type\":null", true),
        (",\"token_type\":\"\"", true),
        (",\"token_type\":\"user\"", true),
        (",\"token_type\":\"USER\"", true),
        (",\"token_type\":\"bot\"", false),
        (",\"token_type\":[\"user\"]", false),
        (",\"token_type\":7", false),
    ] {
        let mut acme = Acme::new(acme().token_types("person user").client("our-id", SECRET));
        acme.service.answers_next(Purpose::RedeemCode, StatusCode::OK, token(member));
        let page = acme.log_in_as("{\"data\":{\"id\":7}}").await;
        assert_eq!(page.text == "7", good, "{member}: {page:?}");
    }
}

#[tokio::test]
async fn half_of_a_surrogate_pair_spoils_a_token_answer_only_where_it_is_read() {
    let mut acme = Acme::new(acme().client("our-id", SECRET));
    for (answer, good) in [
        (r#"{"access_token":"t","name":"\ud800"}"#, true),
        (r#"{"\ud800":{"\udfff":["\ud800"]},"access_token":"t"}"#, true),
        (r#"{"access_token":"t","refresh_token":"\ud800"}"#, true),
        (r#"{"access_token":"t\ud800"}"#, false),
        (r#"{"access_token":"t","token_type":"Bearer\ud800"}"#, false),
        (r#"{"access_token":"t","error":"\ud800"}"#, false),
    ] {
        acme.service.answers_next(Purpose::RedeemCode, StatusCode::OK, answer);
        let page = acme.log_in_as("{\"data\":{\"id\":7}}").await;
        assert_eq!(page.text == "7", good, "{answer}: {page:?}");
    }
}

#[tokio::test]
async fn a_token_may_stand_below_another_member() {
    let spec = acme().access_token("authed_user.access_token").token_types("user");
    let mut acme = Acme::new(spec.client("our-id", SECRET));
    let answer = r#"{"ok":true,"access_token":"bot","token_type":"bot",
        "authed_user":{"access_token":"person","token_type":"user"}}"#;
    acme.service.answers_next(Purpose::RedeemCode, StatusCode::OK, answer);
    assert_eq!(acme.log_in_as("{\"data\":{\"id\":7}}").await.text, "7");
    let asked = acme.service.asked();
    let identity = asked.iter().find(|asked| asked.purpose == Purpose::Identity).unwrap();
    assert_eq!(identity.request.headers()["authorization"], "Bearer person");

    let without = "{\"ok\":true,\"access_token\":\"bot\",\"token_type\":\"user\"}";
    acme.service.answers_next(Purpose::RedeemCode, StatusCode::OK, without);
    let page = acme.log_in().await;
    assert!(page.has_code("service_answer_malformed"), "another's token is not taken: {page:?}");
}

fn gzip(plain: &[u8]) -> Response<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    let mut answer = Response::new(Bytes::from(encoder.finish().unwrap()));
    let coding = http::HeaderValue::from_static("gzip");
    answer.headers_mut().insert(header::CONTENT_ENCODING, coding);
    answer
}

#[tokio::test]
async fn compressed_answers_are_read_although_nobody_asked_for_them() {
    let world = World::new();
    let mut browser = Browser::new(world.login().attach(pages()));
    let token = b"{\"access_token\":\"t\",\"token_type\":\"bearer\"}";
    world.service.answers_next_with(Purpose::RedeemCode, gzip(token));
    world.service.answers_next_with(Purpose::Identity, gzip(b"{\"id\":7}"));
    world.service.answers_next_with(Purpose::Api, gzip(b"{\"login\":\"seven\"}"));
    let page = browser.log_in(&world.service, "/album", 7).await;
    assert_eq!(page.text, "You are seven");

    let away = browser.go("/login/github").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    let mut refused = gzip(b"{\"error\":\"invalid_grant\"}");
    *refused.status_mut() = StatusCode::BAD_REQUEST;
    world.service.answers_next_with(Purpose::RedeemCode, refused);
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("token_refused"), "errors, too: {page:?}");

    let away = browser.go("/login/github").await;
    let query = world.service.consent(away.location(), 7).unwrap();
    world.service.answers_next_with(Purpose::RedeemCode, gzip(&vec![b' '; 64 << 20]));
    let page = browser.go(&format!("/login/github/authorized?{query}")).await;
    assert!(page.has_code("service_answer_too_large"), "a bomb: {page:?}");
}

#[tokio::test]
async fn a_code_of_the_same_look_is_another_code() {
    for error in ["ac%1Ecess_denied", "access_denied%E2%80%8B", "%EF%BB%BFaccess_denied"] {
        let world = World::new();
        let mut browser = Browser::new(world.login().attach(pages()));
        let away = browser.go("/album").await.location().to_owned();
        let state = world.service.consent(&away, 7).unwrap();
        let state = state.split('&').find(|pair| pair.starts_with("state=")).unwrap().to_owned();
        let page = browser.go(&format!("/login/github/authorized?error={error}&{state}")).await;
        assert!(page.has_code("authorization_refused"), "{error}: {page:?}");
    }
}

#[test]
fn what_is_copied_with_more_than_there_is_to_it_is_told_at_start() {
    let code = |client: Client<Dynamic>| {
        Login::new(KeyRing::ephemeral(), SITE).with(client).check().err().map(|e| e.code())
    };
    let malformed = Some("secret_malformed");
    for odd in [
        "x\n",
        "x\r\n",
        "x\r",
        "\nx",
        " x",
        "x ",
        "x\t",
        "\u{feff}x",
        "x\u{feff}",
        "x\0",
        "a\nb",
        "\u{a0}x",
        "x\u{200b}",
        "g\u{e9}heim",
        "\"x\"",
        "'x'",
    ] {
        assert_eq!(code(acme().client("our-id", odd)), malformed, "secret {odd:?}");
        let identifier = Some("client_id_malformed");
        assert_eq!(code(acme().client(odd, SECRET)), identifier, "identifier {odd:?}");
    }
    for fine in ["with space+%&", "'", "x'", "'x\"", "it's \"x\""] {
        assert_eq!(code(acme().client("our id: 1", fine)), None, "{fine}");
    }
    let endpoint = Some("endpoint_malformed");
    for odd in ["\n", "\r", " ", "\t", "\u{feff}", "\u{e9}", "\0"] {
        for field in 0..3 {
            let mut spec = acme();
            let fields = [&mut spec.authorize, &mut spec.token, &mut spec.api];
            let [authorize, token, api] = fields;
            let field_text = [authorize, token, api].into_iter().nth(field).unwrap();
            *field_text = format!("{field_text}{odd}").into();
            assert_eq!(code(spec.client("our-id", SECRET)), endpoint, "{odd:?} in {field}");
        }
    }
    for path in ["", ".", "data.", ".id", "data..id"] {
        let spec = acme().identity("user", path);
        assert_eq!(code(spec.client("our-id", SECRET)), Some("member_malformed"), "{path:?}");
        let spec = acme().access_token(path);
        assert_eq!(code(spec.client("our-id", SECRET)), Some("member_malformed"), "{path:?}");
    }
    let oauth1 = SpecBuf::oauth1(
        "lib",
        "https://l.example/t",
        "https://l.example/a",
        "https://l.example/c",
        "https://l.example",
    );
    assert_eq!(code(oauth1.clone().client("our-id", "x\n")), malformed);
    assert_eq!(code(oauth1.clone().client("our-id", "x\u{feff}")), malformed);
    assert_eq!(code(oauth1.clone().client("our-id", "geh\u{e9}im")), None, "RFC 5849 allows it");
    let spec = oauth1.dead_token("errors..code", "89");
    assert_eq!(code(spec.client("our-id", "x")), Some("member_malformed"));
    let github = GitHub::new("our-id", "secret\n");
    let login = Login::new(KeyRing::ephemeral(), SITE).with(github);
    let shown = login.check().unwrap_err().to_string();
    assert!(shown.contains("github") && !shown.contains("secret\n"), "{shown}");
}
