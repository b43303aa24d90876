//! The actor behind a token, and the authentication of a user.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Who acts with a token. A machine named "7" is never user 7.
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
    /// A person, by the subject that the application gave.
    User(Arc<str>),
    /// The client itself, by its `client_id`.
    Client(Arc<str>),
}

/// Who signed in, when and how: what the application knows of the person in front of it.
///
/// ```
/// use quadrille::{Authentication, Env};
///
/// let mut ada = Authentication::new("4711", Env::system().now());
/// ada.amr = vec!["pwd".into(), "otp".into()];
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authentication {
    /// The person, by a name that never changes and is never given to another.
    pub subject: Arc<str>,
    /// When they signed in.
    pub auth_time: Timestamp,
    /// The authentication context class, if one was reached.
    pub acr: Option<Arc<str>>,
    /// The methods used (RFC 8176): `pwd`, `otp` and so on.
    pub amr: Vec<Arc<str>>,
    /// The application's session, if it has a name for it.
    pub session: Option<Arc<str>>,
}

impl Authentication {
    /// This person signed in at this time, nobody says how.
    pub fn new(subject: impl Into<Arc<str>>, auth_time: Timestamp) -> Self {
        Self { subject: subject.into(), auth_time, acr: None, amr: Vec::new(), session: None }
    }
}
