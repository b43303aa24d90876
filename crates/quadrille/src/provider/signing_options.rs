//! The signing keys of an authorization server, as options and at run time.

use crate::jose::SigningKeys;

use super::server::AuthorizationServer;

impl AuthorizationServer {
    /// Sets the keys with which the server signs JWT access tokens (RFC 9068) and ID
    /// tokens (OpenID Connect Core, section 2), and publishes their
    /// public parts at `jwks_uri` (RFC 8414, section 2). Of keys for several algorithms, those of
    /// the first one in [`Algorithm`](crate::jose::Algorithm) sign.
    ///
    /// ```
    /// use quadrille::{
    ///     Env,
    ///     jose::{Algorithm, SigningKey, SigningKeys},
    ///     provider::{AccessTokenFormat, AuthorizationServer, store::MemoryStore},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let env = Env::system();
    /// let keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, env.now())?;
    /// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env))?
    ///     .signing_keys(keys)
    ///     .access_token_format(AccessTokenFormat::Jwt);
    ///
    /// let request = http::Request::get("/oauth/jwks").body(bytes::Bytes::new())?;
    /// let answer = server.jwks(request).await;
    /// assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn signing_keys(self, keys: SigningKeys) -> Self {
        self.with(|inner| {
            inner.signing = inner.signing.apart();
            inner.signing.replace(keys);
        })
    }

    /// Adds signing keys for another algorithm, with a rotation of their own: for clients that are
    /// registered with it (`id_token_signed_response_alg`). Call it once for each algorithm.
    ///
    /// ```
    /// use quadrille::{
    ///     Env,
    ///     jose::{Algorithm, SigningKey, SigningKeys},
    ///     provider::{AuthorizationServer, store::MemoryStore},
    /// };
    ///
    /// let env = Env::system();
    /// let first = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, env.now())?;
    /// let second = SigningKeys::new(SigningKey::generate(Algorithm::EdDsa)?, env.now())?;
    /// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env))?
    ///     .signing_keys(first)
    ///     .further_signing_keys(second);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn further_signing_keys(self, keys: SigningKeys) -> Self {
        self.with(|inner| {
            inner.signing = inner.signing.apart();
            inner.signing.replace_further(keys);
        })
    }

    /// Replaces the signing keys while the server and its clones run, after a
    /// [rotation](crate::jose::Rotation) or a theft. A server without signing keys has some from
    /// now on, and its metadata names them.
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env,
    /// #     jose::{Algorithm, Rotation, SigningKey, SigningKeys},
    /// #     provider::{AuthorizationServer, store::MemoryStore},
    /// # };
    /// # let env = Env::system();
    /// # let mut keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, env.now())?;
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env.clone()))?
    /// #     .signing_keys(keys.clone());
    /// keys.add(SigningKey::generate(Algorithm::Es256)?, env.now(), &Rotation::default())?;
    /// server.replace_signing_keys(keys);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_signing_keys(&self, keys: SigningKeys) {
        self.inner().signing.replace(keys);
    }

    /// Replaces further signing keys while the server and its clones run: those for the algorithm
    /// of the newest one. See [`further_signing_keys`](Self::further_signing_keys).
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env,
    /// #     jose::{Algorithm, SigningKey, SigningKeys},
    /// #     provider::{AuthorizationServer, store::MemoryStore},
    /// # };
    /// # let env = Env::system();
    /// # let keys = |algorithm| {
    /// #     let key = SigningKey::generate(algorithm).map_err(|_| "no key")?;
    /// #     SigningKeys::new(key, Env::system().now()).map_err(|_| "shared")
    /// # };
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env.clone()))?
    /// #     .signing_keys(keys(Algorithm::Es256)?);
    /// server.replace_further_signing_keys(keys(Algorithm::EdDsa)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_further_signing_keys(&self, keys: SigningKeys) {
        self.inner().signing.replace_further(keys);
    }
}
