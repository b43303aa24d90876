//! A login with OAuth 2: `state`, a code, and one request to the token endpoint.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use http::StatusCode;

use crate::{
    Scopes,
    consumer::{
        account::Token,
        attempt::{Attempt, Kind, Seals, state::Opened},
        cookies::Jar,
        error::{BrowserFault, Error, OperatorFault, Result, ServiceFault},
        exchange::retry_after,
        flow::Origin,
        login::{Login, Ready},
        registered::{Registered, Registration},
        service::{ClientAuthentication, Credential, OAuth2Buf},
    },
    form::Params,
    oauth2::{
        AuthorizationRequest, AuthorizationResponse, ClientAuth, ErrorCode, Resources,
        TokenRequest, TokenResponse, TokenResponseError, TokenType, bearer, member::MemberPath,
        pkce::Verifier,
    },
    transport::Purpose,
};

use super::{Answered, Granted, Proof};

/// A service of OAuth 2, ready for use.
pub(crate) struct OAuth2Dance {
    pub(crate) spec: OAuth2Buf,
    auth: ClientAuth,
    pub(crate) resources: Resources,
    /// Where the access token stands in an answer.
    access_token: Option<MemberPath>,
    /// The authorization request, but for `state` and the PKCE challenge.
    authorize_url: String,
}

impl OAuth2Dance {
    pub(crate) fn new(
        registration: &Registration,
        spec: &OAuth2Buf,
        callback: &str,
    ) -> Result<Self, OperatorFault> {
        let client_id = registration.id.as_str().into();
        let auth = match (&registration.credential, spec.authentication) {
            (Credential::None, _) => ClientAuth::None { client_id },
            (Credential::Secret(secret), ClientAuthentication::Basic) => {
                ClientAuth::Basic { client_id, client_secret: secret.clone() }
            }
            (Credential::Secret(secret), ClientAuthentication::Post) => {
                ClientAuth::Post { client_id, client_secret: secret.clone() }
            }
            (Credential::Key(_), _) => {
                let service = registration.spec.name.as_ref().into();
                return Err(OperatorFault::CredentialMismatch { service });
            }
        };
        let malformed = |_| OperatorFault::ResourceMalformed {
            service: registration.spec.name.as_ref().into(),
        };
        let resources = Resources::parse(&spec.resources).map_err(malformed)?;
        let access_token = match &spec.access_token {
            Some(path) => Some(MemberPath::parse(path).ok_or_else(|| {
                let service = registration.spec.name.as_ref().into();
                OperatorFault::MemberMalformed { service }
            })?),
            None => None,
        };
        let authorize_url = String::new();
        let mut dance = Self { spec: spec.clone(), auth, resources, access_token, authorize_url };
        dance.authorize_url =
            dance.authorize_url(registration, callback, &registration.spec.scopes)?;
        Ok(dance)
    }

    /// The authorization request for these scopes, but for `state` and the PKCE challenge.
    fn authorize_url(
        &self,
        registration: &Registration,
        callback: &str,
        scopes: &Scopes,
    ) -> Result<String, OperatorFault> {
        let Registration { spec, .. } = registration;
        let mut request = AuthorizationRequest::new(self.auth.client_id());
        request.redirect_uri = Some(callback.into());
        request.scope = (!scopes.is_empty()).then(|| scopes.clone());
        request.scope_separator = self.spec.scope_separator;
        request.resource = self.resources.clone();
        let parameters = spec.parameters.iter();
        request.extra =
            parameters.map(|(name, value)| (name.as_ref().into(), value.as_ref().into())).collect();
        request
            .to_url(&spec.authorize)
            .map_err(|_| OperatorFault::EndpointMalformed { service: spec.name.as_ref().into() })
    }

