//! What a fake service does as an OpenID Provider, beside logins.

use http::Request;

use crate::jose::{KeySet, KeySetError};

use super::{
    fake::{FakeService, Part, Stage},
    openid::Signed,
    service::OAuth2,
};

impl FakeService {
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
            auth_time: openid.now(),
            request: &Request::default(),
            endpoint: "",
        };
        openid.issue(scene, &login)
    }

    /// Verifies assertions of the application by this JWK Set, as it is at its `jwks_uri`
    /// (`private_key_jwt`). Services of OAuth 2 accept those with an HMAC by the secret without that.
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
