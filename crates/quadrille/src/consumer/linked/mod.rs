mod adopt;
mod end_session;
mod in_request;
pub(super) mod revoke;
mod session_page;

use std::{
    collections::VecDeque,
    fmt,
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;

use crate::{
    Scopes,
    consumer::error::{NotLinkedReason, OperatorError, Result},
    scope::ScopeRequirement,
};

use super::{
    account::{Account, Owner, Stored},
    attempt::returned::return_cookie,
    call::api::Api,
    claims::Claims,
    cookies::Jar,
    identity,
    login::{Login, registered::Registered},
    openid,
    refresh::held::{Held, Wanted, not_linked},
    service::{Dynamic, Service},
    storage,
};

/// A user's account at the service `S`: see [`Api`] for its calls.
///
/// As a handler's argument, it redirects visitors without an account to a login and back. With a
/// second parameter, it also requests the scopes named there if the account lacks them.
/// `Option<Linked<S>>` is `None` instead, and never waits for the network.
///
/// ```
/// use quadrille::{GitHub, Linked, Result, scopes};
///
/// scopes! { pub Gists = "gist", "Create gists"; }
///
/// async fn save(github: Linked<GitHub, Gists>, text: String) -> Result<()> {
///     let gist = serde_json::json!({ "files": { "note.txt": { "content": text } } });
///     github.post("gists", &gist).await
/// }
///
/// async fn home(github: Option<Linked<GitHub>>) -> &'static str {
///     if github.is_some() { "Welcome back" } else { "Log in with GitHub: /login/github" }
/// }
/// ```
pub struct Linked<S, Scope: ScopeRequirement = ()> {
    api: Api,
    types: PhantomData<fn() -> (S, Scope)>,
}

impl<S, Scope: ScopeRequirement> Linked<S, Scope> {
    pub(crate) fn new(api: Api) -> Self {
        Self { api, types: PhantomData }
    }

    /// The account: its owner, service and subject.
    pub fn account(&self) -> Account {
        self.api.held().stored().account.clone()
    }

    /// The account's identifier at the service; empty if the service has no identity.
    pub fn subject(&self) -> Arc<str> {
        Arc::clone(&self.api.held().stored().account.subject)
    }

    /// The scopes granted.
    pub fn scopes(&self) -> Scopes {
        self.api.held().stored().token.scopes.clone()
    }

    /// The account's claims in the ID token of the login, or of the last refresh that had one, at an
    /// OpenID Provider: without a request, and as old as that token. `None` at other services, and
    /// for an account whose ID token found no room in the user's cookies.
    ///
    /// ```
    /// use quadrille::{Google, Linked};
    ///
    /// async fn home(google: Linked<Google>) -> String {
    ///     let claims = google.claims();
    ///     let email = claims.as_ref().and_then(|claims| claims.text("email"));
    ///     format!("You are {}", email.unwrap_or("without an address"))
    /// }
    /// ```
    pub fn claims(&self) -> Option<Claims> {
        let stored = self.api.held().stored();
        openid::claims_of(&stored.account, &stored.token)
    }

    /// Whether the provider has ended the session in which the account was linked
    /// ([`Login::receives_logouts`]). The account of a user outlives that session, so work for the user
    /// goes on; where it must not, ask this before. One that is a browser's session is none any more.
    ///
    /// ```
    /// use quadrille::{Linked, Result, consumer::Dynamic};
    ///
    /// async fn sync(acme: Linked<Dynamic>) -> Result<()> {
    ///     if acme.has_session_ended().await? {
    ///         return acme.unlink().await;
    ///     }
    ///     acme.get::<serde_json::Value>("files").await.map(drop)
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn has_session_ended(&self) -> Result<bool> {
        let login = self.api.held().login();
        login.look_for_ended().await?;
        Ok(login.has_ended_since(&self.api.held().stored()))
    }

    /// Prepares the account for work after the response is sent: a task, a stream. Refreshes the
    /// token now if its remaining lifetime is less than `duration`.
    ///
    /// With tokens in cookies, a token that expires later cannot be refreshed any more: calls then
    /// return [`OperatorError::AnswerHasLeft`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use quadrille::{GitHub, Linked, Result};
    ///
    /// async fn import(github: Linked<GitHub>) -> Result<&'static str> {
    ///     let github = github.detach(Duration::from_secs(600)).await?;
    ///     tokio::spawn(async move {
    ///         let repositories: Result<serde_json::Value> = github.get("user/repos").await;
    ///         // ...
    ///     });
    ///     Ok("On its way")
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of a refresh.
    pub async fn detach(self, duration: Duration) -> Result<Self> {
        self.api.held().usable(Some(duration), None).await?;
        Ok(self)
    }

    /// Removes the account from this site.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn unlink(self) -> Result<()> {
        let login = self.api.held().login();
        forget(login, self.api.held().jar(), &self.api.held().stored().account).await
    }
}

