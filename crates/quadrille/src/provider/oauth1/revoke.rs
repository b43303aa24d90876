//! The revocation endpoint (RFC 7009), with a signed request.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::{
    guard::SignatureError,
    oauth1::SignedRequest,
    oauth2::RevocationResponse,
    provider::{oauth1::error::CredentialsError, server::Inner, token},
};

use super::{
    verify::{self, Wanted},
    wire,
};

/// Answers a signed request to the revocation endpoint; returns the request if it is not signed. A
/// client revokes the `token` that it names or, if it names none, the one that it signed with.
pub(crate) async fn revoke(
    inner: &Inner,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Request<Bytes>> {
    if !inner.oauth1.is_offered() {
        return Err(request);
    }
    let (parts, body) = request.into_parts();
    if matches!(SignedRequest::read(&parts, &body), Ok(None)) {
        return Err(Request::from_parts(parts, body));
    }
    let request = Request::from_parts(parts, body);
    let said = request.clone();
    Ok(match try_revoke(inner, request).await {
        Ok(()) => RevocationResponse.to_response(),
        Err(error) => wire::error(&error, inner.issuer.origin(), "revocation", said),
    })
}

async fn try_revoke(inner: &Inner, request: Request<Bytes>) -> Result<(), CredentialsError> {
    let (parts, body) = wire::admit(request, &[Method::POST], "POST")?;
    let signed = wire::read(&parts, &body)?;
    let (origin, from) = (inner.issuer.origin(), wire::from(&parts));
    let checked = verify::check(inner, &signed, origin, Wanted::CredentialOrNothing, from).await?;
    signed.check_body(&body)?;
    let token = signed.parameter("token")?.or(signed.token().map(Cow::Borrowed));
    let token = token.ok_or(SignatureError::TokenMissing)?;
    verify::remember(inner, &signed, checked.now).await?;
    Ok(token::revoke::by_client(inner, &checked.client, &token).await?)
}
