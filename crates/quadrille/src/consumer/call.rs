//! One call of a service's API, from request to response.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    consumer::error::{Error, OperatorError, Result, ServiceError},
    form::FormWriter,
    loopback::is_secure,
    oauth2::answer,
    transport::{Body, NetworkError, Purpose, SendError},
};

use super::{
    account::{Stored, Token},
    dance::Dance,
    exchange::{USER_AGENT, retry_after},
    flights::YOUNG,
    held::Held,
    revoked::verdict,
};

/// The default timeout for a response's headers.
const DEADLINE: Duration = Duration::from_secs(30);
/// The limit in bytes of a body that is read whole.
const WHOLE_LIMIT: usize = 16 * 1024 * 1024;
/// The limit in bytes of an error's body; the rest is dropped.
const ERROR_LIMIT: usize = 64 * 1024;
const MOST_REDIRECTS: usize = 5;
/// Windows writes this before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

    /// Sets the body: bytes, or a [`Body::stream`], which cannot be sent again: neither a redirect
    /// nor a 401 is followed by another attempt. After a 401 the token is refreshed for the next
    /// call, and this one returns [`Error::Api`].
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = Ok(body.into());
        self
    }

    /// Sets the timeout for the response's headers; 30 seconds by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Lets this call send its token to another origin than the service's API. Gives up: the server
    /// there can act as the user.
    pub fn send_token_to_another_origin(mut self) -> Self {
        self.any_origin = true;
        self
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
        let service = Arc::clone(&self.held.registered().name);
        let Whole { status, bytes } = self.whole().await?;
        let text = match bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes) {
            b"" => b"null",
            text => text,
        };
        serde_json::from_slice(text)
            .map_err(|_| Error::service(&service, ServiceError::Malformed { status }))
    }

    /// Sends the call and reads the whole body, at most 16 MiB.
    ///
    /// # Errors
    /// See [`Api::get`](crate::consumer::Api::get).
    pub async fn bytes(self) -> Result<Bytes> {
        Ok(self.whole().await?.bytes)
    }

    /// Sends the call and reads the whole body, which may say that the call failed.
    async fn whole(self) -> Result<Whole> {
        let (held, deadline) = (self.held.clone(), self.deadline);
        let registered = held.registered();
        let answer = self.send().await?;
        let (status, headers) = (answer.status, answer.headers.clone());
        let bytes = whole(&registered.name, answer, deadline).await?;
        let says_no = |flag: &str| {
            let members = answer::members(&answer::text(&bytes));
            members.is_some_and(|members| members.get(flag) == Some(&false.into()))
        };
        if registered.spec.failure_flag.as_deref().is_some_and(says_no) {
            let mut answer = Response::new(bytes);
            (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
            return Err(error(&held, answer));
        }
        Ok(Whole { status, bytes })
    }

    /// Sends the call. The body is a stream without a limit, in the `Content-Encoding` of the
    /// service (`json` and `bytes` decode gzip and deflate).
    ///
    /// An idempotent request is sent again if its connection breaks before the response: the
    /// service may close a kept-alive connection at that moment.
    ///
    /// # Errors
    /// See [`Api::get`](crate::consumer::Api::get).
    pub async fn send(self) -> Result<Answer> {
        let Self { held, method, url, query, mut headers, body, purpose, deadline, any_origin } =
            self;
        let mut url = url?;
        let mut body = Some(body?);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        let origin = match any_origin {
            true => url.origin(),
            false => held.registered().api_of(&held.stored().token)?.origin(),
        };
        if url.origin() != origin || !is_secure(&url) {
            return Err(OperatorError::ForeignOrigin.into());
        }
        for (name, value) in &held.registered().call_headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let service = &held.registered().name;
        let mut sending = Sending { held: &held, method, url, headers, purpose, deadline };
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
            match answer.status {
                StatusCode::UNAUTHORIZED
                    if refused.is_none() && body.is_some() && can_refresh(&held, &stored) =>
                {
                    refused = Some(stored.token.access_token);
                }
                StatusCode::UNAUTHORIZED if refused.is_none() && can_refresh(&held, &stored) => {
                    let answer = whole_error(answer, deadline).await;
                    // For the next call; it tries for itself if this does not work.
                    return match held.usable(None, Some(&stored.token.access_token)).await {
                        Err(not_linked @ Error::NotLinked(_)) => Err(not_linked),
                        _ => Err(error(&held, answer)),
                    };
                }
                StatusCode::UNAUTHORIZED if refused.is_none() && sending.is_its_own(&stored) => {
                    let answer = whole_error(answer, deadline).await;
                    if !sending.is_revoked(&stored, &answer).await {
                        return Err(error(&held, answer));
                    }
                    // Linked again meanwhile, or marked so that it will be.
                    held.is_revoked(&stored).await?;
                    if body.is_none() {
                        return Err(error(&held, answer));
                    }
                    refused = Some(stored.token.access_token);
                }
                status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                    redirects += 1;
                    let next = answer
                        .headers
                        .get(header::LOCATION)
                        .and_then(|location| location.to_str().ok())
                        .and_then(|location| sending.url.join(location).ok())
                        .filter(|url| url.origin() == origin && redirects <= MOST_REDIRECTS);
                    let Some(next) = next else {
                        return Err(Error::service(service, ServiceError::Redirected));
                    };
                    sending.url = next;
                    if !sending.method.is_safe() && !matches!(status.as_u16(), 307 | 308) {
                        sending.method = Method::GET;
                        sending.headers.remove(header::CONTENT_TYPE);
                        body = Some(Body::default());
                    }
                    if body.is_none() {
                        return Err(Error::service(service, ServiceError::Redirected));
                    }
                }
                status if status.is_client_error() || status.is_server_error() => {
                    return Err(error(&held, whole_error(answer, deadline).await));
                }
                _ => return Ok(answer),
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A response of an API with an unread body.
///
/// ```
/// use http::Method;
/// use quadrille::{Result, consumer::{Answer, Api}};
///
/// async fn archive(github: &Api) -> Result<Answer> {
///     let answer = github.request(Method::GET, "repos/ada/engine/tarball").send().await?;
///     println!("{:?}", answer.headers.get("content-length"));
///     Ok(answer)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status, which is not an error.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: a [`Stream`](futures_core::Stream) of bytes.
    pub body: Body,
}

/// A response with its whole body.
struct Whole {
    status: StatusCode,
    bytes: Bytes,
}

struct Sending<'a> {
    held: &'a Held,
    method: Method,
    url: Url,
    headers: HeaderMap,
    purpose: Purpose,
    deadline: Duration,
}

