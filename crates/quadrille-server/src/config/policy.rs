//! The settings that are rules of the authorization server.

use std::collections::BTreeMap;

use quadrille::{Policy, Scopes, scope::ScopeTree};
use toml::Value;

use crate::words::nearest;

use super::{
    error::ConfigError,
    found::Found,
    value::{self, Expected},
};

const SCOPE_TREE: &str = "scope_tree";
const WITHOUT_PKCE: &str =
    "allow_confidential_clients_without_pkce_so_that_leaked_codes_can_be_injected";
const TOKEN_ENDPOINT_AS_AUDIENCE: &str =
    "accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them";

const TREE: Expected = Expected::Other(
    "a table of scopes and those that each implies, such as photos = [\"photos:read\"] (as text: \
     photos=photos:read,photos:write;admin=photos)",
);

/// The scopes that each scope implies.
type Implied = BTreeMap<String, Scopes>;

/// Finds the rules of a server with these scopes.
pub(super) fn of(
    found: &mut Found,
    scopes: &BTreeMap<String, String>,
) -> Result<Policy, ConfigError> {
    let mut policy = Policy::safe().scope_tree(scope_tree(found, scopes)?);
    if found.switch(WITHOUT_PKCE)? {
        policy = policy.allow_confidential_clients_without_pkce();
    }
    if found.switch(TOKEN_ENDPOINT_AS_AUDIENCE)? {
        policy = policy
            .accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them();
    }
    let code = found.duration("code_lifetime", policy.code_lifetime)?;
    let access = found.duration("access_token_lifetime", policy.access_token_lifetime)?;
    let idle = found.duration("refresh_token_idle_lifetime", policy.refresh_token_idle_lifetime)?;
    let total =
        found.duration("refresh_token_total_lifetime", policy.refresh_token_total_lifetime)?;
    let policy = policy.code_lifetime(code).access_token_lifetime(access);
    Ok(policy.refresh_token_lifetimes(idle, total))
}

fn scope_tree(
    found: &mut Found,
    scopes: &BTreeMap<String, String>,
) -> Result<ScopeTree, ConfigError> {
    let implied = found.or(SCOPE_TREE, implied, show, Implied::new())?;
    let mut tree = ScopeTree::new();
    for (scope, others) in &implied {
        for name in std::iter::once(scope.as_str()).chain(others.iter()) {
            if !scopes.contains_key(name) {
                return Err(ConfigError::UnknownScope {
                    key: SCOPE_TREE,
                    name: name.to_owned(),
                    nearest: nearest(name, scopes.keys().map(String::as_str)).map(str::to_owned),
                });
            }
        }
        if others.contains("openid") {
            return Err(ConfigError::ImpliedOpenId { key: SCOPE_TREE });
        }
        tree = tree.implies(scope, others.iter());
    }
    Ok(tree)
}

/// A table of scopes to lists, or the text of one: `a=b,c;b=d`.
fn implied(value: &Value) -> Result<Implied, Expected> {
    let one = |name: &str, others: &Value| {
        let others = value::scope_names(others).ok().filter(|others| !others.is_empty());
        match (name.trim(), others) {
            ("", _) | (_, None) => Err(TREE),
            (name, Some(others)) => Ok((name.to_owned(), others)),
        }
    };
    match value {
        Value::Table(table) => table.iter().map(|(name, others)| one(name, others)).collect(),
        Value::String(text) => {
            let parts = text.split(';').filter(|part| !part.trim().is_empty());
            let pairs = parts.map(|part| {
                let (name, others) = part.split_once('=').ok_or(TREE)?;
                one(name, &Value::String(others.to_owned()))
            });
            pairs.collect()
        }
        _ => Err(TREE),
    }
}

fn show(implied: &Implied) -> String {
    let lines = implied.iter().map(|(scope, others)| {
        let others = others.as_str().replace(' ', ",");
        format!("{scope}={others}")
    });
    lines.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_a_table_or_a_text_and_each_scope_in_it_implies_some() {
        let shown = |value: &Value| implied(value).map(|implied| show(&implied));
        let text = |text: &str| shown(&Value::String(text.to_owned()));
        assert_eq!(text("b=c; a = b , c;"), Ok("a=b,c;b=c".to_owned()));
        assert_eq!(text(""), Ok(String::new()));
        let table = toml::from_str("a = [\"b\", \"c\"]\nb = \"c\"").unwrap();
        assert_eq!(shown(&Value::Table(table)), Ok("a=b,c;b=c".to_owned()));
        for wrong in ["a", "a=", "=b", "a=\"b\"", "a=b;c"] {
            assert_eq!(text(wrong), Err(TREE), "{wrong}");
        }
        assert_eq!(shown(&Value::Integer(1)), Err(TREE));
    }
}
