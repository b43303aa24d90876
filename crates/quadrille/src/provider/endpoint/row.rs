//! An endpoint as a value: its route, and what answers there.

use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    cross_origin,
    provider::{
        error::endpoint::EndpointError,
        meter::{self, Stopwatch},
        refusal,
        route::Route,
        server::{AuthorizationServer, Inner},
        wire,
    },
};

/// An endpoint that clients call: a row of the [table](super::table::ENDPOINTS).
pub(crate) struct Endpoint {
    pub(crate) route: Route,
    /// Whether applications in a browser may call the endpoint and read its answers, errors
    /// included. No cookie plays a part in them.
    pub(crate) is_for_any_origin: bool,
    /// Answers a request that the route admits.
    pub(crate) handler: Handler,
    /// Answers a request that the route does not admit.
    pub(crate) refuse: fn(&Inner, &Route, EndpointError, &Request<Bytes>) -> Response<Bytes>,
}

pub(crate) type Handler = fn(AuthorizationServer, Request<Bytes>) -> Answer;

pub(crate) type Answer = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

impl Endpoint {
    /// The answer to a request.
    pub(crate) async fn answer(
        &self,
        server: &AuthorizationServer,
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        if self.is_for_any_origin
            && let Some(answer) = cross_origin::preflight(&request, self.route.methods.names)
        {
            return answer;
        }
        let env = &server.inner().env;
        let began = Stopwatch::start(env);
        let answer = match self.route.admit(&request) {
            Ok(()) => (self.handler)(server.clone(), request).await,
            Err(error) => (self.refuse)(server.inner(), &self.route, error, &request),
        };
        meter::answered(env, self.route.name, began, &answer);
        if self.is_for_any_origin { cross_origin::for_any_origin(answer) } else { answer }
    }
}

/// A refusal of OAuth 2 (RFC 6749, section 5.2).
pub(super) fn refuse(
    _: &Inner,
    route: &Route,
    error: EndpointError,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let error = error.into();
    refusal::log_unread(route.name, &error, request);
    wire::error(&error)
}
