//! A service of OAuth 1.0a that exists in this process only.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header, request::Parts};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Secret,
    consumer::{Body, HttpClient, Purpose},
    error::NetworkFault,
    oauth1::{
        Callback, Challenge, Credentials, Problem, RequestError, RsaVerifyingKey, SignedRequest,
        VerifyingKey,
    },
    oauth2::form::Params,
};

use super::script::{Asked, Script, Scripted, whole};

/// A service of OAuth 1.0a to log in with that exists in this process only, as strict as real ones
/// should be: it gives temporary and token credentials, looks at every signature, nonce and body
/// hash, and has an API of one resource. Give it to [`Login::http`](crate::Login::http); whatever
/// host a request names, this answers it.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{KeyRing, Login, Owner, Twitter, consumer::{Begin, Jar}, testing::FakeOAuth1Service};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let service = FakeOAuth1Service::new("our-key", "our-secret");
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(Twitter::new("our-key", "our-secret"))
///     .http(service.clone());
///
/// let jar = Jar::new(&HeaderMap::new());
/// let url = login.begin(&jar, &Begin::new("twitter").next("/album")).await?;
/// let query = service.consent(&url, 7).expect("the request is right");
/// let done = login.finish(&jar, "twitter", &query, &Owner::NOBODY).await?;
/// assert_eq!(done.next, "/album");
/// assert_eq!(&*done.account.subject, "7");
/// # Ok::<(), quadrille::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FakeOAuth1Service(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    key: String,
    secret: String,
    rsa: Option<RsaVerifyingKey>,
    confirms: bool,
    temporary: HashMap<String, Temporary>,
    tokens: HashMap<String, Granted>,
    nonces: HashSet<String>,
    script: Script,
    drawn: u64,
}

#[derive(Debug)]
struct Temporary {
    secret: String,
    callback: String,
    scope: Option<String>,
    /// The verifier, and who said yes.
    allowed: Option<(String, u64)>,
}

#[derive(Debug)]
struct Granted {
    secret: String,
    user: u64,
    scope: Option<String>,
}

