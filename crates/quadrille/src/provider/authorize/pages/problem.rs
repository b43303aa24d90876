//! Pages for errors that must not be redirected to the client.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Uri, header};

use crate::{
    form,
    page::{Language, Page},
    provider::{
        client::{record::Client, redirect_uri::RedirectUri},
        error::endpoint::EndpointError,
        error::{ClientError, Error},
        reason::Shown,
    },
};

use super::{device::DeviceAnswerPage, verifier::VerifierPage};

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
    again: Option<&'a str>,
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
        Self { error, home: None, onward: None, again: None }.to_response()
    }

    /// The precise reason, to log or to choose a page by. Do not show it,
    /// but [`for_developers`](Self::for_developers).
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// The link to the client, if there is one: see [`Onward`].
    pub fn onward(&self) -> Option<Onward<'a>> {
        self.onward
    }

    /// The address at which the user begins again, if the answer to a consent page came too late or for
    /// the second time: path and query of the same request at this server. Show it as a link.
    ///
    /// ```
    /// use quadrille::provider::Problem;
    ///
    /// fn link(problem: &Problem<'_>) -> Option<(&'static str, String)> {
    ///     Some(("Try again", problem.again()?.to_owned()))
    /// }
    /// ```
    pub fn again(&self) -> Option<&'a str> {
        self.again
    }

    fn shown(&self) -> Shown {
        match (self.error, self.again) {
            (Error::Browser(error), Some(_)) => error.shown_with_link(),
            (error, _) => error.shown(),
        }
    }

    /// The status of the page.
    pub fn status(&self) -> StatusCode {
        self.shown().status
    }

    /// A heading, in English.
    pub fn title(&self) -> &'static str {
        Language::ENGLISH.pattern(self.title_key())
    }

    /// The text, in English: what happened, and what to do.
    pub fn text(&self) -> &'static str {
        Language::ENGLISH.pattern(self.key())
    }

    /// The key of the text, which is a stable name of what the page says. [`Language::provider_texts`] has
    /// the text.
    pub fn key(&self) -> &'static str {
        self.shown().text
    }

    /// The key of the heading.
    pub fn title_key(&self) -> &'static str {
        self.shown().title
    }

    /// A short, stable name for the reason, for a support request.
    pub fn code(&self) -> &'static str {
        self.shown().code
    }

    /// The reason for the developers of this site, if it is a mistake in their code: a layer or a
    /// route is missing. It contains no secret. Show it, for they see the page first.
    pub fn for_developers(&self) -> Option<String> {
        match self.error {
            Error::Operator(error) if error.is_in_the_code() => {
                Some(format!("For the developers of this site: {error}."))
            }
            _ => None,
        }
    }

    /// The redirect to a page of the application, if it can tell all of the problem.
    pub(crate) fn redirect(&self, address: &Uri) -> Response<Bytes> {
        if self.for_developers().is_some() || self.onward.is_some() {
            return self.to_response();
        }
        let separator = if address.query().is_some() { '&' } else { '?' };
        let mut location = format!("{address}{separator}error={}&error_description=", self.code());
        form::encode_into(&mut location, self.text());
        if let Some(again) = self.again {
            location.push_str("&again=");
            form::encode_into(&mut location, again);
        }
        let Ok(location) = HeaderValue::try_from(location) else { return self.to_response() };
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The default page.
    pub fn to_response(&self) -> Response<Bytes> {
        let Shown { status, title, text, code } = self.shown();
        let language = Language::current();
        let page = Page::new(language.pattern(title)).language(language);
        let mut page = page.text(language.pattern(text)).code(code);
        if let Some(reason) = self.for_developers() {
            page = page.text(&reason);
        }
        if let Some(again) = self.again {
            page = page.link(language.pattern("try-again"), again);
        }
        if let Some(home) = self.home {
            page = page.link(language.pattern("back-to-site"), home);
        }
        if let Some(Onward { destination, href }) = self.onward {
            page = page.link(&language.text("go-to", &[("destination", destination)]), href);
        }
        let mut response = page.to_response(status);
        if let Error::Client(ClientError::Endpoint(EndpointError::Method(allowed))) = self.error {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

pub(crate) type PageFn = dyn Fn(&Problem<'_>) -> Response<Bytes> + Send + Sync;

pub(crate) type VerifierFn = dyn Fn(&VerifierPage<'_>) -> Response<Bytes> + Send + Sync;

pub(crate) type DeviceFn = dyn Fn(&DeviceAnswerPage<'_>) -> Response<Bytes> + Send + Sync;

/// The pages of a server.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) problem: Option<Arc<PageFn>>,
    pub(crate) verifier: Option<Arc<VerifierFn>>,
    pub(crate) device: Option<Arc<DeviceFn>>,
    home: Arc<str>,
}

impl Pages {
    /// The default pages of an issuer with this path.
    pub(crate) fn at(path: &str) -> Self {
        Self { problem: None, verifier: None, device: None, home: [path, "/"].concat().into() }
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

    /// The page after an answer for a device.
    pub(crate) fn device(&self, client: &Client, is_allowed: bool) -> Response<Bytes> {
        let shown = DeviceAnswerPage { client, is_allowed };
        match &self.device {
            Some(page) => page(&shown),
            None => shown.to_response(),
        }
    }

    /// The page for an error. An operator's error is logged.
    pub(crate) fn show(&self, error: &Error) -> Response<Bytes> {
        self.show_again(error, None)
    }

    /// The page for an error, with a link to the same request, if it can begin again.
    pub(crate) fn show_again(&self, error: &Error, again: Option<&str>) -> Response<Bytes> {
        if let Error::Operator(reason) = error {
            tracing::error!(%reason, "authorization failed");
        }
        self.show_problem(&Problem { error, home: Some(&self.home), onward: None, again })
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
        self.show_problem(&Problem { error: &error, home: Some(&self.home), onward, again: None })
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
            .field("device", &self.device.is_some())
            .finish()
    }
}
