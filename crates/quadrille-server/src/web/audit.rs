//! The events of the audit log that pages cause, each with the account and the address. The guide
//! lists them.
//!
//! A typed user name that does not exist may be a password, so it is not logged.

use quadrille::{
    RemoteAddress, Scopes,
    provider::store::{LiveGrant, RowId},
};

use crate::{
    audit::{Event, record},
    meter,
    row_number::RowNumber,
    sessions::Session,
    throttle::Turn,
    users::User,
};

/// An event of this user, in words.
fn of<'a>(
    event: &'static str,
    text: &'static str,
    user: Option<&'a User>,
    address: RemoteAddress,
) -> Event<'a> {
    Event {
        event,
        text,
        account: user.map(|user| user.name.as_str()),
        subject: user.map(|user| &*user.subject),
        address: Some(address.0),
        ..Event::default()
    }
}

/// A user signed in.
pub(super) fn signed_in(user: &User, address: RemoteAddress, is_known: bool) {
    meter::sign_in("ok");
    let event = of("sign_in", "signed in", Some(user), address);
    record(&Event { known_browser: Some(is_known), ..event });
}

/// A client got tokens for a user whose password it saw.
pub(super) fn password_seen(user: &User, address: RemoteAddress, client: &str) {
    meter::sign_in("ok");
    let text = "a client saw the right password of a user";
    record(&Event { client: Some(client), ..of("password_seen", text, Some(user), address) });
}

/// A sign-in failed: the password was wrong, or there is no such user.
pub(super) fn failed(user: Option<&User>, address: RemoteAddress, turn: Turn) {
    meter::sign_in("failed");
    let slowed_down = matches!(turn, Turn::InLine { wait, .. } if !wait.is_zero());
    let text = "a sign-in failed: wrong name or password";
    let event = of("sign_in_failed", text, user, address);
    record(&Event { slowed_down: Some(slowed_down), ..event });
}

/// An attempt was refused without a look at the password: there were too many.
pub(super) fn refused(user: Option<&User>, address: RemoteAddress) {
    meter::sign_in("refused");
    meter::limited("sign_ins");
    let text = "a sign-in was not looked at: too many attempts";
    record(&Event { is_warning: true, ..of("sign_in_refused", text, user, address) });
}

/// A user signed out, in one browser or everywhere.
pub(super) fn signed_out(user: &User, address: RemoteAddress, everywhere: bool) {
    let event = if everywhere { "sign_out_everywhere" } else { "sign_out" };
    record(&of(event, "signed out", Some(user), address));
}

/// A user signed out everywhere but in this browser.
pub(super) fn others_signed_out(user: &User, address: RemoteAddress) {
    record(&of("sign_out_elsewhere", "signed out elsewhere", Some(user), address));
}

/// A user who is signed in typed a wrong password.
pub(super) fn not_verified(user: &User, address: RemoteAddress, turn: Turn) {
    let slowed_down = matches!(turn, Turn::InLine { wait, .. } if !wait.is_zero());
    let text = "a user who is signed in typed a wrong password";
    let event = of("password_check_failed", text, Some(user), address);
    record(&Event { slowed_down: Some(slowed_down), ..event });
}

/// A user changed the password.
pub(super) fn password_changed(user: &User, address: RemoteAddress) {
    record(&of("password_changed", "a user changed the password", Some(user), address));
}

/// A user got a file with all that is known about the user.
pub(super) fn exported(user: &User, address: RemoteAddress) {
    record(&of("account_exported", "a user got a file of the account", Some(user), address));
}

/// A user deleted the account.
pub(super) fn account_deleted(user: &User, address: RemoteAddress) {
    record(&of("account_deleted", "a user deleted the account", Some(user), address));
}

/// A user changed what is known about the user.
pub(super) fn profile_changed(user: &User, address: RemoteAddress) {
    record(&of("profile_changed", "a profile was changed", Some(user), address));
}

/// A user ended one session, from another browser or this one.
pub(super) fn session_ended(user: &User, address: RemoteAddress, session: &Session) {
    let event = of("session_ended", "a session was ended", Some(user), address);
    record(&Event { session: Some(&session.name), ..event });
}

/// A user made a personal access token.
pub(super) fn token_made(
    user: &User,
    address: RemoteAddress,
    (grant, name): (RowId, &str),
    scopes: &Scopes,
) {
    let event = of("token_added", "a personal access token was made", Some(user), address);
    let (token, name, allowed) = (Some(RowNumber(grant)), Some(name), Some(scopes.as_str()));
    record(&Event { token, name, allowed, ..event });
}

/// A user revoked a personal access token.
pub(super) fn token_revoked(user: &User, address: RemoteAddress, token: &LiveGrant) {
    let name = token.grant.details.as_ref().and_then(|details| details.name.as_deref());
    let event = of("token_revoked", "a personal access token was revoked", Some(user), address);
    record(&Event { token: Some(RowNumber(token.grant.id)), name, ..event });
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
    let event = of(event, "an application was answered", Some(user), address);
    record(&Event { client: Some(client), asked: Some(asked), allowed, ..event });
}

/// A user withdrew a consent.
pub(super) fn withdrawn(user: &User, address: RemoteAddress, client: &str) {
    let event = of("consent_withdrawn", "a consent was withdrawn", Some(user), address);
    record(&Event { client: Some(client), ..event });
}
