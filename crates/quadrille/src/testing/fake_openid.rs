//! What a fake service does as an OpenID Provider, beside logins.

use std::time::Duration;

use http::Request;
use serde_json::Value;

use crate::{
    Timestamp,
    consumer::Encryption,
    jose::{EncryptingKey, KeySet, KeySetError, Protected},
    oidc::LogoutToken,
};

use super::{
    fake::{FakeService, Part, Stage},
    openid::{FAR, Signed},
    service::OAuth2,
};

impl FakeService {
    /// The issuer of an OpenID Provider, whose metadata are below it
    /// (`/.well-known/openid-configuration`); `None` if the service is none. At a service with tenants
    /// it is that of the tenant of all users.
    ///
    /// ```
    /// use quadrille::{GitHub, Google, testing::FakeService};
    ///
    /// let google = FakeService::of::<Google>("our-id", "our-secret");
    /// assert_eq!(google.issuer().as_deref(), Some("https://accounts.google.com"));
    /// assert_eq!(FakeService::of::<GitHub>("our-id", "our-secret").issuer(), None);
    /// ```
    pub fn issuer(&self) -> Option<String> {
        let Stage { scene, part, .. } = &*self.stage();
        let Part::OAuth2(OAuth2 { openid: Some(openid), .. }) = part else { return None };
        Some(openid.issuer_to_tell(scene))
    }

    /// The ID token of an OpenID Provider that a page or an app of the client with this identifier gets
    /// by itself, about this user, with this `nonce`: see `Login::id_token_routes`. The service's
    /// [faults](FakeService::misidentifies) are in it.
    ///
    /// ```
    /// use quadrille::{Google, testing::FakeService};
    ///
    /// let google = FakeService::of::<Google>("our-id", "our-secret");
    /// let token = google.id_token("our-id", 7, "n-0S6_WzA2Mj");
    /// assert!(token.is_some());
    /// ```
    ///
    /// `None` if the service is no OpenID Provider, or a fault of it leaves no token.
    pub fn id_token(&self, client_id: &str, user: u64, nonce: &str) -> Option<String> {
        let Stage { scene, part, .. } = &*self.stage();
        let Part::OAuth2(OAuth2 { openid: Some(openid), secret, .. }) = part else { return None };
        let login = Signed {
            client: client_id,
            secret,
            user,
            nonce: Some(nonce),
            access_token: "",
            beside: None,
            auth_time: openid.now(),
            request: &Request::default(),
            endpoint: "",
        };
        openid.issue(scene, &login)
    }

    /// A logout token of an OpenID Provider for the client with this identifier (OpenID Connect
    /// Back-Channel Logout, section 2.4): see `Login::logout_routes`. `claims` are added, such as `sub`
    /// and `sid`, or replace those that are there; `null` removes one. Each has a `jti` of its own.
    ///
    /// ```
    /// use quadrille::{KeyRing, Login, SpecBuf, testing::FakeService};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> quadrille::Result<()> {
    /// let service = FakeService::openid("https://id.example", "our-id", "our-secret");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(SpecBuf::oidc("acme", "https://id.example").client("our-id", "our-secret"))
    ///     .http(service.clone());
    /// let token = service.logout_token("our-id", &json!({ "sub": "7", "sid": "s1" }));
    /// let ended = login.end_by_logout_token("acme", &token.unwrap_or_default()).await?;
    /// assert_eq!(ended.sid.as_deref(), Some("s1"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `None` if the service is no OpenID Provider.
    pub fn logout_token(&self, client_id: &str, claims: &Value) -> Option<String> {
        let Stage { scene, part, .. } = &mut *self.stage();
        let Part::OAuth2(OAuth2 { openid: Some(openid), .. }) = part else { return None };
        openid.logouts += 1;
        let now = openid.now().unwrap_or(Timestamp::from_seconds(0));
        let id = format!("logout-{}", openid.logouts);
        let mut token = LogoutToken::new(scene.placed(openid.issuer()), client_id, id, now);
        token.expires = Some(openid.now().map_or(FAR, |now| now + Duration::from_secs(120)));
        let mut all: Value = serde_json::from_slice(&token.to_claims().to_json()).ok()?;
        for (name, value) in claims.as_object()? {
            let own = all.as_object_mut()?;
            match value {
                Value::Null => drop(own.remove(name)),
                value => drop(own.insert(name.clone(), value.clone())),
            }
        }
        openid.sign(&Protected::typ(LogoutToken::TYPE), &all)
    }

    /// Encrypts ID tokens, and signed claims of the userinfo endpoint, to the first key in the
    /// application's JWK Set that is for this algorithm; `false` without one.
    ///
    /// ```
    /// use quadrille::{testing::FakeService, jose::{ContentEncryption, KeyManagement}};
    ///
    /// let service = FakeService::openid("https://id.example", "our-id", "our-secret");
    /// let encryption = (KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm);
    /// assert!(!service.encrypts_to(r#"{"keys":[]}"#, encryption));
    /// ```
    pub fn encrypts_to(&self, jwks: &str, encryption: Encryption) -> bool {
        let set: Value = serde_json::from_str(jwks).unwrap_or_default();
        let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
        let keys = keys.filter_map(|key| EncryptingKey::from_members(key.as_object()?).ok());
        let key = keys.into_iter().find(|key| key.encrypts_by(encryption.0));
        let Stage { part, .. } = &mut *self.stage();
        let Part::OAuth2(OAuth2 { openid: Some(openid), .. }) = part else { return false };
        openid.recipient = key.map(|key| (key, encryption));
        openid.recipient.is_some()
    }

    /// Signs the claims of the userinfo endpoint from now on (`application/jwt`).
    pub fn signs_userinfo(&self) {
        if let Part::OAuth2(OAuth2 { openid: Some(openid), .. }) = &mut self.stage().part {
            openid.signs_userinfo = true;
        }
    }

    /// Verifies assertions of the application by this JWK Set, as it is at its `jwks_uri`
    /// (`private_key_jwt`), and its request objects. Services of OAuth 2 accept those with an HMAC by the secret without that.
    ///
    /// ```
    /// use quadrille::testing::FakeService;
    ///
    /// let service = FakeService::openid("https://id.example", "our-id", "no secret");
    /// service.knows_keys(br#"{"keys":[]}"#)?;
    /// # Ok::<(), quadrille::jose::KeySetError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn knows_keys(&self, jwks: &[u8]) -> Result<(), KeySetError> {
        let keys = KeySet::parse(jwks)?;
        if let Part::OAuth2(part) = &mut self.stage().part {
            part.assertions.keys = keys;
        }
        Ok(())
    }
}
