//! Redirect URIs: which may be registered, and which of them a request names.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use url::{Host, Url};

use crate::loopback::is_loopback;

/// The parameters of an answer, with either protocol.
const RESERVED: [&str; 8] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "oauth_token",
    "oauth_verifier",
];

/// How long a redirect URI may be, in bytes.
const LONGEST: usize = 2000;

/// Why a redirect URI may not be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectUriError {
    /// It has no scheme, or cannot be read.
    #[error("a redirect URI is absolute: https://host/path")]
    NotAbsolute,
    /// It has a fragment (RFC 6749, section 3.1.2).
    #[error("a redirect URI has no fragment")]
    Fragment,
    /// It holds a user name or password, or an empty one.
    #[error("a redirect URI holds no user name or password")]
    Credentials,
    /// It is plain http, and not to the machine itself.
    #[error("a redirect URI is https, or http to 127.0.0.1, [::1] or localhost")]
    Insecure,
    /// Its scheme is not one that applications own (RFC 8252, section 7.1).
    #[error("a scheme of an application's own holds a dot: com.example.app:/callback")]
    Scheme,
    /// Its host is neither a DNS name nor an address.
    #[error("the host of a redirect URI is a DNS name or an address")]
    Host,
    /// Nothing stands after the scheme of an application's own.
    #[error("a redirect URI names a path after its scheme: com.example.app:/callback")]
    Empty,
    /// It holds a character that no URI holds (RFC 3986, section 2) or an asterisk, or is not
    /// written as a browser would.
    #[error(
        "a redirect URI is matched character by character: write it as a browser would, with no wildcard"
    )]
    Characters,
    /// Its query names a parameter of the answer (RFC 6749, section 4.1.2; RFC 9207, section 2; RFC
    /// 5849, section 2.2): the client would read it beside ours, and may take the wrong one.
    #[error(
        "the query of a redirect URI holds none of code, state, iss, error, error_description, error_uri, oauth_token, oauth_verifier"
    )]
    Reserved,
    /// It is longer than 2000 bytes.
    #[error("a redirect URI is at most 2000 characters long")]
    TooLong,
}

/// A redirect URI that may be registered (RFC 6749, section 3.1.2), or the callback of an OAuth 1.0a
/// client (RFC 5849, section 2.1). There is no other way to make one than by a check, so that no
/// client, document or row of a database holds anything else.
///
/// It is `https`, `http` to this machine, or has a scheme with a dot that an application owns (RFC
/// 8252, section 7.1). A browser goes exactly there: it is written as a browser would, in the
/// characters of RFC 3986, without user name, password and fragment.
///
/// ```
/// use quadrille::provider::{RedirectUri, RedirectUriError};
///
/// let uri = RedirectUri::parse("https://app.example/callback")?;
/// assert_eq!(uri.as_str(), "https://app.example/callback");
/// assert_eq!(uri.destination(), "https://app.example");
/// assert!(RedirectUri::parse("http://127.0.0.1/callback").is_ok());
/// assert!(RedirectUri::parse("com.example.app:/callback").is_ok());
/// let refused = |uri| RedirectUri::parse(uri).unwrap_err();
/// assert_eq!(refused("http://app.example/"), RedirectUriError::Insecure);
/// assert_eq!(refused("javascript:alert(1)"), RedirectUriError::Scheme);
/// # Ok::<(), RedirectUriError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RedirectUri(Arc<str>);

impl RedirectUri {
    /// Checks `uri`.
    ///
    /// # Errors
    /// [`RedirectUriError`].
    pub fn parse(uri: &str) -> Result<Self, RedirectUriError> {
        check(uri)?;
        Ok(Self(uri.into()))
    }

    /// The URI, as it was registered or asked for.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it leads, as people name it: its origin, or the scheme of an application's own with a
    /// colon.
    pub fn destination(&self) -> &str {
        let scheme = self.0.find(':').map_or(0, |at| at + 1);
        let end = match self.is_https() || is_http(&self.0) {
            true => authority(&self.0).map_or(scheme, |authority| scheme + 2 + authority.len()),
            false => scheme,
        };
        self.0.get(..end).unwrap_or_default()
    }

