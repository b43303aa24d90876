use super::*;

#[test]
fn a_form_may_be_as_long_as_it_likes() {
    let signer = Signer::hmac(SignatureMethod::HmacSha1, "k", &Secret::from("s")).unwrap();
    let form = format!("media_data={}{}", "A".repeat(1 << 20), "&x=1".repeat(500));
    let request = Request::post("https://api.example/upload")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .unwrap();
    assert!(signer.sign(&Env::system(), request, &[]).is_ok());
}

fn asked(headers: &[(&str, &[u8])]) -> Request<Bytes> {
    let mut request = Request::get("https://backend.internal:8443/a").body(Bytes::new()).unwrap();
    for (name, value) in headers {
        let name = name.parse::<header::HeaderName>().unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

#[test]
fn the_host_header_says_for_which_host_a_request_is_signed() {
    let secret = Secret::from("s");
    let signer = Signer::hmac(SignatureMethod::HmacSha1, "k", &secret).unwrap();
    let key = super::super::VerifyingKey::Shared { client_secret: &secret, token_secret: None };
    for (host, origin) in [
        (None, "https://backend.internal:8443"),
        (Some("api.example"), "https://api.example"),
        (Some("API.example:443"), "https://api.example"),
        (Some("api.example:80"), "https://api.example:80"),
    ] {
        let headers = host.map(|host| ("host", host.as_bytes()));
        let request = signer.sign(&Env::system(), asked(headers.as_slice()), &[]).unwrap();
        let (parts, body) = request.into_parts();
        let signed = super::super::SignedRequest::read(&parts, &body).unwrap().unwrap();
        assert!(signed.is_signed_by(origin, &key), "{host:?}");
    }
    for hosts in [
        &[("host", &b"a.example"[..]), ("host", b"b.example")][..],
        &[("host", b"")],
        &[("host", b"u@a.example")],
        &[("host", b"a.example/x")],
        &[("host", b"a.ex\xffample")],
    ] {
        let refused = signer.sign(&Env::system(), asked(hosts), &[]);
        assert_eq!(refused.unwrap_err(), SignError::Host, "{hosts:?}");
    }
}

#[test]
fn what_no_server_could_read_is_not_signed() {
    let secret = Secret::from("s");
    let signer = |client| Signer::hmac(SignatureMethod::HmacSha1, client, &secret).unwrap();
    let sign = |signer: &Signer, further: &[(&str, &str)]| {
        signer.sign(&Env::system(), asked(&[]), further).err()
    };
    let nul = Some(SignError::Parameters(RequestError::Nul));
    assert_eq!(sign(&signer("a\0"), &[]), nul);
    assert_eq!(sign(&signer("a").token("\0", &secret), &[]), nul);
    assert_eq!(sign(&signer("a"), &[("oauth_verifier", "\0")]), nul);
    for name in ["oauth_nonce", "oauth_consumer_key", "oauth_signature", "oauth_body_hash"] {
        assert_eq!(sign(&signer("a"), &[(name, "x")]), Some(SignError::SignedAlready), "{name}");
    }
    let twice = [("oauth_callback", "x"), ("oauth_callback", "y")];
    assert_eq!(sign(&signer("a"), &twice), Some(SignError::SignedAlready));
    for realm in ["\u{dc}n\u{ef}code", "a\nb", "\u{7f}"] {
        let signer = signer("a").realm(realm);
        assert_eq!(sign(&signer, &[]), Some(SignError::Realm), "{realm:?}");
        let in_query = signer.placement(Placement::Query);
        assert_eq!(sign(&in_query, &[]), None, "there is no realm in a query");
    }
}

#[test]
fn a_body_that_can_be_read_in_several_ways_is_not_signed() {
    let signer = Signer::hmac(SignatureMethod::HmacSha1, "k", &Secret::from("s")).unwrap();
    let sign = |types: &[&str], placement| {
        let mut request = Request::post("https://a.example/").body(Bytes::from("a=b")).unwrap();
        for value in types {
            request.headers_mut().append(header::CONTENT_TYPE, value.parse().unwrap());
        }
        signer.clone().placement(placement).sign(&Env::system(), request, &[]).err()
    };
    for types in [&["application/x-www-form-urlencodedx"][..], &[FORM, FORM]] {
        assert_eq!(sign(types, Placement::Header), Some(SignError::BodyAmbiguous));
    }
    assert_eq!(sign(&[], Placement::Body), Some(SignError::NoForm));
    assert_eq!(sign(&["text/plain"], Placement::Body), Some(SignError::NoForm));
    assert_eq!(sign(&[FORM], Placement::Body), None);
}

#[test]
fn bytes_of_a_form_are_sent_as_they_were_signed() {
    let signer = Signer::hmac(SignatureMethod::HmacSha1, "k", &Secret::from("s")).unwrap();
    let request = Request::post("https://a.example/").header(header::CONTENT_TYPE, FORM);
    let request = request.body(Bytes::from_static(b"A\xff=%00")).unwrap();
    let signer = signer.placement(Placement::Body);
    let signed = signer.sign(&Env::system(), request, &[]).unwrap();
    assert!(signed.body().starts_with(b"A\xff=%00&oauth_consumer_key=k&"));
}
