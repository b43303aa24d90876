//! One request to a token endpoint, and what its failures mean.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    error::{Error, NetworkFault, OperatorFault, Result, ServiceFault},
    oauth2::{ErrorCode, TokenRequest, TokenResponse, TokenResponseError},
    quirks,
};

use super::{
    api::USER_AGENT,
    http::Purpose,
    login::{Login, Ready, Registered},
};

/// What a token endpoint may answer at most.
const ANSWER_LIMIT: usize = 256 * 1024;
/// How long a token endpoint may take.
const DEADLINE: Duration = Duration::from_secs(10);

impl Login {
    pub(crate) async fn ask_for_token(
        &self,
        ready: &Ready,
        registered: &Arc<Registered>,
        request: &TokenRequest<'_>,
        purpose: Purpose,
    ) -> Result<TokenResponse> {
        let malformed = || OperatorFault::EndpointMalformed { service: (*registered.name).into() };
        let request = request
            .to_request(&registered.spec.token, &registered.auth, &[])
            .map_err(|_| malformed())?;
        let (mut parts, body) = request.into_parts();
        parts.headers.entry(http::header::USER_AGENT).or_insert(USER_AGENT);
        let request = http::Request::from_parts(parts, body.into());
        let service = &registered.name;
        let asking = async {
            let answer = ready
                .http
                .send(request, purpose)
                .await
                .map_err(|fault| Error::Network { service: Arc::clone(service), fault })?;
            let (parts, body) = answer.into_parts();
            let body = body.collect(ANSWER_LIMIT).await.map_err(|error| error.at(service))?;
            Ok(Response::from_parts(parts, body))
        };
        let answer: Response<Bytes> =
            tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| {
                Err(Error::Network { service: Arc::clone(service), fault: NetworkFault::TimedOut })
            })?;
        let separator = registered.spec.granted_scope_separator;
        TokenResponse::parse(&answer, separator)
            .map_err(|error| Error::service(service, token_fault(&answer, &error)))
    }
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
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                ServiceFault::Unavailable { status }
            }
            other => ServiceFault::TokenRefused { error: short(other) },
        },
        TokenResponseError::Status(status)
            if *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() =>
        {
            ServiceFault::Unavailable { status: *status }
        }
        TokenResponseError::Status(StatusCode::UNAUTHORIZED) => ServiceFault::ClientRefused,
        _ => ServiceFault::Malformed { status },
    }
}

/// An error code, if it looks like one: it goes to pages and logs, and a service that is out of
/// order may put anything there.
pub(crate) fn short(code: &ErrorCode) -> Box<str> {
    let code = code.as_str();
    let fit = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if fit && code.len() <= 40 { code.into() } else { "unreadable".into() }
}
