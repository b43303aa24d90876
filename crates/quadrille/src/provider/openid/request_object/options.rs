//! The options of request objects.

use std::{fmt, sync::Arc};

use crate::{
    KeyRing,
    fetch::{OfTokens, Remote, TokenFetcher, Visitors},
    jose::{Algorithms, DecryptingKey, EncryptingKey, KeyError, KeyManagement},
};

use super::reference::RequestText;

/// Request objects at an authorization server (OpenID Connect Core, section 6; RFC 9101): a client
/// sends its request as a token that it has signed, in the parameter `request`, so that nobody changes
/// it in the browser. The client signs by a key of its `jwks` or `jwks_uri`
/// ([`ClientOpenId::keys`](crate::provider::ClientOpenId::keys)), or by its secret if it is registered
/// for `client_secret_jwt`: the server knows no other secret.
///
/// Parameters inside replace those outside; `client_id` and `response_type` are in both places.
///
/// ```
/// use quadrille::provider::{GuardedFetcher, OpenId, RequestObjects};
///
/// # fn main() -> Result<(), quadrille::transport::NoHttpClient> {
/// let objects = RequestObjects::new().by_reference(GuardedFetcher::new()?);
/// let openid = OpenId::new().request_objects(objects);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct RequestObjects {
    /// The objects at URLs; `None` if they are not offered.
    pub(super) remote: Option<Remote<RequestText>>,
    /// The fetches that requests cause, by their networks.
    pub(super) visitors: Visitors,
    pub(super) accepts_unsigned: bool,
    pub(super) keys: Vec<DecryptingKey>,
}

impl RequestObjects {
    /// Signed request objects by value (`request`).
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts request objects by reference, too (`request_uri`): at https URLs that are among the
    /// client's [`request_uris`](crate::provider::ClientOpenId::request_uris), whatever fragment they
    /// have. They are kept as their `Cache-Control` says, a minute at least and an hour at most. A
    /// fragment that is not the SHA-256 hash of the kept object, in base64url, has it fetched again,
    /// once in ten seconds (OpenID Connect Core, section 6.2).
    pub fn by_reference(mut self, fetcher: impl TokenFetcher) -> Self {
        let fetcher = Arc::new(OfTokens(fetcher));
        self.remote = Some(Remote::that_agree_with((), fetcher));
        self
    }

    /// Accepts request objects without a signature, from clients that are not registered with an
    /// algorithm for them. Gives up: such an object proves nothing. It is as good as the parameters
    /// of a URL, which anybody can write, and looks better.
    pub fn accept_unsigned_ones_that_anybody_can_have_written(mut self) -> Self {
        self.accepts_unsigned = true;
        self
    }

    /// Accepts encrypted request objects, too: signed first, then encrypted to one of these keys,
    /// beside keys of earlier calls. The metadata name the algorithms of these keys, and no others:
    /// RSA-OAEP and RSA-OAEP-256 need a key for RSA. A key for one algorithm is published with it
    /// (`alg`). The first key for an algorithm is for new objects, and its public part is in the JWK Set
    /// of the server. The previous one behind it still decrypts: keep it for as long as clients may know
    /// it, a day for example (OpenID Connect Core, section 10.2.1).
    ///
    /// A client that is registered for `client_secret_jwt` may encrypt by its secret, too (`dir`,
    /// `A128KW`, `A256KW`; section 10.2).
    ///
    /// ```
    /// use quadrille::{
    ///     jose::{DecryptingKey, KeyError, KeyManagement},
    ///     provider::RequestObjects,
    /// };
    ///
    /// # fn main() -> Result<(), KeyError> {
    /// let keys = [
    ///     DecryptingKey::generate(KeyManagement::EcdhEsA256Kw)?,
    ///     DecryptingKey::generate(KeyManagement::RsaOaep256)?,
    /// ];
    /// let objects = RequestObjects::new().encrypted_to(keys);
    /// # Ok(())
    /// # }
    /// ```
    pub fn encrypted_to(mut self, keys: impl IntoIterator<Item = DecryptingKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Accepts encrypted request objects, too ([`encrypted_to`](Self::encrypted_to)), with keys on P-256
    /// that follow from the keys of a ring, so that they need no place of their own: all processes with the
    /// ring have them, and a new key of the ring makes a new one. `issuer` is that of the server.
    ///
    /// ```
    /// use quadrille::{KeyRing, jose::KeyError, provider::RequestObjects};
    ///
    /// # fn main() -> Result<(), KeyError> {
    /// let ring = KeyRing::ephemeral();
    /// let objects = RequestObjects::new().encrypted_to_keys_of(&ring, "https://id.example")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`KeyError`] if the library of algorithms fails.
    pub fn encrypted_to_keys_of(self, ring: &KeyRing, issuer: &str) -> Result<Self, KeyError> {
        let derived = ring.derive(|key| {
            let key = key.mac_key("provider request objects", issuer);
            DecryptingKey::derived(|count| key.mac(&[&[count]]))
        });
        let keys = derived.iter().cloned().collect::<Result<Vec<_>, _>>()?;
        Ok(self.encrypted_to(keys))
    }

    /// `true` if objects without a signature may be accepted.
    pub(crate) const fn accepts_unsigned(&self) -> bool {
        self.accepts_unsigned
    }

    /// `true` if objects at URLs are offered.
    pub(crate) fn has_references(&self) -> bool {
        self.remote.is_some()
    }

    /// The public keys to which clients encrypt, of each algorithm the first one. Those behind it decrypt
    /// what was encrypted before (OpenID Connect Core, section 10.2.1).
    pub(crate) fn encrypting_keys(&self) -> impl Iterator<Item = EncryptingKey> {
        let first = |alg| self.keys.iter().position(|key| key.encrypting_key().encrypts_by(alg));
        let is_first =
            move |index| KeyManagement::ALL.into_iter().any(|alg| first(alg) == Some(index));
        let published = self.keys.iter().enumerate().filter(move |(index, _)| is_first(*index));
        published.map(|(_, key)| key.encrypting_key().clone())
    }

    /// The algorithms of signatures, by their names.
    pub(crate) fn signing_algorithms(&self) -> Vec<&'static str> {
        let none = self.accepts_unsigned.then_some("none");
        Algorithms::PUBLIC_KEY.names().chain(Algorithms::SYMMETRIC.names()).chain(none).collect()
    }

    /// The algorithms by which clients encrypt. Those with a shared key are by their secrets.
    pub(crate) fn encryption_algorithms(&self) -> Vec<KeyManagement> {
        let is_done = |alg: &KeyManagement| match alg.is_symmetric() {
            true => !self.keys.is_empty(),
            false => self.keys.iter().any(|key| key.encrypting_key().encrypts_by(*alg)),
        };
        KeyManagement::ALL.into_iter().filter(is_done).collect()
    }
}

impl fmt::Debug for RequestObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestObjects")
            .field("by_reference", &self.remote.is_some())
            .field("accepts_unsigned", &self.accepts_unsigned)
            .field("keys", &self.keys.len())
            .finish()
    }
}
