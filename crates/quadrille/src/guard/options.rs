//! The guard of an API, and its options.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, request::Parts};

use crate::{
    oauth2::{InvalidResource, metadata::ResourceMetadata},
    scope::ScopeTree,
};

#[cfg(feature = "http-client")]
use super::elsewhere::trust::Trust;
use super::{
    authority::{Answer, Authority},
    error::AccessError,
    metadata::Published,
    presented::Ways,
    refused::{Manner, RefusalPage, Refused},
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
/// `AuthorizationServer::attach` adds a guard without options, which checks when a handler takes an
/// `Access`. For options, add a guard as a layer inside of `attach` or around it: it alone checks
/// then.
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
pub struct Guard(pub(super) Arc<Inside>);

#[derive(Clone)]
pub(super) struct Inside {
    pub(super) authority: Arc<dyn Authority>,
    pub(super) audience: Option<Arc<str>>,
    /// `true` if tokens that name no API are accepted beside those for `audience`.
    pub(super) is_own: bool,
    pub(super) metadata: Option<Published>,
    pub(super) manner: Arc<Manner>,
    pub(super) allows_clients: bool,
    pub(super) ways: Ways,
    pub(super) before: Option<Before>,
    pub(super) after: Option<After>,
}

/// A hook before the check.
pub(super) type Before = Arc<dyn Fn(&Parts) -> Result<(), AccessError> + Send + Sync>;

/// A hook after the check of valid credentials.
pub(super) type After = Arc<dyn Fn(Verified) -> Answer<'static> + Send + Sync>;

impl Guard {
    /// A guard that trusts `authority`, for an API at `origin`.
    pub(crate) fn of(authority: Arc<dyn Authority>, origin: Arc<str>) -> Self {
        let manner = Manner {
            origins: vec![origin],
            metadata: None,
            offers_oauth1: authority.offers_oauth1(),
            scope_tree: authority.scope_tree(),
            page: None,
        };
        Self(Arc::new(Inside {
            authority,
            audience: None,
            is_own: false,
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
        let origins = origins.into_iter().map(Into::into).collect();
        self.with(|inside| Arc::make_mut(&mut inside.manner).origins = origins)
    }

    /// Sets the API's URI, which clients name as `resource` (`AuthorizationServer::resource`).
    /// Tokens for other APIs, and those that name none, are refused. Withdraws the
    /// [metadata](Self::describe) of another URI.
    #[must_use]
    pub fn audience(self, uri: impl Into<Arc<str>>) -> Self {
        self.with(|inside| {
            inside.audience = Some(uri.into());
            inside.is_own = false;
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
            inside.is_own = false;
            inside.publish(Some(published));
        }))
    }

    /// Publishes the metadata of the server's own API, as [`describe`](Self::describe) does for
    /// others: tokens that name no API remain valid, beside those for the API's URI. Clients can
    /// request the latter if the server knows the URI (`AuthorizationServer::resource`).
    ///
    /// # Errors
    /// [`InvalidResource`] as for [`describe`](Self::describe).
    pub fn describe_own(self, metadata: ResourceMetadata) -> Result<Self, InvalidResource> {
        Ok(self.describe(metadata)?.with(|inside| inside.is_own = true))
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
    /// intent. The layer of `attach` reads no such token: add this guard as a layer.
    #[must_use]
    pub fn allow_tokens_in_forms_that_any_site_can_post(self) -> Self {
        self.with(|inside| {
            inside.ways.form = true;
            inside.metadata.iter_mut().for_each(|metadata| metadata.allow("body"));
        })
    }

    /// Accepts tokens in the query, too (RFC 6750, section 2.3). Gives up: URLs with tokens end up
    /// in logs, histories and `Referer` headers. Answers get `Cache-Control: private`. The layer of
    /// `attach` reads no such token: add this guard as a layer.
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
    /// is then an [`Actor::Client`](crate::Actor::Client), with the scopes that the client is
    /// registered for. A guard [elsewhere](Self::elsewhere) asks its issuer about them
    /// ([`Introspection::signed_requests`](super::Introspection::signed_requests)); one that trusts
    /// JWTs accepts no signed requests.
    #[must_use]
    pub fn allow_clients_that_sign_for_themselves_without_a_token(self) -> Self {
        self.with(|inside| inside.allows_clients = true)
    }

    fn with(mut self, change: impl FnOnce(&mut Inside)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Inside {
    fn publish(&mut self, metadata: Option<Published>) {
        let url = metadata.as_ref().map(|metadata| metadata.url.clone());
        Arc::make_mut(&mut self.manner).metadata = url;
        self.metadata = metadata;
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("origins", &self.0.manner.origins)
            .field("audience", &self.0.audience)
            .finish_non_exhaustive()
    }
}
