//! Encrypted tokens in the compact serialization (RFC 7516, section 7.1).

use std::fmt;

use zeroize::Zeroizing;

use super::{
    content::{self, Sealed},
    decrypting_key::DecryptingKey,
    encrypting_key::EncryptingKey,
    error::{DecryptError, EncryptError},
    header::{self, EncryptedHeader},
    rules::Decryption,
};
use crate::jose::{
    MAX_TOKEN_LEN, Protected, base64url,
    encryption_algorithm::{ContentEncryption, KeyManagement},
};

/// The keys that are tried at most for one token.
const MOST_KEYS: usize = 4;

impl EncryptingKey {
    /// Encrypts a payload: the token in the compact serialization. A signed token within has
    /// [`Protected::cty`]`("JWT")` (RFC 7519, section 5.2); sign first, then encrypt.
    ///
    /// ```
    /// use quadrille::jose::*;
    ///
    /// let (ours, theirs) = (
    ///     SigningKey::generate(Algorithm::Es256)?,
    ///     DecryptingKey::generate(KeyManagement::RsaOaep256)?,
    /// );
    /// let signed = ours.sign(&Protected::plain(), br#"{"sub":"ada"}"#)?;
    /// let (alg, enc) = (KeyManagement::RsaOaep256, ContentEncryption::A128CbcHs256);
    /// let header = Protected::plain().cty("JWT");
    /// let token = theirs.encrypting_key().encrypt(alg, enc, &header, signed.as_bytes())?;
    ///
    /// let decrypted = Encrypted::parse(&token)?.decrypt(Decryption::only(alg, enc), [&theirs])?;
    /// assert_eq!(decrypted.nested()?, signed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn encrypt(
        &self,
        algorithm: KeyManagement,
        encryption: ContentEncryption,
        header: &Protected<'_>,
        payload: &[u8],
    ) -> Result<String, EncryptError> {
        let wrapped = self.wrap(algorithm, encryption)?;
        let ephemeral = wrapped.ephemeral.as_ref();
        let header = header::write(header, algorithm, encryption, self.kid(), ephemeral);
        let header = base64url::encode(header.ok_or(EncryptError::Failed)?);
        let sealed = content::seal(encryption, &wrapped.key, header.as_bytes(), payload);
        let Sealed { iv, ciphertext, tag } = sealed.ok_or(EncryptError::Failed)?;
        let mut token = header;
        for part in [&wrapped.encrypted, &iv, &ciphertext, &tag] {
            token.push('.');
            base64url::encode_into(part, &mut token);
        }
        Ok(token)
    }
}

/// An encrypted token that was read and not decrypted. [`EncryptingKey::encrypt`] has an example.
///
/// ```
/// use quadrille::jose::{DecryptError, Encrypted};
///
/// assert!(matches!(Encrypted::parse("e30.e30.c2ln"), Err(DecryptError::NotCompact)));
/// ```
pub struct Encrypted<'t> {
    /// The header as it was sent, to which the payload is bound.
    protected: &'t str,
    header: EncryptedHeader,
    encrypted_key: Vec<u8>,
    sealed: Sealed,
}

impl<'t> Encrypted<'t> {
    /// Reads a token of at most [`MAX_TOKEN_LEN`] bytes in the compact serialization.
    ///
    /// # Errors
    /// [`DecryptError`].
    pub fn parse(token: &'t str) -> Result<Self, DecryptError> {
        Self::parse_up_to(token, MAX_TOKEN_LEN)
    }

