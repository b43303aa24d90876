//! Patterns of redirect URIs, for deployments with a host name of their own each.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};

use crate::registered_domain::registered_domain;

use super::{RedirectUri, RedirectUriError};

/// A pattern of redirect URIs, such as `https://*.preview.example.com/callback`. The asterisk
/// stands for one label; all else is compared exactly. See
/// [`NewClient::redirect_uri_pattern_so_that_any_subdomain_receives_codes`][allow].
///
/// [allow]: crate::provider::NewClient::redirect_uri_pattern_so_that_any_subdomain_receives_codes
///
/// ```
/// use quadrille::provider::{RedirectPattern, RedirectPatternError};
///
/// let pattern = RedirectPattern::parse("https://*.preview.example.com/callback")?;
/// assert!(pattern.matches("https://pr-42.preview.example.com/callback"));
/// assert!(!pattern.matches("https://a.b.preview.example.com/callback"));
/// assert!(!pattern.matches("https://preview.example.com/callback"));
/// let refused = RedirectPattern::parse("https://*.example.com/callback").unwrap_err();
/// assert_eq!(refused, RedirectPatternError::Domain);
/// # Ok::<(), RedirectPatternError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RedirectPattern(Arc<str>);

/// The reason why a pattern of redirect URIs is not accepted.
///
/// ```
/// use quadrille::provider::{RedirectPattern, RedirectPatternError};
///
/// let error = RedirectPattern::parse("https://app.example/*").unwrap_err();
/// assert_eq!(error, RedirectPatternError::Asterisk);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectPatternError {
    /// The asterisk is not the first label of an https URI, or not the only one.
    #[error("a pattern has one asterisk, for the first label: https://*.preview.example.com/path")]
    Asterisk,
    /// The host would be anyone's: the part after the asterisk is a public suffix, or a domain that
    /// its owner registered, with all of its hosts.
    #[error(
        "the asterisk is below a name below a registered domain: https://*.preview.example.com/path"
    )]
    Domain,
    /// The rest is no redirect URI.
    #[error(transparent)]
    Uri(RedirectUriError),
}

/// The beginning of a pattern.
const START: &str = "https://*.";

impl RedirectPattern {
    /// The pattern `text`, if it may be registered.
    ///
    /// # Errors
    /// [`RedirectPatternError`].
    pub fn parse(text: &str) -> Result<Self, RedirectPatternError> {
        let rest = text.strip_prefix(START).ok_or(RedirectPatternError::Asterisk)?;
        if rest.contains('*') {
            return Err(RedirectPatternError::Asterisk);
        }
        let example = format!("https://a.{rest}");
        RedirectUri::parse(&example).map_err(RedirectPatternError::Uri)?;
        let base = host(rest);
        let example = format!("a.{base}");
        let domain = registered_domain(&example);
        let is_below = domain != base && base.ends_with(&format!(".{domain}"));
        if base.ends_with('.') || !is_below {
            return Err(RedirectPatternError::Domain);
        }
        Ok(Self(text.into()))
    }

    /// The text of the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `true` if the redirect URI has this pattern.
    pub fn matches(&self, uri: &str) -> bool {
        let (Some(pattern), Some(uri)) = (self.0.strip_prefix(START), uri.strip_prefix("https://"))
        else {
            return false;
        };
        let Some((label, rest)) = uri.split_once('.') else { return false };
        let base = host(pattern);
        // A label of its own may be a public suffix, too.
        rest == pattern
            && is_label(label)
            && registered_domain(&format!("{label}.{base}")) == registered_domain(base)
    }
}

/// The host at the beginning of a URI without its scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.split(':').next().unwrap_or(authority)
}

/// `true` for a label of a host name as browsers write it.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Reads the patterns of a stored client. An invalid one is left out.
pub(crate) fn stored<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<RedirectPattern>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let usable = |text: &String| {
        RedirectPattern::parse(text)
            .inspect_err(|reason| tracing::warn!(pattern = text, %reason, "a pattern is left out"))
            .ok()
    };
    Ok(texts.iter().filter_map(usable).collect())
}

impl fmt::Display for RedirectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RedirectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for RedirectPattern {
    type Err = RedirectPatternError;

