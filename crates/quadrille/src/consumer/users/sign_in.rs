//! Signing users in, and unlinking their accounts.

use std::{fmt, pin::Pin, sync::Arc};

use tracing::{info, warn};

use crate::{Env, consumer::error::StorageError};

use super::{
    arrival::Arrival,
    decide::{Decision, Facts, decide},
    erased::ErasedUsers,
    error::{RefusedError, SignInError, UnlinkError},
    id::{ExternalId, UserId},
    storage::{Created, LastWay, LinkedTo, Unlinked, UserStorage},
};

/// How often a sign-in that lost to another request decides again.
const ROUNDS: u32 = 16;

type Admit =
    dyn Fn(Arrival, Option<UserId>) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync;

/// The users of an application that logs people in with services. Cheap to clone.
///
/// ```
/// use quadrille::{Profile, consumer::users::{Arrival, MemoryUsers, SignedIn, Users}};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let users = Users::new(MemoryUsers::new());
/// let github = Arrival::new("github", Profile::new("41"))?;
/// let SignedIn::Created(ada) = users.sign_in(&github, None).await? else { panic!() };
/// assert_eq!(users.sign_in(&github, None).await?, SignedIn::Existing(ada));
///
/// let google = Arrival::new("google", Profile::new("1077"))?;
/// assert_eq!(users.sign_in(&google, Some(ada)).await?, SignedIn::Linked(ada));
/// assert_eq!(users.sign_in(&google, None).await?, SignedIn::Existing(ada));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Users {
    storage: Arc<dyn ErasedUsers>,
    env: Env,
    admit: Option<Arc<Admit>>,
    trusts_addresses: bool,
}

/// The user who is signed in now.
///
/// ```
/// use quadrille::consumer::users::{SignedIn, UserId};
///
/// let ada = UserId::from_number(7);
/// assert_eq!(SignedIn::Created(ada).user(), ada);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedIn {
    /// The account belonged to this user.
    Existing(UserId),
    /// This user is new.
    Created(UserId),
    /// The account is linked to this user now.
    Linked(UserId),
}

impl SignedIn {
    /// The user.
    pub fn user(self) -> UserId {
        match self {
            Self::Existing(user) | Self::Created(user) | Self::Linked(user) => user,
        }
    }
}

impl Users {
    /// Users in a storage.
    pub fn new(storage: impl UserStorage) -> Self {
        let (storage, env) = (Arc::new(storage), Env::system());
        Self { storage, env, admit: None, trusts_addresses: false }
    }

    /// Draws the numbers of users from another source: for tests.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Asks the application at every sign-in whether to admit the account, before anything is
    /// stored. `user` is the user who would be signed in; `None` if one would be created. The
    /// question may be repeated, with another `user`, if two sign-ins meet.
    ///
    /// ```
    /// use quadrille::{Profile, consumer::users::{Arrival, MemoryUsers, RefusedError, Users}};
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// // No new users.
    /// let users = Users::new(MemoryUsers::new()).admit(async |_, user| user.is_some());
    /// let github = Arrival::new("github", Profile::new("41"))?;
    /// let refused = users.sign_in(&github, None).await;
    /// assert_eq!(refused, Err(RefusedError::NotAdmitted.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn admit<F>(
        mut self,
        admit: impl Fn(Arrival, Option<UserId>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.admit = Some(Arc::new(move |arrival, user| Box::pin(admit(arrival, user))));
        self
    }

    /// Links an unknown account to the one user with the same e-mail address, if the services of
    /// both have verified it and nobody is signed in. By default such an account is a new user's.
    ///
    /// Each service, and each tenant of one, can then sign in as every user by claiming their
    /// address, and so can the next owner of an address that was given up. Only addresses of
    /// accounts that are created or linked with this setting are found, as they were then.
    #[must_use]
    pub fn trust_every_service_to_verify_addresses(mut self) -> Self {
        self.trusts_addresses = true;
        self
    }

