//! The page on which a user deletes the account.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{OriginalUri, State},
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::Secret;
use serde::{Deserialize, Serialize};

use crate::data::Removed;

use super::{
    super::{
        account_form::{AccountForm, Sealed},
        app::App,
        audit,
        cookies::Cookie,
        forms::Purpose,
        visitor::Visitor,
    },
    proof::{Trouble, Unproven},
    sign_in::later,
    templates::{FormsLead, Message},
};

/// The fields of the form.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Delete {
    #[serde(default)]
    form: String,
    #[serde(default)]
    password: Secret,
}

impl Sealed for Delete {
    fn seal(&self) -> &str {
        &self.form
    }
}

/// The values of the page.
#[derive(Serialize)]
struct Page<'a> {
    user: &'a str,
    form: String,
    problem: Option<Trouble>,
}

/// `GET /account/delete`
pub(in crate::web) async fn page(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response<Body> {
    match app.signed_in(&headers, &uri).await {
        Ok(visitor) => app.delete_page(StatusCode::OK, &headers, &visitor, None),
        Err(answer) => answer,
    }
}

/// `POST /account/delete`
pub(in crate::web) async fn delete(
    State(app): State<App>,
    asked: AccountForm<Delete>,
) -> Response<Body> {
    let AccountForm { form, visitor, address, headers } = asked;
    let again = |status, trouble, wait: Option<Duration>| {
        let page = app.delete_page(status, &headers, &visitor, Some(trouble));
        match wait {
            Some(wait) => later(page, wait),
            None => page,
        }
    };
    let attempt = match app.prove(&visitor, &form.password, &headers, address).await {
        Ok(attempt) => attempt,
        Err(Unproven::Again(status, trouble, wait)) => return again(status, trouble, wait),
        Err(Unproven::Answered(answer)) => return *answer,
    };
    app.passwords.withdraw(&attempt).await;
    let user = &visitor.user;
    match app.backend.remove_user(Removed::Verified(user), app.server.issuer()).await {
        Ok(Some(_)) => {
            // The tokens that this process remembers end at once.
            if let Err(error) = app.server.remove_subject(&user.subject).await {
                tracing::warn!(%error, "tokens of a user who is gone may work for some seconds");
            }
            audit::account_deleted(user, address);
            app.ended.notify_one();
            let mut page = app.pages.message(
                StatusCode::OK,
                &Message {
                    title: "deleted-account-title",
                    key: "deleted-account",
                    client: None,
                    code: None,
                    link: None,
                    alert: false,
                },
            );
            app.cookies.clear(page.headers_mut(), Cookie::Session);
            page
        }
        // There is a new password since this one was verified, or the account is gone already.
        Ok(None) => app.see_other(&app.pages.site().sign_in),
        Err(error) => app.store_failed(&error),
    }
}

impl App {
    fn delete_page(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        visitor: &Visitor,
        problem: Option<Trouble>,
    ) -> Response<Body> {
        // Every user in a browser has a cookie of a session.
        let Some(cookie) = self.session_cookie(headers) else { return self.failed() };
        let page = Page {
            user: visitor.user.name.as_str(),
            form: self.forms.field(Purpose::Account, cookie),
            problem,
        };
        self.pages.render(status, "delete-account.html", &page, FormsLead::Here)
    }
}
