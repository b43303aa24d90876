//! A login with the device flow of OAuth 2 (RFC 8628): its two requests.

use std::time::Duration;

use http::HeaderMap;

use crate::{
    consumer::{
        attempt::Attempt,
        error::{Error, OperatorError, Result, ServiceError},
        exchange::{ask_endpoint, retry_after},
        site::Site,
    },
    oauth2::{
        DeviceAuthorizationRequest, DeviceAuthorizationResponse, DeviceAuthorizationResponseError,
        TokenRequest,
    },
    transport::Purpose,
};

use super::{
    Answers, Granted,
    oauth2::{OAuth2Dance, refused},
};

/// The reason why a token request of a device login brought no token.
pub(crate) struct NoToken {
    pub(crate) error: Error,
    /// The interval that the response asks for.
    pub(crate) interval: Option<Duration>,
}

impl From<Error> for NoToken {
    fn from(error: Error) -> Self {
        Self { error, interval: None }
    }
}

impl OAuth2Dance {
    /// Requests the codes of a login.
    pub(crate) async fn begin_device(
        &self,
        site: &Site,
        attempt: &Attempt,
        parameters: &[(String, String)],
    ) -> Result<DeviceAuthorizationResponse> {
        let name = &self.service.name;
        let Some(endpoint) = &self.spec.device_authorization else {
            return Err(OperatorError::NoDeviceFlow { service: (**name).into() }.into());
        };
        let scopes = attempt.scopes(&self.service.spec.scopes);
        let mut request = DeviceAuthorizationRequest::new();
        request.scope = (!scopes.is_empty()).then_some(scopes);
        request.scope_separator = self.spec.scope_separator;
        request.resource = self.resources.clone();
        let further: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
        let auth = self.auth(site)?;
        let mut request = request
            .to_request(endpoint, &auth, &further)
            .map(|request| self.as_service_reads(request))
            .map_err(|_| self.service.endpoint_malformed())?;
        self.service.add_headers(&mut request, &self.service.spec.token_headers)?;
        let answer =
            ask_endpoint(self.service.http(site), name, request, Purpose::DeviceAuthorization)
                .await?;
        DeviceAuthorizationResponse::parse(&answer)
            .map_err(|error| self.device_error(site, &error, answer.headers()))
    }

    /// Requests the token once. The error of a user who has not decided yet is
    /// [`ServiceError::TokenRefused`] with the code of RFC 8628, section 3.5.
    pub(crate) async fn poll_device(
        &self,
        site: &Site,
        attempt: &Attempt,
        device_code: &str,
    ) -> Result<Granted, NoToken> {
        let request = TokenRequest::DeviceCode { device_code, resource: self.resources.clone() };
        let (purpose, requested) = (Purpose::PollDevice, site.env.now());
        let answer = self.token_answer(site, &request, purpose, None).await?;
        let granted = match self.obtained(site, &answer, purpose) {
            Ok(obtained) => {
                // The request of a device has no nonce.
                let answers = Answers::default();
                self.granted(site, attempt, obtained, requested, None, answers).await
            }
            Err(error) => Err(error),
        };
        granted.map_err(|error| {
            let interval = DeviceAuthorizationResponse::interval_of(answer.body());
            let interval = interval.max(retry_after(answer.headers(), site.env.now()));
            NoToken { error, interval }
        })
    }

    fn device_error(
        &self,
        site: &Site,
        error: &DeviceAuthorizationResponseError,
        headers: &HeaderMap,
    ) -> Error {
        use DeviceAuthorizationResponseError as E;
        let name = &self.service.name;
        let error = match error {
            E::Refused { status, .. } | E::Status(status) if ServiceError::is_overload(*status) => {
                let retry_after = retry_after(headers, site.env.now());
                ServiceError::Unavailable { status: *status, retry_after }
            }
            E::Refused { error, .. } => return refused(&self.service, &self.meaning(&error.error)),
            E::Status(status) if status.as_u16() == 401 => ServiceError::ClientRefused,
            E::Status(status) => ServiceError::Malformed { status: *status },
            E::Unreadable | E::Missing(_) | E::Malformed(_) => {
                tracing::warn!(service = &**name, cause = %error, "a response cannot be used");
                ServiceError::Malformed { status: http::StatusCode::OK }
            }
        };
        Error::service(name, error)
    }
}
