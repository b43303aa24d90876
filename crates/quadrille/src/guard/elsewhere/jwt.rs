//! JWT access tokens (RFC 9068), verified by the keys that their issuer publishes.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use url::Url;

use crate::{
    Env, Scopes, Timestamp,
    actor::{Actor, Authentication},
    fetch::{FetchError, Fetched, Fetcher, RemoteDocument, TrustedFetcher},
    guard::{
        authority::{Answer, Authority, SignedAt},
        error::AccessError,
        told::Told,
        verified::Verified,
    },
    jose::{
        Algorithms, Claims, ClaimsError, ClaimsPolicy, KeySet, TokenType, Unverified, Verification,
    },
    loopback::is_secure,
    oauth2::metadata::{ServerMetadata, well_known_urls},
    transport::{self, ErasedClient, HttpClient, NoHttpClient},
};

use super::{
    members::{act, actor, audience, binding},
    memory::Memory,
};

/// The type of the tokens (RFC 9068, section 2.1).
const TYPE: TokenType = TokenType::Is("at+jwt");

/// The longest token that is remembered, in bytes.
const LONGEST: usize = 4096;

/// The time for which a verified token is remembered. A key that its issuer has removed verifies no
/// token after that.
const REMEMBER: Duration = Duration::from_secs(60);

/// JWT access tokens (RFC 9068) of an issuer elsewhere, which the guard verifies by itself, with the
/// keys that the issuer publishes. Pass it to [`Guard::elsewhere`](crate::guard::Guard::elsewhere), and
/// give the guard an [`audience`](crate::guard::Guard::audience): such tokens always name one.
///
/// The keys are found through the issuer's metadata (RFC 8414 or OpenID Connect Discovery) and kept
/// for as long as their `Cache-Control` says, within a minute and an hour. A token that names an
/// unknown key has them fetched again, at most once in ten seconds. While the issuer cannot be
/// reached, the last keys are used for an hour more; without any, requests are answered with 503.
///
/// A guard learns nothing about the revocation of such a token: it is accepted until it expires.
/// If that is too long, use [`Introspection`](crate::guard::Introspection).
///
/// ```
/// use quadrille::guard::{Guard, JwtAccessTokens};
///
/// let tokens = JwtAccessTokens::of("https://id.example")?;
/// let guard = Guard::elsewhere("https://api.example", tokens).audience("https://api.example");
/// # Ok::<(), quadrille::guard::JwtAccessTokensError>(())
/// ```
pub struct JwtAccessTokens {
    issuer: String,
    url: Url,
    jwks_uri: Option<Url>,
    http: Arc<dyn ErasedClient>,
    deadline: Duration,
    algorithms: Algorithms,
    leeway: Duration,
    env: Env,
}

/// The reason why the tokens of an issuer cannot be verified.
///
/// ```
/// use quadrille::guard::{JwtAccessTokens, JwtAccessTokensError};
///
/// let plain = JwtAccessTokens::of("http://id.example");
/// assert_eq!(plain.err(), Some(JwtAccessTokensError::Issuer));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtAccessTokensError {
    /// The issuer is not an https URL (or http on this machine) without query and fragment.
    #[error("the issuer is not an https URL without query and fragment")]
    Issuer,
    /// The URL of the keys is not an https URL (or http on this machine).
    #[error("the URL of the keys is not an https URL")]
    JwksUri,
    /// The HTTP client is missing.
    #[error(transparent)]
    Http(#[from] NoHttpClient),
}

impl JwtAccessTokens {
    /// Tokens of this issuer, which is compared with `iss` character by character.
    ///
    /// # Errors
    /// [`JwtAccessTokensError`].
    pub fn of(issuer: &str) -> Result<Self, JwtAccessTokensError> {
        let url = Url::parse(issuer).ok().filter(is_secure);
        let url = url.filter(|url| url.query().is_none() && url.fragment().is_none());
        Ok(Self {
            issuer: issuer.to_owned(),
            url: url.ok_or(JwtAccessTokensError::Issuer)?,
            jwks_uri: None,
            http: transport::standard()?,
            deadline: Duration::from_secs(5),
            algorithms: Algorithms::PUBLIC_KEY,
            leeway: ClaimsPolicy::LEEWAY,
            env: Env::system(),
        })
    }

