//! Signed requests to an API elsewhere, which asks for a verdict on them.

use crate::{
    guard::SignatureError,
    oauth1::{Forwarded, Verdict},
    provider::{
        client::record::Client,
        server::Inner,
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
) -> Result<Verdict, SignatureError> {
    if !inner.oauth1.is_offered() || asker.resource_server.is_none() {
        return Ok(Verdict::Bad(None));
    }
    match check_forwarded(inner, forwarded, token, asker).await {
        Ok(verdict) => Ok(verdict),
        Err(error @ SignatureError::Unavailable) => Err(error),
        Err(reason) => {
            tracing::info!(%reason, asker = &*asker.id, "a signed request elsewhere is refused");
            Ok(Verdict::Bad(reason.problem()))
        }
    }
}

async fn check_forwarded(
    inner: &Inner,
    forwarded: &Forwarded<'_>,
    token: Option<&str>,
    asker: &Client,
) -> Result<Verdict, SignatureError> {
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
        return Ok(Verdict::Bad(None));
    }
    remember(inner, &signed, checked.now).await?;
    Ok(Verdict::Good(Box::new(about(&access, inner.issuer.as_str()))))
}
