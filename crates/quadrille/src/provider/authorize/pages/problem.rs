//! Pages for errors that must not be redirected to the client.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::{
    oauth2::ErrorCode,
    page::Page,
    provider::{
        client::{document::ClientDocumentError, record::Client, redirect_uri::RedirectUri},
        error::{BrowserError, ClientError, Error},
    },
};

use super::verifier::VerifierPage;

/// An error, in words for the user.
///
/// ```
/// use quadrille::provider::Problem;
///
/// fn page(problem: &Problem<'_>) -> String {
///     format!("<h1>{}</h1><p>{} ({})</p>", problem.title(), problem.text(), problem.code())
/// }
/// ```
#[derive(Debug)]
pub struct Problem<'a> {
    error: &'a Error,
    /// The site's front page, if known.
    home: Option<&'a str>,
    onward: Option<Onward<'a>>,
}

/// A link to a client that describes itself, after a denial or an error. Nothing vouches for the
/// client, so no browser is redirected to it (RFC 9700, section 4.11.2): a page shows it as a link.
///
/// ```
/// use quadrille::provider::Problem;
///
/// fn link(problem: &Problem<'_>) -> Option<(String, String)> {
///     let onward = problem.onward()?;
///     Some((format!("Go to {}", onward.destination), onward.href.to_owned()))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Onward<'a> {
    /// The target, as [`RedirectUri::destination`] names it. Show it.
    pub destination: &'a str,
    /// The redirect URI, with the error for the client.
    pub href: &'a str,
}

impl<'a> Problem<'a> {
    /// The default page, for a request without a server.
    #[cfg(feature = "axum")]
    pub(crate) fn show(error: &'a Error) -> Response<Bytes> {
        match error {
            Error::Operator(reason) => tracing::error!(%reason, "authorization failed"),
            reason => tracing::info!(%reason, "authorization refused with a page"),
        }
        Self { error, home: None, onward: None }.to_response()
    }

    /// The precise reason, to log or to choose a page by. Do not show it.
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// The link to the client, if there is one: see [`Onward`].
    pub fn onward(&self) -> Option<Onward<'a>> {
        self.onward
    }

    /// The status of the page.
    pub fn status(&self) -> StatusCode {
        match self.error {
            Error::Browser(
                BrowserError::TicketOfOtherUser | BrowserError::TicketOfOtherBrowser,
            ) => StatusCode::FORBIDDEN,
            Error::Browser(BrowserError::TicketAnswered) => StatusCode::CONFLICT,
            Error::Client(ClientError::Method(_)) => StatusCode::METHOD_NOT_ALLOWED,
            Error::Client(ClientError::BodyTooLong) => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Client(error) if error.is_content_type() => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::Client(ClientError::Document(ClientDocumentError::Throttled)) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Error::Client(ClientError::Denied) => StatusCode::OK,
            Error::Client(_) | Error::Browser(_) => StatusCode::BAD_REQUEST,
            Error::Operator(_) if self.error.code() == ErrorCode::TemporarilyUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Error::Operator(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A heading.
    pub fn title(&self) -> &'static str {
        match self.error {
            Error::Browser(BrowserError::TicketAnswered) => "Already answered",
            Error::Browser(_) => "This page is out of date",
            Error::Client(
                ClientError::TemporaryUnknown
                | ClientError::TemporaryExpired
                | ClientError::TemporaryUsed,
            ) => "This page is out of date",
            Error::Client(
                ClientError::Denied | ClientError::LoginRequired | ClientError::ConsentRequired,
            ) => "Nothing was granted",
            Error::Client(_) => "This application made a mistake",
            Error::Operator(_) => "Something went wrong here",
        }
    }

    /// The text: what happened, and what to do.
    pub fn text(&self) -> &'static str {
        match self.error {
            Error::Browser(BrowserError::TicketAnswered) => {
                "You have answered this question before. Go back to the application; if it still \
                 waits for you, start there again."
            }
            Error::Browser(BrowserError::TicketOfOtherUser) => {
                "Somebody else has signed in since this page was opened. Go back to the \
                 application and start again."
            }
            Error::Browser(BrowserError::TicketOfOtherBrowser) => {
                "This page was opened in another browser, or this one has lost a cookie. Go back \
                 to the application and start again, with cookies allowed."
            }
            Error::Browser(_)
            | Error::Client(
                ClientError::TemporaryUnknown
                | ClientError::TemporaryExpired
                | ClientError::TemporaryUsed,
            ) => "Nothing was granted. Go back to the application and start again.",
            Error::Client(ClientError::UnknownClient) => {
                "The application that sent you here is not known. Nothing was granted."
            }
            Error::Client(ClientError::Document(ClientDocumentError::Throttled)) => {
                "Too many applications that could not be identified were tried from here. Nothing \
                 was granted. Please try again in a while."
            }
            Error::Client(ClientError::Document(_)) => {
                "The application that sent you here could not be identified: what it says of \
                 itself on its website cannot be had, or is wrong. Nothing was granted."
            }
            Error::Client(
                ClientError::RedirectUriNotRegistered | ClientError::RedirectUriMissing,
            ) => {
                "The application wants you to be sent to an address that is not registered for it. \
                 You were not sent there, and nothing was granted."
            }
            Error::Client(ClientError::Denied) => {
                "You said no to an application that nobody here knows. It was not told."
            }
            Error::Client(ClientError::LoginRequired | ClientError::ConsentRequired) => {
                "An application that you have not let in asked to go on without asking you."
            }
            Error::Client(_) => {
                "The application that sent you here asked in a way that cannot be understood. \
                 Nothing was granted."
            }
            Error::Operator(_) => "It is not your fault. Please try again in a while.",
        }
    }

    /// The default page.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut page = Page::new(self.title()).text(self.text()).code(self.code());
        if let Some(home) = self.home {
            page = page.link("Back to the site", home);
        }
        if let Some(Onward { destination, href }) = self.onward {
            page = page.link(&format!("Go to {destination}"), href);
        }
        let mut response = page.to_response(self.status());
        if let Error::Client(ClientError::Method(allowed)) = self.error {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }

    /// A short, stable name for the reason, for a support request.
    pub fn code(&self) -> &'static str {
        match self.error {
            Error::Browser(error) => match error {
                BrowserError::TicketMissing => "ticket_missing",
                BrowserError::TicketTampered => "ticket_tampered",
                BrowserError::TicketUnderUnknownKey => "ticket_unknown_key",
                BrowserError::TicketOfOtherBrowser => "ticket_other_browser",
                BrowserError::TicketOfOtherUser => "ticket_other_user",
                BrowserError::TicketExpired => "ticket_expired",
                BrowserError::TicketAnswered => "ticket_answered",
                BrowserError::ClientChanged => "client_changed",
                BrowserError::FormFields => "form_fields",
            },
            Error::Client(ClientError::Denied) => "access_denied",
            Error::Client(ClientError::LoginRequired) => "login_required",
            Error::Client(ClientError::ConsentRequired) => "consent_required",
            Error::Client(ClientError::UnknownClient) => "unknown_client",
            Error::Client(ClientError::Document(_)) => "client_document",
            Error::Client(ClientError::RedirectUriMissing) => "redirect_uri_missing",
            Error::Client(ClientError::RedirectUriNotRegistered) => "redirect_uri_not_registered",
            Error::Client(ClientError::TemporaryUnknown) => "temporary_unknown",
            Error::Client(ClientError::TemporaryExpired) => "temporary_expired",
            Error::Client(ClientError::TemporaryUsed) => "temporary_used",
            Error::Client(_) => "invalid_request",
            Error::Operator(_) if self.error.code() == ErrorCode::TemporarilyUnavailable => {
                "temporarily_unavailable"
            }
            Error::Operator(_) => "server_error",
        }
    }
}

