//! OAuth 1.0a (RFC 5849), as a server offers it.

pub(super) mod access_token;
pub(super) mod admin;
pub(super) mod asked;
pub(super) mod authorize;
pub(super) mod error;
pub(super) mod forwarded;
pub(super) mod guard;
mod hashes;
pub(super) mod keys;
pub(super) mod nonces;
mod remember;
pub(super) mod request_token;
pub(super) mod revoke;
mod seconds;
mod shares;
pub(super) mod start;
mod temporary_error;
pub(super) mod values;
pub(super) mod verify;
pub(super) mod wire;

pub use super::client::oauth1::{
    new_key::{NewKey, NewKeyError},
    record::{Credential, Key, Registration},
};
pub use error::CredentialsError;
pub use temporary_error::TemporaryError;
pub use values::Value;

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    guard::Verified,
    oauth1::{Credentials, SignatureMethod},
};

use super::{client::record::Client, token::format::TokenSecret};

/// The default number of requests remembered in memory, some 15 bytes each. One client alone gets
/// half of it: 50,000 requests a second, each remembered for 346 seconds at most.
const IN_MEMORY: usize = 36_000_000;

/// The default number of requests that one process has the store remember.
const IN_THE_STORE: usize = 16_000_000;

/// The terms on which a server offers OAuth 1.0a (RFC 5849). Pass it to
/// [`AuthorizationServer::oauth1`](super::AuthorizationServer::oauth1); without it the server
/// offers none.
///
/// The defaults are HMAC and RSA with SHA-256 and SHA-512, timestamps within five minutes, and
/// token credentials that do not expire (RFC 5849 has no way to renew them; they end when they are
/// revoked). Most existing clients sign with HMAC-SHA1, and need the first line of this:
///
/// ```
/// use quadrille::{Env, provider::{AuthorizationServer, oauth1::OAuth1, store::MemoryStore}};
///
/// let oauth1 = OAuth1::new().allow_hmac_sha1_as_most_clients_sign();
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .oauth1(oauth1);
/// # Ok::<(), quadrille::provider::IssuerError>(())
/// ```
#[derive(Clone)]
pub struct OAuth1 {
    is_offered: bool,
    allowed: Vec<SignatureMethod>,
    only: Option<Vec<SignatureMethod>>,
    pub(crate) window: Duration,
    pub(crate) temporary_lifetime: Duration,
    pub(crate) token_lifetime: Option<Duration>,
    pub(crate) shares_nonces: bool,
    nonces: Option<usize>,
    values: Option<Arc<values::Make>>,
    extras: Option<Arc<Extras>>,
}

/// A function that adds members to an answer.
type Extras = dyn Fn(&Client, Option<&Verified>) -> Vec<(String, String)> + Send + Sync;

impl OAuth1 {
    /// OAuth 1.0a with the safe defaults.
    pub fn new() -> Self {
        use SignatureMethod::{HmacSha256, HmacSha512, RsaSha256, RsaSha512};
        Self {
            is_offered: true,
            allowed: vec![HmacSha256, HmacSha512, RsaSha256, RsaSha512],
            only: None,
            window: Duration::from_secs(300),
            temporary_lifetime: Duration::from_secs(30 * 60),
            token_lifetime: None,
            shares_nonces: false,
            nonces: None,
            values: None,
            extras: None,
        }
    }

    /// No OAuth 1.0a.
    pub(crate) fn off() -> Self {
        Self { is_offered: false, ..Self::new() }
    }

    pub(crate) const fn is_offered(&self) -> bool {
        self.is_offered
    }

    /// Accepts signatures with HMAC-SHA1, the method that RFC 5849 itself defines and almost every
    /// client uses by default. This gives up little: that SHA-1 no longer resists collisions does
    /// not break HMAC with it, but new clients should not use it.
    #[must_use]
    pub fn allow_hmac_sha1_as_most_clients_sign(self) -> Self {
        self.and(SignatureMethod::HmacSha1)
    }

    /// Accepts signatures with RSA-SHA1, as old installations (of JIRA, say) make them. This gives
    /// up protection against an attacker who can have the client sign a chosen request: collisions
    /// of SHA-1 can be bought, so a second request may have the same signature.
    #[must_use]
    pub fn allow_rsa_sha1_with_its_broken_digest_as_old_clients_sign(self) -> Self {
        self.and(SignatureMethod::RsaSha1)
    }

    /// Accepts PLAINTEXT (RFC 5849, section 3.4.4), over TLS or on the machine itself only. This
    /// gives up every protection but TLS: each request carries the secrets.
    #[must_use]
    pub fn allow_plaintext_which_carries_the_secrets_themselves(self) -> Self {
        self.and(SignatureMethod::Plaintext)
    }

    /// Accepts only these signature methods, of those that are allowed. Other methods are not
    /// accepted, whether they are allowed before or after.
    #[must_use]
    pub fn only(mut self, methods: impl IntoIterator<Item = SignatureMethod>) -> Self {
        self.only = Some(methods.into_iter().collect());
        self
    }

    /// `true` if signatures with this method are accepted.
    pub(crate) fn takes(&self, method: SignatureMethod) -> bool {
        self.allowed.contains(&method)
            && self.only.as_ref().is_none_or(|only| only.contains(&method))
    }

