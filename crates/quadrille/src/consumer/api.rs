//! Calls of a service's API.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    Secret,
    error::{Error, NetworkFault, NotLinked, NotLinkedReason, OperatorFault, Result, ServiceFault},
    oauth2::bearer,
};

use super::{
    account::{Account, Owner, Stored, Token},
    cookies::Jar,
    http::{Body, Purpose},
    login::{Login, Registered, is_secure},
    refresh::{MARGIN, NoToken, YOUNG},
};

pub(crate) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("quadrille/", env!("CARGO_PKG_VERSION")));
/// How long until an answer's headers must be there, unless a call says otherwise.
const DEADLINE: Duration = Duration::from_secs(30);
/// What an answer that is read whole may hold.
const WHOLE_LIMIT: usize = 16 * 1024 * 1024;
/// What is kept of the body of an error.
const ERROR_LIMIT: usize = 64 * 1024;
const MOST_REDIRECTS: usize = 5;

/// A service's API, called with one account's token.
///
/// Paths are joined to the service's base (`user` and `/user` are the same, and the base's own path
/// is kept). The token goes to the service's origin only. It is refreshed before it ends, and once
/// when the service does not take it.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    login: Login,
    registered: Arc<Registered>,
    stored: Mutex<Stored>,
    jar: Option<Jar>,
    /// Whether the account is in the storage, so that its token can be refreshed.
    kept: bool,
    wanted: Wanted,
}

/// Where a visitor was, for the way back after a login.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) next: String,
    pub(crate) navigation: bool,
}

impl Api {
    pub(crate) fn new(
        login: &Login,
        registered: &Arc<Registered>,
        stored: Stored,
        jar: Option<Jar>,
        wanted: Wanted,
    ) -> Self {
        Self(Arc::new(Inner {
            login: login.clone(),
            registered: Arc::clone(registered),
            stored: Mutex::new(stored),
            jar,
            kept: true,
            wanted,
        }))
    }

    /// With a token that is not kept (yet).
    pub(crate) fn unstored(
        login: &Login,
        registered: &Arc<Registered>,
        owner: &Owner,
        token: Token,
    ) -> Self {
        let account = Account {
            owner: owner.clone(),
            service: Arc::clone(&registered.name),
            subject: "".into(),
        };
        let stored = Stored { account, token, version: 0, needs_linking_again: false };
        Self(Arc::new(Inner {
            login: login.clone(),
            registered: Arc::clone(registered),
            stored: Mutex::new(stored),
            jar: None,
            kept: false,
            wanted: Wanted::default(),
        }))
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.0.registered.name
    }

    /// Asks for `path` and reads the JSON of the answer.
    ///
    /// ```
    /// # use quadrille::{GitHub, Linked, Result};
    /// async fn stars(github: &Linked<GitHub>, owner: &str, name: &str) -> Result<u64> {
    ///     #[derive(serde::Deserialize)]
    ///     struct Repository { stargazers_count: u64 }
    ///     // Segments in an array are encoded, whatever is in them.
    ///     let repository: Repository = github.get(["repos", owner, name]).await?;
    ///     Ok(repository.stargazers_count)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Api`] when the answer is an error, and what a login may run into.
    pub async fn get<T: DeserializeOwned>(&self, path: impl ApiPath) -> Result<T> {
        self.request(Method::GET, path).json().await
    }

    /// Posts `body` as JSON, and reads the JSON of the answer (`()` for none).
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: impl ApiPath,
        body: &impl Serialize,
    ) -> Result<T> {
        self.request(Method::POST, path).json_body(body).json().await
    }

    /// Puts `body` as JSON, and reads the JSON of the answer (`()` for none).
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: impl ApiPath,
        body: &impl Serialize,
    ) -> Result<T> {
        self.request(Method::PUT, path).json_body(body).json().await
    }

    /// Patches with `body` as JSON, and reads the JSON of the answer (`()` for none).
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: impl ApiPath,
        body: &impl Serialize,
    ) -> Result<T> {
        self.request(Method::PATCH, path).json_body(body).json().await
    }

    /// Deletes `path`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn delete(&self, path: impl ApiPath) -> Result<()> {
        self.request(Method::DELETE, path).send().await.map(|_| ())
    }

    /// A call of any kind, built step by step.
    pub fn request(&self, method: Method, path: impl ApiPath) -> Call {
        Call {
            api: self.clone(),
            method,
            url: path.join_to(&self.0.registered.api),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Ok(Body::default()),
            purpose: Purpose::Api,
            deadline: DEADLINE,
            any_origin: false,
        }
    }

    /// A fresh access token, for other SDKs and clients. Look where it goes.
    ///
    /// # Errors
    /// [`Error::NotLinked`] when there is none to be had, and what a refresh may run into.
    pub async fn access_token(&self) -> Result<Secret> {
        Ok(self.usable(MARGIN, None).await?.token.access_token)
    }

    pub(crate) fn login(&self) -> &Login {
        &self.0.login
    }

    pub(crate) fn registered(&self) -> &Arc<Registered> {
        &self.0.registered
    }

    pub(crate) fn jar(&self) -> Option<&Jar> {
        self.0.jar.as_ref()
    }

    pub(crate) fn stored(&self) -> Stored {
        self.0.stored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The account with a token good for `margin`.
    pub(crate) async fn usable(
        &self,
        margin: Duration,
        refused: Option<&Secret>,
    ) -> Result<Stored> {
        let Inner { login, registered, jar, .. } = &*self.0;
        let stored = self.stored();
        if !self.0.kept {
            return Ok(stored);
        }
        let version = stored.version;
        match login.usable(jar.as_ref(), registered, stored, margin, refused).await {
            Ok(stored) => {
                if stored.version != version {
                    *self.0.stored.lock().unwrap_or_else(PoisonError::into_inner) = stored.clone();
                }
                Ok(stored)
            }
            Err(no_token) => Err(no_token.into_error(login, registered, &self.0.wanted)),
        }
    }
}

