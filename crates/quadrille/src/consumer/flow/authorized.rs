//! The event of `on_authorized`: a token is issued but no account is stored yet.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde_json::{Map, Value};
use tracing::{info, warn};

use crate::consumer::{
    account::{Account, Owner, Token},
    attempt::{Attempt, AttemptCookie, Kind, returned::note_return},
    call::api::Api,
    claims::Claims,
    cookies::Jar,
    dance::Granted,
    error::{BrowserError, Error, OperatorError, Result},
    identity,
    login::{Login, registered::Registered},
    refresh::held::Held,
};

/// A user who has just logged in at a service: the event of `on_authorized` hooks. It can call the
/// service's API like [`Linked`](crate::Linked).
///
/// ```
/// use quadrille::{Authorized, Result};
///
/// async fn arrived(new: Authorized) -> Result<()> {
///     let user: serde_json::Value = new.get("user").await?;
///     println!("{} has logged in", user["login"]);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Authorized(Arc<AuthorizedInner>);

struct AuthorizedInner {
    api: Api,
    token: Token,
    kind: Kind,
    next: String,
    data: Option<Value>,
    callback: Vec<(String, String)>,
    more: Map<String, Value>,
    claims: OnceLock<Claims>,
}

impl Authorized {
    pub(crate) fn new(
        login: &Login,
        registered: &Arc<Registered>,
        owner: &Owner,
        granted: Granted,
        attempt: &Attempt,
        callback: &[(String, String)],
    ) -> Self {
        let Granted { token, more, claims } = granted;
        let subject = claims.as_ref().map_or("", Claims::subject);
        Self(Arc::new(AuthorizedInner {
            api: Api::new(Held::unstored(login, registered, owner, subject, token.clone())),
            token,
            kind: attempt.kind.clone(),
            next: attempt.next.clone(),
            data: attempt.data.clone(),
            callback: callback.to_vec(),
            more,
            claims: claims.map_or_else(OnceLock::new, OnceLock::from),
        }))
    }

    /// The token. (Calls of the API need not handle it: `new.get("user")`.)
    pub fn token(&self) -> &Token {
        &self.0.token
    }

    /// The path of this site to which the user is redirected.
    pub fn next(&self) -> &str {
        &self.0.next
    }

    /// The data that the application gave to the login:
    /// [`Begin::data`](crate::consumer::Begin::data).
    pub fn data(&self) -> Option<&Value> {
        self.0.data.as_ref()
    }

    /// A further parameter of the callback, unread: the `user` of Apple, the `realmId` of
    /// QuickBooks, the `shop` of Shopify. It came through the user's browser, where the user can
    /// change it, and nothing signs it. `None` for a repeated one. At most 32 parameters and 4 KiB
    /// are kept.
    ///
    /// ```
    /// use quadrille::{Authorized, Result};
    ///
    /// async fn arrived(new: Authorized) {
    ///     let user = new.callback_parameter("user").and_then(|user| {
    ///         serde_json::from_str::<serde_json::Value>(user).ok()
    ///     });
    ///     println!("Welcome, {}", user.map_or("stranger".into(), |user| user["name"].to_string()));
    /// }
    /// ```
    pub fn callback_parameter(&self, name: &str) -> Option<&str> {
        let found = self.0.callback.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value)
    }

    /// All other members of the token response, such as `id_token`.
    pub fn more(&self) -> &Map<String, Value> {
        &self.0.more
    }

    /// The account's claims, requested once per login. At a service that identifies the account
    /// with the token ([`Spec::identity_in_token`](crate::Spec::identity_in_token)) they are the
    /// members of that response. `None` for a service that identifies no account.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn claims(&self) -> Result<Option<&Claims>> {
        if let Some(claims) = self.0.claims.get() {
            return Ok(Some(claims));
        }
        match identity::ask(&self.0.api).await? {
            Some(claims) => Ok(Some(self.0.claims.get_or_init(|| claims))),
            None => Ok(None),
        }
    }

    /// Checks that this site admits the account.
    ///
    /// # Errors
    /// [`BrowserError::AccountNotAllowed`], and those of the request for its claims.
    pub(crate) async fn check(&self) -> Result<()> {
        let Some(required) = &self.0.api.held().registered().required_claim else { return Ok(()) };
        match self.claims().await? {
            Some(claims) if required.is_among(claims) => Ok(()),
            _ => Err(BrowserError::AccountNotAllowed.into()),
        }
    }

    /// Stores the account for `owner`. `former`: the owner by a former answer to the same callback.
    ///
    /// Without a jar (a program without a browser), the account belongs to `owner`.
    pub(crate) async fn keep(
        &self,
        jar: Option<&Jar>,
        owner: &Owner,
        former: Option<&Owner>,
    ) -> Result<Account> {
        let login = self.0.api.held().login();
        let ready = login.ready()?;
        let registered = self.0.api.held().registered();
        let claims = self.claims().await?;
        let subject: Arc<str> = claims.map_or("", Claims::subject).into();
        if let Kind::Widen { subject: expected, .. } = &self.0.kind
            && !expected.is_empty()
            && **expected != *subject
        {
            return Err(BrowserError::AccountChanged.into());
        }
        let service = Arc::clone(&registered.name);
        if self.0.kind == Kind::Identify {
            let account = Account { owner: owner.clone(), service, subject };
            let known = self.0.token.id_token.as_ref().and(claims).map(Claims::all);
            let session = self.0.token.session.as_ref();
            if let Some(jar) = jar
                && let Err(error) = identity::remember(login, jar, &account, known, session)
            {
                login.remove_gone_tenants(jar, error).await?;
                identity::remember(login, jar, &account, known, session)?;
            }
            return Ok(account);
        }
        let before = jar.and_then(|jar| login.owner_key(ready, owner, Some(jar)));
        let owner = match jar {
            Some(jar) => {
                login.new_owner_key(ready, owner, jar, (&service, &subject), former).await?
            }
            None => owner.clone(),
        };
        let account = Account { owner, service, subject };
        let cx = login.context(ready, jar);
        let link = || login.0.storage.link(&cx, &account, &self.0.token);
        match (link().await, jar) {
            (Err(error), Some(jar)) => match login.remove_gone_tenants(jar, error).await {
                Ok(()) => link().await?,
                Err(Error::Operator(OperatorError::CookieTooLarge { .. }))
                    if self.0.token.id_token.is_some() =>
                {
                    // The login is worth more than the claims.
                    warn!(service = &*account.service, "an ID token has no room in the cookies");
                    let token = Token { id_token: None, ..self.0.token.clone() };
                    login.0.storage.link(&cx, &account, &token).await?;
                }
                Err(error) => return Err(error),
            },
            (linked, _) => linked?,
        }
        if let Some((jar, before)) = jar.zip(before.filter(|before| *before != account.owner)) {
            login.take_over(jar, &before, &account).await?;
        }
        info!(service = &*account.service, "an account was linked");
        Ok(account)
    }

    /// Notes that the user has returned; see [`note_return`]. `owner`: the user signed in.
    pub(crate) fn note_return(
        &self,
        jar: &Jar,
        ended: &AttemptCookie,
        owner: &Owner,
    ) -> Result<()> {
        let held = self.0.api.held();
        let (site, service) = (&held.login().ready()?.site, &held.registered().name);
        note_return(site, jar, service, ended, owner, &self.0.next)
    }
}

impl Deref for Authorized {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.0.api
    }
}

impl fmt::Debug for Authorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized")
            .field("service", &self.0.api.held().registered().name)
            .finish_non_exhaustive()
    }
}
