//! The frame of the login's routes: where they are, what answers before a handler, and what a handler
//! gets.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, rejection::PathRejection},
    response::Response,
    routing::{MethodFilter, MethodRouter, on},
};
use bytes::Bytes;
use http::request::Parts;

use crate::{
    Error, Login, Owner, Result,
    consumer::Trail,
    form::{Limits, is_form},
    page::Language,
    probe::probed,
};

use super::{
    hooks::Handlers,
    layer::{Arrival, Visit},
    pages::{failed, plainly},
};

/// A request at a route of a service.
pub(super) struct Asked {
    /// The service's name; empty if the path is not UTF-8, so that no service has it.
    pub(super) service: String,
    pub(super) visit: Visit,
    pub(super) parts: Parts,
    body: Body,
}

impl Asked {
    /// The query, empty if there is none.
    pub(super) fn query(&self) -> String {
        self.parts.uri.query().unwrap_or("").to_owned()
    }

    /// The body, at the first call. `None` if it is too long or does not arrive.
    pub(super) async fn body(&mut self) -> Option<Bytes> {
        to_bytes(std::mem::take(&mut self.body), Limits::DEFAULT.bytes).await.ok()
    }

    /// The body, at the first call, if it is a form.
    pub(super) async fn form(&mut self) -> Option<String> {
        let body = self.body().await?;
        self.form_in(&body).map(str::to_owned)
    }

    /// A body of this request as a form, if it is one.
    pub(super) fn form_in<'a>(&self, body: &'a Bytes) -> Option<&'a str> {
        std::str::from_utf8(body).ok().filter(|_| is_form(&self.parts.headers))
    }

    /// The user signed in, by the application's hook.
    pub(super) async fn owner(&mut self) -> Owner {
        Handlers::of(&self.visit.login).find_owner(&mut self.parts).await
    }

    /// The language that the browser accepts.
    pub(super) fn language(&self) -> Language {
        Language::of(&self.parts.headers)
    }

    /// The response to a login that failed.
    pub(super) async fn failed(&mut self, error: Error, trail: Trail) -> Response {
        let Self { visit: Visit { login, jar, .. }, parts, .. } = self;
        failed(login, jar, parts, error, trail).await
    }
}

/// The routes of a login, below its mount. Without a valid mount there are none: `check` has logged
/// it, and a router would panic.
pub(super) struct Routes<'a, St> {
    login: &'a Login,
    has_mount: bool,
    routes: Router<St>,
}

impl<'a, St: Clone + Send + Sync + 'static> Routes<'a, St> {
    /// No routes yet.
    pub(super) fn of(login: &'a Login) -> Self {
        let _ = login.check();
        Self { login, has_mount: login.mount().starts_with('/'), routes: Router::new() }
    }

    /// A GET of a service. Requests without a user (HEAD, prefetches) have no effect.
    pub(super) fn get<F, Fut>(self, path: &str, handler: F) -> Self
    where
        F: Fn(Asked) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response> + Send,
    {
        self.service(MethodFilter::GET, path, handler)
    }

    /// A POST of a service.
    pub(super) fn post<F, Fut>(self, path: &str, handler: F) -> Self
    where
        F: Fn(Asked) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response> + Send,
    {
        self.service(MethodFilter::POST, path, handler)
    }

    fn service<F, Fut>(self, method: MethodFilter, path: &str, handler: F) -> Self
    where
        F: Fn(Asked) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response> + Send,
    {
        let route = visited(method, self.login, handler);
        self.own(&["/{service}", path].concat(), route)
    }

    /// A route of the site itself.
    pub(super) fn own(mut self, path: &str, route: MethodRouter<St>) -> Self {
        if self.has_mount {
            self.routes = self.routes.route(&[self.login.mount(), path].concat(), route);
        }
        self
    }

    /// The routes.
    pub(super) fn finish(self) -> Router<St> {
        self.routes
    }
}

/// A handler that answers as if it were behind [`Login::layer`], without the cost of a layer: axum
/// boxes its parts for each request.
fn visited<St, F, Fut>(method: MethodFilter, login: &Login, handler: F) -> MethodRouter<St>
where
    St: Clone + Send + Sync + 'static,
    F: Fn(Asked) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send,
{
    let login = login.clone();
    let reads = method == MethodFilter::GET;
    on(method, async move |path: Result<Path<String>, PathRejection>, mut request: Request| {
        if reads && let Some(answer) = probed(request.method(), request.headers()) {
            return answer.map(Body::from);
        }
        let arrival = Arrival::at(&login, &mut request);
        let (parts, body) = request.into_parts();
        let service = path.map_or_else(|_| String::new(), |Path(service)| service);
        arrival.answered(match Visit::of(&parts) {
            Ok(visit) => handler(Asked { service, visit, parts, body }).await,
            Err(error) => plainly(&error, &parts),
        })
    })
}
