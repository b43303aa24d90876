//! The issuer of a user, by the identifier that the user types (OpenID Connect Discovery 1.0, section 2;
//! RFC 7033).

use serde_json::Value;
use url::Url;

use crate::{form::FormWriter, json::read_object};

/// The link relation of an issuer.
const ISSUER: &str = "http://openid.net/specs/connect/1.0/issuer";
/// The longest identifier of a user, in bytes: an address has at most 254.
const LONGEST: usize = 254;

/// The identifier that a user typed, normalized (section 2.1): an e-mail address, a host or an https URL.
///
/// ```
/// use quadrille::oidc::UserIdentifier;
///
/// let typed = UserIdentifier::parse("joe@example.com")?;
/// assert_eq!(typed.resource(), "acct:joe@example.com");
/// assert_eq!(typed.host(), "example.com");
/// assert_eq!(
///     typed.webfinger_url().as_str(),
///     "https://example.com/.well-known/webfinger?resource=acct%3Ajoe%40example.com\
///      &rel=http%3A%2F%2Fopenid.net%2Fspecs%2Fconnect%2F1.0%2Fissuer",
/// );
/// # Ok::<(), quadrille::oidc::UserIdentifierError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserIdentifier {
    resource: String,
    url: Url,
}

/// The reason why a typed text identifies no user.
///
/// ```
/// use quadrille::oidc::{UserIdentifier, UserIdentifierError};
///
/// assert_eq!(UserIdentifier::parse("=example"), Err(UserIdentifierError::Scheme));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UserIdentifierError {
    /// It is empty, too long, or has white space or a control character.
    #[error("the identifier is empty, too long, or has a space in it")]
    Text,
    /// It is an XRI, or a URI that is neither `acct` nor `https`.
    #[error("the identifier is neither an e-mail address nor an https URL")]
    Scheme,
    /// It has no host, or no valid one.
    #[error("the identifier has no valid host")]
    Host,
}

impl UserIdentifier {
    /// Normalizes a typed text, without the white space around it. A fragment is dropped.
    ///
    /// # Errors
    /// [`UserIdentifierError`].
    pub fn parse(typed: &str) -> Result<Self, UserIdentifierError> {
        let typed = typed.trim();
        let is_odd = |char: char| char.is_whitespace() || char.is_control();
        if typed.is_empty() || typed.len() > LONGEST || typed.contains(is_odd) {
            return Err(UserIdentifierError::Text);
        }
        // Global context symbols of XRIs (section 2.1.1).
        if typed.starts_with(['=', '@', '!', '+', '$', '(']) {
            return Err(UserIdentifierError::Scheme);
        }
        let bare = typed.split_once('#').map_or(typed, |(bare, _)| bare);
        match scheme(bare) {
            Some("acct") => Self::account(bare.get(5..).unwrap_or_default()),
            Some("https") => Self::page(bare),
            Some(_) => Err(UserIdentifierError::Scheme),
            None => match bare.rsplit_once('@') {
                Some((_, host)) if !host.contains([':', '/', '?']) => Self::account(bare),
                _ => Self::page(&["https://", bare].concat()),
            },
        }
    }

    fn account(address: &str) -> Result<Self, UserIdentifierError> {
        let (user, host) = address.rsplit_once('@').ok_or(UserIdentifierError::Host)?;
        let url = Url::parse(&["https://", host].concat()).ok().filter(is_only_host);
        match url {
            Some(url) if !user.is_empty() => {
                Ok(Self { resource: ["acct:", address].concat(), url })
            }
            _ => Err(UserIdentifierError::Host),
        }
    }

    fn page(resource: &str) -> Result<Self, UserIdentifierError> {
        let url = Url::parse(resource).map_err(|_| UserIdentifierError::Host)?;
        match url.host_str() {
            Some(host) if !host.is_empty() => Ok(Self { resource: url.to_string(), url }),
            _ => Err(UserIdentifierError::Host),
        }
    }

    /// The resource of the request (section 2.1): an `acct` URI or an https URL.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The host that is asked, without a port.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The URL of the request (RFC 7033, section 4.1).
    pub fn webfinger_url(&self) -> Url {
        let mut url = self.url.clone();
        // Both are taken off an https URL.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_path("/.well-known/webfinger");
        let mut query = FormWriter::new();
        query.append("resource", &self.resource);
        query.append("rel", ISSUER);
        url.set_query(Some(&query.finish()));
        url
    }
}

/// The scheme of an identifier, in lower case, if it has one. `host:8080` has none.
fn scheme(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("acct:") {
        return Some("acct");
    }
    if lower.starts_with("https://") {
        return Some("https");
    }
    let (before, after) = lower.split_once(':')?;
    let is_port = after.split(['/', '?']).next().unwrap_or_default();
    let is_port = !is_port.is_empty() && is_port.bytes().all(|byte| byte.is_ascii_digit());
    (!is_port && !before.contains(['/', '?', '@', '['])).then_some("other")
}

