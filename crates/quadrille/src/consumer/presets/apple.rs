//! Sign in with Apple.

use std::time::Duration;

use crate::{
    Secret, Timestamp,
    consumer::{Client, OperatorError, Revocation, Service, Spec},
    jose::{Algorithm, Claims, Protected, SignError, SigningKey},
};

/// The lifetime of a client secret, which is made for one request.
const LIFETIME: Duration = Duration::from_secs(300);

service! {
    /// Sign in with Apple. Register a Services ID at
    /// <https://developer.apple.com/account/resources/identifiers> with the callback `{public
    /// URL}/login/apple/authorized`. The secret is a JWT, which [`with_key`](Apple::with_key) signs for
    /// each request; Apple accepts one for six months at most. Apple sends the
    /// callback by POST, and the user's name, the first time only, in its parameter `user`
    /// ([`Authorized::callback_parameter`](crate::Authorized::callback_parameter)).
    ///
    /// Apple has no API: the ID token has the address and whether it is verified, as a text.
    Apple,
    new: (id, secret),
    variables: ["APPLE_OAUTH_CLIENT_ID", "APPLE_OAUTH_CLIENT_SECRET"],
    checked: "November 2026 against Auth.js (July 2026), Arctic, goth and Apple's developer \
              forum (an undated copy), which has the revocation endpoint",
    spec: Spec::oauth2(
        "apple",
        "https://appleid.apple.com/auth/authorize",
        "https://appleid.apple.com/auth/token",
        "https://appleid.apple.com",
    )
    .title("Apple")
    .scopes("name email")
    .parameters(&[("response_mode", "form_post")])
    .openid("https://appleid.apple.com", "https://appleid.apple.com/auth/keys")
    .accounts_by_subject_since_the_issuer_never_changes()
    .profile(&[("email", "email"), ("email_verified", "email_verified")])
    .secret_in_body()
    .error_names(&[("user_cancelled_authorize", "access_denied")])
    .revocation("https://appleid.apple.com/auth/revoke", Revocation::Standard),
    manners: {
        secret_in_one_way: true,
        id_token_wants: "",
        lifetime: Some(Duration::from_secs(3600)),
        refresh: Refresh::Lasting,
        denial: Denial::Named("user_cancelled_authorize"),
        account: r#"{"sub":"000123.$ID","email":"ada@example.com","email_verified":"true"}"#,
    },
}

impl Apple {
    /// The application as registered at Apple: the identifier of its Services ID, that of its team,
    /// and a private key, as the text of the file `AuthKey_*.p8` that Apple issued, with its
    /// identifier. The key signs a client secret for each request.
    ///
    /// ```
    /// use quadrille::{Apple, KeyRing, Login};
    ///
    /// # let pem = "-----BEGIN PRIVATE KEY-----
    /// # MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeG4CgxUHCxx4KHkZ
    /// # nsUMfzWWXnWxVnl/dzRLBBkGmqGhRANCAASixRAYpgHMWB/YF6MGVJMSVzjT3kjF
    /// # 4UBeLl1pn/NUf2JGSCGRD4CFwGCvJAW+Y1hGjiWuaUIAZ8l8NnIKjgLW
    /// # -----END PRIVATE KEY-----";
    /// let apple = Apple::with_key("com.example.web", "TEAM123456", "KEY1234567", pem);
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example").with(apple);
    /// ```
    ///
    /// [`Login::check`](crate::Login::check) refuses a key that is not one of P-256 in PEM:
    /// [`OperatorError::SigningKeyUnusable`].
    pub fn with_key(
        id: impl Into<String>,
        team: impl Into<String>,
        key_id: &str,
        key: impl Into<Secret>,
    ) -> Client<Self> {
        let (id, team) = (id.into(), team.into());
        let client = Self::public_client(id.clone());
        match SigningKey::from_pem(Algorithm::Es256, key.into().expose()) {
            Ok(key) => {
                let key = key.with_kid(key_id);
                client.secret_by(move |now| client_secret(&key, &id, &team, now))
            }
            Err(_) => {
                let service = Self::SPEC.name.into();
                Client { fault: Some(OperatorError::SigningKeyUnusable { service }), ..client }
            }
        }
    }
}

/// The client secret at this time: an assertion in the place of a secret.
fn client_secret(
    key: &SigningKey,
    id: &str,
    team: &str,
    now: Timestamp,
) -> Result<String, SignError> {
    let claims = Claims {
        iss: Some(team.to_owned()),
        sub: Some(id.to_owned()),
        aud: vec!["https://appleid.apple.com".to_owned()],
        iat: Some(now),
        exp: Some(now + LIFETIME),
        ..Claims::default()
    };
    key.sign_claims(&Protected::plain(), &claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyRing, Login,
        jose::{Algorithms, ClaimsPolicy, KeySet, TokenType, Unverified, Verification},
    };

    #[test]
    fn the_secret_is_a_new_assertion_for_each_request() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap().with_kid("KEY1234567");
        let now = Timestamp::from_seconds(1_800_000_000);
        let secret = client_secret(&key, "com.example.web", "TEAM123456", now).unwrap();
        let keys = KeySet::from_iter([key.verifying_key().clone()]);
        let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Plain);
        let policy = ClaimsPolicy::new("TEAM123456", "https://appleid.apple.com")
            .subject("com.example.web")
            .longest_lifetime(LIFETIME);
        let verified = Unverified::parse(&secret).unwrap().verify(&rules, &keys).unwrap();
        assert_eq!(verified.header().kid(), Some("KEY1234567"));
        assert!(verified.claims(&policy, now).is_ok());
        let later = client_secret(&key, "com.example.web", "TEAM123456", now + LIFETIME).unwrap();
        assert_ne!(later, secret);
    }

    #[test]
    fn a_key_that_is_none_is_found_at_start() {
        let login = Login::new(KeyRing::ephemeral(), "https://app.example").with(Apple::with_key(
            "com.example.web",
            "TEAM123456",
            "KEY1234567",
            "no key",
        ));
        let expected = OperatorError::SigningKeyUnusable { service: "apple".into() };
        assert_eq!(login.check().unwrap_err(), expected.into());
    }
}
