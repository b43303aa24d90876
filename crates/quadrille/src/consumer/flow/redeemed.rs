//! The redemption of a code or a verifier, once for all requests that open the same callback.

use std::sync::Arc;

use aws_lc_rs::digest;
use tracing::Instrument as _;

use crate::{
    consumer::{
        account::Owner,
        attempt::Attempt,
        cookies::Jar,
        dance::{Answered, Dance, Granted, Proof},
        error::{BrowserError, Error, Result},
        login::{Login, registered::Registered},
        single_flight::redemptions::{Key, Turn},
    },
    transport::NetworkError,
};

use super::{Verified, authorized::Authorized};

/// A login that has its token. As long as this lives, no other request with the same callback goes on,
/// so hooks and storages see one after the other.
#[must_use]
pub(crate) struct Redeemed {
    pub(crate) authorized: Authorized,
    _turn: Option<Turn>,
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
        let (turn, granted) = self.granted_once(registered, answered).await;
        let authorized =
            self.authorized(registered, &answered.attempt, granted?, owner, callback).await?;
        Ok(Redeemed { authorized, _turn: turn })
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

    /// The outcome of the one redemption of this callback, which goes on if the browser goes away.
    async fn granted_once(
        &self,
        registered: &Arc<Registered>,
        answered: &Arc<Answered>,
    ) -> (Option<Turn>, Result<Granted>) {
        let Some(key) = key_of(registered, answered) else {
            return (None, self.granted(registered, &answered.attempt, &answered.proof).await);
        };
        let (place, begun) = self.0.redemptions.board(key, self.0.env.now());
        if let Some(begun) = begun {
            let (login, registered) = (self.clone(), Arc::clone(registered));
            let answered = Arc::clone(answered);
            let redemption = async move {
                let granted = login.granted(&registered, &answered.attempt, &answered.proof).await;
                login.0.redemptions.land(begun, granted, login.0.env.now());
            };
            // Its log lines are those of the request that began it.
            tokio::spawn(redemption.in_current_span());
        }
        let (turn, landed) = place.wait().await;
        let interrupted = || Err(Error::network(&registered.name, NetworkError::Interrupted));
        (Some(turn), landed.unwrap_or_else(interrupted))
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
    let (secrets, binding) = match &answered.proof {
        Proof::Code(proof) => ([proof.code.expose(), "", ""], answered.binding?),
        Proof::Verifier { temporary, verifier } => {
            let secrets = [temporary.token.expose(), temporary.secret.expose(), verifier.expose()];
            (secrets, [0; 16])
        }
        Proof::IdToken(_) => return None,
    };
    let mut context = digest::Context::new(&digest::SHA256);
    for text in [&*registered.name, answered.cookie.mark()].into_iter().chain(secrets) {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    context.update(&binding);
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    Some(key)
}