    /// The URL to send the visitor to.
    pub(crate) fn leave(
        &self,
        registered: &Registered,
        seals: &Seals<'_>,
        jar: &Jar,
        attempt: &Attempt,
    ) -> Result<String> {
        let mut url = match &attempt.kind {
            Kind::Widen { scopes, .. } => {
                let scopes = Scopes::of(scopes.split(' '));
                self.authorize_url(&registered.registration, &registered.callback, &scopes)?
            }
            Kind::Link | Kind::Identify => {
                let mut url = String::with_capacity(self.authorize_url.len() + 512);
                url.push_str(&self.authorize_url);
                url
            }
        };
        let sealed = attempt.seal_into_state(seals, jar)?;
        // Base64url and fixed words need no encoding, and the URL has a query already.
        url.push_str("&state=");
        url.push_str(&sealed.state);
        if self.spec.pkce {
            let challenge = sealed.verifier.challenge();
            let _ = write!(url, "&code_challenge={challenge}&code_challenge_method=S256");
        }
        Ok(url)
    }

    /// Whether the callback answers an attempt of this browser, with a code.
    pub(crate) fn come_back(
        &self,
        registered: &Arc<Registered>,
        seals: &Seals<'_>,
        jar: &Jar,
        params: &Params<'_>,
        origin: &mut Origin,
    ) -> Result<Answered> {
        // The state first: what strangers send has no effect at all.
        let state = params.one("state").map_err(|_| BrowserFault::CallbackMalformed)?;
        let state = state.ok_or(BrowserFault::StateUnknown)?;
        let opened = Opened::open(seals, jar, &registered.name, state)?;
        origin.next = Some(opened.attempt.next.clone()).filter(|next| !next.is_empty());
        opened.check(seals, jar)?;
        let response = match self.spec.issuer {
            Some(_) => AuthorizationResponse::parse(params),
            None => AuthorizationResponse::parse_without_issuer(params),
        };
        let response = response.map_err(|_| BrowserFault::CallbackMalformed)?;
        self.check_issuer(response.iss())?;
        match response {
            AuthorizationResponse::Code { code, .. } => {
                let verifier = if self.spec.pkce { Some(opened.verifier(seals)?) } else { None };
                let Opened { attempt, cookie, .. } = opened;
                Ok(Answered { attempt, cookie, proof: Proof::Code { code, verifier } })
            }
            AuthorizationResponse::Error { error, .. } => {
                origin.answered = Some(opened.cookie);
                Err(refused(registered, &self.meaning(&error.error)))
            }
        }
    }

    /// RFC 9207, section 2.4.
    fn check_issuer(&self, iss: Option<&str>) -> Result<(), BrowserFault> {
        match (&self.spec.issuer, iss) {
            (Some(expected), Some(iss)) if *expected != *iss => Err(BrowserFault::WrongIssuer),
            (Some(_), None) if self.spec.issuer_required => Err(BrowserFault::WrongIssuer),
            _ => Ok(()),
        }
    }

    /// Redeems the code.
    pub(crate) async fn redeem(
        &self,
        login: &Login,
        ready: &Ready,
        registered: &Arc<Registered>,
        attempt: &Attempt,
        code: &str,
        verifier: Option<&Verifier>,
    ) -> Result<Granted> {
        let request = TokenRequest::AuthorizationCode {
            code,
            redirect_uri: Some(&registered.callback),
            code_verifier: verifier.map(Verifier::expose),
            resource: self.resources.clone(),
        };
        let purpose = Purpose::RedeemCode;
        let answer = self.ask_for_token(login, ready, registered, &request, purpose).await?;
        let now = login.0.env.now();
        let token = Token {
            access_token: answer.access_token,
            token_secret: None,
            refresh_token: answer.refresh_token,
            scopes: answer.scope.unwrap_or_else(|| attempt.asked(registered)),
            obtained: now,
            expires: answer.expires_in.map(|lifetime| now + lifetime),
        };
        Ok(Granted { token, more: answer.extra })
    }

