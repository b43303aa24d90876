//! Requests to the two endpoints as they come in, and refusals.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header, request::Parts};

use crate::{
    oauth1::{Challenge, Problem, SignedRequest},
    provider::{
        guessing::throttle::RemoteAddress,
        refusal::log_signed,
        wire::{BODY_LIMIT, Unread},
    },
};

use super::OAuth1Error;

/// What secrets are sealed for.
pub(super) const CLIENT: &str = "provider oauth1 client";
pub(super) const TEMPORARY: &str = "provider oauth1 temporary";
pub(super) const TOKEN: &str = "provider oauth1 token";

/// Refuses other methods than these, and bodies that are too long.
pub(super) fn admit(
    request: Request<Bytes>,
    methods: &[Method],
    names: &'static str,
) -> Result<(Parts, Bytes), OAuth1Error> {
    let (parts, body) = request.into_parts();
    if !methods.contains(&parts.method) {
        return Err(OAuth1Error::Method(names));
    }
    if parts.extensions.get::<Unread>().is_some() || body.len() > BODY_LIMIT {
        return Err(OAuth1Error::BodyTooLong);
    }
    Ok((parts, body))
}

/// The request as it was signed.
pub(super) fn read<'r>(parts: &'r Parts, body: &'r [u8]) -> Result<SignedRequest<'r>, OAuth1Error> {
    SignedRequest::read(parts, body)?.ok_or(OAuth1Error::Unsigned)
}

/// Where the request came from.
pub(super) fn from(parts: &Parts) -> Option<RemoteAddress> {
    parts.extensions.get().copied()
}

/// A refusal of `said`, the reason into the log.
pub(super) fn error(
    error: &OAuth1Error,
    realm: &str,
    endpoint: &'static str,
    said: Request<Bytes>,
) -> Response<Bytes> {
    let (parts, body) = said.into_parts();
    log_signed(endpoint, error, &parts, &body);
    refusal(error, realm)
}

/// What is answered to a request that is refused.
pub(crate) fn refusal(error: &OAuth1Error, realm: &str) -> Response<Bytes> {
    let mut response = challenge(error, realm).to_response();
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    match error {
        OAuth1Error::Method(allowed) => {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        OAuth1Error::Throttled(wait) | OAuth1Error::TooManyRequests(wait) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        OAuth1Error::Unavailable | OAuth1Error::ByIssuer(Problem::ConsumerKeyRateExceeded) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => return response,
    }
    headers.remove(header::WWW_AUTHENTICATE);
    response
}

/// What the client is told, with the parameter that was missing or wrong.
fn challenge(error: &OAuth1Error, realm: &str) -> Challenge {
    let challenge = Challenge::new(realm);
    let Some(problem) = error.problem() else { return challenge };
    let challenge = challenge.problem(problem);
    match (problem, error.parameter()) {
        (Problem::ParameterAbsent, Some(name)) => challenge.extra("oauth_parameters_absent", name),
        (Problem::ParameterRejected, Some(name)) => {
            challenge.extra("oauth_parameters_rejected", name)
        }
        _ => challenge,
    }
}
