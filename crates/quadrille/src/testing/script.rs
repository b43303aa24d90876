//! The script of a fake service, and the requests received.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};

use crate::transport::{Body, NetworkError, Purpose};

/// A request that a fake service received.
///
/// ```
/// use quadrille::testing::FakeService;
///
/// let service = FakeService::new("our-id", "our-secret");
/// assert!(service.asked().is_empty());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// The purpose of the request.
    pub purpose: Purpose,
    /// The request.
    pub request: Arc<Request<Bytes>>,
}

/// A scripted response to the next request.
#[derive(Debug)]
pub(super) enum Scripted {
    Answer(Response<Bytes>),
    Error(NetworkError),
    Silence,
}

#[derive(Debug, Default)]
pub(super) struct Script {
    next: VecDeque<(Purpose, Scripted)>,
    pub(super) asked: Vec<Asked>,
    pub(super) forgetful: bool,
}

impl Script {
    pub(super) fn push(&mut self, purpose: Purpose, scripted: Scripted) {
        self.next.push_back((purpose, scripted));
    }

    /// Whether the next request for this purpose has a scripted response.
    #[cfg(feature = "axum")]
    pub(super) fn has(&self, purpose: Purpose) -> bool {
        self.next.iter().any(|(scripted, _)| *scripted == purpose)
    }

    /// Records a request. Returns its scripted response, if there is one.
    pub(super) fn take(&mut self, request: &Request<Bytes>, purpose: Purpose) -> Option<Scripted> {
        if !self.forgetful {
            self.asked.push(Asked { purpose, request: Arc::new(request.clone()) });
        }
        let next = self.next.iter().position(|(scripted, _)| *scripted == purpose)?;
        self.next.remove(next).map(|(_, scripted)| scripted)
    }

    pub(super) fn times_asked(&self, purpose: Purpose) -> usize {
        self.asked.iter().filter(|asked| asked.purpose == purpose).count()
    }
}

impl Scripted {
    pub(super) async fn play(self) -> Result<Response<Bytes>, NetworkError> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Error(error) => Err(error),
            Self::Silence => std::future::pending().await,
        }
    }
}

/// The request with its whole body.
pub(super) async fn whole(request: Request<Body>) -> Result<Request<Bytes>, NetworkError> {
    let (parts, mut body) = request.into_parts();
    let mut all = Vec::new();
    while let Some(piece) = std::future::poll_fn(|cx| {
        futures_core::Stream::poll_next(std::pin::Pin::new(&mut body), cx)
    })
    .await
    {
        all.extend_from_slice(&piece?);
    }
    Ok(Request::from_parts(parts, Bytes::from(all)))
}
