//! The scopes of OpenID Connect.

use std::collections::BTreeMap;

/// The scopes that the program offers with OpenID Connect, as the consent page says them.
const SCOPES: [(&str, &str); 2] =
    [("openid", "Know who you are"), ("profile", "See your user name")];

/// Adds the scopes of OpenID Connect, where the settings have no description of their own.
pub(super) fn add_scopes(scopes: &mut BTreeMap<String, String>) {
    for (name, description) in SCOPES {
        scopes.entry(name.to_owned()).or_insert_with(|| description.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_of_the_operator_remains() {
        let mut scopes = BTreeMap::from([("openid".to_owned(), "Log you in".to_owned())]);
        add_scopes(&mut scopes);
        assert_eq!(scopes["openid"], "Log you in");
        assert_eq!(scopes["profile"], "See your user name");
    }
}
