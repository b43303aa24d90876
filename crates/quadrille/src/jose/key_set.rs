//! Sets of public keys (RFC 7517, section 5).

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{EncryptingKey, KeyError, KeyManagement, VerifyingKey, jwk::Jwk};
use crate::json::{ObjectError, read_object};

/// The keys that are read of a set. A server has a few; each costs some microseconds.
pub const MOST_KEYS: usize = 100;

/// The reason why a set of keys cannot be read.
///
/// ```
/// use quadrille::jose::{KeySet, KeySetError};
///
/// assert_eq!(KeySet::parse(b"{}").unwrap_err(), KeySetError::Malformed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The text is not a JSON object with an array `keys` of objects.
    #[error("not a JWK Set")]
    Malformed,
    /// A member is repeated, at any depth.
    #[error("a member of the JWK Set is repeated")]
    Repeated,
    /// There are more than [`MOST_KEYS`] keys.
    #[error("the JWK Set has too many keys")]
    TooMany,
}

/// The public keys of a party, a JWK Set: those that verify, and those that encrypt. Keys that cannot
/// be used here are skipped (RFC 7517, section 5): of another type, too short, or private, so no
/// secret any more.
///
/// ```
/// use quadrille::jose::{KeyError, KeySet};
///
/// let keys = KeySet::parse(br#"{"keys":[
///     {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"},
///     {"kty":"AKP","alg":"ML-DSA-44","pub":"...","kid":"2"}
/// ]}"#)?;
/// assert_eq!(keys.iter().count(), 1);
/// assert_eq!(keys.skipped(), [KeyError::UnknownType]);
/// # Ok::<(), quadrille::jose::KeySetError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    encrypting: Vec<EncryptingKey>,
    skipped: Vec<KeyError>,
}

impl KeySet {
    /// Reads a JWK Set. Several keys may have one identifier; keys without one are kept.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        Self::from_members(read_object(json).map_err(|error| match error {
            ObjectError::Malformed { .. } => KeySetError::Malformed,
            ObjectError::Repeated(_) => KeySetError::Repeated,
        })?)
    }

    /// [`parse`](Self::parse) for members that were read already, such as `jwks` in the metadata
    /// of a client.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub fn from_members(mut members: Map<String, Value>) -> Result<Self, KeySetError> {
        let Some(Value::Array(keys)) = members.remove("keys") else {
            return Err(KeySetError::Malformed);
        };
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        let mut set = Self::default();
        for key in keys {
            let Value::Object(key) = key else { return Err(KeySetError::Malformed) };
            set.add(Ok(Jwk::of(key)));
        }
        Ok(set)
    }

    /// [`parse`](Self::parse) for the text of a set that was fetched from another party. Members of
    /// `keys` that are no keys are skipped, too: `null`, a text, an object that repeats a member.
    #[cfg_attr(
        not(any(
            feature = "consumer",
            feature = "provider",
            all(feature = "guard", feature = "http-client")
        )),
        allow(dead_code, reason = "nothing is fetched without these")
    )]
    pub(crate) fn parse_fetched(json: &str) -> Result<Self, KeySetError> {
        // The reader takes a list for an object, too.
        if !json.trim_start().starts_with('{') {
            return Err(KeySetError::Malformed);
        }
        let members: Members<'_> =
            serde_json::from_str(json).map_err(|error| match error.is_data() {
                // Every value is accepted, so a member is there twice.
                true => KeySetError::Repeated,
                false => KeySetError::Malformed,
            })?;
        let keys: Option<Vec<&RawValue>> =
            members.keys.and_then(|keys| serde_json::from_str(keys.get()).ok());
        let keys = keys.ok_or(KeySetError::Malformed)?;
        if keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        let mut set = Self::default();
        for key in keys {
            set.add(Jwk::parse(key.get()));
        }
        Ok(set)
    }

    fn add(&mut self, key: Result<Jwk, KeyError>) {
        let verifying = key.and_then(|key| {
            // A key that does not say what it is for may do both.
            self.encrypting.extend(EncryptingKey::read(&key));
            VerifyingKey::read(&key)
        });
        match verifying {
            Ok(key) => self.keys.push(key),
            Err(error) => self.skipped.push(error),
        }
    }

    /// The keys that verify.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// The first key that encrypts by an algorithm.
    ///
    /// ```
    /// use quadrille::jose::{DecryptingKey, KeyManagement, KeySet};
    ///
    /// let key = DecryptingKey::generate(KeyManagement::EcdhEs)?;
    /// let keys = KeySet::default().with_encrypting([key.encrypting_key().clone()]);
    /// assert!(keys.encrypting_by(KeyManagement::EcdhEs).is_some());
    /// assert!(keys.encrypting_by(KeyManagement::RsaOaep256).is_none());
    /// # Ok::<(), quadrille::jose::KeyError>(())
    /// ```
    pub fn encrypting_by(&self, algorithm: KeyManagement) -> Option<&EncryptingKey> {
        self.encrypting.iter().find(|key| key.encrypts_by(algorithm))
    }

    /// The set with these keys, too, which encrypt.
    #[must_use]
    pub fn with_encrypting(mut self, keys: impl IntoIterator<Item = EncryptingKey>) -> Self {
        self.encrypting.extend(keys);
        self
    }

    /// Whether there is no key that verifies.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The reasons why keys do not verify, in the order of the set.
    pub fn skipped(&self) -> &[KeyError] {
        &self.skipped
    }

    /// The JWK Set, without shared keys.
    pub fn to_json(&self) -> String {
        // A key that does both is written once.
        let is_written = |key: &&EncryptingKey| self.keys.iter().any(|it| it.kid() == key.kid());
        let encrypting = self.encrypting.iter().filter(|key| !is_written(key));
        let keys = self.keys.iter().filter_map(VerifyingKey::to_jwk);
        let keys: Vec<_> = keys.chain(encrypting.filter_map(EncryptingKey::to_jwk)).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

/// The members of a set that are read.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    keys: Option<&'a RawValue>,
}

