//! Refreshing a token once for any number of callers.
//!
//! A refresh runs on a task of its own, so a disconnecting client does not cancel it. Its result is
//! remembered for ten minutes under the old token, so a request that still carries that one (in a
//! cookie, or from a row read earlier) gets the same successor.

pub(super) mod held;
pub(super) mod revoked;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::{
    Secret,
    consumer::error::{Error, OperatorError, Result, ServiceError},
    oauth2::TokenRequest,
    transport::{NetworkError, Purpose},
};

use super::{
    account::{Stored, Token},
    cookies::Jar,
    dance::{Dance, Obtained},
    hooks::Refreshed,
    login::{Login, registered::Registered},
    single_flight::{Boarding, Key, Outcome, Trouble},
    storage::{Change, Context, Replaced},
};

/// A token with less than this left is refreshed first; one with less than twice this lifetime is
/// refreshed after half of it.
const MARGIN: Duration = Duration::from_secs(30);
/// How many refreshes of the last minutes a token may be behind.
const BEHIND: usize = 16;
/// The time that one process may take while others wait.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// The pauses in milliseconds between attempts to store a refreshed token, while this process has
/// the lease.
const WRITE_AGAIN: [u64; 4] = [200, 400, 800, 1600];
/// The interval at which others check for the result.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// Why there is no token to use.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// The account must be linked again.
    NeedsLinkingAgain,
    /// The token has expired, and there is no refresh token.
    Expired,
    /// The account was removed.
    Gone,
    Failed(Error),
}

impl From<Error> for NoToken {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Login {
    /// Whether the token is valid for `margin`; the default is [`MARGIN`], or half of its lifetime.
    /// `refused` is the access token that the service refused although it should be valid.
    pub(crate) fn is_usable(
        &self,
        stored: &Stored,
        margin: Option<Duration>,
        refused: Option<&Secret>,
    ) -> bool {
        let margin = margin.unwrap_or_else(|| usual_margin(&stored.token));
        !stored.needs_linking_again
            && stored.token.is_good(self.0.env.now(), margin)
            && refused.is_none_or(|refused| *refused != stored.token.access_token)
    }

    /// The account with a token valid for `margin`, refreshed if necessary, for one that is not
    /// [usable](Self::is_usable). `None` if the token serves until it ends.
    pub(crate) async fn made_usable(
        &self,
        jar: Option<&Jar>,
        registered: &Arc<Registered>,
        stored: &Stored,
        refused: Option<&Secret>,
    ) -> Result<Option<Stored>, NoToken> {
        if stored.needs_linking_again {
            return Err(NoToken::NeedsLinkingAgain);
        }
        let still_good = self.is_usable(stored, Some(Duration::ZERO), refused);
        if stored.token.refresh_token.is_none() {
            return if still_good { Ok(None) } else { Err(NoToken::Expired) };
        }
        let mut newer = None;
        for _ in 0..BEHIND {
            match self.refreshed(jar, registered, newer.as_ref().unwrap_or(stored)).await {
                // Another login or process was faster, or this token is several refreshes behind;
                // the next one may have expired as well.
                Ok(next) if !next.token.is_good(self.0.env.now(), Duration::ZERO) => {
                    if next.token.refresh_token.is_none() {
                        return Err(NoToken::Expired);
                    }
                    newer = Some(next);
                }
                Err(NoToken::Failed(error)) if still_good => {
                    warn!(service = &*registered.name, %error, code = error.code(),
                        "a token could not be refreshed and is used until it expires");
                    return Ok(None);
                }
                other => return other.map(Some),
            }
        }
        Ok(newer)
    }

    async fn refreshed(
        &self,
        jar: Option<&Jar>,
        registered: &Arc<Registered>,
        stored: &Stored,
    ) -> Result<Stored, NoToken> {
        let in_browser = self.0.storage.is_in_browser();
        if in_browser && jar.is_none_or(Jar::is_closed) {
            // A refresh whose result cannot be stored might spend the only refresh token.
            return Err(NoToken::Failed(OperatorError::AnswerHasLeft.into()));
        }
        let mut outcome = self.flight(registered, stored);
        let landed = outcome.wait_for(Option::is_some).await;
        let landed = landed.ok().and_then(|outcome| outcome.clone());
        let ready = self.ready()?;
        let cx = self.context(ready, jar);
        let change = match &landed {
            Some(Outcome::Refreshed(token)) => Change::Token(token),
            Some(Outcome::Ended) => Change::NeedsLinkingAgain,
            Some(Outcome::Failed(error) | Outcome::NotAsked(error)) => {
                return Err(NoToken::Failed(error.clone()));
            }
            None => return Err(interrupted(registered)),
        };
        if in_browser {
            // Each request has its own copy of the token in a cookie, so each response sets the new
            // one.
            let replaced = match (self.0.storage.replace(&cx, stored, change).await, jar) {
                (Err(error), Some(jar)) => {
                    self.replaced_partly(&cx, jar, stored, change, error).await
                }
                (replaced, _) => replaced,
            };
            return settled(match replaced? {
                Replaced::Done(stored) => Some(stored),
                Replaced::Changed(stored) => stored,
            });
        }
        let Stored { account, .. } = stored;
        let subject = Some(&*account.subject);
        settled(self.0.storage.load(&cx, &account.owner, &account.service, subject).await?)
    }

