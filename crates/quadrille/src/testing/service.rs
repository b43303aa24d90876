//! A service that exists in this process only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use crate::{
    consumer::{Body, HttpClient, Purpose},
    error::NetworkFault,
    oauth2::{
        AuthorizationRequest, AuthorizationResponse, ErrorCode, ErrorResponse, PresentedClient,
        TokenRequest, TokenResponse, TokenType, bearer, form::Params, pkce::Challenge,
    },
};

use super::script::{Asked, Script, Scripted, whole};

/// A service to log in with that exists in this process only: an authorization server and an API of
/// one resource, `user`, as strict as the real ones. Give it to [`Login::http`](crate::Login::http);
/// whatever host a request names, this answers it.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{GitHub, KeyRing, Login, Owner, consumer::{Begin, Jar}, testing::FakeService};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let service = FakeService::new("our-id", "our-secret");
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(GitHub::new("our-id", "our-secret"))
///     .http(service.clone());
///
/// let jar = Jar::new(&HeaderMap::new());
/// let url = login.begin(&jar, &Begin::new("github").next("/album")).await?;
/// let query = service.consent(&url, 7).expect("the request is right");
/// let done = login.finish(&jar, "github", &query, &Owner::NOBODY).await?;
/// assert_eq!(done.next, "/album");
/// assert_eq!(&*done.account.subject, "7");
/// # Ok::<(), quadrille::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FakeService(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    id: String,
    secret: String,
    issuer: Option<String>,
    expires_in: Option<Duration>,
    rotates: bool,
    refreshable: bool,
    scopes: Option<String>,
    token_type: TokenType,
    refusal: ErrorCode,
    codes: HashMap<String, Code>,
    access: HashMap<String, u64>,
    refresh: HashMap<String, u64>,
    script: Script,
    drawn: u64,
}

#[derive(Debug)]
struct Code {
    user: u64,
    scope: String,
    redirect_uri: Option<String>,
    challenge: Option<Challenge>,
}

