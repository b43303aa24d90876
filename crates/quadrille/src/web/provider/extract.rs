//! The extractors of the provider, and its answers.

use std::{future::poll_fn, pin::Pin};

use axum::{
    BoxError,
    body::Body,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use serde::de::DeserializeOwned;

use crate::{
    guard::{BODY_LIMIT, Lazy},
    provider::{
        AUTHORIZATION, Authorization, AuthorizationServer, CONSENT, Decision, DeviceVerification,
        EndSession, EndpointError, OperatorError, Problem, Reply, Unread,
    },
};

use super::place::Lent;

impl<S: Send + Sync> FromRequest<S> for Authorization {
    type Rejection = Reply;

    async fn from_request(request: Request, _: &S) -> Result<Self, Reply> {
        let server = server(&request)?;
        server.authorize(read(request, AUTHORIZATION.body_limit).await).await
    }
}

impl<S: Send + Sync, F: DeserializeOwned> FromRequest<S> for Decision<F> {
    type Rejection = Reply;

    async fn from_request(request: Request, _: &S) -> Result<Self, Reply> {
        let server = server(&request)?;
        server.answer(&read(request, CONSENT.body_limit).await)
    }
}

impl<S: Send + Sync> FromRequest<S> for DeviceVerification {
    type Rejection = Reply;

    async fn from_request(request: Request, _: &S) -> Result<Self, Reply> {
        let server = server(&request)?;
        server.device_verification(read(request, BODY_LIMIT).await)
    }
}

impl<S: Send + Sync> FromRequest<S> for EndSession {
    type Rejection = Reply;

    async fn from_request(request: Request, _: &S) -> Result<Self, Reply> {
        let server = server(&request)?;
        server.end_session(read(request, BODY_LIMIT).await).await
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        http::Response::<Bytes>::from(self).map(Body::from)
    }
}

fn server(request: &Request) -> Result<AuthorizationServer, Reply> {
    let lazy = request.extensions().get::<Lazy>();
    match lazy.and_then(Lazy::lent) {
        None => Err(Problem::show(&OperatorError::LayerMissing.into()).into()),
        Some(Lent { is_misplaced: true, .. }) => {
            Err(Problem::show(&OperatorError::Nested.into()).into())
        }
        Some(Lent { server, .. }) => Ok(server.clone()),
    }
}

/// The request with its body, up to the endpoint's limit. A failure to read it is put into the
/// extensions for the endpoint.
pub(super) fn read(
    request: Request,
    body_limit: usize,
) -> impl Future<Output = http::Request<Bytes>> + Send {
    // The future of an async function would have room for the request twice.
    let (mut parts, body) = request.into_parts();
    async move {
        let body = whole(body, body_limit).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "the body of a request was not read");
            parts.extensions.insert(Unread(EndpointError::BodyTooLong));
            Bytes::new()
        });
        http::Request::from_parts(parts, body)
    }
}

/// The whole body, up to a limit. Most come in one piece, which is not copied.
async fn whole(mut body: Body, limit: usize) -> Result<Bytes, BoxError> {
    let (mut first, mut more) = (Bytes::new(), BytesMut::new());
    while !body.is_end_stream() {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let Some(frame) = frame else { break };
        // Trailers mean nothing to a form.
        let Ok(piece) = frame?.into_data() else { continue };
        if first.len() + more.len() + piece.len() > limit {
            return Err("it is too long".into());
        }
        match first.is_empty() {
            true => first = piece,
            false => more.extend_from_slice(&piece),
        }
    }
    match more.is_empty() {
        true => Ok(first),
        false => Ok([&first[..], &more[..]].concat().into()),
    }
}
