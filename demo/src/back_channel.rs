//! The line from the website to the provider, past the browser: what goes over it is written down.

use std::{future::poll_fn, pin::Pin};

use bytes::{Bytes, BytesMut};
use futures_core::Stream as _;
use http::{HeaderValue, Request, Response, header};
use quadrille::transport::{Body, HttpClient, NetworkError, Purpose, Reqwest};

use super::record::Recorder;

/// An HTTP client that writes down what it sends and gets.
#[derive(Clone, Debug)]
pub(super) struct BackChannel {
    http: Reqwest,
    recorder: Recorder,
}

impl BackChannel {
    pub(super) fn new(recorder: Recorder) -> quadrille::Result<Self> {
        Ok(Self { http: Reqwest::standard()?, recorder })
    }

    /// Sends a request of the website's own. Whatever comes back is for the record only.
    pub(super) async fn send(&self, request: Request<Bytes>) {
        let request = request.map(Body::from);
        if let Err(error) = HttpClient::send(self, request, Purpose::Api).await {
            tracing::warn!(%error, "the provider did not answer");
        }
    }
}

impl HttpClient for BackChannel {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        let (parts, body) = request.into_parts();
        let body = whole(body).await?;
        // The client adds it on the way out.
        let mut written = parts.clone();
        if let Some(host) = parts.uri.authority()
            && let Ok(host) = HeaderValue::try_from(host.as_str())
        {
            written.headers.insert(header::HOST, host);
        }
        let noted = self.recorder.back_channel(&written, &body);
        let response = self.http.send(Request::from_parts(parts, body.into()), purpose).await?;
        let (parts, body) = response.into_parts();
        let body = whole(body).await?;
        if let Some(noted) = noted {
            self.recorder.answered(&noted, &parts, &body);
        }
        Ok(Response::from_parts(parts, body.into()))
    }
}

/// No message of the demo is larger.
const MOST: usize = 1024 * 1024;

async fn whole(mut body: Body) -> Result<Bytes, NetworkError> {
    let mut all = BytesMut::new();
    while let Some(piece) = poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
        all.extend_from_slice(&piece?);
        if all.len() > MOST {
            return Err(NetworkError::Interrupted);
        }
    }
    Ok(all.freeze())
}
