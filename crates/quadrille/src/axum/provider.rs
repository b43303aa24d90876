//! The provider in an axum application.

use std::{
    fmt,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{
        ConnectInfo, FromRequest, FromRequestParts, OptionalFromRequestParts, OriginalUri, Request,
    },
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use http::{Uri, request::Parts, uri::PathAndQuery};
use http_body::Body as _;
use serde::de::DeserializeOwned;
use tower::{Layer, Service};

use crate::{
    provider::{
        self, Access, Authorization, AuthorizationServer, BODY_LIMIT, ClientError, Decision,
        GuardBody, Guarded, OperatorError, Problem, Refused, RemoteAddress, Reply, Site, Slot,
        Unread, is_covered,
    },
    scope::ScopeRequirement,
};

impl AuthorizationServer {
    /// `app` with the server's own endpoints beside its routes, and the layer that the extractors
    /// [`Authorization`], [`Decision`] and [`Access`] need around them. Call it on the router that has
    /// all routes: axum's layers cover those that were added before. What comes of it is merged, not
    /// nested, except where [`prefix_is_stripped`](Self::prefix_is_stripped) says so.
    ///
    /// The application brings the pages: a route at [`authorize_path`](Self::authorize_path) for GET
    /// and POST, and one at [`consent_path`](Self::consent_path) for POST.
    ///
    /// ```
    /// use axum::{Json, Router, response::{IntoResponse, Redirect, Response}, routing::{get, post}};
    /// use quadrille::{
    ///     Env, scopes,
    ///     provider::{
    ///         Access, Authentication, Authorization, AuthorizationServer, Decision, Reply, Step,
    ///         store::MemoryStore,
    ///     },
    /// };
    ///
    /// scopes! { Photos = "photos:read", "See your photos"; }
    ///
    /// async fn ask(request: Authorization) -> Response {
    ///     let user: Option<Authentication> = None; // from the application's session
    ///     match request.step(user).await {
    ///         Step::SignIn(back) => Redirect::to(&format!("/sign-in?next={back}")).into_response(),
    ///         Step::Consent(page) => format!("{} wants {:?}", page.client.name, page.scopes).into_response(),
    ///         Step::Done(reply) => reply.into_response(),
    ///     }
    /// }
    ///
    /// async fn answer(decision: Decision<()>) -> Reply {
    ///     # let user = Authentication::new("ada", Env::system().now());
    ///     decision.by(user).all().await
    /// }
    ///
    /// async fn photos(access: Access<Photos>) -> Json<Vec<String>> {
    ///     Json(vec![format!("a photo of {:?}", access.actor())])
    /// }
    ///
    /// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
    ///     .scope::<Photos>();
    /// let app: Router = server.attach(
    ///     Router::new()
    ///         .route("/oauth/authorize", get(ask).post(ask))
    ///         .route("/oauth/consent", post(answer))
    ///         .route("/api/photos", get(photos)),
    /// );
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    pub fn attach<S: Clone + Send + Sync + 'static>(&self, app: Router<S>) -> Router<S> {
        app.layer(self.layer()).merge(self.routes())
    }

    /// The endpoints that clients call: token, revocation, introspection and metadata, and the two of
    /// OAuth 1.0a where that is offered, at their paths from the root of the origin.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let inner = self.inner();
        let paths = self.paths();
        let mut router = Router::new();
        let mut add = |path: &str, answer: Endpoint| {
            let server = self.clone();
            let handler = move |request: Request| async move {
                match read_here(&server, request).await {
                    Ok(request) => answer(server, request).await,
                    Err(nested) => nested.into_response(),
                }
            };
            router = std::mem::take(&mut router).route(inner.as_it_arrives(path), any(handler));
        };
        add(&paths.token, |server, request| {
            Box::pin(async move { server.token(request).await.map(Body::from) })
        });
        add(&paths.revoke, |server, request| {
            Box::pin(async move { server.revoke(request).await.map(Body::from) })
        });
        add(&paths.introspect, |server, request| {
            Box::pin(async move { server.introspect(request).await.map(Body::from) })
        });
        if inner.oauth1.is_offered() {
            add(&paths.request_token, |server, request| {
                Box::pin(
                    async move { Reply::from(server.request_token(request).await).into_response() },
                )
            });
            add(&paths.access_token, |server, request| {
                Box::pin(
                    async move { Reply::from(server.access_token(request).await).into_response() },
                )
            });
        }
        // Where the prefix is stripped from one of the two forms, the other may come as it is.
        let arriving = paths.metadata.iter().map(|path| inner.as_it_arrives(path));
        for path in arriving {
            add(path, |server, request| {
                Box::pin(async move { server.metadata(&request).map(Body::from) })
            });
        }
        router
    }

    /// What the extractors need: the server at hand, which checks tokens for the issuer's own origin
    /// unless a [`Guard`](crate::provider::Guard) did before, and the headers of consent pages set.
    pub fn layer(&self) -> ServerLayer {
        ServerLayer(self.clone())
    }
}

