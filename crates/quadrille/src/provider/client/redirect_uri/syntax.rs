//! The syntax of redirect URIs that may be registered (RFC 6749, section 3.1.2; RFC 8252, section
//! 7).

use url::{Host, Url};

use crate::loopback::is_loopback;

use super::parts::{authority, split_port};

/// The parameters of an authorization response, in both protocols.
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

/// The greatest length of a redirect URI, in bytes.
const LONGEST: usize = 2000;

/// The reason why a redirect URI is not accepted for registration.
///
/// ```
/// use quadrille::provider::{RedirectUri, RedirectUriError};
///
/// let error = RedirectUri::parse("https://app.example/#top").unwrap_err();
/// assert_eq!(error, RedirectUriError::Fragment);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectUriError {
    /// The URI has no scheme, or is not a URI.
    #[error("the URI is not absolute: https://host/path")]
    NotAbsolute,
    /// The URI has a fragment (RFC 6749, section 3.1.2).
    #[error("the URI has a fragment")]
    Fragment,
    /// The URI has a user name or a password, which may be empty.
    #[error("the URI has a user name or password")]
    Credentials,
    /// The URI is `http`, and not to the machine itself.
    #[error("the URI is neither https nor http to 127.0.0.1, [::1] or localhost")]
    Insecure,
    /// The scheme is none of an application's own (RFC 8252, section 7.1): it has another use, or
    /// it has no dot where that is required.
    #[error(
        "the scheme is none of an application's own, which is a domain name in reverse: \
         com.example.app:/callback"
    )]
    Scheme,
    /// The host is neither a DNS name nor an address.
    #[error("the host is neither a DNS name nor an address")]
    Host,
    /// The host has letters beyond ASCII. Browsers write them in Punycode (RFC 3492).
    #[error("write a host with other letters than a to z as browsers send it: xn--...")]
    Unicode,
    /// The application's own scheme is followed by neither host nor path.
    #[error("the URI has no path after its scheme: com.example.app:/callback")]
    Empty,
    /// The URI has a character that is not allowed (RFC 3986, section 2, without the asterisk), or
    /// a browser would write it differently.
    #[error(
        "the URI is compared character by character: write it as a browser would, without \
         wildcards"
    )]
    Characters,
    /// The query has a parameter of the authorization response (RFC 6749, section 4.1.2; RFC 9207,
    /// section 2; RFC 5849, section 2.2): the client would read two values, and might use the wrong
    /// one.
    #[error(
        "the query has one of code, state, iss, error, error_description, error_uri, oauth_token \
         and oauth_verifier"
    )]
    Reserved,
    /// The URI is longer than 2000 bytes.
    #[error("the URI is longer than 2000 characters")]
    TooLong,
}

