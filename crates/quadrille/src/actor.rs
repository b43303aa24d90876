//! The actor behind a token, and the authentication of a user.

use std::sync::Arc;
#[cfg(feature = "guard")]
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// The party that acts for the subject of a token, by delegation: the claim `act` (RFC 8693,
/// section 4.1). Only the outermost party counts for access control; those inside are the history.
///
/// ```
/// use quadrille::Act;
///
/// let mut mailer = Act::new("mailer");
/// mailer.act = Some(Box::new(Act::new("shop")));
/// assert_eq!(mailer.to_json().to_string(), r#"{"act":{"sub":"shop"},"sub":"mailer"}"#);
/// assert_eq!(Act::read(&mailer.to_json()), Some(mailer));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Act {
    /// The subject of the party: a user's, or the `client_id` of a client.
    pub sub: Arc<str>,
    /// The issuer that knows the party; `None` for the issuer of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<Arc<str>>,
    /// The `client_id`, if the party is a client that acts for itself. A client named "7" is never
    /// user 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Arc<str>>,
    /// The party that acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

impl Act {
    /// The greatest number of parties that is read.
    const DEEPEST: usize = 16;

    /// A party that acts, and none before it.
    pub fn new(sub: impl Into<Arc<str>>) -> Self {
        Self { sub: sub.into(), iss: None, client_id: None, act: None }
    }

    /// The number of parties.
    pub fn depth(&self) -> usize {
        1 + self.act.as_ref().map_or(0, |act| act.depth())
    }

    /// The claim as JSON.
    pub fn to_json(&self) -> Value {
        let mut claim = Map::new();
        if let Some(act) = &self.act {
            claim.insert("act".to_owned(), act.to_json());
        }
        let known_by = [("iss", &self.iss), ("client_id", &self.client_id)];
        for (name, value) in known_by {
            if let Some(value) = value {
                claim.insert(name.to_owned(), (**value).into());
            }
        }
        claim.insert("sub".to_owned(), (*self.sub).into());
        Value::Object(claim)
    }

    /// Reads the claim. `None` if it names no party, or more than 16.
    pub fn read(claim: &Value) -> Option<Self> {
        Self::read_within(claim, Self::DEEPEST)
    }

    fn read_within(claim: &Value, parties: usize) -> Option<Self> {
        let claim = claim.as_object().filter(|_| parties > 0)?;
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(Arc::from);
        let optional = |name| match claim.get(name) {
            Some(value) => text(value).map(Some),
            None => Some(None),
        };
        let act = claim.get("act").map(|act| Self::read_within(act, parties - 1));
        Some(Self {
            sub: claim.get("sub").and_then(text)?,
            iss: optional("iss")?,
            client_id: optional("client_id")?,
            act: match act {
                Some(act) => Some(Box::new(act?)),
                None => None,
            },
        })
    }
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
    /// The identifier of the application's session, if there is one. Each session has another one: a
    /// code of a session that has ended brings no tokens.
    pub session: Option<Arc<str>>,
}

impl Authentication {
    /// A user who signed in at this time, without details.
    pub fn new(subject: impl Into<Arc<str>>, auth_time: Timestamp) -> Self {
        Self { subject: subject.into(), auth_time, acr: None, amr: Vec::new(), session: None }
    }

    /// Whether the authentication is at most this old, in whole seconds. One that is more than a
    /// minute ahead of the clock is from before the clock was set back, and its age is unknown.
    #[cfg(feature = "guard")]
    pub(crate) fn is_at_most(&self, longest: Duration, now: Timestamp) -> bool {
        const AHEAD: i64 = 60;
        let age = now.seconds() - self.auth_time.seconds();
        age >= -AHEAD && u64::try_from(age).unwrap_or(0) <= longest.as_secs()
    }
}