    /// Sets the URL of the keys (`jwks_uri`), for an issuer without metadata.
    ///
    /// # Errors
    /// [`JwtAccessTokensError::JwksUri`].
    pub fn keys_at(mut self, jwks_uri: &str) -> Result<Self, JwtAccessTokensError> {
        let url = Url::parse(jwks_uri).ok().filter(is_secure);
        self.jwks_uri = Some(url.ok_or(JwtAccessTokensError::JwksUri)?);
        Ok(self)
    }

    /// Sets the accepted algorithms (default: all with public keys). The keys of an issuer are
    /// public, so no HMAC is ever accepted.
    ///
    /// ```
    /// use quadrille::{guard::JwtAccessTokens, jose::{Algorithm, Algorithms}};
    ///
    /// let tokens = JwtAccessTokens::of("https://id.example")?
    ///     .algorithms(Algorithms::only(Algorithm::Es256));
    /// # Ok::<(), quadrille::guard::JwtAccessTokensError>(())
    /// ```
    #[must_use]
    pub const fn algorithms(mut self, algorithms: Algorithms) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// Sets the tolerated difference between the clocks of issuer and API (default: 30 seconds).
    #[must_use]
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Replaces the HTTP client, for example to use a proxy or other certificate authorities.
    #[must_use]
    pub fn http(mut self, client: impl HttpClient) -> Self {
        self.http = Arc::new(client);
        self
    }

    /// Replaces the clock.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Sets the deadline of a request to the issuer (default: five seconds).
    #[must_use]
    pub const fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }
}

impl fmt::Debug for JwtAccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAccessTokens")
            .field("issuer", &self.issuer)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// The verifier of an issuer's tokens.
pub(super) struct Verifier {
    issuer: String,
    keys: Arc<RemoteDocument<KeySet>>,
    rules: Verification,
    policy: ClaimsPolicy,
    leeway: Duration,
    env: Env,
    /// By the signature, which is short: hashing whole tokens would cost more than all else.
    known: Memory<Box<str>, Known>,
}

/// A token that was verified, as a text and its facts.
struct Known {
    text: Box<str>,
    token: Verified,
}

impl From<JwtAccessTokens> for Verifier {
    fn from(tokens: JwtAccessTokens) -> Self {
        let JwtAccessTokens { issuer, url, jwks_uri, http, deadline, algorithms, leeway, env } =
            tokens;
        let fetcher = TrustedFetcher { http, deadline };
        let policy = ["sub", "client_id", "aud", "iat", "jti"]
            .into_iter()
            .fold(ClaimsPolicy::without_audience(issuer.as_str()), ClaimsPolicy::require)
            .leeway(leeway);
        let discovery = Discovery { issuer: issuer.clone(), jwks_uri, fetcher };
        Self {
            keys: RemoteDocument::keys_at(url, Arc::new(discovery)),
            issuer,
            rules: Verification::new(algorithms, TYPE),
            policy,
            leeway,
            env,
            known: Memory::of(REMEMBER),
        }
    }
}

impl Verifier {
    async fn access(&self, text: &str, at: Timestamp) -> Result<Verified, AccessError> {
        if let Some(known) = self.recall(text, at) {
            return Ok(known);
        }
        let token = Unverified::parse(text).map_err(|reason| unknown(&reason))?;
        // Before anything is fetched: tokens of others are none of this issuer's.
        let claims = token.claims_of_anybody().map_err(|reason| unknown(&reason))?;
        if claims.iss.as_deref() != Some(&*self.issuer) {
            return Err(unknown(&ClaimsError::Issuer));
        }
        let has_key = |keys: &KeySet| token.has_key_in(keys);
        let keys = self.keys.get(at, &self.env, has_key).await;
        let keys = keys.map_err(AccessError::unavailable)?;
        token.verify(&self.rules, &keys).map_err(|reason| unknown(&reason))?;
        // The claims are read already: the signature is of the text that they were read from.
        let now = self.env.now();
        self.policy.check(&claims, now).map_err(|reason| match reason {
            ClaimsError::Expired => AccessError::Expired,
            reason => unknown(&reason),
        })?;
        let told = read(claims)?;
        let expires = told.expires + self.leeway;
        let token = Verified::new(Arc::new(told));
        self.keep(text, &token, expires, now);
        Ok(token)
    }

