//! The pages for errors of the authorization server, for the verifier of OAuth 1.0a, and after an
//! answer for a device.

use axum::http::{Response, StatusCode};
use bytes::Bytes;
use quadrille::provider::{
    BrowserError, ClientError, DeviceAnswerPage, Error, Problem, VerifierPage,
};
use serde::Serialize;

use super::templates::{FormsLead, Link, Message, Pages};

/// An error page of the authorization server.
pub(in crate::web) fn show(pages: &Pages, problem: &Problem<'_>) -> Response<Bytes> {
    let onward = problem.onward().map(|onward| Link {
        href: onward.href,
        key: "go-to",
        destination: Some(onward.destination),
        quiet: true,
    });
    let home = |key| Some(Link::to(&pages.site().home, key));
    let link = match problem.error() {
        // The user can look at an earlier answer, and withdraw it.
        Error::Browser(BrowserError::TicketAnswered) => home("your-applications"),
        Error::Browser(_) => problem.again().map(|href| Link::to(href, "try-again")),
        // That page has a button for it, which needs no application.
        Error::Client(ClientError::EndSession(_)) => home("your-account-sign-out"),
        _ => onward,
    };
    let is_answered = matches!(problem.error(), Error::Browser(BrowserError::TicketAnswered));
    let again = problem.again().filter(|_| is_answered);
    let message = Message {
        title: problem.title_key(),
        key: problem.key(),
        client: None,
        code: Some(problem.code()),
        link,
        alert: true,
    };
    let page = Answered { message, again };
    pages.render_bytes(problem.status(), "message.html", &page, FormsLead::Here)
}

/// The values of `message.html` for a page that was answered before.
#[derive(Serialize)]
struct Answered<'a> {
    #[serde(flatten)]
    message: Message<'a>,
    /// The address of the same request.
    again: Option<&'a str>,
}

/// The page with the verifier that the user takes to an application, or that says that the user
/// denied.
pub(in crate::web) fn show_verifier(pages: &Pages, shown: &VerifierPage<'_>) -> Response<Bytes> {
    let name = shown.client.name.as_str();
    if let Some(verifier) = shown.verifier {
        let page = Verifier { client: name, verifier };
        return pages.render_bytes(StatusCode::OK, "verifier.html", &page, FormsLead::Here);
    }
    not_let_in(pages, name)
}

/// The page that sends the user back to a device, or says that the user denied.
pub(in crate::web) fn show_device_answer(
    pages: &Pages,
    shown: &DeviceAnswerPage<'_>,
) -> Response<Bytes> {
    let name = shown.client.name.as_str();
    if !shown.is_allowed {
        return not_let_in(pages, name);
    }
    pages.message_bytes(
        StatusCode::OK,
        &Message {
            title: "device-allowed-title",
            key: "device-allowed",
            client: Some(name),
            code: None,
            link: Some(Link::to(&pages.site().home, "your-applications")),
            alert: false,
        },
    )
}

fn not_let_in(pages: &Pages, name: &str) -> Response<Bytes> {
    pages.message_bytes(
        StatusCode::OK,
        &Message {
            title: "not-let-in-title",
            key: "not-let-in",
            client: Some(name),
            code: None,
            link: Some(Link::to(&pages.site().home, "your-applications")),
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
