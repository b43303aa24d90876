//! A fake service of OAuth 2.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};

#[cfg(feature = "axum")]
use crate::transport::Purpose;
use crate::{
    Scopes, Timestamp,
    consumer::{
        OAuth2 as OAuth2Spec, Spec,
        presets::manners::{Denial, Refresh},
    },
    form::Params,
    oauth2::{
        AuthorizationRequest, AuthorizationResponse, ClientProof, DeviceAuthorizationRequest,
        DeviceAuthorizationResponse, ErrorCode, ErrorResponse, PresentedClient, ResponseMode,
        TokenRequest, TokenResponse, pkce::Challenge,
    },
};

use super::{
    accounts::{put, value_at},
    assertions::Assertions,
    device::Devices,
    fault::{Fault, OTHER_ISSUER},
    mannered::{mannered, with_scope},
    openid::{OpenId, Signed},
    scene::{Scene, json_answer, path_of},
};

/// The OAuth 2 part of a fake service.
#[derive(Debug)]
pub(super) struct OAuth2 {
    pub(super) id: String,
    pub(super) secret: String,
    /// The service that is emulated; `None` accepts both authentication methods.
    pub(super) spec: Option<(Spec, OAuth2Spec)>,
    codes: HashMap<String, Code>,
    pub(super) access: HashMap<String, u64>,
    pub(super) refresh: HashMap<String, u64>,
    /// The refresh tokens of requests that got no ID token.
    without_openid: HashSet<String>,
    pub(super) devices: Devices,
    /// The OpenID Provider that the service is, if it is one.
    pub(super) openid: Option<OpenId>,
    pub(super) assertions: Assertions,
    drawn: u64,
}

#[derive(Debug)]
struct Code {
    user: u64,
    scope: String,
    redirect_uri: Option<String>,
    challenge: Option<Challenge>,
    /// Whether the request got a refresh token.
    is_lasting: bool,
    /// Whether the request got an ID token.
    is_openid: bool,
    /// The `nonce` of the request.
    nonce: Option<String>,
    /// The time of the consent, if the service has a clock.
    consented: Option<Timestamp>,
}

