//! The guard of an API in an axum application.

use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts, Request},
    response::{IntoResponse, Response},
    routing::any,
};
use http::{StatusCode, request::Parts};

use crate::{
    guard::{Access, Guard, Lazy, Refused},
    scope::ScopeRequirement,
};

impl<S: Send + Sync, R: ScopeRequirement> FromRequestParts<S> for Access<R> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Lazy::check(parts).await;
        Self::of(&parts.extensions)
    }
}

impl<S: Send + Sync, R: ScopeRequirement> OptionalFromRequestParts<S> for Access<R> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
        Lazy::check(parts).await;
        Self::find(&parts.extensions)
    }
}

impl Guard {
    /// The route of the API's metadata ([`describe`](Self::describe)), from the root of the origin;
    /// no route without metadata. Merge it, do not nest it.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use quadrille::{guard::{Access, Guard}, scopes};
    ///
    /// scopes! { Photos = "photos:read", "See your photos"; }
    ///
    /// async fn photos(access: Access<Photos>) -> String {
    ///     format!("the photos of {:?}", access.actor())
    /// }
    ///
    /// fn app(guard: &Guard) -> Router {
    ///     Router::new().route("/photos", get(photos)).layer(guard.clone()).merge(guard.routes())
    /// }
    /// ```
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let Some(path) = self.metadata_path() else { return Router::new() };
        let guard = self.clone();
        let handler = async move |request: Request| match guard.metadata(&request) {
            Some(response) => response.map(Body::from),
            None => StatusCode::NOT_FOUND.into_response(),
        };
        Router::new().route(&pattern_of(path), any(handler))
    }
}

/// The pattern of a route at `path`. axum refuses segments that had a meaning in its older versions;
/// a capture takes their place, since the handler compares the path.
fn pattern_of(path: &str) -> String {
    let segments = path.split('/').enumerate().map(|(i, segment)| match segment {
        _ if segment.starts_with([':', '*']) => format!("{{segment{i}}}"),
        _ => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.to_response().map(Body::from)
    }
}
