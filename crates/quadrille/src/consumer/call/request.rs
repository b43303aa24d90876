//! A call, from request to response.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use url::{Origin, Url};

use crate::{
    consumer::{
        error::{Error, OperatorError, Result, ServiceError},
        exchange::{USER_AGENT, retry_after},
        refresh::held::Held,
    },
    form::FormWriter,
    loopback::is_secure,
    transport::{Body, Purpose},
};

use super::{
    answer::{Answer, failure},
    multipart::Multipart,
    sending::{DEADLINE, Sending, can_refresh},
};

const MOST_REDIRECTS: usize = 5;
/// The shortest wait before another attempt, so that "at once" does not become a storm.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// One call, before it is sent.
///
/// ```
/// use http::Method;
/// use quadrille::{Result, consumer::Api};
///
/// async fn repositories(github: &Api) -> Result<Vec<serde_json::Value>> {
///     github.request(Method::GET, "user/repos").query("per_page", 100).json().await
/// }
/// ```
#[must_use = "a call is sent by `send`, `json` or `bytes`"]
pub struct Call {
    held: Held,
    method: Method,
    url: Result<Url, OperatorError>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Result<Body, OperatorError>,
    purpose: Purpose,
    deadline: Duration,
    any_origin: bool,
    any_status: bool,
    fail_fast: bool,
    token_in_body: bool,
    /// The longest time to wait for a service that asks for it.
    patience: Duration,
}

impl Call {
    pub(crate) fn new(held: Held, method: Method, url: Result<Url, OperatorError>) -> Self {
        Self {
            held,
            method,
            url,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Ok(Body::default()),
            purpose: Purpose::Api,
            deadline: DEADLINE,
            any_origin: false,
            any_status: false,
            fail_fast: false,
            token_in_body: false,
            patience: Duration::ZERO,
        }
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Sets a header.
    pub fn header(
        mut self,
        name: impl TryInto<HeaderName>,
        value: impl TryInto<HeaderValue>,
    ) -> Self {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.body = Err(OperatorError::CallMalformed),
        }
        self
    }

    /// Sends `body` as JSON.
    pub fn json_body(mut self, body: &impl Serialize) -> Self {
        self.body = match serde_json::to_vec(body) {
            Ok(json) => Ok(Bytes::from(json).into()),
            Err(_) => Err(OperatorError::CallMalformed),
        };
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// Sends the pairs as a form.
    pub fn form_body<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut writer = FormWriter::new();
        for (name, value) in pairs {
            writer.append(name, value);
        }
        self.body = Ok(Bytes::from(writer.finish()).into());
        self.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// Sends a form with files: `multipart/form-data` (RFC 7578).
    pub fn multipart_body(mut self, form: Multipart) -> Self {
        // Random, so that no part contains it, even one that streams.
        let random = u128::from_be_bytes(self.held.login().0.env.random());
        let boundary = format!("quadrille-{random:032x}");
        let length;
        (self.body, length) = match form.finish(&boundary) {
            Ok((body, length)) => (Ok(body), length),
            Err(error) => (Err(error), None),
        };
        self.headers.remove(header::CONTENT_LENGTH);
        if let Some(length) = length {
            self.headers.insert(header::CONTENT_LENGTH, length.into());
        }
        self.header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
    }

    /// Sets the body: bytes, or a [`Body::stream`], which cannot be sent again: neither a redirect
    /// nor a 401 is followed by another attempt. After a 401 the token is refreshed for the next
    /// call, and this one returns [`Error::Api`].
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::Method;
    /// use quadrille::{Result, consumer::Api};
    ///
    /// async fn avatar(album: &Api, png: Bytes) -> Result<()> {
    ///     let call = album.request(Method::PUT, "me/avatar").header("content-type", "image/png");
    ///     call.body(png).json().await
    /// }
    /// ```
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = Ok(body.into());
        self
    }

    /// Sets the timeout for the response's headers; 30 seconds by default. The body is sent in this
    /// time, so a long upload needs more.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Returns a response with an error status as an [`Answer`], with all its headers, instead of
    /// as [`Error::Api`], and one whose body says that the call failed, too
    /// ([`Spec::failure_flag`](crate::Spec::failure_flag)). A 401 remains an error: it concerns the
    /// token.
    ///
    /// ```
    /// use http::{Method, StatusCode};
    /// use quadrille::{Result, consumer::Api};
    ///
    /// async fn exists(github: &Api, repository: &str) -> Result<bool> {
    ///     let call = github.request(Method::HEAD, ["repos", "ada", repository]);
    ///     Ok(call.any_status().send().await?.status != StatusCode::NOT_FOUND)
    /// }
    /// ```
    pub fn any_status(mut self) -> Self {
        self.any_status = true;
        self
    }

