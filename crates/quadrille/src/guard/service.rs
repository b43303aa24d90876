//! The guard of an API: it checks access tokens and signed requests.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header, request::Parts, uri};
use http_body::Body;
use tower::{Layer, Service};

use crate::{
    oauth1::SignedRequest,
    oauth2::{InvalidResource, bearer, metadata::ResourceMetadata},
    public_uri,
};

#[cfg(feature = "http-client")]
use super::trust::Trust;
use super::{
    authority::{Authority, SignedAt},
    body::{self, BodyRead, GuardBody},
    error::AccessError,
    log,
    metadata::Published,
    refused::{Manner, Place, RefusalPage, Refused},
    signed::{Seen, body_of, read_signed, seen},
    verdict::Guarded,
    verified::Verified,
};

/// A guard of an API, which checks access tokens (RFC 6750): a tower layer in front of any service,
/// or a call of [`check`](Self::check). [`Access`](super::Access) reads its verdict.
///
/// If the server offers OAuth 1.0a, signed requests are accepted beside bearer tokens (RFC 5849,
/// section 3). The guard reads the body of a form, which the signature covers, up to 64 KiB, and
/// passes it on. The origin in the base string is one of the API's own.
///
/// The guard trusts the server in this process or, [elsewhere](Self::elsewhere), the issuer that it
/// asks. It reads tokens from the `Authorization` header only: in a query they would end up in
/// logs.
///
/// A token is valid only at the API it is for (RFC 8707). With an [`audience`](Self::audience) a
/// guard accepts tokens for that API only; without one it protects the server's own API, and
/// accepts only tokens that name none.
///
/// ```
/// use quadrille::{Env, guard::Guard, provider::{AuthorizationServer, store::MemoryStore}};
///
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .resource("https://api.example")?;
/// let api = "https://api.example";
/// let guard = Guard::new(&server).origins([api]).audience(api);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Guard(Arc<Inside>);

#[derive(Clone)]
struct Inside {
    authority: Arc<dyn Authority>,
    origins: Vec<Arc<str>>,
    audience: Option<Arc<str>>,
    metadata: Option<Published>,
    manner: Arc<Manner>,
    allows_clients: bool,
}

/// A guard that checks a request when a handler asks for an [`Access`](super::Access).
#[derive(Clone, Debug)]
pub(crate) struct Lazy(pub(crate) Guard);

impl Guard {
    /// A guard that trusts `authority`, for an API at `origin`.
    pub(crate) fn of(authority: Arc<dyn Authority>, origin: Arc<str>) -> Self {
        let manner =
            Manner { metadata: None, offers_oauth1: authority.offers_oauth1(), page: None };
        Self(Arc::new(Inside {
            authority,
            origins: vec![origin],
            audience: None,
            metadata: None,
            manner: Arc::new(manner),
            allows_clients: false,
        }))
    }

    /// A guard for an API at `origin`, which trusts an issuer elsewhere (feature `http-client`):
    /// [`Introspection`](super::Introspection) or [`JwtAccessTokens`](super::JwtAccessTokens).
    /// Without an [`audience`](Self::audience) it accepts only tokens that name no API, so no JWT.
    #[cfg(feature = "http-client")]
    pub fn elsewhere(origin: impl Into<Arc<str>>, trust: impl Into<Trust>) -> Self {
        Self::of(trust.into().0, origin.into())
    }

