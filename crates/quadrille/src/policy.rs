//! The rules of an authorization server.

use std::{sync::Arc, time::Duration};

use crate::scope::ScopeTree;

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
    /// The lifetime of an authorization code. RFC 6749, section 4.1.2 recommends ten minutes at
    /// most.
    pub code_lifetime: Duration,
    /// The lifetime of an access token.
    pub access_token_lifetime: Duration,
    /// The lifetime of an unused refresh token.
    pub refresh_token_idle_lifetime: Duration,
    /// The lifetime of all refresh tokens of one consent.
    pub refresh_token_total_lifetime: Duration,
    /// The time after its first use in which the same refresh token, from the same client, returns
    /// the same successor, so that a lost response does not end the session. At least
    /// [`least_repeat_window`](Self::least_repeat_window).
    pub refresh_repeat_window: Duration,
    /// The lifetime of a consent page.
    pub ticket_lifetime: Duration,
    /// Whether confidential clients must use PKCE, except those registered without it. Public
    /// clients always must.
    pub pkce_for_confidential_clients: bool,
    /// `true` if client assertions may name the token endpoint as their audience, in place of the
    /// issuer or beside it.
    pub token_endpoint_as_audience: bool,
    /// The scopes that imply others, when tokens are requested and at guards of this server.
    pub scope_tree: ScopeTree,
    /// The authentication context classes that this server's users can reach
    /// (`acr_values_supported`).
    pub acr_values: Vec<Arc<str>>,
    /// The lifetime of an ID token (OpenID Connect Core, section 2): the time in which a client must
    /// receive it, and no limit of the client's own session.
    pub id_token_lifetime: Duration,
}

impl Policy {
    /// The safe rules: PKCE for all clients, codes for one minute, access tokens for an hour,
    /// refresh tokens that rotate at every use.
    pub const fn safe() -> Self {
        Self {
            code_lifetime: Duration::from_secs(60),
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_idle_lifetime: Duration::from_secs(30 * 24 * 3600),
            refresh_token_total_lifetime: Duration::from_secs(365 * 24 * 3600),
            refresh_repeat_window: Duration::from_secs(30),
            ticket_lifetime: Duration::from_secs(15 * 60),
            pkce_for_confidential_clients: true,
            token_endpoint_as_audience: false,
            scope_tree: ScopeTree::new(),
            acr_values: Vec::new(),
            id_token_lifetime: Duration::from_secs(3600),
        }
    }

    /// The rules for OpenID Connect: as [`safe`](Self::safe), and confidential clients may omit
    /// PKCE, since most clients of OpenID Connect have a `nonce` in its place (RFC 9700, section
    /// 2.1.1). Public clients must use PKCE all the same.
    ///
    /// ```
    /// use quadrille::Policy;
    ///
    /// assert!(!Policy::openid().pkce_for_confidential_clients);
    /// assert_eq!(Policy::openid().code_lifetime, Policy::safe().code_lifetime);
    /// ```
    pub const fn openid() -> Self {
        let mut policy = Self::safe();
        policy.pkce_for_confidential_clients = false;
        policy
    }

    /// Sets the lifetime of an ID token.
    #[must_use]
    pub const fn id_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.id_token_lifetime = lifetime;
        self
    }

    /// Sets the lifetime of an access token.
    #[must_use]
    pub const fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_token_lifetime = lifetime;
        self
    }

    /// Sets the lifetime of an authorization code.
    #[must_use]
    pub const fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.code_lifetime = lifetime;
        self
    }

    /// Sets the lifetimes of an unused refresh token and of all refresh tokens of one consent.
    #[must_use]
    pub const fn refresh_token_lifetimes(mut self, idle: Duration, total: Duration) -> Self {
        self.refresh_token_idle_lifetime = idle;
        self.refresh_token_total_lifetime = total;
        self
    }

    /// Sets the time in which a refresh token may be repeated. A stolen refresh token that is used
    /// within that time after the client's own use is not noticed before its successor is used twice,
    /// so it should not be much longer than necessary.
    ///
    /// ```
    /// use quadrille::Policy;
    /// use std::time::Duration;
    ///
    /// let policy = Policy::safe().refresh_repeat_window(Duration::from_secs(60));
    /// assert!(policy.refresh_repeat_window >= Policy::least_repeat_window(Duration::from_secs(12)));
    /// ```
    #[must_use]
    pub const fn refresh_repeat_window(mut self, window: Duration) -> Self {
        self.refresh_repeat_window = window;
        self
    }

    /// The shortest [time in which a refresh token may be repeated](Self::refresh_repeat_window), for
    /// a store whose rotations are carried out within `longest`
    /// ([`Grants::longest_rotation`](crate::provider::store::Grants::longest_rotation)): that time, and
    /// ten seconds for the client, which repeats a request that got an error or no response. With a
    /// shorter one, the repeat would look like the use of a stolen token.
    ///
    /// ```
    /// use quadrille::Policy;
    /// use std::time::Duration;
    ///
    /// let least = Policy::least_repeat_window(Duration::from_secs(12));
    /// assert_eq!(least, Duration::from_secs(22));
    /// ```
    pub const fn least_repeat_window(longest: Duration) -> Duration {
        longest.saturating_add(Duration::from_secs(10))
    }

    /// Sets the scopes that imply others: at guards of this server, a token with one of them may do
    /// what the implied ones permit. A remembered consent to it covers them, and a refresh may
    /// narrow it to one of them.
    ///
    /// ```
    /// use quadrille::{Policy, scope::ScopeTree};
    ///
    /// let tree = ScopeTree::new().implies("photos", ["photos:read", "photos:write"]);
    /// let policy = Policy::safe().scope_tree(tree);
    /// ```
    #[must_use]
    pub fn scope_tree(mut self, tree: ScopeTree) -> Self {
        self.scope_tree = tree;
        self
    }

    /// Sets the authentication context classes that users can reach, the strongest first: the
    /// application sets one as [`Authentication::acr`](crate::Authentication::acr). Metadata names
    /// them, and a client can require them (`acr_values`, RFC 9470). Without any, `acr_values` is
    /// ignored.
    ///
    /// ```
    /// use quadrille::Policy;
    ///
    /// let policy = Policy::safe().acr_values(["urn:two-factors", "urn:password"]);
    /// ```
    #[must_use]
    pub fn acr_values<V: Into<Arc<str>>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.acr_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// Lets all confidential clients omit PKCE, as clients from before RFC 9700 do. Gives up: a
    /// code that leaks from the browser can be injected into another session of that client. Public
    /// clients must use PKCE all the same. To allow it to single clients:
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

impl Policy {
    /// Accepts client assertions (RFC 7523, section 3) whose audience is the URL of the token
    /// endpoint, that of the endpoint to which they are sent, such as the one for revocation, or
    /// several of these and the issuer, as many clients write them. Gives up: an authorization
    /// server that a client trusts, too, can name this server's token endpoint as its own, get an
    /// assertion for it, and use it here as the client.
    ///
    /// ```
    /// use quadrille::Policy;
    ///
    /// let policy = Policy::safe()
    ///     .accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them();
    /// assert!(policy.token_endpoint_as_audience);
    /// ```
    #[must_use]
    pub const fn accept_assertions_for_the_token_endpoint_so_that_another_server_can_obtain_them(
        mut self,
    ) -> Self {
        self.token_endpoint_as_audience = true;
        self
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::safe()
    }
}
