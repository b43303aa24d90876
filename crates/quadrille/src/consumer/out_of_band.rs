//! Out-of-band logins (OAuth 1; RFC 5849, section 2.1): for programs that no browser comes back to.

use crate::{
    consumer::error::{BrowserError, OperatorError, Result},
    oauth1::OUT_OF_BAND,
};

use super::{
    account::Owner,
    attempt::{OwnerMark, temporary},
    dance::{Dance, OAuth1Dance, Proof},
    flow::{Begin, Finished},
    login::Login,
    registered::Registered,
};

/// An out-of-band login that has begun: [`Login::begin_out_of_band`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfBand {
    /// Where the user says yes, and is shown a verifier (a PIN) to type in.
    pub url: String,
    /// The attempt, sealed, for [`Login::finish_out_of_band`]. It is good for an hour, and for
    /// whoever has it: keep it in the program.
    pub attempt: String,
}

impl Login {
    /// Begins a login whose answer no browser brings back: the user opens the URL, says yes, and
    /// types the PIN that the service shows into the program. The verifier proves that whoever
    /// typed it saw the service's page; that it is the same person, the program must know.
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
    /// As [`Login::begin`]; [`OperatorError::NotOutOfBand`] with OAuth 2, and
    /// [`OperatorError::OutsideRequest`] where tokens are kept in cookies.
    pub async fn begin_out_of_band(&self, begin: &Begin<'_>) -> Result<OutOfBand> {
        let ready = self.ready()?;
        let registered = self.by_name(begin.service()).await?;
        let dance = self.out_of_band(&registered)?;
        let kind = begin.kind(&registered);
        let attempt = self.attempt(ready, &registered, kind, begin);
        let leaving = dance.leave(self, ready, &registered, &attempt, OUT_OF_BAND).await?;
        Ok(OutOfBand {
            url: begin.add_parameters(leaving.url),
            attempt: attempt.seal_into_text(&leaving.temporary, &self.seals(ready)),
        })
    }

    /// Finishes a login that [`Login::begin_out_of_band`] began, with what the user typed.
    ///
    /// # Errors
    /// As [`Login::finish`].
    pub async fn finish_out_of_band(
        &self,
        attempt: &str,
        verifier: &str,
        owner: &Owner,
    ) -> Result<Finished> {
        let ready = self.ready()?;
        let (attempt, temporary) = temporary::open_text(&self.seals(ready), attempt)?;
        let registered = self.by_name(&attempt.service).await?;
        self.out_of_band(&registered)?;
        let verifier = verifier.trim().into();
        let proof = Proof::Verifier { temporary, verifier };
        if attempt.begun_by != OwnerMark::of(owner) {
            return Err(BrowserError::UserChanged.into());
        }
        let authorized = self.grant(ready, &registered, &attempt, &proof, owner).await?;
        let account = authorized.keep(None, owner).await?;
        Ok(Finished { account, next: attempt.next })
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
