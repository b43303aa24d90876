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
    let once = mark(inner, seen).await;
    if !matches!(once, Ok(Once::First)) {
        nonces.uncount(seen);
    }
    Ok(once?)
}

async fn mark(inner: &Inner, seen: Seen<'_>) -> Result<Once, Error> {
    let (timestamp, window) = (Timestamp::from_seconds(seen.timestamp), inner.oauth1.window);
    let passes_until = timestamp + window;
    let (issuer, expires) = (inner.issuer_id().await?, passes_until + nonces::MARGIN);
    Ok(match inner.store.remember_once(issuer, NONCE, seen.key(), expires).await? {
        // A request that waited longer may have been forgotten meanwhile, also by a process whose
        // clock is ahead.
        true if inner.now() > passes_until + nonces::MARGIN / 2 => Once::Late,
        // A client whose clock is ahead may have used it a window before.
        true if !inner.store.keys_known_since().await?.knows(timestamp - window) => Once::Earlier,
        true => Once::First,
        false => Once::Again,
    })
}
