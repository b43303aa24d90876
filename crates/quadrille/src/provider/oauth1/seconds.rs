//! Requests that an earlier process may have accepted, if its memory ended with it, or if it
//! remembered elsewhere.
//!
//! A process that remembers in memory refuses requests signed before its start. But a client whose
//! clock is ahead signs for seconds to come, which become valid after the start. So each second of
//! a client that is ahead of the clock, or less than a window after the start, belongs to the
//! process that accepts its first request: the store knows the taken seconds, and nothing of the
//! requests. A client whose clock is right costs the store nothing but a write each second for a
//! window after each start.
//!
//! Processes that remember in the store share their seconds, and no start counts. They, too, mark
//! the seconds that are ahead, for a process that later remembers in memory. Such a process marks
//! the blocks of time in which it accepts requests, so that its successors know which requests the
//! store does not.

use crate::{
    Timestamp,
    provider::{error::Error, server::Inner},
};

use super::nonces::{MARGIN, Seen};

/// Requests that processes which share the store have accepted.
pub(super) const NONCE: &str = "oauth1";
/// Seconds of clients that belong to a process with its own memory.
const OWN: &str = "oauth1 second";
/// Seconds of clients that were ahead of the clock of processes that remember in the store.
const SHARED: &str = "oauth1 shared second";
/// Blocks of time in which a process with its own memory accepted requests.
const ALONE: &str = "oauth1 alone";

/// A block has this many bits of seconds.
const BLOCK_BITS: u32 = 6;

/// `true` if no earlier process can have accepted this request without the knowledge of this one.
/// `now` is the time of the check.
pub(super) async fn is_ours(inner: &Inner, seen: Seen<'_>, now: Timestamp) -> Result<bool, Error> {
    // If the store ends with its process, clients and tokens do so, too.
    if !inner.store.is_cacheable() {
        return Ok(true);
    }
    match inner.oauth1.shares_nonces {
        true => is_known_to_the_store(inner, seen, now).await,
        false => is_known_in_memory(inner, seen, now).await,
    }
}

/// For a process with its own memory.
async fn is_known_in_memory(inner: &Inner, seen: Seen<'_>, now: Timestamp) -> Result<bool, Error> {
    let (seconds, window) = (&inner.shared.seconds, inner.oauth1.window);
    let oldest = (now - window).seconds();
    let (block, ends) = block(seen);
    let marked = seconds.blocks.answer(ends, "", oldest);
    marked.get_or_try_init(|| take(inner, ALONE, block, ends)).await?;
    let start = start(inner, now).await?;
    if seen.timestamp <= now.seconds() && seen.timestamp > (start + window).seconds() {
        return Ok(true);
    }
    let answer = seconds.clients.answer(seen.timestamp, seen.client, oldest);
    let ask = || async {
        let second = second(seen);
        Ok::<_, Error>(
            take(inner, OWN, second, seen.timestamp).await?
                && is_free(inner, SHARED, second).await?,
        )
    };
    if !*answer.get_or_try_init(ask).await? {
        return Ok(false);
    }
    // In the second of its start, the store may know the request itself.
    Ok(seen.timestamp > start.seconds() || is_free(inner, NONCE, seen).await?)
}

/// For one of several processes that remember in the store.
async fn is_known_to_the_store(
    inner: &Inner,
    seen: Seen<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let seconds = &inner.shared.seconds;
    let oldest = (now - inner.oauth1.window).seconds();
    let (block, ends) = block(seen);
    let answer = seconds.blocks.answer(ends, "", oldest);
    let was_alone = !*answer.get_or_try_init(|| is_free(inner, ALONE, block)).await?;
    if was_alone && seen.timestamp <= start(inner, now).await?.seconds() {
        return Ok(false);
    }
    if !was_alone && seen.timestamp <= now.seconds() {
        return Ok(true);
    }
    let answer = seconds.clients.answer(seen.timestamp, seen.client, oldest);
    let ask = || async {
        let second = second(seen);
        take(inner, SHARED, second, seen.timestamp).await?;
        Ok::<_, Error>(!was_alone || is_free(inner, OWN, second).await?)
    };
    Ok(*answer.get_or_try_init(ask).await?)
}

/// The start of this process, by the clock as it is `now`.
pub(super) async fn start(inner: &Inner, now: Timestamp) -> Result<Timestamp, Error> {
    inner.shared.start.at(&inner.env, &*inner.store, inner.oauth1.window, now).await
}

/// The second of a client.
fn second(seen: Seen<'_>) -> Seen<'_> {
    Seen { token: None, nonce: "", ..seen }
}

/// The block of a request, of whatever client, and its last second.
fn block(seen: Seen<'_>) -> (Seen<'static>, i64) {
    let number = seen.timestamp >> BLOCK_BITS;
    let block = Seen { client: "", token: None, nonce: "", timestamp: number };
    (block, ((number + 1) << BLOCK_BITS) - 1)
}

/// Marks a second or block that ends in this second. `true` if it was not marked.
async fn take(
    inner: &Inner,
    space: &'static str,
    what: Seen<'_>,
    ends: i64,
) -> Result<bool, Error> {
    let issuer = inner.issuer_id().await?;
    let ends = Timestamp::from_seconds(ends) + inner.oauth1.window + MARGIN;
    Ok(inner.store.remember_once(issuer, space, what.key(), ends).await?)
}

/// `true` if a second or block is not marked.
async fn is_free(inner: &Inner, space: &'static str, what: Seen<'_>) -> Result<bool, Error> {
    let issuer = inner.issuer_id().await?;
    let past = Timestamp::default();
    Ok(inner.store.remember_once(issuer, space, what.key(), past).await?)
}
