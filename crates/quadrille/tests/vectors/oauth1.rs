//! OAuth 1.0a: the examples of RFC 5849, of what came before it, and of what goes beyond it.

use bytes::Bytes;
use http::{
    Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
    request::Parts,
};
use quadrille::{
    Env, Secret,
    oauth1::{
        Callback, Credentials, KeyError, Placement, RequestError, RsaSigningKey, RsaVerifyingKey,
        SignatureMethod, SignedRequest, Signer, VerifyingKey, authorization_url, percent_encode,
    },
};
use serde_json::Value;

use super::{load, text};

const RFC5849: &str = include_str!("rfc5849.json");
const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn texts_are_encoded_as_section_3_6_says() {
    for case in load(RFC5849, "encoding") {
        assert_eq!(percent_encode(text(&case, "plain").unwrap()), text(&case, "encoded").unwrap());
    }
}

/// The base string of a request with these protocol parameters in its header.
fn base_string(origin: &str, target: &str) -> String {
    let header =
        r#"OAuth oauth_consumer_key="k",oauth_signature_method="PLAINTEXT",oauth_signature="s""#;
    let request = Request::get(target).header(AUTHORIZATION, header).body(()).unwrap();
    let (parts, ()) = request.into_parts();
    SignedRequest::read(&parts, b"").unwrap().unwrap().base_string(origin)
}

#[test]
fn the_base_uri_is_that_of_section_3_4_1_2() {
    for case in load(RFC5849, "uris") {
        let base = base_string(text(&case, "origin").unwrap(), text(&case, "target").unwrap());
        let uri = percent_encode(text(&case, "base").unwrap());
        assert_eq!(base.split('&').nth(1), Some(&*uri), "{case}");
    }
}

#[test]
fn parameters_are_sorted_and_encoded_as_section_3_4_1_3_2_says() {
    for case in load(RFC5849, "normalised") {
        let target = format!("/?{}", text(&case, "query").unwrap());
        let base = base_string("http://example.com", &target);
        // All the names of the cases sort before those of the protocol, but for one.
        let mut expected: Vec<_> = text(&case, "normalised").unwrap().split('&').collect();
        expected.extend(["oauth_consumer_key=k", "oauth_signature_method=PLAINTEXT"]);
        expected.sort_by_key(|pair| pair.split_once('='));
        let expected = percent_encode(&expected.join("&"));
        assert_eq!(base.split('&').nth(2), Some(&*expected), "{case}");
    }
}

/// A case as the request that it is of, in one of the three places.
fn request(case: &Value, placement: Placement) -> (Parts, Bytes) {
    let url: http::Uri = text(case, "url").unwrap().parse().unwrap();
    let form = text(case, "form");
    let mut parameters: Vec<_> = case["parameters"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    parameters.push(("oauth_signature", text(case, "signature").unwrap()));
    let joined = |separator: &str, quote: &str| {
        let pairs = parameters.iter();
        let pairs =
            pairs.map(|(name, value)| format!("{name}={quote}{}{quote}", percent_encode(value)));
        pairs.collect::<Vec<_>>().join(separator)
    };
    let mut target = url.path_and_query().unwrap().as_str().to_owned();
    let mut body = form.unwrap_or("").to_owned();
    let mut request = Request::builder().method(text(case, "method").unwrap());
    match placement {
        Placement::Header => {
            let header =
                format!("OAuth realm=\"Photos\", {}", joined(",\n    ", "\"").replace('\n', ""));
            request = request.header(AUTHORIZATION, header);
        }
        Placement::Query => {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&joined("&", ""));
        }
        Placement::Body => {
            body = [&*body, &joined("&", "")]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("&");
        }
    }
    if form.is_some() || placement == Placement::Body {
        request = request.header(CONTENT_TYPE, FORM);
    }
    let (parts, ()) = request.uri(target).body(()).unwrap().into_parts();
    (parts, body.into())
}

fn origin(case: &Value) -> String {
    let url: http::Uri = text(case, "url").unwrap().parse().unwrap();
    format!("{}://{}", url.scheme_str().unwrap(), url.authority().unwrap())
}

const EVERYWHERE: [Placement; 3] = [Placement::Header, Placement::Query, Placement::Body];