impl OAuth2 {
    pub(super) fn new(spec: Option<(Spec, OAuth2Spec)>, id: &str, secret: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            spec,
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            without_openid: HashSet::new(),
            devices: Devices::default(),
            openid: spec.and_then(|(_, oauth2)| OpenId::of(&oauth2.openid)),
            assertions: Assertions::default(),
            drawn: 0,
        }
    }

    /// Ends all codes and tokens.
    pub(super) fn ends_everything(&mut self) {
        self.codes.clear();
        self.access.clear();
        self.refresh.clear();
        self.devices.expire();
    }

    /// Approves an authorization request. Returns the query of the callback.
    pub(super) fn consent(&mut self, scene: &Scene, url: &str, user: u64) -> Option<String> {
        let url = self.requested(scene, url)?;
        let params = Params::parse(url.query()?.as_bytes()).ok()?;
        let request = AuthorizationRequest::parse(&params).ok()?;
        let manners = &scene.manners();
        if *request.client_id != *self.id {
            return None;
        }
        self.drawn += 1;
        let code = format!("code-canary-{}", self.drawn);
        let asked = request.scope.as_ref().map_or("", |scopes| scopes.as_str()).to_owned();
        let scope = manners.scopes.map_or(asked, str::to_owned);
        let further = match manners.scope_in_callback {
            true => {
                let granted = Scopes::of([&*scope]);
                let scopes = granted.join(manners.scope_separator);
                format!("&scope={}", scopes.replace(' ', "+"))
            }
            false => String::new(),
        };
        let issued = Code {
            user,
            scope,
            redirect_uri: request.redirect_uri.as_deref().map(str::to_owned),
            challenge: request.code_challenge,
            is_lasting: wants(manners.refresh_wants, &params),
            is_openid: wants(manners.id_token_wants, &params),
            nonce: params.one("nonce").ok().flatten().map(str::to_owned),
            consented: self.openid.as_ref().and_then(OpenId::now),
        };
        self.codes.insert(code.clone(), issued);
        if request.response_type.has_token() || request.response_type.has_id_token() {
            let iss = self.issuer(scene);
            return self.hybrid(scene, &request, &code, user, iss);
        }
        let query = answer(
            &request,
            &AuthorizationResponse::Code {
                code: code.into(),
                state: request.state.as_deref().map(str::to_owned),
                iss: self.issuer(scene),
                session_state: None,
            },
        )?;
        Some(query + &further)
    }

    /// Refuses an authorization request. Returns the query of the callback.
    pub(super) fn deny(&self, scene: &Scene, url: &str) -> Option<String> {
        let error = match scene.manners().denial {
            Denial::Named(name) => name.into(),
            Denial::Standard | Denial::Parameter | Denial::Verifier(_) => ErrorCode::AccessDenied,
        };
        self.refuse(scene, url, error)
    }

    /// Fails an authorization request. Returns the query of the callback.
    pub(super) fn refuse(&self, scene: &Scene, url: &str, error: ErrorCode) -> Option<String> {
        let url = self.requested(scene, url)?;
        let params = Params::parse(url.query()?.as_bytes()).ok()?;
        let request = AuthorizationRequest::parse(&params).ok()?;
        answer(
            &request,
            &AuthorizationResponse::Error {
                error: ErrorResponse::new(error),
                state: request.state.as_deref().map(str::to_owned),
                iss: self.issuer(scene),
                session_state: None,
            },
        )
    }

    /// The purpose of a request to a server.
    #[cfg(feature = "axum")]
    pub(super) fn purpose(&self, request: &Request<Bytes>) -> Purpose {
        if self.openid.as_ref().is_some_and(|openid| openid.is_for_documents(request)) {
            return Purpose::Document;
        }
        if self.revocation(request).is_some() {
            return Purpose::Revoke;
        }
        if self.is_for_devices(request) {
            return Purpose::DeviceAuthorization;
        }
        if !self.is_for_tokens(request) {
            let is_identity =
                self.identity_path().is_some_and(|path| is_at(request, path_of(path)));
            return if is_identity { Purpose::Identity } else { Purpose::Api };
        }
        let body = std::str::from_utf8(request.body()).unwrap_or_default();
        if body.contains("device_code") {
            Purpose::PollDevice
        } else if body.contains("refresh_token") && !body.contains("code=") {
            Purpose::Refresh
        } else {
            Purpose::RedeemCode
        }
    }

    pub(super) fn answer(&mut self, scene: &Scene, request: &Request<Bytes>) -> Response<Bytes> {
        let document = self.openid.as_ref().and_then(|openid| openid.document(scene, request));
        if let Some(document) = document {
            return document;
        }
        if let Some(kind) = self.revocation(request) {
            let answer = self.revoke(scene, kind, request);
            return self.flagged(answer);
        }
        if self.is_for_devices(request) {
            let manners = &scene.manners();
            let answer = match self.device(scene, request) {
                Ok(codes) => codes.to_response(),
                Err(error) => ErrorResponse::new(error).to_response(),
            };
            return mannered(&answer, manners, request);
        }
        if self.is_for_tokens(request) {
            let manners = &scene.manners();
            let as_read = self.as_read(scene, request);
            let read = as_read.as_ref().unwrap_or(request);
            let issued = self
                .authenticate(scene, read)
                .and_then(|()| self.token(scene, read).map_err(ErrorResponse::new));
            let answer = match issued {
                Ok((tokens, user)) => {
                    let answer = mannered(&with_scope(&tokens), manners, request);
                    self.with_own_members(answer, scene, user)
                }
                Err(error) => mannered(&error.to_response(), manners, request),
            };
            return self.flagged(answer);
        }
        self.flagged(self.resource(scene, request))
    }

    pub(super) fn issuer(&self, scene: &Scene) -> Option<String> {
        if scene.has(Fault::WrongIssuer) {
            return Some(OTHER_ISSUER.to_owned());
        }
        if self.spec.is_none_or(|(spec, _)| spec.authorize.is_empty())
            && let Some(openid) = &self.openid
        {
            return Some(scene.placed(openid.issuer()));
        }
        self.spec.and_then(|(_, oauth2)| oauth2.issuer).map(|issuer| scene.placed(issuer))
    }

    fn is_for_tokens(&self, request: &Request<Bytes>) -> bool {
        let path = request.uri().path();
        let ends = self.spec.map(|(spec, oauth2)| [Some(spec.token), oauth2.refresh]);
        let is_end = |end: &str| !end.is_empty() && path.ends_with(path_of(end));
        let is_its = ends.into_iter().flatten().flatten().any(is_end) || path.contains("token");
        is_its && request.method() == Method::POST
    }

    fn is_for_devices(&self, request: &Request<Bytes>) -> bool {
        // A tenant has a path of its own.
        let is_its = request.uri().path().contains("device")
            && self.spec.is_none_or(|(_, oauth2)| oauth2.device_authorization.is_some());
        is_its && request.method() == Method::POST
    }

    /// The codes of a device login. A public client needs no secret.
    fn device(
        &mut self,
        scene: &Scene,
        request: &Request<Bytes>,
    ) -> Result<DeviceAuthorizationResponse, ErrorCode> {
        let params = Params::of_body(request).map_err(|_| ErrorCode::InvalidRequest)?;
        let client = PresentedClient::parse(request.headers(), &params)
            .map_err(|_| ErrorCode::InvalidClient)?;
        if !self.is_public_or_known(&client) {
            return Err(scene.manners().wrong_client.into());
        }
        let asked = DeviceAuthorizationRequest::parse(&params);
        let asked = asked.map_err(|_| ErrorCode::InvalidScope)?;
        self.drawn += 1;
        Ok(self.devices.begin(&asked, scene, self.drawn))
    }

    pub(super) fn is_public_or_known(&self, client: &PresentedClient<'_>) -> bool {
        let secret = client.proof.secret();
        *client.id == *self.id && secret.is_none_or(|secret| *secret == *self.secret)
    }

    /// Whether a request has the secret, or an assertion by it or by the client's keys.
    pub(super) fn is_proved(
        &mut self,
        scene: &Scene,
        request: &Request<Bytes>,
        proof: &ClientProof<'_>,
    ) -> bool {
        let ClientProof::Assertion(assertion) = proof else {
            return proof.secret() == Some(&*self.secret);
        };
        let endpoint = request.uri().to_string();
        let issuer = self.openid.as_ref().map(|openid| scene.placed(openid.issuer()));
        let audiences = [issuer.as_deref().unwrap_or(&endpoint), &endpoint];
        let now = self.openid.as_ref().and_then(OpenId::now);
        self.assertions.accepts(assertion, &self.id, &self.secret, audiences, now)
    }

    /// A token response with the members that only this service has.
    fn with_own_members(
        &self,
        answer: Response<Bytes>,
        scene: &Scene,
        user: u64,
    ) -> Response<Bytes> {
        let Some((_, oauth2)) = self.spec else { return answer };
        let Ok(mut members) = serde_json::from_slice::<Value>(answer.body()) else { return answer };
        if let Some(path) = oauth2.access_token
            && let Some((above, _)) = path.rsplit_once('.')
        {
            let nested = std::mem::replace(&mut members, json!({}));
            put(&mut members, above, nested);
        }
        if let Some(path) = oauth2.subject_in_token {
            let claims = scene.claims(user);
            let id = value_at(&claims, scene.identity_member()).cloned();
            put(&mut members, path, id.unwrap_or_else(|| json!(user)));
        }
        if let (Some((member, _)), Some(origin)) = (oauth2.api_in_token, scene.api_origin()) {
            put(&mut members, member, json!(origin));
        }
        json_answer(&members)
    }

    /// The response with the service's failure flag.
    fn flagged(&self, answer: Response<Bytes>) -> Response<Bytes> {
        let Some(flag) = self.spec.and_then(|(spec, _)| spec.failure_flag) else { return answer };
        let Ok(Value::Object(mut members)) = serde_json::from_slice(answer.body()) else {
            return answer;
        };
        let is_good = answer.status().is_success() && !members.contains_key("error");
        members.insert(flag.to_owned(), is_good.into());
        json_answer(&members.into())
    }

    fn token(
        &mut self,
        scene: &Scene,
        request: &Request<Bytes>,
    ) -> Result<(TokenResponse, u64), ErrorCode> {
        let manners = &scene.manners();
        let is_refused = scene.has(Fault::RefreshRefused);
        let params = Params::of_body(request).map_err(|_| ErrorCode::InvalidRequest)?;
        let asked = TokenRequest::parse(&params).map_err(|_| ErrorCode::InvalidRequest)?;
        if let Some((spec, OAuth2Spec { refresh: Some(refresh), .. })) = self.spec {
            let is_refresh = matches!(asked, TokenRequest::RefreshToken { .. });
            let endpoint = if is_refresh { refresh } else { spec.token };
            if !request.uri().path().ends_with(path_of(endpoint)) {
                return Err(ErrorCode::UnsupportedGrantType);
            }
        }
        let (mut nonce, mut consented) = (None, None);
        let (user, scope, is_lasting, is_openid) = match asked {
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
                (nonce, consented) = (known.nonce, known.consented);
                (known.user, Some(known.scope), known.is_lasting, known.is_openid)
            }
            TokenRequest::RefreshToken { .. } if is_refused => {
                return Err(manners.dead_refresh_token.into());
            }
            TokenRequest::RefreshToken { refresh_token, .. } => {
                let user = match manners.refresh {
                    Refresh::Rotating => self.refresh.remove(refresh_token),
                    Refresh::Never | Refresh::Lasting => self.refresh.get(refresh_token).copied(),
                };
                let is_openid = !self.without_openid.contains(refresh_token);
                (user.ok_or(manners.dead_refresh_token)?, None, true, is_openid)
            }
            TokenRequest::DeviceCode { device_code, .. } => {
                let (user, scope) = self.devices.redeem(device_code, manners)?;
                let wanted = manners.id_token_wants.strip_prefix("scope=");
                let mut scopes = scope.split(' ');
                let is_openid = wanted.is_none_or(|wanted| scopes.any(|scope| scope == wanted));
                (user, Some(scope), true, is_openid)
            }
            TokenRequest::ClientCredentials { .. }
            | TokenRequest::Password { .. }
            | TokenRequest::JwtBearer { .. }
            | TokenRequest::TokenExchange(_) => return Err(ErrorCode::UnsupportedGrantType),
        };
        let refreshing = scope.is_none();
        self.drawn += 1;
        let access = format!("access-canary-{}", self.drawn);
        self.access.insert(access.clone(), user);
        let mut tokens = TokenResponse::new(access.as_str());
        let signed = Signed {
            client: &self.id,
            secret: &self.secret,
            user,
            nonce: nonce.as_deref(),
            access_token: &access,
            beside: None,
            auth_time: consented,
            request,
            endpoint: self.spec.map_or("", |(spec, _)| spec.token),
        };
        let openid = self.openid.as_ref().filter(|_| is_openid);
        let id_token = openid.and_then(|openid| openid.issue(scene, &signed));
        tokens.extra.extend(id_token.map(|token| ("id_token".to_owned(), token.into())));
        tokens.token_type = manners.token_type.into();
        tokens.expires_in = manners.lifetime;
        tokens.scope =
            scope.filter(|_| !manners.scope_in_callback).map(|scope| Scopes::of(scope.split(' ')));
        let gives_refresh_token = match manners.refresh {
            Refresh::Never => false,
            Refresh::Lasting => is_lasting && !refreshing,
            Refresh::Rotating => is_lasting,
        };
        if gives_refresh_token {
            let refresh = format!("refresh-canary-{}", self.drawn);
            self.refresh.insert(refresh.clone(), user);
            if !is_openid {
                self.without_openid.insert(refresh.clone());
            }
            tokens.refresh_token = Some(refresh.into());
        }
        Ok((tokens, user))
    }
}

fn answer(request: &AuthorizationRequest<'_>, answer: &AuthorizationResponse) -> Option<String> {
    let url = answer.to_url(request.redirect_uri.as_deref()?, ResponseMode::Query).ok()?;
    url.split_once('?').map(|(_, query)| query.to_owned())
}

/// Whether a request has a parameter, or a scope among others; `true` for an empty text.
fn wants(parameter: &'static str, params: &Params<'_>) -> bool {
    let Some((name, wanted)) = parameter.split_once('=') else { return true };
    let value = params.one(name).ok().flatten().unwrap_or_default();
    value.split([' ', ',']).any(|value| value == wanted)
}

/// Whether a request is for the resource at this path of the API.
pub(super) fn is_at(request: &Request<Bytes>, path: &str) -> bool {
    let before = request.uri().path().strip_suffix(path);
    before.is_some_and(|before| path.starts_with('/') || before.ends_with('/'))
}
