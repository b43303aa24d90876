//! The audit log: events of the target `audit`, each with the account and the address. The guide
//! lists them.
//!
//! A typed user name that does not exist may be a password, so it is not logged.

use quadrille::{RemoteAddress, provider::store::LiveGrant};

use crate::{meter, sessions::Session, throttle::Turn, users::User};

/// A user signed in.
pub(super) fn signed_in(user: &User, address: RemoteAddress, is_known: bool) {
    meter::sign_in("ok");
    tracing::info!(
        target: "audit", event = "sign_in", account = user.name.as_str(), subject = %user.subject,
        address = %address.0, known_browser = is_known, "signed in"
    );
}

/// A client got tokens for a user whose password it saw.
pub(super) fn password_seen(user: &User, address: RemoteAddress, client: &str) {
    meter::sign_in("ok");
    tracing::info!(
        target: "audit", event = "password_seen", account = user.name.as_str(),
        subject = %user.subject, address = %address.0, client,
        "a client saw the right password of a user"
    );
}

/// A sign-in failed: the password was wrong, or there is no such user.
pub(super) fn failed(user: Option<&User>, address: RemoteAddress, turn: Turn) {
    meter::sign_in("failed");
    tracing::info!(
        target: "audit", event = "sign_in_failed", account = user.map(|user| user.name.as_str()),
        subject = user.map(|user| &*user.subject), address = %address.0,
        slowed_down = matches!(turn, Turn::InLine { wait, .. } if !wait.is_zero()),
        "a sign-in failed: wrong name or password"
    );
}

/// An attempt was refused without a look at the password: there were too many.
pub(super) fn refused(user: Option<&User>, address: RemoteAddress) {
    meter::sign_in("refused");
    meter::limited("sign_ins");
    tracing::warn!(
        target: "audit", event = "sign_in_refused", account = user.map(|user| user.name.as_str()),
        subject = user.map(|user| &*user.subject), address = %address.0,
        "a sign-in was not looked at: too many attempts"
    );
}

/// A user signed out, in one browser or everywhere.
pub(super) fn signed_out(user: &User, address: RemoteAddress, everywhere: bool) {
    let event = if everywhere { "sign_out_everywhere" } else { "sign_out" };
    tracing::info!(
        target: "audit", event, account = user.name.as_str(), subject = %user.subject,
        address = %address.0, "signed out"
    );
}

/// A user ended one session, from another browser or this one.
pub(super) fn session_ended(user: &User, address: RemoteAddress, session: &Session) {
    tracing::info!(
        target: "audit", event = "session_ended", account = user.name.as_str(),
        subject = %user.subject, address = %address.0, session = session.short_id(),
        "a session was ended"
    );
}

/// A user revoked a personal access token.
pub(super) fn token_revoked(user: &User, address: RemoteAddress, token: &LiveGrant) {
    let name = token.grant.details.as_ref().and_then(|details| details.name.as_deref());
    tracing::info!(
        target: "audit", event = "token_revoked", account = user.name.as_str(),
        subject = %user.subject, address = %address.0, token = token.grant.id.0, name,
        "a personal access token was revoked"
    );
}

/// A user allowed all or some of the scopes that a client requested, or denied them.
pub(super) fn answered(
    user: &User,
    address: RemoteAddress,
    client: &str,
    asked: &str,
    allowed: Option<&str>,
) {
    let event = if allowed.is_some() { "consent_given" } else { "consent_denied" };
    tracing::info!(
        target: "audit", event, account = user.name.as_str(), subject = %user.subject,
        address = %address.0, client, asked, allowed, "an application was answered"
    );
}

/// A user withdrew a consent.
pub(super) fn withdrawn(user: &User, address: RemoteAddress, client: &str) {
    tracing::info!(
        target: "audit", event = "consent_withdrawn", account = user.name.as_str(),
        subject = %user.subject, address = %address.0, client, "a consent was withdrawn"
    );
}