#[test]
fn hmac_signatures_are_those_of_the_specifications_in_every_place() {
    for case in load(RFC5849, "hmac") {
        let client = Secret::from(text(&case, "client_secret").unwrap());
        let token = Secret::from(text(&case, "token_secret").unwrap());
        let key = VerifyingKey::Shared { client_secret: &client, token_secret: Some(&token) };
        for placement in EVERYWHERE {
            let (parts, body) = request(&case, placement);
            let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
            assert_eq!(signed.placement(), placement);
            assert_eq!(signed.base_string(&origin(&case)), text(&case, "base_string").unwrap());
            assert!(signed.is_signed_by(&origin(&case), &key), "{case}");
            let wrong =
                VerifyingKey::Shared { client_secret: &client, token_secret: Some(&client) };
            assert!(!signed.is_signed_by(&origin(&case), &wrong));
            assert!(!signed.is_signed_by("http://elsewhere.example", &key));
        }
    }
}

fn public_keys(name: &str) -> Vec<String> {
    let keys: Value = serde_json::from_str(RFC5849).unwrap();
    let keys = keys["keys"][name]["public"].as_array().unwrap().clone();
    keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect()
}

fn private_keys() -> [RsaSigningKey; 2] {
    let keys: Value = serde_json::from_str(RFC5849).unwrap();
    ["pkcs8", "pkcs1"]
        .map(|form| RsaSigningKey::from_pem(keys["keys"]["2048"][form].as_str().unwrap()).unwrap())
}

#[test]
fn rsa_signatures_are_verified_by_every_form_of_the_key() {
    for case in load(RFC5849, "rsa") {
        for pem in public_keys(text(&case, "key").unwrap()) {
            let key = match RsaVerifyingKey::from_pem(&pem) {
                Err(KeyError::Length { bits: 1024 }) => {
                    RsaVerifyingKey::from_pem_of_1024_bits_and_up_as_old_installations_have_them(
                        &pem,
                    )
                }
                other => other,
            };
            let key = key.unwrap();
            assert_eq!(
                RsaVerifyingKey::from_pem_of_1024_bits_and_up_as_old_installations_have_them(
                    &key.to_pem()
                ),
                Ok(key.clone())
            );
            for placement in EVERYWHERE {
                let (parts, body) = request(&case, placement);
                let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
                assert_eq!(signed.base_string(&origin(&case)), text(&case, "base_string").unwrap());
                assert!(signed.is_signed_by(&origin(&case), &VerifyingKey::Rsa(&key)), "{case}");
                assert!(!signed.is_signed_by("http://elsewhere.example", &VerifyingKey::Rsa(&key)));
                let secret = Secret::from(pem.as_str());
                let shared = VerifyingKey::Shared { client_secret: &secret, token_secret: None };
                assert!(
                    !signed.is_signed_by(&origin(&case), &shared),
                    "the public key is no secret"
                );
            }
        }
    }
}

#[test]
fn requests_signed_by_a_private_key_verify_by_its_public_one() {
    let public = RsaVerifyingKey::from_pem(&public_keys("2048")[0]).unwrap();
    let mut methods = vec![SignatureMethod::RsaSha256, SignatureMethod::RsaSha512];
    if cfg!(feature = "rsa-sha1") {
        methods.push(SignatureMethod::RsaSha1);
    } else {
        let refused = Signer::rsa(SignatureMethod::RsaSha1, "key", &private_keys()[0]);
        assert_eq!(refused.unwrap_err(), KeyError::Sha1NotBuilt);
    }
    for key in private_keys() {
        for method in methods.clone() {
            let signer =
                Signer::rsa(method, "key", &key).unwrap().token("token", &Secret::from("x"));
            let request = Request::get("https://api.example/a?b=c").body(Bytes::new()).unwrap();
            let request = signer.sign(&Env::system(), request, &[]).unwrap();
            let (parts, body) = request.into_parts();
            let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
            assert_eq!((signed.method(), signed.token()), (method, Some("token")));
            assert!(signed.is_signed_by("https://api.example", &VerifyingKey::Rsa(&public)));
            assert!(!signed.is_signed_by("http://api.example", &VerifyingKey::Rsa(&public)));
        }
    }
}

