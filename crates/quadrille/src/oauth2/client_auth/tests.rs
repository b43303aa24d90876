//! Credentials of clients in requests, as they come.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use super::{basic::basic, *};
use crate::{
    form::{FormError, FormWriter, Params},
    jose::{Algorithm, Claims, ClaimsError, Protected, SigningKey, TokenError},
};

fn present(
    authorization: &[&str],
    body: &str,
) -> Result<(String, Option<String>, AuthMethod), ClientAuthError> {
    let mut headers = HeaderMap::new();
    for value in authorization {
        headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    let params = Params::parse(body.as_bytes()).unwrap();
    PresentedClient::parse(&headers, &params).map(|client| {
        let secret = client.proof.secret().map(str::to_owned);
        (client.id.to_string(), secret, client.method())
    })
}

fn basic_of(pair: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

#[test]
fn what_common_clients_send_is_understood() {
    let ok = |id: &str, secret: &str, method| {
        Ok((id.to_owned(), (!secret.is_empty()).then(|| secret.to_owned()), method))
    };
    let basic = AuthMethod::ClientSecretBasic;
    // RFC 6749, section 2.3.1
    assert_eq!(
        present(&["Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"], ""),
        ok("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", basic)
    );
    // openid-client and oauth4webapi encode even `-` and `_`.
    assert_eq!(present(&[&basic_of("my%2Did:se%5Fcret%2D")], ""), ok("my-id", "se_cret-", basic));
    // requests-oauthlib encodes nothing, and repeats the id in the body.
    assert_eq!(
        present(&[&basic_of("my-id:100%!~secret")], "client_id=my-id"),
        ok("my-id", "100%!~secret", basic)
    );
    // Authlib sends the scheme in any case, other clients omit padding.
    assert_eq!(present(&["basic YTpi"], ""), ok("a", "b", basic));
    assert_eq!(present(&["BASIC  YWE6Yg"], ""), ok("aa", "b", basic));
    assert_eq!(present(&["Basic\tYTpi"], ""), ok("a", "b", basic));
    assert_eq!(present(&["basic \t YTpi"], ""), ok("a", "b", basic));
    assert_eq!(present(&[&basic_of("a:")], ""), ok("a", "", AuthMethod::None));
    assert_eq!(
        present(&[], "client_id=a&client_secret=b%2Bc"),
        ok("a", "b+c", AuthMethod::ClientSecretPost)
    );
    assert_eq!(present(&[], "client_id=a"), ok("a", "", AuthMethod::None));
}

#[test]
fn each_confusion_has_its_own_reason_and_code() {
    use ClientAuthError as E;
    let good = basic_of("a:b");
    let cases: [(&[&str], &str, E, &str); 13] = [
        (&[], "", E::Missing, "invalid_client"),
        (&[], "client_secret=x", E::SecretWithoutId, "invalid_request"),
        (&[&good], "client_id=a&client_secret=b", E::SeveralMethods, "invalid_request"),
        (&[&good], "client_secret=b", E::SeveralMethods, "invalid_request"),
        (&[&good, &good], "", E::SeveralMethods, "invalid_request"),
        (&[&good], "client_id=c", E::DifferentClients, "invalid_request"),
        (&["Bearer x"], "client_id=a", E::UnsupportedScheme, "invalid_client"),
        (&["Basic"], "", E::MalformedBasic, "invalid_client"),
        (&["Basic !!"], "", E::MalformedBasic, "invalid_client"),
        (&[&basic_of("nocolon")], "", E::MalformedBasic, "invalid_client"),
        (&[&basic_of(":b")], "", E::MalformedBasic, "invalid_client"),
        (&[&basic_of("a:%00")], "", E::MalformedBasic, "invalid_client"),
        (
            &[],
            "client_id=a&client_id=a",
            E::Form(FormError::Duplicate("client_id")),
            "invalid_request",
        ),
    ];
    for (headers, body, error, code) in cases {
        assert_eq!(present(headers, body), Err(error), "{headers:?} {body}");
        assert_eq!(error.code().as_str(), code, "{error:?}");
    }
}

fn assertion(algorithm: Algorithm, sub: Option<&str>) -> String {
    let key = match algorithm.is_symmetric() {
        true => SigningKey::hmac(algorithm, &"a secret of at least 32 bytes!!!!".into()),
        false => SigningKey::generate(algorithm),
    };
    let claims = Claims { sub: sub.map(ToOwned::to_owned), ..Claims::default() };
    key.unwrap().sign_claims(&Protected::plain(), &claims).unwrap()
}

fn asserted(text: &str, more: &str) -> String {
    let mut body = FormWriter::new();
    body.append("client_assertion", text);
    body.append("client_assertion_type", JWT_BEARER);
    format!("{}{more}", body.finish())
}

#[test]
fn an_assertion_names_its_client_and_is_the_only_proof() {
    use ClientAuthError as E;
    let signed = assertion(Algorithm::Es256, Some("web"));
    let web = |method| Ok(("web".to_owned(), None, method));
    assert_eq!(present(&[], &asserted(&signed, "")), web(AuthMethod::PrivateKeyJwt));
    let same = asserted(&signed, "&client_id=web");
    assert_eq!(present(&[], &same), web(AuthMethod::PrivateKeyJwt));
    let shared = assertion(Algorithm::Hs256, Some("web"));
    assert_eq!(present(&[], &asserted(&shared, "")), web(AuthMethod::ClientSecretJwt));

    let missing = E::AssertionClaims(ClaimsError::Missing("sub"));
    let nobody = assertion(Algorithm::Es256, None);
    let (none, basic) = ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ3ZWIifQ.", basic_of("web:b"));
    for (headers, body, error) in [
        (&[][..], asserted(&signed, "&client_id=other"), E::DifferentClients),
        (&[], asserted(&signed, "&client_id=web&client_secret=x"), E::SeveralMethods),
        (&[&*basic], asserted(&signed, ""), E::SeveralMethods),
        (&["Bearer x"], asserted(&signed, ""), E::SeveralMethods),
        (&[], asserted(&nobody, "&client_id=web"), missing),
        (&[], asserted(none, ""), E::MalformedAssertion(TokenError::Unsecured)),
        (&[], asserted("x", ""), E::MalformedAssertion(TokenError::NotCompact)),
        (&[], format!("client_id=web&client_assertion={signed}"), E::AssertionWithoutType),
        (&[], format!("client_assertion_type={JWT_BEARER}"), E::AssertionWithoutType),
        (
            &[],
            format!("client_assertion={signed}&client_assertion_type=urn:x"),
            E::UnsupportedAssertion,
        ),
        (
            &[],
            asserted(&signed, &format!("&client_assertion={signed}")),
            E::Form(FormError::Duplicate("client_assertion")),
        ),
    ] {
        assert_eq!(present(headers, &body), Err(error), "{headers:?} {body}");
    }
}

#[test]
fn a_secret_shows_neither_in_debug_output_nor_in_the_header_s() {
    let client = ClientAuth::Basic { client_id: "a".into(), client_secret: "canary".into() };
    assert!(!format!("{client:?}").contains("canary"));
    let params = Params::parse(b"client_id=a&client_secret=canary").unwrap();
    let client = PresentedClient::parse(&HeaderMap::new(), &params).unwrap();
    assert!(!format!("{client:?}").contains("canary"));
    assert_eq!(format!("{:?}", basic("a", "b").unwrap()), "Sensitive");
}
