//! The redemption of a code or a verifier, once for all requests that open the same callback.

use std::sync::Arc;

use aws_lc_rs::digest;
use tracing::Instrument as _;

use crate::{
    consumer::{
        account::{Account, Owner},
        attempt::{Attempt, Kind},
        claims::Claims,
        cookies::Jar,
        dance::{Answered, Dance, Granted, Proof},
        error::{BrowserError, Error, Result},
        login::{Login, registered::Registered},
        single_flight::redemptions::{Key, Turn},
    },
    digest::sha256,
    transport::NetworkError,
};

use super::{Verified, authorized::Authorized};

/// A login that has its token. As long as this lives, no other request with the same callback goes on,
/// so hooks and storages see one after the other.
#[must_use]
pub(crate) struct Redeemed {
    pub(crate) authorized: Authorized,
    turn: Option<Turn>,
}

impl Redeemed {
    /// Stores the account for `owner`, or for the browser that had a former answer to the same callback.
    pub(crate) async fn keep(&self, jar: Option<&Jar>, owner: &Owner) -> Result<Account> {
        let former = self.turn.as_ref().and_then(Turn::account);
        let former = former.as_ref().map(|account| &account.owner);
        let account = self.authorized.keep(jar, owner, former).await?;
        if let Some(turn) = &self.turn {
            turn.note(&account);
        }
        Ok(account)
    }
}

impl Login {
    /// Redeems the code or the verifier. `by_hook`: a hook names the owner if no user was signed in
    /// at the beginning and `owner` is now.
    pub(crate) async fn redeem(
        &self,
        jar: &Jar,
        verified: &Verified,
        owner: &Owner,
        by_hook: bool,
    ) -> Result<Redeemed> {
        let ready = self.ready()?;
        let nobody_began = verified.answered.attempt.begun_by.is_nobody();
        let may_finish = verified.was_begun_by(owner) || (by_hook && nobody_began);
        if !may_finish {
            // Nothing was used up.
            return Err(BrowserError::UserChanged.into());
        }
        let Verified { registered, answered, callback } = verified;
        let redeemed = self.redeemed(registered, answered, owner, callback).await;
        let is_over = match &redeemed {
            Ok(_) => true,
            Err(error) => !error.is_transient(),
        };
        if is_over {
            answered.cookie.end(&ready.site, jar)?;
        }
        redeemed
    }

    /// Redeems the code or the verifier, once for all requests with the same callback.
    pub(super) async fn redeemed(
        &self,
        registered: &Arc<Registered>,
        answered: &Arc<Answered>,
        owner: &Owner,
        callback: &[(String, String)],
    ) -> Result<Redeemed> {
        let (turn, granted) = self.granted_once(registered, answered).await?;
        let authorized =
            self.authorized(registered, &answered.attempt, granted, owner, callback).await?;
        Ok(Redeemed { authorized, turn })
    }

    /// Redeems a code or a verifier that nobody else can have.
    pub(crate) async fn grant(
        &self,
        registered: &Arc<Registered>,
        attempt: &Attempt,
        proof: &Proof,
        owner: &Owner,
        callback: &[(String, String)],
    ) -> Result<Authorized> {
        let granted = self.granted(registered, attempt, proof).await?;
        self.authorized(registered, attempt, granted, owner, callback).await
    }

    async fn authorized(
        &self,
        registered: &Arc<Registered>,
        attempt: &Attempt,
        granted: Granted,
        owner: &Owner,
        callback: &[(String, String)],
    ) -> Result<Authorized> {
        let authorized = Authorized::new(self, registered, owner, granted, attempt, callback);
        authorized.check().await?;
        Ok(authorized)
    }

