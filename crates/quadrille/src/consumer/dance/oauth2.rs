//! A login with OAuth 2: `state`, a code, and one request to the token endpoint.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::{
    Scopes, Secret, Timestamp,
    consumer::{
        account::Token,
        attempt::{Attempt, Ending, Kind, state::Opened},
        claims::Claims,
        cookies::Jar,
        error::{BrowserError, Error, OperatorError, Result, ServiceError},
        exchange::ask_endpoint,
        openid::OpenIdProvider,
        registration::Settled,
        service::{ClientAuthentication, Hybrid, OAuth2Buf, allowed::merged},
        site::Site,
    },
    form::Params,
    oauth2::{
        AuthorizationRequest, AuthorizationResponse, AuthorizationResponseError, ClientAuth,
        ErrorCode, ErrorResponse, Resources, TokenRequest, bearer, member::MemberPath,
        pkce::Verifier,
    },
    page::is_unseen,
    transport::Purpose,
};

use super::{
    Answered, Answers, Beside, CodeProof, Granted, Obtained, Proof, oauth2_auth::Auth, trail::Trail,
};

/// A service of OAuth 2, ready for use.
pub(crate) struct OAuth2Dance {
    pub(super) service: Arc<Settled>,
    pub(crate) spec: OAuth2Buf,
    auth: Auth,
    pub(crate) resources: Resources,
    /// The scheme of API calls and a space.
    scheme: Box<str>,
    /// The path of the access token in a response.
    pub(super) access_token: Option<MemberPath>,
    /// The OpenID Provider that the service is, if it is one.
    pub(crate) openid: Option<Arc<OpenIdProvider>>,
    /// The authorization request without `state`, `nonce` and the PKCE challenge.
    authorize_url: String,
}

impl OAuth2Dance {
    pub(crate) fn new(
        service: &Arc<Settled>,
        spec: &OAuth2Buf,
        openid: Option<Arc<OpenIdProvider>>,
    ) -> Result<Self, OperatorError> {
        let name = || Box::from(&*service.name);
        let auth = Auth::of(service, spec)?;
        let malformed = |_| OperatorError::ResourceMalformed { service: name() };
        let resources = Resources::parse(&spec.resources).map_err(malformed)?;
        let access_token = match &spec.access_token {
            Some(path) => Some(
                MemberPath::parse(path)
                    .ok_or_else(|| OperatorError::MemberMalformed { service: name() })?,
            ),
            None => None,
        };
        let scheme = format!("{} ", spec.token_scheme).into();
        let (service, spec, authorize_url) = (Arc::clone(service), spec.clone(), String::new());
        let mut dance =
            Self { service, spec, auth, resources, scheme, access_token, openid, authorize_url };
        if dance.authorization(&"a".into()).is_none() {
            return Err(dance.service.endpoint_malformed());
        }
        let usual = &dance.service.spec.scopes;
        dance.authorize_url = dance.authorize_url(usual, &[], &dance.service.callback)?;
        Ok(dance)
    }

