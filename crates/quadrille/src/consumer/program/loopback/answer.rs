//! The requests to the port of a loopback login: which of them is the answer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use tokio::sync::oneshot;

use crate::{
    consumer::{
        dance::{CodeProof, Dance},
        error::{BrowserError, Error, Result},
        flow::callback::{CALLBACK, READ, further},
        login::registered::Registered,
    },
    form::Params,
    page::{Language, Page},
    probe::probed,
};

/// The answer that a loopback login waits for.
pub(super) struct Expected {
    registered: Arc<Registered>,
    /// The host and port of the redirect URI.
    authority: String,
    path: String,
    state: String,
    is_taken: AtomicBool,
}

/// The answer of the service.
pub(super) struct Answer {
    /// The code, or the service's refusal.
    pub(super) outcome: Result<CodeProof>,
    /// The callback's further parameters.
    pub(super) callback: Vec<(String, String)>,
    /// The language of the browser.
    pub(super) language: Language,
    /// The page for the browser.
    pub(super) reply: oneshot::Sender<(StatusCode, Page)>,
}

/// The decision about a request.
pub(super) enum Heard {
    /// The answer.
    Answer { outcome: Result<CodeProof>, callback: Vec<(String, String)> },
    /// Any other request, and its response.
    Other(Response<Bytes>),
}

impl Expected {
    pub(super) fn new(registered: Arc<Registered>, redirect_uri: &str, state: String) -> Self {
        let rest = redirect_uri.strip_prefix("http://").unwrap_or(redirect_uri);
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (authority, path) = (authority.to_owned(), path.to_owned());
        Self { registered, authority, path, state, is_taken: AtomicBool::new(false) }
    }

    /// Reads a request. Only the answer uses anything up.
    pub(super) fn hear(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Heard {
        // A page of another site may lead a name of its own to this machine.
        let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
        // Browsers omit port 80.
        let language = Language::of(headers);
        let short = self.authority.strip_suffix(":80").unwrap_or(&self.authority);
        let is_ours = host.is_some_and(|host| {
            [&*self.authority, short].iter().any(|own| host.eq_ignore_ascii_case(own.as_bytes()))
        });
        if !is_ours || uri.path() != self.path {
            return Heard::Other(nothing_here(language));
        }
        if let Some(response) = probed(method, headers) {
            return Heard::Other(response);
        }
        if method != Method::GET || self.is_taken.load(Ordering::SeqCst) {
            return Heard::Other(nothing_here(language));
        }
        let query = uri.query().unwrap_or_default();
        let (outcome, callback) = match self.read(query) {
            Ok(read) => read,
            Err(error) => return Heard::Other(not_this_login(language, error)),
        };
        match self.is_taken.swap(true, Ordering::SeqCst) {
            true => Heard::Other(nothing_here(language)),
            false => Heard::Answer { outcome, callback },
        }
    }

    #[expect(clippy::type_complexity, reason = "the two parts of `Heard::Answer`")]
    fn read(
        &self,
        query: &str,
    ) -> Result<(Result<CodeProof>, Vec<(String, String)>), BrowserError> {
        let malformed = |_| BrowserError::CallbackMalformed;
        let params = Params::parse_within(query.as_bytes(), CALLBACK).map_err(malformed)?;
        let state = params.one("state").map_err(malformed)?.unwrap_or_default();
        verify_slices_are_equal(state.as_bytes(), self.state.as_bytes())
            .map_err(|_| BrowserError::StateUnknown)?;
        match &self.registered.dance {
            Dance::OAuth2(dance) => Ok((dance.answered(&params, None)?, further(&params, &READ))),
            Dance::OAuth1(_) => Err(BrowserError::StateUnknown),
        }
    }
}

fn nothing_here(language: Language) -> Response<Bytes> {
    let page = Page::new(language.pattern("program-nothing-title")).language(language);
    page.to_response(StatusCode::NOT_FOUND)
}

fn not_this_login(language: Language, error: BrowserError) -> Response<Bytes> {
    Page::new(language.pattern("program-other-title"))
        .language(language)
        .text(language.pattern("program-other"))
        .code(Error::from(error).code())
        .to_response(error.status())
}