pub(crate) type PageFn = dyn Fn(&Problem<'_>) -> Response<Bytes> + Send + Sync;

pub(crate) type VerifierFn = dyn Fn(&VerifierPage<'_>) -> Response<Bytes> + Send + Sync;

/// The pages of a server.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) problem: Option<Arc<PageFn>>,
    pub(crate) verifier: Option<Arc<VerifierFn>>,
    home: Arc<str>,
}

impl Pages {
    /// The default pages of an issuer with this path.
    pub(crate) fn at(path: &str) -> Self {
        Self { problem: None, verifier: None, home: [path, "/"].concat().into() }
    }

    /// The page that shows a verifier.
    pub(crate) fn verifier(&self, client: &Client, verifier: &str) -> Response<Bytes> {
        self.show_verifier(&VerifierPage { client, verifier: Some(verifier) })
    }

    /// The page that says that the client was refused.
    pub(crate) fn refused(&self, client: &Client) -> Response<Bytes> {
        self.show_verifier(&VerifierPage { client, verifier: None })
    }

    fn show_verifier(&self, shown: &VerifierPage<'_>) -> Response<Bytes> {
        match &self.verifier {
            Some(page) => page(shown),
            None => shown.to_response(),
        }
    }

    /// The page for an error. An operator's error is logged.
    pub(crate) fn show(&self, error: &Error) -> Response<Bytes> {
        if let Error::Operator(reason) = error {
            tracing::error!(%reason, "authorization failed");
        }
        self.show_problem(&Problem { error, home: Some(&self.home), onward: None })
    }

    /// The page that shows the user the error in `told`, with a link to the client at `to`.
    pub(crate) fn warn(
        &self,
        error: ClientError,
        to: &RedirectUri,
        told: &Response<Bytes>,
    ) -> Response<Bytes> {
        let error = error.into();
        let href = told.headers().get(header::LOCATION).and_then(|url| url.to_str().ok());
        let onward = href.map(|href| Onward { destination: to.destination(), href });
        self.show_problem(&Problem { error: &error, home: Some(&self.home), onward })
    }

    fn show_problem(&self, problem: &Problem<'_>) -> Response<Bytes> {
        match &self.problem {
            Some(page) => page(problem),
            None => problem.to_response(),
        }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("problem", &self.problem.is_some())
            .field("verifier", &self.verifier.is_some())
            .finish()
    }
}
