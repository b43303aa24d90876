//! Logins by an ID token that a page or an app already has: Google One Tap, FedCM, native SDKs.
//!
//! There is no departure, so no `state` comes back. A `nonce` takes its place: the site hands it out
//! before, and a cookie of the browser has the attempt, which the `nonce` in the ID token finds. An app
//! without cookies chooses a text itself and requests the token with the hash of it.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::consumer::{
    account::{Owner, Token},
    attempt::{
        Attempt,
        returned::just_finished,
        temporary::{Opened, Temporary, mark},
    },
    cookies::Jar,
    dance::{Answered, Granted, Proof, trail::Trail},
    error::{BrowserError, Error, Result},
    login::Login,
    openid::presented::{NonceUnusable, PresentedIdToken, PresentedNonce, PresentedProof},
};

use super::{Begin, Finished, Verified};
#[cfg(feature = "axum")]
use super::{
    callback::{callback_in, further},
    posted::{LONGEST, opened, sealed},
};

/// The purpose of the seal of a form.
#[cfg(feature = "axum")]
const OF_ID_TOKENS: &str = "ID token by POST";

/// The parameters beside an ID token that the login reads.
#[cfg(feature = "axum")]
const READ: [&str; 6] = ["id_token", "credential", "nonce", "next", "g_csrf_token", "posted"];

impl Login {
    /// Hands out a `nonce` for a page that is to get an ID token by itself, such as that of Google One
    /// Tap (`data-nonce`) or FedCM. It is for this browser, once, within an hour: send [`Jar::close`]'s
    /// cookies with the page. [`Login::finish_with_id_token`] needs it.
    ///
    /// Of the login, `begin` has the page to go on to, the user signed in, and the application's
    /// data. Nothing is requested from the service, and no hook is called.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use quadrille::{Google, KeyRing, Login, consumer::{Begin, Jar}};
    ///
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(Google::new("our-id", "our-secret").accept_id_tokens());
    /// let jar = Jar::new(&HeaderMap::new());
    /// let nonce = login.id_token_nonce(&jar, &Begin::new("google").next("/album")).await?;
    /// let page = format!(r#"<div id="g_id_onload" data-client_id="our-id" data-nonce="{nonce}">"#);
    /// # let _ = page;
    /// assert_eq!(jar.close().len(), 1);
    /// # Ok::<(), quadrille::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OperatorError::NotOpenId`](crate::consumer::OperatorError) at a service without ID tokens,
    /// [`BrowserError::IdTokensNotAccepted`] without
    /// [`Client::accept_id_tokens`](crate::consumer::Client::accept_id_tokens), and those of an unknown
    /// service or an invalid configuration.
    pub async fn id_token_nonce(&self, jar: &Jar, begin: &Begin<'_>) -> Result<String> {
        let ready = self.ready()?;
        let registered = self.by_name(begin.service()).await?;
        registered.provider_of_presented()?;
        let begin = begin.clone().only_identify();
        let attempt = self.attempt(Some(jar), ready, &registered, &begin).await?;
        let nonce = BASE64_URL_SAFE_NO_PAD.encode(self.0.env.random::<16>());
        let temporary = Temporary::nonce(&nonce);
        if let Err(error) = attempt.seal_into_cookie(&temporary, &ready.site, jar) {
            self.remove_gone_tenants(jar, error.into()).await?;
            attempt.seal_into_cookie(&temporary, &ready.site, jar)?;
        }
        Ok(nonce)
    }

    /// Finishes a login by an ID token, which must be for this application or another of its clients
    /// ([`Client::id_tokens_for`](crate::consumer::Client::id_tokens_for)), and identifies the
    /// user: there is no access token, so nothing is linked. `owner` as in [`Login::finish`]. Each
    /// token is valid once, in all processes that share a storage on the server.
    ///
    /// Calls no hooks; the routes of `Login::id_token_routes` do.
    ///
    /// # Errors
    /// [`BrowserError::IdTokenRejected`], since anybody can present a token;
    /// [`BrowserError::IdTokensNotAccepted`]; [`BrowserError::AttemptCookieMissing`] if the `nonce` was
    /// not handed out to this browser, or was used; [`BrowserError::CallbackMalformed`] for a text
    /// that is too short; and those of [`Login::finish`].
    pub async fn finish_with_id_token(
        &self,
        jar: &Jar,
        service: &str,
        presented: &PresentedIdToken<'_>,
        owner: &Owner,
    ) -> Result<Finished> {
        let mut trail = Trail::default();
        let verified = self.verify_id_token(jar, service, presented, owner, &mut trail).await;
        let verified = verified.map_err(Error::of_the_browser)?;
        let redeemed = self.redeem(jar, &verified, owner, false).await?;
        let account = redeemed.keep(Some(jar), owner).await?;
        let Attempt { next, data, .. } = verified.answered.attempt.clone();
        Ok(Finished { account, next, data })
    }