    /// The client's credentials at the service, for one request.
    pub(crate) fn auth(&self, site: &Site) -> Result<Cow<'_, ClientAuth>, OperatorError> {
        self.auth.credentials(&self.service, &self.spec, site)
    }

    /// The `Authorization` header of API calls; `None` if a header cannot carry the token.
    pub(crate) fn authorization(&self, token: &Secret) -> Option<HeaderValue> {
        let bearer = bearer::header(token)?;
        if &*self.scheme == "Bearer " {
            return Some(bearer);
        }
        let mut value = HeaderValue::try_from([&*self.scheme, token.expose()].concat()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// A request with its parameters in the format that the service reads.
    pub(crate) fn as_service_reads(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        if self.spec.authentication != ClientAuthentication::Json {
            return request;
        }
        let Ok(params) = Params::parse(request.body()) else { return request };
        let members: Map<String, Value> =
            params.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let body = Bytes::from(Value::Object(members).to_string());
        *request.body_mut() = body;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        request
    }

    /// The authorization request for these scopes with these parameters, without `state`, `nonce` and
    /// the PKCE challenge.
    fn authorize_url(
        &self,
        scopes: &Scopes,
        parameters: &[(String, String)],
        redirect_uri: &str,
    ) -> Result<String, OperatorError> {
        let spec = &self.service.spec;
        let mut request = AuthorizationRequest::new(&*self.service.id);
        request.redirect_uri = Some(redirect_uri.into());
        request.scope = (!scopes.is_empty()).then(|| scopes.clone());
        request.scope_separator = self.spec.scope_separator;
        request.resource = self.resources.clone();
        // Neither the page of a script nor the port of a program takes a form.
        let takes_forms = redirect_uri == self.service.callback;
        let hybrid = self.hybrid_at(redirect_uri);
        let parameters = merged(&spec.parameters, parameters);
        let parameters =
            parameters.filter(|(name, _)| hybrid.is_none() || *name != "response_mode");
        let parameters = parameters.map(|parameter| match parameter {
            ("response_mode", "form_post") if !takes_forms => ("response_mode", "query"),
            other => other,
        });
        request.extra = parameters.map(|(name, value)| (name.into(), value.into())).collect();
        if let Some(flow) = hybrid {
            request.response_type = flow.response_type();
            request.extra.push(("response_mode".into(), "form_post".into()));
        }
        request.to_url(&spec.authorize).map_err(|_| self.service.endpoint_malformed())
    }

    /// The URL to redirect the user to.
    pub(crate) fn leave(
        &self,
        site: &Site,
        jar: &Jar,
        attempt: &Attempt,
        parameters: &[(String, String)],
    ) -> Result<String> {
        let is_usual = !matches!(attempt.kind, Kind::Widen { .. })
            && parameters.is_empty()
            && attempt.ending != Ending::Json;
        let mut url = if is_usual {
            let mut url = String::with_capacity(self.authorize_url.len() + 512);
            url.push_str(&self.authorize_url);
            url
        } else {
            let scopes = attempt.scopes(&self.service.spec.scopes);
            let callback = self.service.callback_for(attempt.ending);
            self.authorize_url(&scopes, parameters, callback)?
        };
        let sealed = attempt.seal_into_state(site, jar)?;
        append_state(&mut url, &sealed.state, self.spec.pkce.then_some(&sealed.verifier));
        if self.openid.is_some() {
            append_nonce(&mut url, &sealed.nonce);
        }
        Ok(url)
    }

    /// The URL to send the user to, for a program that keeps the attempt in its memory. PKCE is not
    /// optional for programs (RFC 8252, section 6).
    pub(crate) fn leave_for(
        &self,
        redirect_uri: &str,
        attempt: &Attempt,
        parameters: &[(String, String)],
        state: &str,
        verifier: &Verifier,
        nonce: Option<&str>,
    ) -> Result<String> {
        let scopes = attempt.scopes(&self.service.spec.scopes);
        let mut url = self.authorize_url(&scopes, parameters, redirect_uri)?;
        append_state(&mut url, state, Some(verifier));
        if let Some(nonce) = nonce {
            append_nonce(&mut url, nonce);
        }
        Ok(url)
    }

    /// Whether the callback belongs to an attempt of this browser and contains a code.
    pub(crate) fn come_back(
        &self,
        site: &Site,
        jar: &Jar,
        params: &Params<'_>,
        trail: &mut Trail,
    ) -> Result<Answered> {
        // The state first: forged callbacks have no effect.
        let state = params.one("state").map_err(|_| BrowserError::CallbackMalformed)?;
        let state = state.ok_or(BrowserError::StateUnknown)?;
        let opened = Opened::open(site, jar, &self.service.name, state)?;
        trail.next = Some(opened.attempt.next.clone()).filter(|next| !next.is_empty());
        trail.ending = opened.attempt.ending.in_browser();
        opened.check(site, jar)?;
        let callback = self.service.callback_for(opened.attempt.ending);
        match self.answered(params, self.hybrid_at(callback))? {
            Ok(mut proof) => {
                if self.spec.pkce {
                    proof.verifier = Some(opened.verifier(site)?);
                }
                if self.openid.is_some() {
                    proof.nonce = Some(opened.nonce(site)?);
                }
                let Opened { attempt, cookie, binding, .. } = opened;
                let (binding, proof) = (Some(binding), Proof::Code(proof));
                Ok(Answered { attempt, cookie, binding, proof })
            }
            Err(refused) => {
                trail.answered = Some(opened.cookie);
                Err(refused)
            }
        }
    }

    /// The code, and what the callback says besides, or the service's refusal. The caller has
    /// checked `state`, and adds the PKCE verifier and the `nonce`. `flow` is that of the request.
    ///
    /// # Errors
    /// [`BrowserError`] for a callback that is no answer of the service.
    pub(crate) fn answered(
        &self,
        params: &Params<'_>,
        flow: Option<Hybrid>,
    ) -> Result<Result<CodeProof>, BrowserError> {
        let response = match self.spec.issuer {
            Some(_) => AuthorizationResponse::parse(params),
            None => AuthorizationResponse::parse_without_issuer(params),
        };
        let response = match response {
            // Facebook names the error of an application that is not set up in its own way.
            Err(AuthorizationResponseError::Empty)
                if self.spec.issuer.is_none()
                    && let Ok(Some(code)) = params.one("error_code") =>
            {
                return Ok(Err(refused(&self.service, &self.meaning(&code.into()))));
            }
            response => response.map_err(|_| BrowserError::CallbackMalformed)?,
        };
        // The ID token that was requested names the issuer, too, and is verified before the code is used.
        let has_id_token =
            matches!(&response, AuthorizationResponse::OpenId { id_token: Some(_), .. });
        let is_named = has_id_token && flow.is_some_and(|flow| flow.response_type().has_id_token());
        self.check_issuer(response.iss(), is_named)?;
        match response {
            // Without the tokens that were requested, this is the answer to another request.
            AuthorizationResponse::Code { .. } if flow.is_some() => {
                Err(BrowserError::CallbackMalformed)
            }
            AuthorizationResponse::Code { code, .. } => self.code(params, code, None).map(Ok),
            AuthorizationResponse::OpenId { code: Some(code), token, id_token, .. } => {
                let beside = flow.map(|flow| Self::beside(flow, token, id_token, params));
                self.code(params, code, beside.transpose()?).map(Ok)
            }
            // Nobody asked for one.
            AuthorizationResponse::Token { .. } | AuthorizationResponse::OpenId { .. } => {
                Err(BrowserError::CallbackMalformed)
            }
            AuthorizationResponse::Error { error, .. } => {
                log_refusal(&self.service, &error);
                Ok(Err(refused(&self.service, &self.meaning(&error.error))))
            }
        }
    }

    /// A code, and what the callback says besides.
    fn code(
        &self,
        params: &Params<'_>,
        code: Secret,
        beside: Option<Beside>,
    ) -> Result<CodeProof, BrowserError> {
        let scopes = match self.spec.scopes_in_callback {
            true => {
                let scopes = params.one("scope").map_err(|_| BrowserError::CallbackMalformed)?;
                // An empty one says that none was granted.
                let is_named = params.iter().any(|(name, _)| name == "scope");
                is_named.then(|| scopes.unwrap_or(""))
            }
            false => None,
        };
        let separator = self.spec.granted_scope_separator;
        let scopes = scopes.map(|scopes| Scopes::parse_lenient(scopes, separator));
        let server = self.service.server_in(params)?;
        let (verifier, nonce, identified, redirect_uri) = (None, None, None, None);
        Ok(CodeProof { code, verifier, nonce, beside, identified, redirect_uri, scopes, server })
    }

    /// RFC 9207, section 2.4. A response whose issuer an ID token names may leave `iss` out (section 4).
    fn check_issuer(&self, iss: Option<&str>, is_named: bool) -> Result<(), BrowserError> {
        match (&self.spec.issuer, iss) {
            (Some(expected), Some(iss)) if *expected != *iss => Err(BrowserError::WrongIssuer),
            (Some(_), None) if self.spec.issuer_required && !is_named => {
                Err(BrowserError::WrongIssuer)
            }
            _ => Ok(()),
        }
    }

    /// Redeems the code.
    pub(crate) async fn redeem(
        &self,
        site: &Site,
        attempt: &Attempt,
        proof: &CodeProof,
    ) -> Result<Granted> {
        let CodeProof { code, verifier, nonce, identified, redirect_uri, scopes, server, .. } =
            proof;
        if let Some(openid) = &self.openid {
            openid.prepare(&site.env).await?;
        }
        let callback = || self.service.callback_for(attempt.ending);
        let request = TokenRequest::AuthorizationCode {
            code: code.expose(),
            redirect_uri: Some(redirect_uri.as_deref().unwrap_or_else(callback)),
            code_verifier: verifier.as_ref().map(Verifier::expose),
            resource: self.resources.clone(),
        };
        let (purpose, requested) = (Purpose::RedeemCode, site.env.now());
        let obtained = self.ask_for_token(site, &request, purpose, server.as_deref()).await?;
        let answers = Answers { nonce: nonce.as_deref(), beside: identified.as_deref() };
        self.granted(site, attempt, obtained, requested, scopes.as_ref(), answers).await
    }

    /// The outcome of a login with this response to a request of this time. `scopes` are those that the
    /// callback names.
    pub(super) async fn granted(
        &self,
        site: &Site,
        attempt: &Attempt,
        obtained: Obtained,
        requested: Timestamp,
        scopes: Option<&Scopes>,
        answers: Answers<'_>,
    ) -> Result<Granted> {
        let Obtained { answer, subject, api } = obtained;
        let mut id_token = None;
        let claims = match (&self.service.subject_in_token, subject) {
            _ if let Some(openid) = &self.openid => {
                let (token, claims) =
                    self.identified(openid, site, attempt, &answer, answers).await?;
                id_token = Some(token);
                Some(claims)
            }
            (None, _) => None,
            (Some(_), Some(subject)) => {
                Some(Claims { subject, all: Value::Object(answer.extra.clone()) })
            }
            (Some(_), None) => {
                return Err(Error::service(&self.service.name, ServiceError::SubjectMissing));
            }
        };
        let now = site.env.now();
        let session = match &claims {
            Some(claims) if id_token.is_some() => claims.session(requested, site.clock_leeway),
            _ => None,
        };
        let asked = || attempt.scopes(&self.service.spec.scopes);
        let token = Token {
            access_token: answer.access_token,
            token_secret: None,
            refresh_token: answer.refresh_token,
            scopes: answer.scope.or_else(|| scopes.cloned()).unwrap_or_else(asked),
            obtained: now,
            expires: answer.expires_in.map(|lifetime| now + lifetime),
            api,
            id_token,
            session,
        };
        Ok(Granted { token, more: answer.extra, claims })
    }

    /// One request to the token endpoint, at this authorization server if the service has several.
    pub(crate) async fn ask_for_token(
        &self,
        site: &Site,
        request: &TokenRequest<'_>,
        purpose: Purpose,
        server: Option<&str>,
    ) -> Result<Obtained> {
        let answer = self.token_answer(site, request, purpose, server).await?;
        self.obtained(site, &answer, purpose)
    }

    /// Sends a request to the token endpoint.
    pub(super) async fn token_answer(
        &self,
        site: &Site,
        request: &TokenRequest<'_>,
        purpose: Purpose,
        server: Option<&str>,
    ) -> Result<Response<Bytes>> {
        let Settled { name, spec, .. } = &*self.service;
        let endpoint = match (purpose, &self.spec.refresh) {
            (Purpose::Refresh, Some(refresh)) => refresh,
            _ => &spec.token,
        };
        let further: Vec<(&str, &str)> =
            spec.token_parameters.iter().map(|(key, value)| (&**key, &**value)).collect();
        let auth = self.auth(site)?;
        let mut request = request
            .to_request(&self.service.at_server(endpoint, server), &auth, &further)
            .map(|request| self.as_service_reads(request))
            .map_err(|_| self.service.endpoint_malformed())?;
        self.service.add_headers(&mut request, &spec.token_headers)?;
        ask_endpoint(self.service.http(site), name, request, purpose).await
    }
}

/// Adds `state` and the PKCE challenge to an authorization request.
fn append_state(url: &mut String, state: &str, verifier: Option<&Verifier>) {
    // Base64url and fixed words need no encoding, and the URL has a query already.
    url.push_str("&state=");
    url.push_str(state);
    if let Some(verifier) = verifier {
        let challenge = verifier.challenge();
        let _ = write!(url, "&code_challenge={challenge}&code_challenge_method=S256");
    }
}

/// Adds the `nonce`, which is base64url, too.
fn append_nonce(url: &mut String, nonce: &str) {
    url.push_str("&nonce=");
    url.push_str(nonce);
}

/// The number of characters of a description in the log.
const LONGEST_DESCRIPTION: usize = 200;

/// Logs what the service says of its refusal, or the browser, which brings it.
fn log_refusal(service: &Settled, error: &ErrorResponse) {
    let description = error.error_description.as_deref().map(|text| {
        let seen = text.chars().filter(|char| !is_unseen(*char));
        seen.take(LONGEST_DESCRIPTION).collect::<String>()
    });
    let code = ServiceError::shown(error.error.as_str());
    let (service, error, error_description) = (&*service.name, &*code, description.as_deref());
    tracing::info!(service, error, error_description, "the service refused a login");
}

pub(super) fn refused(service: &Settled, error: &ErrorCode) -> Error {
    let error = match error {
        ErrorCode::AccessDenied => return BrowserError::Denied.into(),
        ErrorCode::UnauthorizedClient | ErrorCode::InvalidClient => ServiceError::ClientRefused,
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            ServiceError::Unavailable { status, retry_after: None }
        }
        other => ServiceError::AuthorizationRefused { error: ServiceError::shown(other.as_str()) },
    };
    Error::service(&service.name, error)
}
