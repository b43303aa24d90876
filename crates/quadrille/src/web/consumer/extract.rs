//! The extractors: [`Linked`], [`Identity`], [`Visitor`].

use std::{fmt, sync::Arc};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use tracing::warn;

use crate::{
    Error, Login, Result,
    consumer::{
        Account, Api, Begin, Dynamic, Held, Identity, IntoOwner, Jar, Linked, LoggedOut, Owner,
        Registered, Service, Stored, Trail, Wanted,
        error::{BrowserError, NotLinked, NotLinkedReason, OperatorError},
        forget_in_browser, is_in_loop, not_linked, of_account, recall, return_cookie,
    },
    scope::ScopeRequirement,
};

use super::{hooks::Handlers, layer::Visit, pages::failed, rejected::Rejected};

/// The user of a request, signed in or not: for services known only at run time, and for signing
/// out.
///
/// ```
/// use quadrille::{Result, Visitor};
///
/// async fn tenant(visitor: Visitor) -> Result<String> {
///     let acme = visitor.linked("acme").await?;
///     let me: serde_json::Value = acme.get("me").await?;
///     Ok(format!("You are {} at Acme", me["name"]))
/// }
/// ```
pub struct Visitor {
    visit: Visit,
    owner: Owner,
    wanted: Wanted,
    /// Whether a request that signs a user in is of this site.
    is_own_sign_in: bool,
}

