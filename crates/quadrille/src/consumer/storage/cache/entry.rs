//! The bytes of an entry: when it was loaded, and the account with its token sealed.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::{
    Timestamp,
    consumer::{
        account::{Owner, Stored},
        wire::{Reader, Writer},
    },
};

use super::super::{
    Context,
    encoding::{CACHE_ENTRY, read_token, write_token},
};

/// Everything but the subject, to which it is bound, is in the seal: others may write to a cache.
pub(super) fn seal(cx: &Context<'_>, stored: &Stored, since: Timestamp) -> Option<Vec<u8>> {
    let Stored { account, token, version, needs_linking_again } = stored;
    let since = u64::try_from(since.millis()).ok()?;
    let mut plain = Writer::with_capacity(256);
    plain
        .number(CACHE_ENTRY)
        .number(since)
        .number(*version)
        .number(u64::from(*needs_linking_again));
    write_token(&mut plain, token);
    let sealed = cx.seal(account, &Zeroizing::new(plain.finish()));
    let mut out = Writer::with_capacity(sealed.len() + 64);
    out.text(&account.subject).fixed(&sealed);
    Some(out.finish())
}

/// `None` if it is too old, or of another version, or does not open: it may be sealed under a key
/// that is gone.
pub(super) fn open(
    cx: &Context<'_>,
    owner: &Owner,
    service: &str,
    entry: &[u8],
    max_age: Duration,
) -> Option<Stored> {
    let mut from = Reader(entry);
    let account = cx.account(owner, service, from.text()?);
    let plain = cx.open(&account, from.0).ok()?;
    let mut from = Reader(&plain);
    // Processes of several versions may share a cache.
    if from.number()? != CACHE_ENTRY {
        return None;
    }
    let since = Timestamp::from_millis(i64::try_from(from.number()?).ok()?);
    let now = cx.env().now();
    // After a step back of the clock it is not fresh.
    if now < since || now >= since + max_age {
        return None;
    }
    let (version, needs_linking_again) = (from.number()?, from.number()? != 0);
    let token = read_token(&mut from)?;
    Some(Stored { account, token, version, needs_linking_again })
}
