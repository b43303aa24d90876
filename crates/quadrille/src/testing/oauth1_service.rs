//! A fake service of OAuth 1.0a.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Secret,
    consumer::presets::manners::{Denial, Emulated, Manners, Row},
    form::{FormWriter, Params},
    oauth1::{
        Callback, Challenge, Credentials, Problem, RequestError, RsaVerifyingKey, SignedRequest,
        VerifyingKey,
    },
    transport::Purpose,
};

use super::fake::{Fake, Part, json_answer};

/// A fake service of OAuth 1.0a to log in with, in this process, as strict as real ones should be:
/// it issues temporary and token credentials, verifies every signature, nonce and body hash, and
/// has an API of one resource. Pass it to [`Login::http`](crate::Login::http); it answers requests
/// to any host.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{
///     KeyRing, Login, Owner, Twitter, consumer::{Begin, Jar}, testing::FakeOAuth1Service,
/// };
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
pub type FakeOAuth1Service = Fake<OAuth1>;

/// The OAuth 1.0a part of a fake service.
#[derive(Debug)]
pub struct OAuth1 {
    key: String,
    secret: String,
    rsa: Option<RsaVerifyingKey>,
    temporary: HashMap<String, Temporary>,
    tokens: HashMap<String, Granted>,
    nonces: HashSet<String>,
    drawn: u64,
}

#[derive(Debug)]
struct Temporary {
    secret: String,
    callback: String,
    scope: Option<String>,
    /// The verifier and the user, once approved.
    allowed: Option<(String, u64)>,
}

#[derive(Debug)]
struct Granted {
    secret: String,
    user: u64,
    scope: Option<String>,
}

impl FakeOAuth1Service {
    /// A service with one registered application.
    pub fn new(client_key: &str, client_secret: &str) -> Self {
        Self::with(client_key, client_secret, Manners::STANDARD)
    }

    /// A service with the manners of `S` and one registered application.
    pub fn of<S: Emulated>(client_key: &str, client_secret: &str) -> Self {
        Self::with(client_key, client_secret, S::MANNERS)
    }

    /// [`FakeOAuth1Service::of`] for a service of the table [`SERVICES`](super::SERVICES).
    pub fn playing(row: &Row, client_key: &str, client_secret: &str) -> Self {
        Self::with(client_key, client_secret, row.manners)
    }

    fn with(key: &str, secret: &str, manners: Manners) -> Self {
        let part = OAuth1 {
            key: key.to_owned(),
            secret: secret.to_owned(),
            rsa: None,
            temporary: HashMap::new(),
            tokens: HashMap::new(),
            nonces: HashSet::new(),
            drawn: 0,
        };
        Self::play(part, manners)
    }

    /// Verifies the application's RSA signatures with this public key.
    pub fn knows_key(&self, key: RsaVerifyingKey) {
        self.stage().part.rsa = Some(key);
    }

    /// Replaces the application's secret.
    pub fn changes_secret(&self, secret: &str) {
        self.stage().part.secret = secret.to_owned();
    }

    /// Revokes all tokens.
    pub fn ends_tokens(&self) {
        self.stage().part.tokens.clear();
    }

    /// Approves the authorization request in `url` as this user. Returns the query of the callback;
    /// `None` if the request is invalid.
    pub fn consent(&self, url: &str, user: u64) -> Option<String> {
        let (token, verifier) = self.stage().part.allow(url, user)?;
        query_of(&Callback::Approved { token, verifier: verifier.into() })
    }

    /// Approves an out-of-band request as this user. Returns the PIN to type into the program.
    pub fn pin(&self, url: &str, user: u64) -> Option<String> {
        let mut stage = self.stage();
        let (token, verifier) = stage.part.allow(url, user)?;
        (stage.part.temporary.get(&token)?.callback == "oob").then_some(verifier)
    }

    /// Refuses the authorization request in `url`. Returns the query of the callback.
    pub fn deny(&self, url: &str) -> Option<String> {
        let token = token_of(url)?;
        let mut stage = self.stage();
        stage.part.temporary.remove(&token)?;
        let mut query = FormWriter::new();
        match stage.manners.denial {
            Denial::Standard => {
                query.append("oauth_token", &token).append("oauth_problem", "user_refused");
            }
            Denial::Named(problem) => {
                query.append("oauth_token", &token).append("oauth_problem", problem);
            }
            Denial::Parameter => {
                query.append("denied", &token);
            }
            Denial::Verifier(verifier) => {
                query.append("oauth_token", &token).append("oauth_verifier", verifier);
            }
        }
        Some(query.finish())
    }

    /// The callback URL of the authorization request in `url`.
    pub fn callback(&self, url: &str) -> Option<String> {
        Some(self.stage().part.temporary.get(&token_of(url)?)?.callback.clone())
    }
}

impl Part for OAuth1 {
    fn answer(
        &mut self,
        manners: &Manners,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        let is_api = matches!(purpose, Purpose::Api | Purpose::Identity);
        match (self.decide(manners, &parts, &body, purpose), manners.dead_token) {
            (Ok(answer), _) => answer,
            (Err(Problem::TokenRejected), Some(said)) if is_api => {
                let mut answer = Response::new(Bytes::from_static(said.as_bytes()));
                *answer.status_mut() = StatusCode::UNAUTHORIZED;
                answer
            }
            (Err(problem), _) => Challenge::new("fake").problem(problem).to_response(),
        }
    }
}

impl OAuth1 {
    fn decide(
        &mut self,
        manners: &Manners,
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
            (Purpose::TemporaryCredentials, _) => self.give_temporary(manners, &signed),
            (Purpose::RedeemCode, Some(token)) => self.redeem(&token, &signed),
            (_, Some(token)) => self.resource(manners, parts, body, &token, &signed),
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
        // The service answers for any host.
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

    fn give_temporary(
        &mut self,
        manners: &Manners,
        signed: &SignedRequest<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let callback = signed.callback().ok_or(Problem::ParameterAbsent)?.to_owned();
        self.drawn += 1;
        let token = format!("temporary-{}", self.drawn);
        let secret = format!("temporary-secret-canary-{}", self.drawn);
        let mut given = Credentials::temporary(&token, secret.as_str().into());
        given.callback_confirmed = manners.confirms_callback;
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
        manners: &Manners,
        parts: &Parts,
        body: &[u8],
        token: &str,
        signed: &SignedRequest<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let Granted { user, scope, .. } = self.tokens.get(token).ok_or(Problem::TokenRejected)?;
        let mut answer = json!({
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
        });
        let account = manners.account.replace("$ID", &user.to_string());
        if let (Value::Object(members), Ok(Value::Object(its))) =
            (&mut answer, serde_json::from_str(&account))
        {
            members.extend(its);
        }
        Ok(json_answer(&answer))
    }
}

/// The query of a callback.
fn query_of(callback: &Callback) -> Option<String> {
    let url = callback.to_url("https://app.example/");
    url.split_once('?').map(|(_, query)| query.to_owned())
}

/// The temporary identifier of an authorization request.
fn token_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let params = Params::parse(url.query()?.as_bytes()).ok()?;
    params.one("oauth_token").ok()?.map(str::to_owned)
}
