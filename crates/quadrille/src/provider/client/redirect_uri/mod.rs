//! Redirect URIs (RFC 6749, section 3.1.2): the checked type.

pub(crate) mod matching;
mod parts;
pub(super) mod pattern;
mod syntax;

pub use pattern::{RedirectPattern, RedirectPatternError};
pub use syntax::RedirectUriError;

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use parts::{authority, is_http};
use syntax::check;

/// A redirect URI that may be registered (RFC 6749, section 3.1.2), or the callback of an OAuth
/// 1.0a client (RFC 5849, section 2.1). Only a check makes one, so clients, documents and databases
/// have no others.
///
/// The URI is `https`, `http` to this machine, or has a private-use scheme of an application (RFC
/// 8252, section 7.1), which should have a dot:
/// [`can_be_claimed_by_other_programs`](Self::can_be_claimed_by_other_programs). It is written as browsers write it, so that they go exactly there: in
/// the characters of RFC 3986, without user name, password and fragment.
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
    /// The redirect URI `uri`, if it may be registered.
    ///
    /// # Errors
    /// [`RedirectUriError`].
    pub fn parse(uri: &str) -> Result<Self, RedirectUriError> {
        check(uri)?;
        Ok(Self(uri.into()))
    }

    /// The text of the URI, as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The destination in a form for users: the origin, or the application's own scheme with a
    /// colon.
    pub fn destination(&self) -> &str {
        let scheme = self.0.find(':').map_or(0, |at| at + 1);
        let end = match self.is_web() {
            true => authority(&self.0).map_or(scheme, |authority| scheme + 2 + authority.len()),
            false => scheme,
        };
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// `true` if any other program on the user's device can claim the URI's scheme, which has no
    /// dot: nobody owns such a name (RFC 8252, section 7.1). Only PKCE keeps the codes from such a
    /// program.
    ///
    /// ```
    /// use quadrille::provider::RedirectUri;
    ///
    /// assert!(RedirectUri::parse("photos:/callback")?.can_be_claimed_by_other_programs());
    /// let owned = RedirectUri::parse("com.example.photos:/callback")?;
    /// assert!(!owned.can_be_claimed_by_other_programs());
    /// # Ok::<(), quadrille::provider::RedirectUriError>(())
    /// ```
    pub fn can_be_claimed_by_other_programs(&self) -> bool {
        let scheme = self.0.split(':').next().unwrap_or("");
        !self.is_web() && !scheme.contains('.')
    }

    /// `true` if the URI is that of a page or of a server, not of a program.
    pub(crate) fn is_web(&self) -> bool {
        self.is_https() || is_http(&self.0)
    }

    /// `true` if only the owner of a host receives the answer.
    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https://")
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

/// Reads the redirect URIs of a stored client. An invalid one is left out, so that the client and
/// its other redirect URIs remain usable.
pub(crate) fn stored<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<RedirectUri>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    Ok(texts.iter().filter_map(|uri| usable(uri)).collect())
}

/// A redirect URI from a database or a document, if it is valid; an invalid one is logged.
pub(crate) fn usable(uri: &str) -> Option<RedirectUri> {
    RedirectUri::parse(uri)
        .inspect_err(
            |reason| tracing::warn!(redirect_uri = uri, %reason, "a redirect URI is left out"),
        )
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

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
        fn an_answer_leads_where_the_redirect_uri_does(
            uri in "(https|http|a\\.b|com\\.example\\.app):/{0,3}[a-z0-9@:.;,%?&/\\[\\]_-]{0,14}",
        ) {
            use crate::{oauth2::{AuthorizationResponse, ResponseMode}, form::Params};
            if let Ok(uri) = RedirectUri::parse(&uri) {
                let code = "c".into();
                let (state, iss, session_state) = (None, None, None);
                let answer = AuthorizationResponse::Code { code, state, iss, session_state };
                let location = answer.to_url(uri.as_str(), ResponseMode::Query).unwrap();
                prop_assert!(http::HeaderValue::try_from(&location).is_ok());
                let before = Url::parse(uri.as_str()).unwrap();
                let after = Url::parse(&location).unwrap();
                prop_assert_eq!(before.scheme(), after.scheme());
                prop_assert_eq!(before.host(), after.host());
                prop_assert_eq!(before.port(), after.port());
                prop_assert_eq!(before.path(), after.path());
                prop_assert!(after.username().is_empty() && after.password().is_none());
                let query = after.query().unwrap();
                let params = Params::parse(query.as_bytes()).unwrap();
                prop_assert!(params.many("code").any(|code| code == "c"));
                prop_assert!(location.starts_with(uri.destination()));
            }
        }
    }
}
