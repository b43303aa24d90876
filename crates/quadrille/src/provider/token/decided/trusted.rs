//! Issuers elsewhere whose JWTs the server accepts.

#[cfg(feature = "http-client")]
use std::time::Duration;
use std::{fmt, sync::Arc};

use url::Url;

use crate::{
    Env,
    fetch::{Fetcher, NoKeys, RemoteDocument},
    jose::{Algorithms, ClaimsPolicy, KeySet, TokenType, Unverified, Verification},
    loopback::is_secure,
    provider::assertion_use::LONGEST,
};
#[cfg(feature = "http-client")]
use crate::{
    fetch::TrustedFetcher,
    transport::{self, NoHttpClient},
};

/// The deadline for the keys of an issuer.
#[cfg(feature = "http-client")]
const DEADLINE: Duration = Duration::from_secs(5);

/// An issuer elsewhere whose JWTs the server accepts: as assertions (RFC 7523, section 2.1), in
/// token exchange (RFC 8693), or as software statements (RFC 7591, section 2.3). See
/// [`AuthorizationServer::trusted_issuer`](crate::provider::AuthorizationServer::trusted_issuer) and
/// [`DynamicRegistration::software_statements`](crate::provider::DynamicRegistration::software_statements).
///
/// ```
/// use quadrille::{
///     jose::{Algorithm, KeySet, SigningKey},
///     provider::TrustedIssuer,
/// };
///
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let keys = KeySet::from_iter([key.verifying_key().clone()]);
/// let partner = TrustedIssuer::new("https://partner.example", keys)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TrustedIssuer {
    issuer: Arc<str>,
    keys: Keys,
    algorithms: Algorithms,
    client: Option<Arc<str>>,
    needs_identifier: bool,
}

/// The keys of an issuer.
#[derive(Clone)]
enum Keys {
    Known(Arc<KeySet>),
    Remote(Arc<RemoteDocument<KeySet>>),
}

/// The reason why an issuer cannot be trusted.
///
/// ```
/// use quadrille::{jose::KeySet, provider::{TrustedIssuer, TrustedIssuerError}};
///
/// let error = TrustedIssuer::new("https://partner.example", KeySet::default()).unwrap_err();
/// assert_eq!(error, TrustedIssuerError::NoKey);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedIssuerError {
    /// The issuer has no name.
    #[error("an issuer has a name")]
    Issuer,
    /// The issuer has no usable key.
    #[error("an issuer needs at least one usable public key")]
    NoKey,
    /// The URL of the keys is not an https URL (or http on this machine).
    #[error("the URL of an issuer's keys is an https URL")]
    Url,
    /// The HTTP client is missing.
    #[cfg(feature = "http-client")]
    #[error(transparent)]
    Http(#[from] NoHttpClient),
}

impl TrustedIssuer {
    /// An issuer with these keys, by the `iss` of its JWTs.
    ///
    /// # Errors
    /// [`TrustedIssuerError`].
    pub fn new(issuer: impl Into<Arc<str>>, keys: KeySet) -> Result<Self, TrustedIssuerError> {
        match keys.is_empty() {
            true => Err(TrustedIssuerError::NoKey),
            false => Self::of(issuer.into(), Keys::Known(Arc::new(keys))),
        }
    }

    /// An issuer whose keys are at this URL, its `jwks_uri`. They are fetched when they are needed,
    /// and again when a JWT names an unknown key, at most once in ten seconds.
    ///
    /// # Errors
    /// [`TrustedIssuerError`].
    #[cfg(feature = "http-client")]
    pub fn with_keys_at(
        issuer: impl Into<Arc<str>>,
        url: &str,
    ) -> Result<Self, TrustedIssuerError> {
        let http = transport::standard()?;
        Self::with_keys_fetched_by(issuer, url, TrustedFetcher { http, deadline: DEADLINE })
    }