impl<S, Scope: ScopeRequirement> Deref for Linked<S, Scope> {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.api
    }
}

impl<S, Scope: ScopeRequirement> Clone for Linked<S, Scope> {
    fn clone(&self) -> Self {
        Self::new(self.api.clone())
    }
}

impl<S, Scope: ScopeRequirement> fmt::Debug for Linked<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Linked").field(&self.account()).finish()
    }
}

impl Login {
    /// One account, outside of a request.
    ///
    /// ```
    /// use quadrille::{GitHub, Login, Result, consumer::Account};
    ///
    /// async fn nightly(login: &Login, account: &Account) -> Result<()> {
    ///     let github = login.linked::<GitHub>(account).await?;
    ///     let events: serde_json::Value = github.get("events").await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// An account of a browser whose session its provider has ended is none any more, as in a request.
    ///
    /// # Errors
    /// [`Error::NotLinked`](crate::Error::NotLinked), those of the storage, and
    /// [`OperatorError::OutsideRequest`] if tokens are stored in cookies.
    pub async fn linked<S: Service>(&self, account: &Account) -> Result<Linked<S>> {
        let registered = self.by_name(&account.service).await?;
        if registered.type_id != std::any::TypeId::of::<S>() {
            let service = (*account.service).into();
            return Err(OperatorError::ServiceMismatch { service }.into());
        }
        self.account(&registered, account).await
    }

    /// [`Login::linked`] for services known only at run time.
    ///
    /// # Errors
    /// See [`Login::linked`].
    pub async fn linked_by_name(&self, account: &Account) -> Result<Linked<Dynamic>> {
        self.account(&self.by_name(&account.service).await?, account).await
    }

    async fn account<S>(
        &self,
        registered: &Arc<Registered>,
        account: &Account,
    ) -> Result<Linked<S>> {
        let Account { owner, subject, .. } = account;
        self.stored(registered, owner, Some(subject)).await
    }

