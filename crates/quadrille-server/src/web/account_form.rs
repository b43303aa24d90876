//! The forms of the account page: checked before a handler sees them.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, Response},
};
use quadrille::RemoteAddress;
use serde::{Deserialize, de::DeserializeOwned};

use super::{app::App, forms::Purpose, sent::Sent, visitor::Visitor};

/// A form that a page of this site made for the browser of this user, who is signed in.
pub(super) struct AccountForm<T> {
    /// The fields.
    pub(super) form: T,
    /// The user.
    pub(super) visitor: Visitor,
    /// The address of the browser.
    pub(super) address: RemoteAddress,
    /// The headers of the request.
    pub(super) headers: HeaderMap,
}

/// A form with the sealed value of [`Forms`](super::forms::Forms).
pub(super) trait Sealed: DeserializeOwned + Send {
    /// The sealed value.
    fn seal(&self) -> &str;
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Bound {
    #[serde(default)]
    pub(super) form: String,
}

impl Sealed for Bound {
    fn seal(&self) -> &str {
        &self.form
    }
}

impl<T: Sealed> FromRequest<App> for AccountForm<T> {
    /// The answer to a form that is refused.
    type Rejection = Response<Body>;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response<Body>> {
        let headers = request.headers().clone();
        let address = request.extensions().get::<RemoteAddress>().copied();
        let sent = Sent::<T>::from_request(request, app).await;
        let Sent(form) = sent.map_err(|why| app.bad_form(&why))?;
        let visitor = app.visitor(&headers).await.map_err(|error| app.store_failed(&error))?;
        let visitor = visitor.ok_or_else(|| app.see_other(&app.pages.site().sign_in))?;
        let cookie = app.session_cookie(&headers);
        let checked = app.forms.check(Purpose::Account, &headers, cookie, form.seal());
        checked.map_err(|refusal| {
            tracing::info!(%refusal, "a form was refused");
            app.foreign_form()
        })?;
        let address = address.ok_or_else(|| app.failed())?;
        Ok(Self { form, visitor, address, headers })
    }
}