impl Visitor {
    /// This owner's visit at `login`, from a browser without cookies: for a unit test that calls a
    /// handler without a router. [`FakeService::link`](crate::testing::FakeService::link) gives the
    /// owner accounts.
    ///
    /// ```
    /// use quadrille::{
    ///     GitHub, KeyRing, Login, Owner, Result, Visitor, consumer::MemoryStorage,
    ///     testing::FakeService,
    /// };
    ///
    /// async fn home(visitor: Visitor) -> Result<String> {
    ///     let github = visitor.linked("github").await?;
    ///     Ok(format!("You are number {}", github.subject()))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let service = FakeService::of::<GitHub>("our-id", "our-secret");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(GitHub::new("our-id", "our-secret"))
    ///     .storage(MemoryStorage::new())
    ///     .http(service.clone());
    /// service.link(&login, "github", &Owner::user("ada"), 7).await;
    /// assert_eq!(home(Visitor::test(&login, &Owner::user("ada"))).await?, "You are number 7");
    ///
    /// let stranger = Visitor::test(&login, &Owner::user("grace"));
    /// assert_eq!(home(stranger).await.unwrap_err().code(), "not_linked");
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "testing")]
    pub fn test(login: &Login, owner: &Owner) -> Self {
        let visit = Visit::test(login);
        Self { visit, owner: owner.clone(), wanted: Wanted::default(), is_own_sign_in: true }
    }

    /// The owner of the user's accounts: see [`Hooks::owner`](crate::Hooks::owner).
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The user's account at this service.
    ///
    /// # Errors
    /// [`Error::NotLinked`], which redirects to a login, and those of a refresh.
    pub async fn linked(&self, service: &str) -> Result<Linked<Dynamic>> {
        let Visit { login, jar, .. } = &self.visit;
        let registered = login.by_name(service).await?;
        let found =
            Found { visit: &self.visit, login, jar, registered, wanted: self.wanted.clone() };
        found.linked(&self.owner).await.map_err(|error| found.in_place(error))
    }

    /// The user's account at this service, if one is linked, and its provider has not ended the session
    /// that it is. Never waits for the network.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn account(&self, service: &str) -> Result<Option<Account>> {
        let Visit { login, jar, .. } = &self.visit;
        login.check_name(service)?;
        let Some(stored) = login.load(Some(jar), service, &self.owner).await? else {
            return Ok(None);
        };
        login.look_for_ended().await?;
        let has_ended = login.has_ended_account(&stored);
        Ok((!has_ended).then_some(stored.account))
    }

    /// Gives the accounts of this browser at `service` to a user who is signing in:
    /// [`Login::adopt`]. `None` if the browser had none.
    ///
    /// Another site could sign the visitor in as a user of its own, who would get the visitor's
    /// tokens. So the request must come from a page of this origin, such as a form: not from
    /// another site, nor from a link in an e-mail. A handler that takes [`SameOrigin`] refuses the
    /// whole sign-in.
    ///
    /// ```
    /// use quadrille::{Result, SameOrigin, Visitor};
    ///
    /// async fn sign_in(_: SameOrigin, visitor: Visitor) -> Result<&'static str> {
    ///     let user = 7; // who is signed in to the application's session now
    ///     visitor.adopt("github", user).await?;
    ///     Ok("Welcome back")
    /// }
    /// ```
    ///
    /// # Errors
    /// [`BrowserError::NotThisOrigin`], and those of [`Login::adopt`]. The browser then still has
    /// its accounts.
    ///
    /// [`SameOrigin`]: crate::SameOrigin
    pub async fn adopt(&self, service: &str, owner: impl IntoOwner) -> Result<Option<Account>> {
        let Visit { login, jar, .. } = &self.visit;
        if !self.is_own_sign_in {
            return Err(BrowserError::NotThisOrigin.into());
        }
        login.adopt(jar, service, &owner.into_owner().unwrap_or(Owner::NOBODY)).await
    }

    /// Hands out a `nonce` for a page that is to get an ID token of this service by itself and to go on
    /// to `next`: [`Login::id_token_nonce`]. The page is for this browser alone, so it must not be
    /// cached.
    ///
    /// ```
    /// use axum::response::Html;
    /// use quadrille::{Result, Visitor};
    ///
    /// async fn welcome(visitor: Visitor) -> Result<Html<String>> {
    ///     let nonce = visitor.id_token_nonce("google", "/album").await?;
    ///     Ok(Html(format!(
    ///         r#"<script src="https://accounts.google.com/gsi/client" async></script>
    ///         <div id="g_id_onload" data-client_id="our-id" data-nonce="{nonce}"
    ///             data-login_uri="https://app.example/login/google/id-token"></div>"#
    ///     )))
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of [`Login::id_token_nonce`].
    pub async fn id_token_nonce(&self, service: &str, next: &str) -> Result<String> {
        let Visit { login, jar, .. } = &self.visit;
        login.id_token_nonce(jar, &Begin::new(service).next(next).owner(&self.owner)).await
    }

    /// Logs the user out of this service: [`Linked::log_out`], for an account that is expired or
    /// needs linking again, too, and removes the identity. `None` if no account is linked.
    ///
    /// ```
    /// use quadrille::{Result, Visitor, consumer::LoggedOut};
    ///
    /// async fn sign_out(visitor: Visitor) -> Result<&'static str> {
    ///     // The application ends its own session here.
    ///     Ok(match visitor.log_out("github").await? {
    ///         None | Some(LoggedOut::Revoked) => "Goodbye",
    ///         Some(_) => "Goodbye. GitHub still lists this application in your settings.",
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn log_out(&self, service: &str) -> Result<Option<LoggedOut>> {
        let Visit { login, jar, .. } = &self.visit;
        let stored = login.load(Some(jar), service, &self.owner).await?;
        self.log_out_of(service, stored).await
    }

    async fn log_out_of(&self, service: &str, stored: Option<Stored>) -> Result<Option<LoggedOut>> {
        let Visit { login, jar, .. } = &self.visit;
        let registered = login.by_name(service).await?;
        let Some(stored) = stored else {
            forget_in_browser(login, jar, service, &self.owner)?;
            return Ok(None);
        };
        let found =
            Found { visit: &self.visit, login, jar, registered, wanted: self.wanted.clone() };
        Linked::<Dynamic>::new(found.api(stored)).log_out().await.map(Some)
    }

    /// Logs the user out of this service, as [`log_out`](Self::log_out) does, and returns the URL that
    /// ends the session at the service, too, from which the user goes on to `next`:
    /// [`Login::log_out_at_service`]. `None` at a service without that, and while the metadata of the
    /// provider cannot be fetched, which the log says.
    ///
    /// ```
    /// use axum::response::Redirect;
    /// use quadrille::{Result, SameOrigin, Visitor};
    ///
    /// async fn sign_out(_: SameOrigin, visitor: Visitor) -> Result<Redirect> {
    ///     // The application ends its own session here.
    ///     let url = visitor.log_out_there("acme", "/goodbye").await?;
    ///     Ok(Redirect::to(url.as_deref().unwrap_or("/goodbye")))
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn log_out_there(&self, service: &str, next: &str) -> Result<Option<String>> {
        let (_, url) = self.log_out_here_and_there(service, next).await?;
        Ok(url)
    }

    pub(super) async fn log_out_here_and_there(
        &self,
        service: &str,
        next: &str,
    ) -> Result<(Option<LoggedOut>, Option<String>)> {
        let Visit { login, jar, .. } = &self.visit;
        login.check_name(service)?;
        let stored = login.load(Some(jar), service, &self.owner).await?;
        let outcome = self.log_out_of(service, stored.clone()).await?;
        let url = login.way_out(jar, service, stored.as_ref(), next).await;
        // The logout here is worth more.
        let url = url.unwrap_or_else(|error| {
            warn!(service, %error, code = error.code(), "the session at a service is not ended");
            None
        });
        Ok((outcome, url))
    }

    /// Removes the user's account and identity at this service.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn unlink(&self, service: &str) -> Result<()> {
        let Visit { login, jar, .. } = &self.visit;
        let account = self.account(service).await?;
        forget_in_browser(login, jar, service, &self.owner)?;
        if let Some(account) = account {
            login.forget_redemptions(&account);
            let ready = login.ready()?;
            let cx = login.context(ready, Some(jar));
            login.0.storage.unlink(&cx, &account).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl<St: Send + Sync> FromRequestParts<St> for Visitor {
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Self, Rejected> {
        let visit = Visit::of(parts).map_err(Rejected::early(parts))?;
        let owner = Handlers::of(&visit.login).find_owner(parts).await;
        let wanted = visit.wanted(parts);
        let is_own_sign_in = visit.login.is_own_sign_in(&parts.headers);
        Ok(Self { visit, owner, wanted, is_own_sign_in })
    }
}

impl<S: Service, Sc: ScopeRequirement, St: Send + Sync> FromRequestParts<St> for Linked<S, Sc> {
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Self, Rejected> {
        let (visit, registered) = visit_of::<S>(parts).map_err(Rejected::early(parts))?;
        let found = Found::new(&visit, registered, parts);
        let owner = Handlers::of(found.login).find_owner(parts).await;
        match found.linked(&owner).await {
            Ok(linked) => Ok(linked),
            Err(error) => Err(Box::pin(found.rejected(parts, error, &owner)).await),
        }
    }
}

impl<S: Service, Sc: ScopeRequirement, St: Send + Sync> OptionalFromRequestParts<St>
    for Linked<S, Sc>
{
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Option<Self>, Rejected> {
        let (visit, registered) = visit_of::<S>(parts).map_err(Rejected::early(parts))?;
        let found = Found::new(&visit, registered, parts);
        let owner = Handlers::of(found.login).find_owner(parts).await;
        found.login.look_for_ended().await?;
        let stored = found.login.load(Some(found.jar), &found.registered.name, &owner).await?;
        let now = found.login.0.env.now();
        let usable = |stored: &Stored| {
            let alive = stored.token.refresh_token.is_some()
                || stored.token.is_good(now, std::time::Duration::ZERO);
            let is_over = found.login.has_ended_account(stored);
            alive && !is_over && !stored.needs_linking_again && Sc::is_met(&stored.token.scopes)
        };
        Ok(stored.filter(usable).map(|stored| Linked::new(found.api(stored))))
    }
}

impl<S: Service, St: Send + Sync> FromRequestParts<St> for Identity<S> {
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Self, Rejected> {
        let (visit, registered) = visit_of::<S>(parts).map_err(Rejected::early(parts))?;
        let found = Found::new(&visit, registered, parts);
        let owner = Handlers::of(found.login).find_owner(parts).await;
        match found.identity(&owner).await {
            Ok(Some(identity)) => Ok(identity),
            Ok(None) => {
                let reason = NotLinkedReason::Missing;
                let mut error =
                    not_linked(found.login, &found.registered, &found.wanted, reason, "");
                if let Error::NotLinked(who) = &mut error {
                    let sign = if who.login_url.contains('?') { '&' } else { '?' };
                    who.login_url.push(sign);
                    who.login_url.push_str("only=identity");
                }
                Err(Box::pin(found.rejected(parts, error, &owner)).await)
            }
            Err(error) => Err(Box::pin(found.rejected(parts, error, &owner)).await),
        }
    }
}

impl<S: Service, St: Send + Sync> OptionalFromRequestParts<St> for Identity<S> {
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Option<Self>, Rejected> {
        let (visit, registered) = visit_of::<S>(parts).map_err(Rejected::early(parts))?;
        let found = Found::new(&visit, registered, parts);
        let owner = Handlers::of(found.login).find_owner(parts).await;
        Ok(found.identity(&owner).await?)
    }
}

/// The service of an extractor, found in the request's logins.
struct Found<'a> {
    visit: &'a Visit,
    login: &'a Login,
    jar: &'a Jar,
    registered: Arc<Registered>,
    wanted: Wanted,
}

