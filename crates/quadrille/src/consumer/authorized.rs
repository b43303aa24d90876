//! The event of `on_authorized`: a token is issued but no account is stored yet.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use tracing::info;

use crate::{
    Env, Timestamp,
    consumer::error::{BrowserError, Result},
    page,
};

use super::{
    account::{Account, Owner, Token},
    api::Api,
    attempt::{AttemptCookie, Kind, OwnerMark, Seals},
    cookie_room::{BACK, Coming, make_room, size},
    cookies::Jar,
    held::Held,
    identity::{self, Claims},
    login::{Login, Ready},
    registered::Registered,
};

/// A return within this time without a linked account is a redirect loop.
const LOOP_WINDOW: Duration = Duration::from_secs(10);

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
    more: Map<String, Value>,
    claims: OnceLock<Claims>,
}

impl Authorized {
    pub(crate) fn new(
        login: &Login,
        registered: &Arc<Registered>,
        owner: &Owner,
        token: Token,
        kind: &Kind,
        next: &str,
        more: Map<String, Value>,
    ) -> Self {
        Self(Arc::new(AuthorizedInner {
            api: Api::new(Held::unstored(login, registered, owner, token.clone())),
            token,
            kind: kind.clone(),
            next: next.to_owned(),
            more,
            claims: OnceLock::new(),
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

    /// All other members of the token response, such as `id_token`.
    pub fn more(&self) -> &Map<String, Value> {
        &self.0.more
    }

    /// The account's claims, requested once per login. `None` for a service without
    /// [`Spec::identity`](crate::Spec::identity).
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

    /// Stores the account for `owner`.
    ///
    /// Without a jar (a program without a browser), the account belongs to `owner`.
    pub(crate) async fn keep(&self, jar: Option<&Jar>, owner: &Owner) -> Result<Account> {
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
            if let Some(jar) = jar
                && let Err(error) = identity::remember(login, jar, &account)
            {
                login.remove_gone_tenants(jar, error).await?;
                identity::remember(login, jar, &account)?;
            }
            return Ok(account);
        }
        let owner = match jar {
            Some(jar) => login.new_owner_key(ready, owner, jar)?,
            None => owner.clone(),
        };
        let account = Account { owner, service, subject };
        let cx = login.context(ready, jar);
        let link = || login.0.storage.link(&cx, &account, &self.0.token);
        match (link().await, jar) {
            (Err(error), Some(jar)) => {
                login.remove_gone_tenants(jar, error).await?;
                link().await?;
            }
            (linked, _) => linked?,
        }
        info!(service = &*account.service, "an account was linked");
        Ok(account)
    }

    /// Sets a cookie for ten seconds that detects a redirect loop and a repeated callback (back
    /// button, double click). `owner`: the user signed in.
    pub(crate) fn note_return(
        &self,
        jar: &Jar,
        ended: &AttemptCookie,
        owner: &Owner,
    ) -> Result<()> {
        let login = self.0.api.held().login();
        let what = loop_cookie(&self.0.api.held().registered().name);
        let now = login.0.env.now().seconds();
        let next = BASE64_URL_SAFE_NO_PAD.encode(&self.0.next);
        let Ready { style, in_use, .. } = login.ready()?;
        let mut note = format!("{now}.{}.{}.{next}", ended.mark(), OwnerMark::of(owner).short());
        let whole = style.name(&what);
        let bytes = size(&whole, &note);
        if make_room(jar, style, in_use, Coming::Kept(&[whole]), bytes).is_err() {
            // Without the page: a repeated return shows an error, and no header gets too long.
            note.truncate(note.len() - next.len());
        }
        Ok(jar.set(style, &what, note, LOOP_WINDOW)?)
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

/// Whether the browser has just returned from this service; with an owner, whether that user has.
#[cfg(feature = "axum")]
pub(crate) fn is_just_back(
    login: &Login,
    jar: &Jar,
    registered: &Registered,
    owner: Option<&Owner>,
) -> bool {
    let Ok(ready) = login.ready() else { return false };
    let owner = owner.map(|owner| OwnerMark::of(owner).short());
    let is_one = |note: &String| {
        let note = Note::read(note).filter(|note| note.is_fresh(&login.0.env));
        note.is_some_and(|note| owner.as_ref().is_none_or(|owner| note.owner == owner))
    };
    jar.values(&ready.style.name(&loop_cookie(&registered.name))).iter().any(is_one)
}

/// The page of the login that has just finished, whose attempt's cookie is removed.
pub(crate) fn just_finished(
    seals: &Seals<'_>,
    jar: &Jar,
    service: &str,
    mark: &str,
) -> Option<String> {
    jar.values(&seals.style.name(&loop_cookie(service))).iter().find_map(|note| {
        let note = Note::read(note).filter(|note| note.mark == mark && note.is_fresh(seals.env))?;
        let next = BASE64_URL_SAFE_NO_PAD.decode(note.next).ok()?;
        page::same_site("", std::str::from_utf8(&next).ok()?)
    })
}

/// The contents of the cookie of [`Authorized::note_return`].
struct Note<'a> {
    noted: Timestamp,
    mark: &'a str,
    owner: &'a str,
    next: &'a str,
}

impl<'a> Note<'a> {
    fn read(note: &'a str) -> Option<Self> {
        let (seconds, rest) = note.split_once('.')?;
        let (mark, rest) = rest.split_once('.')?;
        let (owner, next) = rest.split_once('.')?;
        Some(Self { noted: Timestamp::from_seconds(seconds.parse().ok()?), mark, owner, next })
    }

    fn is_fresh(&self, env: &Env) -> bool {
        env.now().since(self.noted) <= LOOP_WINDOW
    }
}

pub(crate) fn loop_cookie(service: &str) -> String {
    [BACK, service].concat()
}