    /// One request to the token endpoint.
    pub(crate) async fn ask_for_token(
        &self,
        login: &Login,
        ready: &Ready,
        registered: &Arc<Registered>,
        request: &TokenRequest<'_>,
        purpose: Purpose,
    ) -> Result<TokenResponse> {
        let spec = registered.spec();
        let further: Vec<(&str, &str)> =
            spec.token_parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut request = request
            .to_request(&spec.token, &self.auth, &further)
            .map_err(|_| OperatorFault::EndpointMalformed { service: (*registered.name).into() })?;
        registered.add_headers(&mut request, &spec.token_headers)?;
        let answer = login.ask_endpoint(ready, &registered.name, request, purpose).await?;
        let separator = self.spec.granted_scope_separator;
        let fault = match TokenResponse::parse_at(&answer, separator, self.access_token.as_ref()) {
            Ok(tokens) => match self.check_type(&tokens.token_type) {
                // One that no header can carry could never be used (RFC 6750, section 2.1).
                Ok(()) if bearer::header(&tokens.access_token).is_none() => {
                    ServiceFault::Malformed { status: answer.status() }
                }
                Ok(()) => return Ok(tokens),
                Err(fault) => fault,
            },
            Err(error) => {
                let retry_after = retry_after(answer.headers(), login.0.env.now());
                self.token_fault(answer.status(), retry_after, &error, purpose)
            }
        };
        Err(Error::service(&registered.name, fault))
    }

    /// RFC 6749, section 7.1: a client must not use a token whose type it does not understand.
    fn check_type(&self, token_type: &TokenType) -> Result<(), ServiceFault> {
        let said = token_type.as_str();
        let mut bearer = self.spec.token_types.split(' ');
        match token_type {
            TokenType::Bearer => Ok(()),
            _ if bearer.any(|known| known.eq_ignore_ascii_case(said)) => Ok(()),
            _ => Err(ServiceFault::TokenType { token_type: shown_type(said) }),
        }
    }

    /// The registered code for an error code of the service's own; any other stands for itself.
    fn meaning(&self, code: &ErrorCode) -> ErrorCode {
        let known = self.spec.error_names.iter().find(|(name, _)| **name == *code.as_str());
        known.map_or_else(|| code.clone(), |(_, meaning)| ErrorCode::from(&**meaning))
    }

    /// What a token endpoint's failure means.
    fn token_fault(
        &self,
        status: StatusCode,
        retry_after: Option<Duration>,
        error: &TokenResponseError,
        purpose: Purpose,
    ) -> ServiceFault {
        let unavailable = || ServiceFault::Unavailable { status, retry_after };
        match error {
            // Overloaded services say whatever they like beside the status.
            TokenResponseError::Refused { .. } | TokenResponseError::Status(_)
                if ServiceFault::is_overload(status) =>
            {
                unavailable()
            }
            TokenResponseError::Refused { error, .. } => {
                let said = error.error.as_str();
                let mut refusals = self.spec.refresh_refusals.split(' ');
                if purpose == Purpose::Refresh
                    && (refusals.any(|code| code == said) || ends_refresh_token(said))
                {
                    return ServiceFault::TokenRefused { error: "invalid_grant".into() };
                }
                match self.meaning(&error.error) {
                    ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient => {
                        ServiceFault::ClientRefused
                    }
                    ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => unavailable(),
                    other => {
                        ServiceFault::TokenRefused { error: ServiceFault::shown(other.as_str()) }
                    }
                }
            }
            TokenResponseError::Status(StatusCode::UNAUTHORIZED) => ServiceFault::ClientRefused,
            _ => ServiceFault::Malformed { status },
        }
    }
}

fn refused(registered: &Registered, error: &ErrorCode) -> Error {
    let fault = match error {
        ErrorCode::AccessDenied => return BrowserFault::Denied.into(),
        ErrorCode::UnauthorizedClient | ErrorCode::InvalidClient => ServiceFault::ClientRefused,
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            ServiceFault::Unavailable { status, retry_after: None }
        }
        other => ServiceFault::AuthorizationRefused { error: ServiceFault::shown(other.as_str()) },
    };
    Error::service(&registered.name, fault)
}

/// Whether an error code, in answer to a refresh, says that the refresh token is dead: there is
/// nothing else in the request that it could mean, at any service.
fn ends_refresh_token(code: &str) -> bool {
    matches!(
        code,
        "invalid_token"
            | "expired_token"
            | "token_expired"
            | "token_revoked"
            | "invalid_refresh_token"
            | "refresh_token_expired"
    )
}

/// A token type, if it looks like one: it goes to pages and logs.
fn shown_type(said: &str) -> Box<str> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !said.is_empty() && said.len() <= 40 && said.bytes().all(fit) {
        said.into()
    } else {
        "unreadable".into()
    }
}
