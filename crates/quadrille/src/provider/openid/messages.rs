//! The protection of messages, as clients are registered for it (OpenID Connect Dynamic Client
//! Registration, section 2).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::jose::{Algorithm, ContentEncryption, KeyManagement};

/// The signature of a client's request objects, the value of `request_object_signing_alg`.
///
/// ```
/// use quadrille::{jose::Algorithm, provider::RequestObjectSigning};
///
/// let signing = RequestObjectSigning::parse("ES256");
/// assert_eq!(signing, Some(RequestObjectSigning::Signed(Algorithm::Es256)));
/// assert_eq!(RequestObjectSigning::Unsigned.as_str(), "none");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestObjectSigning {
    /// This algorithm, and no other.
    Signed(Algorithm),
    /// None: on a server that [accepts them][accept].
    ///
    /// [accept]: crate::provider::RequestObjects::accept_unsigned_ones_that_anybody_can_have_written
    Unsigned,
}

impl RequestObjectSigning {
    /// The value in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed(algorithm) => algorithm.as_str(),
            Self::Unsigned => "none",
        }
    }

    /// The signature with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::Unsigned),
            name => Algorithm::parse(name).map(Self::Signed),
        }
    }
}

impl Serialize for RequestObjectSigning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RequestObjectSigning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("an unknown algorithm"))
    }
}

/// The encryption of a kind of messages: the values of `alg` and `enc` (RFC 7516, section 4.1).
///
/// ```
/// use quadrille::{jose::{ContentEncryption, KeyManagement}, provider::MessageEncryption};
///
/// let encryption = MessageEncryption::by(KeyManagement::RsaOaep256);
/// assert_eq!(encryption.enc, ContentEncryption::A128CbcHs256);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessageEncryption {
    /// The algorithm of the key.
    pub alg: KeyManagement,
    /// The algorithm of the payload.
    pub enc: ContentEncryption,
}

impl MessageEncryption {
    /// The encryption with the default algorithm of payloads, `A128CBC-HS256` (OpenID Connect Dynamic
    /// Client Registration, section 2).
    pub const fn by(alg: KeyManagement) -> Self {
        Self { alg, enc: ContentEncryption::A128CbcHs256 }
    }
}
