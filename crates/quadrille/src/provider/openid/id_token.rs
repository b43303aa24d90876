//! ID tokens (OpenID Connect Core, sections 2, 3.1.3.6 and 12.2).

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Scopes, Timestamp,
    actor::{Actor, Authentication},
    jose::{Algorithm, Protected},
    oauth2::TokenResponse,
    oidc::{IdToken, token_hash},
    provider::{
        client::record::Client,
        error::{Error, OperatorError, endpoint::TokenError},
        server::Inner,
        store::Grant,
    },
};

use super::{
    claims::UserClaims,
    details::OPENID,
    encryption, pairwise,
    release::{self, Granted},
    session::sid,
};

/// The member of a token response (OpenID Connect Core, section 3.1.3.3).
const MEMBER: &str = "id_token";

/// The user of a grant that has ID tokens: one with the scope `openid`, of a user.
fn user(grant: &Grant) -> Option<&Arc<str>> {
    match &grant.actor {
        Actor::User(subject) if grant.scopes.contains(OPENID) => Some(subject),
        _ => None,
    }
}

/// Adds the ID token to the response of the token endpoint, if the grant has one. `nonce` is that
/// of the authorization request, for its first ID token alone.
pub(crate) async fn add(
    response: &mut TokenResponse,
    inner: &Inner,
    client: &Arc<Client>,
    grant: &Grant,
    nonce: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let access_token = Some(response.access_token.expose());
    let beside = Beside { nonce, access_token, ..Beside::default() };
    if let Some(token) = issue(inner, client, grant, beside, now).await? {
        response.extra.insert(MEMBER.to_owned(), token.into());
    }
    Ok(())
}

/// The parts of the response in which an ID token is.
#[derive(Default)]
pub(crate) struct Beside<'a> {
    pub(crate) nonce: Option<&'a str>,
    pub(crate) access_token: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    /// The `state`, in a response of the authorization endpoint.
    pub(crate) state: Option<&'a str>,
}

/// Issues an ID token, if the grant has one.
pub(crate) async fn issue(
    inner: &Inner,
    client: &Arc<Client>,
    grant: &Grant,
    beside: Beside<'_>,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let (Some(openid), Some(subject)) = (&inner.openid, user(grant)) else { return Ok(None) };
    let key = inner.signing.key_for(client.openid.id_token_signed_response_alg, now)?;
    // With an access token, now or for the code, the claims of scopes are at the userinfo endpoint
    // (section 5.4).
    let scopes = match beside.access_token.or(beside.code) {
        Some(_) => &Scopes::EMPTY,
        None => &grant.scopes,
    };
    let none = BTreeMap::new();
    let details = grant.openid();
    let by_name = details.map_or(&none, |details| &details.claims.id_token);
    let locales = details.map_or(&[][..], |details| &details.claims_locales);
    let granted = Granted { scopes, claims: by_name, locales };
    let known = release::claims(openid, client, subject, granted).await?;
    let told = pairwise::subject(openid.pairwise.as_ref(), client, subject)?;
    let facts = Facts {
        issuer: inner.issuer.as_str(),
        subject: &told,
        client: &client.id,
        authentication: grant.authentication.as_deref(),
        beside,
        claims: known.ok_or(TokenError::Gone)?,
        algorithm: key.algorithm(),
        issued: now,
        expires: now + client.policy(&inner.policy).id_token_lifetime,
    };
    let token = facts.id_token().ok_or(OperatorError::Subject)?;
    let signed = key.sign(&Protected::plain(), &token.to_json());
    let signed = signed.map_err(OperatorError::Sign)?;
    let registered = client.openid.id_token_encrypted_response;
    encryption::of_token(inner, client, registered, signed).await.map(Some)
}

/// The facts behind an ID token.
struct Facts<'a> {
    issuer: &'a str,
    subject: &'a str,
    client: &'a str,
    authentication: Option<&'a Authentication>,
    beside: Beside<'a>,
    claims: UserClaims,
    algorithm: Algorithm,
    issued: Timestamp,
    expires: Timestamp,
}

impl Facts<'_> {
    /// The claims; `None` if the subject cannot be one (section 2).
    fn id_token(self) -> Option<IdToken> {
        if !IdToken::is_subject(self.subject) {
            return None;
        }
        let authentication = self.authentication;
        let text = |value: &Arc<str>| value.as_ref().to_owned();
        let mut token =
            IdToken::new(self.issuer, self.subject, self.client, self.issued, self.expires);
        token.auth_time = authentication.map(|it| it.auth_time);
        token.acr = authentication.and_then(|it| it.acr.as_ref().map(text));
        token.amr = authentication.map(|it| it.amr.iter().map(text).collect()).unwrap_or_default();
        token.sid = authentication.and_then(|it| sid(self.issuer, it, self.client));
        token.nonce = self.beside.nonce.map(ToOwned::to_owned);
        let hash = |text: &str| token_hash(self.algorithm, text);
        token.at_hash = self.beside.access_token.map(hash);
        token.c_hash = self.beside.code.map(hash);
        token.s_hash = self.beside.state.map(hash);
        token.extra = self.claims;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(subject: &'a str, authentication: Option<&'a Authentication>) -> Facts<'a> {
        Facts {
            issuer: "https://id.example",
            subject,
            client: "web",
            authentication,
            beside: Beside {
                nonce: Some("n-0S6_WzA2Mj"),
                access_token: Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
                code: Some("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
                state: None,
            },
            claims: UserClaims::new(),
            algorithm: Algorithm::Rs256,
            issued: Timestamp::from_seconds(1000),
            expires: Timestamp::from_seconds(1300),
        }
    }

    #[test]
    fn it_says_who_signed_in_when_how_and_for_whom() {
        let mut ada = Authentication::new("ada", Timestamp::from_seconds(900));
        ada.acr = Some("urn:two-factors".into());
        ada.amr = vec!["pwd".into(), "otp".into()];
        ada.session = Some("secret-of-a-cookie".into());
        let token = facts("ada", Some(&ada)).id_token().unwrap();
        assert_eq!((&*token.issuer, &*token.subject), ("https://id.example", "ada"));
        assert_eq!(token.audience, ["web"]);
        assert_eq!(token.auth_time, Some(Timestamp::from_seconds(900)));
        assert_eq!(token.acr.as_deref(), Some("urn:two-factors"));
        assert_eq!(token.amr, ["pwd", "otp"]);
        assert_eq!(token.nonce.as_deref(), Some("n-0S6_WzA2Mj"));
        assert_eq!(token.at_hash.as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
        assert_eq!(token.c_hash.as_deref(), Some("LDktKdoQak3Pk0cnXxCltA"));
        assert_eq!(token.s_hash, None);
        assert_eq!(token.sid, sid("https://id.example", &ada, "web"));
        assert!(token.sid.is_some());
    }

    #[test]
    fn a_subject_of_more_than_255_ascii_characters_gets_no_token() {
        assert!(facts(&"a".repeat(255), None).id_token().is_some());
        for subject in [&*"a".repeat(256), "zo\u{eb}", ""] {
            assert!(facts(subject, None).id_token().is_none(), "{subject}");
        }
    }
}
