//! The line from the consumer to the provider, past the browser, and who may sit on it.

use std::sync::{Arc, Mutex};

use axum::{Router, body::to_bytes};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use quadrille::transport::{Body, HttpClient, NetworkError, Purpose};
use tower::ServiceExt as _;

/// What is made of a request on the way; `None` leaves it as it is.
pub(crate) type Change = fn(&Request<Bytes>) -> Option<Request<Bytes>>;

/// What for, and what.
pub(crate) type Sent = (Purpose, Request<Bytes>);

/// Who is on the line.
#[derive(Clone, Copy)]
pub(crate) enum Proxy {
    Honest,
    /// Sends a changed copy first, and then what it was given.
    Tries(Change),
    /// Sends what it made of it.
    Sends(Change),
    /// Sends everything twice, and gives the second answer.
    Repeats,
}

/// An HTTP client that reaches one application.
#[derive(Clone)]
pub(crate) struct Wire {
    app: Router,
    proxy: Arc<Mutex<Proxy>>,
    /// What changed copies were answered.
    refused: Arc<Mutex<Vec<u16>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Wire {
    pub(crate) fn to(app: Router) -> Self {
        Self {
            app,
            proxy: Arc::new(Mutex::new(Proxy::Honest)),
            refused: Arc::default(),
            sent: Arc::default(),
        }
    }

    pub(crate) fn is_held_by(&self, proxy: Proxy) {
        *self.proxy.lock().unwrap() = proxy;
    }

    /// How changed copies were answered, since this was last asked.
    pub(crate) fn refused(&self) -> Vec<u16> {
        std::mem::take(&mut *self.refused.lock().unwrap())
    }

    /// What the consumer sent, since this was last asked.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    /// As servers get requests: without the origin in the request line, with it in the Host header.
    async fn deliver(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (mut parts, body) = request.into_parts();
        let host = parts.uri.authority().expect("an absolute URL").as_str();
        parts.headers.insert(header::HOST, HeaderValue::try_from(host).unwrap());
        parts.uri = parts.uri.path_and_query().unwrap().as_str().parse().unwrap();
        let request = Request::from_parts(parts, axum::body::Body::from(body));
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap())
    }
}

impl HttpClient for Wire {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        let request = request.map(|body| match body {
            Body::Whole(bytes) => bytes,
            Body::Stream(_) => panic!("nothing here streams"),
        });
        self.sent.lock().unwrap().push((purpose, request.clone()));
        let proxy = *self.proxy.lock().unwrap();
        let answer = match proxy {
            Proxy::Honest => self.deliver(request).await,
            Proxy::Tries(change) => {
                if let Some(changed) = change(&request) {
                    let status = self.deliver(changed).await.status().as_u16();
                    self.refused.lock().unwrap().push(status);
                }
                self.deliver(request).await
            }
            Proxy::Sends(change) => self.deliver(change(&request).unwrap_or(request)).await,
            Proxy::Repeats => {
                self.deliver(request.clone()).await;
                self.deliver(request).await
            }
        };
        Ok(answer.map(Body::Whole))
    }
}
