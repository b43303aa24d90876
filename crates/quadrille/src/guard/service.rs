//! A guard as a layer in front of a service.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use tower::{Layer, Service};

use super::{
    body::{self, BodyRead, GuardBody},
    options::Guard,
    presented::{in_query, is_form},
};

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
            let guarded = guard.look(&mut parts).await;
            parts.extensions.insert(guarded);
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
