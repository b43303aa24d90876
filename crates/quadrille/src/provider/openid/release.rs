//! Which claims about a user a client gets: a pure decision about what was granted (OpenID Connect
//! Core, sections 5.4 and 5.5).

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    Scopes,
    oidc::ClaimRequest,
    provider::{client::record::Client, error::OperatorError},
};

use super::{
    claims::{ClaimsQuery, UserClaims},
    details::without_language,
    options::OpenId,
};

/// The claims of a message that a client was granted.
pub(crate) struct Granted<'a> {
    /// The scopes whose claims the message has.
    pub(crate) scopes: &'a Scopes,
    /// The claims that were requested one by one for this message.
    pub(crate) claims: &'a BTreeMap<String, ClaimRequest>,
    /// The languages of the claims, the best one first.
    pub(crate) locales: &'a [Arc<str>],
}

/// Asks the application for the claims that a message has. `None` if the user is gone.
pub(crate) async fn claims(
    openid: &OpenId,
    client: &Arc<Client>,
    subject: &Arc<str>,
    granted: Granted<'_>,
) -> Result<Option<UserClaims>, OperatorError> {
    let names = names(openid, client, &granted);
    let Some(source) = openid.source.as_ref().filter(|_| !names.is_empty()) else {
        return Ok(Some(UserClaims::new()));
    };
    let query = ClaimsQuery {
        subject: subject.clone(),
        client: client.clone(),
        names: names.iter().map(|name| (*name).into()).collect(),
        locales: granted.locales.into(),
    };
    let known = source.claims(query).await.map_err(OperatorError::Claims)?;
    Ok(known.map(|known| select(known, &names, granted.claims)))
}

/// The names of the claims that a message has, once each.
fn names<'a>(openid: &'a OpenId, client: &Client, granted: &Granted<'a>) -> Vec<&'a str> {
    let by_scope = granted.scopes.iter().flat_map(|scope| openid.claims_of(scope));
    let by_name = granted
        .claims
        .keys()
        .map(String::as_str)
        .filter(|name| openid.may_have(&client.scopes, name));
    let supported = |name: &&str| openid.supports(without_language(name));
    let mut names: Vec<&str> = by_scope.chain(by_name).filter(supported).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Those of the claims that the message has. A name without a language stands for all languages,
/// and a claim of none of the requested values is left out.
fn select(
    known: UserClaims,
    names: &[&str],
    asked: &BTreeMap<String, ClaimRequest>,
) -> Map<String, Value> {
    let is_named = |name: &str| names.contains(&name) || names.contains(&without_language(name));
    let is_known = |value: &Value| !value.is_null() && value.as_str() != Some("");
    let is_accepted =
        |name: &str, value: &Value| asked.get(name).is_none_or(|request| request.accepts(value));
    known
        .into_iter()
        .filter(|(name, value)| is_named(name) && is_known(value) && is_accepted(name, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{oidc::ClaimsRequest, provider::client::record::tests::client};

    fn openid() -> OpenId {
        OpenId::new()
            .claims(["name", "email", "email_verified", "groups", "address"], async |_| Ok(None))
            .scope_of_claims("teams", ["groups"])
    }

    fn given(scopes: &str, claims: &str, may_request: &str) -> Map<String, Value> {
        let mut web = client("web", "https://app.example/cb");
        web.scopes = Scopes::parse(may_request).unwrap();
        let scopes = Scopes::parse(scopes).unwrap();
        let claims = ClaimsRequest::parse(claims).unwrap();
        let granted = Granted { scopes: &scopes, claims: &claims.userinfo, locales: &[] };
        let known = json!({
            "name": "Ada", "name#ja": "\u{30a8}\u{30a4}\u{30c0}", "email": "ada@example.com",
            "email_verified": true, "groups": ["a"], "address": null, "secret": "never",
        });
        let Value::Object(known) = known else { panic!("an object") };
        let openid = openid();
        select(known, &names(&openid, &web, &granted), &claims.userinfo)
    }

    fn names_of(given: &Map<String, Value>) -> String {
        given.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_scope_gives_its_claims_and_no_others() {
        let all = "openid email profile teams address";
        for (scopes, expected) in [
            ("openid", ""),
            ("openid email", "email email_verified"),
            ("openid profile", "name name#ja"),
            ("openid teams", "groups"),
            // Unknown to the application, although it is among its claims.
            ("openid address", ""),
        ] {
            assert_eq!(names_of(&given(scopes, "{}", all)), expected, "{scopes}");
        }
    }

    #[test]
    fn a_claim_is_given_by_its_name_to_a_client_that_may_request_its_scope() {
        let asked = r#"{"userinfo":{"email":{"essential":true},"groups":null,"secret":null}}"#;
        assert_eq!(names_of(&given("openid", asked, "openid email teams")), "email groups");
        assert_eq!(names_of(&given("openid", asked, "openid email")), "email");
        assert_eq!(names_of(&given("openid", asked, "openid")), "");
        let japanese = r#"{"userinfo":{"name#ja":null}}"#;
        assert_eq!(names_of(&given("openid", japanese, "openid profile")), "name#ja");
    }

    #[test]
    fn a_claim_of_another_value_than_the_requested_ones_is_left_out() {
        let asked = |value: &str| format!(r#"{{"userinfo":{{"email":{{"value":"{value}"}}}}}}"#);
        let all = "openid email";
        assert_eq!(names_of(&given("openid", &asked("ada@example.com"), all)), "email");
        assert_eq!(names_of(&given("openid", &asked("bob@example.com"), all)), "");
    }
}
