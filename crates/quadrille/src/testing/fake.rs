//! The common part of fake services: manners, a script, and the requests received.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;

use crate::{
    consumer::presets::manners::Manners,
    transport::{Body, HttpClient, NetworkError, Purpose},
};

use super::script::{Asked, Script, Scripted, whole};

/// A service that exists in this process only, of one protocol: a
/// [`FakeService`](super::FakeService) or a [`FakeOAuth1Service`](super::FakeOAuth1Service).
///
/// ```
/// use http::StatusCode;
/// use quadrille::{testing::FakeService, transport::Purpose};
///
/// let service = FakeService::new("our-id", "our-secret");
/// service.answers_next(Purpose::RedeemCode, StatusCode::SERVICE_UNAVAILABLE, "");
/// assert_eq!(service.times_asked(Purpose::RedeemCode), 0);
/// ```
pub struct Fake<P>(Arc<Mutex<Stage<P>>>);

/// A fake service between two requests.
pub(super) struct Stage<P> {
    pub(super) manners: Manners,
    pub(super) part: P,
    script: Script,
}

/// The part of a fake service that depends on the protocol.
pub trait Part: Send + 'static {
    /// Answers a request by protocol and manners.
    fn answer(
        &mut self,
        manners: &Manners,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Response<Bytes>;
}

impl<P: Part> Fake<P> {
    pub(super) fn play(part: P, manners: Manners) -> Self {
        Self(Arc::new(Mutex::new(Stage { manners, part, script: Script::default() })))
    }

    /// Changes the manners.
    pub fn change(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.stage().manners);
    }

    /// Answers the next request for this purpose with this status and body.
    pub fn answers_next(&self, purpose: Purpose, status: StatusCode, body: impl Into<Bytes>) {
        let mut answer = Response::new(body.into());
        *answer.status_mut() = status;
        self.answers_next_with(purpose, answer);
    }

    /// Answers the next request for this purpose with this response.
    pub fn answers_next_with(&self, purpose: Purpose, answer: Response<Bytes>) {
        self.stage().script.push(purpose, Scripted::Answer(answer));
    }

    /// Fails the next request for this purpose.
    pub fn fails_next(&self, purpose: Purpose, error: NetworkError) {
        self.stage().script.push(purpose, Scripted::Error(error));
    }

    /// Never answers the next request for this purpose.
    pub fn ignores_next(&self, purpose: Purpose) {
        self.stage().script.push(purpose, Scripted::Silence);
    }

    /// Stops recording requests: for very many of them.
    pub fn forgets_what_it_is_asked(&self) {
        self.stage().script.forgetful = true;
    }

    /// All requests so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.stage().script.asked.clone()
    }

    /// The number of requests for this purpose.
    pub fn times_asked(&self, purpose: Purpose) -> usize {
        self.stage().script.times_asked(purpose)
    }

    /// Answers a request, as [`HttpClient`] does: for a fake service behind real HTTP.
    ///
    /// # Errors
    /// The fault in the script for this request.
    pub async fn respond(
        &self,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Result<Response<Bytes>, NetworkError> {
        let scripted = self.stage().script.take(&request, purpose);
        match scripted {
            Some(scripted) => scripted.play().await,
            None => {
                let mut stage = self.stage();
                let manners = stage.manners;
                Ok(stage.part.answer(&manners, request, purpose))
            }
        }
    }

    pub(super) fn stage(&self) -> MutexGuard<'_, Stage<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Part> HttpClient for Fake<P> {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        Ok(self.respond(whole(request).await?, purpose).await?.map(Body::from))
    }
}

impl<P> Clone for Fake<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P> fmt::Debug for Fake<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").finish_non_exhaustive()
    }
}

/// A JSON response.
pub(super) fn json_answer(json: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
