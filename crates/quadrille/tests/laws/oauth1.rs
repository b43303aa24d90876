//! What is signed verifies, wherever its parameters stand and however they are written, and nothing
//! else does.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri, header, request::Parts};
use proptest::{collection::vec, option, prelude::*, sample};
use quadrille::{
    Env, Secret,
    form::{FormWriter, Params},
    oauth1::{
        Callback, Credentials, Forwarded, Placement, Problem, SignatureMethod, SignedRequest,
        Signer, VerifyingKey,
    },
};

const ORIGIN: &str = "https://api.example:8443";
const FORM: &str = "application/x-www-form-urlencoded";

fn value() -> impl Strategy<Value = String> {
    "[^\u{0}]{0,20}"
}

fn name() -> impl Strategy<Value = String> {
    "[^\u{0}]{1,12}".prop_filter("of the protocol", |name| !name.starts_with("oauth_"))
}

fn method() -> impl Strategy<Value = SignatureMethod> {
    sample::select(vec![
        SignatureMethod::HmacSha1,
        SignatureMethod::HmacSha256,
        SignatureMethod::HmacSha512,
    ])
}

fn placement() -> impl Strategy<Value = Placement> {
    sample::select(vec![Placement::Header, Placement::Query, Placement::Body])
}

prop_compose! {
    /// A request before it is signed: anything with a query and, perhaps, a form.
    fn unsigned()(
        verb in sample::select(vec![Method::GET, Method::POST, Method::PUT]),
        path in "(/[A-Za-z0-9._~;,@=!-]{0,6}){1,3}",
        query in vec((name(), value()), 0..4),
        form in option::of(vec((name(), value()), 0..4)),
    ) -> Request<Bytes> {
        let pairs = |pairs: Vec<(String, String)>| {
            let mut out = FormWriter::new();
            for (name, value) in pairs {
                out.append(&name, &value);
            }
            out.finish()
        };
        let query = pairs(query);
        let separator = if query.is_empty() { "" } else { "?" };
        let mut request = Request::builder().method(verb).uri(format!("{ORIGIN}{path}{separator}{query}"));
        if form.is_some() {
            request = request.header(header::CONTENT_TYPE, FORM);
        }
        request.body(form.map(pairs).unwrap_or_default().into()).unwrap()
    }
}

prop_compose! {
    fn credentials()(client in "[!-~]{1,20}", secret in value(), token in option::of(("[!-~]{1,20}", value())))
        -> (String, Secret, Option<(String, Secret)>) {
        (client, secret.into(), token.map(|(token, secret)| (token, secret.into())))
    }
}

fn signed(
    request: Request<Bytes>,
    method: SignatureMethod,
    placement: Placement,
    (client, secret, token): &(String, Secret, Option<(String, Secret)>),
) -> (Parts, Bytes) {
    let mut signer =
        Signer::hmac(method, client, secret).unwrap().placement(placement).realm("a \"b\"");
    if let Some((token, secret)) = token {
        signer = signer.token(token, secret);
    }
    let further = [("oauth_callback", "https://app.example/back?a=b c")];
    let request = signer.sign(&Env::system(), request, &further).unwrap();
    let (mut parts, body) = request.into_parts();
    // As it comes in: without the origin.
    parts.uri = parts.uri.path_and_query().unwrap().as_str().parse().unwrap();
    (parts, body)
}

fn verifies(
    parts: &Parts,
    body: &[u8],
    (client, secret, token): &(String, Secret, Option<(String, Secret)>),
) -> bool {
    let Ok(Some(signed)) = SignedRequest::read(parts, body) else { return false };
    let token_secret = token.as_ref().map(|(_, secret)| secret);
    signed.client() == client
        && signed.token() == token.as_ref().map(|(token, _)| token.as_str())
        && signed
            .is_signed_by(ORIGIN, &VerifyingKey::Shared { client_secret: secret, token_secret })
        && signed.check_body(body).is_ok()
}

/// The same parameters in another order, and every character of them that may be, percent-encoded.
fn rewritten(text: &str, rotate: usize) -> String {
    let mut pairs: Vec<_> = text.split('&').collect();
    let by = rotate % pairs.len();
    pairs.rotate_left(by);
    let encode = |text: &str| -> String {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match char {
                '%' => out.extend(
                    std::iter::once('%')
                        .chain(chars.by_ref().take(2))
                        .map(|c| c.to_ascii_lowercase()),
                ),
                '+' => out.push_str("%20"),
                char if char.is_ascii_alphanumeric() => {
                    out.push_str(&format!("%{:02x}", u32::from(char)));
                }
                char => out.push(char),
            }
        }
        out
    };
    let pairs = pairs.iter().map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", encode(name), encode(value)),
        None => encode(pair),
    });
    pairs.collect::<Vec<_>>().join("&")
}