    /// Stores as much as fits of a refreshed token that exceeds the cookie budget, since the
    /// previous refresh token is spent. That usually is the next refresh token, so the account is
    /// not lost, at the cost of a refresh per request.
    async fn replaced_partly(
        &self,
        cx: &Context<'_>,
        jar: &Jar,
        seen: &Stored,
        change: Change<'_>,
        error: Error,
    ) -> Result<Replaced> {
        let Change::Token(token) = change else { return Err(error) };
        let service = &*seen.account.service;
        match self.remove_gone_tenants(jar, error).await {
            Ok(()) => return self.0.storage.replace(cx, seen, change).await,
            Err(Error::Operator(error @ OperatorError::CookieTooLarge { .. })) => {
                if token.id_token.is_some() {
                    let bare = Token { id_token: None, ..token.clone() };
                    let replaced = self.0.storage.replace(cx, seen, Change::Token(&bare)).await;
                    if replaced.is_ok() {
                        return replaced;
                    }
                }
                let code = Error::from(error.clone()).code();
                error!(service, %error, code, "a refreshed token cannot be stored");
            }
            Err(other) => return Err(other),
        }
        let refresh_token = token.refresh_token.clone();
        let rest = Token { refresh_token, id_token: None, ..seen.token.clone() };
        let version = match self.0.storage.replace(cx, seen, Change::Token(&rest)).await {
            Ok(Replaced::Done(kept)) => kept.version,
            Ok(changed @ Replaced::Changed(_)) => return Ok(changed),
            Err(error) => {
                warn!(service, %error, "nor can its refresh token: the account will be lost");
                !seen.version
            }
        };
        // This request has the complete token.
        Ok(Replaced::Done(Stored { token: token.clone(), version, ..seen.clone() }))
    }

    /// The one refresh of this token: begun now, in progress, recently done, or recently failed and
    /// not yet to be repeated.
    fn flight(
        &self,
        registered: &Arc<Registered>,
        stored: &Stored,
    ) -> watch::Receiver<Option<Outcome>> {
        let key = Key::of(stored);
        let (send, outcome, trouble) = match self.0.refresher.flights.board(key, self.0.env.now()) {
            Boarding::Joined(outcome) => return outcome,
            Boarding::Begun(send, outcome, trouble) => (send, outcome, trouble),
        };
        let (login, registered, stored) = (self.clone(), Arc::clone(registered), stored.clone());
        tokio::spawn(async move {
            let outcome = login.fly(&registered, &stored, trouble).await;
            login.0.refresher.flights.land(&stored, &outcome, login.0.env.now());
            send.send_replace(Some(outcome));
        });
        outcome
    }

    /// Sends the refresh and, if the storage is on the server, stores the result.
    async fn fly(
        &self,
        registered: &Arc<Registered>,
        stored: &Stored,
        trouble: Trouble,
    ) -> Outcome {
        if self.0.storage.is_in_browser() {
            return self.land(registered, stored, trouble).await;
        }
        let outcome = match self.leased(stored).await {
            Ok(None) => self.land(registered, stored, trouble).await,
            Ok(Some(token)) => Outcome::Refreshed(token),
            Err(error) => return Outcome::NotAsked(error),
        };
        if let Err(error) = self.release(stored).await {
            warn!(service = &*registered.name, %error, code = error.code(),
                "a lease could not be released and expires by itself");
        }
        outcome
    }

    async fn land(
        &self,
        registered: &Arc<Registered>,
        stored: &Stored,
        trouble: Trouble,
    ) -> Outcome {
        let key = Key::of(stored);
        let mut outcome = match self.0.refresher.unwritten.take(key) {
            Some(token) => Outcome::Refreshed(token),
            None => self.ask(registered, stored).await,
        };
        if let Outcome::Failed(error) = &outcome {
            let now = self.0.env.now();
            if trouble.after(error, now).is_the_end(now) {
                warn!(service = &*registered.name, %error, code = error.code(),
                    "a refresh token was refused too often");
                outcome = Outcome::Ended;
            }
        }
        match &outcome {
            Outcome::Refreshed(_) => info!(service = &*registered.name, "a token was refreshed"),
            Outcome::Ended => {
                warn!(
                    service = &*registered.name,
                    "a refresh token is invalid: the account needs linking again"
                );
            }
            Outcome::Failed(error) | Outcome::NotAsked(error) => {
                let (code, cause) = (error.code(), error.causes());
                let service = &*registered.name;
                warn!(service, %error, code, cause, "a token could not be refreshed");
            }
        }
        let change = match &outcome {
            Outcome::Refreshed(token) => Change::Token(token),
            Outcome::Ended => Change::NeedsLinkingAgain,
            Outcome::Failed(_) | Outcome::NotAsked(_) => return outcome,
        };
        if !self.0.storage.is_in_browser()
            && let Err(error) = self.write_down(stored, change).await
        {
            if let Outcome::Refreshed(token) = outcome {
                let (service, code) = (&*registered.name, error.code());
                error!(service, %error, code,
                    "a refreshed token cannot be stored: it is kept in memory until it can");
                self.0.refresher.unwritten.keep(key, token, self.0.env.now());
            }
            return Outcome::Failed(error);
        }
        if let Outcome::Refreshed(token) = &outcome {
            let stored = Stored { token: token.clone(), ..stored.clone() };
            let service = Arc::clone(&registered.name);
            self.0.hooks.refreshed(Refreshed { service, stored }).await;
        }
        outcome
    }

