//! The settings of OpenID Connect.

use std::{borrow::Cow, collections::BTreeMap, net::SocketAddr};

use quadrille::oauth2::ResponseType;
use toml::Value;

use crate::issuer::Issuer;

use super::{
    Settings,
    claims::ClaimSettings,
    error::ConfigError,
    found::Found,
    value::{self, Expected},
};

/// The scopes that the program offers with OpenID Connect, as the consent page says them.
const SCOPES: [(&str, &str); 5] = [
    ("openid", "Know who you are"),
    ("profile", "See your user name and profile"),
    ("email", "See your e-mail address"),
    ("address", "See your postal address"),
    ("phone", "See your phone number"),
];

/// The settings of OpenID Connect.
#[derive(Clone, Debug)]
pub struct OpenIdSettings {
    /// `true` if clients can learn who their users are.
    pub enabled: bool,
    /// The response types beside `code`.
    pub response_types: Vec<ResponseType>,
    /// The claims about users.
    pub claims: ClaimSettings,
}

impl OpenIdSettings {
    /// Without OpenID Connect.
    pub fn off() -> Self {
        Self { enabled: false, response_types: Vec::new(), claims: ClaimSettings::default() }
    }

    /// Builds the settings from the found values. OpenID Connect is on by default for a provider of this
    /// machine, for a first try, and else if the operator wants it.
    pub(super) fn of(
        found: &mut Found,
        listen: SocketAddr,
        issuer: Option<&Issuer>,
    ) -> Result<Self, ConfigError> {
        let is_here = listen.ip().is_loopback() && issuer.is_none_or(|issuer| !issuer.is_https());
        let shown = |types: &Vec<ResponseType>| {
            types.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(",")
        };
        Ok(Self {
            enabled: found.or("openid", value::switch, ToString::to_string, is_here)?,
            response_types: found.or("openid_response_types", named, shown, Vec::new())?,
            claims: ClaimSettings::of(found)?,
        })
    }

    /// `true` if ID tokens are in redirects, which clients need a grant for.
    pub(super) fn redirects_tokens(&self) -> bool {
        self.enabled && self.response_types.iter().any(|it| it.has_id_token() && !it.has_token())
    }

    /// Adds the scopes of OpenID Connect, where the settings have no description of their own.
    pub(super) fn add_scopes(&self, scopes: &mut BTreeMap<String, String>) {
        for (name, description) in SCOPES.iter().filter(|_| self.enabled) {
            scopes.entry((*name).to_owned()).or_insert_with(|| (*description).to_owned());
        }
    }
}

impl Settings {
    /// The settings for a database whose issuer is known already: for a public one, OpenID Connect is not
    /// on by default.
    pub fn for_issuer(&self, issuer: Option<&Issuer>) -> Cow<'_, Self> {
        let is_public = issuer.is_some_and(Issuer::is_https);
        if !is_public || !self.openid.enabled || !self.is_default("openid") {
            return Cow::Borrowed(self);
        }
        let mut settings = self.clone();
        settings.openid.enabled = false;
        for (name, description) in SCOPES {
            if settings.scopes.get(name).is_some_and(|known| known == description) {
                settings.scopes.remove(name);
            }
        }
        Cow::Owned(settings)
    }
}

/// Response types beside those of RFC 6749, whose words have any order.
fn named(value: &Value) -> Result<Vec<ResponseType>, Expected> {
    let known = |name: &String| {
        ResponseType::parse(name)
            .filter(|it| !matches!(it, ResponseType::Code | ResponseType::Token))
    };
    let names = value::list(value, Expected::ResponseTypes)?;
    names.iter().map(|name| known(name).ok_or(Expected::ResponseTypes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_of_the_operator_remains() {
        let mut scopes = BTreeMap::from([("openid".to_owned(), "Log you in".to_owned())]);
        let on = OpenIdSettings { enabled: true, ..OpenIdSettings::off() };
        on.add_scopes(&mut scopes);
        assert_eq!(scopes["openid"], "Log you in");
        assert_eq!(scopes["email"], "See your e-mail address");
        let mut none = BTreeMap::new();
        OpenIdSettings::off().add_scopes(&mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn response_types_are_those_of_openid_connect() {
        let read = |text: &str| named(&Value::from(text));
        let types = Ok(vec![ResponseType::IdToken, ResponseType::CodeIdToken]);
        assert_eq!(read("id_token, id_token code"), types);
        for other in ["code", "token", "none", "id_token id_token"] {
            assert_eq!(read(other), Err(Expected::ResponseTypes), "{other}");
        }
    }
}
