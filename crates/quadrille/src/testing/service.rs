//! A fake service of OAuth 2.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    Scopes,
    consumer::{
        ClientAuthentication, Protocol,
        presets::manners::{Answers, Denial, Emulated, Manners, Refresh, Row},
    },
    form::{FormWriter, Params},
    oauth2::{
        AuthMethod, AuthorizationRequest, AuthorizationResponse, ErrorCode, ErrorResponse,
        PresentedClient, TokenRequest, TokenResponse, bearer, pkce::Challenge,
    },
    transport::Purpose,
};

use super::fake::{Fake, Part, json_answer};

/// A fake service to log in with, in this process: an authorization server and an API of one
/// resource, `user`, as strict as the real ones. Pass it to [`Login::http`](crate::Login::http); it
/// answers requests to any host.
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
pub type FakeService = Fake<OAuth2>;

/// The OAuth 2 part of a fake service.
#[derive(Debug)]
pub struct OAuth2 {
    id: String,
    secret: String,
    /// The only authentication method accepted; `None` accepts both.
    authentication: Option<ClientAuthentication>,
    issuer: Option<&'static str>,
    /// The path of the API with an account's claims, and the member with the identifier.
    identity: (&'static str, &'static str),
    codes: HashMap<String, Code>,
    access: HashMap<String, u64>,
    refresh: HashMap<String, u64>,
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
    /// A service with one registered application.
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self::play(OAuth2::new(client_id, client_secret), Manners::STANDARD)
    }

    /// A service with the manners of `S` and one registered application: it accepts the secret only
    /// by the method of `S`, names its issuer, and serves the account's identity at the path of
    /// `S`.
    pub fn of<S: Emulated>(client_id: &str, client_secret: &str) -> Self {
        Self::playing(&Row::of::<S>("", &[]), client_id, client_secret)
    }

    /// [`FakeService::of`] for a service of the table [`SERVICES`](super::SERVICES).
    pub fn playing(row: &Row, client_id: &str, client_secret: &str) -> Self {
        let mut part = OAuth2::new(client_id, client_secret);
        if let Some(identity) = row.spec.identity {
            part.identity = identity;
        }
        if let Protocol::OAuth2(oauth2) = row.spec.protocol {
            part.authentication = Some(oauth2.authentication);
            part.issuer = oauth2.issuer;
        }
        Self::play(part, row.manners)
    }

    /// Replaces the application's secret.
    pub fn changes_secret(&self, secret: &str) {
        self.stage().part.secret = secret.to_owned();
    }

    /// Revokes all access tokens.
    pub fn ends_access_tokens(&self) {
        self.stage().part.access.clear();
    }

    /// Revokes all refresh tokens.
    pub fn ends_refresh_tokens(&self) {
        self.stage().part.refresh.clear();
    }

    /// Approves the authorization request in `url` as this user. Returns the query of the callback;
    /// `None` if the request is invalid.
    pub fn consent(&self, url: &str, user: u64) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let params = Params::parse(url.query()?.as_bytes()).ok()?;
        let request = AuthorizationRequest::parse(&params).ok()?;
        let mut stage = self.stage();
        let granted = stage.manners.scopes;
        let part = &mut stage.part;
        if *request.client_id != *part.id {
            return None;
        }
        part.drawn += 1;
        let code = format!("code-canary-{}", part.drawn);
        let asked = request.scope.as_ref().map_or("", |scopes| scopes.as_str()).to_owned();
        let issued = Code {
            user,
            scope: granted.map_or(asked, str::to_owned),
            redirect_uri: request.redirect_uri.as_deref().map(str::to_owned),
            challenge: request.code_challenge,
        };
        part.codes.insert(code.clone(), issued);
        answer(
            &request,
            &AuthorizationResponse::Code {
                code: code.into(),
                state: request.state.as_deref().map(str::to_owned),
                iss: part.issuer.map(str::to_owned),
            },
        )
    }

    /// Refuses the authorization request in `url`. Returns the query of the callback.
    pub fn deny(&self, url: &str) -> Option<String> {
        let denial = self.stage().manners.denial;
        self.refuse(
            url,
            match denial {
                Denial::Named(name) => name.into(),
                Denial::Standard | Denial::Parameter | Denial::Verifier(_) => {
                    ErrorCode::AccessDenied
                }
            },
        )
    }

    /// Fails the authorization request in `url` with this error before the user decides. Returns
    /// the query of the callback.
    pub fn refuse(&self, url: &str, error: ErrorCode) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let params = Params::parse(url.query()?.as_bytes()).ok()?;
        let request = AuthorizationRequest::parse(&params).ok()?;
        answer(
            &request,
            &AuthorizationResponse::Error {
                error: ErrorResponse::new(error),
                state: request.state.as_deref().map(str::to_owned),
                iss: self.stage().part.issuer.map(str::to_owned),
            },
        )
    }
}

impl Part for OAuth2 {
    fn answer(
        &mut self,
        manners: &Manners,
        request: Request<Bytes>,
        _purpose: Purpose,
    ) -> Response<Bytes> {
        if request.method() == http::Method::POST && request.uri().path().contains("token") {
            return match self.token(manners, &request) {
                Ok(tokens) => mannered(&tokens.to_response(), manners),
                Err(error) => mannered(&ErrorResponse::new(error).to_response(), manners),
            };
        }
        self.resource(&request)
    }
}

