//! The check of the password of a user who is signed in, before a change that needs it. Attempts are
//! counted with those to sign in.

use std::{borrow::Cow, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::{RemoteAddress, Secret};
use serde::Serialize;

use crate::users::MOST_PASSWORD;

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
    pub(super) title: &'static str,
    pub(super) text: Cow<'static, str>,
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

const WRONG: Trouble = Trouble {
    title: "Wrong password",
    text: Cow::Borrowed("Type the password with which you sign in."),
    field: Some("password"),
};

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self { title: problem.title, text: problem.text, field: None }
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
