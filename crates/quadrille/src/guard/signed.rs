//! Signed requests at an API (RFC 5849, section 3), with the body that a layer read.

use http::request::Parts;

use crate::oauth1::SignedRequest;

#[cfg(feature = "axum")]
use super::lazy::Lazy;
use super::{
    body::{BodyRead, Seen},
    signature::SignatureError,
};

/// Reads a signed request with its body; `None` if it is not signed.
///
/// # Errors
/// [`SignatureError`], also if the signature covers a body that no layer read.
pub(crate) fn read_signed<'r>(
    parts: &'r Parts,
    body: Seen<'r>,
) -> Result<Option<(SignedRequest<'r>, &'r [u8])>, SignatureError> {
    let known = match &body {
        Some(Ok(body)) => body,
        Some(Err(_)) | None => &[][..],
    };
    let Some(signed) = SignedRequest::read(parts, known)? else { return Ok(None) };
    match body {
        Some(body) => Ok(Some((signed, body?))),
        None if signed.depends_on_the_body() => {
            tracing::error!("the body of a signed request was not read before it was checked");
            Err(SignatureError::Unavailable)
        }
        None => Ok(Some((signed, &[]))),
    }
}

/// The body that a layer read, or found to be empty; `None` if none did.
pub(crate) fn body_of(parts: &Parts) -> Seen<'_> {
    if let Some(BodyRead(body)) = parts.extensions.get() {
        return Some(body.as_deref().map_err(|error| *error));
    }
    #[cfg(feature = "axum")]
    if parts.extensions.get::<Lazy>().is_some_and(|lazy| lazy.has_no_body) {
        return Some(Ok(&[]));
    }
    None
}