/// A set of keys that are known already.
impl FromIterator<VerifyingKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

    fn fetched(members: &str) -> Result<(usize, Vec<KeyError>), KeySetError> {
        let json = members.replace("GOOD", GOOD);
        KeySet::parse_fetched(&json).map(|set| (set.iter().count(), set.skipped().to_vec()))
    }

    #[test]
    fn what_is_no_key_spoils_no_other_in_the_set_of_another_party() {
        for (members, keys, skipped) in [
            (r#"{"keys":[null,GOOD}]}"#, 1, &[KeyError::NotJson][..]),
            (r#"{"keys":["x",GOOD},7,[]]}"#, 1, &[KeyError::NotJson; 3]),
            (r#"{"keys":[GOOD,"kid":"1","kid":"1"},GOOD}]}"#, 1, &[KeyError::Repeated]),
            (r#"{"keys":[GOOD,"more":{"a":1,"a":1}},GOOD}]}"#, 1, &[KeyError::Repeated]),
            (r#"{"keys":[{"kty":"AKP"},GOOD}]}"#, 1, &[KeyError::UnknownType]),
            (r#" {"made":1,"up":[1],"up":2,"keys":[GOOD}]}"#, 1, &[]),
            (r#"{"keys":[]}"#, 0, &[]),
        ] {
            assert_eq!(fetched(members), Ok((keys, skipped.to_vec())), "{members}");
        }
    }

    #[test]
    fn what_is_no_set_is_refused_from_another_party_too() {
        for (members, error) in [
            ("", KeySetError::Malformed),
            ("null", KeySetError::Malformed),
            ("[[GOOD}]]", KeySetError::Malformed),
            ("{}", KeySetError::Malformed),
            (r#"{"keys":null}"#, KeySetError::Malformed),
            (r#"{"keys":{"0":GOOD}}}"#, KeySetError::Malformed),
            (r#"{"keys":[GOOD}]} x"#, KeySetError::Malformed),
            (r#"{"keys":[GOOD}"#, KeySetError::Malformed),
            (r#"{"keys":[],"keys":[GOOD}]}"#, KeySetError::Repeated),
            (r#"{"keys":[GOOD}],"\u006beys":[GOOD}]}"#, KeySetError::Repeated),
        ] {
            assert_eq!(fetched(members), Err(error), "{members}");
        }
        let many = format!(r#"{{"keys":[{}1]}}"#, "1,".repeat(MOST_KEYS));
        assert_eq!(fetched(&many), Err(KeySetError::TooMany));
    }

    #[test]
    fn null_says_as_little_of_a_key_as_a_member_that_is_missing() {
        let nulls = r#"{"keys":[GOOD,"alg":null,"use":null,"key_ops":null,"kid":null}]}"#;
        assert_eq!(fetched(nulls), Ok((1, vec![])));
        for (member, error) in [
            (r#""alg":7"#, KeyError::Malformed("alg")),
            (r#""use":[]"#, KeyError::Malformed("use")),
            (r#""key_ops":"verify""#, KeyError::Malformed("key_ops")),
        ] {
            let set = format!(r#"{{"keys":[GOOD,{member}}}]}}"#);
            assert_eq!(fetched(&set), Ok((0, vec![error])), "{member}");
        }
    }
}
