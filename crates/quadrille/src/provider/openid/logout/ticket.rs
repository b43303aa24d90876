//! What is sealed between two requests: the ticket in the form of the sign-out page, for one session,
//! and the request of a client by POST, until the browser repeats it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Timestamp,
    actor::Authentication,
    provider::{
        authorize::next::Before, clock::is_over, error::OperatorError, server::Inner,
        store::SecretHash,
    },
};

use super::{check::Target, error::EndSessionError};

const PURPOSE: &str = "provider sign-out ticket";
const POSTED: &str = "provider posted sign-out";

/// The time in which a browser follows a redirect.
const MOMENT: Duration = Duration::from_secs(60);

/// The request behind a sign-out page. It is bound to the session, whose identifier nobody else
/// knows, so no page elsewhere has one for this browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    subject: Arc<str>,
    auth_time: Timestamp,
    session: Option<SecretHash>,
    expires: Timestamp,
    /// The URL and the destination of the address after the logout.
    onward: Option<(String, String)>,
}

impl Ticket {
    pub(super) fn new(inner: &Inner, user: &Authentication, onward: Option<&Target>) -> Self {
        let Before { time, session } = Before::of(user);
        Self {
            subject: user.subject.clone(),
            auth_time: time,
            session,
            expires: inner.now() + inner.policy.ticket_lifetime,
            onward: onward.map(|target| (target.url.clone(), target.destination.clone())),
        }
    }

    /// Seals the ticket for the form.
    pub(super) fn seal(&self, inner: &Inner) -> Result<String, OperatorError> {
        seal(inner, PURPOSE, self)
    }

    /// Opens the ticket of a form.
    pub(super) fn open(inner: &Inner, sealed: &str) -> Result<Self, EndSessionError> {
        let ticket: Self = unseal(inner, PURPOSE, sealed)?;
        match is_over(inner.now(), ticket.expires, inner.policy.ticket_lifetime) {
            true => Err(EndSessionError::Ticket),
            false => Ok(ticket),
        }
    }

    /// `true` if the ticket is for this session.
    pub(super) fn is_for(&self, user: &Authentication) -> bool {
        let now = Before::of(user);
        self.subject == user.subject
            && self.auth_time.seconds() == now.time.seconds()
            && self.session == now.session
    }

    /// The address after the logout.
    pub(super) fn onward(self) -> Option<Target> {
        self.onward.map(|(url, destination)| Target { url, destination })
    }
}

/// The request of a client by POST, for the address at which the browser repeats it by GET, with its
/// cookies. A client posts so that its ID token is in no address.
#[derive(Serialize, Deserialize)]
pub(super) struct Posted {
    form: String,
    expires: Timestamp,
}

impl Posted {
    /// Seals the parameters of a request.
    pub(super) fn seal(inner: &Inner, form: String) -> Result<String, OperatorError> {
        seal(inner, POSTED, &Self { form, expires: inner.now() + MOMENT })
    }

    /// The parameters of the request.
    pub(super) fn open(inner: &Inner, sealed: &str) -> Result<String, EndSessionError> {
        let posted: Self = unseal(inner, POSTED, sealed)?;
        match is_over(inner.now(), posted.expires, MOMENT) {
            true => Err(EndSessionError::Ticket),
            false => Ok(posted.form),
        }
    }
}

fn seal(inner: &Inner, purpose: &str, value: &impl Serialize) -> Result<String, OperatorError> {
    let plain = serde_json::to_vec(value).map_err(|_| OperatorError::Ticket)?;
    Ok(inner.ring.seal(&inner.env, purpose, inner.issuer.as_str(), &plain))
}

fn unseal<T: DeserializeOwned>(
    inner: &Inner,
    purpose: &str,
    sealed: &str,
) -> Result<T, EndSessionError> {
    let plain = inner.ring.open(purpose, inner.issuer.as_str(), sealed);
    let plain = plain.map_err(|_| EndSessionError::Ticket)?;
    serde_json::from_slice(&plain).map_err(|_| EndSessionError::Ticket)
}
