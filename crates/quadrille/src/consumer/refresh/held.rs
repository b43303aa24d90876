//! An account whose token is kept valid.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::warn;

use crate::{
    Secret,
    consumer::{
        account::{Account, Owner, Stored, Token},
        cookies::Jar,
        error::{Error, NotLinked, NotLinkedReason, Result},
        login::{Login, registered::Registered},
        single_flight::YOUNG,
        storage::{Change, Replaced},
    },
};

use super::NoToken;

/// An account whose token is refreshed before it ends. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Held(Arc<Inner>);

struct Inner {
    login: Login,
    registered: Arc<Registered>,
    stored: Mutex<Arc<Stored>>,
    jar: Option<Jar>,
    /// Whether the account is in the storage, so that its token can be refreshed.
    kept: bool,
    wanted: Wanted,
}

/// The page requested, to return to after a login.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) next: Arc<str>,
    pub(crate) navigation: bool,
}

impl Held {
    pub(crate) fn new(
        login: &Login,
        registered: &Arc<Registered>,
        stored: Stored,
        jar: Option<Jar>,
        wanted: Wanted,
    ) -> Self {
        Self(Arc::new(Inner {
            login: login.clone(),
            registered: Arc::clone(registered),
            stored: Mutex::new(Arc::new(stored)),
            jar,
            kept: true,
            wanted,
        }))
    }

    /// An account with a token that is not stored (yet).
    pub(crate) fn unstored(
        login: &Login,
        registered: &Arc<Registered>,
        owner: &Owner,
        subject: &str,
        token: Token,
    ) -> Self {
        let account = Account {
            owner: owner.clone(),
            service: Arc::clone(&registered.name),
            subject: subject.into(),
        };
        let stored = Stored { account, token, version: 0, needs_linking_again: false };
        Self(Arc::new(Inner {
            login: login.clone(),
            registered: Arc::clone(registered),
            stored: Mutex::new(Arc::new(stored)),
            jar: None,
            kept: false,
            wanted: Wanted::default(),
        }))
    }

    pub(crate) fn login(&self) -> &Login {
        &self.0.login
    }

    pub(crate) fn registered(&self) -> &Arc<Registered> {
        &self.0.registered
    }

    /// Whether the account is in the storage, so that its token can be refreshed.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.kept
    }

    /// Whether the service issued the token just now. One from the future is not young: the clock
    /// went back.
    pub(crate) fn is_young(&self, stored: &Stored) -> bool {
        let (now, obtained) = (self.0.login.0.env.now(), stored.token.obtained);
        obtained <= now && now.since(obtained) < YOUNG
    }

    pub(crate) fn jar(&self) -> Option<&Jar> {
        self.0.jar.as_ref()
    }

    pub(crate) fn stored(&self) -> Arc<Stored> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Stored>> {
        self.0.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account with a token valid for `margin`, or for the time of a call.
    pub(crate) async fn usable(
        &self,
        margin: Option<Duration>,
        refused: Option<&Secret>,
    ) -> Result<Arc<Stored>> {
        let Inner { login, registered, jar, .. } = &*self.0;
        let stored = self.stored();
        if !self.0.kept {
            return Ok(stored);
        }
        let version = stored.version;
        match login.usable(jar.as_ref(), registered, stored, margin, refused).await {
            Ok(stored) => {
                if stored.version != version {
                    *self.lock() = Arc::clone(&stored);
                }
                Ok(stored)
            }
            Err(no_token) => Err(no_token.into_error(login, registered, &self.0.wanted)),
        }
    }

    /// Marks that the service revoked this token and the account needs linking again. `Ok` if the
    /// token was replaced meanwhile.
    ///
    /// # Errors
    /// [`Error::NotLinked`], and those of the storage.
    pub(crate) async fn is_revoked(&self, seen: &Stored) -> Result<()> {
        let Inner { login, registered, jar, .. } = &*self.0;
        let jar = jar.as_ref();
        let missing = |reason: NoToken| Err(reason.into_error(login, registered, &self.0.wanted));
        if login.0.storage.is_in_browser() && jar.is_none_or(Jar::is_closed) {
            // It cannot be stored any more; the next request detects it again.
            return missing(NoToken::NeedsLinkingAgain);
        }
        let cx = login.context(login.ready()?, jar);
        let now = match login.0.storage.replace(&cx, seen, Change::NeedsLinkingAgain).await? {
            Replaced::Done(now) => {
                warn!(
                    service = &*registered.name,
                    "the service revoked a token: the account needs linking again"
                );
                now
            }
            Replaced::Changed(Some(now)) => now,
            Replaced::Changed(None) => return missing(NoToken::Gone),
        };
        let ended = now.needs_linking_again;
        *self.lock() = Arc::new(now);
        if ended { missing(NoToken::NeedsLinkingAgain) } else { Ok(()) }
    }
}

impl NoToken {
    pub(crate) fn into_error(
        self,
        login: &Login,
        registered: &Arc<Registered>,
        wanted: &Wanted,
    ) -> Error {
        let reason = match self {
            Self::Failed(error) => return error,
            Self::NeedsLinkingAgain => NotLinkedReason::NeedsLinkingAgain,
            Self::Expired => NotLinkedReason::Expired,
            Self::Gone => NotLinkedReason::Missing,
        };
        not_linked(login, registered, wanted, reason, "")
    }
}

/// The error that redirects a user to a login.
pub(crate) fn not_linked(
    login: &Login,
    registered: &Arc<Registered>,
    wanted: &Wanted,
    reason: NotLinkedReason,
    scopes: &str,
) -> Error {
    Error::NotLinked(Box::new(NotLinked {
        service: Arc::clone(&registered.name),
        login_url: login.login_path(&registered.name, &wanted.next, scopes),
        navigation: wanted.navigation,
        reason,
    }))
}
