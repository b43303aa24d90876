//! An event of the audit log.

use std::net::IpAddr;

use serde::Serialize;

use crate::{row_number::RowNumber, users::User};

use super::operator::Operator;

/// An event. Members that an event has not are left out.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Event<'a> {
    /// The name of the event.
    pub(crate) event: &'static str,
    /// The event in words, for the log.
    #[serde(skip)]
    pub(crate) text: &'static str,
    /// Whether the operator should look at it.
    #[serde(skip)]
    pub(crate) is_warning: bool,
    /// The user who acts, or whom an operator acts on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<&'a str>,
    /// The subject of that user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    /// The user of the machine who runs a command.
    #[serde(flatten)]
    pub(crate) operator: Option<Operator>,
    /// The `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<&'a str>,
    /// The address from which the request came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) known_browser: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slowed_down: Option<bool>,
    /// The requested scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<&'a str>,
    /// The granted scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed: Option<&'a str>,
    /// The short id of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<&'a str>,
    /// The number of a token, which is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<RowNumber>,
    /// Whether a new key signs at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at_once: Option<bool>,
    /// The name of a token, or of a file or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// An event of a command.
    pub(crate) fn by_operator(event: &'static str, text: &'static str) -> Self {
        Self { event, text, operator: Some(Operator::current()), ..Self::default() }
    }

    /// The event, about this user.
    pub(crate) fn about(self, user: &'a User) -> Self {
        Self { account: Some(user.name.as_str()), subject: Some(&user.subject), ..self }
    }
}