/// Checks that a browser goes exactly to `uri`, and that it leads to its owner only.
pub(super) fn check(uri: &str) -> Result<(), RedirectUriError> {
    if uri.len() > LONGEST {
        return Err(RedirectUriError::TooLong);
    }
    if uri.contains('#') {
        return Err(RedirectUriError::Fragment);
    }
    if !authority(uri).unwrap_or("").is_ascii() {
        return Err(RedirectUriError::Unicode);
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
        scheme if is_private_use(scheme) => uri == url.as_str(),
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

/// `true` if `name` can be a DNS name. A dot at its end stands for the root.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
}

/// `true` if `uri` has only the characters of RFC 3986, section 2, without the asterisk.
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

/// Schemes without a dot that browsers, systems and other protocols have a use for.
const TAKEN: &[&str] = &[
    "about",
    "acct",
    "afp",
    "android-app",
    "app",
    "apple-help",
    "bitcoin",
    "blob",
    "bzr",
    "callto",
    "chrome",
    "chrome-devtools",
    "chrome-extension",
    "chrome-native",
    "chrome-search",
    "chrome-untrusted",
    "cid",
    "content",
    "cvs",
    "data",
    "devtools",
    "dns",
    "edge",
    "facetime",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "geo",
    "git",
    "googlechrome",
    "googlechromes",
    "gopher",
    "hcp",
    "help",
    "hg",
    "http",
    "https",
    "imap",
    "imaps",
    "intent",
    "irc",
    "ircs",
    "itms",
    "itms-apps",
    "itms-books",
    "itms-bookss",
    "itms-pcast",
    "itms-services",
    "jar",
    "javascript",
    "ldap",
    "ldaps",
    "livescript",
    "magnet",
    "mailbox",
    "mailto",
    "maps",
    "market",
    "mhtml",
    "microsoft-edge",
    "mid",
    "mk",
    "mms",
    "mmsto",
    "mocha",
    "moz-anno",
    "moz-extension",
    "moz-icon",
    "moz-page-thumb",
    "moz-safe-about",
    "news",
    "nfs",
    "nntp",
    "oid",
    "opera",
    "pcast",
    "podcast",
    "podcasts",
    "pop",
    "pop3",
    "prefs",
    "rdp",
    "res",
    "resource",
    "rlogin",
    "rsync",
    "rtmp",
    "rtsp",
    "rtsps",
    "safari-extension",
    "safari-web-extension",
    "sched",
    "search",
    "search-ms",
    "settings",
    "sftp",
    "shell",
    "shortcuts",
    "sip",
    "sips",
    "smb",
    "sms",
    "smsto",
    "smtp",
    "snmp",
    "ssh",
    "ssh2",
    "steam",
    "svn",
    "tel",
    "telnet",
    "tftp",
    "tg",
    "urn",
    "vbscript",
    "view-source",
    "vnc",
    "wais",
    "webcal",
    "webcals",
    "ws",
    "wss",
    "wyciwyg",
    "x-apple-help",
    "x-apple-systempreferences",
    "x-man-page",
    "x-safari-http",
    "x-safari-https",
    "x-web-search",
    "xmpp",
];

/// `true` if a scheme can be an application's own: a reversed domain name (RFC 8252, section 7.1),
/// or a word without another use.
fn is_private_use(scheme: &str) -> bool {
    match scheme.contains('.') {
        true => scheme.split('.').all(|label| !label.is_empty()),
        // One letter is a drive of Windows.
        false => scheme.len() > 1 && !TAKEN.contains(&scheme) && !scheme.starts_with("ms-"),
    }
}

/// `true` if a browser goes exactly there: no upper-case host, no dot segments, no default port, no
/// octal address. A missing path is `/`.
fn is_canonical(uri: &str, url: &Url) -> bool {
    let canonical = url.as_str();
    uri == canonical
        || canonical.strip_suffix('/') == Some(uri)
        || uri.split_once('?').is_some_and(|(start, query)| {
            canonical.split_once("/?").is_some_and(|(a, b)| a == start && b == query)
        })
}

/// [`is_canonical`] with any port, the default one included.
fn is_canonical_but_for_the_port(uri: &str) -> bool {
    split_port(uri).is_some_and(|(start, _, rest)| {
        let plain = [start, rest].concat();
        Url::parse(&plain).is_ok_and(|url| is_canonical(&plain, &url))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("myapp:/cb", Ok(())),
            ("myapp://cb", Ok(())),
            ("my-app+1:cb", Ok(())),
            ("MyApp:/cb", Err(Characters)),
            ("myapp:", Err(Empty)),
            ("myapp://evil.example@cb", Err(Credentials)),
            ("c:/cb", Err(Scheme)),
            ("urn:ietf:wg:oauth:2.0:oob", Err(Scheme)),
            ("vbscript:x", Err(Scheme)),
            ("view-source:https://app.example/", Err(Scheme)),
            ("intent://cb", Err(Scheme)),
            ("mailto:ada@app.example", Err(Scheme)),
            ("tel:1", Err(Scheme)),
            ("wss://app.example/", Err(Scheme)),
            ("chrome-extension://cb/", Err(Scheme)),
            ("ms-settings:cb", Err(Scheme)),
            ("search-ms:cb", Err(Scheme)),
            ("microsoft-edge:cb", Err(Scheme)),
            ("mhtml:cb", Err(Scheme)),
            ("mk:cb", Err(Scheme)),
            ("hcp:cb", Err(Scheme)),
            ("help:cb", Err(Scheme)),
            ("x-apple-help:cb", Err(Scheme)),
            ("wyciwyg:cb", Err(Scheme)),
            ("steam:cb", Err(Scheme)),
            ("pcast:cb", Err(Scheme)),
            ("tg:cb", Err(Scheme)),
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
            ("https://\u{e4}pp.example/", Err(Unicode)),
            ("https://xn--bcher-kva.example/", Ok(())),
            ("https://app.example/\u{e4}", Err(Characters)),
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
            assert_eq!(check(uri), result, "{uri}");
        }
        let long = format!("https://app.example/{}", "x".repeat(2000));
        assert_eq!(check(&long), Err(TooLong));
    }
}
