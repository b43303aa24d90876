//! The settings of issuers elsewhere whose JWTs the server accepts.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use quadrille::{
    jose::{Algorithm, Algorithms, KeySet},
    provider::TrustedIssuer,
};
use serde::Deserialize;
use toml::{Table, Value};

use crate::named_file;

use super::{
    error::{ConfigError, IssuerFault},
    found::Found,
    shown,
    value::{self, Expected},
};

/// An issuer elsewhere, with the purposes that its JWTs are accepted for.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The `iss` of its JWTs.
    pub issuer: Arc<str>,
    /// The purposes.
    pub purposes: Vec<Purpose>,
    /// The issuer for the authorization server, with its keys.
    pub trusted: TrustedIssuer,
    /// The users that its subjects are; `None` if no grant needs them.
    pub subjects: Option<Subjects>,
}

/// A purpose for which JWTs of an issuer are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Assertions that get tokens (RFC 7523, section 2.1).
    JwtBearer,
    /// Subject and actor tokens (RFC 8693, section 2.1).
    TokenExchange,
    /// Software statements for dynamic registration (RFC 7591, section 2.3).
    SoftwareStatements,
}

/// The users that the subjects of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subjects {
    /// A subject is the name of a user.
    UserNames,
    /// The names of users by subject. No other subject is a user.
    Table(BTreeMap<String, String>),
}

/// An issuer as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    trusted_for: Vec<Purpose>,
    jwks: Option<String>,
    jwks_file: Option<PathBuf>,
    jwks_uri: Option<String>,
    algorithms: Option<Vec<String>>,
    subjects: Option<Value>,
    requests_are_of_client: Option<String>,
    #[serde(default)]
    accept_assertions_without_jti_so_that_they_can_be_replayed: bool,
}

impl Purpose {
    /// The name in the settings.
    const fn as_str(self) -> &'static str {
        match self {
            Self::JwtBearer => "jwt-bearer",
            Self::TokenExchange => "token-exchange",
            Self::SoftwareStatements => "software-statements",
        }
    }
}

impl Subjects {
    /// The name of the user that a subject is, if there is one.
    pub fn user_name<'a>(&'a self, subject: &'a str) -> Option<&'a str> {
        match self {
            Self::UserNames => Some(subject),
            Self::Table(names) => names.get(subject).map(String::as_str),
        }
    }

    /// Whether a subject is the user with this name, who was found by
    /// [`user_name`](Self::user_name). A `sub` is compared byte by byte (RFC 7519, section 4.1.2):
    /// an issuer may have users `ADA` and `ada`. Names in a table are names that the operator
    /// typed.
    pub fn is(&self, subject: &str, name: &str) -> bool {
        match self {
            Self::UserNames => subject == name,
            Self::Table(names) => names.contains_key(subject),
        }
    }

    fn read(value: Value) -> Option<Self> {
        match value {
            Value::String(word) if word == "user-names" => Some(Self::UserNames),
            Value::Table(table) if !table.is_empty() => {
                let names = table.into_iter().map(|(subject, name)| match name {
                    Value::String(name) => Some((subject, name)),
                    _ => None,
                });
                names.collect::<Option<_>>().map(Self::Table)
            }
            _ => None,
        }
    }
}

impl Issuer {
    /// `true` if JWTs of the issuer get tokens: as assertions, or in token exchange.
    pub fn is_for_grants(&self) -> bool {
        [Purpose::JwtBearer, Purpose::TokenExchange].iter().any(|purpose| self.is_for(*purpose))
    }

    /// `true` if JWTs of the issuer are accepted for this purpose.
    pub fn is_for(&self, purpose: Purpose) -> bool {
        self.purposes.contains(&purpose)
    }

    fn read(issuer: &str, value: Value) -> Result<Self, IssuerFault> {
        let written: Written =
            value.try_into().map_err(|error| IssuerFault::Members(Box::new(error)))?;
        let mut trusted = match (written.jwks, written.jwks_file, written.jwks_uri) {
            (Some(jwks), None, None) => {
                TrustedIssuer::new(issuer, KeySet::parse(jwks.as_bytes())?)?
            }
            (None, Some(path), None) => {
                let read = named_file::bytes(&path);
                let jwks = read.map_err(|error| IssuerFault::File { path, error })?;
                TrustedIssuer::new(issuer, KeySet::parse(&jwks)?)?
            }
            (None, None, Some(uri)) => TrustedIssuer::with_keys_at(issuer, &uri)?,
            _ => return Err(IssuerFault::OneSource),
        };
        if let Some(names) = written.algorithms {
            trusted = trusted.algorithms(algorithms(&names).ok_or(IssuerFault::Algorithms)?);
        }
        let purposes = written.trusted_for;
        if purposes.is_empty() {
            return Err(IssuerFault::NoPurpose);
        }
        let [is_asserting, is_exchanged] =
            [Purpose::JwtBearer, Purpose::TokenExchange].map(|purpose| purposes.contains(&purpose));
        let is_for_grants = is_asserting || is_exchanged;
        let subjects = match (is_for_grants, written.subjects) {
            (true, Some(subjects)) => Some(Subjects::read(subjects).ok_or(IssuerFault::Subjects)?),
            (true, None) => return Err(IssuerFault::Subjects),
            (false, Some(_)) => return Err(IssuerFault::Unused("subjects")),
            (false, None) => None,
        };
        if let Some(client) = written.requests_are_of_client {
            if !is_asserting {
                return Err(IssuerFault::Unused("requests_are_of_client"));
            }
            trusted = trusted.requests_are_of_client(client);
        }
        if written.accept_assertions_without_jti_so_that_they_can_be_replayed {
            if !is_asserting {
                let member = "accept_assertions_without_jti_so_that_they_can_be_replayed";
                return Err(IssuerFault::Unused(member));
            }
            trusted = trusted.accept_assertions_without_jti_so_that_they_can_be_replayed();
        }
        Ok(Self { issuer: issuer.into(), purposes, trusted, subjects })
    }
}