    fn recall(&self, text: &str, now: Timestamp) -> Option<Verified> {
        let (_, signature) = text.rsplit_once('.')?;
        self.known
            .recall(signature, now, |known| (*known.text == *text).then(|| known.token.clone()))
    }

    fn keep(&self, text: &str, token: &Verified, expires: Timestamp, now: Timestamp) {
        if let Some((_, signature)) = text.rsplit_once('.').filter(|_| text.len() <= LONGEST) {
            let known = Known { text: text.into(), token: token.clone() };
            self.known.keep(signature.into(), known, expires, now);
        }
    }
}

impl Authority for Verifier {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn now(&self) -> Timestamp {
        self.env.now()
    }

    fn token<'a>(&'a self, token: &'a str, at: Timestamp) -> Answer<'a> {
        Box::pin(self.access(token, at))
    }

    fn signed<'a>(&'a self, _: SignedAt<'a>) -> Answer<'a> {
        Box::pin(async { Err(AccessError::Unknown) })
    }

    fn offers_oauth1(&self) -> bool {
        false
    }
}

/// The claims that are read into facts (RFC 9068, section 2.2, RFC 7800, RFC 8693).
const DEFINED: [&str; 7] = ["client_id", "scope", "auth_time", "acr", "amr", "act", "cnf"];

/// The facts in valid claims. A claim that is unknown widens nothing.
fn read(mut claims: Claims) -> Result<Told, AccessError> {
    let audience = audience(&claims.aud)?;
    let binding = match claims.extra.get("cnf") {
        None => None,
        Some(serde_json::Value::Object(cnf)) => Some(binding(cnf)?),
        Some(_) => return Err(AccessError::Unproven),
    };
    let client: Arc<str> = match claims.text("client_id") {
        Some(client) if !client.is_empty() => client.into(),
        _ => return Err(unknown(&ClaimsError::Missing("client_id"))),
    };
    let actor = actor(claims.sub.take().map(Cow::Owned), &client)?;
    let auth_time = claims.time("auth_time").map_err(|reason| unknown(&reason))?;
    let authentication = match (&actor, auth_time) {
        (Actor::User(subject), Some(time)) => {
            let mut authentication = Authentication::new(subject.clone(), time);
            authentication.acr = claims.text("acr").map(Into::into);
            let amr = claims.extra.get("amr").and_then(serde_json::Value::as_array);
            let amr = amr.into_iter().flatten().filter_map(serde_json::Value::as_str);
            authentication.amr = amr.map(Into::into).collect();
            Some(Arc::new(authentication))
        }
        _ => None,
    };
    let scopes = claims.text("scope").and_then(|scope| Scopes::parse(scope).ok());
    let act = act(&claims.extra)?;
    let mut data = claims.extra;
    data.retain(|name, _| !DEFINED.contains(&&**name));
    Ok(Told {
        act,
        client,
        actor,
        scopes: scopes.unwrap_or(Scopes::EMPTY),
        audience,
        authentication,
        expires: claims.exp.ok_or(AccessError::Unknown)?,
        binding,
        data,
    })
}

/// The reason why a token is none of the issuer's goes to the log.
fn unknown(reason: &dyn fmt::Display) -> AccessError {
    tracing::debug!(%reason, "no access token of the issuer");
    AccessError::Unknown
}

/// Fetches the keys of an issuer, wherever its metadata say that they are now.
struct Discovery {
    issuer: String,
    jwks_uri: Option<Url>,
    fetcher: TrustedFetcher,
}

impl Fetcher for Discovery {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        let jwks_uri = match &self.jwks_uri {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        self.fetcher.fetch(&jwks_uri).await
    }
}

impl Discovery {
    async fn discover(&self) -> Result<Url, FetchError> {
        let mut last = FetchError::Url;
        for url in well_known_urls(&self.issuer).unwrap_or_default() {
            match self.fetcher.fetch(&url).await {
                Ok(document) => {
                    let metadata = ServerMetadata::parse(&document.body, &self.issuer);
                    let metadata = metadata.map_err(|_| FetchError::Metadata)?;
                    let jwks_uri = metadata.jwks_uri.and_then(|url| Url::parse(&url).ok());
                    return jwks_uri.ok_or(FetchError::Metadata);
                }
                Err(error @ FetchError::Status(_)) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}