    /// [`with_keys_at`](Self::with_keys_at) with the application's own fetcher.
    ///
    /// # Errors
    /// [`TrustedIssuerError`].
    pub fn with_keys_fetched_by(
        issuer: impl Into<Arc<str>>,
        url: &str,
        fetcher: impl Fetcher,
    ) -> Result<Self, TrustedIssuerError> {
        let url = Url::parse(url).ok().filter(is_secure).ok_or(TrustedIssuerError::Url)?;
        Self::of(issuer.into(), Keys::Remote(RemoteDocument::keys_at(url, Arc::new(fetcher))))
    }

    fn of(issuer: Arc<str>, keys: Keys) -> Result<Self, TrustedIssuerError> {
        match issuer.is_empty() {
            true => Err(TrustedIssuerError::Issuer),
            false => Ok(Self {
                issuer,
                keys,
                algorithms: Algorithms::PUBLIC_KEY,
                client: None,
                needs_identifier: true,
            }),
        }
    }

    /// Accepts these algorithms alone, among those with public keys.
    #[must_use]
    pub fn algorithms(mut self, algorithms: Algorithms) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// Takes assertions of requests that name no client for those of this client, whose
    /// authentication they replace (RFC 7521, section 4.1): service accounts send nothing else.
    #[must_use]
    pub fn requests_are_of_client(mut self, client_id: impl Into<Arc<str>>) -> Self {
        self.client = Some(client_id.into());
        self
    }

    /// Accepts assertions without `jti`, which RFC 7523 leaves optional. Gives up: an observer of
    /// an assertion can use it again, until it expires.
    #[must_use]
    pub fn accept_assertions_without_jti_so_that_they_can_be_replayed(mut self) -> Self {
        self.needs_identifier = false;
        self
    }

    /// The `iss` of the issuer's JWTs.
    pub fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    pub(crate) fn client(&self) -> Option<&Arc<str>> {
        self.client.as_ref()
    }

    /// The keys. Those at a URL are fetched again if the key that `token` names is not among those
    /// that are kept.
    pub(crate) async fn keys_for(
        &self,
        token: &Unverified<'_>,
        env: &Env,
    ) -> Result<Arc<KeySet>, NoKeys> {
        match &self.keys {
            Keys::Known(keys) => Ok(keys.clone()),
            Keys::Remote(remote) => {
                let got = remote.get(env.now(), env, |keys| token.has_key_in(keys)).await;
                got.inspect_err(|reason| {
                    let iss = &self.issuer;
                    tracing::warn!(%iss, %reason, "the keys of an issuer are not known");
                })
            }
        }
    }

    /// The rules for the signature of a token.
    pub(crate) const fn rules(&self, typ: TokenType) -> Verification {
        Verification::new(self.algorithms, typ)
    }

    /// The rules for claims. The audience is this server's issuer, alone for assertions, and the
    /// token endpoint if the [`Policy`](crate::Policy) says so.
    pub(crate) fn policy(
        &self,
        ours: &str,
        token_endpoint: Option<String>,
        purpose: Purpose,
    ) -> ClaimsPolicy {
        let policy = ClaimsPolicy::new(&*self.issuer, ours).require("sub");
        if purpose == Purpose::Exchange {
            return policy;
        }
        let policy = policy.longest_lifetime(LONGEST).sole_audience();
        let policy = if self.needs_identifier { policy.require("jti") } else { policy };
        match token_endpoint {
            Some(endpoint) => policy.or_audience(endpoint),
            None => policy,
        }
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("issuer", &self.issuer)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// The use of a JWT of another issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An assertion, which is used up.
    Assertion,
    /// A subject or actor token, which may be used again.
    Exchange,
}

impl Purpose {
    pub(crate) const fn typ(self) -> TokenType {
        match self {
            Self::Assertion => TokenType::IsOrPlain("authorization-grant+jwt"),
            Self::Exchange => TokenType::IsOrPlain("at+jwt"),
        }
    }
}
