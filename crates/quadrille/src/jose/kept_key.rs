//! One of the keys of an issuer: when it signs, and when it is replaced.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{KeyError, SigningKey, jwk::Jwk};
use crate::Timestamp;

/// When keys are replaced. A key is published before it signs, so that verifiers that keep the set
/// for a while know it by then, and after it signed, so that its last tokens stay valid.
///
/// ```
/// use std::time::Duration;
/// use quadrille::jose::Rotation;
///
/// let rotation = Rotation { period: Duration::from_secs(30 * 24 * 3600), ..Rotation::default() };
/// assert_eq!(rotation.ahead, Duration::from_secs(24 * 3600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The time for which a key signs; 90 days by default.
    pub period: Duration,
    /// The time for which a key is published before it signs; a day by default. At least as long
    /// as verifiers keep a set.
    pub ahead: Duration,
    /// The time for which a key is published after it signed; a day by default. At least as long as
    /// a token lives. It is waited for twice, in case the clock is set meanwhile.
    pub overlap: Duration,
}

impl Default for Rotation {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        Self { period: DAY * 90, ahead: DAY, overlap: DAY }
    }
}

/// The reason why keys cannot be kept together, or not be read from a store.
///
/// ```
/// use quadrille::{Secret, Timestamp, jose::*};
///
/// let shared = SigningKey::hmac(Algorithm::Hs256, &Secret::from("a".repeat(32)))?;
/// let error = SigningKeys::new(shared, Timestamp::default()).unwrap_err();
/// assert_eq!(error, SigningKeysError::Shared);
/// # Ok::<(), quadrille::jose::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeysError {
    /// The key is shared, and cannot be published.
    #[error("a shared key cannot be one of an issuer's published keys")]
    Shared,
    /// Another key has the identifier.
    #[error("another key has the same identifier")]
    Repeated,
    /// There are more keys than a set may have.
    #[error("there are too many keys")]
    TooMany,
    /// The text is none that [`to_json`](super::SigningKeys::to_json) wrote.
    #[error("the stored keys are malformed")]
    Malformed,
    /// A key cannot be used.
    #[error("a stored key cannot be used: {0}")]
    Key(#[from] KeyError),
}

/// A key, and when it signs.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) key: SigningKey,
    pub(super) signs_from: Timestamp,
    /// `None` while no successor signs.
    pub(super) retired: Option<Retired>,
}

/// The wait until no token of a key can be valid. There are two of [`Rotation::overlap`], one after
/// the other, so that a step of the clock shortens one of them at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retired {
    pub(super) since: Timestamp,
    pub(super) is_second: bool,
}

impl Rotation {
    /// The time at which the successor of a key must be published.
    pub(super) fn succession(&self, kept: &Kept) -> Timestamp {
        kept.signs_from + self.period.saturating_sub(self.ahead)
    }

    /// The latest time at which a key that is added now signs.
    pub(super) fn latest(&self, now: Timestamp) -> Timestamp {
        now + self.period + self.ahead
    }
}

impl Retired {
    pub(super) fn has_waited(&self, now: Timestamp, rotation: &Rotation) -> bool {
        self.since + rotation.overlap <= now
    }
}

impl Kept {
    pub(super) const fn new(key: SigningKey, signs_from: Timestamp) -> Self {
        Self { key, signs_from, retired: None }
    }

    /// `true` if a time is of a clock that ran ahead.
    pub(super) fn is_mistaken(&self, now: Timestamp, rotation: &Rotation) -> bool {
        self.signs_from > rotation.latest(now)
            || self.retired.is_some_and(|retired| now < retired.since)
    }

    pub(super) fn read(mut members: Map<String, Value>) -> Result<Self, SigningKeysError> {
        let Some(Value::Object(jwk)) = members.remove("jwk") else {
            return Err(SigningKeysError::Malformed);
        };
        let jwk = Jwk::of(jwk);
        let seconds = members.get("signs_from").and_then(Value::as_i64);
        let signs_from = Timestamp::from_seconds(seconds.ok_or(SigningKeysError::Malformed)?);
        let since = |name: &str| {
            let seconds = members.get(name).map(Value::as_i64);
            let time = seconds.map(|it| it.map(Timestamp::from_seconds));
            time.map(|time| time.ok_or(SigningKeysError::Malformed)).transpose()
        };
        let first = since("retired")?.map(|since| Retired { since, is_second: false });
        let second = since("waited")?.map(|since| Retired { since, is_second: true });
        let retired = second.or(first);
        let algorithm = jwk.algorithm()?.ok_or(KeyError::Missing("alg"))?;
        Ok(Self { key: SigningKey::read(algorithm, &jwk)?, signs_from, retired })
    }
}