impl OAuth2 {
    fn new(id: &str, secret: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            authentication: None,
            issuer: None,
            identity: ("user", "id"),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            drawn: 0,
        }
    }

    fn resource(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let token = bearer::from_headers(request.headers()).ok().flatten();
        let user = token.and_then(|token| self.access.get(token).copied());
        let Some(user) = user else {
            return bearer::Challenge::new()
                .error(ErrorCode::InvalidToken, "no such token")
                .to_response();
        };
        let (path, member) = self.identity;
        if request.uri().path().ends_with(path_of(path)) {
            let mut profile = json!(user);
            for name in member.rsplit('.') {
                profile = json!({ name: profile });
            }
            if let Value::Object(members) = &mut profile {
                members.insert("login".into(), format!("user-{user}").into());
            }
            return json_answer(&profile);
        }
        json_answer(&json!({
            "user": user,
            "method": request.method().as_str(),
            "path": request.uri().path(),
            "query": request.uri().query(),
            "body": String::from_utf8_lossy(request.body()),
        }))
    }

    fn token(
        &mut self,
        manners: &Manners,
        request: &Request<Bytes>,
    ) -> Result<TokenResponse, ErrorCode> {
        let params = Params::of_body(request).map_err(|_| ErrorCode::InvalidRequest)?;
        let client = PresentedClient::parse(request.headers(), &params)
            .map_err(|_| ErrorCode::InvalidClient)?;
        let is_taken = match self.authentication {
            Some(ClientAuthentication::Basic) => client.method() == AuthMethod::ClientSecretBasic,
            Some(ClientAuthentication::Post) => client.method() == AuthMethod::ClientSecretPost,
            None => true,
        };
        let is_known = *client.id == *self.id && client.proof.secret() == Some(&*self.secret);
        if !is_taken || !is_known {
            return Err(manners.wrong_client.into());
        }
        let asked = TokenRequest::parse(&params).map_err(|_| ErrorCode::InvalidRequest)?;
        let (user, scope) = match asked {
            TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier, .. } => {
                let known = self.codes.remove(code).ok_or(manners.dead_code)?;
                let proved = match (&known.challenge, code_verifier) {
                    (Some(challenge), Some(verifier)) => challenge.matches(verifier),
                    (None, None) => true,
                    _ => false,
                };
                if !proved || known.redirect_uri.as_deref() != redirect_uri {
                    return Err(manners.dead_code.into());
                }
                (known.user, Some(known.scope))
            }
            TokenRequest::RefreshToken { refresh_token, .. } => {
                let user = match manners.refresh {
                    Refresh::Rotating => self.refresh.remove(refresh_token),
                    Refresh::Never | Refresh::Lasting => self.refresh.get(refresh_token).copied(),
                };
                (user.ok_or(manners.dead_refresh_token)?, None)
            }
            _ => return Err(ErrorCode::UnsupportedGrantType),
        };
        let refreshing = scope.is_none();
        self.drawn += 1;
        let access = format!("access-canary-{}", self.drawn);
        self.access.insert(access.clone(), user);
        let mut tokens = TokenResponse::new(access);
        tokens.token_type = manners.token_type.into();
        tokens.expires_in = manners.lifetime;
        tokens.scope = scope.map(|scope| Scopes::of(scope.split(' ')));
        let gives_refresh_token = match manners.refresh {
            Refresh::Never => false,
            Refresh::Lasting => !refreshing,
            Refresh::Rotating => true,
        };
        if gives_refresh_token {
            let refresh = format!("refresh-canary-{}", self.drawn);
            self.refresh.insert(refresh.clone(), user);
            tokens.refresh_token = Some(refresh.into());
        }
        Ok(tokens)
    }
}

fn answer(request: &AuthorizationRequest<'_>, answer: &AuthorizationResponse) -> Option<String> {
    let url = answer.to_url(request.redirect_uri.as_deref()?).ok()?;
    url.split_once('?').map(|(_, query)| query.to_owned())
}

/// A token endpoint's response with these manners.
fn mannered(answer: &Response<Bytes>, manners: &Manners) -> Response<Bytes> {
    let mut members: Map<String, Value> = serde_json::from_slice(answer.body()).unwrap_or_default();
    if let Some(Value::String(scope)) = members.get_mut("scope") {
        *scope = Scopes::of([&**scope]).join(manners.scope_separator).into_owned();
    }
    let mut mannered = match manners.answers {
        Answers::Json => json_answer(&members.into()),
        Answers::Form => {
            let mut form = FormWriter::new();
            for (name, value) in &members {
                form.append(name, value.as_str().unwrap_or(&value.to_string()));
            }
            let mut answer = Response::new(Bytes::from(form.finish()));
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            answer.headers_mut().insert(header::CONTENT_TYPE, form);
            answer
        }
    };
    if !manners.errors_under_200 {
        *mannered.status_mut() = answer.status();
    }
    mannered
}

/// The path of an endpoint, a path or a URL.
fn path_of(endpoint: &str) -> &str {
    let path = endpoint.split('?').next().unwrap_or(endpoint);
    path.split_once("://").map_or(path, |(_, rest)| rest.trim_start_matches(|char| char != '/'))
}
