//! Lists that a service gives in pages.

use std::{
    collections::HashSet,
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use url::{Origin, Url};

use crate::{
    consumer::error::{Error, OperatorError, Result, ServiceError},
    oauth2::member::MemberPath,
};

use super::{
    answer::{from_json, malformed},
    link,
    request::Call,
};

impl Call {
    /// The pages of a list, each read as JSON: a [`Stream`] that sends one call for each page when
    /// it is polled.
    ///
    /// The next page is the target of the response's link header with `rel="next"` (RFC 8288),
    /// unless [`by_member`](Pages::by_member) or [`by_cursor`](Pages::by_cursor) says otherwise.
    /// The token stays on the origin of the service's API: a next page elsewhere is
    /// [`ServiceError::PageElsewhere`]. The stream ends after the last page, before a page that it
    /// has had already, and after an error.
    ///
    /// ```
    /// use http::Method;
    /// use quadrille::{Result, consumer::Api};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Repository { name: String }
    ///
    /// async fn names(github: &Api) -> Result<Vec<String>> {
    ///     let mut names = Vec::new();
    ///     let call = github.request(Method::GET, "user/repos").query("per_page", 100);
    ///     let mut pages = call.pages::<Vec<Repository>>().at_most(20);
    ///     while let Some(page) = pages.next().await {
    ///         names.extend(page?.into_iter().map(|repository| repository.name));
    ///     }
    ///     Ok(names)
    /// }
    /// ```
    pub fn pages<T: DeserializeOwned + Send + 'static>(self) -> Pages<T> {
        let next = self.target().map_err(Error::from);
        let origin = next.as_ref().ok().and_then(|url| self.origin(url).ok());
        Pages {
            call: self,
            origin,
            next: Some(next),
            way: Way::Header,
            left: usize::MAX,
            seen: HashSet::new(),
            asking: None,
            page: PhantomData,
        }
    }
}

/// The pages of a list: [`Call::pages`].
///
/// ```
/// use http::Method;
/// use quadrille::{Result, consumer::Api};
///
/// async fn channels(slack: &Api) -> Result<usize> {
///     let mut count = 0;
///     let call = slack.request(Method::GET, "conversations.list");
///     let mut pages = call
///         .pages::<serde_json::Value>()
///         .by_cursor("response_metadata.next_cursor", "cursor");
///     while let Some(page) = pages.next().await {
///         count += page?["channels"].as_array().map_or(0, Vec::len);
///     }
///     Ok(count)
/// }
/// ```
#[must_use = "pages are requested by `next`"]
pub struct Pages<T> {
    call: Call,
    /// The origin that may get the token.
    origin: Option<Origin>,
    /// `None` at the end.
    next: Option<Result<Url>>,
    way: Way,
    left: usize,
    seen: HashSet<String>,
    asking: Option<Asking<T>>,
    page: PhantomData<fn() -> T>,
}

type Asking<T> = Pin<Box<dyn Future<Output = Result<Page<T>>> + Send>>;

struct Page<T> {
    /// `None` if the response has no body.
    content: Option<T>,
    next: Option<Result<Url>>,
}

/// The place of the next page in a response.
#[derive(Clone)]
enum Way {
    Header,
    /// A URL in the body.
    Member(MemberPath),
    /// A value in the body, and the parameter of the query to put it in.
    Cursor(MemberPath, String),
    /// The application's mistake.
    Malformed,
}

