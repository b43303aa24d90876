//! The passwords of users: their turn, and the look at them. The sign-in page and clients that see
//! passwords (RFC 6749, section 4.3) have the same counts and the same line.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use quadrille::{
    Authentication, Env, RemoteAddress, Secret,
    provider::{
        PasswordAttempt, PasswordNotChecked, PasswordVerifier,
        guessing::{Away, Kdf, KdfError, Line, Verdict},
        store::StoreError,
    },
};

use crate::{
    data::Backend,
    throttle::{PATIENCE, Turn},
    users::{MOST_PASSWORD, User, UserName, prepared},
};

use super::{
    attempts::{Attempt, Attempts},
    audit,
    devices::DeviceId,
    known_browsers::KnownBrowsers,
    overload::Overload,
};

/// The number of passwords of unknown browsers that the threads of the [`Kdf`] hash at once, for
/// each processor: enough that none is idle. All others wait in line. Known browsers have as many of
/// their own.
const PLACES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// The number of attempts that wait in line.
const SEATS: usize = 1024;

/// The number of waiting attempts from one network.
const SEATS_OF_A_NETWORK: usize = 64;

/// The time until another attempt, after attempts of others.
pub(super) const AGAIN: Duration = Duration::from_secs(4);

/// The check of passwords.
pub(super) struct Passwords {
    env: Env,
    backend: Arc<dyn Backend>,
    kdf: Kdf,
    attempts: Attempts,
    strangers: Line,
    known: KnownBrowsers,
    overload: Overload,
}

/// The result of the check of a password.
pub(super) enum Looked {
    Right(User),
    Wrong,
    /// Not looked at: there were too many attempts.
    Not(Duration),
    /// Not looked at: too many others wait.
    Busy,
    Failed(KdfError),
}

impl Passwords {
    pub(super) fn new(env: Env, backend: Arc<dyn Backend>, kdf: Kdf, attempts: Attempts) -> Self {
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let places = processors.saturating_mul(PLACES);
        Self {
            strangers: Line::new(places, SEATS, SEATS_OF_A_NETWORK),
            known: KnownBrowsers::new(places.get()),
            overload: Overload::default(),
            env,
            backend,
            kdf,
            attempts,
        }
    }

    /// Counts an attempt, as a failure, and says what becomes of it.
    ///
    /// # Errors
    /// The errors of the store.
    pub(super) async fn begin(
        &self,
        name: &UserName,
        address: RemoteAddress,
        device: Option<DeviceId>,
    ) -> Result<Attempt, StoreError> {
        self.attempts.begin(name, address, device).await
    }

    /// Looks at a password when it is its turn.
    pub(super) async fn look_at(
        &self,
        attempt: &Attempt,
        address: RemoteAddress,
        found: Option<User>,
        password: &Secret,
    ) -> Looked {
        let (mut place, mut turn) = (None, None);
        match attempt.turn {
            Turn::Refused(wait) => return Looked::Not(wait),
            Turn::Trusted => {
                // A device cookie names a user.
                let subject = found.as_ref().map_or("", |user| &user.subject);
                turn = self.known.turn(subject, PATIENCE).await;
                if turn.is_none() {
                    return self.busy();
                }
            }
            Turn::InLine { wait, failures } => {
                match self.strangers.turn(Some(address), failures, wait, PATIENCE).await {
                    Ok(found) => place = Some(found),
                    Err(Away::GaveWay) => return Looked::Not(AGAIN),
                    Err(Away::TooLong) => return self.busy(),
                }
            }
        }
        let looked = self.verify(found, password.clone()).await;
        drop((place, turn));
        match looked {
            Ok(Some(user)) => Looked::Right(user),
            Ok(None) => Looked::Wrong,
            Err(KdfError::Busy) => self.busy(),
            Err(error) => Looked::Failed(error),
        }
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, password: Secret) -> Result<Arc<str>, KdfError> {
        self.kdf.hash(&self.env, password).await
    }

    fn busy(&self) -> Looked {
        self.overload.sent_away(self.env.now());
        Looked::Busy
    }

    /// Takes an attempt back as a failure.
    pub(super) async fn withdraw(&self, attempt: &Attempt) {
        if let Err(error) = self.attempts.withdraw(attempt).await {
            tracing::warn!(%error, "a sign-in that did not fail still counts as a failure");
        }
    }

    /// The user, if the password is theirs. As much work whether or not there is one, in whatever
    /// Unicode form the password came.
    async fn verify(
        &self,
        found: Option<User>,
        password: Secret,
    ) -> Result<Option<User>, KdfError> {
        for password in forms_of(password) {
            let verdict = match &found {
                Some(user) => self.kdf.verify(&self.env, password, user.password.clone()).await?,
                None => self.kdf.verify_for_nobody(password).await?,
            };
            match (verdict, &found) {
                (Verdict::Wrong, _) | (_, None) => {}
                (Verdict::Right, Some(_)) => return Ok(found),
                (Verdict::Outgrown(better), Some(user)) => {
                    // Next time will do as well.
                    if let Err(error) = self.backend.replace_hash(user, better).await {
                        tracing::warn!(%error, "a better hash of a password was not stored");
                    }
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }
}

/// The forms of a password in which it may have been set: the one in which it is set today, and the
/// one that was typed, from before there was one Unicode form of each.
fn forms_of(typed: Secret) -> impl Iterator<Item = Secret> {
    let today = prepared(&typed);
    let other = (typed != today).then_some(typed);
    [today].into_iter().chain(other)
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

/// The users, for clients that see their passwords.
pub(super) struct ClientsThatSeePasswords(pub(super) Arc<Passwords>);

impl PasswordVerifier for ClientsThatSeePasswords {
    async fn verify(
        &self,
        typed: PasswordAttempt,
    ) -> Result<Option<Authentication>, PasswordNotChecked> {
        let passwords = &*self.0;
        let failed = |error: StoreError| PasswordNotChecked::unavailable(error);
        let Ok(name) = UserName::parse(typed.user_name().trim()) else { return Ok(None) };
        if typed.password().expose().len() > MOST_PASSWORD {
            return Ok(None);
        }
        let Some(address) = typed.from() else {
            return Err(PasswordNotChecked::unavailable("the request has no address"));
        };
        let found = passwords.backend.user_by_name(&name).await.map_err(failed)?;
        let attempt = passwords.begin(&name, address, None).await.map_err(failed)?;
        match passwords.look_at(&attempt, address, found.clone(), typed.password()).await {
            Looked::Right(user) => {
                passwords.withdraw(&attempt).await;
                audit::password_seen(&user, address, &typed.client().id);
                let mut authentication =
                    Authentication::new(user.subject.clone(), passwords.env.now());
                authentication.amr = vec!["pwd".into()];
                Ok(Some(authentication))
            }
            Looked::Wrong => {
                audit::failed(found.as_ref(), address, attempt.turn);
                Ok(None)
            }
            Looked::Not(wait) => {
                passwords.withdraw(&attempt).await;
                audit::refused(found.as_ref(), address);
                Err(PasswordNotChecked::TooMany(wait))
            }
            Looked::Busy => {
                passwords.withdraw(&attempt).await;
                audit::refused(found.as_ref(), address);
                Err(PasswordNotChecked::Busy(AGAIN))
            }
            Looked::Failed(error) => {
                passwords.withdraw(&attempt).await;
                Err(PasswordNotChecked::unavailable(error))
            }
        }
    }

    fn limits_guesses_itself(&self) -> bool {
        true
    }
}