    /// The account of an owner that was linked last, outside of a request: for accounts that belong
    /// to no user, such as one with which all pages of the site call a service.
    ///
    /// ```
    /// use quadrille::{GitHub, Login, Owner, Result};
    ///
    /// async fn releases(login: &Login) -> Result<serde_json::Value> {
    ///     let github = login.linked_of_owner::<GitHub>(&Owner::user("site")).await?;
    ///     github.get("repos/quadrille/quadrille/releases").await
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`Login::linked`].
    pub async fn linked_of_owner<S: Service>(&self, owner: &Owner) -> Result<Linked<S>> {
        let unknown = || OperatorError::ServiceNotAdded { service: S::SPEC.name.into() };
        let registered = self.by_type::<S>()?.ok_or_else(unknown)?;
        self.stored(&registered, owner, None).await
    }

    async fn stored<S>(
        &self,
        registered: &Arc<Registered>,
        owner: &Owner,
        subject: Option<&str>,
    ) -> Result<Linked<S>> {
        let cx = self.context(self.ready()?, None);
        let stored = self.0.storage.load(&cx, owner, &registered.name, subject).await?;
        self.look_for_ended().await?;
        let stored = stored.filter(|stored| !self.has_ended_account(stored));
        let wanted = Wanted::default();
        match stored {
            Some(stored) if !stored.needs_linking_again => {
                Ok(Linked::new(Api::new(Held::new(self, registered, stored, None, wanted))))
            }
            other => {
                let reason = match other {
                    Some(_) => NotLinkedReason::NeedsLinkingAgain,
                    None => NotLinkedReason::Missing,
                };
                Err(not_linked(self, registered, &wanted, reason, ""))
            }
        }
    }

    /// All accounts of every owner at `S` whose token may be valid, one after the other: for
    /// background work. Those of browsers whose sessions their provider has ended are not among them.
    ///
    /// ```
    /// use quadrille::{GitHub, Login, Result};
    ///
    /// async fn for_everyone(login: &Login) -> Result<()> {
    ///     let mut accounts = login.accounts::<GitHub>()?;
    ///     while let Some(github) = accounts.next().await {
    ///         let events: serde_json::Value = github?.get("events").await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::ServiceNotAdded`]. If tokens are stored in cookies, the stream's first item
    /// is [`OperatorError::OutsideRequest`].
    pub fn accounts<S: Service>(&self) -> Result<Accounts<S>> {
        let registered = self.by_type::<S>()?;
        let unknown = || OperatorError::ServiceNotAdded { service: S::SPEC.name.into() };
        Ok(Accounts::new(self, registered.ok_or_else(unknown)?))
    }

    /// [`Login::accounts`] for services known only at run time, and for one tenant.
    ///
    /// # Errors
    /// See [`Login::accounts`]; [`BrowserError::TenantUnknown`](crate::consumer::BrowserError).
    pub async fn accounts_by_name(&self, service: &str) -> Result<Accounts<Dynamic>> {
        Ok(Accounts::new(self, self.by_name(service).await?))
    }

    /// The context of this login's storage outside of a request, for what a storage does beyond
    /// [`TokenStorage`](crate::consumer::TokenStorage): importing tokens, or sealing them again
    /// under a new key.
    ///
    /// ```
    /// use quadrille::{Login, Owner, Result};
    /// use quadrille::consumer::{Account, MemoryStorage, Token, TokenStorage};
    ///
    /// async fn import(login: &Login, storage: &MemoryStorage, user: i64) -> Result<()> {
    ///     let (owner, service, subject) = (Owner::user(user), "github".into(), "1".into());
    ///     let account = Account { owner, service, subject };
    ///     storage.link(&login.storage_context()?, &account, &Token::new("gho_1")).await
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of [`Login::check`].
    pub fn storage_context(&self) -> Result<storage::Context<'_>> {
        Ok(self.context(self.ready()?, None))
    }

    /// Removes an account, outside of a request.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn unlink(&self, account: &Account) -> Result<()> {
        forget(self, None, account).await
    }

    /// Forgets that an account has just logged in: a callback that is opened once more, with a copy of
    /// its cookie, must not undo a logout.
    pub(crate) fn forget_redemptions(&self, account: &Account) {
        let Account { owner, service, subject } = account;
        self.0.redemptions.forget_logins(|stored| {
            // The owner may be another one since: a browser's accounts become a user's.
            let is_same = !subject.is_empty() || stored.owner == *owner;
            is_same && stored.service == *service && stored.subject == *subject
        });
    }

    /// The account of this owner in this browser, without network access. Without a jar, the
    /// account of this owner.
    pub(crate) async fn load(
        &self,
        jar: Option<&Jar>,
        service: &str,
        owner: &Owner,
    ) -> Result<Option<Stored>> {
        let ready = self.ready()?;
        let (cx, storage) = (self.context(ready, jar), &self.0.storage);
        // An unknown browser has linked nothing, but a storage for tests may have an account for
        // everyone.
        let owner = self.owner_key(ready, owner, jar).unwrap_or(Owner::NOBODY);
        match storage.find_in_cookies(&cx, &owner, service) {
            Some(found) => found,
            None => storage.load(&cx, &owner, service, None).await,
        }
    }
}

