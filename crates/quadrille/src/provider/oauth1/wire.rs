//! Requests to the two endpoints as they arrive, and refusals.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header, request::Parts};

use crate::{
    guard::{SignatureError, challenge, log},
    oauth1::{Credentials, Problem, SignedRequest},
};

use super::CredentialsError;
use crate::provider::meter;

/// The signed request.
pub(super) fn read<'r>(
    parts: &'r Parts,
    body: &'r [u8],
) -> Result<SignedRequest<'r>, SignatureError> {
    SignedRequest::read(parts, body)?.ok_or(SignatureError::Unsigned)
}

/// The answer to a request: the credentials, or a refusal whose reason is logged.
pub(super) fn answer(
    issued: Result<Credentials, CredentialsError>,
    realm: &str,
    endpoint: &'static str,
    said: Request<Bytes>,
) -> Response<Bytes> {
    match issued {
        Ok(credentials) => credentials.to_response(),
        Err(reason) => error(&reason, realm, endpoint, said),
    }
}

/// The refusal of a request. The reason is logged.
pub(crate) fn error(
    error: &CredentialsError,
    realm: &str,
    endpoint: &'static str,
    said: Request<Bytes>,
) -> Response<Bytes> {
    let (parts, body) = said.into_parts();
    let is_operator = *error == SignatureError::Unavailable.into();
    let is_known = error.is_of_known_client();
    log::signed(endpoint, error, is_operator, is_known, error.blamed(), &parts, &body);
    if let CredentialsError::Signature(
        SignatureError::Throttled(_) | SignatureError::TooManyRequests(_),
    ) = error
    {
        meter::limited("signed_requests");
    }
    let mut response = match error {
        CredentialsError::Signature(error) => error.to_response(realm),
        _ => {
            let challenge = challenge(realm, error.problem(), error.parameter());
            let mut response = challenge.to_response();
            *response.status_mut() = error.status();
            response
        }
    };
    meter::note(&mut response, error.problem().map_or("invalid_request", Problem::as_str));
    if let CredentialsError::Method(allowed) = error {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    response
}
