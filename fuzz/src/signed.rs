//! Single signed requests: their parser, and the content that a signature covers.

use arbitrary::{Arbitrary, Unstructured};
use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Request, Uri, header, request::Parts};
use quadrille::{
    Secret,
    oauth1::{Placement, SignatureMethod, SignedRequest, Signer, VerifyingKey},
};

use crate::{book, nature::Nature};

const FORM: &str = "application/x-www-form-urlencoded";
const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
const ORIGINS: [&str; 6] = [
    "https://api.example",
    "https://API.Example:443",
    "http://api.example:80",
    "http://api.example:8080",
    "https://api.example:80",
    "http://[::1]:3000",
];
const CLIENT: &str = "key";
const CLIENT_SECRET: &str = "a secret&%";
const TOKEN: &str = "token";
const TOKEN_SECRET: &str = "another+secret";

#[derive(Arbitrary, Clone, Debug)]
struct Asked<'a> {
    method: u8,
    origin: u8,
    path: &'a str,
    query: &'a [u8],
    /// The body is a form.
    is_form: bool,
    body: &'a [u8],
    placement: u8,
    kind: u8,
    has_token: bool,
    further: Option<&'a str>,
}

/// The parts of most queries and forms.
const WORDS: [&str; 24] = [
    "a",
    "b",
    "=",
    "&",
    "+",
    "%20",
    "%26",
    "%3D",
    "%2B",
    "%25",
    "%41",
    "%7e",
    "%C3%A9",
    "%ff",
    "%",
    "%4",
    "oauth_token",
    "oauth%5Fx",
    "realm",
    "oauth_signature",
    "scope",
    "~",
    "*",
    "\u{e9}",
];

fn words(bytes: &[u8]) -> Vec<u8> {
    let word = |byte: &u8| match WORDS.get(usize::from(*byte) / 2) {
        Some(word) => word.as_bytes().to_vec(),
        None => vec![*byte],
    };
    bytes.iter().flat_map(word).collect()
}

impl Asked<'_> {
    fn request(&self, origin: &str) -> Option<Request<Bytes>> {
        let path: String = self.path.chars().filter(char::is_ascii_graphic).collect();
        let path = path.replace(['?', '#'], "");
        let query: Vec<u8> =
            words(self.query).into_iter().filter(|byte| *byte > 0x20 && *byte != b'#').collect();
        let query = String::from_utf8(query).ok()?;
        let mut url = format!("{origin}/{path}");
        if !query.is_empty() {
            url = format!("{url}?{query}");
        }
        let method = METHODS[usize::from(self.method) % METHODS.len()].clone();
        let mut request = Request::builder().method(method).uri(url.parse::<Uri>().ok()?);
        if self.is_form {
            request = request.header(header::CONTENT_TYPE, FORM);
        } else if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(words(self.body).into()).ok()
    }
}

/// The target `base_strings`: the library's reader agrees with the specification.
pub fn base_strings(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(asked) = Asked::arbitrary(&mut input) else { return };
    let Ok(header) = <&[u8]>::arbitrary(&mut input) else { return };
    crate::tell(&asked);
    let origin = ORIGINS[usize::from(asked.origin) % ORIGINS.len()];
    let Some(request) = asked.request(origin) else { return };
    let (mut parts, body) = request.into_parts();
    let with = |signature: &str, header: &[u8]| -> Option<http::HeaderValue> {
        let mut value = b"OAuth oauth_consumer_key=\"key\",oauth_signature_method=\"HMAC-SHA1\",oauth_timestamp=\"137131200\",oauth_nonce=\"x\",oauth_signature=\"".to_vec();
        value.extend_from_slice(book::encode(signature.as_bytes()).as_bytes());
        value.push(b'"');
        value.extend_from_slice(header);
        http::HeaderValue::from_bytes(&value).ok()
    };
    // The input continues the header.
    let Some(value) = with("none", header) else { return };
    parts.headers.insert(header::AUTHORIZATION, value);
    let by_the_book = book::base_string(&parts.method, origin, &parts.uri, &parts.headers, &body);
    let read = SignedRequest::read(&parts, &body);
    let (Some(base), Ok(Some(signed))) = (&by_the_book, &read) else {
        // A request without a base string is rejected, unless the header has the form that clients
        // write.
        let is_plain = header.is_empty();
        assert!(by_the_book.is_some() || !is_plain || !matches!(read, Ok(Some(_))), "{parts:?}");
        return;
    };
    assert_eq!(signed.base_string(origin), *base);
    let key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        format!("{}&", book::encode(CLIENT_SECRET.as_bytes())).as_bytes(),
    );
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, base.as_bytes()));
    parts.headers.insert(header::AUTHORIZATION, with(&signature, header).expect("a header"));
    let signed = SignedRequest::read(&parts, &body).expect("read before").expect("signed");
    let secret = Secret::from(CLIENT_SECRET);
    let key = VerifyingKey::Shared { client_secret: &secret, token_secret: None };
    assert!(signed.is_signed_by(origin, &key));
}

