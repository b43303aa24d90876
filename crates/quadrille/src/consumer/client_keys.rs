//! The keys of a site: those that sign, by which it authenticates at services (`private_key_jwt`), and
//! those that decrypt.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{
    Secret, Timestamp,
    jose::{
        DecryptingKey, KeySet, Rotation, SigningKey, SigningKeys, SigningKeysError, VerifyingKey,
    },
};

/// The private keys of a site, by which it authenticates at services that verify signed assertions
/// (`private_key_jwt`; RFC 7523, section 2.2) in place of a secret:
/// [`Login::client_keys`](crate::Login::client_keys). The routes of the login publish the public keys
/// at `{public URL}/login/jwks.json`, the `jwks_uri` to register at services. Clones share the keys.
///
/// ```
/// use quadrille::{Env, consumer::ClientKeys, jose::{Algorithm, Rotation, SigningKey, SigningKeys}};
///
/// let now = Env::system().now();
/// let keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, now)?;
/// let keys = ClientKeys::new(keys);
///
/// // Once a day, say: a new key is published a day before it signs.
/// if let Some(changed) = keys.rotate(now, &Rotation::default())? {
///     // The application stores them, sealed, for its next start.
/// #   let _ = changed;
/// }
/// assert_eq!(keys.published().iter().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientKeys {
    signing: Arc<RwLock<Arc<SigningKeys>>>,
    /// The newest first.
    decrypting: Arc<[DecryptingKey]>,
}

impl ClientKeys {
    /// These keys.
    pub fn new(keys: SigningKeys) -> Self {
        Self { signing: Arc::new(RwLock::new(Arc::new(keys))), decrypting: Arc::default() }
    }

    /// Adds keys by which the site decrypts what providers encrypt for it
    /// ([`Spec::encrypted_id_tokens`](crate::Spec::encrypted_id_tokens)), the newest first. Their public
    /// keys are published beside the others. A key that has a successor stays for as long as providers
    /// may have the old set.
    ///
    /// ```
    /// use quadrille::{Env, consumer::ClientKeys};
    /// use quadrille::jose::{Algorithm, DecryptingKey, KeyManagement, SigningKey, SigningKeys};
    ///
    /// // In an application, both are stored, sealed.
    /// let signing = SigningKey::generate(Algorithm::Es256)?;
    /// let decrypting = DecryptingKey::generate(KeyManagement::EcdhEsA256Kw)?;
    /// let keys = ClientKeys::new(SigningKeys::new(signing, Env::system().now())?)
    ///     .decrypting([decrypting]);
    /// assert!(keys.jwks().contains(r#""use":"enc""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn decrypting(self, keys: impl IntoIterator<Item = DecryptingKey>) -> Self {
        let known = self.decrypting.iter().cloned();
        Self { decrypting: known.chain(keys).collect(), ..self }
    }

    /// Replaces the keys, such as by those that another process has stored.
    pub fn replace(&self, keys: SigningKeys) {
        *self.signing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Adds a successor of the newest key if one is due, and removes those that have not signed for
    /// long enough. Returns the keys to be stored, if they changed. Several processes must agree: one
    /// rotates and stores, the others load and [`replace`](Self::replace).
    ///
    /// # Errors
    /// [`SigningKeysError`]. The keys are unchanged then.
    pub fn rotate(
        &self,
        now: Timestamp,
        rotation: &Rotation,
    ) -> Result<Option<Secret>, SigningKeysError> {
        let mut keys = SigningKeys::clone(&self.keys());
        let swept = keys.needs_sweep(now, rotation);
        if swept {
            keys.sweep(now, rotation);
        }
        let due = keys.due(now, rotation);
        if let Some(algorithm) = due {
            keys.add(SigningKey::generate(algorithm)?, now, rotation)?;
        }
        if !swept && due.is_none() {
            return Ok(None);
        }
        let json = keys.to_json()?;
        self.replace(keys);
        Ok(Some(json))
    }

    /// The public keys that verify.
    pub fn published(&self) -> KeySet {
        self.keys().published()
    }

    /// The JWK Set at the `jwks_uri` (RFC 7517, section 5): the public keys that verify, and those that
    /// encrypt.
    pub fn jwks(&self) -> String {
        let verifying = self.published();
        let verifying = verifying.iter().filter_map(VerifyingKey::to_jwk);
        let encrypting = self.decrypting.iter().filter_map(|key| key.encrypting_key().to_jwk());
        let keys: Vec<_> = verifying.chain(encrypting).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// The keys that decrypt.
    pub(crate) fn that_decrypt(&self) -> &[DecryptingKey] {
        &self.decrypting
    }

    /// The key that signs at this time.
    pub(crate) fn signing(&self, now: Timestamp) -> Option<SigningKey> {
        self.keys().signing(now).cloned()
    }

    fn keys(&self) -> Arc<SigningKeys> {
        Arc::clone(&self.signing.read().unwrap_or_else(PoisonError::into_inner))
    }
}
