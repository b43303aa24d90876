//! Getting the next token, once, however many ask.
//!
//! A refresh runs on a task of its own, so that no visitor who leaves cancels it half-way, and its
//! result is remembered for ten minutes under the old refresh token, so that a request which still
//! carries that one (a cookie, a row read a moment ago) gets the same successor.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    Env, Secret, Timestamp,
    error::{Error, NetworkFault, OperatorFault, Result, ServiceFault},
    oauth2::TokenRequest,
    transport::Purpose,
};

use super::{
    account::{Stored, Token},
    cookies::Jar,
    dance::Dance,
    login::Login,
    registered::Registered,
    storage::{Change, Replaced},
};

/// A token with less than this left is refreshed first.
pub(crate) const MARGIN: Duration = Duration::from_secs(30);
/// A token younger than this that gets a 401 is not the problem.
pub(crate) const YOUNG: Duration = Duration::from_secs(30);
/// How long a result is remembered under the old refresh token.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How many results are remembered; then the oldest go.
const MOST: usize = 10_000;
/// How long one process may take while the others wait.
const LEASE: Duration = Duration::from_secs(15);
/// How often others look whether it is done.
const LOOK: Duration = Duration::from_millis(100);

/// The refreshes under way and those of the last minutes, by digest of the old refresh token.
#[derive(Debug, Default)]
pub(crate) struct Refresher {
    flights: Mutex<HashMap<[u8; 32], Flight>>,
    holder: OnceLock<u64>,
}

#[derive(Debug)]
struct Flight {
    began: Timestamp,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// What came of one refresh.
#[derive(Clone, Debug)]
enum Outcome {
    Refreshed(Token),
    /// `invalid_grant`: this refresh token is dead.
    Ended,
    Failed(Error),
}

/// Why there is no token to use.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// The account must be linked again.
    NeedsLinkingAgain,
    /// It has expired, and there is nothing to refresh it with.
    Expired,
    /// It is not there any more.
    Gone,
    Failed(Error),
}

impl From<Error> for NoToken {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The event of `on_refreshed`: a token was refreshed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refreshed {
    /// The service's name.
    pub service: Arc<str>,
    /// The account and its new token.
    pub stored: Stored,
}

impl Login {
    /// The account with a token that is good for `margin`, refreshed if need be. With `refused`,
    /// the access token that the service did not take although it should have been good.
    pub(crate) async fn usable(
        &self,
        jar: Option<&Jar>,
        registered: &Arc<Registered>,
        stored: Stored,
        margin: Duration,
        refused: Option<&Secret>,
    ) -> Result<Stored, NoToken> {
        let now = self.0.env.now();
        if stored.needs_linking_again {
            return Err(NoToken::NeedsLinkingAgain);
        }
        let was_refused = refused.is_some_and(|refused| *refused == stored.token.access_token);
        if stored.token.is_good(now, margin) && !was_refused {
            return Ok(stored);
        }
        let still_good = stored.token.is_good(now, Duration::ZERO) && !was_refused;
        if stored.token.refresh_token.is_none() {
            return if still_good { Ok(stored) } else { Err(NoToken::Expired) };
        }
        match self.refreshed(jar, registered, &stored).await {
            // Another login or process was faster; its token may have ended too by now.
            Ok(other) if !other.token.is_good(now, Duration::ZERO) => {
                self.refreshed(jar, registered, &other).await
            }
            Err(NoToken::Failed(error)) if still_good => {
                warn!(service = &*registered.name, %error, code = error.code(),
                    "a token could not be refreshed yet and is used for the time it has left");
                Ok(stored)
            }
            other => other,
        }
    }

    async fn refreshed(
        &self,
        jar: Option<&Jar>,
        registered: &Arc<Registered>,
        stored: &Stored,
    ) -> Result<Stored, NoToken> {
        let in_browser = self.0.storage.is_in_browser();
        if in_browser && jar.is_none_or(Jar::is_closed) {
            // A refresh whose result cannot be kept might spend the only refresh token.
            return Err(NoToken::Failed(OperatorFault::AnswerHasLeft.into()));
        }
        let mut outcome = self.flight(registered, stored);
        let landed = outcome.wait_for(Option::is_some).await;
        let landed = landed.ok().and_then(|outcome| outcome.clone());
        let ready = self.ready()?;
        let cx = self.context(ready, jar);
        let change = match &landed {
            Some(Outcome::Refreshed(token)) => Change::Token(token),
            Some(Outcome::Ended) => Change::NeedsLinkingAgain,
            Some(Outcome::Failed(error)) => return Err(NoToken::Failed(error.clone())),
            None => return Err(interrupted(registered)),
        };
        if in_browser {
            // Each request carries its own copy of the token, so each answer takes the new one.
            let replaced = self.0.storage.replace(&cx, stored, change).await?;
            return settled(match replaced {
                Replaced::Done(stored) => Some(stored),
                Replaced::Changed(stored) => stored,
            });
        }
        let Stored { account, .. } = stored;
        let subject = Some(&*account.subject);
        settled(self.0.storage.load(&cx, &account.owner, &account.service, subject).await?)
    }

