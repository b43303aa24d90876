//! The issuer: the URL that names an authorization server.

use std::sync::Arc;

use url::Url;

use super::token::format::sha256;
use crate::loopback::is_loopback;

/// The reason why a URL cannot be an issuer (RFC 8414, section 2).
///
/// ```
/// use quadrille::provider::{IssuerError, check_issuer};
///
/// assert_eq!(check_issuer("https://id.example/"), Err(IssuerError::TrailingSlash));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The URL is not an absolute http or https URL in the form that browsers write.
    #[error("the issuer must be a URL such as https://id.example, written as a browser would")]
    Malformed,
    /// The URL is plain http, and not on this machine.
    #[error("the issuer must be https, or http on 127.0.0.1, [::1] or localhost")]
    Insecure,
    /// The URL has a query, a fragment, a user name or a password.
    #[error("the issuer holds no query, fragment, user name or password")]
    Extra,
    /// The URL ends with a slash.
    #[error("leave out the slash at the end of the issuer")]
    TrailingSlash,
}

/// Checks that `issuer` can be an issuer (RFC 8414, section 2).
///
/// ```
/// use quadrille::provider::{IssuerError, check_issuer};
///
/// assert_eq!(check_issuer("https://id.example"), Ok(()));
/// assert_eq!(check_issuer("http://id.localhost:4004"), Ok(()));
/// assert_eq!(check_issuer("http://id.example"), Err(IssuerError::Insecure));
/// ```
///
/// # Errors
/// [`IssuerError`].
pub fn check_issuer(issuer: &str) -> Result<(), IssuerError> {
    Issuer::parse(issuer).map(|_| ())
}

/// A valid issuer and its parts.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    url: Arc<str>,
    origin: Arc<str>,
    path: Arc<str>,
    https: bool,
    /// A mark that distinguishes its cookies from those of another issuer on the same host.
    mark: Arc<str>,
}

/// The number of bytes of a digest of the issuer in the names of its cookies, in hexadecimal.
const MARK: usize = 5;

impl Issuer {
    pub(crate) fn parse(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(IssuerError::Insecure),
            _ => return Err(IssuerError::Malformed),
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(IssuerError::Extra);
        }
        if text.ends_with('/') {
            return Err(IssuerError::TrailingSlash);
        }
        if url.as_str().trim_end_matches('/') != text {
            return Err(IssuerError::Malformed);
        }
        let https = url.scheme() == "https";
        let origin = url.origin().ascii_serialization().into();
        let path = url.path().trim_end_matches('/').into();
        let digest = sha256(text.as_bytes());
        let mark: String = digest.iter().take(MARK).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { url: text.into(), origin, path, https, mark: mark.into() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &Arc<str> {
        &self.origin
    }

    /// The path, without a slash at the end: empty for most.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// The name of a cookie of this issuer. Browsers keep one set of cookies for all ports of a
    /// host, and `__Host-` leaves no path to distinguish two issuers by.
    pub(crate) fn cookie_name(&self, what: &str) -> String {
        let prefix = if self.https { "__Host-" } else { "" };
        format!("{prefix}quadrille-id-{what}-{}", self.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_https_or_on_this_machine_and_nothing_else_is_in_it() {
        for (text, path) in [
            ("https://id.example", ""),
            ("https://id.example:8443/tenant/7", "/tenant/7"),
            ("http://127.0.0.1:8080", ""),
            ("http://localhost", ""),
            ("http://id.localhost:4004", ""),
            ("http://[::1]:1", ""),
        ] {
            let issuer = Issuer::parse(text).unwrap();
            assert_eq!((issuer.as_str(), issuer.path()), (text, path));
        }
        for (text, error) in [
            ("id.example", IssuerError::Malformed),
            ("ftp://id.example", IssuerError::Malformed),
            ("https://ID.example", IssuerError::Malformed),
            ("https://id.example/a/../b", IssuerError::Malformed),
            ("http://id.example", IssuerError::Insecure),
            ("http://notlocalhost", IssuerError::Insecure),
            ("https://id.example?x", IssuerError::Extra),
            ("https://id.example#x", IssuerError::Extra),
            ("https://user@id.example", IssuerError::Extra),
            ("https://id.example/", IssuerError::TrailingSlash),
        ] {
            assert_eq!(Issuer::parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn issuers_on_one_host_name_their_cookies_differently() {
        let name = |issuer| Issuer::parse(issuer).unwrap().cookie_name("session");
        let names = [
            name("http://localhost:4004"),
            name("http://localhost:4005"),
            name("https://id.example"),
            name("https://id.example:8443"),
            name("https://id.example/tenant"),
        ];
        assert_eq!(names.iter().collect::<std::collections::HashSet<_>>().len(), names.len());
        assert!(names[0].starts_with("quadrille-id-session-"), "{}", names[0]);
        assert!(names[2].starts_with("__Host-quadrille-id-session-"), "{}", names[2]);
        assert_eq!(names[2], name("https://id.example"), "the same after a restart");
    }
}