/// An endpoint that clients call.
type Endpoint =
    fn(AuthorizationServer, http::Request<Bytes>) -> Pin<Box<dyn Future<Output = Response> + Send>>;

/// See [`AuthorizationServer::layer`].
#[derive(Clone, Debug)]
pub struct ServerLayer(AuthorizationServer);

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService { server: self.0.clone(), inner }
    }
}

/// A service with a [`ServerLayer`] before it.
#[derive(Clone, Debug)]
pub struct ServerService<S> {
    server: AuthorizationServer,
    inner: S,
}

impl<S, R> Service<http::Request<Body>> for ServerService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ServerFuture<S::Future, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // Only an authorization request leads to a page whose headers are to be set.
        let slot = (request.uri().path() == self.server.authorize_path()).then(Slot::default);
        if let Some(slot) = &slot {
            request.extensions_mut().insert(slot.clone());
        }
        let place = Place::of(&self.server, &request);
        place.tell(&mut request);
        request.extensions_mut().insert(place);
        request.extensions_mut().insert(self.server.clone());
        let is_signed = self.server.inner().oauth1.is_offered() && is_covered(&request);
        let is_empty = request.body().is_end_stream();
        if is_signed && is_empty {
            request.extensions_mut().insert(provider::BodyRead::nothing());
        }
        if !is_signed || is_empty {
            let running = Running::Now { future: self.inner.call(request) };
            return ServerFuture { running, slot };
        }
        // The one that is ready must be the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let future = Box::pin(async move { inner.call(with_body(request).await).await });
        ServerFuture { running: Running::WithBody { future }, slot }
    }
}

/// Where the router with the server stands, by the path of a request as the whole application sees
/// it and as that router does.
#[derive(Clone, Debug)]
enum Place {
    /// At the root, or where the issuer's path says.
    Right,
    /// Where requests arrive without the issuer's path: this is the public path and query.
    Stripped(Uri),
    /// Nested under another path than the issuer's: nobody finds the endpoints.
    Wrong,
}

impl Place {
    fn of<B>(server: &AuthorizationServer, request: &http::Request<B>) -> Self {
        let here = request.uri();
        let original = request.extensions().get::<OriginalUri>().map(|original| &original.0);
        let seen = original.unwrap_or(here);
        let prefix = server.inner().stripped_prefix();
        match seen.path().strip_suffix(here.path()) {
            // By a proxy, so that nobody in this process has seen it.
            Some("") if !prefix.is_empty() => {
                let rest = here.path_and_query().map_or("/", PathAndQuery::as_str);
                Uri::try_from(format!("{prefix}{rest}")).map_or(Self::Right, Self::Stripped)
            }
            Some(nested) if nested == prefix => Self::Right,
            // A request for the place where the router is nested, itself.
            None if seen.path() == prefix => Self::Right,
            _ => Self::Wrong,
        }
    }

    /// Has signatures checked for the path that the client signed.
    fn tell<B>(&self, request: &mut http::Request<B>) {
        if let Self::Stripped(public) = self {
            request.extensions_mut().insert(OriginalUri(public.clone()));
        }
    }
}

/// The request as the endpoints take it, with the path that clients know.
async fn read_here(
    server: &AuthorizationServer,
    mut request: Request,
) -> Result<http::Request<Bytes>, Reply> {
    match Place::of(server, &request) {
        Place::Wrong => return Err(Problem::show(&OperatorError::Nested.into()).into()),
        Place::Stripped(public) => *request.uri_mut() = public,
        Place::Right => {
            if let Some(OriginalUri(public)) = request.extensions().get().cloned() {
                *request.uri_mut() = public;
            }
        }
    }
    Ok(read(request).await)
}