/// The innermost login that has this service.
fn visit_of<S: Service>(parts: &Parts) -> Result<(Visit, Arc<Registered>)> {
    let mut visit = Some(Visit::innermost(parts)?);
    while let Some(this) = visit {
        if let Some(registered) = this.login.by_type::<S>()? {
            return Ok((this.clone(), registered));
        }
        visit = this.outer.as_deref();
    }
    Err(OperatorError::ServiceNotAdded { service: S::SPEC.name.into() }.into())
}

impl<'a> Found<'a> {
    fn new(visit: &'a Visit, registered: Arc<Registered>, parts: &Parts) -> Self {
        let Visit { login, jar, .. } = visit;
        Self { visit, login, jar, registered, wanted: visit.wanted(parts) }
    }

    /// Replaces a redirect to a login by an error if the login's URLs do not lead to its router.
    fn in_place(&self, error: Error) -> Error {
        match (&error, self.visit.check_place()) {
            (Error::NotLinked(_), Err(misplaced)) => misplaced,
            _ => error,
        }
    }

    fn api(&self, stored: Stored) -> Api {
        let jar = Some(self.jar.clone());
        Api::new(Held::new(self.login, &self.registered, stored, jar, self.wanted.clone()))
    }

    async fn linked<S, Sc: ScopeRequirement>(&self, owner: &Owner) -> Result<Linked<S, Sc>> {
        self.login.linked_with(self.jar, &self.registered, owner, &self.wanted).await
    }

