//! The guard of an API in an axum application.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    RemoteAddress,
    guard::{Access, Guarded, Lazy, Refused},
    scope::ScopeRequirement,
};

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

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.to_response().map(Body::from)
    }
}

/// Checks the token or the signature, unless a guard before this did.
async fn check(parts: &mut Parts) {
    if parts.extensions.get::<Guarded>().is_none()
        && let Some(Lazy(guard)) = parts.extensions.get::<Lazy>().cloned()
    {
        note_address(parts);
        guard.look(parts).await;
    }
}

/// The address of the client, unless another layer has set it.
pub(super) fn note_address(parts: &mut Parts) {
    if parts.extensions.get::<RemoteAddress>().is_none()
        && let Some(ConnectInfo(address)) = parts.extensions.get::<ConnectInfo<SocketAddr>>()
    {
        let address = RemoteAddress(address.ip());
        parts.extensions.insert(address);
    }
}
