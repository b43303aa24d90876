//! A login with OAuth 2: `state`, a code, and one request to the token endpoint.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    Scopes,
    consumer::{
        account::Token,
        attempt::{Attempt, Kind, Seals, state::Opened},
        cookies::Jar,
        flow::Origin,
        login::{Login, Ready},
        registered::{Registered, Registration},
        service::{ClientAuthentication, Credential, OAuth2},
    },
    error::{BrowserFault, Error, OperatorFault, Result, ServiceFault},
    oauth2::{
        AuthorizationRequest, AuthorizationResponse, ClientAuth, ErrorCode, Resources,
        TokenRequest, TokenResponse, TokenResponseError, form::Params, pkce::Verifier,
    },
    quirks,
    transport::Purpose,
};

use super::{Answered, Granted, Proof};

/// A service of OAuth 2, ready for use.
pub(crate) struct OAuth2Dance {
    pub(crate) spec: OAuth2<Cow<'static, str>>,
    auth: ClientAuth,
    pub(crate) resources: Resources,
    /// The authorization request, but for `state` and the PKCE challenge.
    authorize_url: String,
}

impl OAuth2Dance {
    pub(crate) fn new(
        registration: &Registration,
        spec: &OAuth2<Cow<'static, str>>,
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
        let mut dance = Self { spec: spec.clone(), auth, resources, authorize_url: String::new() };
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
        let opened = Opened::open(seals, state.ok_or(BrowserFault::StateUnknown)?)?;
        if opened.attempt.service != registered.name {
            return Err(BrowserFault::StateUnknown.into());
        }
        origin.next = Some(opened.attempt.next.clone());
        opened.check(seals, jar)?;
        let response =
            AuthorizationResponse::parse(params).map_err(|_| BrowserFault::CallbackMalformed)?;
        self.check_issuer(response.iss())?;
        match response {
            AuthorizationResponse::Code { code, .. } => {
                let verifier = if self.spec.pkce { Some(opened.verifier(seals)?) } else { None };
                let Opened { attempt, cookie, .. } = opened;
                Ok(Answered { attempt, cookie, proof: Proof::Code { code, verifier } })
            }
            AuthorizationResponse::Error { error, .. } => {
                origin.answered = Some(opened.cookie);
                Err(refused(registered, &error.error))
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
        TokenResponse::parse(&answer, self.spec.granted_scope_separator)
            .map_err(|error| Error::service(&registered.name, token_fault(&answer, &error)))
    }
}

fn refused(registered: &Registered, error: &ErrorCode) -> Error {
    let fault = match error {
        ErrorCode::AccessDenied => return BrowserFault::Denied.into(),
        ErrorCode::UnauthorizedClient | ErrorCode::InvalidClient => ServiceFault::ClientRefused,
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            ServiceFault::Unavailable { status: StatusCode::SERVICE_UNAVAILABLE }
        }
        other => ServiceFault::AuthorizationRefused { error: ServiceFault::shown(other.as_str()) },
    };
    Error::service(&registered.name, fault)
}

/// What a token endpoint's failure means.
fn token_fault(answer: &Response<Bytes>, error: &TokenResponseError) -> ServiceFault {
    let status = answer.status();
    match error {
        TokenResponseError::Refused { error, .. } => match &quirks::standard_error(&error.error) {
            ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient => ServiceFault::ClientRefused,
            ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
                ServiceFault::Unavailable { status }
            }
            // Overloaded services say whatever they like beside the status.
            _ if ServiceFault::is_overload(status) => ServiceFault::Unavailable { status },
            other => ServiceFault::TokenRefused { error: ServiceFault::shown(other.as_str()) },
        },
        TokenResponseError::Status(status) if ServiceFault::is_overload(*status) => {
            ServiceFault::Unavailable { status: *status }
        }
        TokenResponseError::Status(StatusCode::UNAUTHORIZED) => ServiceFault::ClientRefused,
        _ => ServiceFault::Malformed { status },
    }
}