    /// The one refresh of this refresh token: begun now, under way, or done a while ago.
    fn flight(
        &self,
        registered: &Arc<Registered>,
        stored: &Stored,
    ) -> watch::Receiver<Option<Outcome>> {
        let now = self.0.env.now();
        let key = key(stored);
        let mut flights = self.0.refresher.lock();
        if let Some(flight) = flights.get(&key)
            && now.since(flight.began) <= REMEMBERED
        {
            return flight.outcome.clone();
        }
        if flights.len() >= MOST {
            flights.retain(|_, flight| now.since(flight.began) <= REMEMBERED);
            if flights.len() >= MOST
                && let Some(oldest) = flights.iter().min_by_key(|(_, f)| f.began).map(|(k, _)| *k)
            {
                flights.remove(&oldest);
            }
        }
        let (send, outcome) = watch::channel(None);
        flights.insert(key, Flight { began: now, outcome: outcome.clone() });
        drop(flights);
        let (login, registered, stored) = (self.clone(), Arc::clone(registered), stored.clone());
        tokio::spawn(async move {
            let result = login.fly(&registered, &stored).await;
            // A failure is not remembered: the next request tries again.
            if matches!(result, Outcome::Failed(_)) {
                login.0.refresher.lock().remove(&key);
            }
            send.send_replace(Some(result));
        });
        outcome
    }

    /// Asks the service and, where the storage is on the server, writes down what came of it.
    async fn fly(&self, registered: &Arc<Registered>, stored: &Stored) -> Outcome {
        if self.0.storage.is_in_browser() {
            return self.land(registered, stored).await;
        }
        let outcome = match self.leased(stored).await {
            Ok(None) => self.land(registered, stored).await,
            Ok(Some(token)) => Outcome::Refreshed(token),
            Err(error) => return Outcome::Failed(error),
        };
        if let Err(error) = self.release(stored).await {
            warn!(service = &*registered.name, %error, code = error.code(),
                "a lease could not be given back, and ends by itself");
        }
        outcome
    }

    async fn land(&self, registered: &Arc<Registered>, stored: &Stored) -> Outcome {
        let outcome = self.ask(registered, stored).await;
        match &outcome {
            Outcome::Refreshed(_) => info!(service = &*registered.name, "a token was refreshed"),
            Outcome::Ended => {
                warn!(service = &*registered.name, "a refresh token has ended: link again");
            }
            Outcome::Failed(error) => {
                warn!(service = &*registered.name, %error, code = error.code(), "no refresh");
            }
        }
        let change = match &outcome {
            Outcome::Refreshed(token) => Change::Token(token),
            Outcome::Ended => Change::NeedsLinkingAgain,
            Outcome::Failed(_) => return outcome,
        };
        if !self.0.storage.is_in_browser()
            && let Err(error) = self.write_down(stored, change).await
        {
            return Outcome::Failed(error);
        }
        #[cfg(feature = "axum")]
        if let Outcome::Refreshed(token) = &outcome {
            let stored = Stored { token: token.clone(), ..stored.clone() };
            let service = Arc::clone(&registered.name);
            self.0.handlers.refreshed(Refreshed { service, stored }).await;
        }
        outcome
    }

    /// Waits until this process may refresh; the token when another has done it meanwhile.
    async fn leased(&self, stored: &Stored) -> Result<Option<Token>> {
        let storage = &self.0.storage;
        let cx = self.context(self.ready()?, None);
        let Stored { account, version, .. } = stored;
        let holder = self.0.refresher.holder(&self.0.env);
        let waited = LEASE.as_millis() / LOOK.as_millis();
        for _ in 0..waited {
            let leased = storage.lease(&cx, account, holder, LEASE).await?;
            // Also with the lease: it may have been given back since the account was read.
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
        // Whoever changed it meanwhile (a login, another process) knows better.
        self.0.storage.replace(&cx, stored, change).await.map(|_| ())
    }

    async fn ask(&self, registered: &Arc<Registered>, stored: &Stored) -> Outcome {
        let ready = match self.ready() {
            Ok(ready) => ready,
            Err(error) => return Outcome::Failed(error),
        };
        // OAuth 1 has nothing to refresh, and gives no refresh token either.
        let Dance::OAuth2(dance) = &registered.dance else { return Outcome::Ended };
        let old = &stored.token;
        let refresh_token = old.refresh_token.as_ref().map_or("", Secret::expose);
        let resource = dance.resources.clone();
        let request = TokenRequest::RefreshToken { refresh_token, scope: None, resource };
        match dance.ask_for_token(self, ready, registered, &request, Purpose::Refresh).await {
            Ok(answer) => {
                let now = self.0.env.now();
                Outcome::Refreshed(Token {
                    access_token: answer.access_token,
                    token_secret: None,
                    // Not given anew means still good.
                    refresh_token: answer.refresh_token.or_else(|| old.refresh_token.clone()),
                    scopes: answer.scope.unwrap_or_else(|| old.scopes.clone()),
                    obtained: now,
                    expires: answer.expires_in.map(|lifetime| now + lifetime),
                })
            }
            Err(Error::Service { fault: ServiceFault::TokenRefused { error }, .. })
                if *error == *"invalid_grant" =>
            {
                Outcome::Ended
            }
            Err(error) => Outcome::Failed(error),
        }
    }
}

impl Refresher {
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this process is called in leases.
    fn holder(&self, env: &Env) -> u64 {
        *self.holder.get_or_init(|| u64::from_be_bytes(env.random()))
    }
}

fn settled(stored: Option<Stored>) -> Result<Stored, NoToken> {
    match stored {
        Some(stored) if stored.needs_linking_again => Err(NoToken::NeedsLinkingAgain),
        Some(stored) => Ok(stored),
        None => Err(NoToken::Gone),
    }
}

/// The service's name and the owner are in it, so that equal texts at two services stay apart.
fn key(stored: &Stored) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [stored.account.owner.as_str(), &stored.account.service] {
        context.update(part.as_bytes());
        context.update(b"\0");
    }
    context.update(stored.token.refresh_token.as_ref().map_or("", Secret::expose).as_bytes());
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

fn interrupted(registered: &Arc<Registered>) -> NoToken {
    NoToken::Failed(Error::Network {
        service: Arc::clone(&registered.name),
        fault: NetworkFault::Interrupted,
    })
}
