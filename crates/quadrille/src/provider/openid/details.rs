//! The part of a grant that OpenID Connect adds: the parameters of the authorization request whose
//! effect comes later.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Scopes,
    oidc::{ClaimRequest, ClaimsRequest, STANDARD_SCOPES, claims_of_scope},
};

/// The scope of a request for authentication (OpenID Connect Core, section 3.1.2.1).
pub(crate) const OPENID: &str = "openid";

/// The parameters of OpenID Connect, whose request must have each once at most.
pub(crate) const PARAMETERS: [&str; 8] = [
    "nonce",
    "claims",
    "id_token_hint",
    "claims_locales",
    "login_hint",
    "ui_locales",
    "display",
    "registration",
];

/// The claims that the server itself knows, without the application.
const OF_THE_SERVER: [&str; 5] = ["sub", "auth_time", "acr", "amr", "sid"];

/// The part of a grant that OpenID Connect adds: parameters of the authorization request that its
/// tokens answer.
///
/// ```
/// use quadrille::provider::store::{Grant, OpenIdDetails};
///
/// fn nonce(code: &Grant) -> Option<&str> {
///     code.details.as_ref()?.openid.as_ref()?.nonce.as_deref()
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenIdDetails {
    /// The `nonce` of the request (OpenID Connect Core, section 3.1.2.1). The grant of a code has
    /// it, those of tokens do not: it is in one ID token only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Arc<str>>,
    /// The claims that were requested one by one (OpenID Connect Core, section 5.5), without those
    /// that the user denied.
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// The languages of the claims, the best one first (`claims_locales`, OpenID Connect Core, section
    /// 5.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims_locales: Vec<Arc<str>>,
}

/// The most languages that are kept, and the greatest length of the tag of one: they are stored with
/// each token.
const LOCALES: usize = 10;
const LONGEST_LOCALE: usize = 35;

/// The languages in a parameter, without those that are no tags (BCP 47).
pub(crate) fn locales(text: Option<&str>) -> Vec<Arc<str>> {
    let is_tag = |tag: &&str| {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !tag.is_empty() && tag.len() <= LONGEST_LOCALE && tag.bytes().all(is_valid)
    };
    text.unwrap_or("").split(' ').filter(is_tag).take(LOCALES).map(Into::into).collect()
}

impl OpenIdDetails {
    /// `true` if tokens need none of it.
    pub(crate) fn is_empty(&self) -> bool {
        self.nonce.is_none() && self.claims.is_empty() && self.claims_locales.is_empty()
    }

    /// The details for the grants of tokens.
    pub(crate) fn without_nonce(&self) -> Self {
        Self { nonce: None, ..self.clone() }
    }

    /// The details without claims that neither the application knows, by a name without a language,
    /// nor the server: nobody need be asked about them.
    pub(crate) fn known_to(mut self, application: impl Fn(&str) -> bool) -> Self {
        let is_known =
            |name: &str| OF_THE_SERVER.contains(&name) || application(without_language(name));
        self.claims.userinfo.retain(|name, _| is_known(name));
        self.claims.id_token.retain(|name, _| is_known(name));
        self
    }

    /// The details after the answer of a user to a page with the scopes `asked`: with the claims of
    /// granted scopes, and with those that were `chosen` by name, unless the user left their scope
    /// out.
    pub(crate) fn granted(
        &self,
        asked: &Scopes,
        granted: &Scopes,
        chosen: impl Fn(&str) -> bool,
    ) -> Self {
        let is_granted = |name: &str| match scope_of(name) {
            _ if OF_THE_SERVER.contains(&name) => true,
            Some(scope) if asked.contains(scope) => granted.contains(scope),
            _ => chosen(name),
        };
        let keep = |claims: &BTreeMap<String, ClaimRequest>| {
            let kept = claims.iter().filter(|(name, _)| is_granted(name));
            kept.map(|(name, request)| (name.clone(), request.clone())).collect()
        };
        let mut details = self.clone();
        details.claims.userinfo = keep(&self.claims.userinfo);
        details.claims.id_token = keep(&self.claims.id_token);
        details
    }

