//! Checks the tokens that come with requests to an API.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Request, Response, Uri, header};
use tower::{Layer, Service};

use crate::oauth2::bearer;

use super::{
    AuthorizationServer, Verified,
    access::AccessError,
    server::Inner,
    store::{AccessRecord, TokenRef},
    token::{NoToken, TokenKind, sha256},
};

/// Checks the access tokens that come with requests (RFC 6750): as a tower layer in front of any
/// service, or by [`check`](Self::check). [`Access`](super::Access) reads what it found.
///
/// It trusts what this process' server issued. A token is looked for in the `Authorization` header
/// only: in a query it would end up in logs.
///
/// A token is good where it was meant to be and nowhere else (RFC 8707). With an
/// [`audience`](Self::audience) a guard takes tokens for that API only; without one it stands before
/// the server's own API, and takes only those that name none.
///
/// ```
/// use quadrille::{Env, provider::{AuthorizationServer, Guard, store::MemoryStore}};
///
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .resource("https://api.example")?;
/// let guard = Guard::new(&server).origins(["https://api.example"]).audience("https://api.example");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Guard(Arc<Inside>);

#[derive(Clone)]
struct Inside {
    trust: Trust,
    origins: Vec<Arc<str>>,
    audience: Option<Arc<str>>,
}

/// Whose word is taken for what a token is worth.
#[derive(Clone)]
enum Trust {
    /// The server in this process.
    Here(Arc<Inner>),
}

/// What a guard found, among a request's extensions.
#[derive(Clone)]
pub(crate) struct Guarded {
    /// The origin that was asked, which goes into challenges.
    pub(crate) realm: Arc<str>,
    /// The token that came, if one came.
    pub(crate) verdict: Result<Option<Verified>, AccessError>,
}

impl Guard {
    /// A guard that trusts `server`, for an API at the issuer's own origin.
    pub fn new(server: &AuthorizationServer) -> Self {
        let inner = server.inner().clone();
        let origins = vec![inner.issuer.origin().clone()];
        Self(Arc::new(Inside { trust: Trust::Here(inner), origins, audience: None }))
    }

    /// The API's own public origins, the first of them the main one. The `Host` header may choose
    /// among them, but never adds one.
    #[must_use]
    pub fn origins<O: Into<Arc<str>>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        self.with(|inside| inside.origins = origins.into_iter().map(Into::into).collect())
    }

    /// The API's URI, by which clients ask for tokens that are good here
    /// ([`AuthorizationServer::resource`]). Tokens for other APIs, and those that name none, are
    /// refused.
    #[must_use]
    pub fn audience(self, uri: impl Into<Arc<str>>) -> Self {
        self.with(|inside| inside.audience = Some(uri.into()))
    }

    /// Checks the token that came with a request: `None` when none did.
    ///
    /// # Errors
    /// [`AccessError`] when what came is no good.
    pub async fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Option<Verified>, AccessError> {
        let Trust::Here(inner) = &self.0.trust;
        let token = inner.check_access(uri, headers).await?;
        token.map(|token| meant_for(self.0.audience.as_deref(), token)).transpose()
    }

    async fn guard(&self, uri: &Uri, headers: &HeaderMap) -> Guarded {
        let verdict = self.check(uri, headers).await;
        Guarded { realm: self.realm(headers), verdict }
    }

    fn with(mut self, change: impl FnOnce(&mut Inside)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    fn realm(&self, headers: &HeaderMap) -> Arc<str> {
        let main = || self.0.origins.first().cloned().unwrap_or_default();
        if self.0.origins.len() < 2 {
            return main();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_asked = |origin: &&Arc<str>| {
            origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host)
        };
        self.0.origins.iter().find(is_asked).cloned().unwrap_or_else(main)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("origins", &self.0.origins)
            .field("audience", &self.0.audience)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Checks a token for the server's own API.
    #[cfg(feature = "axum")]
    pub(crate) async fn check_own(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Option<Verified>, AccessError> {
        let token = self.check_access(uri, headers).await?;
        token.map(|token| meant_for(None, token)).transpose()
    }

    async fn check_access(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Option<Verified>, AccessError> {
        let Some(token) = bearer::from_headers(headers)? else { return Ok(None) };
        if in_query(uri) {
            return Err(bearer::BearerError::Several.into());
        }
        self.access(token).await.map(Some)
    }

    /// What an access token stands for, if it is good.
    async fn access(&self, text: &str) -> Result<Verified, AccessError> {
        let token = match self.tokens.read(TokenKind::Access, text) {
            Ok(read) => TokenRef::Row { row: read.row, hash: read.hash },
            Err(NoToken::Foreign) => TokenRef::Foreign { hash: sha256(text.as_bytes()) },
            Err(reason) => {
                tracing::debug!(%reason, "no access token of ours");
                return Err(AccessError::Unknown);
            }
        };
        let issuer = self.issuer_id().await.map_err(|error| AccessError::operator(&error))?;
        let record = self.store.access(issuer, &token).await;
        let record = record.map_err(|error| AccessError::operator(&error.into()))?;
        decide(record, self.now()).map(Verified::from)
    }
}

/// Whether a token that was found is good.
fn decide(
    record: Option<Arc<AccessRecord>>,
    now: crate::Timestamp,
) -> Result<Arc<AccessRecord>, AccessError> {
    match record {
        None => Err(AccessError::Unknown),
        Some(record) if now >= record.expires => Err(AccessError::Expired),
        Some(record) => Ok(record),
    }
}

/// Whether a good token is meant for the API with this URI: the server's own where there is none.
fn meant_for(audience: Option<&str>, token: Verified) -> Result<Verified, AccessError> {
    let is_meant = match audience {
        Some(uri) => token.audience().contains(uri),
        None => token.audience().is_empty(),
    };
    if is_meant { Ok(token) } else { Err(AccessError::OtherAudience) }
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

/// A service with a [`Guard`] before it. It refuses nothing by itself: what the guard found is there
/// for [`Access`](super::Access) to read.
#[derive(Clone, Debug)]
pub struct GuardService<S> {
    guard: Guard,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready must be the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (uri, headers) = (request.uri(), request.headers());
            let guarded = if headers.contains_key(header::AUTHORIZATION) {
                guard.guard(uri, headers).await
            } else {
                Guarded { realm: guard.realm(headers), verdict: Ok(None) }
            };
            request.extensions_mut().insert(guarded);
            inner.call(request).await
        })
    }
}
