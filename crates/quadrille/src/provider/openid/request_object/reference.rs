//! Request objects at URLs (OpenID Connect Core, section 6.2; RFC 9101, section 5.2).

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

use crate::{
    Env, RemoteAddress,
    fetch::{Document, NotFetched, Remote, Visitors},
    jose::{MAX_TOKEN_LEN, TokenError},
    provider::token::format::sha256,
};

use super::error::RequestObjectError;

/// The greatest length of a `request_uri`, in characters (OpenID Connect Core, section 6.2).
const LONGEST_URI: usize = 512;

/// The text at a `request_uri`.
pub(crate) struct RequestText(Box<str>);

impl Document for RequestText {
    const NAME: &'static str = "request object";
    type Expected = ();
    type Error = TokenError;

    fn read(body: &[u8], (): &()) -> Result<Self, TokenError> {
        let text = std::str::from_utf8(body).map_err(|_| TokenError::NotCompact)?.trim();
        match text.len() {
            0..=MAX_TOKEN_LEN => Ok(Self(text.into())),
            _ => Err(TokenError::TooLong),
        }
    }
}

impl RequestText {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `true` if the fragment of a URL is the hash of this text.
    fn has_hash(&self, fragment: &str) -> bool {
        BASE64_URL_SAFE_NO_PAD.encode(sha256(self.0.as_bytes())) == fragment
    }
}

/// The object at a registered URL, for a request from this address.
pub(super) async fn object_at(
    remote: &Remote<RequestText>,
    (visitors, from): (&Visitors, Option<RemoteAddress>),
    env: &Env,
    registered: &[Arc<str>],
    uri: &str,
) -> Result<Arc<RequestText>, RequestObjectError> {
    let found = find(registered, uri).ok_or(RequestObjectError::UriNotRegistered);
    let (url, fragment) = found?;
    let (remote, env) = (remote.clone(), env.clone());
    let fetching = async move {
        let is_meant = |text: &RequestText| fragment.as_deref().is_none_or(|it| text.has_hash(it));
        remote.get(&url, &env, is_meant).await
    };
    let fetched = visitors.share(from, fetching).await.map_err(RequestObjectError::NotFetched)?;
    fetched.map_err(|reason| match reason {
        NotFetched::Fetch(error) => RequestObjectError::NotFetched(error),
        NotFetched::Unusable(_) => RequestObjectError::NoToken,
    })
}

/// The URL to fetch, and the fragment, if a URI is registered. Fragments are not compared: they tell
/// the versions of an object apart.
fn find(registered: &[Arc<str>], uri: &str) -> Option<(Url, Option<String>)> {
    let mut url = parse(uri)?;
    let fragment = url.fragment().map(ToOwned::to_owned);
    url.set_fragment(None);
    let is_same = |known: &Arc<str>| {
        parse(known).is_some_and(|mut known| {
            known.set_fragment(None);
            known == url
        })
    };
    registered.iter().any(is_same).then_some((url, fragment))
}

/// `true` if a client may have this `request_uri`.
pub(crate) fn is_request_uri(uri: &str) -> bool {
    parse(uri).is_some()
}

/// A URL that may be a `request_uri`: https, and short.
fn parse(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_short = uri.len() <= LONGEST_URI && uri.bytes().all(|byte| byte.is_ascii_graphic());
    (is_plain && is_short && url.scheme() == "https" && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_url_is_found_whatever_its_fragment_and_no_other_is() {
        let registered = ["https://app.example/r?v=1#old".into(), "https://app.example/b".into()];
        let found =
            |uri: &str| find(&registered, uri).map(|(url, fragment)| (url.to_string(), fragment));
        let url = || "https://app.example/r?v=1".to_owned();
        assert_eq!(found("https://app.example/r?v=1"), Some((url(), None)));
        assert_eq!(found("https://app.example/r?v=1#new"), Some((url(), Some("new".into()))));
        assert!(found("https://app.example/b").is_some());
        for other in [
            "https://app.example/r",
            "https://app.example/r?v=2",
            "https://app.example/b/",
            "http://app.example/b",
            "https://user@app.example/b",
            "https://evil.example/b",
            "https://app.example:8443/b",
            "app.example/b",
            "",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
        let long = format!("https://app.example/{}", "a".repeat(500));
        assert_eq!(find(&[long.as_str().into()], &long), None);
    }

    #[test]
    fn a_fragment_is_the_hash_of_the_text() {
        let text = RequestText::read(b" a.b.c\n", &()).unwrap();
        assert_eq!(text.as_str(), "a.b.c");
        assert!(text.has_hash("hF4wRIgJ4ryJWOsCW_x5UjXROwd6U9DDq70jhRcNybg"));
        assert!(!text.has_hash("hF4wRIgJ4ryJWOsCW_x5UjXROwd6U9DDq70jhRcNybG"));
        assert!(RequestText::read(&[0xff], &()).is_err());
        assert!(RequestText::read(&vec![b'a'; MAX_TOKEN_LEN + 1], &()).is_err());
    }
}
