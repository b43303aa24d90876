//! The authentication context classes that a request wants: a pure decision (OpenID Connect Core,
//! sections 3.1.2.1 and 5.5.1.1; RFC 9470, section 4).

use std::sync::Arc;

use serde_json::Value;

use crate::{Policy, oidc::ClaimRequest};

use super::error::AuthorizeError;

/// The classes of which the authentication must be one, by `acr_values` of a request of plain OAuth.
/// Empty for any.
pub(super) fn required(
    acr_values: Option<&str>,
    policy: &Policy,
) -> Result<Vec<Arc<str>>, AuthorizeError> {
    let known = known(words(acr_values), policy);
    let is_unmet = known.is_empty() && !policy.acr_values.is_empty();
    match is_unmet && words(acr_values).next().is_some() {
        true => Err(AuthorizeError::AuthenticationUnmet),
        false => Ok(known),
    }
}

/// The classes of which the authentication must be one, by a request of OpenID Connect. The values of
/// the claim `acr` are an error if they are essential and the server knows none of them; otherwise, and
/// in `acr_values`, unknown ones are ignored, since they request a voluntary claim. A client's defaults
/// are for requests with neither. Empty for any.
pub(super) fn wanted(
    acr_values: Option<&str>,
    claim: Option<&ClaimRequest>,
    default: &[Arc<str>],
    policy: &Policy,
) -> Result<Vec<Arc<str>>, AuthorizeError> {
    match (claim, acr_values) {
        (Some(claim), _) if !claim.values.is_empty() => {
            let known = known(texts(claim), policy);
            match claim.essential && known.is_empty() {
                true => Err(AuthorizeError::AuthenticationUnmet),
                false => Ok(known),
            }
        }
        (None, None) => Ok(known(default.iter().map(|acr| &**acr), policy)),
        (_, acr_values) => Ok(known(words(acr_values), policy)),
    }
}

/// The classes that a request names, as it names them, for the log.
pub(crate) fn named(acr_values: Option<&str>, claim: Option<&ClaimRequest>) -> String {
    match claim.filter(|claim| !claim.values.is_empty()) {
        Some(claim) => texts(claim).collect::<Vec<_>>().join(" "),
        None => acr_values.unwrap_or("").to_owned(),
    }
}

/// The classes among those of the server, once each, in the client's order of preference.
fn known<'a>(asked: impl Iterator<Item = &'a str>, policy: &Policy) -> Vec<Arc<str>> {
    let mut known: Vec<Arc<str>> = Vec::new();
    for asked in asked {
        let found = policy.acr_values.iter().find(|acr| ***acr == *asked);
        if let Some(acr) = found
            && !known.contains(acr)
        {
            known.push(acr.clone());
        }
    }
    known
}

fn words(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or("").split(' ').filter(|word| !word.is_empty())
}

fn texts(claim: &ClaimRequest) -> impl Iterator<Item = &str> {
    claim.values.iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(essential: bool, values: &Value) -> ClaimRequest {
        let values = values.as_array().unwrap().clone();
        ClaimRequest { essential, values }
    }

    fn classes(found: Result<Vec<Arc<str>>, AuthorizeError>) -> Result<String, AuthorizeError> {
        found.map(|found| found.join(" "))
    }

    #[test]
    fn the_order_of_the_client_decides_and_each_class_counts_once() {
        let policy = Policy::openid().acr_values(["pwd", "basic", "gold"]);
        let in_order = |text: &str| classes(wanted(Some(text), None, &[], &policy)).unwrap();
        assert_eq!(in_order("basic pwd"), "basic pwd");
        assert_eq!(in_order("pwd  basic pwd silver"), "pwd basic");
        let by_claim = claim(false, &json!(["gold", 7, "silver", "pwd"]));
        assert_eq!(classes(wanted(None, Some(&by_claim), &[], &policy)).unwrap(), "gold pwd");
        assert_eq!(classes(required(Some("basic pwd"), &policy)).unwrap(), "basic pwd");
        let defaults = ["gold".into(), "pwd".into()];
        assert_eq!(classes(wanted(None, None, &defaults, &policy)).unwrap(), "gold pwd");
    }

    #[test]
    fn only_what_a_client_cannot_do_without_is_an_error_if_it_is_unknown() {
        let unmet = Err(AuthorizeError::AuthenticationUnmet);
        let (any, policy) = (Policy::openid(), Policy::openid().acr_values(["pwd"]));
        let defaults = ["pwd".into()];
        for (text, claim, found) in [
            (None, None, Ok("pwd")),
            (Some("gold"), None, Ok("")),
            (None, Some(claim(false, &json!([]))), Ok("")),
            (Some("pwd"), Some(claim(true, &json!([]))), Ok("pwd")),
            (Some("pwd"), Some(claim(false, &json!(["gold"]))), Ok("")),
            (Some("pwd"), Some(claim(true, &json!(["gold"]))), unmet),
            (None, Some(claim(true, &json!([7]))), unmet),
            (None, Some(claim(true, &json!(["gold", "pwd"]))), Ok("pwd")),
        ] {
            let found = found.map(ToOwned::to_owned);
            assert_eq!(classes(wanted(text, claim.as_ref(), &defaults, &policy)), found);
        }
        let essential = claim(true, &json!(["gold"]));
        assert_eq!(wanted(None, Some(&essential), &[], &any), unmet.map(|_| Vec::new()));
        assert_eq!(required(Some("gold"), &policy), unmet.map(|_| Vec::new()));
        for (text, policy) in [(None, &policy), (Some(" "), &policy), (Some("gold"), &any)] {
            assert_eq!(classes(required(text, policy)).unwrap(), "");
        }
    }

    #[test]
    fn the_log_has_the_classes_as_the_request_names_them() {
        let asked = claim(true, &json!(["gold", 7, "silver"]));
        assert_eq!(named(Some("pwd"), Some(&asked)), "gold silver");
        assert_eq!(named(Some("pwd basic"), Some(&claim(true, &json!([])))), "pwd basic");
        assert_eq!(named(None, None), "");
    }
}
