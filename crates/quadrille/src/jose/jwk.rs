//! The members of a JWK (RFC 7517, section 4; RFC 7518, section 6).

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::{Algorithm, ContentEncryption, KeyError, KeyManagement, base64url};
use crate::{
    der,
    json::{JsonObject, read_object},
};

/// The members of a JWK, wiped when dropped.
pub(super) struct Jwk(Map<String, Value>);

/// The purpose of a key, as `key_ops` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Sign,
    Verify,
    Encrypt,
    Decrypt,
}

impl Operation {
    /// The value of `use`.
    const fn purpose(self) -> &'static str {
        match self {
            Self::Sign | Self::Verify => "sig",
            Self::Encrypt | Self::Decrypt => "enc",
        }
    }

    /// The values of `key_ops`, of which one is enough (RFC 7517, section 4.3).
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Sign => &["sign"],
            Self::Verify => &["verify"],
            Self::Encrypt => &["encrypt", "wrapKey", "deriveKey", "deriveBits"],
            Self::Decrypt => &["decrypt", "unwrapKey", "deriveKey", "deriveBits"],
        }
    }
}

impl Jwk {
    pub(super) fn parse(json: &str) -> Result<Self, KeyError> {
        Ok(Self(read_object(json.as_bytes())?))
    }

    pub(super) const fn of(members: Map<String, Value>) -> Self {
        Self(members)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The type of the key.
    pub(super) fn kty(&self) -> Result<&str, KeyError> {
        self.text("kty")?.ok_or(KeyError::Missing("kty"))
    }

    pub(super) fn kid(&self) -> Result<Option<&str>, KeyError> {
        self.optional("kid")
    }

    /// The algorithm of signatures that the key is limited to.
    pub(super) fn algorithm(&self) -> Result<Option<Algorithm>, KeyError> {
        let Some(name) = self.optional("alg")? else { return Ok(None) };
        Algorithm::parse(name).ok_or(KeyError::UnknownAlgorithm).map(Some)
    }

    /// The algorithm of encryption that the key is limited to.
    pub(super) fn key_management(&self) -> Result<Option<KeyManagement>, KeyError> {
        let Some(name) = self.optional("alg")? else { return Ok(None) };
        // A shared key for payloads names their encryption (RFC 7520, section 5.6).
        if ContentEncryption::parse(name).is_some() {
            return Ok(Some(KeyManagement::Direct));
        }
        KeyManagement::parse(name).ok_or(KeyError::UnknownAlgorithm).map(Some)
    }

    /// Whether the key is for this operation, as far as it says.
    pub(super) fn check_use(&self, operation: Operation) -> Result<(), KeyError> {
        if self.optional("use")?.is_some_and(|purpose| purpose != operation.purpose()) {
            return Err(KeyError::OtherUse);
        }
        let is_wanted =
            |one: &Value| one.as_str().is_some_and(|one| operation.names().contains(&one));
        match self.0.get("key_ops") {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Array(all)) if all.iter().any(is_wanted) => Ok(()),
            Some(Value::Array(_)) => Err(KeyError::OtherUse),
            Some(_) => Err(KeyError::Malformed("key_ops")),
        }
    }

    /// A text that keys may lack. Some providers write `null` then.
    fn optional(&self, name: &'static str) -> Result<Option<&str>, KeyError> {
        match self.0.get(name) {
            Some(Value::Null) => Ok(None),
            _ => self.text(name),
        }
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, KeyError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyError::Malformed(name)),
        }
    }

    /// The bytes of a member.
    pub(super) fn bytes(&self, name: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let text = self.text(name)?.ok_or(KeyError::Missing(name))?;
        base64url::decode(text).map(Zeroizing::new).ok_or(KeyError::Malformed(name))
    }

    /// The bytes of a member whose length is fixed.
    pub(super) fn exactly(
        &self,
        name: &'static str,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.bytes(name).and_then(|bytes| match bytes.len() == length {
            true => Ok(bytes),
            false => Err(KeyError::Malformed(name)),
        })
    }

    /// A number without leading zeros. Some implementations write one in front, for the sign.
    pub(super) fn number(&self, name: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(Zeroizing::new(der::without_zeros(&self.bytes(name)?).to_vec()))
    }
}

impl Drop for Jwk {
    fn drop(&mut self) {
        for value in self.0.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// A writer of JWKs.
pub(super) struct Writer(JsonObject);

impl Writer {
    pub(super) fn public() -> Self {
        Self(JsonObject::with_capacity(512))
    }

    /// A writer with room for every private key, so that no copy is left behind when it grows.
    pub(super) fn private() -> Self {
        Self(JsonObject::with_capacity(8 * 1024))
    }

    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.0.string(name, text);
    }

    pub(super) fn bytes(&mut self, name: &'static str, bytes: &[u8]) {
        self.0.string(name, &Zeroizing::new(base64url::encode(bytes)));
    }

    /// The JWK, as text.
    pub(super) fn finish(self) -> Option<String> {
        String::from_utf8(self.0.finish()).ok()
    }
}
