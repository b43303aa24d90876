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
    consumer::presets::manners::Denial,
    form::{FormWriter, Params},
    oauth1::{
        Callback, Challenge, Credentials, Problem, RequestError, RsaVerifyingKey, SignedRequest,
        VerifyingKey,
    },
    transport::Purpose,
};

use super::scene::{Asks, Scene, json_answer};

/// The OAuth 1.0a part of a fake service.
#[derive(Debug)]
pub(super) struct OAuth1 {
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) rsa: Option<RsaVerifyingKey>,
    temporary: HashMap<String, Temporary>,
    pub(super) tokens: HashMap<String, Granted>,
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
pub(super) struct Granted {
    secret: String,
    user: u64,
    scope: Option<String>,
}

impl OAuth1 {
    pub(super) fn new(key: &str, secret: &str) -> Self {
        Self {
            key: key.to_owned(),
            secret: secret.to_owned(),
            rsa: None,
            temporary: HashMap::new(),
            tokens: HashMap::new(),
            nonces: HashSet::new(),
            drawn: 0,
        }
    }

    /// Ends all temporary and token credentials.
    pub(super) fn ends_everything(&mut self) {
        self.temporary.clear();
        self.tokens.clear();
    }

    /// The authorization request in `url`; `None` if it is invalid.
    pub(super) fn asks(&self, url: &str) -> Option<Asks> {
        let asked = self.temporary.get(&token_of(url)?)?;
        let scopes = asked.scope.as_deref().unwrap_or("");
        Some(Asks {
            application: self.key.clone(),
            scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
            callback: asked.callback.clone(),
            by_post: false,
        })
    }

    /// Approves an authorization request. Returns the query of the callback.
    pub(super) fn consent(&mut self, url: &str, user: u64) -> Option<String> {
        let (token, verifier) = self.allow(url, user)?;
        query_of(&Callback::Approved { token, verifier: verifier.into() })
    }

    /// Approves an out-of-band request. Returns the PIN.
    pub(super) fn pin(&mut self, url: &str, user: u64) -> Option<String> {
        let (token, verifier) = self.allow(url, user)?;
        (self.temporary.get(&token)?.callback == "oob").then_some(verifier)
    }

    /// Refuses an authorization request. Returns the query of the callback.
    pub(super) fn deny(&mut self, scene: &Scene, url: &str) -> Option<String> {
        let (name, value) = match scene.manners().denial {
            Denial::Standard => return self.refuse(url, "user_refused"),
            Denial::Named(problem) => return self.refuse(url, problem),
            Denial::Parameter => ("denied", None),
            Denial::Verifier(verifier) => ("oauth_token", Some(verifier)),
        };
        let token = token_of(url)?;
        self.temporary.remove(&token)?;
        let mut query = FormWriter::new();
        query.append(name, &token);
        if let Some(verifier) = value {
            query.append("oauth_verifier", verifier);
        }
        Some(query.finish())
    }

    /// Fails an authorization request with a problem. Returns the query of the callback.
    pub(super) fn refuse(&mut self, url: &str, problem: &str) -> Option<String> {
        let token = token_of(url)?;
        self.temporary.remove(&token)?;
        let mut query = FormWriter::new();
        query.append("oauth_token", &token).append("oauth_problem", problem);
        Some(query.finish())
    }

    /// The purpose of a request to a server.
    #[cfg(feature = "axum")]
    pub(super) fn purpose(&self, scene: &Scene, request: &Request<Bytes>) -> Purpose {
        let (parts, body) = request.clone().into_parts();
        let Ok(Some(signed)) = SignedRequest::read(&parts, &body) else { return Purpose::Api };
        match signed.token() {
            None => Purpose::TemporaryCredentials,
            Some(token) if self.temporary.contains_key(token) => Purpose::RedeemCode,
            Some(_) => {
                let identity = scene.spec.and_then(|spec| spec.identity);
                let is_identity =
                    identity.is_some_and(|(path, _)| parts.uri.path().ends_with(path));
                if is_identity { Purpose::Identity } else { Purpose::Api }
            }
        }
    }

    pub(super) fn answer(
        &mut self,
        scene: &Scene,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        let is_api = matches!(purpose, Purpose::Api | Purpose::Identity);
        match (self.decide(scene, &parts, &body, purpose), scene.manners().dead_token) {
            (Ok(answer), _) => answer,
            (Err(Problem::TokenRejected), Some(said)) if is_api => {
                let mut answer = Response::new(Bytes::from_static(said.as_bytes()));
                *answer.status_mut() = StatusCode::UNAUTHORIZED;
                answer
            }
            (Err(problem), _) => Challenge::new("fake").problem(problem).to_response(),
        }
    }

    fn decide(
        &mut self,
        scene: &Scene,
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
            (Purpose::TemporaryCredentials, _) => self.give_temporary(scene, &signed),
            (Purpose::RedeemCode, Some(token)) => self.redeem(&token, &signed),
            (_, Some(token)) => self.resource(scene, parts, body, &token, &signed),
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
        scene: &Scene,
        signed: &SignedRequest<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let callback = signed.callback().ok_or(Problem::ParameterAbsent)?.to_owned();
        if !scene.is_registered(&callback) {
            return Err(Problem::ParameterRejected);
        }
        self.drawn += 1;
        let token = format!("temporary-{}", self.drawn);
        let secret = format!("temporary-secret-canary-{}", self.drawn);
        let mut given = Credentials::temporary(&token, secret.as_str().into());
        given.callback_confirmed = scene.manners().confirms_callback;
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
        scene: &Scene,
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
        if let (Value::Object(members), Value::Object(its)) = (&mut answer, scene.claims(*user)) {
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
