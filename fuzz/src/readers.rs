//! The readers of forms, cookies, headers and answers, on any bytes.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use quadrille::{
    Scopes,
    form::{FormWriter, Params},
    oauth1::{Credentials, Verdict},
    oauth2::{ErrorResponse, IntrospectionResponse, Resources, TokenResponse, bearer::Challenge},
    scope::ScopeSeparator,
};

use crate::book;

/// The target `readers`: nothing panics, and each reader agrees with the specification and with the
/// writer.
pub fn readers(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 4 {
        0 => form(bytes),
        1 => written(bytes),
        2 => answer(bytes),
        _ => names(bytes),
    }
}

/// Checks that a form is read as its specification says. Its raw text is UTF-8: a character with
/// some bytes encoded and others not is unreadable.
fn form(bytes: &[u8]) {
    if std::str::from_utf8(bytes).is_err() {
        return;
    }
    let (Ok(params), Some(pairs)) = (Params::parse(bytes), book::form_pairs(bytes)) else { return };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    let pairs: Option<Vec<_>> =
        pairs.into_iter().map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    let Some(pairs) = pairs else { return };
    let read: Vec<_> =
        params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(read, pairs);
}

/// Checks that the reader returns the written values.
fn written(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).replace('\0', "");
    let words: Vec<&str> = text.split('\n').filter(|word| !word.is_empty()).take(60).collect();
    let mut form = FormWriter::new();
    for word in &words {
        form.append(word, word);
    }
    let form = form.finish();
    let Ok(params) = Params::parse(form.as_bytes()) else {
        assert!(form.len() > 16 * 1024);
        return;
    };
    let read: Vec<_> = params.iter().collect();
    assert_eq!(read, words.iter().map(|word| (*word, *word)).collect::<Vec<_>>());
}

/// The responses of services.
fn answer(bytes: &[u8]) {
    let Some((status, body)) = bytes.split_first() else { return };
    let (challenge, body) = body.split_at(body.len() / 3);
    let mut answer = Response::new(Bytes::copy_from_slice(body));
    let statuses = [200, 201, 400, 401, 500, 302];
    let status = statuses[usize::from(*status) % statuses.len()];
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    if let Ok(value) = HeaderValue::from_bytes(challenge) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    let tokens = TokenResponse::parse(&answer, ScopeSeparator::Space);
    if let Ok(tokens) = &tokens {
        assert!(!tokens.access_token.expose().is_empty());
    }
    let credentials = Credentials::parse(&answer);
    if let Ok(credentials) = &credentials {
        assert!(answer.status().is_success() && !credentials.token.is_empty());
    }
    let _ = (IntrospectionResponse::parse(&answer), Verdict::parse(&answer));
    let _ = (ErrorResponse::parse(&answer), Challenge::parse_all(answer.headers()));
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(challenge) {
        headers.insert(header::COOKIE, value.clone());
        headers.insert(header::AUTHORIZATION, value);
    }
    let _ = quadrille::oauth2::bearer::from_headers(&headers);
    let _ = quadrille::consumer::Jar::new(&headers).close();
}

/// Checks that scopes and resources are sets.
fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (one, other) = text.split_at(
        text.len() / 2 + (0..4).find(|n| text.is_char_boundary(text.len() / 2 + n)).unwrap_or(0),
    );
    if let (Ok(one), Ok(other)) = (Scopes::parse(one), Scopes::parse(other)) {
        let (both, either) = (one.intersection(&other), one.union(&other));
        assert!(one.is_superset(&both) && other.is_superset(&both));
        assert!(either.is_superset(&one) && either.is_superset(&other));
        assert_eq!(Scopes::parse(either.as_str()).expect("its own"), either);
        for name in one.iter() {
            assert_eq!(both.contains(name), other.contains(name));
        }
    }
    if let (Ok(one), Ok(other)) = (Resources::parse(one), Resources::parse(other))
        && let Some(narrowed) = one.narrowed(&other)
    {
        assert!(one.is_superset(&narrowed));
    }
}