    /// Signs in the user to whom the account belongs; links it to the user `signed_in`, if it
    /// belongs to nobody; or creates a user. Sign-ins at the same time create one user.
    ///
    /// `signed_in` must come from the application's session, as it is at the end of the login.
    ///
    /// # Errors
    /// [`SignInError`]. Nothing is stored then.
    pub async fn sign_in(
        &self,
        arrival: &Arrival,
        signed_in: Option<UserId>,
    ) -> Result<SignedIn, SignInError> {
        let (id, storage) = (arrival.id(), &*self.storage);
        let email = arrival.verified_email().filter(|_| self.trusts_addresses);
        let mut owner = storage.user_of(id).await?;
        for _ in 0..ROUNDS {
            let mut facts = Facts { owner, signed_in, same_email: Vec::new() };
            if let (None, None, Some(email)) = (owner, signed_in, email) {
                facts.same_email = storage.users_with_verified_email(email).await?;
            }
            let decision = decide(&facts);
            self.check_admission(arrival, decision).await?;
            owner = match decision {
                Decision::Enter(user) => return Ok(SignedIn::Existing(user)),
                Decision::Refuse(reason) => return Err(reason.into()),
                Decision::Link(user) => match storage.link(user, id, email).await? {
                    LinkedTo::Done => return Ok(linked(id, user)),
                    LinkedTo::Taken(owner) => Some(owner),
                    LinkedTo::UserUnknown => return Err(RefusedError::UserUnknown.into()),
                },
                Decision::LinkByEmail(user) => match storage.link(user, id, email).await? {
                    LinkedTo::Done => return Ok(linked(id, user)),
                    LinkedTo::Taken(owner) => Some(owner),
                    // They were removed since the look-up, and are found no more.
                    LinkedTo::UserUnknown => None,
                },
                Decision::Create => {
                    let user = UserId::draw(&self.env);
                    match storage.create(user, id, email).await? {
                        Created::Done => {
                            info!(service = id.service(), %user, "a user was created");
                            return Ok(SignedIn::Created(user));
                        }
                        Created::Taken(owner) => Some(owner),
                        Created::UserIdInUse => None,
                    }
                }
            };
        }
        Err(StorageError::Unavailable.into())
    }

    /// Adds a user of the application who signs in otherwise (by a password, by an invitation) and
    /// has no account yet, so that they can link one; `false` if the user is there. Call it before
    /// each [`Users::sign_in`] with such a user.
    ///
    /// ```
    /// use quadrille::{Profile, consumer::users::{Arrival, MemoryUsers, SignedIn, UserId, Users}};
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// // No new users: an account must be linked before it signs anybody in.
    /// let users = Users::new(MemoryUsers::new()).admit(async |_, user| user.is_some());
    /// let ada = UserId::from_number(7); // the key of the application's own table
    /// users.add(ada).await?;
    /// let github = Arrival::new("github", Profile::new("41"))?;
    /// assert_eq!(users.sign_in(&github, Some(ada)).await?, SignedIn::Linked(ada));
    /// assert_eq!(users.sign_in(&github, None).await?, SignedIn::Existing(ada));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add(&self, user: UserId) -> Result<bool, StorageError> {
        self.storage.add(user).await
    }

    /// The accounts of a user, in the order of service and subject.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn external_ids(&self, user: UserId) -> Result<Vec<ExternalId>, StorageError> {
        self.storage.external_ids(user).await
    }

    /// Unlinks an account of a user, unless it is the last one. Tokens are stored elsewhere:
    /// [`Linked::unlink`](crate::Linked::unlink).
    ///
    /// # Errors
    /// [`UnlinkError`].
    pub async fn unlink(&self, user: UserId, id: &ExternalId) -> Result<(), UnlinkError> {
        self.unlink_or_keep(user, id, LastWay::Keep).await
    }

    /// [`Users::unlink`], also for the last account: the user cannot sign in with a service again.
    /// For an application that has checked that there is another way in, such as a password.
    ///
    /// # Errors
    /// [`UnlinkError::NotLinked`], [`UnlinkError::Storage`].
    pub async fn unlink_even_the_last_way_in(
        &self,
        user: UserId,
        id: &ExternalId,
    ) -> Result<(), UnlinkError> {
        self.unlink_or_keep(user, id, LastWay::Unlink).await
    }

    /// Removes a user with all accounts, which are free for new users then; `false` if there is
    /// none.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn remove(&self, user: UserId) -> Result<bool, StorageError> {
        self.storage.remove(user).await
    }

    async fn unlink_or_keep(
        &self,
        user: UserId,
        id: &ExternalId,
        last: LastWay,
    ) -> Result<(), UnlinkError> {
        match self.storage.unlink(user, id, last).await? {
            Unlinked::Done => {
                info!(service = id.service(), %user, "an account was unlinked from a user");
                Ok(())
            }
            Unlinked::LastWay => Err(UnlinkError::LastWay),
            Unlinked::NotLinked => Err(UnlinkError::NotLinked),
        }
    }

    async fn check_admission(
        &self,
        arrival: &Arrival,
        decision: Decision,
    ) -> Result<(), RefusedError> {
        let user = match decision {
            Decision::Enter(user) | Decision::Link(user) | Decision::LinkByEmail(user) => {
                Some(user)
            }
            Decision::Create => None,
            Decision::Refuse(_) => return Ok(()),
        };
        match &self.admit {
            Some(admit) if !admit(arrival.clone(), user).await => {
                warn!(service = arrival.id().service(), "the application did not admit an account");
                Err(RefusedError::NotAdmitted)
            }
            _ => Ok(()),
        }
    }
}

fn linked(id: &ExternalId, user: UserId) -> SignedIn {
    info!(service = id.service(), %user, "an account was linked to a user");
    SignedIn::Linked(user)
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users")
            .field("trusts_addresses", &self.trusts_addresses)
            .finish_non_exhaustive()
    }
}
