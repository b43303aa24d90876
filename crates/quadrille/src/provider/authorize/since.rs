//! The note that this server sent a user to sign in for a request, which comes back with the user.

use crate::{
    Timestamp,
    form::FormWriter,
    provider::{clock::is_recent, server::Inner},
};

use super::next::{Before, Sent};

/// The parameter of the way back from the sign-in page.
pub(super) const SINCE: &str = "quadrille_since";

/// The mark of a user who was not signed in.
const NOBODY: i64 = i64::MIN;

/// The text that a note is bound to: a note for one request says nothing about another.
fn note_for(inner: &Inner, same: &FormWriter) -> String {
    [inner.issuer.as_str(), " ", &same.clone().finish()].concat()
}

/// The note for a request.
pub(super) fn seal(inner: &Inner, same: &FormWriter, sent: Sent) -> String {
    let before = sent.before.map_or(NOBODY, |before| before.time.millis());
    let session = sent.before.and_then(|before| before.session);
    let times = [sent.at.millis().to_be_bytes(), before.to_be_bytes()].concat();
    let plain = [&*times, session.as_ref().map_or(&[], |hash| &hash[..])].concat();
    inner.ring.seal(&inner.env, SINCE, &note_for(inner, same), &plain)
}

/// The note of a request, if it is recent enough to be for this one.
pub(super) fn open(inner: &Inner, same: &FormWriter, sealed: &str) -> Option<Sent> {
    let plain = inner.ring.open(SINCE, &note_for(inner, same), sealed).ok()?;
    let (at, rest) = plain.split_first_chunk()?;
    let (before, session) = rest.split_first_chunk()?;
    let at = Timestamp::from_millis(i64::from_be_bytes(*at));
    let before = i64::from_be_bytes(*before);
    let time = Timestamp::from_millis(before);
    let before = Before { time, session: session.try_into().ok() };
    let before = (before.time.millis() != NOBODY).then_some(before);
    is_recent(inner.now(), at, inner.policy.ticket_lifetime).then_some(Sent { at, before })
}
