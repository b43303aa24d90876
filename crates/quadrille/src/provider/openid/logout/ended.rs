//! The sessions that ended: a code from before the logout brings no token after it.

use std::time::Duration;

use crate::{
    Timestamp,
    actor::Authentication,
    provider::{error::Error, server::Inner, store::SecretHash, token::format::sha256},
};

/// The space of [`OnceKeys::remember_once`](crate::provider::store::OnceKeys::remember_once).
const SPACE: &str = "ended_session";

/// The time for which an end is remembered, at least: longer than codes live.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Remembers that a session has ended, on a server that offers logout.
pub(super) async fn remember(inner: &Inner, ended: &Authentication) -> Result<(), Error> {
    if has_logout(inner) {
        let until = inner.now() + LONGEST.max(inner.policy.code_lifetime);
        let issuer = inner.issuer_id().await?;
        inner.store.remember_once(issuer, SPACE, mark(ended), until).await?;
    }
    Ok(())
}

/// `true` if the session of a grant has ended since.
pub(in crate::provider) async fn has_ended(
    inner: &Inner,
    granted: Option<&Authentication>,
) -> Result<bool, Error> {
    let Some(granted) = granted.filter(|_| has_logout(inner)) else { return Ok(false) };
    // With an expiry in the past it is a look-up.
    let past = Timestamp::default();
    let issuer = inner.issuer_id().await?;
    Ok(!inner.store.remember_once(issuer, SPACE, mark(granted), past).await?)
}

fn has_logout(inner: &Inner) -> bool {
    inner.openid.as_ref().is_some_and(|openid| openid.logout.is_some())
}

/// The mark of a session, with its user. Without sessions, a sign-in is told by its time.
pub(in crate::provider) fn mark(user: &Authentication) -> SecretHash {
    let time = user.auth_time.seconds().to_string();
    let session = user.session.as_deref().unwrap_or(&time);
    sha256([&*user.subject, session].join("\n").as_bytes())
}
