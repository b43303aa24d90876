//! The verification of logout tokens by a relying party (OpenID Connect Back-Channel Logout 1.0,
//! section 2.6).

use crate::{
    Timestamp,
    jose::{
        Claims, ClaimsError, DecryptError, KeySet, TokenError, TokenType, Unverified, Verification,
    },
    oidc::{LogoutToken, LogoutTokenError},
};

use super::IdTokenRules;

/// The reason why a logout token is rejected, in the order of the checks. Contains no part of the
/// token.
///
/// ```
/// use quadrille::oidc::{LogoutTokenError, LogoutTokenRejected};
///
/// let error = LogoutTokenRejected::from(LogoutTokenError::Nonce);
/// assert_eq!(error.to_string(), "the logout token has a nonce");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutTokenRejected {
    /// The form, the type, the algorithm, the key or the signature.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The encryption, where the provider encrypts.
    #[error(transparent)]
    Encrypted(#[from] DecryptError),
    /// The issuer, the audience, or the times.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// The token is for others, too, which are not trusted.
    #[error("the logout token is for other audiences, too, which are not trusted")]
    AudienceNotTrusted,
    /// Items 4 to 6: the user or the session, the event, and no `nonce`.
    #[error(transparent)]
    LogoutToken(#[from] LogoutTokenError),
    /// The token was used before (item 7).
    #[error("the logout token was used before")]
    Replayed,
}

/// The type of logout tokens, which older providers leave out.
const OF_LOGOUT: TokenType = TokenType::IsOrPlain(LogoutToken::TYPE);

impl IdTokenRules {
    /// Verifies a logout token by the keys of the issuer at this time, with the algorithms of the ID
    /// tokens, whose type may be missing, as older providers have it. The caller remembers
    /// [`LogoutToken::id`], by which it knows a replayed one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use quadrille::{Timestamp, jose::*, oidc::{IdTokenRules, LogoutTokenError}};
    /// use serde_json::json;
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let now = Timestamp::from_seconds(1_800_000_000);
    /// let token = |nonce: Option<&str>| {
    ///     let mut claims = json!({
    ///         "iss": "https://id.example", "aud": "web", "sub": "7", "jti": "bWJq",
    ///         "iat": now.seconds(), "exp": now.seconds() + 120,
    ///         "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    ///     });
    ///     if let Some(nonce) = nonce {
    ///         claims["nonce"] = nonce.into();
    ///     }
    ///     key.sign(&Protected::typ("logout+jwt"), claims.to_string().as_bytes())
    /// };
    /// let keys = KeySet::from_iter([key.verifying_key().clone()]);
    /// let rules = IdTokenRules::new("https://id.example", "web");
    /// let ended = rules.verify_logout(Unverified::parse(&token(None)?)?, &keys, now)?;
    /// assert_eq!(ended.subject.as_deref(), Some("7"));
    ///
    /// let with_nonce = token(Some("n-0S6_WzA2Mj"))?;
    /// let rejected = rules.verify_logout(Unverified::parse(&with_nonce)?, &keys, now);
    /// assert_eq!(rejected, Err(LogoutTokenError::Nonce.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LogoutTokenRejected`].
    pub fn verify_logout(
        &self,
        token: Unverified<'_>,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<LogoutToken, LogoutTokenRejected> {
        let rules = Verification::new(self.algorithms, OF_LOGOUT);
        let verified = match &self.shared {
            Some(secret) => token.verify_with(&rules, secret)?,
            None => token.verify(&rules, keys)?,
        };
        let claims = Claims::parse(verified.payload())?;
        let issuer = match &self.tenants {
            None => self.issuer.as_ref().to_owned(),
            Some(tenants) => tenants.issuer_of(claims.text(&tenants.claim))?,
        };
        self.parties_and_times(issuer).require("jti").check(&claims, now)?;
        if !claims.aud.iter().all(|each| self.is_trusted(each)) {
            return Err(LogoutTokenRejected::AudienceNotTrusted);
        }
        Ok(LogoutToken::from_claims(claims)?)
    }

    /// Whether a token, which anybody may have written, may be a logout token for this client at this
    /// time. Otherwise it is worth no request for newer keys.
    #[cfg(feature = "consumer")]
    pub(crate) fn may_be_logout(&self, token: &Unverified<'_>, now: Timestamp) -> bool {
        let is_of_type = OF_LOGOUT.matches(token.header().typ());
        let claims = token.claims_of_anybody();
        is_of_type
            && self.concerns(token, now)
            && claims.is_ok_and(|claims| LogoutToken::from_claims(claims).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        jose::{Algorithm, Protected, SigningKey},
        oidc::{Expected, IdToken, IdTokenRejected},
    };

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const ISSUER: &str = "https://id.example";
    const TYPE: &str = LogoutToken::TYPE;
    const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

    /// A logout token with these changes; `-` leaves a claim out.
    fn claims(change: &Value) -> Value {
        let mut all = json!({
            "iss": ISSUER, "aud": "web", "sub": "7", "sid": "s1", "jti": "bWJq",
            "iat": NOW.seconds(), "exp": NOW.seconds() + 120, "events": { EVENT: {} },
        });
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.as_object_mut().unwrap().retain(|_, value| *value != json!("-"));
        all
    }

    fn verify(typ: &Protected<'_>, change: &Value) -> Result<LogoutToken, LogoutTokenRejected> {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let token = key.sign(typ, claims(change).to_string().as_bytes()).unwrap();
        let keys = KeySet::from_iter([key.verifying_key().clone()]);
        let rules = IdTokenRules::new(ISSUER, "web").or_client("phone").trusted_audience("api");
        rules.verify_logout(Unverified::parse(&token).unwrap(), &keys, NOW)
    }

    #[test]
    fn a_logout_token_names_a_user_a_session_or_both() {
        for typ in
            [Protected::typ(TYPE), Protected::typ("application/logout+jwt"), Protected::plain()]
        {
            let both = verify(&typ, &json!({})).unwrap();
            assert_eq!((both.subject.as_deref(), both.sid.as_deref()), (Some("7"), Some("s1")));
            assert_eq!((&*both.issuer, &*both.id, both.issued), (ISSUER, "bWJq", NOW));
        }
        let typ = Protected::typ(TYPE);
        assert_eq!(verify(&typ, &json!({ "sid": "-" })).unwrap().sid, None);
        assert_eq!(verify(&typ, &json!({ "sub": "-" })).unwrap().subject, None);
        for aud in [json!("phone"), json!(["web", "phone", "api"])] {
            assert!(verify(&typ, &json!({ "aud": aud })).is_ok());
        }
        // What an event says besides is no reason to keep a session.
        let further = json!({ "events": { EVENT: { "reason": 1 }, "https://other.example": {} } });
        assert!(verify(&typ, &further).is_ok());
    }

    #[test]
    fn each_rule_of_the_specification_rejects_what_breaks_it() {
        use LogoutTokenRejected as R;
        let token = R::LogoutToken;
        for (change, expected) in [
            (json!({ "iss": "https://evil.example" }), R::Claims(ClaimsError::Issuer)),
            (json!({ "iss": "https://id.example/" }), R::Claims(ClaimsError::Issuer)),
            (json!({ "aud": "another" }), R::Claims(ClaimsError::Audience)),
            (json!({ "aud": "-" }), R::Claims(ClaimsError::Missing("aud"))),
            (json!({ "aud": ["web", "another"] }), R::AudienceNotTrusted),
            (json!({ "iat": "-" }), R::Claims(ClaimsError::Missing("iat"))),
            (json!({ "iat": NOW.seconds() + 60 }), R::Claims(ClaimsError::IssuedInFuture)),
            (json!({ "exp": NOW.seconds() - 31 }), R::Claims(ClaimsError::Expired)),
            (json!({ "exp": "-" }), R::Claims(ClaimsError::Missing("exp"))),
            (json!({ "jti": "-" }), R::Claims(ClaimsError::Missing("jti"))),
            (json!({ "sub": "-", "sid": "-" }), token(LogoutTokenError::Nobody)),
            (json!({ "sid": 7 }), token(LogoutTokenError::Malformed("sid"))),
            (json!({ "sid": "" }), token(LogoutTokenError::Malformed("sid"))),
            (json!({ "events": "-" }), token(LogoutTokenError::Event)),
            (json!({ "events": [EVENT] }), token(LogoutTokenError::Event)),
            (json!({ "events": { "https://other.example": {} } }), token(LogoutTokenError::Event)),
            (json!({ "events": { EVENT: true } }), token(LogoutTokenError::Event)),
            (json!({ "events": { EVENT: null } }), token(LogoutTokenError::Event)),
            (json!({ "nonce": "n" }), token(LogoutTokenError::Nonce)),
            (json!({ "nonce": "" }), token(LogoutTokenError::Nonce)),
        ] {
            assert_eq!(verify(&Protected::typ(TYPE), &change), Err(expected), "{change}");
        }
        let other = verify(&Protected::typ("at+jwt"), &json!({}));
        assert_eq!(other, Err(R::Token(TokenError::OtherType)));
    }

    #[test]
    fn no_logout_token_passes_for_an_id_token_and_no_id_token_for_a_logout_token() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::from_iter([key.verifying_key().clone()]);
        let rules = IdTokenRules::new(ISSUER, "web");
        let logout = key.sign(&Protected::typ(TYPE), claims(&json!({})).to_string().as_bytes());
        let logout = logout.unwrap();
        let as_id =
            rules.verify(Unverified::parse(&logout).unwrap(), &keys, &Expected::no_nonce(), NOW);
        assert_eq!(as_id, Err(IdTokenRejected::Token(TokenError::OtherType)));
        let id = IdToken::new(ISSUER, "7", "web", NOW, NOW + Duration::from_secs(60)).to_json();
        let id = key.sign(&Protected::plain(), &id).unwrap();
        assert!(rules.verify_logout(Unverified::parse(&id).unwrap(), &keys, NOW).is_err());
    }

    #[test]
    fn the_signature_is_that_of_the_issuer() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let other = SigningKey::generate(Algorithm::Es256).unwrap();
        let body = claims(&json!({})).to_string();
        let token = key.sign(&Protected::typ(TYPE), body.as_bytes()).unwrap();
        let keys = KeySet::from_iter([other.verifying_key().clone()]);
        let rules = IdTokenRules::new(ISSUER, "web");
        let verified = rules.verify_logout(Unverified::parse(&token).unwrap(), &keys, NOW);
        assert!(matches!(verified, Err(LogoutTokenRejected::Token(_))), "{verified:?}");
    }
}
