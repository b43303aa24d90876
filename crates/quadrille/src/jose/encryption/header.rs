//! The protected header of a JWE (RFC 7516, section 4).

use std::fmt;

use serde_json::{Map, Value};

use super::error::DecryptError;
use crate::{
    jose::{
        Protected, base64url,
        encryption_algorithm::{ContentEncryption, KeyManagement},
        jwk::Jwk,
        public::Public,
    },
    json::{JsonObject, ObjectError, read_object},
};

/// The longest `apu` and `apv` that are read, in bytes.
const LONGEST_PARTY: usize = 512;

/// The header of an encrypted token. Anybody may have written it, until the token was decrypted.
///
/// ```
/// use quadrille::jose::*;
///
/// let key = DecryptingKey::generate(KeyManagement::EcdhEs)?;
/// let token = key.encrypting_key().encrypt(
///     KeyManagement::EcdhEs,
///     ContentEncryption::A128CbcHs256,
///     &Protected::plain().cty("JWT"),
///     b"a.b.c",
/// )?;
/// let header = Encrypted::parse(&token)?.header().clone();
/// assert_eq!(header.encryption(), ContentEncryption::A128CbcHs256);
/// assert_eq!((header.kid(), header.cty()), (key.kid(), Some("JWT")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct EncryptedHeader {
    algorithm: KeyManagement,
    encryption: ContentEncryption,
    members: Map<String, Value>,
}

impl EncryptedHeader {
    pub(super) fn parse(json: &[u8]) -> Result<Self, DecryptError> {
        let members = read_object(json).map_err(|error| match error {
            ObjectError::Malformed { .. } => DecryptError::HeaderMalformed("the JSON"),
            ObjectError::Repeated(_) => DecryptError::Repeated,
        })?;
        let text = |name| text(&members, name);
        let algorithm = text("alg")?.ok_or(DecryptError::HeaderMalformed("alg"))?;
        let algorithm = KeyManagement::parse(algorithm).ok_or(DecryptError::AlgorithmUnknown)?;
        let encryption = text("enc")?.ok_or(DecryptError::HeaderMalformed("enc"))?;
        let encryption =
            ContentEncryption::parse(encryption).ok_or(DecryptError::AlgorithmUnknown)?;
        // No extension is understood (RFC 7516, section 4.1.13).
        if members.contains_key("crit") {
            return Err(DecryptError::Critical);
        }
        // The length of what was compressed tells about the plaintext (RFC 8725, section 3.6).
        if members.contains_key("zip") {
            return Err(DecryptError::Compressed);
        }
        for name in ["kid", "typ", "cty"] {
            text(name)?;
        }
        Ok(Self { algorithm, encryption, members })
    }

    /// The algorithm of the key (RFC 7516, section 4.1.1).
    pub const fn algorithm(&self) -> KeyManagement {
        self.algorithm
    }

    /// The algorithm of the payload (RFC 7516, section 4.1.2).
    pub const fn encryption(&self) -> ContentEncryption {
        self.encryption
    }

    /// The identifier of the key (RFC 7516, section 4.1.6).
    pub fn kid(&self) -> Option<&str> {
        self.text("kid")
    }

    /// The type of the token (RFC 7516, section 4.1.11).
    pub fn typ(&self) -> Option<&str> {
        self.text("typ")
    }

    /// The type of the payload (RFC 7516, section 4.1.12): `JWT` for a nested token.
    pub fn cty(&self) -> Option<&str> {
        self.text("cty")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The ephemeral public key (RFC 7518, section 4.6.1.1).
    pub(super) fn ephemeral(&self) -> Result<Public, DecryptError> {
        match self.members.get("epk") {
            Some(Value::Object(key)) => Ok(Public::read(&Jwk::of(key.clone()))?),
            _ => Err(DecryptError::HeaderMalformed("epk")),
        }
    }

    /// The bytes of `apu` or `apv` (RFC 7518, sections 4.6.1.2 and 4.6.1.3).
    pub(super) fn party(&self, name: &'static str) -> Result<Vec<u8>, DecryptError> {
        let bytes = base64url::decode(text(&self.members, name)?.unwrap_or(""));
        let malformed = DecryptError::HeaderMalformed(name);
        bytes.filter(|bytes| bytes.len() <= LONGEST_PARTY).ok_or(malformed)
    }
}

/// Shows the algorithms alone: the other members are another party's text.
impl fmt::Debug for EncryptedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptedHeader({:?}, {:?})", self.algorithm, self.encryption)
    }
}

fn text<'m>(
    members: &'m Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'m str>, DecryptError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(DecryptError::HeaderMalformed(name)),
    }
}

/// The header of a token to encrypt, as JSON. `None` if a key that is no public one should stand in it.
pub(super) fn write(
    header: &Protected<'_>,
    algorithm: KeyManagement,
    encryption: ContentEncryption,
    kid: Option<&str>,
    ephemeral: Option<&Public>,
) -> Option<Vec<u8>> {
    let mut object = JsonObject::with_capacity(256);
    object.string("alg", algorithm.as_str());
    object.string("enc", encryption.as_str());
    header.write_types(&mut object);
    if let Some(kid) = kid {
        object.string("kid", kid);
    }
    if let Some(ephemeral) = ephemeral {
        object.raw("epk", &ephemeral.bare_jwk()?);
    }
    Some(object.finish())
}