impl FakeOAuth1Service {
    /// A service that knows one application.
    pub fn new(client_key: &str, client_secret: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            key: client_key.to_owned(),
            secret: client_secret.to_owned(),
            rsa: None,
            confirms: true,
            temporary: HashMap::new(),
            tokens: HashMap::new(),
            nonces: HashSet::new(),
            script: Script::default(),
            drawn: 0,
        })))
    }

    /// Checks the application's RSA signatures by this public key.
    pub fn knows_key(&self, key: RsaVerifyingKey) {
        self.lock().rsa = Some(key);
    }

    /// Confirms no callback, as services of OAuth 1.0 before its repair.
    pub fn confirms_no_callback(&self) {
        self.lock().confirms = false;
    }

    /// Takes another secret from now on.
    pub fn changes_secret(&self, secret: &str) {
        self.lock().secret = secret.to_owned();
    }

    /// Ends every token.
    pub fn ends_tokens(&self) {
        self.lock().tokens.clear();
    }

    /// Answers the next request for this purpose with this.
    pub fn answers_next(&self, purpose: Purpose, status: StatusCode, body: impl Into<Bytes>) {
        let mut answer = Response::new(body.into());
        *answer.status_mut() = status;
        self.answers_next_with(purpose, answer);
    }

    /// Answers the next request for this purpose with this.
    pub fn answers_next_with(&self, purpose: Purpose, answer: Response<Bytes>) {
        self.lock().script.push(purpose, Scripted::Answer(answer));
    }

    /// Fails the next request for this purpose.
    pub fn fails_next(&self, purpose: Purpose, fault: NetworkFault) {
        self.lock().script.push(purpose, Scripted::Fault(fault));
    }

    /// Never answers the next request for this purpose.
    pub fn ignores_next(&self, purpose: Purpose) {
        self.lock().script.push(purpose, Scripted::Silence);
    }

    /// Every request that came, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.lock().script.asked.clone()
    }

    /// How many requests came for this purpose.
    pub fn times_asked(&self, purpose: Purpose) -> usize {
        self.lock().script.times_asked(purpose)
    }

    /// The user says yes to the authorization request in `url`: the query of the callback. `None`
    /// when the request is not right.
    pub fn consent(&self, url: &str, user: u64) -> Option<String> {
        let (token, verifier) = self.lock().allow(url, user)?;
        query_of(&Callback::Approved { token, verifier: verifier.into() })
    }

    /// The user says yes, and is shown a PIN to type into the program that asked out of band.
    pub fn pin(&self, url: &str, user: u64) -> Option<String> {
        let mut state = self.lock();
        let (token, verifier) = state.allow(url, user)?;
        (state.temporary.get(&token)?.callback == "oob").then_some(verifier)
    }

    /// The user says no: the query of the callback.
    pub fn refuse(&self, url: &str) -> Option<String> {
        let token = token_of(url)?;
        self.lock().temporary.remove(&token)?;
        query_of(&Callback::Refused { token: Some(token), problem: Problem::UserRefused })
    }

    /// Where the callback of the authorization request in `url` goes.
    pub fn callback(&self, url: &str) -> Option<String> {
        Some(self.lock().temporary.get(&token_of(url)?)?.callback.clone())
    }

    /// Answers a request, as [`HttpClient`] does: for a fake service behind real HTTP.
    pub async fn respond(
        &self,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Result<Response<Bytes>, NetworkFault> {
        let scripted = self.lock().script.take(&request, purpose);
        match scripted {
            Some(scripted) => scripted.play().await,
            None => {
                let (parts, body) = request.into_parts();
                let answer = self.lock().answer(&parts, &body, purpose);
                Ok(answer.unwrap_or_else(|problem| {
                    Challenge::new("fake").problem(problem).to_response()
                }))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for FakeOAuth1Service {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkFault> {
        Ok(self.respond(whole(request).await?, purpose).await?.map(Body::from))
    }
}

impl State {
    fn answer(
        &mut self,
        parts: &Parts,
        body: &[u8],
        purpose: Purpose,
    ) -> Result<Response<Bytes>, Problem> {
        let signed = SignedRequest::read(parts, body).map_err(RequestError::problem)?;
        let signed = signed.ok_or(Problem::ParameterAbsent)?;
        signed.check_body(body).map_err(RequestError::problem)?;
        let token = signed.token().map(str::to_owned);
        let token_secret = match (purpose, &token) {
            (Purpose::TemporaryCredentials, None) => None,
            (Purpose::RedeemCode, Some(token)) => {
                let known = self.temporary.get(token).ok_or(Problem::TokenRejected)?;
                Some(Secret::from(&*known.secret))
            }
            (Purpose::Identity | Purpose::Api, Some(token)) => {
                let known = self.tokens.get(token).ok_or(Problem::TokenRejected)?;
                Some(Secret::from(&*known.secret))
            }
            _ => return Err(Problem::ParameterAbsent),
        };
        self.check(&signed, parts, token_secret.as_ref())?;
        match (purpose, token) {
            (Purpose::TemporaryCredentials, _) => self.give_temporary(&signed),
            (Purpose::RedeemCode, Some(token)) => self.redeem(&token, &signed),
            (_, Some(token)) => self.resource(parts, body, &token, &signed),
            (_, None) => Err(Problem::ParameterAbsent),
        }
    }

    fn check(
        &mut self,
        signed: &SignedRequest<'_>,
        parts: &Parts,
        token_secret: Option<&Secret>,
    ) -> Result<(), Problem> {
        if signed.client() != self.key {
            return Err(Problem::ConsumerKeyUnknown);
        }
        let client_secret = Secret::from(self.secret.as_str());
        let key = match &self.rsa {
            Some(key) if signed.method().is_rsa() => VerifyingKey::Rsa(key),
            _ => VerifyingKey::Shared { client_secret: &client_secret, token_secret },
        };
        // Whatever host is asked for, this is it.
        let (scheme, host) = (parts.uri.scheme_str(), parts.uri.authority());
        let origin = format!(
            "{}://{}",
            scheme.unwrap_or("https"),
            host.map_or("fake.example", |host| host.as_str())
        );
        if !signed.is_signed_by(&origin, &key) {
            return Err(Problem::SignatureInvalid);
        }
        let nonce = signed.nonce().ok_or(Problem::ParameterAbsent)?;
        if !self.nonces.insert(nonce.to_owned()) {
            return Err(Problem::NonceUsed);
        }
        Ok(())
    }

    fn give_temporary(&mut self, signed: &SignedRequest<'_>) -> Result<Response<Bytes>, Problem> {
        let callback = signed.callback().ok_or(Problem::ParameterAbsent)?.to_owned();
        self.drawn += 1;
        let token = format!("temporary-{}", self.drawn);
        let secret = format!("temporary-secret-canary-{}", self.drawn);
        let mut given = Credentials::temporary(&token, secret.as_str().into());
        given.callback_confirmed = self.confirms;
        let scope = signed.parameter("scope").map_err(RequestError::problem)?;
        let scope = scope.map(Cow::into_owned);
        self.temporary.insert(token, Temporary { secret, callback, scope, allowed: None });
        Ok(given.to_response())
    }

    fn allow(&mut self, url: &str, user: u64) -> Option<(String, String)> {
        let token = token_of(url)?;
        self.drawn += 1;
        let verifier = format!("verifier-canary-{}", self.drawn);
        self.temporary.get_mut(&token)?.allowed = Some((verifier.clone(), user));
        Some((token, verifier))
    }

    fn redeem(
        &mut self,
        token: &str,
        signed: &SignedRequest<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let known = self.temporary.get(token).ok_or(Problem::TokenRejected)?;
        let (verifier, user) = known.allowed.clone().ok_or(Problem::PermissionUnknown)?;
        if signed.verifier() != Some(&verifier) {
            return Err(Problem::VerifierInvalid);
        }
        let scope = known.scope.clone();
        self.temporary.remove(token);
        self.drawn += 1;
        let token = format!("access-canary-{}", self.drawn);
        let secret = format!("token-secret-canary-{}", self.drawn);
        let given = Credentials::token(&token, secret.as_str().into());
        self.tokens.insert(token, Granted { secret, user, scope });
        Ok(given.with("user_id", user.to_string()).to_response())
    }

    fn resource(
        &self,
        parts: &Parts,
        body: &[u8],
        token: &str,
        signed: &SignedRequest<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let Granted { user, scope, .. } = self.tokens.get(token).ok_or(Problem::TokenRejected)?;
        Ok(json_answer(&json!({
            "id": user,
            "id_str": user.to_string(),
            "key": format!("JIRAUSER{user}"),
            "login": format!("user-{user}"),
            "scope": scope,
            "method": parts.method.as_str(),
            "path": parts.uri.path(),
            "query": parts.uri.query(),
            "body": String::from_utf8_lossy(body),
            "signature_method": signed.method().as_str(),
            "body_hash": signed.body_hash(),
        })))
    }
}

/// The query with which a service sends a browser back.
fn query_of(callback: &Callback) -> Option<String> {
    let url = callback.to_url("https://app.example/");
    url.split_once('?').map(|(_, query)| query.to_owned())
}

/// The temporary identifier in an authorization request.
fn token_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let params = Params::parse(url.query()?.as_bytes()).ok()?;
    params.one("oauth_token").ok()?.map(str::to_owned)
}

fn json_answer(json: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json.to_string()));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
