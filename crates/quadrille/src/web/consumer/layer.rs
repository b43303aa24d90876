//! The layer that gives each request its jar, and adds the jar's cookies to the response.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    extract::{MatchedPath, OriginalUri},
    response::Response,
};
use http::{HeaderValue, Method, Request, StatusCode, header, request::Parts, uri::PathAndQuery};
use tower::{Layer, Service};

use crate::{
    Error, Login,
    consumer::{Jar, OperatorError, Wanted},
    page::Language,
};

use super::{
    navigation::is_for_a_page,
    pages::{answered, unknown_to_whom},
};

/// The layer of [`Login::layer`], for handlers that take [`Linked`](crate::Linked) and the like.
///
/// ```
/// use axum::{Router, routing::get};
/// use quadrille::{GitHub, KeyRing, Linked, Login};
///
/// let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
///     .with(GitHub::new("our-id", "our-secret"));
/// // What `attach` does in one call.
/// let app: Router = Router::new()
///     .route("/", get(async |_: Option<Linked<GitHub>>| "Hello"))
///     .merge(login.routes())
///     .layer(login.layer());
/// ```
#[derive(Clone, Debug)]
pub struct LoginLayer(pub(super) Login);

impl<S> Layer<S> for LoginLayer {
    type Service = LoginService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LoginService { inner, login: self.0.clone() }
    }
}

/// [`LoginLayer`] around a service.
///
/// ```
/// use axum::Router;
/// use quadrille::{Login, web::consumer::LoginService};
/// use tower::Layer;
///
/// fn service(login: &Login, pages: Router) -> LoginService<Router> {
///     login.layer().layer(pages)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct LoginService<S> {
    inner: S,
    login: Login,
}

/// A request at one [`Login`]. `outer` is the same request at the login of the layer around.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) login: Login,
    pub(super) jar: Jar,
    pub(super) outer: Option<Arc<Visit>>,
    place: Place,
    is_for_a_page: bool,
}

/// The place of a request in the login's router.
#[derive(Clone)]
struct Place {
    path: PathAndQuery,
    /// The path at which the router is nested.
    nested: Option<Box<str>>,
}

impl Place {
    fn of<B>(request: &Request<B>) -> Self {
        let path = request.uri().path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let whole = request.extensions().get::<OriginalUri>().map(|original| original.path());
        let nested = whole.and_then(|whole| match whole.strip_suffix(path.path()) {
            Some(nested) => Some(nested),
            // `/app` is `/` inside.
            None => whole.strip_suffix(path.path().trim_end_matches('/')),
        });
        let nested = nested.map(|nested| nested.trim_end_matches('/'));
        Self { nested: nested.filter(|nested| !nested.is_empty()).map(Into::into), path }
    }
}

impl Login {
    /// Whether a path begins a login at one of this site's services.
    fn is_login(&self, path: &str) -> bool {
        let service = path.strip_prefix(self.mount()).and_then(|rest| rest.strip_prefix('/'));
        service.is_some_and(|service| self.check_name(service).is_ok())
    }
}

impl Visit {
    /// A request for `/` without cookies.
    #[cfg(feature = "testing")]
    pub(super) fn test(login: &Login) -> Self {
        let place = Place { path: PathAndQuery::from_static("/"), nested: None };
        let jar = Jar::new(&http::HeaderMap::new());
        Self { login: login.clone(), jar, outer: None, place, is_for_a_page: true }
    }

    /// The request at the innermost login.
    ///
    /// # Errors
    /// [`OperatorError::NotAttached`].
    pub(super) fn of(parts: &Parts) -> Result<Self, Error> {
        Self::innermost(parts).cloned()
    }

    /// [`Visit::of`], borrowed.
    ///
    /// # Errors
    /// [`OperatorError::NotAttached`].
    pub(super) fn innermost(parts: &Parts) -> Result<&Self, Error> {
        parts.extensions.get().ok_or_else(|| OperatorError::NotAttached.into())
    }

    /// The page requested, and whether it can be redirected to a login: whether a browser loads it
    /// as a page of its own. Scripts and forms must not be redirected to another site.
    pub(super) fn wanted(&self, parts: &Parts) -> Wanted {
        let is_navigation = parts.method == Method::GET && self.is_for_a_page;
        Wanted(is_navigation.then(|| self.place.path.clone()))
    }

    /// Whether the login's URLs lead to its router.
    ///
    /// # Errors
    /// [`OperatorError::NestedElsewhere`].
    pub(super) fn check_place(&self) -> Result<(), Error> {
        let base = &self.login.ready()?.site.base_path;
        match &self.place.nested {
            Some(nested) if !base.ends_with(&**nested) => {
                Err(OperatorError::NestedElsewhere { nested: nested.clone() }.into())
            }
            _ => Ok(()),
        }
    }
}

/// What is known of a request's answer as soon as it arrives.
pub(super) struct Arrival {
    jar: Jar,
    is_for_a_page: bool,
    accepted: Option<HeaderValue>,
}

impl Arrival {
    /// Makes the visit of a request, for its handler's extractors.
    pub(super) fn at<B>(login: &Login, request: &mut Request<B>) -> Self {
        let outer = request.extensions_mut().remove().map(Arc::new);
        let place = Place::of(request);
        let is_for_a_page = is_for_a_page(request.headers());
        let (login, jar) = (login.clone(), Jar::new(request.headers()));
        let accepted = request.headers().get(header::ACCEPT_LANGUAGE).cloned();
        let visit = Visit { login, jar: jar.clone(), outer, place, is_for_a_page };
        request.extensions_mut().insert(visit);
        Self { jar, is_for_a_page, accepted }
    }

    /// Adapts the response to the request, and adds the cookies.
    pub(super) fn answered(&self, response: Response) -> Response {
        let language = || Language::by(self.accepted.as_ref());
        let mut response = answered(response, self.is_for_a_page.then_some(language));
        for cookie in self.jar.close() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl<S, B> Service<Request<B>> for LoginService<S>
where
    S: Service<Request<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = LoginFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let arrival = Arrival::at(&self.login, &mut request);
        let has_route = request.extensions().get::<MatchedPath>().is_some();
        let is_missing = !has_route && self.login.is_login(request.uri().path());
        LoginFuture { answering: self.inner.call(request), arrival, is_missing }
    }
}

pin_project_lite::pin_project! {
    /// The response of a [`LoginService`].
    pub struct LoginFuture<F> {
        #[pin]
        answering: F,
        arrival: Arrival,
        is_missing: bool,
    }
}

impl<F> fmt::Debug for LoginFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginFuture").finish_non_exhaustive()
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for LoginFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut response = ready!(this.answering.poll(cx))?;
        if *this.is_missing && response.status() == StatusCode::NOT_FOUND {
            response = unknown_to_whom(OperatorError::RoutesMissing.into());
        }
        Poll::Ready(Ok(this.arrival.answered(response)))
    }
}
