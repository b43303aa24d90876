//! The keys of a site.

use crate::consumer::client_keys::ClientKeys;

use super::Login;

impl Login {
    /// Sets the keys by which this site authenticates at services
    /// ([`Service::signing_client`](crate::Service::signing_client)), signs its requests
    /// ([`Spec::request_objects`](crate::Spec::request_objects)), and decrypts what is for it. The routes of the login publish
    /// them at `{public URL}/login/jwks.json`.
    ///
    /// ```
    /// use quadrille::{Env, KeyRing, Login, SpecBuf, consumer::ClientKeys};
    /// use quadrille::jose::{Algorithm, SigningKey, SigningKeys};
    ///
    /// // In an application, `SigningKey::from_pem` or `SigningKeys::from_json` reads stored ones.
    /// let key = SigningKey::generate(Algorithm::Es256)?;
    /// let keys = ClientKeys::new(SigningKeys::new(key, Env::system().now())?);
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .client_keys(keys)
    ///     .with(SpecBuf::oidc("acme", "https://id.acme.example").signing_client("our-id"));
    /// login.check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn client_keys(self, keys: ClientKeys) -> Self {
        self.change(|inner| inner.client_keys = Some(keys))
    }

    /// The JWK Set of the site, if it has keys.
    #[cfg(feature = "axum")]
    pub(crate) fn jwks(&self) -> Option<String> {
        Some(self.0.client_keys.as_ref()?.jwks())
    }
}