#[test]
fn a_text_that_is_no_key_says_why() {
    let keys: Value = serde_json::from_str(RFC5849).unwrap();
    let private = keys["keys"]["2048"]["pkcs8"].as_str().unwrap();
    let public = &public_keys("2048")[0];
    for (pem, error) in [
        ("", KeyError::NotPem),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n", KeyError::NotPem),
        ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----", KeyError::NotPem),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", KeyError::OtherKind),
        (
            "-----BEGIN CERTIFICATE-----\nMIIBpjCCAQ+g\n-----END CERTIFICATE-----",
            KeyError::OtherKind,
        ),
        (private, KeyError::OtherKind),
    ] {
        assert_eq!(RsaVerifyingKey::from_pem(pem), Err(error), "{pem}");
    }
    assert_eq!(RsaSigningKey::from_pem(public).unwrap_err(), KeyError::OtherKind);
    let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X\n\nAAAA\n-----END RSA PRIVATE KEY-----";
    assert_eq!(RsaSigningKey::from_pem(encrypted).unwrap_err(), KeyError::Encrypted);
    assert_eq!(
        RsaVerifyingKey::from_pem(&public_keys("wiki")[0]),
        Err(KeyError::Length { bits: 1024 })
    );
    // As it comes out of an environment variable.
    assert!(RsaSigningKey::from_pem(&private.replace('\n', "\\n")).is_ok());
    assert!(!format!("{:?}", private_keys()).contains("MII"));
}

#[test]
fn plaintext_is_the_secrets_encoded() {
    for case in load(RFC5849, "plaintext") {
        let client = Secret::from(text(&case, "client_secret").unwrap());
        let token = Secret::from(text(&case, "token_secret").unwrap());
        let signer =
            Signer::hmac(SignatureMethod::Plaintext, "k", &client).unwrap().token("t", &token);
        let request = Request::get("https://api.example/").body(Bytes::new()).unwrap();
        let (parts, body) = signer.sign(&Env::system(), request, &[]).unwrap().into_parts();
        let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
        assert_eq!(signed.signature(), text(&case, "signature").unwrap());
        let key = VerifyingKey::Shared { client_secret: &client, token_secret: Some(&token) };
        assert!(signed.is_signed_by("https://api.example", &key));
    }
}

#[test]
fn bodies_have_the_hashes_of_the_draft() {
    for case in load(RFC5849, "body_hash") {
        let header = format!(
            r#"OAuth oauth_consumer_key="k", oauth_signature_method="{}", oauth_signature="AA%3D%3D", oauth_timestamp="1", oauth_nonce="n", oauth_body_hash="{}""#,
            text(&case, "method").unwrap(),
            percent_encode(text(&case, "hash").unwrap()),
        );
        let request = Request::put("/").header(AUTHORIZATION, header).body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let signed = SignedRequest::read(&parts, b"").unwrap().unwrap();
        assert_eq!(signed.check_body(text(&case, "body").unwrap().as_bytes()), Ok(()), "{case}");
        assert_eq!(signed.check_body(b"Hello World?"), Err(RequestError::BodyHashWrong));
    }
}