    /// Waits and sends the call again if the service asks for that: a response with 429, 503 or 403
    /// and a `Retry-After` (RFC 9110, section 10.2.3), in seconds or as a date. It waits for
    /// `longest` in all; if the service asks for more, or does not say how long, the call returns
    /// [`Error::Api`] at once. A stream is not sent again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http::Method;
    /// use quadrille::{Result, consumer::Api};
    ///
    /// async fn export(shop: &Api) -> Result<serde_json::Value> {
    ///     shop.request(Method::GET, "orders").retry_after(Duration::from_secs(60)).json().await
    /// }
    /// ```
    pub fn retry_after(mut self, longest: Duration) -> Self {
        self.patience = longest;
        self
    }

    /// Returns [`ServiceError::Down`] at once, and sends nothing, if the service was down a moment
    /// ago: for an extra on a page, which must not make the page slow.
    ///
    /// A service is down if no connection succeeds, if it does not respond to a GET within 30
    /// seconds, or if it responds with 503. The pause after the first failure is one second; it
    /// doubles with each further one up to a minute, or has the length that the service asks for
    /// (`Retry-After`, up to five minutes). Any other response ends it. Calls without this option
    /// are always sent.
    ///
    /// ```
    /// use http::Method;
    /// use quadrille::{Error, Result, consumer::{Api, ServiceError}};
    ///
    /// async fn news(blog: &Api) -> Result<Option<serde_json::Value>> {
    ///     match blog.request(Method::GET, "news").fail_fast().json().await {
    ///         Err(Error::Service { error: ServiceError::Down { .. }, .. }) => Ok(None),
    ///         news => news.map(Some),
    ///     }
    /// }
    /// ```
    pub fn fail_fast(mut self) -> Self {
        self.fail_fast = true;
        self
    }

    /// Lets this call send its token to another origin than the service's API. Gives up: the server
    /// there can act as the user.
    pub fn send_token_to_another_origin(mut self) -> Self {
        self.any_origin = true;
        self
    }

    /// Sends the token as the body, in a form (RFC 6750, section 2.2).
    pub(crate) fn token_in_body(mut self) -> Self {
        self.token_in_body = true;
        self
    }

    /// The same call of another URL, which has its query; `None` if the body is a stream.
    pub(super) fn of_page(&self, url: Url) -> Option<Self> {
        let body = match &self.body {
            Ok(Body::Whole(bytes)) => Ok(Body::Whole(bytes.clone())),
            Ok(Body::Stream(_)) => return None,
            Err(error) => Err(error.clone()),
        };
        Some(Self {
            held: self.held.clone(),
            method: self.method.clone(),
            url: Ok(url),
            query: Vec::new(),
            headers: self.headers.clone(),
            body,
            ..*self
        })
    }

    /// The URL with its query.
    pub(super) fn target(&self) -> Result<Url, OperatorError> {
        let mut url = self.url.clone()?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// The origin that may get the token of this call of `url`.
    pub(super) fn origin(&self, url: &Url) -> Result<Origin, OperatorError> {
        if self.any_origin {
            return Ok(url.origin());
        }
        Ok(self.api()?.origin())
    }

    fn api(&self) -> Result<Url, OperatorError> {
        self.held.registered().api_of(&self.held.stored().token)
    }

    pub(super) fn service(&self) -> &Arc<str> {
        &self.held.registered().name
    }

    pub(crate) fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Sends the call and reads the response's JSON. An empty body reads as `null`.
    ///
    /// # Errors
    /// See [`Api::get`](crate::consumer::Api::get).
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.send().await?.json().await
    }

    /// Sends the call and reads the whole body, at most 16 MiB.
    ///
    /// # Errors
    /// See [`Api::get`](crate::consumer::Api::get).
    pub async fn bytes(self) -> Result<Bytes> {
        self.send().await?.bytes().await
    }

