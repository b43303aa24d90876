//! The rejection of an extractor.

use axum::response::{IntoResponse, Response};
use http::request::Parts;

use crate::Error;

use super::pages::plainly;

/// The rejection of an extractor: an [`Error`], and the response to it.
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use quadrille::{GitHub, Linked, Rejected};
///
/// async fn home(github: Result<Linked<GitHub>, Rejected>) -> Response {
///     match github {
///         Ok(_) => "Welcome back".into_response(),
///         Err(rejected) => {
///             println!("{}", rejected.error());
///             rejected.into_response()
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Rejected {
    pub(super) error: Error,
    pub(super) answer: Option<Response>,
}

impl Rejected {
    /// The error, for handlers that take `Result<Linked<S>, Rejected>`.
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        rejected.error
    }
}

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        self.answer.unwrap_or_else(|| self.error.into_response())
    }
}

impl From<Error> for Rejected {
    fn from(error: Error) -> Self {
        Self { error, answer: None }
    }
}

impl Rejected {
    /// The rejection for an application that is not set up.
    pub(super) fn early(parts: &Parts) -> impl Fn(Error) -> Self {
        |error| Self { answer: Some(plainly(&error, parts)), error }
    }
}