    /// The accepted methods, for the log.
    pub(crate) fn accepted(&self) -> String {
        let accepted = self.allowed.iter().copied().filter(|method| self.takes(*method));
        accepted.map(SignatureMethod::as_str).collect::<Vec<_>>().join(", ")
    }

    fn and(mut self, method: SignatureMethod) -> Self {
        if !self.allowed.contains(&method) {
            self.allowed.push(method);
        }
        self
    }

    /// Sets the greatest difference between a timestamp and the server's clock, either way
    /// (default: five minutes). Every request is remembered for as long. Before a process starts
    /// with a smaller window than the one before, let the old window pass: it knows of earlier
    /// requests for its own window only.
    #[must_use]
    pub fn timestamp_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets the lifetime of temporary credentials, from the client's first request to its last
    /// (default: half an hour). The user signs in and decides in between.
    #[must_use]
    pub fn temporary_lifetime(mut self, lifetime: Duration) -> Self {
        self.temporary_lifetime = lifetime;
        self
    }

    /// Sets the lifetime of token credentials (default: unlimited). Clients cannot renew them, and
    /// must send the user again.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// Remembers nonces in the store, which is necessary if several processes serve one issuer:
    /// otherwise a request could be replayed once to each, and for the first five minutes after a
    /// start each refuses the requests of a second that belongs to another. Every signed request
    /// then waits for the store. By default each process remembers them in its own memory, and
    /// refuses requests signed before it started. For a client whose clock is ahead, the store
    /// remembers the used seconds, so that after a restart no request of them is accepted again.
    #[must_use]
    pub fn remember_nonces_in_the_store(mut self) -> Self {
        self.shares_nonces = true;
        self
    }

    /// Sets the number of signed requests that one process remembers (default: 36 million in
    /// memory, which take some 540 MB, or 16 million in the store). A client may have as many of
    /// them as are left for all others, half of them if it is alone; beyond that it gets 429 until
    /// some are forgotten, while other clients go on. Each is remembered for the
    /// [window](Self::timestamp_window) and up to 46 seconds: a client that sends 50,000 requests a
    /// second needs twice 50,000 x 346.
    ///
    /// ```
    /// use quadrille::provider::oauth1::OAuth1;
    ///
    /// // For 1,000 requests a second of one client.
    /// let oauth1 = OAuth1::new().remember_at_most(2 * 1_000 * 346);
    /// ```
    #[must_use]
    pub fn remember_at_most(mut self, requests: usize) -> Self {
        self.nonces = Some(requests);
        self
    }

    /// The number of requests to remember.
    pub(crate) fn nonces(&self) -> usize {
        let usual = if self.shares_nonces { IN_THE_STORE } else { IN_MEMORY };
        self.nonces.unwrap_or(usual)
    }

    /// Sets a function that makes identifiers, secrets and verifiers in the application's own form,
    /// from 32 unpredictable bytes; `None` keeps the default form. The same bytes must give the
    /// same text. [`Value`] has the requirements of each.
    ///
    /// ```
    /// use quadrille::provider::oauth1::{OAuth1, Value};
    ///
    /// const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    /// // Thirty letters and digits for tokens, as clients of an earlier provider expect them.
    /// let oauth1 = OAuth1::new().values(|value, bytes| match value {
    ///     Value::Temporary | Value::Token => Some(value.letters(bytes, LETTERS, 30)),
    ///     _ => None,
    /// });
    /// ```
    #[must_use]
    pub fn values(
        mut self,
        make: impl Fn(Value, &[u8; 32]) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.values = Some(Arc::new(make));
        self
    }

    /// Adds members to the answers with credentials: temporary ones, for which nothing is granted
    /// yet (`None`), and token credentials, with their grant.
    ///
    /// ```
    /// use quadrille::{Actor, provider::oauth1::OAuth1};
    ///
    /// let oauth1 = OAuth1::new().extras(|_client, granted| match granted.map(|it| it.actor()) {
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

    /// An answer with the members that the application adds.
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
    pub(crate) fn own_value(&self, value: Value, bytes: &TokenSecret) -> Option<String> {
        self.values.as_ref().and_then(|make| make(value, bytes))
    }

    pub(crate) fn verifier(&self, is_typed: bool, secret: &TokenSecret) -> String {
        let value = if is_typed { Value::TypedVerifier } else { Value::Verifier };
        self.own_value(value, secret).unwrap_or_else(|| value.default(secret))
    }

    /// A shared-secret, of a client or of a token.
    pub(crate) fn secret(&self, bytes: &TokenSecret) -> String {
        let value = Value::Secret;
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
            .field("allowed", &self.allowed)
            .field("only", &self.only)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_may_be_allowed_before_and_after_others_are_left_out() {
        let only = |oauth1: OAuth1| oauth1.only([SignatureMethod::HmacSha1]);
        let allow = OAuth1::allow_hmac_sha1_as_most_clients_sign;
        for oauth1 in [only(allow(OAuth1::new())), allow(only(OAuth1::new()))] {
            assert!(oauth1.takes(SignatureMethod::HmacSha1));
            assert!(!oauth1.takes(SignatureMethod::HmacSha256));
        }
        assert!(!only(OAuth1::new()).takes(SignatureMethod::HmacSha1));
    }
}
