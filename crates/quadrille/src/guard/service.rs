//! The guard of an API: it checks access tokens and signed requests.

use std::{
    borrow::Cow,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header, request::Parts, uri};
use http_body::Body;
use tower::{Layer, Service};

use crate::{
    form::{Declared, Params},
    oauth1::SignedRequest,
    oauth2::{
        InvalidResource,
        bearer::{self, BearerError},
        metadata::ResourceMetadata,
    },
    public_uri,
    scope::ScopeTree,
};

#[cfg(feature = "http-client")]
use super::trust::Trust;
use super::{
    authority::{Answer, Authority, SignedAt},
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
    ways: Ways,
    before: Option<Before>,
    after: Option<After>,
}

/// The ways besides the header in which a token may come (RFC 6750, section 2).
#[derive(Clone, Copy, Default)]
struct Ways {
    form: bool,
    query: bool,
}

/// A hook before the check.
type Before = Arc<dyn Fn(&Parts) -> Result<(), AccessError> + Send + Sync>;

/// A hook after the check of valid credentials.
type After = Arc<dyn Fn(Verified) -> Answer<'static> + Send + Sync>;

/// A guard that checks a request when a handler asks for an [`Access`](super::Access).
#[cfg(feature = "axum")]
#[derive(Clone, Debug)]
pub(crate) struct Lazy(pub(crate) Guard);

