//! The verbs of a storage of users.

use crate::consumer::error::StorageError;

use super::id::{ExternalId, UserId};

/// A storage of users and of their accounts at services. Each verb is atomic, and those that may
/// lose to another request report that. No verb moves an account from one user to another.
///
/// Implement it with `async fn`. Services and subjects are compared byte for byte: by default, many
/// databases take `abc` and `ABC ` for the same. With the feature `testing`,
/// [`users_contract!`](crate::users_contract) tests all of this.
///
/// ```
/// use quadrille::consumer::users::{MemoryUsers, UserStorage, Users};
///
/// fn users(storage: impl UserStorage) -> Users {
///     Users::new(storage)
/// }
/// let users = users(MemoryUsers::new());
/// # let _ = users;
/// ```
pub trait UserStorage: Send + Sync + 'static {
    /// The user to whom an account belongs.
    fn user_of(
        &self,
        id: &ExternalId,
    ) -> impl Future<Output = Result<Option<UserId>, StorageError>> + Send;

    /// Creates the user `user`, to whom the account belongs, unless it belongs to another one.
    /// `verified_email` is what [`UserStorage::users_with_verified_email`] finds.
    fn create(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> impl Future<Output = Result<Created, StorageError>> + Send;

    /// Adds a user without accounts; `false` if there is a user with this number.
    fn add(&self, user: UserId) -> impl Future<Output = Result<bool, StorageError>> + Send;

    /// Links an account to a user, unless it belongs to one, which may be the same.
    fn link(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> impl Future<Output = Result<LinkedTo, StorageError>> + Send;

    /// Unlinks an account from its user. Of several requests that unlink a user's last accounts at
    /// the same time, one is refused unless `last` says otherwise.
    fn unlink(
        &self,
        user: UserId,
        id: &ExternalId,
        last: LastWay,
    ) -> impl Future<Output = Result<Unlinked, StorageError>> + Send;

    /// The accounts of a user, in the order of service and subject; none for an unknown user.
    fn external_ids(
        &self,
        user: UserId,
    ) -> impl Future<Output = Result<Vec<ExternalId>, StorageError>> + Send;

    /// The users, each once, with an account with this address, compared byte for byte.
    fn users_with_verified_email(
        &self,
        verified_email: &str,
    ) -> impl Future<Output = Result<Vec<UserId>, StorageError>> + Send;

    /// Removes a user with all accounts; `false` if there is none.
    fn remove(&self, user: UserId) -> impl Future<Output = Result<bool, StorageError>> + Send;
}

/// The outcome of [`UserStorage::create`].
///
/// ```
/// use quadrille::consumer::{StorageError, users::{Created, MemoryUsers, UserId, UserStorage}};
/// use quadrille::consumer::users::ExternalId;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let (users, ada) = (MemoryUsers::new(), ExternalId::new("github", "41")?);
/// let (one, two) = (UserId::from_number(1), UserId::from_number(2));
/// assert_eq!(users.create(one, &ada, None).await?, Created::Done);
/// assert_eq!(users.create(two, &ada, None).await?, Created::Taken(one));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The user is created.
    Done,
    /// The account belongs to this user.
    Taken(UserId),
    /// There is a user with this number.
    UserIdInUse,
}

/// The outcome of [`UserStorage::link`].
///
/// ```
/// use quadrille::consumer::{StorageError, users::{ExternalId, LinkedTo, UserId, UserStorage}};
///
/// async fn link(
///     users: &impl UserStorage,
///     user: UserId,
///     id: &ExternalId,
/// ) -> Result<bool, StorageError> {
///     Ok(match users.link(user, id, None).await? {
///         LinkedTo::Done => true,
///         LinkedTo::Taken(owner) => owner == user,
///         LinkedTo::UserUnknown => false,
///     })
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkedTo {
    /// The account is linked.
    Done,
    /// The account belongs to this user.
    Taken(UserId),
    /// There is no such user.
    UserUnknown,
}

/// Whether [`UserStorage::unlink`] may unlink the last account of a user.
///
/// ```
/// use quadrille::consumer::users::LastWay;
///
/// assert_ne!(LastWay::Keep, LastWay::Unlink);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastWay {
    /// The last account stays.
    Keep,
    /// The last account is unlinked, too.
    Unlink,
}

/// The outcome of [`UserStorage::unlink`].
///
/// ```
/// use quadrille::consumer::{StorageError, users::{ExternalId, LastWay, Unlinked, UserId}};
/// use quadrille::consumer::users::UserStorage;
///
/// async fn is_last(
///     users: &impl UserStorage,
///     user: UserId,
///     id: &ExternalId,
/// ) -> Result<bool, StorageError> {
///     Ok(users.unlink(user, id, LastWay::Keep).await? == Unlinked::LastWay)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// The account is unlinked.
    Done,
    /// The account is the user's last one, and stays.
    LastWay,
    /// The account is not linked to this user.
    NotLinked,
}
