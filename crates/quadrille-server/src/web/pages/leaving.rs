//! The page on which a user deletes the account.

use axum::{
    body::Body,
    extract::{OriginalUri, State},
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::Secret;
use serde::Deserialize;

use crate::data::Removed;

use super::{
    super::{
        account_form::{AccountForm, Sealed},
        app::App,
        audit,
        cookies::Cookie,
    },
    templates::Message,
};

const PAGE: &str = "delete-account.html";

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

/// `GET /account/delete`
pub(in crate::web) async fn page(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response<Body> {
    app.proof_page(PAGE, &headers, &uri).await
}

/// `POST /account/delete`
pub(in crate::web) async fn delete(
    State(app): State<App>,
    asked: AccountForm<Delete>,
) -> Response<Body> {
    let attempt = match app.prove(PAGE, &asked, &asked.form.password).await {
        Ok(attempt) => attempt,
        Err(answer) => return *answer,
    };
    let AccountForm { visitor, address, .. } = asked;
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
