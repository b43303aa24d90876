//! The pages of a user who is signed in: the user's name, the token of the forms, and what a page has itself.

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode},
};
use serde::Serialize;

use super::{
    super::{app::App, forms::Purpose, visitor::Visitor},
    templates::FormsLead,
};

/// The values of the page.
#[derive(Serialize)]
struct UserPage<'a, T> {
    user: &'a str,
    form: String,
    #[serde(flatten)]
    own: T,
}

impl App {
    /// A page with forms of the user who is signed in, with these values of its own.
    pub(super) fn user_page(
        &self,
        (status, template): (StatusCode, &str),
        headers: &HeaderMap,
        visitor: &Visitor,
        own: impl Serialize,
    ) -> Response<Body> {
        // Every user in a browser has a cookie of a session.
        let Some(cookie) = self.session_cookie(headers) else { return self.failed() };
        let form = self.forms.field(Purpose::Account, cookie);
        let page = UserPage { user: visitor.user.name.as_str(), form, own };
        self.pages.render(status, template, &page, FormsLead::Here)
    }
}
