//! OAuth 1.0a (RFC 5849): how a server offers it.

mod access_token;
pub(super) mod admin;
pub(super) mod authorize;
pub(super) mod client;
pub(super) mod error;
pub(super) mod forwarded;
pub(super) mod guard;
mod hashes;
pub(super) mod keys;
pub(super) mod nonces;
mod request_token;
pub(super) mod revoke;
pub(super) mod seconds;
mod shares;
pub(super) mod values;
pub(super) mod verify;
mod wire;

pub use admin::{NewOAuth1Key, NewOAuth1KeyError};
pub use client::{OAuth1Client, OAuth1Credential, OAuth1Key};
pub use error::OAuth1Error;
pub use values::OAuth1Value;

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    guard::Verified,
    oauth1::{Credentials, SignatureMethod},
};

use super::{client::record::Client, token::format::TokenSecret};

/// How a server offers OAuth 1.0a: give it to
/// [`AuthorizationServer::oauth1`](super::AuthorizationServer::oauth1), without which there is none.
///
/// What you get by writing nothing is HMAC and RSA with SHA-256 and SHA-512, timestamps within five
/// minutes, and token credentials that do not expire (RFC 5849 knows no way to renew them; they end
/// when somebody revokes them). Most clients that exist sign with HMAC-SHA1, and need the first line
/// of this:
///
/// ```
/// use quadrille::{Env, provider::{AuthorizationServer, OAuth1, store::MemoryStore}};
///
/// let oauth1 = OAuth1::new().allow_hmac_sha1_as_most_clients_sign();
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .oauth1(oauth1);
/// # Ok::<(), quadrille::provider::IssuerError>(())
/// ```
#[derive(Clone)]
pub struct OAuth1 {
    is_offered: bool,
    pub(crate) methods: Vec<SignatureMethod>,
    pub(crate) window: Duration,
    pub(crate) temporary_lifetime: Duration,
    pub(crate) token_lifetime: Option<Duration>,
    pub(crate) shares_nonces: bool,
    nonces: Option<usize>,
    values: Option<Arc<values::Make>>,
    extras: Option<Arc<Extras>>,
}

/// Makes further members of an answer.
type Extras = dyn Fn(&Client, Option<&Verified>) -> Vec<(String, String)> + Send + Sync;

impl OAuth1 {
    /// The safe way to offer it.
    pub fn new() -> Self {
        use SignatureMethod::{HmacSha256, HmacSha512, RsaSha256, RsaSha512};
        Self {
            is_offered: true,
            methods: vec![HmacSha256, HmacSha512, RsaSha256, RsaSha512],
            window: Duration::from_secs(300),
            temporary_lifetime: Duration::from_secs(30 * 60),
            token_lifetime: None,
            shares_nonces: false,
            nonces: None,
            values: None,
            extras: None,
        }
    }

    /// Not offered.
    pub(crate) fn off() -> Self {
        Self { is_offered: false, ..Self::new() }
    }

    pub(crate) const fn is_offered(&self) -> bool {
        self.is_offered
    }

    /// Takes signatures with HMAC-SHA1, the one that RFC 5849 itself defines and almost every client
    /// makes by default. What is given up is little: that SHA-1 no longer resists collisions does not
    /// break HMAC with it, but nobody should build on it any more.
    #[must_use]
    pub fn allow_hmac_sha1_as_most_clients_sign(self) -> Self {
        self.and(SignatureMethod::HmacSha1)
    }

    /// Takes signatures with RSA-SHA1, as old installations (of JIRA, say) make them. What is given
    /// up: who can have a client sign something of their choice may find a second request under the
    /// same signature, since collisions of SHA-1 can be bought.
    #[must_use]
    pub fn allow_rsa_sha1_with_its_broken_digest_as_old_clients_sign(self) -> Self {
        self.and(SignatureMethod::RsaSha1)
    }

    /// Takes PLAINTEXT (RFC 5849, section 3.4.4), over TLS or on the machine itself only. What is
    /// given up: every request carries the secrets, and nothing but TLS protects it.
    #[must_use]
    pub fn allow_plaintext_which_carries_the_secrets_themselves(self) -> Self {
        self.and(SignatureMethod::Plaintext)
    }

    /// Takes these signature methods only, of those allowed so far: to tighten.
    #[must_use]
    pub fn only(mut self, methods: impl IntoIterator<Item = SignatureMethod>) -> Self {
        let wanted: Vec<_> = methods.into_iter().collect();
        self.methods.retain(|method| wanted.contains(method));
        self
    }

    fn and(mut self, method: SignatureMethod) -> Self {
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
        self
    }

