//! The record of who did what to an account: events of the target `audit`, each with the account and
//! the address. The guide lists them.
//!
//! What was typed as a user name that nobody has may be a password: it is not written down.

use quadrille::RemoteAddress;

use crate::{throttle::Turn, users::User};

/// Somebody signed in.
pub(super) fn signed_in(user: &User, address: RemoteAddress, is_known: bool) {
    tracing::info!(
        target: "audit", event = "sign_in", account = user.name.as_str(), subject = %user.subject,
        address = %address.0, known_browser = is_known, "signed in"
    );
}

/// Somebody failed to: the password was wrong, or there is no such user.
pub(super) fn failed(user: Option<&User>, address: RemoteAddress, turn: Turn) {
    tracing::info!(
        target: "audit", event = "sign_in_failed", account = user.map(|user| user.name.as_str()),
        subject = user.map(|user| &*user.subject), address = %address.0,
        slowed_down = matches!(turn, Turn::InLine { wait, .. } if !wait.is_zero()),
        "a sign-in failed: wrong name or password"
    );
}

/// A password was not looked at, for too many attempts.
pub(super) fn refused(user: Option<&User>, address: RemoteAddress) {
    tracing::warn!(
        target: "audit", event = "sign_in_refused", account = user.map(|user| user.name.as_str()),
        subject = user.map(|user| &*user.subject), address = %address.0,
        "a sign-in was not looked at: too many attempts"
    );
}

/// Somebody signed out, in one browser or everywhere.
pub(super) fn signed_out(user: &User, address: RemoteAddress, everywhere: bool) {
    let event = if everywhere { "sign_out_everywhere" } else { "sign_out" };
    tracing::info!(
        target: "audit", event, account = user.name.as_str(), subject = %user.subject,
        address = %address.0, "signed out"
    );
}

/// Somebody allowed an application what it asked for, or a part, or said no.
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

/// Somebody took back what they had allowed an application.
pub(super) fn withdrawn(user: &User, address: RemoteAddress, client: &str) {
    tracing::info!(
        target: "audit", event = "consent_withdrawn", account = user.name.as_str(),
        subject = %user.subject, address = %address.0, client, "a consent was withdrawn"
    );
}