    /// Waits for the lease; returns the token if another process has refreshed it meanwhile.
    async fn leased(&self, stored: &Stored) -> Result<Option<Token>> {
        let storage = &self.0.storage;
        let cx = self.context(self.ready()?, None);
        let Stored { account, version, .. } = stored;
        let holder = self.0.refresher.holder(&self.0.env);
        let waited = LEASE.as_millis() / LOOK.as_millis();
        for _ in 0..waited {
            let leased = storage.lease(&cx, account, holder, LEASE).await?;
            // Even with the lease: another process may have released it after this account was
            // read.
            let subject = Some(&*account.subject);
            let now = storage.load(&cx, &account.owner, &account.service, subject).await?;
            if let Some(now) = now.filter(|now| now.version != *version) {
                return Ok(Some(now.token));
            }
            if leased {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(None)
    }

    async fn release(&self, stored: &Stored) -> Result<()> {
        let cx = self.context(self.ready()?, None);
        let holder = self.0.refresher.holder(&self.0.env);
        self.0.storage.release(&cx, &stored.account, holder).await
    }

    async fn write_down(&self, stored: &Stored, change: Change<'_>) -> Result<()> {
        let cx = self.context(self.ready()?, None);
        let mut waits = WRITE_AGAIN.iter();
        loop {
            // A concurrent change (a login, another process) is more recent.
            match (self.0.storage.replace(&cx, stored, change).await, waits.next()) {
                (Err(error), Some(wait)) if error.is_transient() => {
                    let (service, code) = (&*stored.account.service, error.code());
                    warn!(service, %error, code, "a refreshed token is not stored yet");
                    tokio::time::sleep(Duration::from_millis(*wait)).await;
                }
                (replaced, _) => return replaced.map(|_| ()),
            }
        }
    }

    async fn ask(&self, registered: &Arc<Registered>, stored: &Stored) -> Outcome {
        let ready = match self.ready() {
            Ok(ready) => ready,
            Err(error) => return Outcome::NotAsked(error),
        };
        let registered = match registered.discovered(&ready.site).await {
            Ok(registered) => registered,
            Err(error) => return Outcome::NotAsked(error),
        };
        // OAuth 1 has no refresh tokens.
        let Dance::OAuth2(dance) = &registered.dance else { return Outcome::Ended };
        let old = &stored.token;
        let Some(refresh_token) = &old.refresh_token else { return Outcome::Ended };
        let refresh_token = refresh_token.expose();
        let (resource, server) = (dance.resources.clone(), registered.server_of(old));
        let request = TokenRequest::RefreshToken { refresh_token, scope: None, resource };
        match dance.ask_for_token(&ready.site, &request, Purpose::Refresh, server).await {
            Ok(Obtained { answer, api, .. }) => {
                let (site, account) = (&ready.site, &stored.account);
                let id_token = match dance.refreshed_id_token(site, account, old, &answer).await {
                    Ok(id_token) => id_token,
                    Err(error) => return Outcome::Failed(error),
                };
                let now = self.0.env.now();
                Outcome::Refreshed(Token {
                    access_token: answer.access_token,
                    token_secret: None,
                    // A refresh token that is not replaced remains valid.
                    refresh_token: answer.refresh_token.or_else(|| old.refresh_token.clone()),
                    scopes: answer.scope.unwrap_or_else(|| old.scopes.clone()),
                    obtained: now,
                    expires: answer.expires_in.map(|lifetime| now + lifetime),
                    api: api.or_else(|| old.api.clone()),
                    id_token,
                    session: old.session.clone(),
                })
            }
            Err(Error::Service { error: ServiceError::TokenRefused { error }, .. })
                if *error == *"invalid_grant" =>
            {
                Outcome::Ended
            }
            Err(error) => Outcome::Failed(error),
        }
    }
}

fn usual_margin(token: &Token) -> Duration {
    token.expires.map_or(MARGIN, |expires| MARGIN.min(expires.since(token.obtained) / 2))
}

fn settled(stored: Option<Stored>) -> Result<Stored, NoToken> {
    match stored {
        Some(stored) if stored.needs_linking_again => Err(NoToken::NeedsLinkingAgain),
        Some(stored) => Ok(stored),
        None => Err(NoToken::Gone),
    }
}

fn interrupted(registered: &Arc<Registered>) -> NoToken {
    NoToken::Failed(Error::network(&registered.name, NetworkError::Interrupted))
}