    /// [`parse`](Self::parse) with another limit, in bytes.
    ///
    /// # Errors
    /// [`DecryptError`].
    pub fn parse_up_to(token: &'t str, bytes: usize) -> Result<Self, DecryptError> {
        if token.len() > bytes {
            return Err(DecryptError::TooLong);
        }
        let mut parts = token.split('.');
        let all = [(); 5].map(|()| parts.next());
        let [Some(protected), Some(key), Some(iv), Some(ciphertext), Some(tag)] = all else {
            return Err(DecryptError::NotCompact);
        };
        if parts.next().is_some() {
            return Err(DecryptError::NotCompact);
        }
        let decode = |part| base64url::decode(part).ok_or(DecryptError::NotBase64Url);
        let header = EncryptedHeader::parse(&decode(protected)?)?;
        let (iv, ciphertext, tag) = (decode(iv)?, decode(ciphertext)?, decode(tag)?);
        let sealed = Sealed { iv, ciphertext, tag };
        Ok(Self { protected, header, encrypted_key: decode(key)?, sealed })
    }

    /// Whether a text has the five parts of an encrypted token.
    pub fn is_one(token: &str) -> bool {
        token.bytes().filter(|byte| *byte == b'.').count() == 4
    }

    /// The header, by which the key is found.
    pub const fn header(&self) -> &EncryptedHeader {
        &self.header
    }

    /// Decrypts the token by one of these keys. If it names a key, only keys of this identifier are
    /// tried; otherwise all that are for the algorithm, at most four.
    ///
    /// # Errors
    /// [`DecryptError`].
    pub fn decrypt<'k>(
        self,
        rules: Decryption,
        keys: impl IntoIterator<Item = &'k DecryptingKey>,
    ) -> Result<Decrypted, DecryptError> {
        rules.check(&self.header)?;
        let (kid, algorithm) = (self.header.kid(), self.header.algorithm());
        let is_meant = |key: &&DecryptingKey| {
            // A shared key has no identifier of its own.
            kid.is_none_or(|kid| key.kid().is_none_or(|its| its == kid))
                && key.encrypting_key().encrypts_by(algorithm)
        };
        let keys: Vec<_> = keys.into_iter().filter(is_meant).take(MOST_KEYS + 1).collect();
        match keys.len() {
            0 => return Err(DecryptError::KeyUnknown),
            count if count > MOST_KEYS => return Err(DecryptError::KeyAmbiguous),
            _ => {}
        }
        let mut outcome = Err(DecryptError::Failed);
        for key in keys {
            outcome = self.open(key);
            if outcome.is_ok() {
                break;
            }
        }
        Ok(Decrypted { payload: outcome?, header: self.header })
    }

    fn open(&self, key: &DecryptingKey) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let key = key.unwrap(&self.header, &self.encrypted_key)?;
        let encryption = self.header.encryption();
        content::open(encryption, &key, self.protected.as_bytes(), &self.sealed)
            .ok_or(DecryptError::Failed)
    }
}

/// Shows the algorithms alone.
impl fmt::Debug for Encrypted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encrypted({:?})", self.header)
    }
}

/// A decrypted token: nobody but its sender and its recipient has read it, and nobody has changed it.
/// By a public key anybody can have sent it. [`EncryptingKey::encrypt`] has an example.
///
/// ```
/// use quadrille::jose::Decrypted;
///
/// /// The text of a token that has text within.
/// fn text(token: &Decrypted) -> Option<&str> {
///     std::str::from_utf8(token.payload()).ok()
/// }
/// ```
pub struct Decrypted {
    header: EncryptedHeader,
    payload: Zeroizing<Vec<u8>>,
}

impl Decrypted {
    /// The header.
    pub const fn header(&self) -> &EncryptedHeader {
        &self.header
    }

    /// The payload, wiped when dropped.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signed token within, which is still to be verified (RFC 7519, section 5.2).
    ///
    /// # Errors
    /// [`DecryptError::NotNested`] if the header does not say that it is one.
    pub fn nested(&self) -> Result<&str, DecryptError> {
        let is_nested = self.header.cty().is_some_and(|cty| cty.eq_ignore_ascii_case("JWT"));
        match std::str::from_utf8(&self.payload) {
            Ok(token) if is_nested => Ok(token),
            _ => Err(DecryptError::NotNested),
        }
    }
}

/// Shows the algorithms alone.
impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decrypted({:?})", self.header)
    }
}
