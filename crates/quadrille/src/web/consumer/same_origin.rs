//! The extractor [`SameOrigin`].

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::{
    Owner,
    consumer::error::{BrowserError, Error},
};

use super::{layer::Visit, rejected::Rejected};

/// A request that certainly comes from a page of this origin, for handlers of forms that change
/// something: unlink an account, sign out. Any other request is refused with
/// [`BrowserError::NotThisOrigin`], since another site could have sent it with the user's cookies
/// (cross-site request forgery). `SameSite=Strict` stops no sibling domain; this does.
///
/// The browser reports the origin (`Sec-Fetch-Site`, or `Origin` in older ones): [`Login::must_ask`]
/// has the rule. The form's page must not have the referrer policy `no-referrer`, with which older
/// browsers report no origin.
///
/// ```
/// use axum::{Form, response::Redirect};
/// use quadrille::{GitHub, Linked, Result, SameOrigin};
///
/// async fn unlink(_: SameOrigin, github: Linked<GitHub>) -> Result<Redirect> {
///     github.unlink().await?;
///     Ok(Redirect::to("/"))
/// }
/// ```
///
/// [`Login::must_ask`]: crate::Login::must_ask
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SameOrigin;

impl<St: Send + Sync> FromRequestParts<St> for SameOrigin {
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Self, Rejected> {
        let is_ours = |visit: &Visit| !visit.login.must_ask(&parts.headers, &Owner::NOBODY, true);
        match Visit::of(parts) {
            Ok(visit) if is_ours(&visit) => Ok(Self),
            Ok(_) => Err(Error::from(BrowserError::NotThisOrigin)),
            Err(error) => Err(error),
        }
        .map_err(Rejected::early(parts))
    }
}
