//! The check of the password of a user who is signed in, before a change that needs it. Attempts are
//! counted with those to sign in.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::{RemoteAddress, Secret};
use serde::Serialize;

use crate::{users::MOST_PASSWORD, words::Wait};

use super::{
    super::{
        app::App,
        attempts::Attempt,
        audit,
        passwords::{AGAIN, Looked},
        visitor::Visitor,
    },
    sign_in::{BUSY, Problem, too_many},
};

/// Why nothing was changed, for the page with the form.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trouble {
    /// The key of the text.
    pub(super) key: &'static str,
    /// The key of the heading.
    pub(super) title: &'static str,
    /// The fewest characters of a password.
    pub(super) least: Option<usize>,
    /// The most bytes of one.
    pub(super) most: Option<usize>,
    #[serde(flatten)]
    pub(super) wait: Option<Wait>,
    /// The field that is wrong, if one is.
    pub(super) field: Option<&'static str>,
}

/// The password was not verified.
pub(super) enum Unproven {
    /// The page comes again, with the trouble and the time after which to try again.
    Again(StatusCode, Trouble, Option<Duration>),
    /// There is another answer.
    Answered(Box<Response<Body>>),
}

const WRONG: Trouble = Trouble::of("password-wrong", "password-wrong-title", "password");

impl Trouble {
    /// The trouble with a field.
    pub(super) const fn of(key: &'static str, title: &'static str, field: &'static str) -> Self {
        Self { key, title, least: None, most: None, wait: None, field: Some(field) }
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        let Problem { key, title, wait, .. } = problem;
        Self { key, title, least: None, most: None, wait, field: None }
    }
}

impl App {
    /// Verifies the password of a user who is signed in. Returns the attempt, which counts as a failure
    /// until it is forgiven.
    pub(super) async fn prove(
        &self,
        visitor: &Visitor,
        password: &Secret,
        headers: &HeaderMap,
        address: RemoteAddress,
    ) -> Result<Attempt, Unproven> {
        if password.is_empty() || password.expose().len() > MOST_PASSWORD {
            return Err(Unproven::Again(StatusCode::BAD_REQUEST, WRONG, None));
        }
        let user = &visitor.user;
        let device = self.devices.find(self.device_cookie(headers), user);
        let attempt = self.passwords.begin(&user.name, address, device).await;
        let attempt =
            attempt.map_err(|error| Unproven::Answered(Box::new(self.store_failed(&error))))?;
        let looked = self.passwords.look_at(&attempt, address, Some(user.clone()), password).await;
        let (status, trouble, wait) = match looked {
            Looked::Right(_) => return Ok(attempt),
            Looked::Wrong => {
                audit::not_verified(user, address, attempt.turn);
                return Err(Unproven::Again(StatusCode::FORBIDDEN, WRONG, None));
            }
            Looked::Not(wait) => (StatusCode::TOO_MANY_REQUESTS, too_many(wait), wait),
            Looked::Busy => (StatusCode::SERVICE_UNAVAILABLE, BUSY, AGAIN),
            Looked::Failed(error) => {
                self.passwords.withdraw(&attempt).await;
                tracing::error!(%error, "a password cannot be checked");
                return Err(Unproven::Answered(Box::new(self.failed())));
            }
        };
        self.passwords.withdraw(&attempt).await;
        audit::refused(Some(user), address);
        Err(Unproven::Again(status, trouble.into(), Some(wait)))
    }
}