fn is_only_host(url: &Url) -> bool {
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    has_host && url.port().is_none() && url.path() == "/" && url.username().is_empty()
}

/// The issuer in a response to a WebFinger request (section 2.2; RFC 7033, section 4.4): the first link
/// with its relation. `None` if there is none, or the response is no JSON object.
///
/// ```
/// use quadrille::oidc::issuer_in_webfinger;
///
/// let response = br#"{
///     "subject": "acct:joe@example.com",
///     "links": [{
///         "rel": "http://openid.net/specs/connect/1.0/issuer",
///         "href": "https://id.example.com"
///     }]
/// }"#;
/// assert_eq!(issuer_in_webfinger(response).as_deref(), Some("https://id.example.com"));
/// ```
pub fn issuer_in_webfinger(response: &[u8]) -> Option<String> {
    let members = read_object(response).ok()?;
    let links = members.get("links")?.as_array()?;
    let is_issuer = |link: &&Value| link.get("rel").and_then(Value::as_str) == Some(ISSUER);
    links.iter().find(is_issuer)?.get("href")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_type_is_normalized_by_the_specification() {
        for (typed, resource, host) in [
            ("joe@example.com", "acct:joe@example.com", "example.com"),
            ("  joe@example.com\n", "acct:joe@example.com", "example.com"),
            ("acct:joe@example.com", "acct:joe@example.com", "example.com"),
            // Section 2.2.4.
            (
                "acct:juliet%40capulet.example@shop.example",
                "acct:juliet%40capulet.example@shop.example",
                "shop.example",
            ),
            ("example.com", "https://example.com/", "example.com"),
            ("example.com:8080", "https://example.com:8080/", "example.com"),
            ("example.com/joe", "https://example.com/joe", "example.com"),
            ("example.com?x=y", "https://example.com/?x=y", "example.com"),
            ("https://example.com/joe", "https://example.com/joe", "example.com"),
            ("HTTPS://EXAMPLE.com/joe", "https://example.com/joe", "example.com"),
            ("https://example.com:8080/joe#me", "https://example.com:8080/joe", "example.com"),
            ("joe@example.com:8080", "https://joe@example.com:8080/", "example.com"),
            ("joe@example.com/path", "https://joe@example.com/path", "example.com"),
            ("joe@example.com#x", "acct:joe@example.com", "example.com"),
            ("münchen.example", "https://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example"),
        ] {
            let parsed = UserIdentifier::parse(typed).unwrap_or_else(|e| panic!("{typed}: {e}"));
            assert_eq!((parsed.resource(), parsed.host()), (resource, host), "{typed}");
            let url = parsed.webfinger_url();
            assert_eq!((url.scheme(), url.host_str()), ("https", Some(host)), "{typed}");
            assert!(url.path() == "/.well-known/webfinger" && url.username().is_empty(), "{url}");
        }
        let with_port = UserIdentifier::parse("example.com:8080").unwrap();
        assert_eq!(with_port.webfinger_url().port(), Some(8080));
    }

    #[test]
    fn what_identifies_nobody_is_refused() {
        use UserIdentifierError as E;
        let long = format!("{}@example.com", "x".repeat(LONGEST));
        for (typed, error) in [
            ("", E::Text),
            (" ", E::Text),
            ("joe example.com", E::Text),
            ("joe\u{0}@example.com", E::Text),
            (&*long, E::Text),
            ("=example", E::Scheme),
            ("@example", E::Scheme),
            ("!example", E::Scheme),
            ("http://example.com", E::Scheme),
            ("mailto:joe@example.com", E::Scheme),
            ("javascript:alert(1)", E::Scheme),
            ("file:///etc/passwd", E::Scheme),
            ("acct:joe", E::Host),
            ("acct:@example.com", E::Host),
            ("acct:joe@", E::Host),
            ("acct:joe@example.com:8080", E::Host),
            ("joe@", E::Host),
            ("https://", E::Host),
            ("exa%mple", E::Host),
        ] {
            assert_eq!(UserIdentifier::parse(typed), Err(error), "{typed:?}");
        }
    }

    #[test]
    fn an_answer_without_the_link_names_no_issuer() {
        for answer in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"links":{}}"#,
            r#"{"links":[{"rel":"other","href":"https://id.example"}]}"#,
            r#"{"links":[{"rel":"http://openid.net/specs/connect/1.0/issuer"}]}"#,
            r#"{"links":[{"rel":"http://openid.net/specs/connect/1.0/issuer","href":7}]}"#,
            r#"{"links":[],"links":[]}"#,
        ] {
            assert_eq!(issuer_in_webfinger(answer.as_bytes()), None, "{answer}");
        }
    }
}
