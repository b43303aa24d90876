//! A guard's trust in an issuer elsewhere, which it asks what tokens are worth (RFC 7662).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Response;

use crate::{
    Env, Scopes, Timestamp,
    oauth2::{
        ActiveToken, ClientAuth, EndpointError, IntrospectionRequest, IntrospectionResponse,
        IntrospectionResponseError, Resources,
    },
    transport::{
        self, CollectError, ErasedClient, HttpClient, NetworkFault, NoHttpClient, Purpose,
    },
};

use super::{
    Actor, Authentication, Verified, access::AccessError, issuer::check_issuer, token::sha256,
    verified::Told,
};

/// What the issuer may answer at most.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How many answers are remembered; beyond that, those that are old are forgotten, or all.
const REMEMBERED: usize = 4096;

/// How an API that does not share the server's store learns what a token is worth: it asks the
/// issuer (RFC 7662). Give it to [`Guard::elsewhere`](super::Guard::elsewhere).
///
/// What the issuer said of a good token is remembered for five seconds, which is how long a token
/// that was revoked may still be taken here; that a token is no good is never remembered. When the
/// issuer cannot be asked, requests are answered with 503.
///
/// ```
/// use quadrille::{oauth2::ClientAuth, provider::{Guard, Introspection}};
///
/// // As `quadrille client add "Photo API" --resource-server --audience https://api.example` says.
/// let auth = ClientAuth::Basic { client_id: "5f0c".into(), client_secret: "s3cret".into() };
/// let id = Introspection::new("https://id.example", "https://id.example/oauth/introspect", auth)?;
/// let guard = Guard::elsewhere("https://api.example", id).audience("https://api.example");
/// # Ok::<(), quadrille::provider::IntrospectionError>(())
/// ```
pub struct Introspection {
    issuer: String,
    endpoint: String,
    auth: ClientAuth,
    http: Arc<dyn ErasedClient>,
    env: Env,
    remember: Duration,
    deadline: Duration,
    known: Mutex<HashMap<[u8; 32], Known>>,
}

/// What the issuer said, and until when that counts.
struct Known {
    token: Verified,
    until: Timestamp,
}

/// Why an issuer cannot be asked about tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// The endpoint is not an https URL (or http on this machine).
    #[error("the introspection endpoint is not an https URL")]
    Endpoint,
    /// A client without a secret is told nothing.
    #[error("an API must authenticate with a secret to ask about tokens")]
    NoSecret,
    /// There is no HTTP client.
    #[error(transparent)]
    Http(#[from] NoHttpClient),
}

