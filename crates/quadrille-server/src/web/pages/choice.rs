//! The choice of an account (OpenID Connect Core, section 3.1.2.1: `prompt=select_account`).

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode},
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::{texts::UI_LOCALES, users::UserName};

use super::{
    super::{
        account_form::Sealed,
        app::App,
        forms::Purpose,
        page_form::NotTaken,
        sent::{Sent, Unreadable},
        visitor::Visitor,
    },
    brief::initial,
    templates::FormsLead,
};

/// The value of the sign-in page's parameter `account` if the account that is signed in may do.
pub(super) const CHOOSE: &str = "choose";

/// What a request wants of the sign-in page.
pub(super) struct Wish<'a> {
    /// Where to go afterwards, on this site.
    pub(super) next: &'a str,
    /// The name with which the person may want to sign in.
    pub(super) hint: Option<&'a str>,
    /// `true` if the account that is signed in may do.
    pub(super) is_choice: bool,
}

/// The fields of the form.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct GoOn {
    #[serde(default)]
    next: String,
    #[serde(default)]
    form: String,
}

impl Sealed for GoOn {
    fn seal(&self) -> &str {
        &self.form
    }
}

/// The values of the page.
#[derive(Serialize)]
struct Page<'a> {
    /// The application that waits for the person, if one does.
    client: Option<String>,
    user: &'a str,
    user_initial: String,
    next: &'a str,
    form: String,
    /// The sign-in page.
    other: String,
}

/// The text of a hint, if it can be a user name. An application has written it, or anybody: other texts
/// do not get onto the page, such as ones with characters that change the direction of others.
pub(super) fn typed_name(hint: &str) -> Option<&str> {
    let hint = hint.trim();
    UserName::parse_new(hint).is_ok().then_some(hint)
}

/// `POST /sign-in/continue`
pub(in crate::web) async fn go_on(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<Sent<GoOn>, Unreadable>,
) -> Response<Body> {
    // Another user may have signed in in another tab, or nobody be any more: the page says who is.
    let again =
        |next: &str| app.see_other(&app.sign_in_url(&Wish { next, hint: None, is_choice: true }));
    let bound = (Purpose::Choice, app.session_cookie(&headers));
    let form = match app.page_form(form, &headers, bound) {
        Ok(form) => form,
        Err(NotTaken::Answered(answer)) => return *answer,
        Err(NotTaken::Old(form)) => return again(&app.local(&form.next)),
    };
    let next = app.local(&form.next);
    match app.visitor(&headers).await {
        Ok(Some(visitor)) => {
            let chosen = app.server.account_chosen(&next, &visitor.authentication());
            app.see_other(chosen.as_ref().map_or(&next, |back| back.path_and_query()))
        }
        Ok(None) => again(&next),
        Err(error) => app.store_failed(&error),
    }
}

impl App {
    /// The address of the sign-in page for a request.
    pub(super) fn sign_in_url(&self, wish: &Wish<'_>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", wish.next);
        if wish.is_choice {
            query.append_pair("account", CHOOSE);
        }
        if let Some(hint) = wish.hint {
            query.append_pair("hint", hint);
        }
        if let Some(language) = self.pages.texts().wished() {
            query.append_pair(UI_LOCALES, language);
        }
        format!("{}?{}", self.pages.site().sign_in, query.finish())
    }

    /// The page that names the account that is signed in.
    pub(super) async fn choice_page(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
        next: &str,
        hint: Option<&str>,
    ) -> Response<Body> {
        // Every user in a browser has a cookie of a session.
        let Some(cookie) = self.session_cookie(headers) else { return self.failed() };
        let next = self.local(next);
        let name = &visitor.user.name;
        let is_other = |hint: &&str| UserName::parse(hint).is_ok_and(|hint| hint != *name);
        let page = Page {
            client: self.waiting(&next).await,
            user: name.as_str(),
            user_initial: initial(name.as_str()),
            form: self.forms.field(Purpose::Choice, cookie),
            other: self.sign_in_url(&Wish {
                next: &next,
                hint: hint.filter(is_other),
                is_choice: false,
            }),
            next: &next,
        };
        self.pages.render(StatusCode::OK, "choose-account.html", &page, FormsLead::On)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hint_that_can_be_a_name_gets_onto_the_page() {
        for name in ["ada", "ada@example.com", " Ada Lovelace ", "\u{5d0}\u{5d1}", "Ren\u{e9}"] {
            assert_eq!(typed_name(name), Some(name.trim()), "{name}");
        }
        let long = "a".repeat(65);
        for odd in
            ["", " ", &long, "a\nb", "a\u{0}", "a\u{202e}b", "a\u{2066}b", "a\u{200b}", "a  b"]
        {
            assert_eq!(typed_name(odd), None, "{odd:?}");
        }
    }
}
