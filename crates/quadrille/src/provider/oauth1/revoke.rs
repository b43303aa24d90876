//! The revocation endpoint (RFC 7009), with a signed request.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    guard::SignatureError,
    oauth1::SignedRequest,
    oauth2::RevocationResponse,
    provider::{oauth1::error::CredentialsError, server::Inner, token},
};

use super::{
    remember::remember,
    verify::{self, Wanted},
    wire,
};

/// `true` if a request to the revocation endpoint is signed.
pub(crate) fn is_signed(inner: &Inner, request: &Request<Bytes>) -> bool {
    let (parts, body) = request.clone().into_parts();
    inner.oauth1.is_offered() && !matches!(SignedRequest::read(&parts, &body), Ok(None))
}

/// Answers a signed request to the revocation endpoint. A client ends the `token` that it names or,
/// where it names none, the one that it signed with.
pub(crate) async fn answer(inner: &Inner, request: Request<Bytes>) -> Response<Bytes> {
    let said = request.clone();
    match revoke(inner, request).await {
        Ok(()) => RevocationResponse.to_response(),
        Err(error) => wire::error(&error, inner.issuer.origin(), "revocation", said),
    }
}

async fn revoke(inner: &Inner, request: Request<Bytes>) -> Result<(), CredentialsError> {
    let (parts, body) = request.into_parts();
    let signed = wire::read(&parts, &body)?;
    let (origin, from) = (inner.issuer.origin(), inner.address_of(&parts.extensions));
    let checked = verify::check(inner, &signed, origin, Wanted::CredentialOrNothing, from).await?;
    signed.check_body(&body)?;
    let token = signed.parameter("token")?.or(signed.token().map(Cow::Borrowed));
    let token = token.ok_or(SignatureError::TokenMissing)?;
    remember(inner, &signed, checked.now).await?;
    Ok(token::revoke::by_client(inner, &checked.client, &token).await?)
}
