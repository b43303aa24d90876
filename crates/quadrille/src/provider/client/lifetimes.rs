//! The lifetimes and rules of one client, in place of the server's policy.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Policy;

use super::record::{Client, ClientType};

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
    fn over(&self, policy: &Policy) -> Policy {
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

impl Client {
    /// The server's policy with the lifetimes of this client.
    pub(crate) fn policy(&self, server: &Policy) -> Policy {
        self.lifetimes.over(server)
    }

    /// `true` if the client may send an authorization request without PKCE.
    pub(crate) fn may_omit_pkce(&self, policy: &Policy) -> bool {
        self.client_type == ClientType::Confidential
            && !self.requires_pkce
            && (self.without_pkce || !policy.pkce_for_confidential_clients)
    }

    /// The time for which the revocation of a grant must be remembered: until then one of its
    /// tokens could be valid, also a token from before the lifetimes were shortened.
    pub(crate) fn longest_use(&self, server: &Policy) -> Duration {
        let policy = self.policy(server);
        let now = policy.refresh_token_total_lifetime + policy.access_token_lifetime;
        let then = server.refresh_token_total_lifetime + server.access_token_lifetime;
        now.max(then).max(self.longest_use_before.unwrap_or_default())
    }

    /// Keeps the time for which revocations of this client must be remembered, at a change from
    /// the settings of `before`.
    pub(super) fn remember_longest_use(&mut self, before: &Self, server: &Policy) {
        let then = before.longest_use(server);
        self.longest_use_before =
            (then > self.longest_use(server)).then_some(then).or(before.longest_use_before);
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
    use crate::provider::client::record::tests::client;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_client_has_its_own_lifetimes_and_the_servers_where_it_has_none() {
        let mut app = client("app", "https://app.example/cb");
        let server = Policy::safe();
        assert_eq!(app.policy(&server), server);
        app.lifetimes.access_token = Some(Duration::from_secs(60));
        let own = app.policy(&server);
        assert_eq!(own.access_token_lifetime.as_secs(), 60);
        assert_eq!(own.code_lifetime, server.code_lifetime);
    }

    #[test]
    fn a_revocation_outlives_tokens_from_before_a_change() {
        let server = Policy::safe();
        let mut long = client("app", "https://app.example/cb");
        long.lifetimes.refresh_token_total = Some(DAY * 1000);
        let mut short = client("app", "https://app.example/cb");
        short.remember_longest_use(&long, &server);
        assert_eq!(short.longest_use(&server), DAY * 1000 + server.access_token_lifetime);
        let mut again = client("app", "https://app.example/cb");
        again.remember_longest_use(&short, &server);
        assert_eq!(again.longest_use(&server), short.longest_use(&server));
        let mut same = client("app", "https://app.example/cb");
        same.remember_longest_use(&same.clone(), &server);
        assert_eq!(same.longest_use_before, None);
    }

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
