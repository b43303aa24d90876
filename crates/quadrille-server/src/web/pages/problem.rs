//! The pages of the authorization server itself: its problems, and the verifier of OAuth 1.0a.

use axum::http::{Response, StatusCode};
use bytes::Bytes;
use quadrille::provider::{BrowserError, Error, Problem, VerifierPage};
use serde::Serialize;

use super::templates::{FormsLead, Link, Message, Pages};

/// A problem of the authorization server, on a page like all others.
pub(in crate::web) fn show(pages: &Pages, problem: &Problem<'_>) -> Response<Bytes> {
    let onward = problem.onward().map(|on| (format!("Go to {}", on.destination), on.href));
    let onward = onward.as_ref().map(|(text, href)| Link { href, text, quiet: true });
    pages.message_bytes(
        problem.status(),
        &Message {
            title: problem.title(),
            text: problem.text(),
            code: Some(problem.code()),
            // What was answered before can be looked at, and taken back.
            link: matches!(problem.error(), Error::Browser(BrowserError::TicketAnswered))
                .then(|| Link::to(&pages.site().home, "Your applications"))
                .or(onward),
            alert: true,
        },
    )
}

/// The verifier that a person carries to an application, or that they said no to it.
pub(in crate::web) fn show_verifier(pages: &Pages, shown: &VerifierPage<'_>) -> Response<Bytes> {
    let name = shown.client.name.as_str();
    if let Some(verifier) = shown.verifier {
        let page = Verifier { client: name, verifier };
        return pages.render_bytes(StatusCode::OK, "verifier.html", &page, FormsLead::Here);
    }
    pages.message_bytes(
        StatusCode::OK,
        &Message {
            title: &format!("{name} was not let in"),
            text: "Nothing was granted. You can close this page.",
            code: None,
            link: Some(Link::to(&pages.site().home, "Your applications")),
            alert: false,
        },
    )
}

/// What `verifier.html` knows.
#[derive(Serialize)]
struct Verifier<'a> {
    client: &'a str,
    verifier: &'a str,
}
