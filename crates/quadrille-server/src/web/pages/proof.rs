//! The pages with a form that needs the password of a user who is signed in, and the check of it. Attempts
//! are counted with those to sign in.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode, Uri},
};
use quadrille::Secret;
use serde::Serialize;

use crate::{
    users::{LEAST_PASSWORD, MOST_PASSWORD},
    words::Wait,
};

use super::{
    super::{
        account_form::AccountForm,
        app::App,
        attempts::Attempt,
        audit,
        passwords::{AGAIN, Looked},
        visitor::Visitor,
    },
    sign_in::{BUSY, Problem, later, too_many},
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

/// Why the page with the form comes again.
pub(super) struct Again {
    pub(super) status: StatusCode,
    pub(super) trouble: Trouble,
    /// The time after which to try again.
    pub(super) wait: Option<Duration>,
}

impl Again {
    /// The form is wrong.
    pub(super) const fn wrong(trouble: Trouble) -> Self {
        Self { status: StatusCode::BAD_REQUEST, trouble, wait: None }
    }

    /// There are too many of something, so the user has to wait.
    pub(super) fn after(wait: Duration, status: StatusCode, problem: Problem) -> Self {
        Self { status, trouble: problem.into(), wait: Some(wait) }
    }
}

/// The values of the page.
#[derive(Serialize)]
struct Values {
    problem: Option<Trouble>,
    /// The least number of characters of a new password.
    least: usize,
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
    /// The page with the form, for a request of a browser.
    pub(super) async fn proof_page(
        &self,
        template: &str,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Response<Body> {
        match self.signed_in(headers, uri).await {
            Ok(visitor) => self.proof_form((StatusCode::OK, template), headers, &visitor, None),
            Err(answer) => answer,
        }
    }

    /// The page again, after a form.
    pub(super) fn proof_again<T>(
        &self,
        template: &str,
        asked: &AccountForm<T>,
        again: Again,
    ) -> Response<Body> {
        let Again { status, trouble, wait } = again;
        let (headers, visitor) = (&asked.headers, &asked.visitor);
        let page = self.proof_form((status, template), headers, visitor, Some(trouble));
        match wait {
            Some(wait) => later(page, wait),
            None => page,
        }
    }

    fn proof_form(
        &self,
        page: (StatusCode, &str),
        headers: &HeaderMap,
        visitor: &Visitor,
        problem: Option<Trouble>,
    ) -> Response<Body> {
        self.user_page(page, headers, visitor, Values { problem, least: LEAST_PASSWORD })
    }

    /// Verifies the password in a form of a user who is signed in. Returns the attempt, which counts as a
    /// failure until it is forgiven; else the answer, mostly the page again.
    pub(super) async fn prove<T>(
        &self,
        template: &str,
        asked: &AccountForm<T>,
        password: &Secret,
    ) -> Result<Attempt, Box<Response<Body>>> {
        let again = |again| Box::new(self.proof_again(template, asked, again));
        if password.is_empty() || password.expose().len() > MOST_PASSWORD {
            return Err(again(Again::wrong(WRONG)));
        }
        let (user, address) = (&asked.visitor.user, asked.address);
        let device = self.devices.find(self.device_cookie(&asked.headers), user);
        let attempt = self.passwords.begin(&user.name, address, device).await;
        let attempt = attempt.map_err(|error| Box::new(self.store_failed(&error)))?;
        let looked = self.passwords.look_at(&attempt, address, Some(user.clone()), password).await;
        let refused = match looked {
            Looked::Right(_) => return Ok(attempt),
            Looked::Wrong => {
                audit::not_verified(user, address, attempt.turn);
                return Err(again(Again { status: StatusCode::FORBIDDEN, ..Again::wrong(WRONG) }));
            }
            Looked::Not(wait) => Again::after(wait, StatusCode::TOO_MANY_REQUESTS, too_many(wait)),
            Looked::Busy => Again::after(AGAIN, StatusCode::SERVICE_UNAVAILABLE, BUSY),
            Looked::Failed(error) => {
                self.passwords.withdraw(&attempt).await;
                tracing::error!(%error, "a password cannot be checked");
                return Err(Box::new(self.failed()));
            }
        };
        self.passwords.withdraw(&attempt).await;
        audit::refused(Some(user), address);
        Err(again(refused))
    }
}
