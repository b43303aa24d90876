use bytes::Bytes;
use http::Request;

use super::*;

fn parts(request: Request<Bytes>) -> (Parts, Bytes) {
    request.into_parts()
}

/// RFC 5849, sections 3.1 and 3.4.1.1, with the errata (the nonce is `7d8f3e4a`).
#[test]
fn the_base_string_of_the_rfc() {
    let request = Request::post("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b")
        .header("content-type", "application/x-www-form-urlencoded")
        .header(
            "authorization",
            r#"OAuth realm="Example",
                    oauth_consumer_key="9djdj82h48djs9d2",
                    oauth_token="kkk9d7dh3k39sjv7",
                    oauth_signature_method="HMAC-SHA1",
                    oauth_timestamp="137131201",
                    oauth_nonce="7d8f3e4a",
                    oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D""#
                .replace('\n', ""),
        )
        .body(Bytes::from("c2&a3=2+q"))
        .unwrap();
    let (parts, body) = parts(request);
    let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
    assert_eq!(
        signed.base_string("http://EXAMPLE.COM:80"),
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    );
    assert_eq!(signed.realm(), Some("Example"));
}

#[test]
fn a_key_that_was_made_ready_verifies_its_own_method_and_no_other() {
    let secret = Secret::from("secret");
    let sign = |method| {
        let signer = super::super::Signer::hmac(method, "client", &secret).unwrap();
        let request = Request::get("https://api.example/").body(Bytes::new()).unwrap();
        parts(signer.sign(&crate::Env::system(), request, &[]).unwrap())
    };
    let key = HmacVerifyingKey::new(SignatureMethod::HmacSha256, &secret, None).unwrap();
    for method in [SignatureMethod::HmacSha256, SignatureMethod::HmacSha512] {
        let (parts, body) = sign(method);
        let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
        let is_right = signed.is_signed_by("https://api.example", &VerifyingKey::Hmac(&key));
        assert_eq!(is_right, method == SignatureMethod::HmacSha256);
    }
    assert!(!format!("{key:?}").contains("secret"));
}

#[test]
fn what_is_not_signed_is_left_to_others() {
    for request in [
        Request::get("/authorize?oauth_token=abc").body(Bytes::new()),
        Request::get("/").header("authorization", "Bearer abc").body(Bytes::new()),
        Request::get("/?a=oauth_").body(Bytes::new()),
        Request::get("/?oauth_consumer_key=k")
            .header("authorization", "Basic YTpi")
            .body(Bytes::new()),
    ] {
        let (parts, body) = parts(request.unwrap());
        assert!(SignedRequest::read(&parts, &body).unwrap().is_none(), "{}", parts.uri);
    }
}

#[test]
fn a_request_that_claims_nothing_is_not_judged() {
    let long = "x=1&".repeat(2000);
    for (target, content_type, body) in [
        ("/?q=100%", "text/plain", &b""[..]),
        ("/?q=caf%E9&%zz=%00", "text/plain", b""),
        ("/?oauth_token=%ff&oauth_verifier=%", "text/plain", b""),
        ("/", "application/x-www-form-urlencoded", long.as_bytes()),
        ("/", "application/x-www-form-urlencoded", b"q=100%&a=%ff&\xff=\0&oauth_x"),
        ("/", "application/x-www-form-urlencodedx", b"to=mallory"),
    ] {
        let request = Request::post(target).header("content-type", content_type);
        let (parts, body) = parts(request.body(Bytes::copy_from_slice(body)).unwrap());
        assert!(SignedRequest::read(&parts, &body).unwrap().is_none(), "{target}");
    }
}

#[test]
fn whatever_claims_a_signature_is_judged_however_it_is_written() {
    let read = |target: &str, headers: &[(&str, &str)]| {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, body) = parts(request.body(Bytes::new()).unwrap());
        SignedRequest::read(&parts, &body).err()
    };
    let several = Some(RequestError::SeveralPlaces);
    let missing = Some(RequestError::Missing("oauth_consumer_key"));
    assert_eq!(read("/", &[("authorization", "OAuth\trealm=x")]), missing);
    assert_eq!(read("/", &[("authorization", "oauth")]), missing);
    assert_eq!(read("/?oauth%5Fsignature=x", &[]), missing);
    for (first, second) in [("OAuth", "Bearer x"), ("Basic x", "OAuth\t"), ("OAuth", "OAuth")] {
        let headers = [("authorization", first), ("authorization", second)];
        assert_eq!(read("/", &headers), several, "{first} {second}");
    }
    assert_eq!(read("/", &[("authorization", "Basic x"), ("authorization", "OAuthx")]), None);
}