impl Guard {
    /// A guard that trusts `authority`, for an API at `origin`.
    pub(crate) fn of(authority: Arc<dyn Authority>, origin: Arc<str>) -> Self {
        let manner = Manner {
            metadata: None,
            offers_oauth1: authority.offers_oauth1(),
            scope_tree: authority.scope_tree(),
            page: None,
        };
        Self(Arc::new(Inside {
            authority,
            origins: vec![origin],
            audience: None,
            metadata: None,
            manner: Arc::new(manner),
            allows_clients: false,
            ways: Ways::default(),
            before: None,
            after: None,
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
        let mut published = Published::new(metadata, self.0.authority.issuer())?;
        let Ways { form, query } = self.0.ways;
        for (way, _) in [("body", form), ("query", query)].iter().filter(|(_, is_on)| *is_on) {
            published.allow(way);
        }
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

    /// Sets the scopes that imply others. A guard of [this process' server](Self::new) has those of
    /// its [policy](crate::Policy::scope_tree).
    ///
    /// ```
    /// use quadrille::{guard::Guard, scope::ScopeTree};
    ///
    /// fn with_tree(guard: Guard) -> Guard {
    ///     guard.scope_tree(ScopeTree::new().implies("photos", ["photos:read", "photos:write"]))
    /// }
    /// ```
    #[must_use]
    pub fn scope_tree(self, tree: ScopeTree) -> Self {
        self.with(|inside| Arc::make_mut(&mut inside.manner).scope_tree = tree)
    }

    /// Accepts tokens in form bodies, too (RFC 6750, section 2.2), from clients that cannot set a
    /// header. The guard reads such a body up to 64 KiB, and passes it on. Gives up: a form of any
    /// site can send a token that it knows, so what a browser posts is no proof of its user's
    /// intent. Not for the layer of `attach`.
    #[must_use]
    pub fn allow_tokens_in_forms_that_any_site_can_post(self) -> Self {
        self.with(|inside| {
            inside.ways.form = true;
            inside.metadata.iter_mut().for_each(|metadata| metadata.allow("body"));
        })
    }

    /// Accepts tokens in the query, too (RFC 6750, section 2.3). Gives up: URLs with tokens end up
    /// in logs, histories and `Referer` headers. Answers get `Cache-Control: private`. Not for the
    /// layer of `attach`.
    #[must_use]
    pub fn allow_tokens_in_queries_which_leak_into_logs(self) -> Self {
        self.with(|inside| {
            inside.ways.query = true;
            inside.metadata.iter_mut().for_each(|metadata| metadata.allow("query"));
        })
    }

    /// Sets a hook before each check, such as a limit of requests. It sees the request, and may
    /// refuse it.
    ///
    /// ```
    /// use quadrille::guard::{AccessError, Guard};
    ///
    /// fn with_switch(guard: Guard, is_closed: fn() -> bool) -> Guard {
    ///     guard.before_check(move |_| match is_closed() {
    ///         true => Err(AccessError::Unavailable),
    ///         false => Ok(()),
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn before_check(
        self,
        hook: impl Fn(&Parts) -> Result<(), AccessError> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inside| inside.before = Some(Arc::new(hook)))
    }

    /// Sets a hook after the check of valid credentials, which may still refuse them: those of a
    /// user who was disabled, for example.
    ///
    /// ```
    /// use quadrille::{Actor, guard::{AccessError, Guard}};
    ///
    /// fn without_mallory(guard: Guard) -> Guard {
    ///     guard.after_check(|verified| async move {
    ///         match verified.actor() {
    ///             Actor::User(subject) if &**subject == "mallory" => {
    ///                 Err(AccessError::ByApplication)
    ///             }
    ///             _ => Ok(verified),
    ///         }
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn after_check<F>(self, hook: impl Fn(Verified) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Verified, AccessError>> + Send + 'static,
    {
        self.with(|inside| {
            inside.after = Some(Arc::new(move |verified| Box::pin(hook(verified))));
        })
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

    /// Checks a request with this body, as [`look`](Self::look) does behind a layer.
    pub(super) async fn judge(&self, parts: &Parts, body: &[u8]) -> Guarded {
        let realm = self.origin(parts);
        let verdict = self.check_at(&realm, parts, Some(Ok(body))).await;
        self.guarded(realm, verdict)
    }

    fn guarded(&self, realm: Arc<str>, verdict: Result<Option<Verified>, AccessError>) -> Guarded {
        let place = Place { realm, manner: self.0.manner.clone(), at: self.0.authority.now() };
        Guarded { place, verdict }
    }

    async fn check_at(
        &self,
        origin: &str,
        parts: &Parts,
        body: Seen<'_>,
    ) -> Result<Option<Verified>, AccessError> {
        if let Some(before) = &self.0.before {
            before(parts)?;
        }
        let found = match self.signed(parts, body)? {
            Some((signed, body)) => Some(self.check_signed(origin, parts, signed, body).await?),
            None => match presented(parts, body, self.0.ways)? {
                Some(token) => Some(self.0.authority.token(&token).await?),
                None => None,
            },
        };
        let Some(found) = found else { return Ok(None) };
        let found = unbound(meant_for(self.0.audience.as_deref(), found)?)?;
        match &self.0.after {
            Some(after) => after(found).await.map(Some),
            None => Ok(Some(found)),
        }
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
        #[cfg(feature = "axum")]
        crate::RemoteAddress::note(&mut parts.extensions);
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
        self.guarded(realm, verdict)
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

/// The access token of a request (RFC 6750, section 2), which comes in one way.
fn presented<'a>(
    parts: &'a Parts,
    body: Seen<'_>,
    ways: Ways,
) -> Result<Option<Cow<'a, str>>, AccessError> {
    let in_header = bearer::from_headers(&parts.headers)?;
    if in_header.is_some() && in_query(&parts.uri) {
        return Err(BearerError::Several.into());
    }
    let mut token = in_header.map(Cow::Borrowed);
    if ways.query && in_query(&parts.uri) {
        let query = Params::parse(parts.uri.query().unwrap_or("").as_bytes());
        let query = query.map_err(|_| BearerError::Malformed)?;
        let found = bearer::from_query_which_leaks_tokens_into_logs(&query)?;
        token = found.map(|token| Cow::Owned(token.to_owned()));
    }
    if ways.form && is_form(&parts.method, &parts.headers) {
        let body = match (body, &token) {
            // The handler refuses what it cannot read.
            (None, _) | (Some(Err(_)), Some(_)) => return Ok(token),
            (Some(body), _) => body?,
        };
        // A form that cannot be read has no token.
        let Ok(form) = Params::parse(body) else { return Ok(token) };
        let Some(found) = bearer::from_form(&form)? else { return Ok(token) };
        if token.is_some() {
            return Err(BearerError::Several.into());
        }
        token = Some(Cow::Owned(found.to_owned()));
    }
    Ok(token)
}

/// `true` if a token may be in the body: a form, by a method that gives bodies a meaning (RFC 6750,
/// section 2.2).
fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let has_meaning = ![Method::GET, Method::HEAD, Method::DELETE].contains(method);
    has_meaning && Declared::of(headers) == Declared::Form
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
            let is_private = guard.0.ways.query && in_query(&parts.uri);
            let mut answer = inner.call(Request::from_parts(parts, body)).await;
            if is_private && let Ok(answer) = &mut answer {
                keep_private(answer);
            }
            answer
        })
    }
}

/// Keeps the answer to a URL with a token out of shared caches (RFC 6750, section 2.3).
fn keep_private<R>(answer: &mut Response<R>) {
    let values = answer.headers().get_all(header::CACHE_CONTROL).iter();
    let mut names = values.filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(','));
    let keeps = |name: &str| {
        let name = name.trim();
        name.eq_ignore_ascii_case("private") || name.eq_ignore_ascii_case("no-store")
    };
    if !names.any(keeps) {
        let private = HeaderValue::from_static("private");
        answer.headers_mut().insert(header::CACHE_CONTROL, private);
    }
}

impl Guard {
    /// Reads the body if a signature covers it or a token may be in it, and no other layer has read
    /// it.
    async fn with_body<B: Body>(&self, request: Request<B>) -> Request<GuardBody<B>> {
        let is_read = request.extensions().get::<BodyRead>().is_some();
        let is_covered = self.0.authority.offers_oauth1() && body::is_covered(&request);
        let may_have_token = self.0.ways.form && is_form(request.method(), request.headers());
        if is_read || !(is_covered || may_have_token) {
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
