//! An account whose token is kept valid.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::uri::PathAndQuery;
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
    /// As it was loaded.
    loaded: Stored,
    /// As it is now, if it has changed.
    changed: Mutex<Option<Arc<Stored>>>,
    jar: Option<Jar>,
    /// Whether the account is in the storage, so that its token can be refreshed.
    kept: bool,
    wanted: Wanted,
}

/// The page requested, to return to after a login: its path and query at the login's router.
/// `None` unless a browser loads it as a page of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted(pub(crate) Option<PathAndQuery>);

impl Wanted {
    pub(crate) fn is_navigation(&self) -> bool {
        self.0.is_some()
    }

    /// The public path of the page. A proxy may have stripped any part of the public URL's path,
    /// and the application may be nested at any; below the login's router all paths are the same.
    pub(crate) fn next(&self, login: &Login) -> String {
        let Some(path) = &self.0 else { return String::new() };
        let base = login.ready().map_or("", |ready| &ready.site.base_path);
        [base, path.as_str()].concat()
    }
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
            loaded: stored,
            changed: Mutex::default(),
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
            loaded: stored,
            changed: Mutex::default(),
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

    pub(crate) fn stored(&self) -> Current {
        match &*self.changed() {
            Some(changed) => Current::Changed(Arc::clone(changed)),
            None => Current::Loaded(self.clone()),
        }
    }

    fn changed(&self) -> MutexGuard<'_, Option<Arc<Stored>>> {
        self.0.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account with a token valid for `margin`, or for the time of a call.
    pub(crate) async fn usable(
        &self,
        margin: Option<Duration>,
        refused: Option<&Secret>,
    ) -> Result<Current> {
        let Inner { login, registered, jar, .. } = &*self.0;
        let stored = self.stored();
        if !self.0.kept || login.is_usable(&stored, margin, refused) {
            return Ok(stored);
        }
        match login.made_usable(jar.as_ref(), registered, &stored, refused).await {
            Ok(None) => Ok(stored),
            Ok(Some(now)) => {
                let now = Arc::new(now);
                if now.version != stored.version {
                    *self.changed() = Some(Arc::clone(&now));
                }
                Ok(Current::Changed(now))
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
        *self.changed() = Some(Arc::new(now));
        if ended { missing(NoToken::NeedsLinkingAgain) } else { Ok(()) }
    }
}

/// An account as it is now.
pub(crate) enum Current {
    Loaded(Held),
    Changed(Arc<Stored>),
}

impl Deref for Current {
    type Target = Stored;
    fn deref(&self) -> &Stored {
        match self {
            Self::Loaded(held) => &held.0.loaded,
            Self::Changed(stored) => stored,
        }
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
        login_url: login.login_path(&registered.name, &wanted.next(login), scopes),
        navigation: wanted.is_navigation(),
        reason,
    }))
}