#[test]
fn a_callback_and_a_verifier_may_stand_apart_from_a_signed_header_and_nothing_else() {
    let secret = Secret::from("s");
    let signed = r#"OAuth oauth_consumer_key="c", oauth_signature_method="PLAINTEXT",
            oauth_signature="s%26""#;
    let read = |target: &str, more: &str, form: &'static str| {
        let request = Request::post(format!("http://a.example{target}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", signed.replace('\n', "") + more);
        let (parts, body) = parts(request.body(Bytes::from(form)).unwrap());
        SignedRequest::read(&parts, &body).map(|signed| {
            let signed = signed.unwrap();
            let key = VerifyingKey::Shared { client_secret: &secret, token_secret: None };
            assert!(signed.is_signed_by("http://a.example", &key));
            let named =
                |name: &[u8]| signed.covered().filter(|(known, _)| **known == *name).count();
            assert!(named(b"oauth_callback") <= 1 && named(b"oauth_verifier") <= 1, "once");
            [signed.callback(), signed.verifier()].map(|value| value.map(str::to_owned))
        })
    };
    let ok = |callback: Option<&str>, verifier: Option<&str>| {
        Ok([callback, verifier].map(|value| value.map(str::to_owned)))
    };
    assert_eq!(read("/?oauth_callback=oob", "", ""), ok(Some("oob"), None));
    assert_eq!(read("/", "", "oauth_verifier=v+w"), ok(None, Some("v w")));
    assert_eq!(read("/?oauth_callback=a", "", "oauth_verifier=v"), ok(Some("a"), Some("v")));
    let twice = Err(RequestError::Duplicate("oauth_verifier"));
    assert_eq!(read("/?oauth_verifier=v", "", "oauth_verifier=v"), twice);
    assert_eq!(read("/", ", oauth_verifier=v", "oauth_verifier=v"), twice);
    for name in ["oauth_token", "oauth_nonce", "oauth_body_hash", "oauth_x", "oauth_signature"] {
        let several = Err(RequestError::SeveralPlaces);
        assert_eq!(read(&format!("/?oauth_callback=oob&{name}=x"), "", ""), several, "{name}");
    }
}

#[test]
fn an_empty_hash_is_wrong() {
    let protocol = "oauth_consumer_key=c&oauth_signature_method=PLAINTEXT&oauth_signature=s";
    let header = format!("OAuth {}", protocol.replace('&', ", "));
    for (query, header) in [
        (String::new(), format!("{header}, oauth_body_hash=\"\"")),
        (String::new(), format!("{header}, oauth_body%5Fhash=")),
        (format!("?{protocol}&oauth_body_hash"), String::new()),
        (format!("?{protocol}&oauth_body_hash="), String::new()),
    ] {
        for body in ["{}", ""] {
            let mut request = Request::post(format!("http://a.example/{query}"))
                .header("content-type", "application/json");
            if !header.is_empty() {
                request = request.header("authorization", &header);
            }
            let (parts, body) = parts(request.body(Bytes::from(body)).unwrap());
            assert!(SignedRequest::needs_the_body(&parts.headers, &parts.uri));
            let signed = SignedRequest::read(&parts, &body).unwrap().unwrap();
            assert!(signed.depends_on_the_body());
            assert_eq!(signed.check_body(&body), Err(RequestError::BodyHashWrong));
        }
    }
}

#[test]
fn the_body_is_needed_where_a_signature_covers_it_or_may() {
    let form = "application/x-www-form-urlencoded";
    let needs = |target: &str, headers: &[(&str, &str)]| {
        let mut request = Request::post(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, _) = parts(request.body(Bytes::new()).unwrap());
        SignedRequest::needs_the_body(&parts.headers, &parts.uri)
    };
    let json = ("content-type", "application/json");
    for (needed, target, headers) in [
        (true, "/", vec![("content-type", form)]),
        (true, "/", vec![("content-type", "application/x-www-form-urlencodedx")]),
        (false, "/", vec![("content-type", form), ("authorization", "Bearer x")]),
        (false, "/", vec![]),
        (false, "/", vec![json]),
        (true, "/", vec![("authorization", "OAuth")]),
        (false, "/", vec![("authorization", "OAuth"), json]),
        (true, "/", vec![("authorization", "OAuth oauth_body_hash=x"), json]),
        (true, "/", vec![("authorization", "OAuth\toauth_body%5Fhash=x"), json]),
        (false, "/", vec![("authorization", "OAuth x=\"oauth_body_hash\""), json]),
        (true, "/?oauth_signature=x", vec![]),
        (false, "/?oauth_signature=x", vec![json]),
        (true, "/?%6fauth_signature=x&oauth_body%5fhash=y", vec![json]),
        (false, "/?oauth_body_hash=y", vec![json]),
    ] {
        assert_eq!(needs(target, &headers), needed, "{target} {headers:?}");
    }
}