/// The body is read where a signature covers it. Whether that is right is seen when a handler asks.
async fn with_body(request: http::Request<Body>) -> http::Request<Body> {
    let (mut parts, body) = request.into_parts();
    let (read, body) = provider::read_body(body).await;
    parts.extensions.insert(read);
    let body = match body {
        GuardBody::Replayed { first, rest: None } => Body::from(first),
        body => Body::new(body),
    };
    http::Request::from_parts(parts, body)
}

pin_project_lite::pin_project! {
    /// The answer of a [`ServerService`].
    pub struct ServerFuture<F, O> {
        #[pin]
        running: Running<F, O>,
        slot: Option<Slot>,
    }
}

pin_project_lite::pin_project! {
    #[project = RunningNow]
    enum Running<F, O> {
        Now { #[pin] future: F },
        WithBody { future: Pin<Box<dyn Future<Output = O> + Send>> },
    }
}

impl<F, O> fmt::Debug for ServerFuture<F, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ServerFuture<F, Result<http::Response<R>, E>>
where
    F: Future<Output = Result<http::Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut answer = ready!(match this.running.project() {
            RunningNow::Now { future } => future.poll(context),
            RunningNow::WithBody { future } => future.as_mut().poll(context),
        });
        if let (Ok(response), Some(slot)) = (&mut answer, this.slot) {
            slot.apply(response);
        }
        Poll::Ready(answer)
    }
}

impl<S: Send + Sync> FromRequest<S> for Authorization {
    type Rejection = Reply;

    async fn from_request(request: Request, _: &S) -> Result<Self, Reply> {
        let server = server(&request)?;
        server.authorize(read(request).await).await
    }
}

impl<S: Send + Sync, F: DeserializeOwned> FromRequest<S> for Decision<F> {
    type Rejection = Reply;

    async fn from_request(request: Request, _: &S) -> Result<Self, Reply> {
        let server = server(&request)?;
        server.answer(&read(request).await)
    }
}

impl<S: Send + Sync, R: ScopeRequirement> FromRequestParts<S> for Access<R> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        check(parts).await;
        Self::of(&parts.extensions)
    }
}

impl<S: Send + Sync, R: ScopeRequirement> OptionalFromRequestParts<S> for Access<R> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
        check(parts).await;
        Self::find(&parts.extensions)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        http::Response::<Bytes>::from(self).map(Body::from)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.to_response().map(Body::from)
    }
}

/// Checks the token or the signature, unless a guard before this did.
async fn check(parts: &mut Parts) {
    if parts.extensions.get::<Guarded>().is_none()
        && let Some(server) = parts.extensions.get::<AuthorizationServer>().cloned()
    {
        let inner = server.inner();
        note_address(parts);
        let realm = inner.issuer.origin().clone();
        let body = provider::body_of(parts);
        let verdict = provider::at_public_path(parts, async |parts| {
            let body = provider::seen_body(&body);
            let site = Site { origin: &realm, audience: None, allows_clients: false };
            provider::check_request(inner, parts, body, site).await
        });
        let verdict = verdict.await;
        let offers_oauth1 = inner.oauth1.is_offered();
        parts.extensions.insert(Guarded { realm, offers_oauth1, verdict });
    }
}

fn server(request: &Request) -> Result<AuthorizationServer, Reply> {
    let extensions = request.extensions();
    let Some(server) = extensions.get::<AuthorizationServer>() else {
        return Err(Problem::show(&OperatorError::LayerMissing.into()).into());
    };
    match extensions.get::<Place>() {
        Some(Place::Wrong) => Err(Problem::show(&OperatorError::Nested.into()).into()),
        _ => Ok(server.clone()),
    }
}

/// The request with its body read, as far as it may be long; what went wrong with it, the endpoint
/// finds among the extensions.
async fn read(request: Request) -> http::Request<Bytes> {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "the body of a request was not read");
        parts.extensions.insert(Unread(ClientError::BodyTooLong));
        Bytes::new()
    });
    note_address(&mut parts);
    http::Request::from_parts(parts, body)
}

/// Where the request came from, unless somebody knew better.
fn note_address(parts: &mut Parts) {
    if parts.extensions.get::<RemoteAddress>().is_none()
        && let Some(ConnectInfo(address)) = parts.extensions.get::<ConnectInfo<SocketAddr>>()
    {
        let address = RemoteAddress(address.ip());
        parts.extensions.insert(address);
    }
}
