//! The verification of a signed response of the userinfo endpoint (OpenID Connect Core, section 5.3.2).

use crate::jose::{Claims, ClaimsError, KeySet, TokenType, Unverified, Verification};

use super::{IdTokenRejected, IdTokenRules, is_among};

impl IdTokenRules {
    /// Verifies a signed response of the userinfo endpoint by the keys of the issuer, and returns its
    /// payload, a JSON object. Issuer and audience must be right if they are there, which the
    /// specification only recommends. The caller compares the subject with that of the ID token.
    ///
    /// ```
    /// use quadrille::{jose::*, oidc::{IdTokenRejected, IdTokenRules}};
    ///
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let keys = KeySet::from_iter([key.verifying_key().clone()]);
    /// let rules = IdTokenRules::new("https://id.example", "web");
    /// let about_ada = br#"{"iss":"https://id.example","aud":"web","sub":"7","name":"Ada"}"#;
    /// let signed = key.sign(&Protected::plain(), about_ada)?;
    /// let claims = rules.verify_userinfo(Unverified::parse(&signed)?, &keys)?;
    /// assert_eq!(claims, about_ada);
    ///
    /// let for_another = key.sign(&Protected::plain(), br#"{"aud":"another","sub":"7"}"#)?;
    /// let rejected = rules.verify_userinfo(Unverified::parse(&for_another)?, &keys);
    /// assert_eq!(rejected, Err(ClaimsError::Audience.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`IdTokenRejected::Token`] and [`IdTokenRejected::Claims`].
    pub fn verify_userinfo(
        &self,
        token: Unverified<'_>,
        keys: &KeySet,
    ) -> Result<Vec<u8>, IdTokenRejected> {
        let rules = Verification::new(self.algorithms, TokenType::Plain);
        let verified = match &self.shared {
            Some(secret) => token.verify_with(&rules, secret)?,
            None => token.verify(&rules, keys)?,
        };
        let claims = Claims::parse(verified.payload())?;
        if let Some(iss) = &claims.iss {
            let is_right = match &self.tenants {
                None => **iss == *self.issuer,
                Some(tenants) => *iss == tenants.issuer_of(claims.text(&tenants.claim))?,
            };
            if !is_right {
                return Err(ClaimsError::Issuer.into());
            }
        }
        if !claims.aud.is_empty() && !claims.aud.iter().any(|each| is_among(&self.clients, each)) {
            return Err(ClaimsError::Audience.into());
        }
        Ok(verified.payload().to_vec())
    }
}
