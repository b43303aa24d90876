//! The form on the account page with which a user makes a personal access token.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::{
    Scopes,
    provider::{Error, MintError, NewToken, store::RowId},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    super::{
        account_form::{AccountForm, Sealed},
        app::App,
        audit,
        cookies::Cookie,
        forms::SHOWN_FOR,
        visitor::Visitor,
    },
    scope_line::ScopeLine,
};

/// The greatest number of tokens of a user who makes another one.
const MOST: usize = 100;

/// The prefix of the names of the boxes for scopes.
const SCOPE: &str = "scope:";

/// The form that makes a personal access token.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct MakeToken {
    #[serde(default)]
    form: String,
    #[serde(default)]
    name: String,
    /// The lifetime in days.
    #[serde(default)]
    days: String,
    /// The boxes that are ticked.
    #[serde(flatten)]
    boxes: BTreeMap<String, String>,
}

impl Sealed for MakeToken {
    fn seal(&self) -> &str {
        &self.form
    }
}

/// The choices of the form.
#[derive(Debug, Serialize)]
pub(super) struct Offer {
    scopes: Vec<ScopeLine>,
    days: Vec<u64>,
    /// Where the user signs in first, if the sign-in is not recent.
    sign_in: Option<String>,
}

/// The answer to the form.
#[derive(Debug, Default, Serialize)]
pub(super) struct Answer<'a> {
    problem: Option<&'static str>,
    /// The name that the user typed.
    name: &'a str,
}

/// A new token, which the account page shows once.
#[derive(Serialize, Deserialize)]
pub(super) struct Made {
    name: String,
    token: String,
}

impl Answer<'_> {
    /// The status of the page.
    pub(super) fn status(&self) -> StatusCode {
        if self.problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK }
    }
}

/// The keys of the problems.
const NAME: &str = "account-token-bad-name";
const SCOPES: &str = "account-token-no-scope";
const DAYS: &str = "account-token-no-days";
const TOO_MANY: &str = "account-token-too-many";

/// A token that a user may make.
struct Chosen {
    scopes: Scopes,
    lifetime: Duration,
}

impl MakeToken {
    /// The choices, if they are among those of the page.
    fn chosen(&self, offered: &Scopes, days: &[u64]) -> Result<Chosen, &'static str> {
        let ticked = self.boxes.keys().filter_map(|name| name.strip_prefix(SCOPE));
        let scopes: Scopes = ticked.filter(|name| offered.contains(name)).collect();
        if scopes.is_empty() {
            return Err(SCOPES);
        }
        let days = self.days.parse().ok().filter(|chosen| days.contains(chosen)).ok_or(DAYS)?;
        Ok(Chosen { scopes, lifetime: Duration::from_secs(days * 24 * 3600) })
    }
}

/// `POST /tokens/make`
pub(in crate::web) async fn make_token(
    State(app): State<App>,
    asked: AccountForm<MakeToken>,
) -> Response<Body> {
    let AccountForm { form, visitor, address, headers } = asked;
    let settings = &app.personal_tokens;
    let Some(offered) = &settings.scopes else {
        return app.see_other(&app.pages.site().home);
    };
    if !app.is_recent(&visitor) {
        return app.see_other(&app.sign_in_again());
    }
    let name = form.name.trim();
    let refuse = async |problem| {
        let answer = Answer { problem: Some(problem), name };
        app.account_page(&headers, &visitor, 0, answer, None).await
    };
    let chosen = match form.chosen(offered, &settings.days()) {
        Ok(chosen) => chosen,
        Err(problem) => return refuse(problem).await,
    };
    match app.server.personal_tokens(&visitor.user.subject).await {
        Ok(tokens) if tokens.len() >= MOST => return refuse(TOO_MANY).await,
        Ok(_) => {}
        Err(error) => return app.server_failed(&error, "access tokens cannot be listed"),
    }
    let new = NewToken::personal(visitor.user.subject.clone(), name)
        .scopes(chosen.scopes)
        .lifetime(chosen.lifetime)
        .authentication(app.authentication(&visitor, std::iter::empty()));
    match app.server.mint(new).await {
        Ok(minted) => {
            match app.exceeds_limit(&visitor.user.subject, minted.grant).await {
                Ok(false) => {}
                Ok(true) => return refuse(TOO_MANY).await,
                Err(error) => return app.server_failed(&error, "a token was not counted"),
            }
            audit::token_made(&visitor.user, address, (minted.grant, name), &minted.scopes);
            let made = Made { name: name.to_owned(), token: minted.token.expose().to_owned() };
            app.home_with_token(&headers, &made)
        }
        Err(MintError::Name) => refuse(NAME).await,
        Err(MintError::Gone) => app.see_other(&app.pages.site().sign_in),
        Err(MintError::Server(error)) => {
            app.server_failed(&error, "an access token was not issued")
        }
        Err(error) => {
            tracing::error!(%error, "an access token was not issued");
            app.failed()
        }
    }
}