    /// Whether nobody but the owner of a host can be answered there.
    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The one of the `registered` URIs that a request names: it is equal to one, character by
    /// character, but for the port of a URI to this machine. A native application learns that only
    /// when it starts to listen (RFC 8252, section 7.3), under `localhost` as under an address.
    pub(crate) fn named(presented: &str, registered: &[Self]) -> Option<Self> {
        if let Some(known) = registered.iter().find(|known| *known.0 == *presented) {
            return Some(known.clone());
        }
        let (host, _, rest) = split_port(presented)?;
        let is_known = registered.iter().filter_map(|known| split_port(&known.0));
        let is_known = is_known.into_iter().any(|(a, _, b)| (a, b) == (host, rest));
        is_known.then(|| Self::parse(presented).ok()).flatten()
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(uri: &str) -> Result<Self, RedirectUriError> {
        Self::parse(uri)
    }
}

impl AsRef<str> for RedirectUri {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for RedirectUri {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for RedirectUri {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl From<RedirectUri> for Arc<str> {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Reads the redirect URIs of a stored client. One that may not be registered is left out, so that
/// it costs neither the client nor the others.
pub(crate) fn stored<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<RedirectUri>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    Ok(texts.iter().filter_map(|uri| usable(uri)).collect())
}

/// A redirect URI that somebody else wrote down, if it may be used; the log tells of others.
pub(crate) fn usable(uri: &str) -> Option<RedirectUri> {
    RedirectUri::parse(uri)
        .inspect_err(
            |reason| tracing::warn!(redirect_uri = uri, %reason, "a redirect URI is left out"),
        )
        .ok()
}

fn check(uri: &str) -> Result<(), RedirectUriError> {
    if uri.len() > LONGEST {
        return Err(RedirectUriError::TooLong);
    }
    if uri.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    if !has_uri_characters(uri) {
        return Err(RedirectUriError::Characters);
    }
    let url = Url::parse(uri).map_err(|_| RedirectUriError::NotAbsolute)?;
    let authority = authority(uri);
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(RedirectUriError::Credentials);
    }
    let is_literal = match url.scheme() {
        "https" => is_canonical(uri, &url),
        "http" if is_loopback(&url) => is_canonical_but_for_the_port(uri),
        "http" => return Err(RedirectUriError::Insecure),
        scheme if is_owned(scheme) => uri == url.as_str(),
        _ => return Err(RedirectUriError::Scheme),
    };
    // Nothing listens at port 0.
    if !is_literal || url.port() == Some(0) {
        return Err(RedirectUriError::Characters);
    }
    if let Some(Host::Domain(name)) = url.host()
        && !is_dns_name(name)
    {
        return Err(RedirectUriError::Host);
    }
    if url.query_pairs().any(|(name, _)| RESERVED.contains(&&*name)) {
        return Err(RedirectUriError::Reserved);
    }
    let names_nothing = authority.is_none_or(str::is_empty) && url.path().is_empty();
    if names_nothing { Err(RedirectUriError::Empty) } else { Ok(()) }
}

/// Whether it can be a name in the DNS. A dot at its end stands for the root.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
}

/// Whether it is made of what URIs are made of (RFC 3986, section 2), the asterisk left out.
fn has_uri_characters(uri: &str) -> bool {
    let mut rest = uri.bytes();
    while let Some(byte) = rest.next() {
        let is_fine = match byte {
            b'%' => {
                let mut is_digit = || rest.next().is_some_and(|digit| digit.is_ascii_hexdigit());
                is_digit() && is_digit()
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()+,;=".contains(&byte),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

/// Whether a scheme is the reverse of a domain name (RFC 8252, section 7.1).
fn is_owned(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty())
}

/// What stands between `//` and the path.
fn authority(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once(':')?;
    rest.strip_prefix("//")?.split(['/', '?']).next()
}

fn is_http(uri: &str) -> bool {
    uri.starts_with("http://")
}

/// An http URI as what stands before the port, the port, and the rest.
fn split_port(uri: &str) -> Option<(&str, Option<&str>, &str)> {
    let authority = is_http(uri).then(|| authority(uri)).flatten()?;
    let (start, rest) = uri.split_at_checked("http://".len() + authority.len())?;
    // The address in brackets holds colons of its own.
    let port = match authority.rfind(':') {
        Some(colon) if !authority.get(colon..)?.contains(']') => authority.get(colon + 1..),
        _ => None,
    };
    match port {
        None => Some((start, None, rest)),
        Some(port) => {
            // As a browser would write it, and one at which something can listen.
            let is_number = !port.starts_with('0')
                && port.bytes().all(|digit| digit.is_ascii_digit())
                && port.parse::<u16>().is_ok();
            let start = start.strip_suffix(port)?.strip_suffix(':')?;
            is_number.then_some((start, Some(port), rest))
        }
    }
}

/// Whether a browser goes exactly there: no upper-case host, no dot segments, no default port, no
/// octal address. A missing path counts as `/`.
fn is_canonical(uri: &str, url: &Url) -> bool {
    let canonical = url.as_str();
    uri == canonical
        || canonical.strip_suffix('/') == Some(uri)
        || uri.split_once('?').is_some_and(|(start, query)| {
            canonical.split_once("/?").is_some_and(|(a, b)| a == start && b == query)
        })
}

/// [`is_canonical`], where the port is the application's to choose, the default one included.
fn is_canonical_but_for_the_port(uri: &str) -> bool {
    split_port(uri).is_some_and(|(start, _, rest)| {
        let plain = [start, rest].concat();
        Url::parse(&plain).is_ok_and(|url| is_canonical(&plain, &url))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_a_browser_takes_literally_can_be_registered() {
        use RedirectUriError::*;
        for (uri, result) in [
            ("https://app.example", Ok(())),
            ("https://app.example/", Ok(())),
            ("https://app.example?x=1", Ok(())),
            ("https://app.example/cb?x=1&y=%2F", Ok(())),
            ("https://xn--pp-wia.example:8443/cb", Ok(())),
            ("https://192.0.2.1/cb", Ok(())),
            ("http://localhost:3000/cb", Ok(())),
            ("http://127.0.0.1:80/cb", Ok(())),
            ("http://app.localhost/cb", Ok(())),
            ("http://[::1]/cb", Ok(())),
            ("com.example.app:/cb", Ok(())),
            ("com.example.app:cb", Ok(())),
            ("com.example.app://cb", Ok(())),
            ("com.example.app:///cb", Ok(())),
            ("", Err(NotAbsolute)),
            ("/cb", Err(NotAbsolute)),
            ("//app.example/cb", Err(NotAbsolute)),
            ("https://", Err(NotAbsolute)),
            ("https:", Err(NotAbsolute)),
            ("https://app.example:99999/", Err(NotAbsolute)),
            ("https://app.example/#x", Err(Fragment)),
            ("https://app.example/#", Err(Fragment)),
            ("com.example.app:/#", Err(Fragment)),
            ("https://user@app.example/", Err(Credentials)),
            ("https://:x@app.example/", Err(Credentials)),
            ("https://@app.example/", Err(Credentials)),
            ("https://app.example@evil.example/", Err(Credentials)),
            ("http://127.0.0.1:1@evil.example/", Err(Credentials)),
            ("com.example.app://@", Err(Credentials)),
            ("com.example.app://:@", Err(Credentials)),
            ("com.example.app://user@cb/", Err(Credentials)),
            ("http://app.example/", Err(Insecure)),
            ("http://127.0.0.1.evil.example/", Err(Insecure)),
            ("http://localhost.evil.example/", Err(Insecure)),
            ("http://localhost./cb", Err(Insecure)),
            ("http://[::2]/cb", Err(Insecure)),
            ("javascript:alert(1)", Err(Scheme)),
            ("javascript://app.example/%0Aalert(1)", Err(Scheme)),
            ("data:text/html,x", Err(Scheme)),
            ("blob:https://app.example/x", Err(Scheme)),
            ("file:///etc/passwd", Err(Scheme)),
            ("myapp:/cb", Err(Scheme)),
            ("a.:/cb", Err(Scheme)),
            ("a..b:/cb", Err(Scheme)),
            ("ftp://app.example/", Err(Scheme)),
            ("https://x;sandbox/", Err(Host)),
            ("https://x,y/", Err(Host)),
            ("https://x'y/", Err(Host)),
            ("https://x$/", Err(Host)),
            ("com.example.app://x;sandbox/", Err(Host)),
            ("com.example.app://x%20y/", Err(Host)),
            ("https://.example/", Err(Host)),
            ("https://app..example/", Err(Host)),
            ("https://app.example../", Err(Host)),
            ("https://./", Err(Host)),
            ("com.example.app://a..b/", Err(Host)),
            ("https://app.example./", Ok(())),
            ("https://app.example/cb?code=1", Err(Reserved)),
            ("https://app.example/cb?x=1&state", Err(Reserved)),
            ("https://app.example?%69ss=https://evil.example", Err(Reserved)),
            ("http://127.0.0.1/cb?error=x", Err(Reserved)),
            ("http://localhost:1/cb?oauth%5Fverifier=x", Err(Reserved)),
            ("com.example.app:/cb?oauth_token=x", Err(Reserved)),
            ("com.example.app:cb?a=b&&iss=", Err(Reserved)),
            ("https://app.example/cb?codes=1&State=2&promo_code=3", Ok(())),
            ("a.b:", Err(Empty)),
            ("a.b:?x=1", Err(Empty)),
            ("a.b://", Err(Empty)),
            ("a.b://?x=1", Err(Empty)),
            ("https://*.app.example/", Err(Characters)),
            ("https://app.example/a\\b", Err(Characters)),
            ("https://app.example/a b", Err(Characters)),
            ("https://app.example/a\nb", Err(Characters)),
            ("\thttps://app.example/", Err(Characters)),
            ("https://app.example/a\"b", Err(Characters)),
            ("https://app.example/a|b", Err(Characters)),
            ("https://app.example/%zz", Err(Characters)),
            ("https://app.example/%2", Err(Characters)),
            ("https://ex%61mple.com/", Err(Characters)),
            ("https://\u{e4}pp.example/", Err(Characters)),
            ("https://App.example/", Err(Characters)),
            ("HTTPS://app.example/", Err(Characters)),
            ("https:app.example/", Err(Characters)),
            ("https:///app.example/", Err(Characters)),
            ("https://app.example:443/", Err(Characters)),
            ("https://app.example:/", Err(Characters)),
            ("https://app.example/../x", Err(Characters)),
            ("com.Example.app:/cb", Err(Characters)),
            ("com.example.app:/a/../cb", Err(Characters)),
            ("http://127.1/", Err(Characters)),
            ("http://[0:0:0:0:0:0:0:1]/", Err(Characters)),
            ("http://LOCALHOST/", Err(Characters)),
            ("http://127.0.0.1:/", Err(Characters)),
            ("http://127.0.0.1:0/", Err(Characters)),
            ("http://127.0.0.1:080/", Err(Characters)),
            ("http://[::1]:00/", Err(Characters)),
            ("http://localhost:08080/", Err(Characters)),
            ("https://app.example:0443/", Err(Characters)),
            ("https://app.example:0/", Err(Characters)),
        ] {
            assert_eq!(RedirectUri::parse(uri).map(|_| ()), result, "{uri}");
        }
        let long = format!("https://app.example/{}", "x".repeat(2000));
        assert_eq!(RedirectUri::parse(&long), Err(TooLong));
    }

    fn registered<const N: usize>(uris: [&str; N]) -> [RedirectUri; N] {
        uris.map(|uri| uri.parse().unwrap())
    }

    #[test]
    fn the_port_of_this_machine_is_free_and_nothing_else_is() {
        let known = registered([
            "http://127.0.0.1/cb",
            "http://[::1]:80/cb",
            "http://localhost/cb",
            "https://app.example/cb",
        ]);
        for uri in [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:5555/cb",
            "http://127.0.0.1:80/cb",
            "http://[::1]/cb",
            "http://[::1]:65535/cb",
            "http://localhost/cb",
            "http://localhost:1/cb",
            "https://app.example/cb",
        ] {
            assert_eq!(RedirectUri::named(uri, &known).unwrap(), uri);
        }
        for uri in [
            "http://127.0.0.1:5555/cb/",
            "http://127.0.0.1:5555/cb?x",
            "http://127.0.0.1:5555@evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1:000001/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:080/cb",
            "http://[::1]:00080/cb",
            "http://localhost:0/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.2/cb",
            "http://localhost:1:2/cb",
            "http://localhost.evil.example:1/cb",
            "http://localhost.:1/cb",
            "http://LOCALHOST:1/cb",
            "http://app.localhost:1/cb",
            "https://localhost:1/cb",
            "https://127.0.0.1/cb",
            "HTTP://127.0.0.1/cb",
            "http://[::1]:1.evil.example/cb",
            "http://[::1]:1]/cb",
            "https://app.example:8443/cb",
        ] {
            assert_eq!(RedirectUri::named(uri, &known), None, "{uri}");
        }
        let native = registered(["http://127.0.0.1/cb"]);
        assert_eq!(RedirectUri::named("http://localhost:1/cb", &native), None);
    }

    #[test]
    fn where_it_leads_is_named_for_people() {
        for (uri, destination) in [
            ("https://app.example/cb?x", "https://app.example"),
            ("https://app.example:8443", "https://app.example:8443"),
            ("http://127.0.0.1:5555/cb", "http://127.0.0.1:5555"),
            ("http://[::1]:5555?x", "http://[::1]:5555"),
            ("com.example.app:/cb", "com.example.app:"),
            ("com.example.app://cb", "com.example.app:"),
        ] {
            assert_eq!(RedirectUri::parse(uri).unwrap().destination(), destination);
        }
    }

    #[test]
    fn a_row_with_a_bad_redirect_uri_keeps_the_others() {
        #[derive(Deserialize)]
        struct Row(#[serde(deserialize_with = "stored")] Vec<RedirectUri>);
        let text = r#"["https://app.example/cb", "a.b:", "javascript:alert(1)"]"#;
        let Row(uris) = serde_json::from_str(text).unwrap();
        assert_eq!(uris, ["https://app.example/cb"]);
        assert!(serde_json::from_str::<RedirectUri>(r#""a.b:""#).is_err());
    }

    proptest! {
        #[test]
        fn whatever_matches_leads_to_the_registered_host(uri in "http://(127\\.0\\.0\\.1|[a-z.@:/]{0,9})[:@/a-z0-9.?]{0,12}") {
            if RedirectUri::named(&uri, &registered(["http://127.0.0.1/cb"])).is_some() {
                let url = Url::parse(&uri).unwrap();
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(url.path(), "/cb");
                prop_assert_eq!(url.username(), "");
            }
        }

        #[test]
        fn an_answer_leads_where_the_redirect_uri_does(
            uri in "(https|http|a\\.b|com\\.example\\.app):/{0,3}[a-z0-9@:.;,%?&/\\[\\]_-]{0,14}",
        ) {
            use crate::{oauth2::AuthorizationResponse, form::Params};
            if let Ok(uri) = RedirectUri::parse(&uri) {
                let answer = AuthorizationResponse::Code { code: "c".into(), state: None, iss: None };
                let location = answer.to_url(uri.as_str()).unwrap();
                prop_assert!(http::HeaderValue::try_from(&location).is_ok());
                let (before, after) = (Url::parse(uri.as_str()).unwrap(), Url::parse(&location).unwrap());
                prop_assert_eq!(before.scheme(), after.scheme());
                prop_assert_eq!(before.host(), after.host());
                prop_assert_eq!(before.port(), after.port());
                prop_assert_eq!(before.path(), after.path());
                prop_assert!(after.username().is_empty() && after.password().is_none());
                let query = after.query().unwrap();
                prop_assert!(Params::parse(query.as_bytes()).unwrap().many("code").any(|code| code == "c"));
                prop_assert!(location.starts_with(uri.destination()));
            }
        }
    }
}