    /// The query of the request that finishes a login by the ID token in this form: as
    /// [`posted_callback`](Self::posted_callback).
    #[cfg(feature = "axum")]
    pub(crate) async fn posted_id_token(&self, service: &str, form: &str) -> Result<String> {
        let ready = self.ready()?;
        let registered = self.by_name(service).await?;
        registered.provider_of_presented()?;
        if form.len() > LONGEST {
            return Err(BrowserError::CallbackMalformed.into());
        }
        Ok(sealed(&ready.site, &registered, OF_ID_TOKENS, form))
    }

    /// The form of [`posted_id_token`](Self::posted_id_token).
    #[cfg(feature = "axum")]
    pub(crate) async fn unsealed_id_token(&self, service: &str, query: &str) -> Result<String> {
        let ready = self.ready()?;
        let registered = self.by_name(service).await?;
        let params = callback_in(query)?;
        let form = opened(&ready.site, &registered, OF_ID_TOKENS, &params)?;
        Ok(form.ok_or(BrowserError::CallbackMalformed)?)
    }

    /// Whether the parameters of a request have an ID token that may log this browser in. `by_form`:
    /// they came through a page, so only a cookie of the browser is a proof.
    #[cfg(feature = "axum")]
    pub(crate) async fn verify_with_id_token(
        &self,
        jar: &Jar,
        service: &str,
        parameters: &str,
        by_form: bool,
        owner: &Owner,
    ) -> Result<Verified, Box<(Error, Trail)>> {
        let mut trail = Trail::default();
        let verified = async {
            let params = callback_in(parameters)?;
            let presented = PresentedIdToken::read(&params)?;
            let presented = if by_form { presented.by_form() } else { presented };
            let verified = self.verify_id_token(jar, service, &presented, owner, &mut trail);
            Ok(Verified { callback: further(&params, &READ), ..verified.await? })
        };
        match verified.await {
            Ok(verified) => Ok(verified),
            Err(error) => Err(Box::new((Error::of_the_browser(error), trail))),
        }
    }

    async fn verify_id_token(
        &self,
        jar: &Jar,
        service: &str,
        presented: &PresentedIdToken<'_>,
        owner: &Owner,
        trail: &mut Trail,
    ) -> Result<Verified> {
        let ready = self.ready()?;
        let site = &ready.site;
        let registered = self.by_name(service).await?;
        trail.service = Some(Arc::clone(&registered.settled));
        let provider = registered.provider_of_presented()?;
        let signed = provider.opened(presented.token)?;
        let presented = presented.opened(signed.as_str());
        let nonce = presented.nonce().map_err(|reason| match reason {
            NonceUnusable::TextTooShort => BrowserError::CallbackMalformed.into(),
            NonceUnusable::Token(reason) => Error::from(BrowserError::IdTokenRejected(reason)),
        })?;
        let opened = match &nonce {
            PresentedNonce::OfTheApp(_) => {
                let begin = Begin::new(service).next(presented.next).owner(owner).only_identify();
                let attempt = self.attempt(Some(jar), ready, &registered, &begin).await?;
                Opened::without_cookie(attempt, site)
            }
            PresentedNonce::HandedOut(nonce) => {
                Opened::find(site, jar, nonce).inspect_err(|_| {
                    trail.next = just_finished(site, jar, &registered.name, &mark(nonce));
                })?
            }
        };
        if opened.attempt.service != registered.name {
            return Err(BrowserError::StateUnknown.into());
        }
        let Opened { attempt, cookie, .. } = opened;
        trail.next = Some(attempt.next.clone());
        let classes = attempt.required.classes();
        let expected = attempt.required.of(nonce.expected(), &classes);
        let token = provider.verify_presented(&site.env, &signed, &expected).await?;
        let claims = provider.claims(&token)?;
        let proof = PresentedProof { text: presented.token.into(), token, claims };
        let proof = Proof::IdToken(Box::new(proof));
        let answered = Arc::new(Answered { attempt, cookie, binding: None, proof });
        Ok(Verified { registered, answered, callback: Vec::new() })
    }

    /// Uses a presented ID token up.
    pub(super) async fn granted_by_id_token(&self, proof: &PresentedProof) -> Result<Granted> {
        let PresentedProof { text, token, claims } = proof;
        let now = self.0.env.now();
        let (records, spent) = (self.records(self.ready()?), &self.0.spent);
        // Without the signature, of which there are two for an ECDSA key.
        let signed = text.expose().rsplit_once('.').map_or("", |(signed, _)| signed);
        if spent.spend_for_all(records.as_ref(), signed, token.expires, now).await?.is_none() {
            return Err(BrowserError::AttemptCookieMissing.into());
        }
        let token = Token {
            obtained: now,
            expires: Some(now),
            id_token: Some(text.clone()),
            session: claims.session(now, self.0.clock_leeway),
            ..Token::new("")
        };
        let claims = Some(claims.clone());
        Ok(Granted { token, more: serde_json::Map::new(), claims })
    }
}