impl<T: DeserializeOwned + Send + 'static> Pages<T> {
    /// Takes the URL of the next page from a member of the response instead of its headers. Dots
    /// separate names, as in [`Spec::identity`](crate::Spec::identity); `\.` is a dot in a name:
    /// `next`, `paging.next`, `@odata\.nextLink`. A missing or empty value and `null` are the end.
    pub fn by_member(mut self, path: &str) -> Self {
        self.way = MemberPath::parse(path).map_or(Way::Malformed, Way::Member);
        self
    }

    /// Takes a cursor from a member of the response (a text or a number; for its path, see
    /// [`by_member`](Pages::by_member)) and puts it into this parameter of the call's query. A
    /// missing or empty value, `null` and `false` are the end.
    pub fn by_cursor(mut self, path: &str, parameter: impl Into<String>) -> Self {
        let cursor = |path| Way::Cursor(path, parameter.into());
        self.way = MemberPath::parse(path).map_or(Way::Malformed, cursor);
        self
    }

    /// Ends the stream after this many pages. There is no limit by default.
    pub fn at_most(mut self, pages: usize) -> Self {
        self.left = pages;
        self
    }

    /// The next page.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The request of the next page; `None` at the end.
    fn ask(&mut self) -> Option<Result<Asking<T>>> {
        if self.left == 0 {
            return None;
        }
        let url = match self.next.take()? {
            Ok(url) => url,
            Err(error) => return Some(Err(error)),
        };
        if self.origin.as_ref() != Some(&url.origin()) {
            let is_first = self.seen.is_empty();
            return Some(Err(if is_first {
                OperatorError::ForeignOrigin.into()
            } else {
                Error::service(self.call.service(), ServiceError::PageElsewhere)
            }));
        }
        if !self.seen.insert(url.to_string()) {
            return None;
        }
        let call = match (&self.way, self.call.of_page(url.clone())) {
            (Way::Malformed, _) | (_, None) => {
                return Some(Err(OperatorError::CallMalformed.into()));
            }
            (_, Some(call)) => call,
        };
        self.left -= 1;
        Some(Ok(Box::pin(page(call, url, self.way.clone()))))
    }
}

impl<T: DeserializeOwned + Send + 'static> Stream for Pages<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let asking = match &mut this.asking {
                Some(asking) => asking,
                None => match this.ask() {
                    Some(Ok(asking)) => this.asking.insert(asking),
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                },
            };
            let Poll::Ready(page) = asking.as_mut().poll(cx) else { return Poll::Pending };
            this.asking = None;
            match page {
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok(Page { content, next }) => {
                    this.next = next;
                    if let Some(content) = content {
                        return Poll::Ready(Some(Ok(content)));
                    }
                }
            }
        }
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("call", &self.call).finish_non_exhaustive()
    }
}

/// Requests one page.
async fn page<T: DeserializeOwned>(call: Call, asked: Url, way: Way) -> Result<Page<T>> {
    let answer = call.send().await?;
    let (service, status) = (Arc::clone(answer.service()), answer.status);
    let (headers, got) = (answer.headers.clone(), answer.url.clone());
    let body = answer.bytes_in_utf8().await?;
    let broken = || malformed(&service, status);
    let next = next(&way, &asked, &got, &headers, &body);
    let next = next.map(|next| next.ok_or_else(broken));
    // GitHub's response for an empty list of some kinds.
    if status == StatusCode::NO_CONTENT {
        return Ok(Page { content: None, next });
    }
    Ok(Page { content: Some(from_json(&body).ok_or_else(broken)?), next })
}

/// The URL of the next page: `Some(None)` if it is malformed.
fn next(
    way: &Way,
    asked: &Url,
    got: &Url,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Option<Url>> {
    match way {
        Way::Header => link::next_page(headers).map(|target| got.join(&target).ok()),
        Way::Member(path) => {
            let target = value(path, body)?;
            Some(got.join(&target).ok())
        }
        Way::Cursor(path, parameter) => {
            let cursor = value(path, body)?;
            let mut url = asked.clone();
            let others: Vec<_> =
                asked.query_pairs().filter(|(name, _)| name != parameter).collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair(parameter, &cursor);
            Some(Some(url))
        }
        Way::Malformed => None,
    }
}

/// The text or number at this path; `None` if it ends the list.
fn value(path: &MemberPath, body: &Bytes) -> Option<String> {
    let json = path.as_written(std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}'))?;
    let text = match json.as_bytes() {
        [b'"', ..] => serde_json::from_str(json).ok()?,
        [b'-' | b'0'..=b'9', ..] => json.to_owned(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}