/// The target `signatures`: a signed request verifies, and no other does.
pub fn signatures(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(asked) = Asked::arbitrary(&mut input) else { return };
    let Ok((place, at, other)) = <(u8, u16, u8)>::arbitrary(&mut input) else { return };
    crate::tell(&asked);
    let origin = ORIGINS[usize::from(asked.origin) % ORIGINS.len()];
    let Some(request) = asked.request(origin) else { return };
    let before = request.clone();
    let (secret, token_secret) = (Secret::from(CLIENT_SECRET), Secret::from(TOKEN_SECRET));
    let methods =
        [SignatureMethod::HmacSha1, SignatureMethod::HmacSha256, SignatureMethod::HmacSha512];
    let method = methods[usize::from(asked.kind) % methods.len()];
    let mut signer = Signer::hmac(method, CLIENT, &secret).expect("a key");
    if asked.has_token {
        signer = signer.token(TOKEN, &token_secret);
    }
    let placement = [Placement::Header, Placement::Header, Placement::Query, Placement::Body];
    let placement = placement[usize::from(asked.placement) % placement.len()];
    let further: Vec<_> = asked.further.iter().map(|value| ("oauth_callback", *value)).collect();
    let nature = Nature::new(4);
    let signed = signer.placement(placement).sign(&nature.env(), request, &further);
    let Ok(signed) = signed else { return };
    // The request is sent as it was signed.
    assert!(signed.body().starts_with(before.body()), "the body was changed");
    let query = |request: &Request<Bytes>| request.uri().query().unwrap_or("").to_owned();
    assert!(query(&signed).starts_with(&query(&before)), "the query was changed");
    assert_eq!(signed.uri().path(), before.uri().path());

    let token_secret = asked.has_token.then_some(&token_secret);
    let key = VerifyingKey::Shared { client_secret: &secret, token_secret };
    let (mut parts, mut body) = signed.into_parts();
    let is_good = |parts: &Parts, body: &[u8]| match SignedRequest::read(parts, body) {
        Ok(Some(read)) => read.is_signed_by(origin, &key) && read.check_body(body).is_ok(),
        _ => false,
    };
    assert!(is_good(&parts, &body), "its own signature is refused: {parts:?}");
    let base = |parts: &Parts, body: &[u8]| {
        book::base_string(&parts.method, origin, &parts.uri, &parts.headers, body)
    };
    let (original, content) = (base(&parts, &body), body.clone());
    if !change(&mut parts, &mut body, place, at, other) {
        return;
    }
    if is_good(&parts, &body) {
        let is_form = parts.headers.get(header::CONTENT_TYPE).is_some_and(|value| value == FORM);
        assert_eq!(base(&parts, &body), original, "another request is let through: {parts:?}");
        assert!(is_form || body == content, "another body is let through");
    }
}

/// Changes a byte.
fn change(parts: &mut Parts, body: &mut Bytes, place: u8, at: u16, other: u8) -> bool {
    let put = |bytes: &mut Vec<u8>| {
        if bytes.is_empty() {
            return false;
        }
        let at = usize::from(at) % bytes.len();
        std::mem::replace(&mut bytes[at], other) != other
    };
    match place % 5 {
        0 => {
            let mut bytes = body.to_vec();
            let is_changed = put(&mut bytes);
            *body = bytes.into();
            is_changed
        }
        1 => {
            let method = METHODS[usize::from(other) % METHODS.len()].clone();
            std::mem::replace(&mut parts.method, method.clone()) != method
        }
        2 | 3 => {
            let mut url = parts.uri.to_string().into_bytes();
            let is_changed = put(&mut url);
            match Uri::try_from(url) {
                // At another origin, the signature would be verified for that origin.
                Ok(uri) if uri.scheme() == parts.uri.scheme() => {
                    let is_same = uri.authority() == parts.uri.authority();
                    parts.uri = uri;
                    is_changed && is_same
                }
                _ => false,
            }
        }
        _ => {
            let Some(value) = parts.headers.get(header::AUTHORIZATION) else { return false };
            let mut bytes = value.as_bytes().to_vec();
            let start = "OAuth ".len();
            let is_changed = put(&mut bytes) && bytes.starts_with(b"OAuth ") && bytes.len() > start;
            match http::HeaderValue::from_bytes(&bytes) {
                Ok(value) => {
                    parts.headers.insert(header::AUTHORIZATION, value);
                    is_changed
                }
                Err(_) => false,
            }
        }
    }
}
