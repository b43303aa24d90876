//! The reasons why a user is not signed in, or an account is not unlinked.

use crate::consumer::error::{BrowserError, Error, OperatorError, StorageError};

/// The reason why a user is refused who has logged in at a service.
///
/// ```
/// use quadrille::{Error, consumer::users::{RefusedError, SignInError}};
///
/// let error = Error::from(SignInError::Refused(RefusedError::LinkedToAnother));
/// assert_eq!((error.code(), error.status().as_u16()), ("account_of_another_user", 409));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedError {
    /// The account belongs to another user than the one signed in.
    #[error("the account belongs to another user than the one signed in")]
    LinkedToAnother,
    /// The user signed in does not exist, or exists no longer.
    #[error("the user signed in does not exist")]
    UserUnknown,
    /// The application does not admit the account: [`Users::admit`](super::Users::admit).
    #[error("the application does not admit the account")]
    NotAdmitted,
}

/// The reason why [`Users::sign_in`](super::Users::sign_in) signs nobody in. As an
/// [`Error`](crate::Error), it is a page for the user.
///
/// ```
/// use quadrille::{Error, consumer::{StorageError, users::SignInError}};
///
/// let error = Error::from(SignInError::Storage(StorageError::Unavailable));
/// assert_eq!(error.status(), 503);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The user is refused.
    #[error(transparent)]
    Refused(#[from] RefusedError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The reason why [`Users::unlink`](super::Users::unlink) unlinks no account.
///
/// ```
/// use quadrille::consumer::users::UnlinkError;
///
/// assert!(UnlinkError::LastWay.to_string().contains("could not sign in again"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnlinkError {
    /// The account is the user's only one.
    #[error("the account is the user's last one: without it, they could not sign in again")]
    LastWay,
    /// The account is not linked to this user.
    #[error("the account is not linked to this user")]
    NotLinked,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<SignInError> for Error {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused(RefusedError::LinkedToAnother) => {
                BrowserError::AccountOfAnotherUser.into()
            }
            SignInError::Refused(RefusedError::UserUnknown) => BrowserError::UserUnknown.into(),
            SignInError::Refused(RefusedError::NotAdmitted) => {
                BrowserError::AccountNotAllowed.into()
            }
            SignInError::Storage(error) => OperatorError::from(error).into(),
        }
    }
}