    /// How far a timestamp may be from the server's clock, either way: five minutes unless said
    /// otherwise. So long is every request remembered.
    #[must_use]
    pub fn timestamp_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How long temporary credentials are good, from the client's first request to its last: half an
    /// hour unless said otherwise. The person signs in and decides in between.
    #[must_use]
    pub fn temporary_lifetime(mut self, lifetime: Duration) -> Self {
        self.temporary_lifetime = lifetime;
        self
    }

    /// How long token credentials are good: until they are revoked unless said otherwise. Clients
    /// cannot renew them, and have to send the person again.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// Remembers requests in the store, as it must be where several processes answer for one issuer:
    /// otherwise a request could be sent once more to each. Every signed request then waits for the
    /// store. Unless this is said, each process remembers by itself, in memory, and refuses what was
    /// signed before it started. For a client whose clock is ahead the store remembers which seconds
    /// were used, so that after a restart nothing of them is let in again.
    #[must_use]
    pub fn remember_nonces_in_the_store(mut self) -> Self {
        self.shares_nonces = true;
        self
    }

    /// How many signed requests one process remembers at most: 36 million in memory, which then take
    /// some 540 MB, and 16 million in the store, unless said otherwise. A client may have as many of
    /// them as are left for all others, half of them when it is alone; beyond that it is answered
    /// with 429 until some are forgotten, and other clients go on. Each is remembered for the
    /// [window](Self::timestamp_window) and up to 46 seconds: a client that sends 50,000 requests a
    /// second needs twice 50,000 x 346.
    ///
    /// ```
    /// use quadrille::provider::OAuth1;
    ///
    /// // For 1,000 requests a second of one client.
    /// let oauth1 = OAuth1::new().remember_at_most(2 * 1_000 * 346);
    /// ```
    #[must_use]
    pub fn remember_at_most(mut self, requests: usize) -> Self {
        self.nonces = Some(requests);
        self
    }

    /// How many requests are remembered at most.
    pub(crate) fn nonces(&self) -> usize {
        let usual = if self.shares_nonces { nonces::IN_THE_STORE } else { nonces::IN_MEMORY };
        self.nonces.unwrap_or(usual)
    }

    /// Makes identifiers, secrets and verifiers of the application's own form, out of 32
    /// unpredictable bytes; `None` leaves one as it is. The same bytes must give the same text. See
    /// [`OAuth1Value`] for what each needs.
    ///
    /// ```
    /// use quadrille::provider::{OAuth1, OAuth1Value};
    ///
    /// const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    /// // Thirty letters and digits for tokens, as clients of an earlier provider expect them.
    /// let oauth1 = OAuth1::new().values(|value, bytes| match value {
    ///     OAuth1Value::Temporary | OAuth1Value::Token => Some(value.letters(bytes, LETTERS, 30)),
    ///     _ => None,
    /// });
    /// ```
    #[must_use]
    pub fn values(
        mut self,
        make: impl Fn(OAuth1Value, &[u8; 32]) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.values = Some(Arc::new(make));
        self
    }

    /// Adds members to the answers that give credentials: to temporary ones where nothing was granted
    /// yet, to token credentials with what was.
    ///
    /// ```
    /// use quadrille::{Actor, provider::OAuth1};
    ///
    /// let oauth1 = OAuth1::new().extras(|_client, granted| match granted.map(|granted| granted.actor()) {
    ///     Some(Actor::User(subject)) => vec![("user_id".to_owned(), subject.to_string())],
    ///     _ => Vec::new(),
    /// });
    /// ```
    #[must_use]
    pub fn extras(
        mut self,
        extras: impl Fn(&Client, Option<&Verified>) -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.extras = Some(Arc::new(extras));
        self
    }

    /// An answer with what the application adds to it.
    pub(crate) fn with_extras(
        &self,
        credentials: Credentials,
        client: &Client,
        granted: Option<&Verified>,
    ) -> Credentials {
        let extras = self.extras.as_ref().map(|extras| extras(client, granted));
        extras
            .into_iter()
            .flatten()
            .fold(credentials, |credentials, (name, value)| credentials.with(name, value))
    }

    /// A value in the application's form, if it has one for it.
    pub(crate) fn own_value(&self, value: OAuth1Value, bytes: &TokenSecret) -> Option<String> {
        self.values.as_ref().and_then(|make| make(value, bytes))
    }

    pub(crate) fn verifier(&self, is_typed: bool, secret: &TokenSecret) -> String {
        let value = if is_typed { OAuth1Value::TypedVerifier } else { OAuth1Value::Verifier };
        self.own_value(value, secret).unwrap_or_else(|| value.default(secret))
    }

    /// A shared-secret, of a client or of a token.
    pub(crate) fn secret(&self, bytes: &TokenSecret) -> String {
        let value = OAuth1Value::Secret;
        self.own_value(value, bytes).unwrap_or_else(|| value.default(bytes))
    }
}

impl Default for OAuth1 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OAuth1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth1")
            .field("is_offered", &self.is_offered)
            .field("methods", &self.methods)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
