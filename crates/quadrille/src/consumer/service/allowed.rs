//! The choices that an application leaves to requests to log in: parameters and scopes on its
//! lists, and the callback of those that scripts send.

use std::borrow::Cow;

use url::Url;

use crate::{
    Scopes,
    consumer::error::{BrowserError, OperatorError},
    form::Params,
    loopback::is_secure,
};

use super::{claims_providers::ClaimsProviders, endpoint::is_graphic};

/// The parameters that the login itself writes into an authorization request.
const WRITTEN: [&str; 8] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "nonce",
];
/// Further parameters that decide what is authorized and how the response arrives, and those of the
/// login route and the callback. Code may set them; a link may not.
const NEVER_BY_LINK: [&str; 18] = [
    "authorization_details",
    "client_assertion",
    "client_assertion_type",
    "client_secret",
    "code",
    "dpop_jkt",
    "error",
    "id_token",
    "iss",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "ask",
    "next",
    "only",
    "popup",
    "posted",
];
/// The parameters of OAuth 1 (RFC 5849, section 3.1).
const OAUTH1: &str = "oauth_";
/// The length of a parameter's name in bytes.
const LONGEST_NAME: usize = 40;
/// The length of a parameter's value in bytes.
const LONGEST_VALUE: usize = 1024;

/// The allow-list of one registration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) parameters: Vec<Cow<'static, str>>,
    pub(crate) scopes: Scopes,
    /// The callback of logins that a script or a program begins, if it is another.
    pub(crate) json_callback: Option<Cow<'static, str>>,
    /// Whether ID tokens that pages and apps present log in.
    pub(crate) id_tokens: bool,
    /// The further clients of this application, whose ID tokens log in.
    pub(crate) clients: Vec<Cow<'static, str>>,
    /// The claims providers whose claims are accepted.
    pub(crate) claims_providers: Option<ClaimsProviders>,
}

impl Allowed {
    /// Checks the list.
    pub(crate) fn check(&self, service: &str) -> Result<(), OperatorError> {
        if let Some(name) = self.parameters.iter().find(|name| !is_for_links(name)) {
            return Err(reserved(service, name));
        }
        match &self.json_callback {
            Some(callback) if !is_callback(callback) => {
                Err(OperatorError::JsonCallbackMalformed { service: service.into() })
            }
            _ => Ok(()),
        }
    }

    /// The parameters on the list that a request to log in has. All others are ignored.
    ///
    /// # Errors
    /// [`BrowserError::LoginMalformed`] for one that is repeated, malformed, too long, or contains
    /// a control character.
    pub(crate) fn read(&self, params: &Params<'_>) -> Result<Vec<(String, String)>, BrowserError> {
        let mut read = Vec::new();
        for name in &self.parameters {
            let mut values = params.many(name);
            let value = values.next();
            let is_repeated = values.next().is_some();
            if is_repeated || params.broken_names().any(|broken| broken == &**name) {
                return Err(BrowserError::LoginMalformed);
            }
            let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
            check_value(value)?;
            read.push((name.clone().into_owned(), value.to_owned()));
        }
        Ok(read)
    }

    /// The scopes on the list that a request to log in has, separated by spaces. All others are
    /// ignored.
    ///
    /// # Errors
    /// [`BrowserError::LoginMalformed`] if they are repeated or malformed.
    pub(crate) fn read_scopes(&self, params: &Params<'_>) -> Result<Scopes, BrowserError> {
        if self.scopes.is_empty() {
            return Ok(Scopes::EMPTY);
        }
        let asked = params.one("scope").map_err(|_| BrowserError::LoginMalformed)?.unwrap_or("");
        Ok(Scopes::of(asked.split(' ').filter(|scope| self.scopes.contains(scope))))
    }
}

/// Checks the value of a parameter that a link chooses.
///
/// # Errors
/// [`BrowserError::LoginMalformed`] for one that is too long or has a control character.
pub(crate) fn check_value(value: &str) -> Result<(), BrowserError> {
    match value.len() > LONGEST_VALUE || value.chars().any(char::is_control) {
        true => Err(BrowserError::LoginMalformed),
        false => Ok(()),
    }
}

/// Checks parameters that the application adds to authorization requests.
pub(crate) fn check_written<N: AsRef<str>, V>(
    service: &str,
    parameters: &[(N, V)],
) -> Result<(), OperatorError> {
    match parameters.iter().find(|(name, _)| is_written(name.as_ref())) {
        Some((name, _)) => Err(reserved(service, name.as_ref())),
        None => Ok(()),
    }
}

/// Whether this is an `https` URL, `http` on this machine, or a URI of a program's own scheme,
/// which is a reversed domain name (RFC 8252, section 7.1).
fn is_callback(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let fits = match url.scheme() {
        "http" | "https" => is_secure(&url) && url.has_host(),
        scheme => scheme.contains('.'),
    };
    fits && is_graphic(text) && url.fragment().is_none()
}

fn is_written(name: &str) -> bool {
    WRITTEN.iter().any(|known| known.eq_ignore_ascii_case(name))
        || name.get(..OAUTH1.len()).is_some_and(|start| start.eq_ignore_ascii_case(OAUTH1))
}

fn is_for_links(name: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.bytes().all(fit)
        && !is_written(name)
        && !NEVER_BY_LINK.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn reserved(service: &str, name: &str) -> OperatorError {
    OperatorError::ParameterReserved { service: service.into(), name: name.into() }
}

/// The parameters of a service's description, without those that one request replaces, and those of
/// the request. No parameter is repeated (RFC 6749, section 3.1).
pub(crate) fn merged<'a>(
    usual: &'a [(Cow<'static, str>, Cow<'static, str>)],
    own: &'a [(String, String)],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let is_last = |at: usize, name: &str| own.iter().skip(at).all(|(other, _)| other != name);
    let kept = usual.iter().filter(move |(name, _)| is_last(0, name));
    let own = own.iter().enumerate().filter(move |(at, (name, _))| is_last(at + 1, name));
    let kept = kept.map(|(name, value)| (&**name, &**value));
    kept.chain(own.map(|(_, (name, value))| (&**name, &**value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_the_authorization_is_on_no_list() {
        for name in WRITTEN.into_iter().chain(NEVER_BY_LINK) {
            assert!(!is_for_links(name), "{name}");
            assert!(!is_for_links(&name.to_uppercase()), "{name}");
        }
        let long = "x".repeat(41);
        for name in ["", "oauth_token", "OAuth_callback", "a b", "a=b", "a&b", "é", "a\n", &long] {
            assert!(!is_for_links(name), "{name:?}");
        }
        for name in ["prompt", "login_hint", "hd", "kc_idp_hint", "ui_locales", "oauth"] {
            assert!(is_for_links(name), "{name}");
        }
    }

    #[test]
    fn the_last_word_on_a_parameter_counts_and_is_the_only_one() {
        let usual = [("prompt".into(), "consent".into()), ("hd".into(), "a.example".into())];
        let own = [("prompt", "none"), ("x", "1"), ("prompt", "login")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let all: Vec<_> = merged(&usual, &own).collect();
        assert_eq!(all, [("hd", "a.example"), ("x", "1"), ("prompt", "login")]);
    }
}
