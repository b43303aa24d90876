//! Token introspection (RFC 7662) by a guard that trusts an issuer elsewhere.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use url::Url;

use crate::{
    Env, Scopes, Timestamp,
    actor::{Actor, Authentication},
    digest::sha256,
    guard::{
        authority::{Answer, Authority, SignedAt},
        body::BODY_LIMIT,
        error::AccessError,
        signature::SignatureError,
        told::Told,
        verified::Verified,
    },
    loopback::is_secure,
    oauth1::{Forwarded, Verdict},
    oauth2::{
        ActiveToken, ClientAuth, EndpointError, IntrospectionRequest, IntrospectionResponse,
        IntrospectionResponseError,
    },
    transport::{
        self, CollectError, ErasedClient, HttpClient, NetworkError, NoHttpClient, Purpose,
    },
};

use super::{
    members::{act, actor, audience, binding},
    memory::Memory,
};

/// The `token_type` of a bearer token.
const BEARER: &str = "bearer";

/// The longest answer of the issuer, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Token introspection (RFC 7662), for an API that does not share the server's store: the guard
/// asks the issuer about each token. Pass it to [`Guard::elsewhere`](crate::guard::Guard::elsewhere).
///
/// A positive answer is kept for five seconds, which is how long a revoked token may still be
/// accepted here. A negative answer is never kept. While the issuer cannot be asked, requests are
/// answered with 503.
///
/// ```
/// use quadrille::{guard::{Guard, Introspection}, oauth2::ClientAuth};
///
/// // As `quadrille client add "Photo API" --resource-server --audience https://api.example` says.
/// let auth = ClientAuth::Basic { client_id: "5f0c".into(), client_secret: "s3cret".into() };
/// let id = Introspection::new("https://id.example", "https://id.example/oauth/introspect", auth)?;
/// let guard = Guard::elsewhere("https://api.example", id).audience("https://api.example");
/// # Ok::<(), quadrille::guard::IntrospectionError>(())
/// ```
pub struct Introspection {
    issuer: String,
    endpoint: String,
    auth: ClientAuth,
    http: Arc<dyn ErasedClient>,
    env: Env,
    deadline: Duration,
    takes_signed: bool,
    /// The tokens that the issuer has confirmed, by their hashes.
    known: Memory<[u8; 32], Verified>,
}

/// The reason why an issuer cannot be asked about tokens.
///
/// ```
/// use quadrille::{guard::{Introspection, IntrospectionError}, oauth2::ClientAuth};
///
/// let auth = ClientAuth::Basic { client_id: "api".into(), client_secret: "s3cret".into() };
/// let plain = Introspection::new("https://id.example", "http://id.example/introspect", auth);
/// assert!(matches!(plain, Err(IntrospectionError::Endpoint)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// The endpoint is not an https URL (or http on this machine).
    #[error("the introspection endpoint is not an https URL")]
    Endpoint,
    /// The API has no client secret. A client without one learns nothing.
    #[error("an API must authenticate with a secret to introspect tokens")]
    NoSecret,
    /// The HTTP client is missing.
    #[error(transparent)]
    Http(#[from] NoHttpClient),
}