proptest! {
    #[test]
    fn a_signed_request_verifies_in_every_place(
        request in unsigned(), method in method(), placement in placement(), credentials in credentials(),
    ) {
        let placed = placement != Placement::Body || request.headers().contains_key(header::CONTENT_TYPE) || request.body().is_empty();
        prop_assume!(placed);
        let (parts, body) = signed(request, method, placement, &credentials);
        prop_assert!(verifies(&parts, &body, &credentials));
        let read = SignedRequest::read(&parts, &body).unwrap().unwrap();
        prop_assert_eq!(read.placement(), placement);
        prop_assert_eq!(read.callback(), Some("https://app.example/back?a=b c"));
        prop_assert_eq!(read.realm(), (placement == Placement::Header).then_some("a \"b\""));
    }

    #[test]
    fn order_and_encoding_of_parameters_do_not_matter(
        request in unsigned(), method in method(), placement in placement(), credentials in credentials(), rotate in 0..8usize,
    ) {
        prop_assume!(placement != Placement::Body || request.headers().contains_key(header::CONTENT_TYPE));
        let (mut parts, mut body) = signed(request, method, placement, &credentials);
        if let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) {
            let target = format!("{}?{}", parts.uri.path(), rewritten(query, rotate));
            parts.uri = target.parse().unwrap();
        }
        if !body.is_empty() {
            body = rewritten(std::str::from_utf8(&body).unwrap(), rotate).into();
        }
        prop_assert!(verifies(&parts, &body, &credentials));
    }

    #[test]
    fn what_is_forwarded_verifies_as_it_did_where_it_came(
        request in unsigned(), method in method(), placement in placement(), credentials in credentials(),
    ) {
        prop_assume!(placement != Placement::Body || request.headers().contains_key(header::CONTENT_TYPE));
        let (parts, body) = signed(request, method, placement, &credentials);
        let forwarded = Forwarded::of(&parts, ORIGIN, &body).unwrap();
        let mut question = FormWriter::new();
        for (name, value) in forwarded.parameters() {
            question.append(name, value);
        }
        let question = question.finish();
        let params = Params::parse(question.as_bytes()).unwrap();
        let read = Forwarded::parse(&params).unwrap().unwrap();
        prop_assert_eq!(&read, &forwarded);
        let (parts, body, origin) = read.to_request().unwrap();
        prop_assert_eq!(origin, ORIGIN);
        prop_assert!(verifies(&parts, &body, &credentials));
    }

    #[test]
    fn a_changed_byte_is_noticed(
        request in unsigned(), method in method(), placement in placement(), credentials in credentials(),
        part in 0..4u8, at: sample::Index, to in b'!'..=b'~',
    ) {
        prop_assume!(placement != Placement::Body || request.headers().contains_key(header::CONTENT_TYPE));
        let (mut parts, body) = signed(request, method, placement, &credentials);
        let before = covered(&parts, &body);
        let change = |text: &[u8]| {
            let mut bytes = text.to_vec();
            let at = at.index(bytes.len());
            bytes[at] = to;
            bytes
        };
        let mut body = body.to_vec();
        match part {
            0 => parts.method = if parts.method == Method::GET { Method::POST } else { Method::GET },
            1 => {
                let target = change(parts.uri.to_string().as_bytes());
                match Uri::try_from(target) {
                    Ok(uri) if uri.path().starts_with('/') => parts.uri = uri,
                    _ => return Ok(()),
                }
            }
            2 if !body.is_empty() => body = change(&body),
            3 if parts.headers.contains_key(header::AUTHORIZATION) => {
                let value = change(parts.headers[header::AUTHORIZATION].as_bytes());
                parts.headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(&value).unwrap());
            }
            _ => return Ok(()),
        }
        // What means the same is the same: `%2B` and `%2b`, `realm`, a space between parameters.
        prop_assume!(covered(&parts, &body) != before);
        prop_assert!(!verifies(&parts, &body, &credentials));
    }

    #[test]
    fn a_body_that_is_no_form_is_covered_by_its_hash(body in "[^\u{0}]{1,40}", other in "[^\u{0}]{0,40}", method in method(), credentials in credentials()) {
        let request = Request::put(format!("{ORIGIN}/a")).header("content-type", "application/json");
        let request = request.body(Bytes::from(body.clone())).unwrap();
        let (parts, sent) = signed(request, method, Placement::Header, &credentials);
        prop_assert!(verifies(&parts, &sent, &credentials));
        prop_assert_eq!(verifies(&parts, other.as_bytes(), &credentials), other == body);
    }

    #[test]
    fn any_bytes_are_signed_and_verified_as_they_are_and_every_change_is_noticed(
        query in vec((vec(any::<u8>(), 0..6), vec(any::<u8>(), 0..6)), 0..4),
        form in vec((vec(any::<u8>(), 0..6), vec(any::<u8>(), 0..6)), 0..4),
        raw: bool, placement in placement(), method in method(), credentials in credentials(),
        at: sample::Index, to: u8,
    ) {
        // The form also with bytes that should have been encoded.
        let encode = |pairs: &[(Vec<u8>, Vec<u8>)], raw: bool| {
            let text = |bytes: &[u8]| bytes.iter().flat_map(|byte| match byte {
                b'a'..=b'z' => vec![*byte],
                b'&' | b'=' | b'%' | b'+' => format!("%{byte:02X}").into_bytes(),
                byte if raw => vec![*byte],
                byte => format!("%{byte:02x}").into_bytes(),
            }).collect::<Vec<_>>();
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(name, value)| [text(name), text(value)].join(&b'='))
                .collect();
            pairs.join(&b'&')
        };
        let query = String::from_utf8(encode(&query, false)).unwrap();
        let request = Request::post(format!("{ORIGIN}/?{query}")).header("content-type", FORM);
        let request = request.body(Bytes::from(encode(&form, raw))).unwrap();
        let (parts, body) = signed(request, method, placement, &credentials);
        prop_assert!(verifies(&parts, &body, &credentials));

        let forwarded = Forwarded::of(&parts, ORIGIN, &body).unwrap();
        let mut question = FormWriter::new();
        for (name, value) in forwarded.parameters() {
            question.append(name, value);
        }
        let question = question.finish();
        let params = Params::parse(question.as_bytes()).unwrap();
        let (there, form, _) = Forwarded::parse(&params).unwrap().unwrap().to_request().unwrap();
        prop_assert!(verifies(&there, &form, &credentials), "forwarded");

        let mut changed = body.to_vec();
        if !changed.is_empty() {
            let at = at.index(changed.len());
            changed[at] = to;
        }
        if covered(&parts, &changed) != covered(&parts, &body) {
            prop_assert!(!verifies(&parts, &changed, &credentials));
        }
    }

    #[test]
    fn credentials_and_callbacks_come_through(token in "[^\u{0}]{1,30}", secret in value(), confirmed: bool, verifier in "[^\u{0}]{1,20}") {
        let mut given = Credentials::token(token.as_str(), Secret::from(secret.as_str())).with("user_id", "7");
        given.callback_confirmed = confirmed;
        prop_assert_eq!(Credentials::parse(&given.to_response()).unwrap(), given);
        for callback in [
            Callback::Approved { token: token.clone(), verifier: verifier.as_str().into() },
            Callback::Refused { token: Some(token), problem: Problem::UserRefused },
        ] {
            let url = callback.to_url("https://app.example/back?keep=1");
            let (_, query) = url.split_once('?').unwrap();
            let params = Params::parse(query.as_bytes()).unwrap();
            prop_assert_eq!(params.one("keep"), Ok(Some("1")));
            prop_assert_eq!(Callback::parse(&params).unwrap(), callback);
        }
    }

    #[test]
    fn nothing_that_is_sent_makes_anything_panic(
        header in "(OAuth )?[ -~]{0,80}", query in "[!-~]{0,60}", body in vec(any::<u8>(), 0..80), form: bool,
    ) {
        let mut request = Request::builder().method("POST");
        let query: String = query.chars().filter(|char| *char != '#').collect();
        if let Ok(uri) = Uri::try_from(format!("/?oauth_{query}")) {
            request = request.uri(uri);
        }
        if form {
            request = request.header(header::CONTENT_TYPE, FORM);
        }
        let (parts, ()) = request.header(header::AUTHORIZATION, header).body(()).unwrap().into_parts();
        if let Ok(Some(signed)) = SignedRequest::read(&parts, &body) {
            let secret = Secret::from("s");
            let key = VerifyingKey::Shared { client_secret: &secret, token_secret: None };
            prop_assert!(!signed.is_signed_by(ORIGIN, &key) || signed.method() == SignatureMethod::Plaintext);
            let _ = signed.check_body(&body);
        }
        let mut response = Response::new(Bytes::from(body));
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("OAuth oauth_problem=\"\""));
        let _ = Credentials::parse(&response);
    }
}

/// What a request says, however it is written: everything that its signature covers.
#[derive(PartialEq, Eq)]
struct Said {
    method: Method,
    path: String,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    signature: String,
}

fn covered(parts: &Parts, body: &[u8]) -> Option<Said> {
    let signed = SignedRequest::read(parts, body).ok()??;
    let mut parameters: Vec<_> =
        signed.covered().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    parameters.sort();
    Some(Said {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        parameters,
        signature: signed.signature().to_owned(),
    })
}