async fn forget(login: &Login, jar: Option<&Jar>, account: &Account) -> Result<()> {
    let ready = login.ready()?;
    if let Some(jar) = jar {
        forget_in_browser(login, jar, &account.service, &account.owner)?;
    }
    login.forget_redemptions(account);
    login.0.storage.unlink(&login.context(ready, jar), account).await?;
    Ok(())
}

/// Removes the browser's cookies other than the account's.
pub(crate) fn forget_in_browser(
    login: &Login,
    jar: &Jar,
    service: &str,
    owner: &Owner,
) -> Result<()> {
    if let Some(account) = identity::remembered(login, jar, service, owner)? {
        login.forget_redemptions(&account);
    }
    identity::forget(login, jar, service)?;
    Ok(jar.remove(&login.ready()?.site.style, &return_cookie(service))?)
}

type Loading = Pin<Box<dyn Future<Output = Result<Vec<Stored>>> + Send>>;

/// The accounts at one service: [`Login::accounts`]. A [`Stream`] with a [`next`](Self::next) of
/// its own.
///
/// ```
/// use quadrille::{GitHub, Login, Result};
///
/// async fn poll_all(login: &Login) -> Result<()> {
///     let mut accounts = login.accounts::<GitHub>()?;
///     while let Some(github) = accounts.next().await {
///         let user: serde_json::Value = github?.get("user").await?;
///     }
///     Ok(())
/// }
/// ```
pub struct Accounts<S> {
    login: Login,
    registered: Arc<Registered>,
    page: VecDeque<Stored>,
    last: Option<Account>,
    loading: Option<Loading>,
    done: bool,
    service: PhantomData<fn() -> S>,
}

/// The number of accounts read at once.
const PAGE: usize = 100;

impl<S> Accounts<S> {
    fn new(login: &Login, registered: Arc<Registered>) -> Self {
        Self {
            login: login.clone(),
            registered,
            page: VecDeque::new(),
            last: None,
            loading: None,
            done: false,
            service: PhantomData,
        }
    }

    /// The next account.
    pub async fn next(&mut self) -> Option<Result<Linked<S>>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<S> Stream for Accounts<S> {
    type Item = Result<Linked<S>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            while let Some(stored) = this.page.pop_front() {
                this.last = Some(stored.account.clone());
                if !stored.needs_linking_again && !this.login.has_ended_account(&stored) {
                    let (login, registered) = (&this.login, &this.registered);
                    let api =
                        Api::new(Held::new(login, registered, stored, None, Wanted::default()));
                    return Poll::Ready(Some(Ok(Linked::new(api))));
                }
            }
            if this.done {
                return Poll::Ready(None);
            }
            let loading = this.loading.get_or_insert_with(|| {
                let (login, last) = (this.login.clone(), this.last.clone());
                let service = Arc::clone(&this.registered.name);
                Box::pin(async move {
                    let cx = login.context(login.ready()?, None);
                    login.look_for_ended().await?;
                    login.0.storage.accounts(&cx, &service, last.as_ref(), PAGE).await
                })
            });
            let Poll::Ready(loaded) = loading.as_mut().poll(cx) else { return Poll::Pending };
            this.loading = None;
            match loaded {
                Ok(page) => {
                    this.done = page.len() < PAGE;
                    this.page = page.into();
                }
                Err(error) => {
                    this.done = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl<S> fmt::Debug for Accounts<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("service", &self.registered.name).finish_non_exhaustive()
    }
}