impl Introspection {
    /// Asks `issuer` at its `introspection_endpoint`, authenticated as the API's own client.
    ///
    /// # Errors
    /// [`IntrospectionError`].
    pub fn new(issuer: &str, endpoint: &str, auth: ClientAuth) -> Result<Self, IntrospectionError> {
        let is_allowed = |url: &Url| is_secure(url) && url.fragment().is_none();
        if !Url::parse(endpoint).is_ok_and(|url| is_allowed(&url)) {
            return Err(IntrospectionError::Endpoint);
        }
        let probe = IntrospectionRequest { token: "x", token_type_hint: None };
        probe
            .to_request(endpoint, &auth, &[])
            .map_err(|_: EndpointError| IntrospectionError::Endpoint)?;
        // An assertion is for one request.
        if matches!(auth, ClientAuth::None { .. } | ClientAuth::Assertion { .. }) {
            return Err(IntrospectionError::NoSecret);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            endpoint: endpoint.to_owned(),
            auth,
            http: transport::standard()?,
            env: Env::system(),
            deadline: Duration::from_secs(5),
            takes_signed: false,
            known: Memory::of(Duration::from_secs(5)),
        })
    }

    /// Replaces the HTTP client, for example to use a proxy or other certificate authorities.
    #[must_use]
    pub fn http(mut self, client: impl HttpClient) -> Self {
        self.http = Arc::new(client);
        self
    }

    /// Replaces the clock and the source of randomness.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Sets for how long a positive answer is kept (default: five seconds). Zero asks every time.
    #[must_use]
    pub fn remember_for(mut self, time: Duration) -> Self {
        self.known = Memory::of(time);
        self
    }

    /// Sets the deadline of a question to the issuer (default: five seconds).
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// Accepts signed requests (OAuth 1.0a) beside bearer tokens. The issuer is asked about each of
    /// them, because it has the keys and the nonces; it must be Quadrille and offer OAuth 1.0a.
    /// [`Forwarded`] is the message it gets. Token credentials name no API, so they are valid only
    /// at guards without an [`audience`](crate::guard::Guard::audience).
    ///
    /// Such a form may have some 20 KiB, depending on its fields.
    #[must_use]
    pub fn signed_requests(mut self) -> Self {
        self.takes_signed = true;
        self
    }

    /// The facts behind a signed request, if the issuer accepts it.
    async fn ask_about_signed(&self, request: SignedAt<'_>) -> Result<Verified, AccessError> {
        let request = self.question(&request)?;
        let purpose = Purpose::IntrospectSigned;
        let told = match self.ask(request, purpose, Verdict::parse).await? {
            Verdict::Bad(problem) => {
                return Err(problem
                    .map_or(SignatureError::TokenUnknown, SignatureError::ByIssuer)
                    .into());
            }
            Verdict::Good(told) => read(told, Verdict::TOKEN_TYPE, &self.issuer, self.env.now())?,
        };
        Ok(Verified::new(Arc::new(told)))
    }

    /// The question about a signed request. A fault found here uses nothing up.
    fn question(&self, request: &SignedAt<'_>) -> Result<Request<Bytes>, SignatureError> {
        let SignedAt { parts, signed, body, origin, allows_clients } = request;
        signed.check_body(body)?;
        let token = signed.token();
        if token.is_none() && !allows_clients {
            return Err(SignatureError::TokenMissing);
        }
        let forwarded = Forwarded::of(parts, origin, body).ok_or(SignatureError::BodyBroken)?;
        match forwarded.to_question(token, &self.endpoint, &self.auth) {
            Ok(request) if request.body().len() > BODY_LIMIT => Err(SignatureError::BodyTooLong),
            Ok(request) => Ok(request),
            // The issuer's endpoint was valid when `new` built it, so this is a fault of ours.
            Err(reason) => Err(SignatureError::unavailable(reason)),
        }
    }

    /// The facts behind an access token, if the issuer says that it is active.
    async fn access(&self, token: &str, at: Timestamp) -> Result<Verified, AccessError> {
        let key = sha256(token.as_bytes());
        if let Some(known) = self.known.recall(&key, at, |token| Some(token.clone())) {
            return Ok(known);
        }
        let asked = IntrospectionRequest { token, token_type_hint: None };
        let request = asked.to_request(&self.endpoint, &self.auth, &[]);
        let request = request.map_err(|reason| unavailable(&reason.into()))?;
        let purpose = Purpose::Introspect;
        let answer = self.ask(request, purpose, IntrospectionResponse::parse).await?;
        let now = self.env.now();
        let told = match answer {
            IntrospectionResponse::Inactive => return Err(AccessError::Unknown),
            IntrospectionResponse::Active(told) => read(told, BEARER, &self.issuer, now)?,
        };
        let expires = told.expires;
        let token = Verified::new(Arc::new(told));
        self.known.keep(key, token.clone(), expires, now);
        Ok(token)
    }

    async fn ask<T>(
        &self,
        request: Request<Bytes>,
        purpose: Purpose,
        parse: fn(&Response<Bytes>) -> Result<T, IntrospectionResponseError>,
    ) -> Result<T, AccessError> {
        let answer = tokio::time::timeout(self.deadline, self.send(request, purpose)).await;
        answer
            .unwrap_or(Err(Unasked::Network(NetworkError::TimedOut)))
            .and_then(|answer| Ok(parse(&answer)?))
            .map_err(|reason| unavailable(&reason))
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Result<Response<Bytes>, Unasked> {
        let send = |request: Request<Bytes>| self.http.send(request.map(Into::into), purpose);
        let answer = match send(request.clone()).await {
            // As a rule, the issuer closed a kept connection at this moment.
            Err(error)
                if error.reason == NetworkError::Interrupted && purpose.may_be_repeated() =>
            {
                send(request).await
            }
            answer => answer,
        };
        let answer = answer.map_err(|error| error.reason)?;
        let (parts, body) = answer.into_parts();
        let body = body.collect_decoded(&parts.headers, ANSWER_LIMIT).await;
        let body = body.map_err(|error| match error {
            CollectError::TooLarge => Unasked::TooLarge,
            CollectError::Coding => Unasked::Coding,
            CollectError::Network(error) => error.into(),
        })?;
        Ok(Response::from_parts(parts, body))
    }
}

impl Authority for Introspection {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn now(&self) -> Timestamp {
        self.env.now()
    }

    fn token<'a>(&'a self, token: &'a str, at: Timestamp) -> Answer<'a> {
        Box::pin(self.access(token, at))
    }

    fn signed<'a>(&'a self, request: SignedAt<'a>) -> Answer<'a> {
        Box::pin(self.ask_about_signed(request))
    }

