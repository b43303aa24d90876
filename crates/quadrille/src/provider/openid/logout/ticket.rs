//! The ticket in the form of the sign-out page: the request, sealed, for one session.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
        let plain = serde_json::to_vec(self).map_err(|_| OperatorError::Ticket)?;
        Ok(inner.ring.seal(&inner.env, PURPOSE, inner.issuer.as_str(), &plain))
    }

    /// Opens the ticket of a form.
    pub(super) fn open(inner: &Inner, sealed: &str) -> Result<Self, EndSessionError> {
        let plain = inner.ring.open(PURPOSE, inner.issuer.as_str(), sealed).ok();
        let ticket: Option<Self> = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        let is_valid =
            |ticket: &Self| !is_over(inner.now(), ticket.expires, inner.policy.ticket_lifetime);
        ticket.filter(is_valid).ok_or(EndSessionError::Ticket)
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