    /// The outcome of the one redemption of this callback, which goes on if the browser goes away. A logout
    /// ends the outcome, and a later callback sends the code to the service again.
    async fn granted_once(
        &self,
        registered: &Arc<Registered>,
        answered: &Arc<Answered>,
    ) -> Result<(Option<Turn>, Granted)> {
        let Some(key) = key_of(registered, answered) else {
            let granted = self.granted(registered, &answered.attempt, &answered.proof).await?;
            return Ok((None, granted));
        };
        loop {
            let (place, begun) = self.0.redemptions.board(key, self.0.env.now());
            let is_first = begun.is_some();
            if let Some(begun) = begun {
                let (login, registered) = (self.clone(), Arc::clone(registered));
                let answered = Arc::clone(answered);
                let redemption = async move {
                    let granted =
                        login.granted(&registered, &answered.attempt, &answered.proof).await;
                    login.0.redemptions.land(begun, granted, login.0.env.now());
                };
                // Its log lines are those of the request that began it.
                tokio::spawn(redemption.in_current_span());
            }
            let (turn, landed) = place.wait().await;
            let interrupted = || Err(Error::network(&registered.name, NetworkError::Interrupted));
            let granted = landed.unwrap_or_else(interrupted)?;
            // A second request is rare, and would make the future of each larger.
            if is_first || !Box::pin(self.is_over(registered, answered, &turn, &granted)).await? {
                return Ok((Some(turn), granted));
            }
            self.0.redemptions.forget(&key, &turn);
        }
    }

    /// Whether the user or the provider has ended the login since a former request with the same callback
    /// finished it.
    async fn is_over(
        &self,
        registered: &Registered,
        answered: &Answered,
        turn: &Turn,
        granted: &Granted,
    ) -> Result<bool> {
        if turn.is_of_ended_login() {
            return Ok(true);
        }
        self.look_for_ended().await?;
        let account = turn.account();
        let subject = match (&account, &granted.claims) {
            (Some(account), _) => &*account.subject,
            (None, claims) => claims.as_ref().map_or("", Claims::subject),
        };
        if self.has_ended(&registered.name, subject, granted.token.session.as_ref()) {
            return Ok(true);
        }
        let is_stored = answered.attempt.kind != Kind::Identify;
        let Some(Account { owner, service, subject }) = account.filter(|_| is_stored) else {
            return Ok(false);
        };
        if self.0.storage.is_in_browser() {
            return Ok(false);
        }
        // The logout may have been at another process of this site.
        let cx = self.context(self.ready()?, None);
        Ok(self.0.storage.load(&cx, &owner, &service, Some(&subject)).await?.is_none())
    }

    async fn granted(
        &self,
        registered: &Registered,
        attempt: &Attempt,
        proof: &Proof,
    ) -> Result<Granted> {
        let ready = self.ready()?;
        match (&registered.dance, proof) {
            (Dance::OAuth2(dance), Proof::Code(proof)) => {
                dance.redeem(&ready.site, attempt, proof).await
            }
            (Dance::OAuth1(dance), Proof::Verifier { temporary, verifier }) => {
                dance.redeem(&ready.site, attempt, temporary, verifier).await
            }
            (Dance::OAuth2(_), Proof::IdToken(proof)) => self.granted_by_id_token(proof).await,
            // A response of the other protocol.
            _ => Err(BrowserError::StateUnknown.into()),
        }
    }
}

/// What two requests must have in common to share a redemption: the attempt, what its cookie proves,
/// and the code. `None` for an ID token, which nobody may present twice.
fn key_of(registered: &Registered, answered: &Answered) -> Option<Key> {
    let (credentials, code, binding) = match &answered.proof {
        Proof::Code(proof) => (["", ""], &proof.code, answered.binding?),
        Proof::Verifier { temporary, verifier } => {
            ([temporary.token.expose(), temporary.secret.expose()], verifier, [0; 16])
        }
        Proof::IdToken(_) => return None,
    };
    let mut attempt = digest::Context::new(&digest::SHA256);
    for text in [&*registered.name, answered.cookie.mark()].into_iter().chain(credentials) {
        attempt.update(&(text.len() as u64).to_be_bytes());
        attempt.update(text.as_bytes());
    }
    attempt.update(&binding);
    let mut key = Key { attempt: [0; 32], code: sha256(code.expose().as_bytes()) };
    key.attempt.copy_from_slice(attempt.finish().as_ref());
    Some(key)
}