    fn offers_oauth1(&self) -> bool {
        self.takes_signed
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

/// The reason why the issuer gave no usable answer.
#[derive(Debug, thiserror::Error)]
enum Unasked {
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Response(#[from] IntrospectionResponseError),
    #[error("the answer is too long")]
    TooLarge,
    #[error("the answer has an unknown content coding")]
    Coding,
}

fn unavailable(reason: &Unasked) -> AccessError {
    tracing::error!(%reason, "the issuer could not be asked about a request");
    AccessError::Unavailable
}

/// The facts behind an active token. A member that is missing or unknown widens nothing.
fn read(
    token: ActiveToken<'_>,
    kind: &str,
    issuer: &str,
    now: Timestamp,
) -> Result<Told, AccessError> {
    let is_of_kind = |other: &Cow<'_, str>| other.eq_ignore_ascii_case(kind);
    let is_ours = token.iss.as_ref().is_none_or(|iss| iss == issuer);
    if !is_ours || !token.token_type.as_ref().is_none_or(is_of_kind) {
        return Err(AccessError::Unknown);
    }
    if token.nbf.is_some_and(|begins| now < begins) {
        return Err(AccessError::Unknown);
    }
    let expires = token.exp.unwrap_or(Timestamp::from_millis(i64::MAX));
    if now >= expires {
        return Err(AccessError::Expired);
    }
    let audience = audience(&token.aud)?;
    let binding = token.cnf.map(|cnf| binding(&cnf)).transpose()?;
    let client: Arc<str> = token.client_id.unwrap_or_default().into();
    let actor = actor(token.sub, &client)?;
    let authentication = match (&actor, token.auth_time) {
        (Actor::User(subject), Some(time)) => {
            let mut authentication = Authentication::new(subject.clone(), time);
            authentication.acr = token.acr.map(Into::into);
            Some(Arc::new(authentication))
        }
        _ => None,
    };
    let scopes = token.scope.unwrap_or(Scopes::EMPTY);
    let act = act(&token.extra)?;
    let mut data = token.extra;
    data.remove("act");
    Ok(Told { act, client, actor, scopes, audience, authentication, expires, binding, data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Binding;

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    fn token(change: impl FnOnce(&mut ActiveToken<'_>)) -> Result<Told, AccessError> {
        let mut token = ActiveToken {
            client_id: Some("app".into()),
            sub: Some("ada".into()),
            exp: Some(Timestamp::from_seconds(2000)),
            ..ActiveToken::default()
        };
        change(&mut token);
        read(token, BEARER, "https://id.example", NOW)
    }

    #[test]
    fn a_token_of_another_issuer_kind_or_time_is_no_good() {
        assert!(token(|_| {}).is_ok());
        assert!(token(|token| token.iss = Some("https://id.example".into())).is_ok());
        assert!(token(|token| token.token_type = Some("bearer".into())).is_ok());
        let other = token(|token| token.iss = Some("https://other.example".into()));
        assert_eq!(other.err(), Some(AccessError::Unknown));
        let signed = token(|token| token.token_type = Some(Verdict::TOKEN_TYPE.into()));
        assert_eq!(signed.err(), Some(AccessError::Unknown));
        let dpop = token(|token| token.token_type = Some("DPoP".into()));
        assert_eq!(dpop.err(), Some(AccessError::Unknown));
        let early = token(|token| token.nbf = Some(Timestamp::from_seconds(1001)));
        assert_eq!(early.err(), Some(AccessError::Unknown));
        let late = token(|token| token.exp = Some(NOW));
        assert_eq!(late.err(), Some(AccessError::Expired));
    }

    #[test]
    fn an_audience_that_is_not_understood_does_not_count_as_none() {
        let audience = |aud: &[&str]| {
            let aud = aud.iter().map(|aud| (*aud).to_owned().into()).collect();
            token(|token| token.aud = aud).map(|told| told.audience.as_str().to_owned())
        };
        assert_eq!(audience(&[]), Ok(String::new()));
        assert_eq!(audience(&["api", "urn:api"]), Ok("urn:api".to_owned()));
        assert_eq!(audience(&["api"]), Err(AccessError::OtherAudience));
    }

    #[test]
    fn a_binding_that_is_not_understood_does_not_count_as_none() {
        let bound = |name: &str, value: serde_json::Value| {
            let cnf = serde_json::Map::from_iter([(name.to_owned(), value)]);
            token(|token| token.cnf = Some(cnf)).map(|told| told.binding)
        };
        let text = |text: &str| text.into();
        let zeros = "A".repeat(43);
        assert_eq!(bound("jkt", text(&zeros)), Ok(Some(Binding::Jwk([0; 32]))));
        assert_eq!(bound("x5t#S256", text(&zeros)), Ok(Some(Binding::Certificate([0; 32]))));
        assert_eq!(bound("jwk", text(&zeros)), Err(AccessError::Unproven));
        assert_eq!(bound("jkt", text("short")), Err(AccessError::Unproven));
        assert_eq!(bound("jkt", 7.into()), Err(AccessError::Unproven));
        let nothing = token(|token| token.cnf = Some(serde_json::Map::new()));
        assert_eq!(nothing.err(), Some(AccessError::Unproven));
    }

    #[test]
    fn a_machine_is_a_machine_however_the_issuer_says_so() {
        let actor = |client: Option<&str>, sub: Option<&str>| {
            token(|token| {
                token.client_id = client.map(|id| id.to_owned().into());
                token.sub = sub.map(|sub| sub.to_owned().into());
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
