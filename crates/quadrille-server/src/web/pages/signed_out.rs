//! The page after a logout.

use axum::http::{Response, StatusCode};
use bytes::Bytes;
use quadrille::provider::SignedOutPage;
use serde::Serialize;

use super::templates::{FormsLead, Pages};

/// The page after a logout.
#[derive(Serialize)]
struct SignedOut<'a> {
    destination: Option<&'a str>,
    href: Option<&'a str>,
    frames: String,
    /// `true` if another user has signed in.
    has_next_user: bool,
}

/// The page after a logout, in the program's look.
pub(in crate::web) fn show(pages: &Pages, page: &SignedOutPage<'_>) -> Response<Bytes> {
    let onward = page.onward();
    let view = SignedOut {
        destination: onward.map(|onward| onward.destination),
        href: onward.map(|onward| onward.href),
        frames: page.frames(),
        has_next_user: page.has_next_user(),
    };
    let lead = FormsLead::Here;
    let mut response = pages.render_bytes(StatusCode::OK, "signed-out.html", &view, lead);
    response.headers_mut().extend(page.headers("style-src 'self'; img-src 'self'"));
    response
}
