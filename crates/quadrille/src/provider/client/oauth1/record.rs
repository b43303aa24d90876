//! A client's keys for OAuth 1.0a.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Secret, Timestamp, oauth1::SignatureMethod};

/// A client's registration for OAuth 1.0a (RFC 5849, section 1.1), beside the one for OAuth 2. Its
/// identifier is the `client_id`, its callbacks are the redirect URIs.
///
/// ```
/// use quadrille::provider::{Client, oauth1::Registration};
///
/// fn may_use_oob(client: &Client) -> bool {
///     client.oauth1.as_ref().is_some_and(|oauth1: &Registration| oauth1.out_of_band)
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Registration {
    /// The client's keys; each one that has not expired is valid.
    pub keys: Vec<Key>,
    /// `true` if users may carry the verifier to the client (`oauth_callback=oob`).
    #[serde(default)]
    pub out_of_band: bool,
    /// The signature methods that the client may use, among those of the server; empty for all. One of
    /// them is for a key of the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "methods")]
    pub methods: Vec<SignatureMethod>,
}

/// A key of a client.
///
/// ```
/// use quadrille::{Env, provider::oauth1::Key};
///
/// fn is_valid(key: &Key, env: &Env) -> bool {
///     key.expires.is_none_or(|expires| env.now() < expires)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key itself.
    pub credential: Credential,
    /// The expiry, so that a new key can be rolled out first; `None` for none.
    pub expires: Option<Timestamp>,
}

/// The credential that a client signs with (RFC 5849, section 3.4).
///
/// ```
/// use quadrille::provider::oauth1::Credential;
///
/// let key = Credential::RsaPublicKey("-----BEGIN PUBLIC KEY-----".into());
/// assert!(!matches!(key, Credential::SharedSecret(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Credential {
    /// A shared-secret, for HMAC and PLAINTEXT, sealed under the server's key ring.
    SharedSecret(Arc<str>),
    /// A shared-secret of a client in a [table](crate::provider::store::ClientTable) of the
    /// application's own, as that has it. It is never stored.
    #[serde(skip)]
    SharedSecretInTable(Secret),
    /// The public half of an RSA key of 2048 bits and up, in PEM.
    RsaPublicKey(Arc<str>),
    /// The public half of an RSA key that may have as few as 1024 bits, in PEM.
    ShortRsaPublicKey(Arc<str>),
}

impl Credential {
    /// `true` for an RSA key, which is for other methods than a shared-secret.
    const fn is_rsa(&self) -> bool {
        matches!(self, Self::RsaPublicKey(_) | Self::ShortRsaPublicKey(_))
    }
}

impl Registration {
    /// The keys that have not expired.
    pub(crate) fn good_keys(&self, now: Timestamp) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.expires.is_none_or(|expires| now < expires))
    }

    /// `true` if a valid key of the client is one for a method that the client may use, or if it has
    /// no valid key.
    pub(crate) fn can_sign(&self, now: Timestamp) -> bool {
        let fits = |key: &Key| {
            let is_rsa = key.credential.is_rsa();
            self.methods.is_empty() || self.methods.iter().any(|method| method.is_rsa() == is_rsa)
        };
        self.good_keys(now).next().is_none() || self.good_keys(now).any(fits)
    }

    /// `true` if the client may use this method; the server must accept it, too.
    pub(crate) fn may_use(&self, method: SignatureMethod) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_methods_of_its_kind() {
        use SignatureMethod::{HmacSha256, Plaintext, RsaSha1};
        let (now, later) = (Timestamp::from_seconds(10), Timestamp::from_seconds(11));
        let secret = Key { credential: Credential::SharedSecret("s".into()), expires: None };
        let rsa = Key { credential: Credential::RsaPublicKey("k".into()), expires: None };
        let old = Key { expires: Some(now), ..rsa.clone() };
        let ends = Key { expires: Some(later), ..rsa.clone() };
        for (keys, methods, expected) in [
            (vec![secret.clone()], vec![], true),
            (vec![secret.clone()], vec![RsaSha1, Plaintext], true),
            (vec![secret.clone()], vec![RsaSha1], false),
            (vec![rsa.clone()], vec![HmacSha256, Plaintext], false),
            (vec![rsa], vec![RsaSha1], true),
            (vec![old.clone(), secret.clone()], vec![RsaSha1], false),
            (vec![ends, secret], vec![RsaSha1], true),
            (vec![old], vec![HmacSha256], true),
        ] {
            let registration = Registration { keys, methods, out_of_band: false };
            assert_eq!(registration.can_sign(now), expected, "{registration:?}");
        }
    }
}
