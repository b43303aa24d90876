//! The actor behind a token, and the authentication of a user.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The actor behind a token: a user or a client. A client named "7" is never user 7.
///
/// ```
/// use quadrille::Actor;
///
/// assert_ne!(Actor::User("7".into()), Actor::Client("7".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// A user, by the subject that the application gave.
    User(Arc<str>),
    /// The client itself, by its `client_id`.
    Client(Arc<str>),
}

/// The authentication of a user: what the application knows about the user signed in.
///
/// ```
/// use quadrille::{Authentication, Env};
///
/// let mut ada = Authentication::new("ada", Env::system().now());
/// ada.amr = vec!["pwd".into(), "otp".into()];
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authentication {
    /// The user's identifier, which never changes and is never reused.
    pub subject: Arc<str>,
    /// The time of the sign-in.
    pub auth_time: Timestamp,
    /// The authentication context class, if one was reached.
    pub acr: Option<Arc<str>>,
    /// The authentication methods (RFC 8176): `pwd`, `otp` and so on.
    pub amr: Vec<Arc<str>>,
    /// The identifier of the application's session, if there is one.
    pub session: Option<Arc<str>>,
}

impl Authentication {
    /// A user who signed in at this time, without details.
    pub fn new(subject: impl Into<Arc<str>>, auth_time: Timestamp) -> Self {
        Self { subject: subject.into(), auth_time, acr: None, amr: Vec::new(), session: None }
    }
}