impl Introspection {
    /// Asks `issuer` at its `introspection_endpoint`, as the client that this API is there.
    ///
    /// # Errors
    /// [`IntrospectionError`].
    pub fn new(issuer: &str, endpoint: &str, auth: ClientAuth) -> Result<Self, IntrospectionError> {
        // The rule for an issuer, but for the query that an endpoint may have.
        let without_query = endpoint.split_once('?').map_or(endpoint, |(before, _)| before);
        check_issuer(without_query).map_err(|_| IntrospectionError::Endpoint)?;
        let probe = IntrospectionRequest { token: "x", token_type_hint: None };
        probe
            .to_request(endpoint, &auth)
            .map_err(|_: EndpointError| IntrospectionError::Endpoint)?;
        if matches!(auth, ClientAuth::None { .. }) {
            return Err(IntrospectionError::NoSecret);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            endpoint: endpoint.to_owned(),
            auth,
            http: transport::standard()?,
            env: Env::system(),
            remember: Duration::from_secs(5),
            deadline: Duration::from_secs(5),
            known: Mutex::default(),
        })
    }

    /// The application's own HTTP client: a proxy, certificate authorities.
    #[must_use]
    pub fn http(mut self, client: impl HttpClient) -> Self {
        self.http = Arc::new(client);
        self
    }

    /// The clock and the dice.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// For how long a good answer counts, five seconds unless said otherwise. Zero asks every time.
    #[must_use]
    pub fn remember_for(mut self, time: Duration) -> Self {
        self.remember = time;
        self
    }

    /// How long the issuer may take, five seconds unless said otherwise.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// What an access token stands for, if it is good.
    pub(crate) async fn access(&self, token: &str) -> Result<Verified, AccessError> {
        let (key, now) = (sha256(token.as_bytes()), self.env.now());
        if let Some(known) = self.recall(&key, now) {
            return Ok(known);
        }
        let answer = tokio::time::timeout(self.deadline, self.ask(token))
            .await
            .unwrap_or(Err(Unasked::Network(NetworkFault::TimedOut)))
            .map_err(|reason| {
                tracing::error!(%reason, "the issuer was not asked about an access token");
                AccessError::Unavailable
            })?;
        let now = self.env.now();
        let told = match answer {
            IntrospectionResponse::Inactive => return Err(AccessError::Unknown),
            IntrospectionResponse::Active(told) => read(*told, &self.issuer, now)?,
        };
        let until = (now + self.remember).min(told.expires);
        let token = Verified::from(Arc::new(told));
        self.keep(key, &token, until, now);
        Ok(token)
    }

    async fn ask(&self, token: &str) -> Result<IntrospectionResponse, Unasked> {
        let asked = IntrospectionRequest { token, token_type_hint: None };
        let request = asked.to_request(&self.endpoint, &self.auth)?;
        let answer = self.http.send(request.map(Into::into), Purpose::Introspect).await?;
        let (parts, body) = answer.into_parts();
        let body = body.collect(ANSWER_LIMIT).await.map_err(|error| match error {
            CollectError::TooLarge => Unasked::TooLarge,
            CollectError::Network(fault) => fault.into(),
        })?;
        Ok(IntrospectionResponse::parse(&Response::from_parts(parts, body))?)
    }

    fn recall(&self, key: &[u8; 32], now: Timestamp) -> Option<Verified> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // After a step back of the clock it is too new to be true.
        let counts = |known: &&Known| now < known.until && known.until <= now + self.remember;
        known.get(key).filter(counts).map(|known| known.token.clone())
    }

    fn keep(&self, key: [u8; 32], token: &Verified, until: Timestamp, now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, known| now < known.until);
            if known.len() >= REMEMBERED {
                known.clear();
            }
        }
        known.insert(key, Known { token: token.clone(), until });
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("issuer", &self.issuer)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Why the issuer's word could not be had.
#[derive(Debug, thiserror::Error)]
enum Unasked {
    #[error(transparent)]
    Network(#[from] NetworkFault),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Response(#[from] IntrospectionResponseError),
    #[error("the answer is too long")]
    TooLarge,
}

/// What an active token stands for. What is not said, or not understood, widens nothing.
fn read(token: ActiveToken, issuer: &str, now: Timestamp) -> Result<Told, AccessError> {
    let is_bearer = |kind: &String| kind.eq_ignore_ascii_case("bearer");
    let is_ours = token.iss.as_ref().is_none_or(|iss| iss == issuer);
    if !is_ours || !token.token_type.as_ref().is_none_or(is_bearer) {
        return Err(AccessError::Unknown);
    }
    if token.nbf.is_some_and(|begins| now < begins) {
        return Err(AccessError::Unknown);
    }
    let expires = token.exp.unwrap_or(Timestamp::from_millis(i64::MAX));
    if now >= expires {
        return Err(AccessError::Expired);
    }
    // One that is no URI is none that a guard here could have.
    let uris = token.aud.iter().map(String::as_str).filter(|uri| Resources::of([*uri]).is_ok());
    let audience = Resources::of(uris).map_err(|_| AccessError::OtherAudience)?;
    if audience.is_empty() && !token.aud.is_empty() {
        return Err(AccessError::OtherAudience);
    }
    let client: Arc<str> = token.client_id.unwrap_or_default().into();
    let actor = match token.sub {
        // Some issuers name the client where it acts for itself (RFC 9068, section 2.2).
        Some(subject) if !subject.is_empty() && *subject != *client => Actor::User(subject.into()),
        _ if client.is_empty() => return Err(AccessError::Unknown),
        _ => Actor::Client(client.clone()),
    };
    let authentication = match (&actor, token.auth_time) {
        (Actor::User(subject), Some(time)) => {
            let mut authentication = Authentication::new(subject.clone(), time);
            authentication.acr = token.acr.map(Into::into);
            Some(Arc::new(authentication))
        }
        _ => None,
    };
    let scopes = token.scope.unwrap_or(Scopes::EMPTY);
    Ok(Told { client, actor, scopes, audience, authentication, expires })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    fn token(change: impl FnOnce(&mut ActiveToken)) -> Result<Told, AccessError> {
        let mut token = ActiveToken {
            client_id: Some("app".to_owned()),
            sub: Some("ada".to_owned()),
            exp: Some(Timestamp::from_seconds(2000)),
            ..ActiveToken::default()
        };
        change(&mut token);
        read(token, "https://id.example", NOW)
    }

    #[test]
    fn a_token_of_another_issuer_kind_or_time_is_no_good() {
        assert!(token(|_| {}).is_ok());
        assert!(token(|token| token.iss = Some("https://id.example".to_owned())).is_ok());
        assert!(token(|token| token.token_type = Some("bearer".to_owned())).is_ok());
        let other = token(|token| token.iss = Some("https://other.example".to_owned()));
        assert_eq!(other.err(), Some(AccessError::Unknown));
        let dpop = token(|token| token.token_type = Some("DPoP".to_owned()));
        assert_eq!(dpop.err(), Some(AccessError::Unknown));
        let early = token(|token| token.nbf = Some(Timestamp::from_seconds(1001)));
        assert_eq!(early.err(), Some(AccessError::Unknown));
        let late = token(|token| token.exp = Some(NOW));
        assert_eq!(late.err(), Some(AccessError::Expired));
    }

    #[test]
    fn an_audience_that_is_not_understood_does_not_count_as_none() {
        let audience = |aud: &[&str]| {
            let aud = aud.iter().map(|aud| (*aud).to_owned()).collect();
            token(|token| token.aud = aud).map(|told| told.audience.as_str().to_owned())
        };
        assert_eq!(audience(&[]), Ok(String::new()));
        assert_eq!(audience(&["api", "urn:api"]), Ok("urn:api".to_owned()));
        assert_eq!(audience(&["api"]), Err(AccessError::OtherAudience));
    }

    #[test]
    fn a_machine_is_a_machine_however_the_issuer_says_so() {
        let actor = |client: Option<&str>, sub: Option<&str>| {
            token(|token| {
                token.client_id = client.map(str::to_owned);
                token.sub = sub.map(str::to_owned);
            })
            .map(|told| told.actor)
        };
        assert_eq!(actor(Some("app"), Some("ada")), Ok(Actor::User("ada".into())));
        assert_eq!(actor(Some("app"), None), Ok(Actor::Client("app".into())));
        assert_eq!(actor(Some("app"), Some("app")), Ok(Actor::Client("app".into())));
        assert_eq!(actor(None, Some("ada")), Ok(Actor::User("ada".into())));
        assert_eq!(actor(None, None), Err(AccessError::Unknown));
    }
}
