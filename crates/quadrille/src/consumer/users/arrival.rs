//! The account that has just logged in.

use crate::consumer::{
    claims::Profile,
    error::{Error, Result, ServiceError},
    flow::authorized::Authorized,
};

use super::id::{EmptyIdError, ExternalId};

/// An account that has just logged in at a service, with its profile there.
///
/// ```
/// use quadrille::consumer::users::{Arrival, EmptyIdError};
/// use quadrille::Profile;
///
/// let mut profile = Profile::new("41");
/// profile.name = Some("Ada".to_owned());
/// let arrival = Arrival::new("github", profile)?;
/// assert_eq!(arrival.id().subject(), "41");
/// # Ok::<(), EmptyIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    id: ExternalId,
    profile: Profile,
}

impl Arrival {
    /// The account of an `on_authorized` hook. Requests its
    /// [profile](crate::consumer::Api::profile).
    ///
    /// # Errors
    /// Those of the request; [`ServiceError::SubjectMissing`].
    pub async fn of(new: &Authorized) -> Result<Self> {
        let service = &new.held().registered().name;
        let arrival = Self::new(service, new.profile().await?);
        arrival.map_err(|EmptyIdError| Error::service(service, ServiceError::SubjectMissing))
    }

    /// An account with this profile at the service of this name: for programs without hooks.
    ///
    /// # Errors
    /// [`EmptyIdError`] for an empty name or [`Profile::subject`].
    pub fn new(service: &str, profile: Profile) -> Result<Self, EmptyIdError> {
        Ok(Self { id: ExternalId::new(service, &*profile.subject)?, profile })
    }

    /// The account.
    pub fn id(&self) -> &ExternalId {
        &self.id
    }

    /// The profile of the account at the service.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The e-mail address, if the service has verified it.
    pub(super) fn verified_email(&self) -> Option<&str> {
        let Profile { email, email_verified, .. } = &self.profile;
        email.as_deref().filter(|email| *email_verified == Some(true) && !email.is_empty())
    }
}
