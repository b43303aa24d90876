//! An endpoint as a value: its route, and what answers there.

use std::{future::ready, pin::Pin};

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
    /// The answer to a request. The future is small: only that of the handler has the request.
    pub(crate) fn answer(
        &self,
        server: &AuthorizationServer,
        request: Request<Bytes>,
    ) -> impl Future<Output = Response<Bytes>> + Send + use<> {
        let Self { is_for_any_origin, route: Route { name, methods, .. }, .. } = *self;
        let env = server.inner().env.clone();
        let began = Stopwatch::start(&env);
        let preflight = is_for_any_origin.then(|| cross_origin::preflight(&request, methods.names));
        let answer = match preflight.flatten() {
            Some(preflight) => Err(preflight),
            None => Ok(self.begin(server, request)),
        };
        async move {
            let answer = match answer {
                Ok(answer) => answer.await,
                Err(preflight) => return preflight,
            };
            meter::answered(&env, name, began, &answer);
            if is_for_any_origin { cross_origin::for_any_origin(answer) } else { answer }
        }
    }

    fn begin(&self, server: &AuthorizationServer, request: Request<Bytes>) -> Answer {
        match self.route.admit(&request) {
            Ok(()) => (self.handler)(server.clone(), request),
            Err(error) => {
                let answer = (self.refuse)(server.inner(), &self.route, error, &request);
                Box::pin(ready(answer))
            }
        }
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
