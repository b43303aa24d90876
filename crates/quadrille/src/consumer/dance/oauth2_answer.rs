//! The response of the token endpoint of OAuth 2, as a value or an error.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;
use tracing::warn;

use crate::{
    consumer::{
        error::{Error, Result, ServiceError},
        exchange::retry_after,
        site::Site,
    },
    oauth2::{ErrorCode, TokenResponse, TokenResponseError, TokenType, answer, bearer},
    transport::Purpose,
};

use super::{Obtained, oauth2::OAuth2Dance};

impl OAuth2Dance {
    /// Reads the token endpoint's response.
    pub(super) fn obtained(
        &self,
        site: &Site,
        answer: &Response<Bytes>,
        purpose: Purpose,
    ) -> Result<Obtained> {
        let separator = self.spec.granted_scope_separator;
        let error = match TokenResponse::parse_at(answer, separator, self.access_token.as_ref()) {
            Ok(tokens) => match self.check_type(&tokens.token_type) {
                // No header could carry it (RFC 6750, section 2.1).
                Ok(()) if bearer::header(&tokens.access_token).is_none() => {
                    ServiceError::Malformed { status: answer.status() }
                }
                Ok(()) => match self.api_in(&tokens) {
                    Ok(api) => {
                        let path = self.service.subject_in_token.as_ref();
                        let subject =
                            path.and_then(|path| path.identifier(&answer::text(answer.body())));
                        return Ok(Obtained { answer: tokens, subject, api });
                    }
                    Err(()) => ServiceError::Malformed { status: answer.status() },
                },
                Err(error) => error,
            },
            Err(error) => {
                let retry_after = retry_after(answer.headers(), site.env.now());
                self.token_error(answer.status(), retry_after, &error, purpose)
            }
        };
        Err(Error::service(&self.service.name, error))
    }

    /// The origin of the account's API, if the response names it. `Err` if tokens must not be sent
    /// there.
    fn api_in(&self, tokens: &TokenResponse) -> Result<Option<Box<str>>, ()> {
        let Some((member, _)) = &self.spec.api_in_token else { return Ok(None) };
        match tokens.extra.get(&**member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => {
                let origin = self.service.allowed_origin(text).ok_or(())?;
                Ok(Some(origin.origin().ascii_serialization().into()))
            }
            Some(_) => Err(()),
        }
    }

    /// Checks the token type: a client must not use a type that it does not understand (RFC 6749,
    /// section 7.1).
    fn check_type(&self, token_type: &TokenType) -> Result<(), ServiceError> {
        let said = token_type.as_str();
        let mut bearer = self.spec.token_types.split(' ');
        match token_type {
            TokenType::Bearer => Ok(()),
            _ if bearer.any(|known| known.eq_ignore_ascii_case(said)) => Ok(()),
            _ => Err(ServiceError::TokenType { token_type: shown_type(said) }),
        }
    }

    /// The registered code for an error code of the service's own; other codes are unchanged.
    pub(super) fn meaning(&self, code: &ErrorCode) -> ErrorCode {
        let known = self.spec.error_names.iter().find(|(name, _)| **name == *code.as_str());
        known.map_or_else(|| code.clone(), |(_, meaning)| ErrorCode::from(&**meaning))
    }

    /// The error for a failure of the token endpoint.
    fn token_error(
        &self,
        status: StatusCode,
        retry_after: Option<Duration>,
        error: &TokenResponseError,
        purpose: Purpose,
    ) -> ServiceError {
        let unavailable = || ServiceError::Unavailable { status, retry_after };
        match error {
            // An answer about the pace of a device login, which some services send with 429.
            TokenResponseError::Refused { error, .. }
                if purpose == Purpose::PollDevice && is_still_open(&self.meaning(&error.error)) =>
            {
                let error = self.meaning(&error.error);
                ServiceError::TokenRefused { error: ServiceError::shown(error.as_str()) }
            }
            // The body of an overloaded service means nothing.
            TokenResponseError::Refused { .. } | TokenResponseError::Status(_)
                if ServiceError::is_overload(status) =>
            {
                unavailable()
            }
            TokenResponseError::Refused { error, .. } => {
                let said = error.error.as_str();
                let mut refusals = self.spec.refresh_refusals.split(' ');
                if purpose == Purpose::Refresh
                    && (refusals.any(|code| code == said) || ends_refresh_token(said))
                {
                    return ServiceError::TokenRefused { error: "invalid_grant".into() };
                }
                match self.meaning(&error.error) {
                    ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient => {
                        ServiceError::ClientRefused
                    }
                    ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => unavailable(),
                    other => {
                        ServiceError::TokenRefused { error: ServiceError::shown(other.as_str()) }
                    }
                }
            }
            TokenResponseError::Status(StatusCode::UNAUTHORIZED) => ServiceError::ClientRefused,
            _ => {
                warn!(
                    service = &*self.service.name,
                    cause = %error,
                    "a response cannot be used"
                );
                ServiceError::Malformed { status }
            }
        }
    }
}

/// `true` if an error code in response to a refresh means that the refresh token is invalid: nothing
/// else in the request could be.
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

/// `true` if the user of a device login has not decided yet (RFC 8628, section 3.5).
const fn is_still_open(code: &ErrorCode) -> bool {
    matches!(code, ErrorCode::AuthorizationPending | ErrorCode::SlowDown)
}

/// A token type made safe for pages and logs.
fn shown_type(said: &str) -> Box<str> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !said.is_empty() && said.len() <= 40 && said.bytes().all(fit) {
        said.into()
    } else {
        "unreadable".into()
    }
}
