//! Requests to the two endpoints as they arrive, and refusals.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header, request::Parts};

use crate::{
    RemoteAddress,
    guard::{BODY_LIMIT, SignatureError, challenge, log},
    oauth1::SignedRequest,
    provider::wire::Unread,
};

use super::CredentialsError;

/// The purposes for which secrets are sealed.
pub(super) const CLIENT: &str = "provider oauth1 client";
pub(super) const TEMPORARY: &str = "provider oauth1 temporary";
pub(super) const TOKEN: &str = "provider oauth1 token";

/// Refuses other methods than `methods`, and bodies that are too long.
pub(super) fn admit(
    request: Request<Bytes>,
    methods: &[Method],
    names: &'static str,
) -> Result<(Parts, Bytes), CredentialsError> {
    let (parts, body) = request.into_parts();
    if !methods.contains(&parts.method) {
        return Err(CredentialsError::Method(names));
    }
    if parts.extensions.get::<Unread>().is_some() || body.len() > BODY_LIMIT {
        return Err(SignatureError::BodyTooLong.into());
    }
    Ok((parts, body))
}

/// The signed request.
pub(super) fn read<'r>(
    parts: &'r Parts,
    body: &'r [u8],
) -> Result<SignedRequest<'r>, SignatureError> {
    SignedRequest::read(parts, body)?.ok_or(SignatureError::Unsigned)
}

/// The address of the client.
pub(super) fn from(parts: &Parts) -> Option<RemoteAddress> {
    parts.extensions.get().copied()
}

/// The refusal of a request. The reason is logged.
pub(super) fn error(
    error: &CredentialsError,
    realm: &str,
    endpoint: &'static str,
    said: Request<Bytes>,
) -> Response<Bytes> {
    let (parts, body) = said.into_parts();
    let is_operator = *error == SignatureError::Unavailable.into();
    log::signed(endpoint, error, is_operator, error.blamed(), &parts, &body);
    if let CredentialsError::Signature(error) = error {
        return error.to_response(realm);
    }
    let challenge = challenge(realm, error.problem(), error.parameter());
    let mut response = challenge.to_response();
    *response.status_mut() = error.status();
    if let CredentialsError::Method(allowed) = error {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    response
}