/// RFC 5849, sections 2.1 to 2.3: a dance in plain text, as it is printed there.
#[test]
fn the_messages_of_section_2_are_read_as_they_are_printed() {
    let client = Secret::from("ja893SD9");
    let read = |path: &str, header: &str| {
        let request = Request::post(path).header(AUTHORIZATION, header).body(()).unwrap();
        request.into_parts().0
    };
    let parts = read(
        "/request_temp_credentials",
        r#"OAuth realm="Example", oauth_consumer_key="jd83jd92dhsh93js", oauth_signature_method="PLAINTEXT", oauth_callback="http%3A%2F%2Fclient.example.net%2Fcb%3Fx%3D1", oauth_signature="ja893SD9%26""#,
    );
    let asked = SignedRequest::read(&parts, b"").unwrap().unwrap();
    let key = VerifyingKey::Shared { client_secret: &client, token_secret: None };
    assert!(asked.is_signed_by("https://server.example.com", &key));
    assert_eq!(asked.client(), "jd83jd92dhsh93js");
    assert_eq!((asked.timestamp(), asked.nonce()), (None, None));
    let callback = asked.callback().unwrap();
    assert_eq!(callback, "http://client.example.net/cb?x=1");

    let body =
        "oauth_token=hdk48Djdsa&oauth_token_secret=xyz4992k83j47x0b&oauth_callback_confirmed=true";
    let given = Credentials::temporary("hdk48Djdsa", Secret::from("xyz4992k83j47x0b"));
    assert_eq!(given.to_response().body(), body);
    assert_eq!(Credentials::parse(&Response::new(body.into())), Ok(given));

    assert_eq!(
        authorization_url("https://server.example.com/authorize_access", "hdk48Djdsa"),
        "https://server.example.com/authorize_access?oauth_token=hdk48Djdsa"
    );
    let approved = Callback::Approved { token: "hdk48Djdsa".into(), verifier: "473f82d3".into() };
    assert_eq!(
        approved.to_url(callback),
        "http://client.example.net/cb?x=1&oauth_token=hdk48Djdsa&oauth_verifier=473f82d3"
    );

    let parts = read(
        "/request_token",
        r#"OAuth realm="Example", oauth_consumer_key="jd83jd92dhsh93js", oauth_token="hdk48Djdsa", oauth_signature_method="PLAINTEXT", oauth_verifier="473f82d3", oauth_signature="ja893SD9%26xyz4992k83j47x0b""#,
    );
    let redeemed = SignedRequest::read(&parts, b"").unwrap().unwrap();
    let secret = Secret::from("xyz4992k83j47x0b");
    let key = VerifyingKey::Shared { client_secret: &client, token_secret: Some(&secret) };
    assert!(redeemed.is_signed_by("https://server.example.com", &key));
    assert_eq!((redeemed.token(), redeemed.verifier()), (Some("hdk48Djdsa"), Some("473f82d3")));

    let body = "oauth_token=j49ddk933skd9dks&oauth_token_secret=ll399dj47dskfjdk";
    let given = Credentials::token("j49ddk933skd9dks", Secret::from("ll399dj47dskfjdk"));
    assert_eq!(given.to_response().body(), body);
}

/// RFC 5849, section 3.5: one set of parameters in its three places.
#[test]
fn the_placements_of_section_3_5_are_read_as_they_are_printed() {
    let header = r#"OAuth realm="Example",oauth_consumer_key="0685bd9184jfhq22",oauth_token="ad180jjd733klru7",oauth_signature_method="HMAC-SHA1",oauth_signature="wOJIO9A2W5mFwDgiDvZbTSMK%2FPY%3D",oauth_timestamp="137131200",oauth_nonce="4572616e48616d6d65724c61686176",oauth_version="1.0""#;
    let pairs = "oauth_consumer_key=0685bd9184jfhq22&oauth_token=ad180jjd733klru7&oauth_signature_method=HMAC-SHA1&oauth_signature=wOJIO9A2W5mFwDgiDvZbTSMK%2FPY%3D&oauth_timestamp=137131200&oauth_nonce=4572616e48616d6d65724c61686176&oauth_version=1.0";
    let in_header = Request::get("/example/path").header(AUTHORIZATION, header).body("");
    let in_query = Request::get(format!("/example/path?{pairs}")).body("");
    let in_body = Request::post("/example/path").header(CONTENT_TYPE, FORM).body(pairs);
    for (request, placement, realm) in [
        (in_header, Placement::Header, Some("Example")),
        (in_query, Placement::Query, None),
        (in_body, Placement::Body, None),
    ] {
        let (parts, body) = request.unwrap().into_parts();
        let signed = SignedRequest::read(&parts, body.as_bytes()).unwrap().unwrap();
        assert_eq!((signed.placement(), signed.realm()), (placement, realm));
        assert_eq!(
            (signed.client(), signed.token()),
            ("0685bd9184jfhq22", Some("ad180jjd733klru7"))
        );
        assert_eq!(signed.method(), SignatureMethod::HmacSha1);
        assert_eq!(signed.signature(), "wOJIO9A2W5mFwDgiDvZbTSMK/PY=");
        assert_eq!(signed.nonce(), Some("4572616e48616d6d65724c61686176"));
        assert_eq!(signed.timestamp().map(quadrille::Timestamp::seconds), Some(137_131_200));
    }
}
