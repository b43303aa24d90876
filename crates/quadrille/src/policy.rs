//! What an authorization server insists on.

use std::time::Duration;

/// The rules that the provider's decisions follow. [`Policy::safe`] is the default; every method
/// that weakens it has a long name that says what is given up.
///
/// ```
/// use quadrille::Policy;
/// use std::time::Duration;
///
/// let policy = Policy::safe().access_token_lifetime(Duration::from_secs(600));
/// assert_eq!(policy, Policy::default().access_token_lifetime(Duration::from_secs(600)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long an authorization code may be redeemed. RFC 6749, section 4.1.2 recommends ten
    /// minutes at most.
    pub code_lifetime: Duration,
    /// How long an access token is good.
    pub access_token_lifetime: Duration,
    /// How long a refresh token may lie unused.
    pub refresh_token_idle_lifetime: Duration,
    /// How long a chain of refreshes may go on after the person consented.
    pub refresh_token_total_lifetime: Duration,
    /// How long after its first use the same refresh token, from the same client, gets the same
    /// successor again, so that a lost answer does not end the session.
    pub refresh_repeat_window: Duration,
    /// How long a person may take over the consent page.
    pub ticket_lifetime: Duration,
    /// Whether confidential clients must use PKCE too, unless one was registered as a client that need
    /// not. Public clients always must.
    pub pkce_for_confidential_clients: bool,
}

impl Policy {
    /// The safe rules: PKCE for everyone, codes for one minute, access tokens for an hour, refresh
    /// tokens that rotate at every use.
    pub const fn safe() -> Self {
        Self {
            code_lifetime: Duration::from_secs(60),
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_idle_lifetime: Duration::from_secs(30 * 24 * 3600),
            refresh_token_total_lifetime: Duration::from_secs(365 * 24 * 3600),
            refresh_repeat_window: Duration::from_secs(10),
            ticket_lifetime: Duration::from_secs(15 * 60),
            pkce_for_confidential_clients: true,
        }
    }

    /// How long an access token is good.
    #[must_use]
    pub const fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_token_lifetime = lifetime;
        self
    }

    /// How long an authorization code may be redeemed.
    #[must_use]
    pub const fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.code_lifetime = lifetime;
        self
    }

    /// How long a refresh token may lie unused, and how long the chain may go on in all.
    #[must_use]
    pub const fn refresh_token_lifetimes(mut self, idle: Duration, total: Duration) -> Self {
        self.refresh_token_idle_lifetime = idle;
        self.refresh_token_total_lifetime = total;
        self
    }

    /// Lets all confidential clients leave PKCE out, as clients from before RFC 9700 do. What is given
    /// up: a code that leaks from the browser can be injected into another session of that client.
    /// Public clients must use PKCE all the same. Where only some clients need it, allow it to those:
    /// `NewClient::allow_without_pkce_so_that_a_leaked_code_can_be_injected`.
    ///
    /// ```
    /// use quadrille::Policy;
    ///
    /// assert!(Policy::safe().pkce_for_confidential_clients);
    /// let policy = Policy::safe().allow_confidential_clients_without_pkce();
    /// assert!(!policy.pkce_for_confidential_clients);
    /// ```
    #[must_use]
    pub const fn allow_confidential_clients_without_pkce(mut self) -> Self {
        self.pkce_for_confidential_clients = false;
        self
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::safe()
    }
}
