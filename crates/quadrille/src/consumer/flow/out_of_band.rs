//! Out-of-band logins (OAuth 1; RFC 5849, section 2.1), for programs without a callback URL.

use std::sync::Arc;

use crate::{
    consumer::{
        account::Owner,
        attempt::{
            OwnerMark,
            temporary::{self, Opened},
        },
        dance::{Answered, Dance, OAuth1Dance, Proof},
        error::{BrowserError, OperatorError, Result},
        login::{Login, registered::Registered},
    },
    oauth1::OUT_OF_BAND,
};

use super::{Begin, Finished};

/// An out-of-band login in progress: [`Login::begin_out_of_band`].
///
/// ```
/// use quadrille::{Login, Owner, Result, consumer::{Finished, OutOfBand}};
///
/// async fn finish(login: &Login, begun: OutOfBand, typed: &str) -> Result<Finished> {
///     login.finish_out_of_band(&begun.attempt, typed, &Owner::NOBODY).await
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfBand {
    /// The URL at which the user approves and receives a verifier (a PIN) to type in.
    pub url: String,
    /// The sealed attempt for [`Login::finish_out_of_band`]. It is valid for an hour, for anyone
    /// who has it: keep it in the program.
    pub attempt: String,
}

impl Login {
    /// Begins a login without a callback: the user opens the URL, approves, and types the PIN that
    /// the service shows into the program. The verifier proves that its sender saw the service's
    /// page; the program must ensure that this is the same user.
    ///
    /// ```no_run
    /// use quadrille::{KeyRing, Login, Owner, Twitter, consumer::{Begin, MemoryStorage}};
    ///
    /// # async fn example(typed: &str) -> quadrille::Result<()> {
    /// let login = Login::new(KeyRing::ephemeral(), "http://localhost")
    ///     .with(Twitter::from_env()?)
    ///     .storage(MemoryStorage::new());
    /// let begun = login.begin_out_of_band(&Begin::new("twitter")).await?;
    /// println!("Open {} and type the number that you see there:", begun.url);
    /// let done = login.finish_out_of_band(&begun.attempt, typed, &Owner::NOBODY).await?;
    /// let twitter = login.linked::<Twitter>(&done.account).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Login::begin`]; [`OperatorError::NotOutOfBand`] with OAuth 2, and
    /// [`OperatorError::OutsideRequest`] if tokens are stored in cookies.
    pub async fn begin_out_of_band(&self, begin: &Begin<'_>) -> Result<OutOfBand> {
        let ready = self.ready()?;
        let registered = self.by_name(begin.service()).await?;
        let dance = self.out_of_band(&registered)?;
        let attempt = self.attempt(None, ready, &registered, begin).await?;
        let parameters = begin.parameters(&registered)?;
        let leaving = dance.leave(&ready.site, &attempt, OUT_OF_BAND, parameters).await?;
        Ok(OutOfBand {
            url: leaving.url,
            attempt: attempt.seal_into_text(&leaving.temporary, &ready.site),
        })
    }

    /// Finishes a login that [`Login::begin_out_of_band`] began, with the PIN that the user typed. Calls with
    /// the same attempt and PIN share one redemption, also ten seconds after its success.
    ///
    /// # Errors
    /// See [`Login::finish`].
    pub async fn finish_out_of_band(
        &self,
        attempt: &str,
        verifier: &str,
        owner: &Owner,
    ) -> Result<Finished> {
        let ready = self.ready()?;
        let Opened { attempt, cookie, temporary } = temporary::open_text(&ready.site, attempt)?;
        let registered = self.by_name(&attempt.service).await?;
        self.out_of_band(&registered)?;
        let verifier = verifier.trim().into();
        let proof = Proof::Verifier { temporary, verifier };
        if attempt.begun_by != OwnerMark::of(owner) {
            return Err(BrowserError::UserChanged.into());
        }
        let answered = Arc::new(Answered { attempt, cookie, binding: None, proof });
        let redeemed = self.redeemed(&registered, &answered, owner, &[]).await?;
        let account = redeemed.keep(None, owner).await?;
        let attempt = &answered.attempt;
        Ok(Finished { account, next: attempt.next.clone(), data: attempt.data.clone() })
    }

    fn out_of_band<'a>(&self, registered: &'a Registered) -> Result<&'a OAuth1Dance> {
        if self.0.storage.is_in_browser() {
            return Err(OperatorError::OutsideRequest.into());
        }
        match &registered.dance {
            Dance::OAuth1(dance) => Ok(dance),
            Dance::OAuth2(_) => {
                let service = (*registered.name).into();
                Err(OperatorError::NotOutOfBand { service }.into())
            }
        }
    }
}
