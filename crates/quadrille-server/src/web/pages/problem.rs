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
    let onward = problem.onward().map(|on| (format!("Go to {}", on.destination), on.href));
    let onward = onward.as_ref().map(|(text, href)| Link { href, text, quiet: true });
    let home = |text| Some(Link::to(&pages.site().home, text));
    let link = match problem.error() {
        // The user can look at an earlier answer, and withdraw it.
        Error::Browser(BrowserError::TicketAnswered) => home("Your applications"),
        Error::Browser(_) => problem.again().map(|href| Link::to(href, "Try again")),
        // That page has a button for it, which needs no application.
        Error::Client(ClientError::EndSession(_)) => home("Your account, where you can sign out"),
        _ => onward,
    };
    let is_answered = matches!(problem.error(), Error::Browser(BrowserError::TicketAnswered));
    let again = problem.again().filter(|_| is_answered);
    let message = Message {
        title: problem.title(),
        text: problem.text(),
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
            title: &format!("{name} has access"),
            text: "Go back to your device: it goes on by itself in a few seconds. You can close \
                   this page.",
            code: None,
            link: Some(Link::to(&pages.site().home, "Your applications")),
            alert: false,
        },
    )
}

fn not_let_in(pages: &Pages, name: &str) -> Response<Bytes> {
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
