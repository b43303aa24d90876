//! Identifiers of users, and of accounts at services.

use std::{fmt, num::ParseIntError, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Env,
    consumer::account::{IntoOwner, Owner},
};

/// A user of the application: a random number from 1 to 2^53, which JavaScript represents exactly,
/// too. It is never changed; use it as a key of the application's own tables.
///
/// ```
/// use quadrille::{Owner, consumer::{IntoOwner, users::UserId}};
///
/// let user: UserId = "7".parse()?;
/// assert_eq!(user.into_owner(), Some(Owner::user(7)));
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(i64);

impl UserId {
    /// A user, by the number in a column.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number, for a column.
    pub const fn number(self) -> i64 {
        self.0
    }

    pub(crate) fn draw(env: &Env) -> Self {
        Self((i64::from_be_bytes(env.random()) & ((1 << 53) - 1)) + 1)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for UserId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl IntoOwner for UserId {
    fn into_owner(self) -> Option<Owner> {
        Some(Owner::user(self))
    }
}

/// An account at a service, of any user: the service and the subject there. Both are compared byte
/// for byte.
///
/// ```
/// use quadrille::consumer::users::{EmptyIdError, ExternalId};
///
/// let ada = ExternalId::new("github", "41")?;
/// assert_ne!(ada, ExternalId::new("gitea~acme", "41")?);
/// assert_eq!(ExternalId::new("github", ""), Err(EmptyIdError));
/// # Ok::<(), EmptyIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId {
    service: Arc<str>,
    subject: Arc<str>,
}

/// The service or the subject of an account is empty, so that it identifies nobody.
///
/// ```
/// use quadrille::consumer::users::ExternalId;
///
/// let error = ExternalId::new("", "41").unwrap_err();
/// assert_eq!(error.to_string(), "the service or the subject of an account is empty");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service or the subject of an account is empty")]
pub struct EmptyIdError;

impl ExternalId {
    /// An account: `service` is the service's name, with that of the tenant (`gitea~acme`), or an
    /// issuer; `subject` is the account's identifier there.
    ///
    /// # Errors
    /// [`EmptyIdError`].
    pub fn new(
        service: impl Into<Arc<str>>,
        subject: impl Into<Arc<str>>,
    ) -> Result<Self, EmptyIdError> {
        let (service, subject) = (service.into(), subject.into());
        if service.is_empty() || subject.is_empty() {
            return Err(EmptyIdError);
        }
        Ok(Self { service, subject })
    }

    /// The service's name, or the issuer.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The account's identifier at the service.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}