    async fn identity<S>(&self, owner: &Owner) -> Result<Option<Identity<S>>> {
        self.login.look_for_ended().await?;
        if let Some(identity) = recall(self.login, self.jar, &self.registered, owner)? {
            return Ok(Some(identity));
        }
        let stored = self.login.load(Some(self.jar), &self.registered.name, owner).await?;
        let now = self.login.0.env.now();
        Ok(stored
            .filter(|stored| !stored.account.subject.is_empty())
            .filter(|s| now.since(s.token.obtained) <= self.login.0.identity_lasts)
            .filter(|stored| !self.login.has_ended_since(stored))
            .map(|stored| of_account(&stored)))
    }

    /// The response to a user without the account: a redirect to a login, unless they are in
    /// a redirect loop.
    async fn rejected(&self, parts: &mut Parts, error: Error, owner: &Owner) -> Rejected {
        let Self { login, jar, registered, wanted, .. } = self;
        let (error, retry) = match self.in_place(error) {
            Error::NotLinked(who) if self.goes_in_circles(&who, owner) => {
                // The page and the error do not say what the page found, which the operator mends.
                let (service, reason) = (&*who.service, who.reason.as_str());
                warn!(service, reason, "three logins linked no account that the page can use");
                (BrowserError::Loop.into(), Some(who.login_url))
            }
            error @ Error::NotLinked(_) => return error.into(),
            other => (other, None),
        };
        let trail = Trail {
            service: Some(Arc::clone(&registered.settled)),
            next: Some(wanted.next(login)),
            retry,
            ..Trail::default()
        };
        let answer = failed(login, jar, parts, error.clone(), trail).await;
        Rejected { error, answer: Some(answer) }
    }

    /// Whether the user has returned to this page three times within a minute and would be
    /// redirected again. They decide whether to try again, so the note of their return is removed.
    fn goes_in_circles(&self, who: &NotLinked, owner: &Owner) -> bool {
        let Ok(ready) = self.login.ready() else { return false };
        who.navigation
            && is_in_loop(
                &ready.site,
                self.jar,
                &self.registered.name,
                owner,
                &self.wanted.next(self.login),
            )
            && self.jar.remove(&ready.site.style, &return_cookie(&self.registered.name)).is_ok()
    }
}