impl Sending<'_> {
    fn request(&self, token: &Token, body: Body) -> Result<Request<Body>> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.as_str().parse().map_err(|_| OperatorError::CallMalformed)?;
        *request.headers_mut() = self.headers.clone();
        match &self.held.registered().dance {
            Dance::OAuth2(dance) => {
                let value = dance.authorization(&token.access_token);
                let value = value.ok_or(OperatorError::CallMalformed)?;
                request.headers_mut().insert(header::AUTHORIZATION, value);
                Ok(request)
            }
            // Each attempt is a new request with a nonce of its own.
            Dance::OAuth1(dance) => {
                Ok(dance.sign_call(&self.held.login().0.env, request, token)?)
            }
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, Unanswered> {
        let ready = self.held.login().ready().map_err(Unanswered::NotSent)?;
        let sending = ready.site.http.send(request, self.purpose);
        let answer = tokio::time::timeout(self.deadline, sending).await;
        let answer =
            answer.unwrap_or(Err(NetworkError::TimedOut.into())).map_err(Unanswered::Network)?;
        let (parts, body) = answer.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    fn failed(&self, unanswered: Unanswered) -> Error {
        match unanswered {
            Unanswered::NotSent(error) => error,
            Unanswered::Network(error) => Error::network(&self.held.registered().name, error),
        }
    }

    /// Whether a 401 comes from the service itself and concerns a stored account's current token.
    fn is_its_own(&self, stored: &Stored) -> bool {
        let api = self.held.registered().api_of(&stored.token);
        let is_the_services = api.is_ok_and(|api| api.origin() == self.url.origin());
        self.held.is_kept() && is_the_services && stored.token.refresh_token.is_none()
    }

    /// Whether the service no longer accepts this token.
    async fn is_revoked(&self, stored: &Stored, answer: &Response<Bytes>) -> bool {
        let registered = self.held.registered();
        let verdict = verdict(&registered.dance, answer);
        let is_young = is_young(self.held, stored);
        let second = match registered.identity_of(stored) {
            Ok(Some((url, _))) if verdict.wants_confirmation(is_young) => {
                let (method, json) = registered.identity_request();
                let mut headers = registered.call_headers.clone();
                for name in [header::USER_AGENT, header::ACCEPT] {
                    if let Some(value) = self.headers.get(&name) {
                        headers.insert(name, value.clone());
                    }
                }
                if !json.is_empty() {
                    let kind = HeaderValue::from_static("application/json");
                    headers.insert(header::CONTENT_TYPE, kind);
                }
                let (purpose, deadline) = (Purpose::Identity, self.deadline);
                let asking = Sending { held: self.held, method, url, headers, purpose, deadline };
                let status = match asking.request(&stored.token, Body::Whole(json)) {
                    Ok(request) => asking.exchange(request).await.ok().map(|answer| answer.status),
                    Err(_) => None,
                };
                // A failed request confirms nothing.
                Some(status.unwrap_or(StatusCode::BAD_GATEWAY))
            }
            _ => None,
        };
        verdict.is_end(second, is_young)
    }
}

/// The reason why there is no response.
enum Unanswered {
    NotSent(Error),
    Network(SendError),
}

impl Unanswered {
    fn is_interrupted(&self) -> bool {
        matches!(self, Self::Network(error) if error.reason == NetworkError::Interrupted)
    }
}

fn can_refresh(held: &Held, stored: &Stored) -> bool {
    held.is_kept() && stored.token.refresh_token.is_some() && !is_young(held, stored)
}

/// Whether the service gave the token just now. One from the future is not: the clock went back.
fn is_young(held: &Held, stored: &Stored) -> bool {
    let (now, obtained) = (held.login().0.env.now(), stored.token.obtained);
    obtained <= now && now.since(obtained) < YOUNG
}

/// A copy for another attempt; `None` for a stream.
fn again(body: &mut Option<Body>) -> Option<Body> {
    match body {
        Some(Body::Whole(bytes)) => Some(Body::Whole(bytes.clone())),
        _ => None,
    }
}

/// The decompressed body of a response.
async fn whole(service: &Arc<str>, answer: Answer, deadline: Duration) -> Result<Bytes> {
    let Answer { status, headers, body } = answer;
    match tokio::time::timeout(deadline, body.collect_decoded(&headers, WHOLE_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(error.at(service, status)),
        Err(_) => Err(Error::network(service, NetworkError::TimedOut)),
    }
}

/// A response with an error status and the beginning of its body.
async fn whole_error(answer: Answer, deadline: Duration) -> Response<Bytes> {
    let Answer { status, headers, body } = answer;
    let body = tokio::time::timeout(deadline, body.head_decoded(&headers, ERROR_LIMIT)).await;
    let mut whole = Response::new(body.unwrap_or_default());
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    whole
}

fn error(held: &Held, answer: Response<Bytes>) -> Error {
    Error::Api {
        service: Arc::clone(&held.registered().name),
        status: answer.status(),
        retry_after: retry_after(answer.headers(), held.login().0.env.now()),
        body: answer.into_body(),
    }
}