    /// Sets the API's own public origins, the main one first. The `Host` header may choose among
    /// them, but never adds one.
    #[must_use]
    pub fn origins<O: Into<Arc<str>>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        self.with(|inside| inside.origins = origins.into_iter().map(Into::into).collect())
    }

    /// Sets the API's URI, which clients name as `resource` (`AuthorizationServer::resource`).
    /// Tokens for other APIs, and those that name none, are refused. Withdraws the
    /// [metadata](Self::describe) of another URI.
    #[must_use]
    pub fn audience(self, uri: impl Into<Arc<str>>) -> Self {
        self.with(|inside| {
            inside.audience = Some(uri.into());
            inside.publish(None);
        })
    }

    /// Sets the API's URI, as [`audience`](Self::audience) does, and publishes its metadata (RFC
    /// 9728), so that a client can find the issuer: challenges name the URL of the document
    /// (section 5.1). The metadata name this guard's issuer, unless they name others.
    ///
    /// The document is at [`resource_metadata_url`](crate::oauth2::metadata::resource_metadata_url)
    /// of the API, outside of the API's path. In axum, `guard.routes()` has the route; elsewhere,
    /// call [`metadata`](Self::metadata).
    ///
    /// ```
    /// use quadrille::{
    ///     Env,
    ///     guard::Guard,
    ///     oauth2::metadata::ResourceMetadata,
    ///     provider::{AuthorizationServer, store::MemoryStore},
    /// };
    ///
    /// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
    ///     .resource("https://api.example/photos")?;
    /// let mut photos = ResourceMetadata::of("https://api.example/photos");
    /// photos.resource_name = Some("Photos".to_owned());
    /// let guard = Guard::new(&server).origins(["https://api.example"]).describe(photos)?;
    ///
    /// let path = "/.well-known/oauth-protected-resource/photos";
    /// let answer = guard.metadata(&http::Request::get(path).body(())?).expect("it is there");
    /// assert_eq!(answer.status(), 200);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidResource`] unless the API's URI is an `http` or `https` URL without a fragment.
    pub fn describe(self, metadata: ResourceMetadata) -> Result<Self, InvalidResource> {
        let audience = metadata.resource.as_str().into();
        let published = Published::new(metadata, self.0.authority.issuer())?;
        Ok(self.with(|inside| {
            inside.audience = Some(audience);
            inside.publish(Some(published));
        }))
    }

    /// Sets the page for refused requests, in the application's own form. The guard sets the status
    /// and the challenges; the page has the body and its headers.
    ///
    /// ```
    /// use http::{HeaderValue, Response, header::CONTENT_TYPE};
    /// use quadrille::guard::Guard;
    ///
    /// fn with_page(guard: Guard) -> Guard {
    ///     guard.refusal_page(|refused| {
    ///         let json = serde_json::json!({ "problem": refused.error().to_string() });
    ///         let mut page = Response::new(json.to_string().into());
    ///         let json = HeaderValue::from_static("application/json");
    ///         page.headers_mut().insert(CONTENT_TYPE, json);
    ///         page
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn refusal_page(
        self,
        page: impl Fn(&Refused) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.page(Some(Arc::new(page)))
    }

    pub(crate) fn page(self, page: Option<RefusalPage>) -> Self {
        self.with(|inside| Arc::make_mut(&mut inside.manner).page = page)
    }

    /// The response to a request for the API's metadata, to preflight requests of browsers, too.
    /// `None` for a request to another URL, or of a guard that has no metadata.
    pub fn metadata<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        self.0.metadata.as_ref()?.answer(request)
    }

    /// The path of the API's metadata.
    #[cfg(feature = "axum")]
    pub(crate) fn metadata_path(&self) -> Option<&str> {
        self.0.metadata.as_ref().map(Published::path)
    }

    /// Accepts requests signed without a token (OAuth 1.0a, "two-legged"), from clients that may
    /// act for themselves
    /// ([`GrantType::ClientCredentials`](crate::provider::GrantType::ClientCredentials)). The actor
    /// is then an [`Actor::Client`](crate::Actor::Client). A guard [elsewhere](Self::elsewhere) can
    /// ask about tokens only, and refuses such requests.
    #[must_use]
    pub fn allow_clients_that_sign_for_themselves_without_a_token(self) -> Self {
        self.with(|inside| inside.allows_clients = true)
    }

    /// Checks the token of a request, or its signature if OAuth 1.0a is offered: `None` if it has
    /// neither. `body` matters only to signed requests: the whole form, or the bytes that
    /// `oauth_body_hash` covers.
    ///
    /// # Errors
    /// [`AccessError`] if the credentials are invalid.
    pub async fn check(&self, parts: &Parts, body: &[u8]) -> Result<Option<Verified>, AccessError> {
        self.check_at(&self.origin(parts), parts, Some(Ok(body))).await
    }

    async fn check_at(
        &self,
        origin: &str,
        parts: &Parts,
        body: Seen<'_>,
    ) -> Result<Option<Verified>, AccessError> {
        let found = match self.signed(parts, body)? {
            Some((signed, body)) => Some(self.check_signed(origin, parts, signed, body).await?),
            None => match presented(&parts.uri, &parts.headers)? {
                Some(token) => Some(self.0.authority.token(token).await?),
                None => None,
            },
        };
        let audience = self.0.audience.as_deref();
        found.map(|found| unbound(meant_for(audience, found)?)).transpose()
    }

    /// The signed request, if it is one and signed requests are accepted.
    fn signed<'r>(
        &self,
        parts: &'r Parts,
        body: Seen<'r>,
    ) -> Result<Option<(SignedRequest<'r>, &'r [u8])>, AccessError> {
        if !self.0.authority.offers_oauth1() {
            return Ok(None);
        }
        read_signed(parts, body).map_err(|error| {
            log::signed_at_api(&error, parts, body.and_then(Result::ok).unwrap_or(&[]));
            error.into()
        })
    }

    async fn check_signed(
        &self,
        origin: &str,
        parts: &Parts,
        signed: SignedRequest<'_>,
        body: &[u8],
    ) -> Result<Verified, AccessError> {
        let allows_clients = self.0.allows_clients;
        let request = SignedAt { parts, signed, body, origin, allows_clients };
        let checked = self.0.authority.signed(request).await;
        checked.inspect_err(|error| {
            if let AccessError::Signature(error) = error {
                log::signed_at_api(error, parts, body);
            }
        })
    }

    /// Checks a request at the path that the client signed, also within a nested router, and leaves
    /// the verdict among its extensions.
    pub(crate) async fn look(&self, parts: &mut Parts) {
        let guarded = match public_uri::of(&parts.extensions).cloned() {
            Some(public) => {
                let nested = std::mem::replace(&mut parts.uri, public);
                let guarded = self.guard(parts).await;
                parts.uri = nested;
                guarded
            }
            None => self.guard(parts).await,
        };
        parts.extensions.insert(guarded);
    }

    async fn guard(&self, parts: &Parts) -> Guarded {
        let (realm, body) = (self.origin(parts), body_of(parts));
        let verdict = self.check_at(&realm, parts, seen(&body)).await;
        Guarded { place: Place { realm, manner: self.0.manner.clone() }, verdict }
    }

    fn with(mut self, change: impl FnOnce(&mut Inside)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The origin of the request: the API's origin that the `Host` header names, else the main one.
    fn origin(&self, parts: &Parts) -> Arc<str> {
        let main = || self.0.origins.first().cloned().unwrap_or_default();
        if self.0.origins.len() < 2 {
            return main();
        }
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        // HTTP/2 has the host in the URI.
        let host = host.or(parts.uri.authority().map(uri::Authority::as_str)).unwrap_or("");
        self.0.origins.iter().find(|origin| is_at(origin, host)).cloned().unwrap_or_else(main)
    }
}