    fn from_str(text: &str) -> Result<Self, RedirectPatternError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::parts::authority, *};
    use proptest::prelude::*;
    use url::Url;

    #[test]
    fn a_pattern_is_one_label_below_a_name_of_ones_own() {
        use RedirectPatternError::{Asterisk, Domain, Uri};
        for (text, result) in [
            ("https://*.preview.example.com/callback", Ok(())),
            ("https://*.preview.example.com:8443/callback?x=1", Ok(())),
            ("https://*.preview.example.co.uk/callback", Ok(())),
            ("https://*.preview.team.vercel.app/callback", Ok(())),
            ("https://*.xn--bcher-kva.example.com/", Ok(())),
            ("https://*.example.com/callback", Err(Domain)),
            ("https://*.com/callback", Err(Domain)),
            ("https://*.co.uk/callback", Err(Domain)),
            ("https://*.example.co.uk/callback", Err(Domain)),
            ("https://*.vercel.app/callback", Err(Domain)),
            ("https://*.team.vercel.app/callback", Err(Domain)),
            ("https://*.github.io/callback", Err(Domain)),
            ("https://*.s3.amazonaws.com/callback", Err(Domain)),
            ("https://*.compute.amazonaws.com/callback", Err(Domain)),
            ("https://*.localhost/callback", Err(Domain)),
            ("https://*.preview.example.com./callback", Err(Domain)),
            ("https://*.127.0.0.1/callback", Err(Uri(RedirectUriError::NotAbsolute))),
            ("http://*.preview.example.com/callback", Err(Asterisk)),
            ("https://*/callback", Err(Asterisk)),
            ("https://*preview.example.com/callback", Err(Asterisk)),
            ("https://x-*.preview.example.com/callback", Err(Asterisk)),
            ("https://*.*.preview.example.com/callback", Err(Asterisk)),
            ("https://*.preview.example.com/*", Err(Asterisk)),
            ("https://preview.example.com/callback", Err(Asterisk)),
            ("*.preview.example.com", Err(Asterisk)),
            ("com.example.app://*.preview.example.com/", Err(Asterisk)),
            ("https://*.Preview.example.com/", Err(Uri(RedirectUriError::Characters))),
            ("https://*.preview.example.com/#x", Err(Uri(RedirectUriError::Fragment))),
            ("https://*.x@evil.example.com/", Err(Uri(RedirectUriError::Credentials))),
            ("https://*.preview.example.com/../x", Err(Uri(RedirectUriError::Characters))),
            ("https://*.preview.example.com/cb?code=1", Err(Uri(RedirectUriError::Reserved))),
            ("", Err(Asterisk)),
        ] {
            assert_eq!(RedirectPattern::parse(text).map(drop), result, "{text}");
        }
    }

    #[test]
    fn nothing_that_only_looks_like_it_matches() {
        let pattern = RedirectPattern::parse("https://*.preview.example.com/callback").unwrap();
        for uri in [
            "https://a.preview.example.com/callback",
            "https://pr-42.preview.example.com/callback",
            "https://xn--bcher-kva.preview.example.com/callback",
        ] {
            assert!(pattern.matches(uri), "{uri}");
            RedirectUri::parse(uri).unwrap();
        }
        let long = format!("https://{}.preview.example.com/callback", "a".repeat(64));
        for uri in [
            "https://preview.example.com/callback",
            "https://.preview.example.com/callback",
            "https://a.b.preview.example.com/callback",
            "https://-a.preview.example.com/callback",
            "https://a-.preview.example.com/callback",
            "https://a_b.preview.example.com/callback",
            "https://A.preview.example.com/callback",
            "https://a.Preview.example.com/callback",
            "HTTPS://a.preview.example.com/callback",
            "http://a.preview.example.com/callback",
            "https://a.preview.example.com./callback",
            "https://a.preview.example.com:443/callback",
            "https://a.preview.example.com:8443/callback",
            "https://a.preview.example.com/callback/",
            "https://a.preview.example.com/callback?x",
            "https://a.preview.example.com/callback#",
            "https://a.preview.example.com/x/../callback",
            "https://a.preview.example.com//callback",
            "https://a.preview.example.com\\callback",
            "https://evil.com\\.preview.example.com/callback",
            "https://evil.com/.preview.example.com/callback",
            "https://evil.com#.preview.example.com/callback",
            "https://evil.com?.preview.example.com/callback",
            "https://evil.com@a.preview.example.com/callback",
            "https://a@b.preview.example.com/callback",
            "https://a:b@c.preview.example.com/callback",
            "https://a%2epreview.example.com/callback",
            "https://a%2e.preview.example.com/callback",
            "https://a\u{3002}preview.example.com/callback",
            "https://\u{e4}.preview.example.com/callback",
            "https://a .preview.example.com/callback",
            "https://a\t.preview.example.com/callback",
            "https://*.preview.example.com/callback",
            "https://a.preview.example.com.evil.com/callback",
            "https://a.previewXexample.com/callback",
            "https://apreview.example.com/callback",
            "//a.preview.example.com/callback",
            "",
            &long,
        ] {
            assert!(!pattern.matches(uri), "{uri}");
        }
    }

    proptest! {
        #[test]
        fn a_matching_host_is_below_the_pattern(
            label in "[-a-z0-9.@:/\\\\%A-Z#?\u{e4}]{0,8}",
            tail in prop_oneof![Just("/callback"), Just("/"), Just("@evil.com/callback")],
        ) {
            let pattern =
                RedirectPattern::parse("https://*.preview.example.com/callback").unwrap();
            let uri = format!("https://{label}.preview.example.com{tail}");
            if pattern.matches(&uri) {
                prop_assert!(RedirectUri::parse(&uri).is_ok());
                let url = Url::parse(&uri).unwrap();
                let host = url.host_str().unwrap();
                prop_assert_eq!(host, format!("{label}.preview.example.com"));
                prop_assert_eq!(host.split('.').count(), 4);
                prop_assert_eq!(url.path(), "/callback");
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert_eq!(authority(&uri), Some(host));
            }
        }
    }
}
