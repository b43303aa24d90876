//! The application's check of a user's password, for clients that see it.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use crate::{
    Authentication, RemoteAddress, Scopes, Secret, oauth2::Resources,
    provider::client::record::Client,
};

/// The check of user names and passwords for the resource owner password credentials grant (RFC
/// 6749, section 4.3): see
/// [`let_clients_see_passwords_of_users`](crate::provider::AuthorizationServer::let_clients_see_passwords_of_users).
/// Implement it with `async fn`, or use an async closure.
///
/// `None` means that there is no such user, or that the password is wrong. Both must take equally
/// long: without a user, hash with
/// [`Kdf::verify_for_nobody`](crate::provider::guessing::Kdf::verify_for_nobody).
///
/// ```
/// use quadrille::{
///     Authentication, Env,
///     provider::{PasswordAttempt, PasswordNotChecked, PasswordVerifier, guessing::{Kdf, Verdict}},
/// };
/// use std::{collections::HashMap, sync::Arc};
///
/// struct Users {
///     env: Env,
///     kdf: Kdf,
///     hashes: HashMap<String, Arc<str>>,
/// }
///
/// impl PasswordVerifier for Users {
///     async fn verify(
///         &self,
///         attempt: PasswordAttempt,
///     ) -> Result<Option<Authentication>, PasswordNotChecked> {
///         let (name, password) = (attempt.user_name(), attempt.password().clone());
///         let verdict = match self.hashes.get(name) {
///             Some(hash) => self.kdf.verify(&self.env, password, hash.clone()).await,
///             None => self.kdf.verify_for_nobody(password).await,
///         };
///         let verdict = verdict.map_err(PasswordNotChecked::unavailable)?;
///         let is_right = verdict != Verdict::Wrong && self.hashes.contains_key(name);
///         Ok(is_right.then(|| Authentication::new(name, self.env.now())))
///     }
/// }
/// ```
pub trait PasswordVerifier: Send + Sync + 'static {
    /// Checks a user name and a password.
    fn verify(
        &self,
        attempt: PasswordAttempt,
    ) -> impl Future<Output = Result<Option<Authentication>, PasswordNotChecked>> + Send;

    /// `true` if this verifier limits guesses itself, by user name and network, and gets every
    /// attempt at once. By default the server limits them.
    fn limits_guesses_itself(&self) -> bool {
        false
    }
}

impl<F, A> PasswordVerifier for F
where
    F: Fn(PasswordAttempt) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Option<Authentication>, PasswordNotChecked>> + Send,
{
    async fn verify(
        &self,
        attempt: PasswordAttempt,
    ) -> Result<Option<Authentication>, PasswordNotChecked> {
        self(attempt).await
    }
}

/// A user name and a password that a client has sent (RFC 6749, section 4.3.2).
///
/// ```
/// use quadrille::provider::PasswordAttempt;
///
/// fn is_ada(attempt: &PasswordAttempt) -> bool {
///     attempt.user_name() == "ada"
/// }
/// ```
pub struct PasswordAttempt {
    pub(crate) user_name: String,
    pub(crate) password: Secret,
    pub(crate) client: Arc<Client>,
    pub(crate) scopes: Scopes,
    pub(crate) resources: Resources,
    pub(crate) from: Option<RemoteAddress>,
}

impl PasswordAttempt {
    /// The user name, as the client has sent it. It may be a password that was typed into the wrong
    /// field: do not log a name that no user has.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The password.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// The client, which has authenticated if it is confidential.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The scopes that the client requested and may have.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The APIs that the client requested (RFC 8707).
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The address that the request came from, if the server knows it. It is that of the client,
    /// which may be a server with many users.
    pub fn from(&self) -> Option<RemoteAddress> {
        self.from
    }
}

/// Omits the user name and the password.
impl fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordAttempt")
            .field("client", &self.client.id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// The reason why a password was not checked.
///
/// ```
/// use std::time::Duration;
/// use quadrille::provider::PasswordNotChecked;
///
/// let later = PasswordNotChecked::TooMany(Duration::from_secs(8));
/// assert_eq!(later.to_string(), "too many attempts");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordNotChecked {
    /// There were too many attempts at the user, or from the network; another one may be made after
    /// this time. The client gets 429 with `Retry-After`.
    #[error("too many attempts")]
    TooMany(Duration),
    /// The application has too much to do; try again after this time. The client gets 503 with
    /// `Retry-After`.
    #[error("the application has too much to do")]
    Busy(Duration),
    /// The application cannot check passwords now. The client gets 503, and the log has the reason.
    #[error("passwords cannot be checked: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl PasswordNotChecked {
    /// [`Unavailable`](Self::Unavailable) for this reason, which the log gets.
    pub fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }
}

/// A [`PasswordVerifier`] as an object.
pub(crate) trait ErasedVerifier: Send + Sync {
    fn verify(&self, attempt: PasswordAttempt) -> Verified<'_>;
    fn limits_guesses_itself(&self) -> bool;
}

/// The result of a check.
pub(crate) type Verified<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Authentication>, PasswordNotChecked>> + Send + 'a>>;

impl<V: PasswordVerifier> ErasedVerifier for V {
    fn verify(&self, attempt: PasswordAttempt) -> Verified<'_> {
        Box::pin(PasswordVerifier::verify(self, attempt))
    }

    fn limits_guesses_itself(&self) -> bool {
        PasswordVerifier::limits_guesses_itself(self)
    }
}