impl Inside {
    fn publish(&mut self, metadata: Option<Published>) {
        let url = metadata.as_ref().map(|metadata| metadata.url.clone());
        Arc::make_mut(&mut self.manner).metadata = url;
        self.metadata = metadata;
    }
}

/// `true` if a host, with or without its port, is that of an origin.
fn is_at(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let bare = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    bare(authority) == bare(host)
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("origins", &self.0.origins)
            .field("audience", &self.0.audience)
            .finish_non_exhaustive()
    }
}

/// The access token of a request (RFC 6750, section 2.1).
fn presented<'a>(uri: &Uri, headers: &'a HeaderMap) -> Result<Option<&'a str>, AccessError> {
    match bearer::from_headers(headers)? {
        Some(_) if in_query(uri) => Err(bearer::BearerError::Several.into()),
        token => Ok(token),
    }
}

/// Accepts a valid token that is for the API with this URI; `None` is the server's own API.
fn meant_for(audience: Option<&str>, token: Verified) -> Result<Verified, AccessError> {
    let is_meant = match audience {
        Some(uri) => token.audience().contains(uri),
        None => token.audience().is_empty(),
    };
    if is_meant {
        return Ok(token);
    }
    let error = AccessError::OtherAudience;
    log::token(&error, token.client(), ("audience", token.audience().as_str()));
    Err(error)
}

/// Refuses a token that is bound to a key (RFC 9449, section 7.2; RFC 8705, section 3): of that key
/// no proof is read.
fn unbound(token: Verified) -> Result<Verified, AccessError> {
    let Some(binding) = token.binding() else { return Ok(token) };
    let error = AccessError::Unproven;
    log::token(&error, token.client(), ("binding", &format!("{binding:?}")));
    Err(error)
}

fn in_query(uri: &Uri) -> bool {
    let Some(query) = uri.query() else { return false };
    query.split('&').any(|pair| pair.split('=').next() == Some("access_token"))
}

impl<S> Layer<S> for Guard {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { guard: self.clone(), inner }
    }
}

/// A service with a [`Guard`] in front. It refuses nothing by itself: [`Access`](super::Access)
/// reads the verdict.
///
/// ```
/// use quadrille::guard::{Guard, GuardService};
/// use tower::Layer;
///
/// fn guarded<S>(guard: &Guard, service: S) -> GuardService<S> {
///     guard.layer(service)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct GuardService<S> {
    guard: Guard,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<GuardBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready must be the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let guard = self.guard.clone();
        Box::pin(async move {
            let request = guard.with_body(request).await;
            let (mut parts, body) = request.into_parts();
            guard.look(&mut parts).await;
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}

impl Guard {
    /// Reads the body if a signature covers it and no other layer has read it.
    async fn with_body<B: Body>(&self, request: Request<B>) -> Request<GuardBody<B>> {
        let is_read = request.extensions().get::<BodyRead>().is_some();
        if is_read || !self.0.authority.offers_oauth1() || !body::is_covered(&request) {
            return request.map(|body| GuardBody::Untouched { body });
        }
        let (mut parts, body) = request.into_parts();
        if body.is_end_stream() {
            parts.extensions.insert(BodyRead::nothing());
            return Request::from_parts(parts, GuardBody::Untouched { body });
        }
        let (read, body) = body::read(body).await;
        parts.extensions.insert(read);
        Request::from_parts(parts, body)
    }
}
