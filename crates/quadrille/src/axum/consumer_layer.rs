//! The layer that gives each request its jar and takes the cookies from it to the answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use ::axum::{extract::OriginalUri, response::Response};
use http::{Method, Request, Uri, header, request::Parts};
use tower::{Layer, Service};

use crate::{
    Login,
    consumer::{Jar, Wanted},
};

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
        let visit = Visit { login: self.login.clone(), jar: jar.clone(), outer };
        request.extensions_mut().insert(Arc::new(visit));
        let answering = self.inner.call(request);
        Box::pin(async move {
            let mut response = answering.await?;
            for cookie in jar.close() {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(response)
        })
    }
}

/// Where this visitor is and how they can be told to log in.
pub(super) fn wanted(login: &Login, parts: &Parts) -> Wanted {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let navigation = is_navigation(parts);
    // Whoever cannot be redirected is no page to come back to.
    let next = if navigation { public_path(login, uri) } else { String::new() };
    Wanted { next, navigation }
}

/// The path under which the outside knows a page: a proxy may have taken the public URL's path off.
fn public_path(login: &Login, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let base = login.ready().map_or("", |ready| &ready.base_path);
    match path.strip_prefix(base) {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => path.to_owned(),
        _ => [base, path].concat(),
    }
}

/// Whether a browser shows the answer as a page. Scripts and forms must not be redirected to
/// another site.
fn is_navigation(parts: &Parts) -> bool {
    if parts.method != Method::GET {
        return false;
    }
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-mode"), text("x-requested-with"), text("hx-request")) {
        (_, Some(_), _) | (_, _, Some(_)) => false,
        (Some(mode), ..) => mode == "navigate",
        (None, ..) => text("accept")
            .is_none_or(|accept| accept.contains("text/html") || accept.trim() == "*/*"),
    }
}