impl NoToken {
    pub(crate) fn into_error(
        self,
        login: &Login,
        registered: &Arc<Registered>,
        wanted: &Wanted,
    ) -> Error {
        let reason = match self {
            Self::Failed(error) => return error,
            Self::NeedsLinkingAgain => NotLinkedReason::NeedsLinkingAgain,
            Self::Expired => NotLinkedReason::Expired,
            Self::Gone => NotLinkedReason::Missing,
        };
        not_linked(login, registered, wanted, reason, "")
    }
}

/// The error that sends a visitor to log in.
pub(crate) fn not_linked(
    login: &Login,
    registered: &Arc<Registered>,
    wanted: &Wanted,
    reason: NotLinkedReason,
    scopes: &str,
) -> Error {
    Error::NotLinked(Box::new(NotLinked {
        service: Arc::clone(&registered.name),
        login_url: login.login_path(registered, &wanted.next, scopes),
        navigation: wanted.navigation,
        reason,
    }))
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("service", &self.0.registered.name).finish_non_exhaustive()
    }
}

/// What names a resource of an API: a path as text, which is taken as it is, or its segments in an
/// array, which are encoded.
pub trait ApiPath {
    /// The URL of the resource below `base`, whose path ends in a slash.
    ///
    /// # Errors
    /// [`OperatorFault::CallMalformed`].
    fn join_to(self, base: &Url) -> Result<Url, OperatorFault>;
}

impl ApiPath for &str {
    fn join_to(self, base: &Url) -> Result<Url, OperatorFault> {
        if self.starts_with("https://") || self.starts_with("http://") {
            return Url::parse(self).map_err(|_| OperatorFault::CallMalformed);
        }
        // The dot keeps a colon in the first segment from being a scheme.
        let relative = ["./", self.trim_start_matches(['/', '\\'])].concat();
        base.join(&relative).map_err(|_| OperatorFault::CallMalformed)
    }
}

impl ApiPath for String {
    fn join_to(self, base: &Url) -> Result<Url, OperatorFault> {
        self.as_str().join_to(base)
    }
}

impl ApiPath for &String {
    fn join_to(self, base: &Url) -> Result<Url, OperatorFault> {
        self.as_str().join_to(base)
    }
}

impl ApiPath for &[&str] {
    fn join_to(self, base: &Url) -> Result<Url, OperatorFault> {
        let mut url = base.clone();
        // A dot segment would climb out of the path, encoded or not.
        if self.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(OperatorFault::CallMalformed);
        }
        url.path_segments_mut()
            .map_err(|()| OperatorFault::CallMalformed)?
            .pop_if_empty()
            .extend(self.iter());
        Ok(url)
    }
}

impl<const N: usize> ApiPath for [&str; N] {
    fn join_to(self, base: &Url) -> Result<Url, OperatorFault> {
        self.as_slice().join_to(base)
    }
}

/// One call, before it is sent.
#[must_use = "a call is sent by `send`, `json` or `bytes`"]
pub struct Call {
    api: Api,
    method: Method,
    url: Result<Url, OperatorFault>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Result<Body, OperatorFault>,
    purpose: Purpose,
    deadline: Duration,
    any_origin: bool,
}