/// Algorithms with public keys, by their names; `None` for others, or none at all.
fn algorithms(names: &[String]) -> Option<Algorithms> {
    let public = |name: &String| {
        Algorithm::parse(name).filter(|known| Algorithms::PUBLIC_KEY.contains(*known))
    };
    Algorithms::new(names.iter().map(public).collect::<Option<Vec<_>>>()?).ok()
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purposes: Vec<_> = self.purposes.iter().map(|purpose| purpose.as_str()).collect();
        write!(f, "{} ({})", self.issuer, purposes.join(" "))
    }
}

/// Finds the trusted issuers.
pub(super) fn of(found: &mut Found) -> Result<Vec<Issuer>, ConfigError> {
    const KEY: &str = "trusted_issuers";
    let shown = |table: &Table| table.keys().cloned().collect::<Vec<_>>().join(",");
    let table =
        found.optional(KEY, |value| value::table(value, Expected::Issuers), shown, "none")?;
    let issuers = table.into_iter().flatten().map(|(issuer, value)| {
        Issuer::read(&issuer, value).map_err(|fault| ConfigError::Issuer { issuer, fault })
    });
    let issuers: Vec<Issuer> = issuers.collect::<Result<_, _>>()?;
    if let Some(shown) = found.effective.iter_mut().find(|setting| setting.key == KEY)
        && !issuers.is_empty()
    {
        shown.value = shown::list(&issuers);
    }
    Ok(issuers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    fn read(text: &str) -> Result<Issuer, String> {
        let text = text.replace("JWKS", &format!("jwks = '''{JWKS}'''"));
        let value = Value::Table(toml::from_str(&text).unwrap());
        Issuer::read("https://partner.example", value).map_err(|fault| fault.to_string())
    }

    #[test]
    fn subjects_are_users_by_an_explicit_choice() {
        let bearer = "JWKS\ntrusted_for = ['jwt-bearer']\n";
        let named = read(&format!("{bearer}subjects = 'user-names'")).unwrap();
        let named = named.subjects.unwrap();
        assert_eq!(named.user_name("ada"), Some("ada"));
        assert!(named.is("ada", "ada") && !named.is("ADA", "ada"));
        let table = read(&format!("{bearer}subjects = {{ '17' = 'ada' }}")).unwrap();
        let subjects = table.subjects.unwrap();
        assert_eq!((subjects.user_name("17"), subjects.user_name("ada")), (Some("ada"), None));
        assert!(subjects.is("17", "Ada") && !subjects.is("ada", "Ada"));
        for wrong in ["", "subjects = 'any'", "subjects = {}", "subjects = { a = 1 }"] {
            let said = read(&format!("{bearer}{wrong}")).unwrap_err();
            assert!(said.contains("user-names"), "{wrong}: {said}");
        }
    }

    #[test]
    fn an_issuer_may_sign_with_some_algorithms_alone() {
        let of = |names: &str| {
            let text = format!(
                "JWKS\nalgorithms = [{names}]\ntrusted_for = ['jwt-bearer']\nsubjects = 'user-names'"
            );
            format!("{:?}", read(&text).unwrap().trusted)
        };
        assert_ne!(of("'ES256'"), of("'ES256', 'EdDSA'"));
        assert_eq!(of("'EdDSA', 'ES256'"), of("'ES256', 'EdDSA'"));
    }

    #[test]
    fn an_issuer_is_refused_with_the_reason() {
        for (wrong, words) in [
            ("JWKS", "trusted_for"),
            ("JWKS\ntrusted_for = []", "trusted_for is empty"),
            ("JWKS\ntrusted_for = ['all']", "unknown variant"),
            ("JWKS\nkeys = 1\ntrusted_for = ['jwt-bearer']", "unknown field `keys`"),
            ("trusted_for = ['jwt-bearer']", "one of them"),
            ("JWKS\njwks_uri = 'https://a.example'\ntrusted_for = ['jwt-bearer']", "one of them"),
            ("jwks = '{}'\ntrusted_for = ['jwt-bearer']", "its keys"),
            ("jwks = '{\"keys\":[]}'\ntrusted_for = ['jwt-bearer']", "usable public key"),
            ("jwks_uri = 'http://a.example'\ntrusted_for = ['jwt-bearer']", "https"),
            ("JWKS\ntrusted_for = ['software-statements']\nsubjects = 'user-names'", "no effect"),
            (
                "JWKS\ntrusted_for = ['token-exchange']\nsubjects = 'user-names'\n\
                 accept_assertions_without_jti_so_that_they_can_be_replayed = true",
                "no effect",
            ),
            (
                "JWKS\ntrusted_for = ['jwt-bearer']\naccept_assertions_without_jti = true",
                "replayed",
            ),
            ("JWKS\nalgorithms = []\ntrusted_for = ['jwt-bearer']", "algorithms"),
            ("JWKS\nalgorithms = ['HS256']\ntrusted_for = ['jwt-bearer']", "algorithms"),
            ("JWKS\nalgorithms = ['none']\ntrusted_for = ['jwt-bearer']", "algorithms"),
            ("jwks_file = '/no/such/file'\ntrusted_for = ['jwt-bearer']", "/no/such/file"),
        ] {
            let said = read(wrong).map(drop).unwrap_err();
            assert!(said.contains(words), "{wrong}: {said}");
        }
    }
}
