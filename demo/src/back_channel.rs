//! The direct connection from the website to the provider, and the record of its messages.

use std::{future::poll_fn, pin::Pin};

use bytes::{Bytes, BytesMut};
use futures_core::Stream as _;
use http::{HeaderValue, Request, Response, header};
use quadrille::transport::{Body, HttpClient, NetworkError, Purpose, Reqwest};

use super::record::Recorder;

/// An HTTP client that records its requests and their responses.
#[derive(Clone, Debug)]
pub(super) struct BackChannel {
    http: Reqwest,
    recorder: Recorder,
}

impl BackChannel {
    pub(super) fn new(recorder: Recorder) -> quadrille::Result<Self> {
        Ok(Self { http: Reqwest::standard()?, recorder })
    }

    /// Sends a request of the website itself. The response is for the record only.
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
        // The HTTP client adds this header when it sends the request.
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

/// The size limit of a message. No message of the demo is larger.
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