impl Call {
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
            _ => self.body = Err(OperatorFault::CallMalformed),
        }
        self
    }

    /// Sends `body` as JSON.
    pub fn json_body(mut self, body: &impl Serialize) -> Self {
        self.body = match serde_json::to_vec(body) {
            Ok(json) => Ok(Bytes::from(json).into()),
            Err(_) => Err(OperatorFault::CallMalformed),
        };
        self.header(header::CONTENT_TYPE, "application/json")
    }

    /// Sends the pairs as a form.
    pub fn form_body<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut writer = crate::oauth2::form::FormWriter::new();
        for (name, value) in pairs {
            writer.append(name, value);
        }
        self.body = Ok(Bytes::from(writer.finish()).into());
        self.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// Sends these bytes, or a [`Body::stream`] (which cannot be sent a second time, so that
    /// neither a 401 nor a redirect is followed by another try).
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = Ok(body.into());
        self
    }

    /// How long until the answer's headers must be there: 30 seconds unless set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Lets this call, and its token with it, go to another origin than the service's API. What is
    /// given up: whoever answers there can act as the visitor.
    pub fn send_token_to_another_origin(mut self) -> Self {
        self.any_origin = true;
        self
    }

    pub(crate) fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Sends it and reads the JSON of the answer. An empty answer reads as `null`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let (service, deadline) = (Arc::clone(&self.api.0.registered.name), self.deadline);
        let answer = self.send().await?;
        let status = answer.status;
        let bytes = whole(&service, answer.body, deadline).await?;
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(text)
            .map_err(|_| Error::service(&service, ServiceFault::Malformed { status }))
    }

    /// Sends it and reads the answer whole, 16 MiB at most.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn bytes(self) -> Result<Bytes> {
        let (service, deadline) = (Arc::clone(&self.api.0.registered.name), self.deadline);
        whole(&service, self.send().await?.body, deadline).await
    }

    /// Sends it. The body of the answer comes as it is read, however long it is.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn send(self) -> Result<Answer> {
        let Self { api, method, url, query, mut headers, body, purpose, deadline, any_origin } =
            self;
        let mut url = url?;
        let mut body = Some(body?);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        let origin = if any_origin { url.origin() } else { api.0.registered.api.origin() };
        if url.origin() != origin || !is_secure(&url) {
            return Err(OperatorFault::ForeignOrigin.into());
        }
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let service = &api.0.registered.name;
        let mut sending = Sending { api: &api, method, url, headers, purpose };
        let mut refused = None;
        let mut redirects = 0;
        loop {
            let stored = api.usable(MARGIN, refused.as_ref()).await?;
            let again = again(&mut body);
            let request = sending.request(&stored.token, body.take().unwrap_or_default())?;
            let answer = sending.exchange(request, deadline).await?;
            body = again;
            match answer.status {
                StatusCode::UNAUTHORIZED
                    if refused.is_none() && body.is_some() && can_refresh(&api, &stored) =>
                {
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
                        return Err(Error::service(service, ServiceFault::Redirected));
                    };
                    sending.url = next;
                    if !sending.method.is_safe() && !matches!(status.as_u16(), 307 | 308) {
                        sending.method = Method::GET;
                        sending.headers.remove(header::CONTENT_TYPE);
                        body = Some(Body::default());
                    }
                    if body.is_none() {
                        return Err(Error::service(service, ServiceFault::Redirected));
                    }
                }
                status if status.is_client_error() || status.is_server_error() => {
                    return Err(error(service, answer, deadline).await);
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

/// An answer of an API, its body not read yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// A status that is no error.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: a [`Stream`](futures_core::Stream) of bytes.
    pub body: Body,
}

struct Sending<'a> {
    api: &'a Api,
    method: Method,
    url: Url,
    headers: HeaderMap,
    purpose: Purpose,
}

impl Sending<'_> {
    fn request(&self, token: &Token, body: Body) -> Result<Request<Body>> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.as_str().parse().map_err(|_| OperatorFault::CallMalformed)?;
        *request.headers_mut() = self.headers.clone();
        let bearer = bearer::header(&token.access_token).ok_or(OperatorFault::CallMalformed)?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        Ok(request)
    }

    async fn exchange(&self, request: Request<Body>, deadline: Duration) -> Result<Answer> {
        let Inner { login, registered, .. } = &*self.api.0;
        let sending = login.ready()?.http.send(request, self.purpose);
        let answer = tokio::time::timeout(deadline, sending).await;
        let answer = answer
            .unwrap_or(Err(NetworkFault::TimedOut))
            .map_err(|fault| Error::Network { service: Arc::clone(&registered.name), fault })?;
        let (parts, body) = answer.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

fn can_refresh(api: &Api, stored: &Stored) -> bool {
    let age = api.0.login.0.env.now().since(stored.token.obtained);
    api.0.kept && stored.token.refresh_token.is_some() && age >= YOUNG
}

/// A copy for another try; a stream has none.
fn again(body: &mut Option<Body>) -> Option<Body> {
    match body {
        Some(Body::Whole(bytes)) => Some(Body::Whole(bytes.clone())),
        _ => None,
    }
}

async fn whole(service: &Arc<str>, body: Body, deadline: Duration) -> Result<Bytes> {
    match tokio::time::timeout(deadline, body.collect(WHOLE_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(error.at(service)),
        Err(_) => {
            Err(Error::Network { service: Arc::clone(service), fault: NetworkFault::TimedOut })
        }
    }
}

async fn error(service: &Arc<str>, answer: Answer, deadline: Duration) -> Error {
    let retry_after = answer
        .headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let body = tokio::time::timeout(deadline, answer.body.head(ERROR_LIMIT)).await;
    Error::Api {
        service: Arc::clone(service),
        status: answer.status,
        retry_after,
        body: body.unwrap_or_default(),
    }
}
