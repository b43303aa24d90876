//! A client's part in OAuth 1.0a: the keys that it signs with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, oauth1::SignatureMethod};

/// A client's registration for OAuth 1.0a, beside the one for OAuth 2. Its identifier is the
/// `client_id`, its callbacks are the redirect URIs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OAuth1Client {
    /// What it signs with; any that has not expired is good.
    pub keys: Vec<OAuth1Key>,
    /// Whether people may carry the verifier to it (`oauth_callback=oob`).
    #[serde(default)]
    pub out_of_band: bool,
    /// The signature methods that it may use, of those of the server; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "methods")]
    pub methods: Vec<SignatureMethod>,
}

/// One of a client's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuth1Key {
    /// What it is.
    pub credential: OAuth1Credential,
    /// When it stops being good, so that a new one can be rolled out first.
    pub expires: Option<Timestamp>,
}

/// What a client signs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OAuth1Credential {
    /// A secret that both know, for HMAC and PLAINTEXT. It is sealed under the server's key ring.
    SharedSecret(Arc<str>),
    /// The public half of an RSA key of 2048 bits and up, in PEM.
    RsaPublicKey(Arc<str>),
    /// The public half of an RSA key that may have as few as 1024 bits, in PEM.
    ShortRsaPublicKey(Arc<str>),
}

impl OAuth1Client {
    /// The keys that have not expired.
    pub(super) fn good_keys(&self, now: Timestamp) -> impl Iterator<Item = &OAuth1Key> {
        self.keys.iter().filter(move |key| key.expires.is_none_or(|expires| now < expires))
    }

    /// Whether it may use this method, if the server takes it.
    pub(super) fn may_use(&self, method: SignatureMethod) -> bool {
        self.methods.is_empty() || self.methods.contains(&method)
    }
}

/// Methods by their names on the wire.
mod methods {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::oauth1::SignatureMethod;

    pub(super) fn serialize<S: Serializer>(
        methods: &[SignatureMethod],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(methods.iter().map(|method| method.as_str()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<SignatureMethod>, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let method = |name: String| {
            SignatureMethod::parse(&name).ok_or_else(|| D::Error::custom("a signature method"))
        };
        names.into_iter().map(method).collect()
    }
}
