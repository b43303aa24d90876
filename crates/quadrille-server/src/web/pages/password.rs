//! The page on which a user changes the password.

use axum::{
    body::Body,
    extract::{OriginalUri, State},
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::{Secret, provider::guessing::KdfError};
use serde::Deserialize;

use crate::{
    data::PasswordChange,
    users::{PasswordError, check_password, prepared},
};

use super::{
    super::{
        account_form::{AccountForm, Sealed},
        app::App,
        audit,
        cookies::Cookie,
        forms::Purpose,
        passwords::AGAIN,
    },
    proof::{Again, Trouble},
    sign_in::BUSY,
};

const PAGE: &str = "password.html";

/// The fields of the form.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Change {
    #[serde(default)]
    form: String,
    /// The password until now.
    #[serde(default)]
    password: Secret,
    #[serde(default)]
    new: Secret,
    /// The new one once more.
    #[serde(default)]
    again: Secret,
}

impl Sealed for Change {
    fn seal(&self) -> &str {
        &self.form
    }
}

const CHOOSE_ANOTHER: &str = "password-another-title";

/// The trouble with a new password, if there is some.
fn trouble(form: &Change) -> Option<Trouble> {
    if form.new != form.again {
        return Some(Trouble::of("password-differ", "password-differ-title", "again"));
    }
    let of = |key| Trouble::of(key, CHOOSE_ANOTHER, "new");
    // An empty field is no password, and has a text of its own.
    if !form.new.is_empty() && prepared(&form.new) == prepared(&form.password) {
        return Some(of("password-same"));
    }
    Some(match check_password(&form.new) {
        Ok(()) => return None,
        Err(PasswordError::TooShort { least }) => {
            Trouble { least: Some(least), ..of("password-too-short") }
        }
        Err(PasswordError::Common) => of("password-common"),
        Err(PasswordError::TooLong { most }) => {
            Trouble { most: Some(most), ..of("password-too-long") }
        }
    })
}

/// `GET /password`
pub(in crate::web) async fn page(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response<Body> {
    app.proof_page(PAGE, &headers, &uri).await
}

/// The path by which password managers find the page, for the whole host: "A Well-Known URL for Changing
/// Passwords".
pub(in crate::web) const WELL_KNOWN: &str = "/.well-known/change-password";

/// `GET /.well-known/change-password`
pub(in crate::web) async fn well_known(State(app): State<App>) -> Response<Body> {
    app.see_other(&app.pages.site().password)
}

/// `POST /password`
pub(in crate::web) async fn change(
    State(app): State<App>,
    asked: AccountForm<Change>,
) -> Response<Body> {
    if let Some(trouble) = trouble(&asked.form) {
        return app.proof_again(PAGE, &asked, Again::wrong(trouble));
    }
    let attempt = match app.prove(PAGE, &asked, &asked.form.password).await {
        Ok(attempt) => attempt,
        Err(answer) => return *answer,
    };
    let password = match app.passwords.hash(prepared(&asked.form.new)).await {
        Ok(password) => password,
        Err(error) => {
            app.passwords.withdraw(&attempt).await;
            if error == KdfError::Busy {
                let busy = Again::after(AGAIN, StatusCode::SERVICE_UNAVAILABLE, BUSY);
                return app.proof_again(PAGE, &asked, busy);
            }
            tracing::error!(%error, "a new password cannot be hashed");
            return app.failed();
        }
    };
    let AccountForm { visitor, address, .. } = asked;
    // A secret of the session that somebody else has seen is worth nothing with the new password.
    let (next, cookie) = app.seals.make(&app.env);
    let session = visitor.session.clone();
    let lifetime = session.expires.since(app.env.now());
    let change = PasswordChange { session, next, password, recount: attempt.forgiven() };
    match app.backend.change_password(change).await {
        Ok(true) => {
            audit::password_changed(&visitor.user, address);
            app.ended.notify_one();
            let mut answer = app.home_of(&cookie, Purpose::PasswordChanged);
            app.cookies.set(answer.headers_mut(), Cookie::Session, &cookie, Some(lifetime));
            answer
        }
        // The session has ended since the password was verified, maybe with a new password.
        Ok(false) => app.see_other(&app.pages.site().sign_in),
        Err(error) => app.store_failed(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "caf\u{e9} au lait";

    #[test]
    fn a_new_password_is_another_one_in_every_unicode_form() {
        for (new, is_same) in [
            (BEFORE, true),
            ("cafe\u{301}\u{a0}au lait", true),
            ("Caf\u{e9} au lait", false),
            ("caf\u{e9} au lait ", false),
        ] {
            let password = Secret::from(BEFORE);
            let form = Change { form: String::new(), password, new: new.into(), again: new.into() };
            let key = trouble(&form).map(|trouble| (trouble.key, trouble.field));
            assert_eq!(key, is_same.then_some(("password-same", Some("new"))), "{new:?}");
        }
    }

    #[test]
    fn a_new_password_keeps_to_the_rules_of_the_command_line() {
        let found = |new: &str, again: &str| {
            let (new, again) = (Secret::from(new), Secret::from(again));
            let form = Change { form: String::new(), password: BEFORE.into(), new, again };
            trouble(&form).map(|trouble| (trouble.title, trouble.field))
        };
        let good = "another horse altogether";
        let long = "x".repeat(1025);
        let bad = Some((CHOOSE_ANOTHER, Some("new")));
        for (new, again, expected) in [
            (good, good, None),
            (good, "another horse", Some(("password-differ-title", Some("again")))),
            ("", "", bad),
            ("shorter", "shorter", bad),
            ("password1", "password1", bad),
            (&long, &long, bad),
        ] {
            assert_eq!(found(new, again), expected, "{new}");
        }
    }
}
