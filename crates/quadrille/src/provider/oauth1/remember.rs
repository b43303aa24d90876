//! The memory of signed requests (RFC 5849, section 3.3): none is accepted twice.

use crate::{
    Timestamp,
    guard::SignatureError,
    oauth1::SignedRequest,
    provider::{error::Error, server::Inner},
};

use super::{
    nonces::{self, Once, Seen},
    seconds::{NONCE, is_ours},
};

/// Remembers a request, so that it is not accepted twice. Its signature must be valid. `now` is the
/// time of its check.
pub(crate) async fn remember(
    inner: &Inner,
    signed: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let (Some(timestamp), Some(nonce)) = (signed.timestamp(), signed.nonce()) else {
        return Ok(());
    };
    let seen = Seen {
        client: signed.client(),
        token: signed.token(),
        timestamp: timestamp.seconds(),
        nonce,
    };
    let once = if !is_ours(inner, seen, now).await? {
        Once::Earlier
    } else if inner.oauth1.shares_nonces {
        remember_in_the_store(inner, seen, now).await?
    } else {
        inner.shared.nonces.remember(seen, now, &inner.oauth1)
    };
    match once {
        Once::First => Ok(()),
        Once::Again => Err(SignatureError::NonceUsed),
        Once::Late => Err(SignatureError::TimestampOld),
        Once::Earlier => Err(SignatureError::TimestampBeforeStart),
        Once::Full { wait, is_new } => {
            if is_new {
                let client = seen.client;
                tracing::warn!(client, "a client has reached its share of signed requests");
            }
            Err(SignatureError::TooManyRequests(wait))
        }
    }
}

async fn remember_in_the_store(
    inner: &Inner,
    seen: Seen<'_>,
    now: Timestamp,
) -> Result<Once, SignatureError> {
    let nonces = &inner.shared.nonces;
    if let Err(full) = nonces.count(seen, now, &inner.oauth1) {
        return Ok(full);
    }
    let passes_until = Timestamp::from_seconds(seen.timestamp) + inner.oauth1.window;
    let issuer = inner.issuer_id().await?;
    let first =
        inner.store.remember_once(issuer, NONCE, seen.key(), passes_until + nonces::MARGIN).await;
    let once = match first {
        // A request that waited longer may have been forgotten meanwhile, also by a process whose
        // clock is ahead.
        Ok(true) if inner.now() > passes_until + nonces::MARGIN / 2 => Once::Late,
        Ok(true) => return Ok(Once::First),
        Ok(false) => Once::Again,
        Err(error) => {
            nonces.uncount(seen);
            return Err(Error::from(error).into());
        }
    };
    nonces.uncount(seen);
    Ok(once)
}
