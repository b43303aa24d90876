//! Redirect URIs: which may be registered, and which of them a request names.

use url::{Host, Url};

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
    /// It holds a user name or password.
    #[error("a redirect URI holds no user name or password")]
    Credentials,
    /// It is plain http, and not to the machine itself.
    #[error("a redirect URI is https, or http to 127.0.0.1, [::1] or localhost")]
    Insecure,
    /// Its scheme is not one that applications own (RFC 8252, section 7.1).
    #[error("a scheme of an application's own holds a dot: com.example.app:/callback")]
    Scheme,
    /// It holds a space, a backslash, an asterisk, a control character or anything outside ASCII,
    /// or is not written as a browser would.
    #[error(
        "a redirect URI is matched character by character: write it as a browser would, with no wildcard"
    )]
    Characters,
    /// It is longer than 2000 characters.
    #[error("a redirect URI is at most 2000 characters long")]
    TooLong,
}

/// Whether `uri` may be registered.
///
/// ```
/// use quadrille::provider::{RedirectUriError, check_redirect_uri};
///
/// assert_eq!(check_redirect_uri("https://app.example/callback"), Ok(()));
/// assert_eq!(check_redirect_uri("http://127.0.0.1/callback"), Ok(()));
/// assert_eq!(check_redirect_uri("com.example.app:/callback"), Ok(()));
/// assert_eq!(check_redirect_uri("http://app.example/"), Err(RedirectUriError::Insecure));
/// assert_eq!(check_redirect_uri("javascript:alert(1)"), Err(RedirectUriError::Scheme));
/// ```
///
/// # Errors
/// [`RedirectUriError`].
pub fn check_redirect_uri(uri: &str) -> Result<(), RedirectUriError> {
    if uri.len() > 2000 {
        return Err(RedirectUriError::TooLong);
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'*')) {
        return Err(RedirectUriError::Characters);
    }
    if uri.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    let url = Url::parse(uri).map_err(|_| RedirectUriError::NotAbsolute)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectUriError::Credentials);
    }
    match url.scheme() {
        "https" if is_canonical(uri, &url) => Ok(()),
        "http" if is_loopback(&url) && is_canonical(uri, &url) => Ok(()),
        "https" => Err(RedirectUriError::Characters),
        "http" if is_loopback(&url) => Err(RedirectUriError::Characters),
        "http" => Err(RedirectUriError::Insecure),
        scheme if scheme.contains('.') => Ok(()),
        _ => Err(RedirectUriError::Scheme),
    }
}

/// Whether a request may be answered at `presented`: it is one of the `registered` ones, character
/// by character, but for the port of a loopback address, which a native application learns only
/// when it starts to listen (RFC 8252, section 7.3).
pub(crate) fn is_registered(registered: &[String], presented: &str) -> bool {
    registered.iter().any(|known| {
        known == presented
            || matches!((without_port(known), without_port(presented)), (Some(a), Some(b)) if a == b)
    })
}

/// Where a redirect URI leads, as people and browsers name it: its origin, or the scheme of an
/// application's own.
pub(crate) fn destination(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    Some(match url.origin() {
        origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
        url::Origin::Opaque(_) => format!("{}:", url.scheme()),
    })
}

/// The source for `form-action`: browsers apply it to the redirect that follows a form. The grammar
/// of Content-Security-Policy has no IPv6 addresses, so that for `[::1]` it is the scheme.
pub(crate) fn form_action(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    match url.host() {
        Some(Host::Ipv6(_)) => Some(format!("{}:", url.scheme())),
        _ => destination(uri),
    }
}

/// The host and the rest of an http URI to a loopback address.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"].into_iter().find(|host| rest.starts_with(host))?;
    let rest = rest.strip_prefix(host)?;
    let after = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            let after = port.trim_start_matches(|c: char| c.is_ascii_digit());
            port.strip_suffix(after)?.parse::<u16>().ok()?;
            after
        }
    };
    matches!(after.bytes().next(), None | Some(b'/' | b'?')).then_some((host, after))
}

/// Whether it leads to this machine; names under `localhost` do (RFC 6761, section 6.3).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
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
            ("http://localhost:3000/cb", Ok(())),
            ("http://[::1]/cb", Ok(())),
            ("com.example.app:/cb", Ok(())),
            ("com.example.app://cb", Ok(())),
            ("", Err(NotAbsolute)),
            ("/cb", Err(NotAbsolute)),
            ("//app.example/cb", Err(NotAbsolute)),
            ("https://", Err(NotAbsolute)),
            ("https://app.example/#x", Err(Fragment)),
            ("https://user@app.example/", Err(Credentials)),
            ("https://app.example@evil.example/", Err(Credentials)),
            ("http://app.example/", Err(Insecure)),
            ("http://127.0.0.1.evil.example/", Err(Insecure)),
            ("javascript:alert(1)", Err(Scheme)),
            ("data:text/html,x", Err(Scheme)),
            ("myapp:/cb", Err(Scheme)),
            ("ftp://app.example/", Err(Scheme)),
            ("https://*.app.example/", Err(Characters)),
            ("https://app.example/a\\b", Err(Characters)),
            ("https://app.example/a b", Err(Characters)),
            ("https://app.example/a\nb", Err(Characters)),
            ("https://äpp.example/", Err(Characters)),
            ("https://App.example/", Err(Characters)),
            ("https://app.example:443/", Err(Characters)),
            ("https://app.example/../x", Err(Characters)),
            ("http://127.1/", Err(Characters)),
        ] {
            assert_eq!(check_redirect_uri(uri), result, "{uri}");
        }
        let long = format!("https://app.example/{}", "x".repeat(2000));
        assert_eq!(check_redirect_uri(&long), Err(TooLong));
    }

    #[test]
    fn a_loopback_port_is_free_and_nothing_else_is() {
        let registered = ["http://127.0.0.1/cb".to_owned(), "http://[::1]:80/cb".to_owned()];
        for uri in ["http://127.0.0.1/cb", "http://127.0.0.1:5555/cb", "http://[::1]/cb"] {
            assert!(is_registered(&registered, uri), "{uri}");
        }
        for uri in [
            "http://127.0.0.1:5555/cb/",
            "http://127.0.0.1:5555/cb?x",
            "http://127.0.0.1:5555@evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost/cb",
            "https://127.0.0.1/cb",
            "HTTP://127.0.0.1/cb",
            "http://[::1]:1.evil.example/cb",
        ] {
            assert!(!is_registered(&registered, uri), "{uri}");
        }
        assert!(!is_registered(&["http://localhost/cb".to_owned()], "http://localhost:1/cb"));
    }

    #[test]
    fn the_way_back_is_named_for_the_browser() {
        let back = |uri| form_action(uri).unwrap();
        assert_eq!(back("https://app.example/cb?x"), "https://app.example");
        assert_eq!(back("http://127.0.0.1:5555/cb"), "http://127.0.0.1:5555");
        assert_eq!(back("com.example.app:/cb"), "com.example.app:");
        assert_eq!(back("http://[::1]:5555/cb"), "http:", "which has no address in brackets");
        assert_eq!(destination("http://[::1]:5555/cb").unwrap(), "http://[::1]:5555");
    }

    proptest! {
        #[test]
        fn whatever_matches_leads_to_the_registered_host(uri in "http://(127\\.0\\.0\\.1|[a-z.@:/]{0,9})[:@/a-z0-9.?]{0,12}") {
            if is_registered(&["http://127.0.0.1/cb".to_owned()], &uri) {
                let url = Url::parse(&uri).unwrap();
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(url.path(), "/cb");
                prop_assert_eq!(url.username(), "");
            }
        }
    }
}