    /// The claims about the user that none of these scopes covers, once each and in their order:
    /// the user must be asked about them.
    pub(crate) fn beyond(&self, scopes: &Scopes) -> Vec<Arc<str>> {
        let both = self.claims.userinfo.keys().chain(self.claims.id_token.keys());
        let mut names: Vec<&String> = both
            .filter(|name| !OF_THE_SERVER.contains(&name.as_str()))
            .filter(|name| !scope_of(name).is_some_and(|scope| scopes.contains(scope)))
            .collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| name.as_str().into()).collect()
    }
}

/// The standard scope of a claim (OpenID Connect Core, section 5.4), whatever its language.
pub(crate) fn scope_of(claim: &str) -> Option<&'static str> {
    let base = without_language(claim);
    STANDARD_SCOPES.into_iter().find(|scope| claims_of_scope(scope).contains(&base))
}

/// The name of a claim without its language (OpenID Connect Core, section 5.2).
pub(crate) fn without_language(claim: &str) -> &str {
    claim.split_once('#').map_or(claim, |(base, _)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(json: &str) -> OpenIdDetails {
        let claims = ClaimsRequest::parse(json).unwrap();
        OpenIdDetails { nonce: Some("n".into()), claims, ..OpenIdDetails::default() }
    }

    #[test]
    fn languages_are_tags_and_few() {
        let read = locales(Some("de-CH  fr x_y \u{e4} en"));
        assert_eq!(read, ["de-CH".into(), "fr".into(), "en".into()]);
        assert_eq!(locales(Some(&"de ".repeat(20))).len(), 10);
        assert!(locales(Some(&"a".repeat(36))).is_empty());
        assert!(locales(None).is_empty());
    }

    #[test]
    fn claims_that_nobody_knows_are_dropped() {
        let details = asking(
            r#"{"userinfo":{"name#ja":null,"salary":null},"id_token":{"acr":null,"email":null}}"#,
        );
        let known = details.known_to(|name| ["name", "groups"].contains(&name));
        assert!(known.claims.userinfo.keys().eq(["name#ja"]));
        assert!(known.claims.id_token.keys().eq(["acr"]));
    }

    #[test]
    fn a_claim_whose_scope_the_user_left_out_is_not_given_by_its_name() {
        let details = asking(
            r#"{"userinfo":{"email":null,"name#ja":null,"groups":null},"id_token":{"email":null}}"#,
        );
        let asked = Scopes::of(["openid", "email"]);
        let granted = details.granted(&asked, &Scopes::of(["openid"]), |_| true);
        let names: Vec<_> = granted.claims.userinfo.keys().collect();
        assert_eq!(names, ["groups", "name#ja"]);
        assert!(granted.claims.id_token.is_empty());
        assert_eq!(details.granted(&asked, &asked, |_| true), details);
    }

    #[test]
    fn a_claim_that_was_not_chosen_on_the_page_is_not_given() {
        let details = asking(
            r#"{"userinfo":{"email":null,"groups":null,"teams":null},"id_token":{"acr":null}}"#,
        );
        let asked = Scopes::of(["openid", "email"]);
        let granted = details.granted(&asked, &asked, |name| name == "teams");
        let names: Vec<_> = granted.claims.userinfo.keys().collect();
        assert_eq!(names, ["email", "teams"]);
        assert!(granted.claims.id_token.contains_key("acr"));
    }

    #[test]
    fn a_claim_that_no_scope_covers_is_asked_about() {
        let details = asking(
            r#"{"userinfo":{"email":null,"name#ja":null},"id_token":{"email":null,"acr":null,"groups":null}}"#,
        );
        let names = |scopes: &[&str]| details.beyond(&Scopes::of(scopes.iter().copied()));
        assert_eq!(&*names(&["openid"]), ["email".into(), "groups".into(), "name#ja".into()]);
        assert_eq!(&*names(&["openid", "profile", "email"]), ["groups".into()]);
    }
}
