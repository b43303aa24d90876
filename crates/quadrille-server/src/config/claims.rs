//! The settings of the claims about users.

use std::collections::BTreeMap;

use quadrille::oidc::{STANDARD_CLAIMS, claims_of_scope};
use toml::Value;

use crate::{
    users::claims::{self, STANDARD},
    words::nearest,
};

use super::{
    error::ConfigError,
    found::Found,
    shown,
    value::{self, Expected},
};

const OWN: Expected = Expected::Other(
    "a table of names, none of them that of a standard claim, and what each claim is for people, \
     such as department = \"Department\" (as text: department=Department;groups=Groups)",
);
const NAMES: Expected = Expected::Other("names of claims, such as name,nickname,picture");

/// The settings of the claims about users.
#[derive(Clone, Debug, Default)]
pub struct ClaimSettings {
    /// The operator's own claims, each in words.
    pub own: BTreeMap<String, String>,
    /// The claims that users may edit about themselves.
    pub edited_by_users: Vec<String>,
}

impl ClaimSettings {
    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let own = found.or("claims", own, shown::scopes, BTreeMap::new())?;
        let by_users = "claims_that_users_edit";
        // Not those by which clients may take one user for another.
        let profile = STANDARD.iter().map(|claim| claim.name);
        let profile = profile.filter(|name| claims_of_scope("profile").contains(name));
        let default = profile.chain(["address"]).map(str::to_owned).collect();
        let edited_by_users = found.or(by_users, names, |list| shown::list(list), default)?;
        let settings = Self { own, edited_by_users };
        for name in &settings.edited_by_users {
            if settings.words(name).is_none() || claims::is_for_the_operator(name) {
                let known = settings.names().filter(|name| !claims::is_for_the_operator(name));
                return Err(ConfigError::UnknownClaim {
                    key: by_users,
                    name: name.clone(),
                    nearest: nearest(name, known).map(str::to_owned),
                });
            }
        }
        Ok(settings)
    }

    /// The names of all claims that users may have.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        STANDARD.iter().map(|claim| claim.name).chain(self.own.keys().map(String::as_str))
    }

    /// A claim in words; `None` if there is no such claim.
    pub fn words(&self, name: &str) -> Option<&str> {
        let own = self.own.get(name).map(String::as_str);
        own.or_else(|| claims::standard(name).map(|claim| claim.words))
    }

    /// The claims that a scope gives: the standard ones, or the operator's own one of this name.
    pub fn of_scope<'a>(&'a self, scope: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let own = self.own.get_key_value(scope).map(|(name, _)| name.as_str());
        claims_of_scope(scope).iter().copied().chain(own)
    }
}

/// Claims of the operator's own, none of which has the name of a standard one.
fn own(value: &Value) -> Result<BTreeMap<String, String>, Expected> {
    let own = value::scopes(value).map_err(|_| OWN)?;
    let is_taken = |name: &String| {
        STANDARD_CLAIMS.contains(&name.as_str())
            || ["iss", "aud", "exp", "iat", "nbf", "jti", "sid", "nonce", "acr", "amr", "azp"]
                .contains(&name.as_str())
            || name.ends_with("_hash")
            || name.contains('#')
    };
    if own.keys().any(is_taken) { Err(OWN) } else { Ok(own) }
}

fn names(value: &Value) -> Result<Vec<String>, Expected> {
    value::list(value, NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_other_claims_are_taken() {
        let read = |text: &str| own(&Value::from(text));
        let department = BTreeMap::from([("department".to_owned(), "Department".to_owned())]);
        assert_eq!(read("department=Department"), Ok(department));
        for taken in ["email=Mail", "sub=Subject", "at_hash=x", "sid=s", "name#de=Name"] {
            assert_eq!(read(taken), Err(OWN), "{taken}");
        }
        let settings =
            ClaimSettings { own: read("groups=Your groups").unwrap(), ..ClaimSettings::default() };
        assert_eq!(settings.of_scope("groups").collect::<Vec<_>>(), ["groups"]);
        assert_eq!(settings.of_scope("email").collect::<Vec<_>>(), ["email", "email_verified"]);
        assert_eq!((settings.words("groups"), settings.words("sub")), (Some("Your groups"), None));
    }
}