    /// Sends the call. The body is a stream without a limit, in the `Content-Encoding` of the
    /// service (the methods of [`Answer`] decode gzip and deflate).
    ///
    /// An idempotent request is sent again if its connection breaks before the response: the
    /// service may close a kept-alive connection at that moment.
    ///
    /// # Errors
    /// See [`Api::get`](crate::consumer::Api::get).
    pub async fn send(self) -> Result<Answer> {
        let url = self.target()?;
        let origin = self.origin(&url)?;
        let is_to_the_api = !self.any_origin || self.api().is_ok_and(|api| api.origin() == origin);
        let Self { held, method, mut headers, body, purpose, deadline, mut patience, .. } = self;
        let token_in_body = self.token_in_body;
        let mut body = Some(body?);
        if url.origin() != origin || !is_secure(&url) {
            return Err(OperatorError::ForeignOrigin.into());
        }
        for (name, value) in &held.registered().call_headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let service = &held.registered().name;
        let mut sending = Sending {
            held: &held,
            method,
            url,
            headers,
            purpose,
            deadline,
            is_to_the_api,
            token_in_body,
        };
        if self.fail_fast
            && is_to_the_api
            && let Some(retry_after) = held.registered().outage.left(held.login().0.env.now())
        {
            return Err(Error::service(service, ServiceError::Down { retry_after }));
        }
        // The service may say in its own way that the token is invalid.
        let has_own_sign = held.registered().has_own_sign() && !self.any_status;
        let may_mean_401 = |status: StatusCode| has_own_sign && status.is_client_error();
        let mut refused = None;
        let mut is_repeated = false;
        let mut redirects = 0;
        loop {
            let stored = held.usable(None, refused.as_ref()).await?;
            let again = again(&mut body);
            let sent = body.take().ok_or(OperatorError::CallMalformed)?;
            let request = sending.request(&stored.token, sent)?;
            let answer = match sending.exchange(request).await {
                // Usually a kept-alive connection that the service closed just now.
                Err(error)
                    if error.is_interrupted()
                        && !is_repeated
                        && again.is_some()
                        && sending.method.is_idempotent() =>
                {
                    is_repeated = true;
                    body = again;
                    continue;
                }
                Err(error) => return Err(sending.failed(error)),
                Ok(answer) => answer,
            };
            body = again;
            if body.is_some()
                && let Some(wait) = asked_wait(&held, &answer)
                && let Some(rest) = patience.checked_sub(wait)
            {
                patience = rest;
                drop(answer);
                tokio::time::sleep(wait).await;
                continue;
            }
            match answer.status {
                StatusCode::UNAUTHORIZED
                    if refused.is_none() && body.is_some() && can_refresh(&held, &stored) =>
                {
                    refused = Some(stored.token.access_token.clone());
                }
                StatusCode::UNAUTHORIZED if refused.is_none() && can_refresh(&held, &stored) => {
                    let answer = answer.beginning().await;
                    // For the next call; it tries for itself if this does not work.
                    return match held.usable(None, Some(&stored.token.access_token)).await {
                        Err(not_linked @ Error::NotLinked(_)) => Err(not_linked),
                        _ => Err(failure(&held, answer)),
                    };
                }
                status
                    if refused.is_none()
                        && (status == StatusCode::UNAUTHORIZED || may_mean_401(status))
                        && sending.is_its_own(&stored) =>
                {
                    let answer = answer.beginning().await;
                    if !sending.is_revoked(&stored, &answer).await {
                        return Err(failure(&held, answer));
                    }
                    // Linked again meanwhile, or marked so that it will be.
                    held.is_revoked(&stored).await?;
                    if body.is_none() {
                        return Err(failure(&held, answer));
                    }
                    refused = Some(stored.token.access_token.clone());
                }
                status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                    redirects += 1;
                    let next = answer
                        .headers
                        .get(header::LOCATION)
                        .and_then(|location| str::from_utf8(location.as_bytes()).ok())
                        .and_then(|location| sending.url.join(location).ok())
                        .filter(|url| url.origin() == origin && redirects <= MOST_REDIRECTS)
                        .filter(|_| !token_in_body);
                    let Some(next) = next else {
                        return Err(Error::service(service, ServiceError::Redirected));
                    };
                    sending.url = next;
                    if !sending.method.is_safe() && !matches!(status.as_u16(), 307 | 308) {
                        sending.method = Method::GET;
                        sending.headers.remove(header::CONTENT_TYPE);
                        sending.headers.remove(header::CONTENT_LENGTH);
                        body = Some(Body::default());
                    }
                    if body.is_none() {
                        return Err(Error::service(service, ServiceError::Redirected));
                    }
                }
                status
                    if (status.is_client_error() || status.is_server_error())
                        && (!self.any_status || status == StatusCode::UNAUTHORIZED) =>
                {
                    return Err(failure(&held, answer.beginning().await));
                }
                _ => return Ok(if self.any_status { answer.unchecked() } else { answer }),
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A copy for another attempt; `None` for a stream.
fn again(body: &mut Option<Body>) -> Option<Body> {
    match body {
        Some(Body::Whole(bytes)) => Some(Body::Whole(bytes.clone())),
        _ => None,
    }
}

/// The delay before another attempt that the service asks for.
fn asked_wait(held: &Held, answer: &Answer) -> Option<Duration> {
    // 403 is how GitHub limits calls.
    let is_refusal = matches!(
        answer.status,
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let asked = retry_after(&answer.headers, held.login().0.env.now());
    asked.filter(|_| is_refusal).map(|asked| asked.max(SHORTEST_WAIT))
}