impl App {
    /// The form that makes a token, if users may make some.
    pub(super) fn offer_of_tokens(&self, visitor: &Visitor) -> Option<Offer> {
        let scopes = self.personal_tokens.scopes.as_ref()?;
        Some(Offer {
            scopes: self.scope_lines(scopes.iter()),
            days: self.personal_tokens.days(),
            sign_in: (!self.is_recent(visitor)).then(|| self.sign_in_again()),
        })
    }

    /// Revokes a new token if the user has too many with it: requests at the same time have counted
    /// without each other. Returns `true` if the token is revoked.
    async fn exceeds_limit(&self, subject: &str, number: RowId) -> Result<bool, Error> {
        let is_too_many = self.server.personal_tokens(subject).await?.len() > MOST;
        if is_too_many {
            self.server.revoke_grant(subject, number).await?;
        }
        Ok(is_too_many)
    }

    /// A redirect to the account page, which will show this token once: the page may be loaded again,
    /// and makes no other one.
    fn home_with_token(&self, headers: &HeaderMap, made: &Made) -> Response<Body> {
        let (Some(session), Ok(made)) =
            (self.session_cookie(headers), serde_json::to_string(made).map(Zeroizing::new))
        else {
            return self.failed();
        };
        let mut response = self.see_other(&format!("{}#tokens", self.pages.site().home));
        let sealed = self.forms.seal_text(session, &made);
        self.cookies.set(response.headers_mut(), Cookie::Token, &sealed, Some(SHOWN_FOR));
        response
    }

    /// The new token in a request of this session, if there is one.
    pub(super) fn made(&self, headers: &HeaderMap, session: &str) -> Option<Made> {
        let is_ours = |sealed: &str| self.forms.open_text(session, sealed).is_some();
        let sealed = self.cookies.read(headers, Cookie::Token, is_ours)?;
        let made = Zeroizing::new(self.forms.open_text(session, sealed)?);
        serde_json::from_str(&made).ok()
    }

    /// The sign-in page, which leads back to the account page.
    fn sign_in_again(&self) -> String {
        self.pages.sign_in_for(&self.pages.site().home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_page_offers_can_be_chosen() {
        let offered = Scopes::of(["photos:read", "photos:write"]);
        let form = |days: &str, boxes: &[&str]| MakeToken {
            form: String::new(),
            name: String::new(),
            days: days.to_owned(),
            boxes: boxes.iter().map(|name| ((*name).to_owned(), "on".to_owned())).collect(),
        };
        let chosen = |days: &str, boxes: &[&str]| {
            let chosen = form(days, boxes).chosen(&offered, &[7, 30])?;
            Ok((chosen.scopes.to_string(), chosen.lifetime.as_secs() / 86_400))
        };
        let read = "scope:photos:read";
        assert_eq!(chosen("30", &[read, "scope:admin"]), Ok(("photos:read".to_owned(), 30)));
        for boxes in [&[][..], &["scope:admin"], &["photos:read"]] {
            assert_eq!(chosen("30", boxes), Err(SCOPES), "{boxes:?}");
        }
        for days in ["", "0", "31", "-7", "7.0", "99999999999999999999"] {
            assert_eq!(chosen(days, &[read]), Err(DAYS), "{days}");
        }
    }
}
