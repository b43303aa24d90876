//! Signed requests to an API elsewhere, which asks for a verdict on them.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use crate::{
    guard::SignatureError,
    oauth1::{Forwarded, Verdict},
    provider::{
        client::record::Client,
        server::Inner,
        store::AccessRecord,
        token::disclosure::{about, is_meant_for},
    },
};

use super::{
    guard::for_itself,
    remember::remember,
    verify::{self, CheckedToken, Wanted},
    wire,
};

/// Judges a request, with this token or without one, that `asker` received. The nonce of a valid one is remembered,
/// because the asker accepts the request. The asker checks the body of a request unless it is a
/// form.
///
/// # Errors
/// [`SignatureError::Unavailable`]; a fault of the request is a verdict.
pub(crate) async fn judge(
    inner: &Inner,
    forwarded: &Forwarded<'_>,
    token: Option<&str>,
    asker: &Client,
) -> Result<Response<Bytes>, SignatureError> {
    if !inner.oauth1.is_offered() || asker.resource_server.is_none() {
        return Ok(Verdict::Bad(None).to_response());
    }
    let access = check_forwarded(inner, forwarded, token, asker).await;
    let verdict = match &access {
        Ok(Some(access)) => Verdict::Good(about(access, inner.issuer.as_str())),
        Ok(None) => Verdict::Bad(None),
        Err(error @ SignatureError::Unavailable) => return Err(*error),
        Err(reason) => {
            tracing::info!(%reason, asker = &*asker.id, "a signed request elsewhere is refused");
            Verdict::Bad(reason.problem())
        }
    };
    Ok(verdict.to_response())
}

/// The meaning of a request that `asker` received; `None` if `asker` may not know it.
async fn check_forwarded(
    inner: &Inner,
    forwarded: &Forwarded<'_>,
    token: Option<&str>,
    asker: &Client,
) -> Result<Option<Arc<AccessRecord>>, SignatureError> {
    let (parts, form, origin) = forwarded.to_request().ok_or(SignatureError::Unsigned)?;
    let signed = wire::read(&parts, &form)?;
    if signed.token() != token {
        return Err(SignatureError::TokenUnknown);
    }
    // Only the asker knows the client's address.
    let checked = verify::check(inner, &signed, &origin, Wanted::CredentialOrNothing, None).await?;
    // An API that asks about a request without a token accepts clients that act for themselves.
    let access = match &checked.token {
        CheckedToken::Credential(held) => held.access.clone(),
        _ => for_itself(inner, &checked.client)?,
    };
    if !is_meant_for(asker, &access.grant) {
        return Ok(None);
    }
    remember(inner, &signed, checked.now).await?;
    Ok(Some(access))
}
