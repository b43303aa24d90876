//! The settings of token exchange (RFC 8693).

use std::{collections::BTreeMap, sync::Arc};

use quadrille::{oauth2::Resources, provider::Exchanged};
use serde::Deserialize;
use toml::{Table, Value};

use crate::words::nearest;

use super::{
    error::{ConfigError, ExchangeFault},
    found::Found,
    issuers::{Issuer, Purpose},
    value::{self, Expected},
};

/// The setting.
const KEY: &str = "token_exchange";

/// The tokens that clients may exchange, by the `client_id` of the client that exchanges. Token
/// exchange is off if there is no such client.
pub type ExchangeRules = BTreeMap<Arc<str>, ExchangeRule>;

/// The tokens that a client may exchange.
#[derive(Clone, Debug)]
pub struct ExchangeRule {
    /// The `client_id` of each client whose tokens it may exchange.
    pub tokens_of: Vec<String>,
    /// The issuers whose JWTs it may exchange.
    pub jwts_of: Vec<String>,
    /// The kind of the exchange.
    pub kind: ExchangeKind,
    /// The APIs that the new token may be for although the old one is not.
    pub further_audience: Resources,
}

/// The kind of an exchange (RFC 8693, section 1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeKind {
    /// The new token says who acts for the user.
    #[default]
    Delegation,
    /// The new token does not say that it comes from an exchange.
    ImpersonationWhichHidesTheExchangeFromApis,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    tokens_of: Vec<String>,
    #[serde(default)]
    jwts_of: Vec<String>,
    #[serde(default)]
    kind: ExchangeKind,
    #[serde(default)]
    allow_audience_that_the_subject_token_does_not_have: Vec<String>,
}

impl ExchangeRule {
    /// Whether the client may exchange this subject token: one of a client of this server, or a JWT
    /// of an issuer elsewhere.
    pub fn allows(&self, client: Option<&str>, issuer: Option<&str>) -> bool {
        // A JWT names a client of its issuer, which may have the same identifier as one of ours.
        match (issuer, client) {
            (Some(issuer), _) => self.jwts_of.iter().any(|known| known == issuer),
            (None, Some(client)) => self.tokens_of.iter().any(|known| known == client),
            (None, None) => false,
        }
    }

    /// The exchange that the rule allows.
    pub fn exchanged(&self) -> Exchanged {
        let exchanged = match self.kind {
            ExchangeKind::Delegation => Exchanged::delegation(),
            ExchangeKind::ImpersonationWhichHidesTheExchangeFromApis => Exchanged::impersonation(),
        };
        let further = self.further_audience.clone();
        exchanged.allow_audience_that_the_subject_token_does_not_have(further)
    }

    fn read(value: Value, issuers: &[Issuer], apis: &Resources) -> Result<Self, ExchangeFault> {
        let written: Written =
            value.try_into().map_err(|error| ExchangeFault::Members(Box::new(error)))?;
        if written.tokens_of.is_empty() && written.jwts_of.is_empty() {
            return Err(ExchangeFault::NoTokens);
        }
        let trusted = issuers.iter().filter(|issuer| issuer.is_for(Purpose::TokenExchange));
        let trusted: Vec<&str> = trusted.map(|issuer| &*issuer.issuer).collect();
        if let Some(name) = written.jwts_of.iter().find(|name| !trusted.contains(&name.as_str())) {
            let nearest = nearest(name, trusted.into_iter()).map(str::to_owned);
            return Err(ExchangeFault::UntrustedIssuer { issuer: name.clone(), nearest });
        }
        let further = written.allow_audience_that_the_subject_token_does_not_have;
        let unknown = |uri: &str| {
            let nearest = nearest(uri, apis.iter()).map(str::to_owned);
            ExchangeFault::UnknownResource { uri: uri.to_owned(), nearest }
        };
        if let Some(uri) = further.iter().find(|uri| !apis.contains(uri)) {
            return Err(unknown(uri));
        }
        let further_audience = Resources::of(further.iter().map(String::as_str))
            .map_err(|_| unknown(&further.join(" ")))?;
        let (tokens_of, jwts_of) = (written.tokens_of, written.jwts_of);
        Ok(Self { tokens_of, jwts_of, kind: written.kind, further_audience })
    }
}

/// Finds the rules.
pub(super) fn of(
    found: &mut Found,
    issuers: &[Issuer],
    apis: &Resources,
) -> Result<ExchangeRules, ConfigError> {
    let parse = |value: &Value| value::table(value, Expected::Exchange);
    let table = found.optional(KEY, parse, Table::to_string, "off")?;
    let rules = table.into_iter().flatten().map(|(client, value)| {
        match ExchangeRule::read(value, issuers, apis) {
            Ok(rule) => Ok((client.into(), rule)),
            Err(fault) => Err(ConfigError::Exchange { client, fault }),
        }
    });
    let rules: ExchangeRules = rules.collect::<Result<_, _>>()?;
    if let Some(shown) = found.effective.iter_mut().find(|setting| setting.key == KEY)
        && !rules.is_empty()
    {
        let lines = rules.iter().map(|(client, rule)| {
            format!("{client} of {}", [&rule.tokens_of[..], &rule.jwts_of].concat().join(" "))
        });
        shown.value = lines.collect::<Vec<_>>().join(",");
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ExchangeRule, String> {
        let value = Value::Table(toml::from_str(text).unwrap());
        let rule = ExchangeRule::read(value, &[], &Resources::EMPTY);
        rule.map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_jwt_of_another_issuer_is_no_token_of_a_client_here() {
        let rule = read("tokens_of = ['shop']").unwrap();
        assert_eq!(rule.kind, ExchangeKind::Delegation);
        assert!(rule.allows(Some("shop"), None));
        assert!(!rule.allows(Some("other"), None) && !rule.allows(None, None));
        assert!(!rule.allows(Some("shop"), Some("https://partner.example")));
    }

    #[test]
    fn a_rule_is_refused_with_the_reason() {
        for (wrong, words) in [
            ("", "tokens_of"),
            ("tokens_for = ['shop']", "unknown field `tokens_for`"),
            ("tokens_of = 'shop'", "sequence"),
            ("tokens_of = ['shop']\nkind = 'impersonation'", "impersonation-which-hides"),
            ("jwts_of = ['https://partner.example']", "token-exchange"),
            (
                "tokens_of = ['shop']\n\
                 allow_audience_that_the_subject_token_does_not_have = ['https://a.example']",
                "resources",
            ),
        ] {
            let said = read(wrong).map(drop).unwrap_err();
            assert!(said.contains(words), "{wrong}: {said}");
        }
    }
}
