//! The bytes of an entry: when it was loaded, and the account with its token sealed.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::{
    Timestamp,
    consumer::{
        account::{Account, Owner, Stored},
        wire::{Reader, Writer},
    },
};

use super::super::Context;

/// Processes of several versions may share a cache.
const VERSION: u64 = 1;

/// Everything but the subject, to which it is bound, is in the seal: others may write to a cache.
pub(super) fn seal(cx: &Context<'_>, stored: &Stored, since: Timestamp) -> Option<Vec<u8>> {
    let Stored { account, token, version, needs_linking_again } = stored;
    let token = Zeroizing::new(serde_json::to_vec(token).ok()?);
    let since = u64::try_from(since.millis()).ok()?;
    let mut plain = Writer::with_capacity(token.len() + 32);
    plain.number(VERSION).number(since).number(*version).number(u64::from(*needs_linking_again));
    plain.fixed(&token);
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
    let subject = from.text()?.into();
    let account = Account { owner: owner.clone(), service: service.into(), subject };
    let plain = cx.open(&account, from.0).ok()?;
    let mut from = Reader(&plain);
    // A stored token, under the same seal, begins otherwise.
    if from.number()? != VERSION {
        return None;
    }
    let since = Timestamp::from_millis(i64::try_from(from.number()?).ok()?);
    let now = cx.env().now();
    // After a step back of the clock it is not fresh.
    if now < since || now >= since + max_age {
        return None;
    }
    let (version, needs_linking_again) = (from.number()?, from.number()? != 0);
    let token = serde_json::from_slice(from.0).ok()?;
    Some(Stored { account, token, version, needs_linking_again })
}
