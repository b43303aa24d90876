//! The layer that gives each request its jar and takes the cookies from it to the answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use ::axum::{extract::OriginalUri, response::Response};
use http::{HeaderMap, Method, Request, Uri, header, request::Parts};
use tower::{Layer, Service};

use crate::{
    Error, Login,
    consumer::{Jar, Wanted},
    error::OperatorFault,
};

use super::pages::answered;

/// What [`Login::layer`] gives: on a router, it lets handlers take
/// [`Linked`](crate::Linked) and the like.
#[derive(Clone, Debug)]
pub struct LoginLayer(pub(super) Login);

impl<S> Layer<S> for LoginLayer {
    type Service = LoginService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LoginService { inner, login: self.0.clone() }
    }
}

/// [`LoginLayer`] around a service.
#[derive(Clone, Debug)]
pub struct LoginService<S> {
    inner: S,
    login: Login,
}

/// One request, as one [`Login`] sees it; the next one is that of the layer around.
pub(super) struct Visit {
    pub(super) login: Login,
    pub(super) jar: Jar,
    pub(super) outer: Option<Arc<Visit>>,
    place: Place,
}

/// Where a request was, seen from the login's router: what is below the public URL.
struct Place {
    /// The path and query.
    uri: Uri,
    /// The path that the router is nested at.
    nested: Option<Box<str>>,
}

impl Place {
    fn of<B>(request: &Request<B>) -> Self {
        let uri = request.uri().clone();
        let whole = request.extensions().get::<OriginalUri>().map(|original| original.path());
        let nested = whole.and_then(|whole| match whole.strip_suffix(uri.path()) {
            Some(nested) => Some(nested),
            // `/app` is `/` inside.
            None => whole.strip_suffix(uri.path().trim_end_matches('/')),
        });
        let nested = nested.map(|nested| nested.trim_end_matches('/'));
        Self { nested: nested.filter(|nested| !nested.is_empty()).map(Into::into), uri }
    }
}

impl Visit {
    /// Where this visitor is and how they can be told to log in.
    pub(super) fn wanted(&self, parts: &Parts) -> Wanted {
        let navigation = is_navigation(parts);
        // Only a navigation has a page to come back to.
        let next = if navigation { self.public_path() } else { String::new() };
        Wanted { next, navigation }
    }

    /// The path under which the outside knows the page. A proxy may have taken any part of the
    /// public URL's path off, and the application may be nested at any; below the login's router
    /// all paths are the same.
    fn public_path(&self) -> String {
        let base = self.login.ready().map_or("", |ready| &ready.base_path);
        let path = self.place.uri.path_and_query().map_or("/", |path| path.as_str());
        [base, path].concat()
    }

    /// Whether the login's URLs lead to its router.
    ///
    /// # Errors
    /// [`OperatorFault::NestedElsewhere`].
    pub(super) fn check_place(&self) -> Result<(), Error> {
        let base = &self.login.ready()?.base_path;
        match &self.place.nested {
            Some(nested) if !base.ends_with(&**nested) => {
                Err(OperatorFault::NestedElsewhere { nested: nested.clone() }.into())
            }
            _ => Ok(()),
        }
    }
}

impl<S, B> Service<Request<B>> for LoginService<S>
where
    S: Service<Request<B>, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let jar = Jar::new(request.headers());
        let outer = request.extensions_mut().remove::<Arc<Visit>>();
        let place = Place::of(&request);
        let visit = Visit { login: self.login.clone(), jar: jar.clone(), outer, place };
        let is_for_a_page = is_for_a_page(request.headers());
        request.extensions_mut().insert(Arc::new(visit));
        let answering = self.inner.call(request);
        Box::pin(async move {
            let mut response = answered(answering.await?, is_for_a_page);
            for cookie in jar.close() {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(response)
        })
    }
}

/// Whether a browser loads the answer as a page of its own. Scripts and forms must not be redirected
/// to another site.
fn is_navigation(parts: &Parts) -> bool {
    parts.method == Method::GET && is_for_a_page(&parts.headers)
}

/// Whether a person will look at the answer, and no script: the answer to a form, too.
pub(super) fn is_for_a_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-mode"), text("x-requested-with"), text("hx-request")) {
        (_, Some(_), _) | (_, _, Some(_)) => false,
        (Some(mode), ..) => mode == "navigate",
        (None, ..) => accepts_a_page(headers),
    }
}

/// Whether `Accept` (RFC 9110, section 12.5.1) wants HTML, and JSON not more; without one of them,
/// whether it says nothing else than "anything".
fn accepts_a_page(headers: &HeaderMap) -> bool {
    let (mut html, mut json, mut anything) = (None, None, true);
    for line in headers.get_all(header::ACCEPT) {
        // What cannot be read says nothing.
        let Ok(line) = line.to_str() else { continue };
        for range in line.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or("").to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .map_or(1.0, |weight| weight.parse().unwrap_or(1.0));
            let known = match &*kind {
                "text/html" => &mut html,
                json_kind if json_kind == "application/json" || json_kind.ends_with("+json") => {
                    &mut json
                }
                "*/*" => continue,
                _ => {
                    anything = false;
                    continue;
                }
            };
            *known = Some(f64::max(weight, known.unwrap_or(0.0)));
        }
    }
    match (html, json) {
        (Some(html), json) => html > 0.0 && html >= json.unwrap_or(0.0),
        (None, Some(_)) => false,
        (None, None) => anything,
    }
}
