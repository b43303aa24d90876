//! The lifetimes and rules of one client, in place of the server's policy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Policy;

/// The longest lifetime that a client can have: ten years of 365 days.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The lifetimes of a client's codes and tokens (RFC 6749, sections 4.1.2, 5.1 and 6); `None` for
/// that of the server's [`Policy`].
///
/// ```
/// use quadrille::provider::Lifetimes;
/// use std::time::Duration;
///
/// let short = Lifetimes {
///     access_token: Some(Duration::from_secs(300)),
///     ..Lifetimes::default()
/// };
/// assert_eq!(short.code, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// The lifetime of an authorization code, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub code: Option<Duration>,
    /// The lifetime of an access token, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub access_token: Option<Duration>,
    /// The lifetime of an unused refresh token, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub refresh_token_idle: Option<Duration>,
    /// The lifetime of all refresh tokens of one consent, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
    pub refresh_token_total: Option<Duration>,
}

impl Lifetimes {
    /// `true` if all lifetimes are those of the server.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn are_valid(&self) -> bool {
        let all = [self.code, self.access_token, self.refresh_token_idle, self.refresh_token_total];
        let is_valid = |lifetime: &Duration| {
            lifetime.subsec_nanos() == 0 && !lifetime.is_zero() && *lifetime <= LONGEST
        };
        all.iter().flatten().all(is_valid)
    }

    /// The policy with these lifetimes.
    pub(super) fn over(&self, policy: &Policy) -> Policy {
        let mut own = policy.clone();
        let places = [
            (&mut own.code_lifetime, self.code),
            (&mut own.access_token_lifetime, self.access_token),
            (&mut own.refresh_token_idle_lifetime, self.refresh_token_idle),
            (&mut own.refresh_token_total_lifetime, self.refresh_token_total),
        ];
        for (place, lifetime) in places {
            *place = lifetime.unwrap_or(*place);
        }
        own
    }
}

/// Durations as whole seconds.
pub(super) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        lifetime: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match lifetime {
            Some(lifetime) => serializer.serialize_some(&lifetime.as_secs()),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn lifetimes_that_make_no_sense_are_invalid() {
        let code = |code: Duration| Lifetimes { code: Some(code), ..Lifetimes::default() };
        assert!(Lifetimes::default().are_valid());
        assert!(code(Duration::from_secs(1)).are_valid());
        for wrong in [Duration::ZERO, Duration::from_millis(1500), LONGEST + DAY, Duration::MAX] {
            assert!(!code(wrong).are_valid(), "{wrong:?}");
        }
    }
}