impl FakeService {
    /// A service that knows one application.
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            id: client_id.to_owned(),
            secret: client_secret.to_owned(),
            issuer: None,
            expires_in: None,
            rotates: false,
            refreshable: false,
            scopes: None,
            token_type: TokenType::Bearer,
            refusal: ErrorCode::InvalidGrant,
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            script: Script::default(),
            drawn: 0,
        })))
    }

    /// Names itself in its answers (RFC 9207).
    pub fn names_itself(&self, issuer: &str) {
        self.lock().issuer = Some(issuer.to_owned());
    }

    /// Gives tokens that end after `lifetime`, with refresh tokens; with `rotates`, each good once.
    pub fn gives_refresh_tokens(&self, lifetime: Duration, rotates: bool) {
        let mut state = self.lock();
        state.expires_in = Some(lifetime);
        state.refreshable = true;
        state.rotates = rotates;
    }

    /// Grants these scopes, whatever is asked for.
    pub fn grants(&self, scopes: &str) {
        self.lock().scopes = Some(scopes.to_owned());
    }

    /// Gives tokens of this type.
    pub fn gives_tokens_of_type(&self, token_type: &str) {
        self.lock().token_type = token_type.into();
    }

    /// Answers with this error, instead of `invalid_grant`, when a refresh token is dead.
    pub fn refuses_refresh_tokens_with(&self, error: ErrorCode) {
        self.lock().refusal = error;
    }

    /// Takes another secret from now on.
    pub fn changes_secret(&self, secret: &str) {
        self.lock().secret = secret.to_owned();
    }

    /// Ends every access token.
    pub fn ends_access_tokens(&self) {
        self.lock().access.clear();
    }

    /// Ends every refresh token.
    pub fn ends_refresh_tokens(&self) {
        self.lock().refresh.clear();
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

    /// Keeps no list of what it is asked: for very many requests.
    pub fn forgets_what_it_is_asked(&self) {
        self.lock().script.forgetful = true;
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
        let url = Url::parse(url).ok()?;
        let params = Params::parse(url.query()?.as_bytes()).ok()?;
        let request = AuthorizationRequest::parse(&params).ok()?;
        let mut state = self.lock();
        if *request.client_id != *state.id {
            return None;
        }
        state.drawn += 1;
        let code = format!("code-canary-{}", state.drawn);
        let asked = request.scope.as_ref().map_or("", |scopes| scopes.as_str()).to_owned();
        let issued = Code {
            user,
            scope: state.scopes.clone().unwrap_or(asked),
            redirect_uri: request.redirect_uri.as_deref().map(str::to_owned),
            challenge: request.code_challenge,
        };
        state.codes.insert(code.clone(), issued);
        answer(
            &request,
            &AuthorizationResponse::Code {
                code: code.into(),
                state: request.state.as_deref().map(str::to_owned),
                iss: state.issuer.clone(),
            },
        )
    }

    /// The user says no, or something goes wrong: the query of the callback.
    pub fn refuse(&self, url: &str, error: ErrorCode) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let params = Params::parse(url.query()?.as_bytes()).ok()?;
        let request = AuthorizationRequest::parse(&params).ok()?;
        answer(
            &request,
            &AuthorizationResponse::Error {
                error: ErrorResponse::new(error),
                state: request.state.as_deref().map(str::to_owned),
                iss: self.lock().issuer.clone(),
            },
        )
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
            None => Ok(self.lock().answer(&request)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for FakeService {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkFault> {
        Ok(self.respond(whole(request).await?, purpose).await?.map(Body::from))
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() == http::Method::POST && request.uri().path().contains("token") {
            return self
                .token(request)
                .unwrap_or_else(|error| ErrorResponse::new(error).to_response());
        }
        let token = bearer::from_headers(request.headers()).ok().flatten();
        let user = token.and_then(|token| self.access.get(token).copied());
        let Some(user) = user else {
            return bearer::Challenge::new()
                .error(ErrorCode::InvalidToken, "no such token")
                .to_response();
        };
        if request.uri().path().ends_with("/user") {
            return json_answer(&json!({ "id": user, "login": format!("user-{user}") }));
        }
        json_answer(&json!({
            "user": user,
            "method": request.method().as_str(),
            "path": request.uri().path(),
            "query": request.uri().query(),
            "body": String::from_utf8_lossy(request.body()),
        }))
    }

    fn token(&mut self, request: &Request<Bytes>) -> Result<Response<Bytes>, ErrorCode> {
        let params = Params::of_body(request).map_err(|_| ErrorCode::InvalidRequest)?;
        let client = PresentedClient::parse(request.headers(), &params)
            .map_err(|_| ErrorCode::InvalidClient)?;
        if *client.id != *self.id || client.secret.as_deref() != Some(&*self.secret) {
            return Err(ErrorCode::InvalidClient);
        }
        let asked = TokenRequest::parse(&params).map_err(|_| ErrorCode::InvalidRequest)?;
        let (user, scope) = match asked {
            TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, .. } => {
                let known = self.codes.remove(code).ok_or(ErrorCode::InvalidGrant)?;
                let proved = match (&known.challenge, code_verifier) {
                    (Some(challenge), Some(verifier)) => challenge.matches(verifier),
                    (None, None) => true,
                    _ => false,
                };
                if !proved || known.redirect_uri.as_deref() != redirect_uri {
                    return Err(ErrorCode::InvalidGrant);
                }
                (known.user, Some(known.scope))
            }
            TokenRequest::RefreshToken { refresh_token, .. } => {
                let user = match self.rotates {
                    true => self.refresh.remove(refresh_token),
                    false => self.refresh.get(refresh_token).copied(),
                };
                (user.ok_or_else(|| self.refusal.clone())?, None)
            }
            _ => return Err(ErrorCode::UnsupportedGrantType),
        };
        let refreshing = scope.is_none();
        self.drawn += 1;
        let access = format!("access-canary-{}", self.drawn);
        self.access.insert(access.clone(), user);
        let mut tokens = TokenResponse::new(access);
        tokens.token_type = self.token_type.clone();
        tokens.expires_in = self.expires_in;
        tokens.scope = scope.map(|scope| crate::Scopes::of(scope.split(' ')));
        if self.refreshable && (self.rotates || !refreshing) {
            let refresh = format!("refresh-canary-{}", self.drawn);
            self.refresh.insert(refresh.clone(), user);
            tokens.refresh_token = Some(refresh.into());
        }
        Ok(tokens.to_response())
    }
}

fn answer(request: &AuthorizationRequest<'_>, answer: &AuthorizationResponse) -> Option<String> {
    let url = answer.to_url(request.redirect_uri.as_deref()?).ok()?;
    url.split_once('?').map(|(_, query)| query.to_owned())
}

fn json_answer(json: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json.to_string()));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
