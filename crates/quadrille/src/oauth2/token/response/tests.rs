use serde_json::json;

use super::*;
use crate::oauth2::ErrorCode;

fn answer(status: u16, body: &str) -> Result<TokenResponse, TokenResponseError> {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    TokenResponse::parse(&response, ScopeSeparator::Space)
}

#[test]
fn lifetimes_are_read_in_every_form_that_services_give_them() {
    for (member, seconds) in [
        (r#""expires_in":3600"#, Some(3600)),
        (r#""expires_in":"3600""#, Some(3600)),
        (r#""expires_in":3599.97"#, Some(3599)),
        (r#""expires_in":"3600.0""#, Some(3600)),
        (r#""expires":5184000"#, Some(5_184_000)),
        (r#""expires_in":0"#, None),
        (r#""expires_in":-1"#, None),
        (r#""expires_in":null"#, None),
        (r#""expires_in":"soon""#, None),
        (r#""expires_in":"NaN""#, None),
        (r#""expires_in":1e300"#, None),
        (r#""expires_in":{}"#, None),
        (r#""expires_in":1e400"#, None),
        (r#""expires_in":"soon","expires":60"#, Some(60)),
        (r#""expires_in":null,"expires":60"#, Some(60)),
        (r#""expires_in":{},"expires":"60""#, Some(60)),
        (r#""expires_in":1e400,"expires":60"#, Some(60)),
        (r#""expires_in":0,"expires":60"#, Some(60)),
        (r#""expires_in":30,"expires":60"#, Some(30)),
        (r#""expires_in":30,"expires":"soon""#, Some(30)),
    ] {
        let tokens = answer(200, &format!(r#"{{"access_token":"a",{member}}}"#)).unwrap();
        assert_eq!(tokens.expires_in, seconds.map(Duration::from_secs), "{member}");
    }
}

#[test]
fn scopes_are_read_in_every_form_that_services_give_them() {
    let read = |member: &str, separator| {
        let body = format!(r#"{{"access_token":"a","scope":{member}}}"#);
        let tokens = TokenResponse::parse(&Response::new(Bytes::from(body)), separator).unwrap();
        tokens.scope.map(|scopes| scopes.as_str().to_owned())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read(r#""a b""#, ScopeSeparator::Space), some("a b"));
    assert_eq!(read(r#""a,b""#, ScopeSeparator::Space), some("a,b"));
    assert_eq!(read(r#""a,b, c""#, ScopeSeparator::Comma), some("a b c"));
    assert_eq!(read(r#"["a","b",7]"#, ScopeSeparator::Space), some("a b"));
    assert_eq!(read(r#""""#, ScopeSeparator::Comma), some(""));
    assert_eq!(read("null", ScopeSeparator::Comma), None);
}

#[test]
fn an_empty_scope_is_left_out_of_the_answer() {
    // RFC 6749, appendix A.4: a scope has at least one token.
    for (scope, written) in [
        (None, None),
        (Some(Scopes::EMPTY), None),
        (Some(Scopes::of(["a", "b"])), Some(json!("a b"))),
    ] {
        let mut tokens = TokenResponse::new("a");
        tokens.scope = scope;
        let answer: Value = serde_json::from_slice(tokens.to_response().body()).unwrap();
        assert_eq!(answer.get("scope"), written.as_ref(), "{answer}");
    }
}

#[test]
fn a_form_is_read_whatever_the_content_type_says() {
    let body = "access_token=gho_1&scope=repo%2Cgist&token_type=bearer&expires=10";
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert("content-type", "text/html".parse().unwrap());
    let tokens = TokenResponse::parse(&response, ScopeSeparator::Comma).unwrap();
    assert_eq!(tokens.access_token.expose(), "gho_1");
    assert_eq!(tokens.scope.unwrap().as_str(), "repo gist");
    assert_eq!(tokens.expires_in, Some(Duration::from_secs(10)));
}

#[test]
fn an_answer_without_a_token_says_what_it_is_instead() {
    use TokenResponseError as E;
    let refused = |status: u16, code: ErrorCode| E::Refused {
        status: StatusCode::from_u16(status).unwrap(),
        error: ErrorResponse::new(code),
    };
    let status = |status: u16| E::Status(StatusCode::from_u16(status).unwrap());
    for (code, body, error) in [
        (200, r#"{"error":"invalid_grant"}"#, refused(200, ErrorCode::InvalidGrant)),
        (200, "error=invalid_grant", refused(200, ErrorCode::InvalidGrant)),
        (400, r#"{"error":"invalid_grant"}"#, refused(400, ErrorCode::InvalidGrant)),
        (
            200,
            r#"{"error":"invalid_grant","access_token":"a"}"#,
            refused(200, ErrorCode::InvalidGrant),
        ),
        (
            200,
            r#"{"error":{"type":"invalid_grant"},"access_token":"a"}"#,
            refused(200, ErrorCode::InvalidGrant),
        ),
        (200, r#"{"error":190,"access_token":"a"}"#, refused(200, "190".into())),
        (200, r#"{"error":true,"access_token":"a"}"#, refused(200, "".into())),
        (200, r#"{"error":["x"],"access_token":"a"}"#, E::Unreadable),
        (200, r#"{"error":"\ud800","access_token":"a"}"#, refused(200, "\u{fffd}".into())),
        (200, r#"{"error":"x","error":"","access_token":"a"}"#, E::Unreadable),
        (200, "error=x&error=&access_token=a", E::Unreadable),
        (200, "error=100%&access_token=a", E::Unreadable),
        (200, r#"{"access_token":"a","access_token":"b"}"#, E::MissingAccessToken),
        (200, r#"{"access_token":"a","access_token":"a"}"#, E::MissingAccessToken),
        (200, "access_token=a&access_token=b", E::MissingAccessToken),
        (400, r#"{"access_token":"a"}"#, status(400)),
        (502, "<html>Bad gateway", status(502)),
        (429, "", status(429)),
        (200, "<html><a href='/?a=b&c=d'>", E::Unreadable),
        (200, "", E::Unreadable),
        (200, "[]", E::Unreadable),
        (200, "\u{feff}\u{0}", E::Unreadable),
        (200, "{}", E::MissingAccessToken),
        (200, r#"{"access_token":null}"#, E::MissingAccessToken),
        (200, r#"{"access_token":""}"#, E::MissingAccessToken),
        (200, r#"{"access_token":{}}"#, E::MissingAccessToken),
        (200, "access_token=", E::MissingAccessToken),
        (200, "{\"access_token\":\"a\\r\\nX: y\"}", E::MalformedAccessToken),
    ] {
        assert_eq!(answer(code, body), Err(error), "{code} {body}");
    }
}

#[test]
fn what_nobody_asks_for_spoils_no_answer() {
    let read = |body: &[u8]| {
        let response = Response::new(Bytes::copy_from_slice(body));
        TokenResponse::parse(&response, ScopeSeparator::Space)
    };
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    let deep = format!(r#"{{"access_token":"a","deep":{deep}}}"#);
    for body in [
        &b"\xef\xbb\xbf{\"access_token\":\"a\"}"[..],
        b"\xef\xbb\xbfaccess_token=a",
        b"{\"access_token\":\"a\",\"name\":\"Ren\xe9\"}",
        b"access_token=a&name=Ren\xe9",
        b"access_token=a&name=Ren%E9",
        b"access_token=a&rate=100%",
        b"{\"access_token\":\"a\",\"error\":\"\"}",
        b"{\"access_token\":\"a\",\"error\":null,\"error_description\":\"\"}",
        b"{\"access_token\":\"a\",\"error\":0}",
        b"{\"access_token\":\"a\",\"error\":false,\"name\":\"x\",\"name\":7}",
        b"access_token=a&name=x&name=y",
        b"access_token=a&error=",
        b"access_token=a&error=&error_description=",
        br#"{"access_token":"a","name":"\ud800"}"#,
        br#"{"\ud800":7,"access_token":"a","\udfff":8}"#,
        br#"{"access_token":"a","x":{"\ud800":["\udc00\ud800"]}}"#,
        br#"{"access_token":"a","name":"\u0000","far":[1e999]}"#,
        deep.as_bytes(),
    ] {
        let tokens = read(body).unwrap_or_else(|error| panic!("{error}: {body:?}"));
        assert_eq!(tokens.access_token.expose(), "a", "{}", body.escape_ascii());
    }
    for body in [
        &b"{\"access_token\":\"Ren\xe9\"}"[..],
        b"access_token=Ren\xe9",
        b"access_token=%EF%BB%BFa",
        br#"{"access_token":"a\ud800"}"#,
        br#"{"access_token":"\udc00\ud800"}"#,
    ] {
        let error = TokenResponseError::MalformedAccessToken;
        assert_eq!(read(body), Err(error), "{}", body.escape_ascii());
    }
    for body in [
        &b"\xef\xbb\xbf{\"error\":\"invalid_grant\",\"error_description\":\"g\xfcltig\"}"[..],
        b"\xef\xbb\xbferror=invalid_grant&error_description=g%FCltig",
    ] {
        let Err(TokenResponseError::Refused { error, .. }) = read(body) else { panic!() };
        assert_eq!(error.error, ErrorCode::InvalidGrant);
        let description = error.error_description.as_deref();
        assert!(matches!(description, Some("g\u{fffd}ltig") | None), "{description:?}");
    }
    for unread in [
        &b"{\"access_token\":\"a\",\"refresh_token\":\"Ren\xe9\"}"[..],
        br#"{"access_token":"a","refresh_token":"r\ud800"}"#,
    ] {
        let tokens = read(unread).unwrap();
        assert_eq!(tokens.refresh_token, None, "what cannot be read exactly cannot be sent");
    }
}

#[test]
fn how_a_token_is_used_is_told_by_its_type_alone() {
    let read = |member: &str| {
        answer(200, &format!(r#"{{"access_token":"a"{member}}}"#)).unwrap().token_type
    };
    for bearer in ["", "Bearer", "bearer", "BEARER", " bearer "] {
        let member = format!(r#","token_type":"{bearer}""#);
        assert_eq!(read(&member), TokenType::Bearer, "{bearer}");
    }
    assert_eq!(read(""), TokenType::Bearer);
    assert_eq!(read(r#","token_type":null"#), TokenType::Bearer);
    assert_eq!(read(r#","token_type":"DPoP""#), TokenType::Dpop);
    for other in [r#""mac""#, r#""none""#, r#""N_A""#, r#""bearer,mac""#, "7", "[]", "true"] {
        let read = read(&format!(r#","token_type":{other}"#));
        assert_eq!(read, TokenType::Other(other.trim_matches('"').into()));
    }
    let form = answer(200, "access_token=a&token_type=mac").unwrap();
    assert_eq!(form.token_type, TokenType::Other("mac".into()));
    for unreadable in [
        r#","token_type":"mac","token_type":"Bearer""#,
        r#","token_type":"Bearer","token\u005ftype":"Bearer""#,
        r#","token_type":1e999"#,
        r#","token_type":"\ud800""#,
    ] {
        assert!(matches!(read(unreadable), TokenType::Other(_)), "{unreadable}");
    }
    let form = answer(200, "access_token=a&token_type=mac&token_type=Bearer").unwrap();
    assert!(matches!(form.token_type, TokenType::Other(_)), "{form:?}");
    let form = answer(200, "access_token=a&token_type=%FF").unwrap();
    assert!(matches!(form.token_type, TokenType::Other(_)), "{form:?}");
}

#[test]
fn a_token_below_another_member_is_read_with_what_stands_beside_it() {
    let read = |path: &str, body: &str| {
        let response = Response::new(Bytes::from(body.to_owned()));
        let path = MemberPath::parse(path).unwrap();
        TokenResponse::parse_at(&response, ScopeSeparator::Comma, Some(&path))
    };
    let body = r#"{"ok":true,"access_token":"bot","token_type":"bot","expires_in":1,
            "authed_user":{"id":"U1","access_token":"person","scope":"a,b","expires_in":60,
            "refresh_token":"r","token_type":"user"}}"#;
    let tokens = read("authed_user.access_token", body).unwrap();
    assert_eq!(tokens.access_token.expose(), "person");
    assert_eq!(tokens.token_type, TokenType::Other("user".into()));
    assert_eq!(tokens.expires_in, Some(Duration::from_secs(60)));
    assert_eq!(tokens.refresh_token.unwrap().expose(), "r");
    assert_eq!(tokens.scope.unwrap().as_str(), "a b");
    assert_eq!(tokens.extra["id"], "U1");
    let body = r#"{"a":{"access_token":"x","token_type":"mac","token_type":"Bearer"}}"#;
    let tokens = read("a.access_token", body).unwrap();
    assert!(matches!(tokens.token_type, TokenType::Other(_)), "{tokens:?}");
    let renamed = read("token", r#"{"token":"t","access_token":"other"}"#).unwrap();
    assert_eq!(renamed.access_token.expose(), "t");
    for (body, error) in [
        (r#"{"access_token":"bot"}"#, TokenResponseError::MissingAccessToken),
        (r#"{"access_token":"bot","authed_user":{}}"#, TokenResponseError::MissingAccessToken),
        (
            r#"{"authed_user":{"access_token":"x"},"authed_user":{"access_token":"y"}}"#,
            TokenResponseError::MissingAccessToken,
        ),
        (
            r#"{"authed_user":{"access_token":"x","access_token":"y"}}"#,
            TokenResponseError::MissingAccessToken,
        ),
        (r#"{"access_token":"bot","authed_user":"x"}"#, TokenResponseError::MissingAccessToken),
        (
            r#"{"ok":false,"error":"invalid_code","authed_user":{"access_token":"x"}}"#,
            TokenResponseError::Refused {
                status: StatusCode::OK,
                error: ErrorResponse::new("invalid_code".into()),
            },
        ),
    ] {
        assert_eq!(read("authed_user.access_token", body), Err(error), "{body}");
    }
}

#[test]
fn members_that_are_not_known_are_kept_and_never_shown() {
    let tokens = answer(
        200,
        r#"{"access_token":"canary1","error":null,"id_token":"canary2","athlete":{"id":7}}"#,
    )
    .unwrap();
    assert_eq!(tokens.extra["athlete"]["id"], 7);
    assert_eq!(tokens.extra["id_token"], "canary2");
    assert!(!format!("{tokens:?}").contains("canary"));
    let written: Value = serde_json::from_slice(tokens.to_response().body()).unwrap();
    assert_eq!(written["athlete"], json!({"id": 7}));
    assert_eq!(written["id_token"], "canary2");
    assert_eq!(written.get("error"), Some(&Value::Null));
}
