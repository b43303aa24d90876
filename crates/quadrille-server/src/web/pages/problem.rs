//! The pages for errors of the authorization server, and for the verifier of OAuth 1.0a.

use axum::http::{Response, StatusCode};
use bytes::Bytes;
use quadrille::provider::{BrowserError, Error, Problem, VerifierPage};
use serde::Serialize;

use super::templates::{FormsLead, Link, Message, Pages};

/// An error page of the authorization server.
pub(in crate::web) fn show(pages: &Pages, problem: &Problem<'_>) -> Response<Bytes> {
    let onward = problem.onward().map(|on| (format!("Go to {}", on.destination), on.href));
    let onward = onward.as_ref().map(|(text, href)| Link { href, text, quiet: true });
    pages.message_bytes(
        problem.status(),
        &Message {
            title: problem.title(),
            text: problem.text(),
            code: Some(problem.code()),
            // The user can look at an earlier answer, and withdraw it.
            link: matches!(problem.error(), Error::Browser(BrowserError::TicketAnswered))
                .then(|| Link::to(&pages.site().home, "Your applications"))
                .or(onward),
            alert: true,
        },
    )
}

/// The page with the verifier that the user takes to an application, or that says that the user
/// denied.
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

/// The values of `verifier.html`.
#[derive(Serialize)]
struct Verifier<'a> {
    client: &'a str,
    verifier: &'a str,
}
