//! The values that every page has.

use serde::Serialize;
use url::form_urlencoded;

use crate::{issuer::Issuer, texts::UI_LOCALES};

/// The values that every page has.
#[derive(Clone, Debug, Serialize)]
pub struct Site {
    /// The name of the site.
    pub name: String,
    /// The path of the account page, with the list of applications.
    pub home: String,
    /// The path of the sign-in page.
    pub sign_in: String,
    /// The path that goes on with the account that is signed in.
    pub continue_as: String,
    /// The path that ends this session.
    pub sign_out: String,
    /// The path that ends all sessions of the user.
    pub sign_out_everywhere: String,
    /// The path that ends the other sessions of the user.
    pub end_other_sessions: String,
    /// The path of the page on which the user changes the password.
    pub password: String,
    /// The path of what is known about the user, as a file, and of the page that asks for the password
    /// before.
    pub export: String,
    /// The path of the page on which the user deletes the account.
    pub delete_account: String,
    /// The path of the page that withdraws a consent.
    pub withdraw: String,
    /// The path that ends one session of the user.
    pub end_session: String,
    /// The path that revokes a personal access token.
    pub revoke_token: String,
    /// The path that makes a personal access token.
    pub make_token: String,
    /// The path that changes the profile of the user.
    pub profile: String,
    /// The path of the style sheet.
    pub style: String,
    /// The path of the icon.
    pub icon: String,
    /// The path of the logo, if there is one.
    pub logo: Option<String>,
}

impl Site {
    /// The values for an issuer; the style sheet and the icon come later.
    pub(super) fn of(name: &str, issuer: &Issuer) -> Self {
        let at = |path: &str| format!("{}{path}", issuer.path());
        Self {
            name: name.to_owned(),
            home: at("/"),
            sign_in: at("/sign-in"),
            continue_as: at("/sign-in/continue"),
            sign_out: at("/sign-out"),
            sign_out_everywhere: at("/sign-out/everywhere"),
            end_other_sessions: at("/sessions/end-others"),
            password: at("/password"),
            export: at("/account/export"),
            delete_account: at("/account/delete"),
            withdraw: at("/applications/withdraw"),
            end_session: at("/sessions/end"),
            revoke_token: at("/tokens/revoke"),
            make_token: at("/tokens/make"),
            profile: at("/profile"),
            style: String::new(),
            icon: String::new(),
            logo: None,
        }
    }

    /// The path of a file that pages show, by the hash of its content.
    pub(super) fn asset(&self, fingerprint: &str, ending: &str) -> String {
        format!("{}/assets/{fingerprint}.{ending}", self.home.trim_end_matches('/'))
    }

    /// The address of the sign-in page, in this language, that leads to `next` on this site.
    pub(super) fn sign_in_for(&self, next: &str, language: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", next);
        if let Some(language) = language {
            query.append_pair(UI_LOCALES, language);
        }
        format!("{}?{}", self.sign_in, query.finish())
    }

    /// The values in a language that an application wished for, in which the page after the sign-in is, too.
    pub(super) fn in_language(&self, tag: &str) -> Self {
        let sign_in = format!("{}?{UI_LOCALES}={tag}", self.sign_in);
        Self { sign_in, ..self.clone() }
    }
}
