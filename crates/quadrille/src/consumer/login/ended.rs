//! Logouts at a provider, which end sessions at this site.

use std::sync::Arc;

use crate::{
    consumer::{
        account::{ProviderSession, Stored},
        error::{BrowserError, Error, Result, ServiceError},
        openid::{
            OpenIdProvider,
            ended::{Session, SessionEnded, in_front_channel},
            spent::Used,
        },
        storage::records::Records,
    },
    form::{Limits, Params},
    oidc::LogoutTokenRejected,
};

use super::{Login, Ready, registered::Registered};

impl Login {
    /// Ends the sessions that a logout token names (OpenID Connect Back-Channel Logout, section 2.6).
    /// Each token is valid once. From then on, an [`Identity`](crate::Identity) of such a session is
    /// none any more, and neither is a [`Linked`](crate::Linked) that belongs to a browser, unless its
    /// token has the scope `offline_access` (section 2.7). Sessions of the application's own are its to
    /// end.
    ///
    /// The storage of the login keeps all of that for other processes and for the next start, unless
    /// it is in the user's browser: then it is kept in the memory of this process. Another process
    /// that [receives logouts](Self::receives_logouts) knows it within two seconds.
    ///
    /// `Login::logout_routes` calls it, and the hook.
    ///
    /// ```
    /// use quadrille::{Login, Result, SessionEnded};
    ///
    /// async fn receive(login: &Login, logout_token: &str) -> Result<SessionEnded> {
    ///     login.end_by_logout_token("acme", logout_token).await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ServiceError::LogoutTokenRejected`], [`OperatorError::NotOpenId`](crate::consumer::OperatorError), and those of an unknown
    /// service or of the request for the provider's keys.
    pub async fn end_by_logout_token(&self, service: &str, token: &str) -> Result<SessionEnded> {
        self.receive_logout_token(service, token).await.map(|(event, _)| event)
    }

    /// [`Login::end_by_logout_token`], with what lets the token be sent again
    /// ([`Login::let_send_again`]).
    pub(crate) async fn receive_logout_token(
        &self,
        service: &str,
        token: &str,
    ) -> Result<(SessionEnded, Used)> {
        let ready = self.ready()?;
        let (env, records) = (&ready.site.env, self.records(ready));
        let registered = self.by_name(service).await?;
        let provider = registered.openid_provider()?;
        let token = provider.verify_logout(env, token).await?;
        let (now, spent) = (env.now(), &self.0.spent);
        let (id, expires) =
            ([&*token.issuer, "#", &token.id].concat(), token.expires.unwrap_or(now));
        let Some(used) = spent.spend_for_all(records.as_ref(), &id, expires, now).await? else {
            let error = ServiceError::LogoutTokenRejected(LogoutTokenRejected::Replayed);
            return Err(Error::service(&registered.name, error));
        };
        let event = SessionEnded {
            service: Arc::clone(&registered.name),
            account: token.subject.as_deref().and_then(|sub| provider.account(&token.issuer, sub)),
            issuer: token.issuer,
            sub: token.subject,
            sid: token.sid,
            at: now,
            issued: Some(token.issued),
            proven: true,
        };
        let issuer = self.issuer_among_several(&event.service, &event.issuer);
        let leeway = self.0.clock_leeway;
        if let Err(error) =
            self.0.ended.note_for_all(records.as_ref(), &event, issuer, leeway).await
        {
            self.let_send_again(used).await;
            return Err(error);
        }
        Ok((event, used))
    }

    /// Lets the provider send a logout token again (Back-Channel Logout, section 2.8): what it is to
    /// bring about has failed.
    pub(crate) async fn let_send_again(&self, used: Used) {
        let records = self.ready().ok().and_then(|ready| self.records(ready));
        if let Err(error) = self.0.spent.give_back(records.as_ref(), used).await {
            tracing::warn!(%error, "a logout token that had no effect cannot be sent again");
        }
    }

    /// Ends the session that the query of a front-channel logout names (OpenID Connect Front-Channel
    /// Logout, section 3). Nothing proves the request: the `sid` of a session suffices to end it, and
    /// anybody can send one about a session that does not exist. Otherwise as
    /// [`end_by_logout_token`](Self::end_by_logout_token). At a service with an issuer of each tenant,
    /// the issuer may be that of any tenant, and a session is one of its issuer.
    ///
    /// # Errors
    /// [`BrowserError::CallbackMalformed`] without `iss` and `sid`,
    /// [`BrowserError::WrongIssuer`], [`OperatorError::NotOpenId`](crate::consumer::OperatorError), and
    /// those of an unknown service.
    pub async fn end_by_front_channel(&self, service: &str, query: &str) -> Result<SessionEnded> {
        let registered = self.by_name(service).await?;
        let provider = registered.openid_provider()?;
        let malformed = |_| BrowserError::CallbackMalformed;
        let params = Params::parse_within(query.as_bytes(), Limits::DEFAULT).map_err(malformed)?;
        let forgets_issuer = provider.forgets_issuer_in_front_channel();
        let is_issuer = |issuer: &str| provider.is_issuer(issuer);
        let (issuer, sid) = in_front_channel(&params, forgets_issuer, is_issuer)?;
        let event = SessionEnded {
            service: Arc::clone(&registered.name),
            issuer: issuer.unwrap_or(provider.described_issuer()).to_owned(),
            sub: None,
            sid: Some(sid.to_owned()),
            account: None,
            at: self.0.env.now(),
            issued: None,
            proven: false,
        };
        let records = self.records(self.ready()?);
        let issuer = self.issuer_among_several(&event.service, &event.issuer);
        let leeway = self.0.clock_leeway;
        self.0.ended.note_for_all(records.as_ref(), &event, issuer, leeway).await?;
        Ok(event)
    }

    /// Looks for sessions that other processes of this site were told to end, through the storage, in a
    /// process without `Login::logout_routes`, which does so, too.
    ///
    /// ```
    /// use quadrille::{KeyRing, Login, SpecBuf};
    ///
    /// let spec = SpecBuf::oidc("acme", "https://id.acme.example");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(spec.client("our-id", "our-secret"))
    ///     .receives_logouts();
    /// # login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn receives_logouts(self) -> Self {
        self.0.ended.receives();
        self
    }

    /// The records of the site, if its processes share a storage.
    pub(crate) fn records<'a>(&'a self, ready: &'a Ready) -> Option<Records<'a>> {
        Records::of(&*self.0.storage, &ready.site)
    }

    /// Learns of sessions that other processes were told to end, if some seconds have passed.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) async fn look_for_ended(&self) -> Result<()> {
        let now = self.0.env.now();
        if !self.0.ended.is_due(now) {
            return Ok(());
        }
        match self.records(self.ready()?) {
            // It is rare, and would make the future of each request larger.
            Some(records) => Box::pin(self.0.ended.look(&records, now)).await,
            None => Ok(()),
        }
    }

    /// Ends sessions here of which another process of this site was told, where the storage is in the
    /// user's browser, so that each process remembers for itself. A hook can send its event to the
    /// others.
    ///
    /// ```
    /// use quadrille::{Login, SessionEnded};
    ///
    /// fn told_by_another_process(login: &Login, message: &[u8]) -> serde_json::Result<()> {
    ///     let event: SessionEnded = serde_json::from_slice(message)?;
    ///     login.end_by_another_process(&event);
    ///     Ok(())
    /// }
    /// ```
    pub fn end_by_another_process(&self, event: &SessionEnded) {
        let issuer = self.issuer_among_several(&event.service, &event.issuer);
        self.0.ended.note(event, issuer, self.0.clock_leeway);
    }

    /// The issuer if the service has several that tell their sessions apart, else an empty text.
    fn issuer_among_several<'a>(&self, service: &str, issuer: &'a str) -> &'a str {
        let is_service = |known: &&Arc<Registered>| *known.name == *service;
        let known = self.ready().ok().and_then(|ready| {
            let known = ready.services.iter().find(is_service).cloned();
            known.or_else(|| ready.known_tenants.last(service))
        });
        let several = known.as_ref().and_then(|known| known.provider());
        if several.is_some_and(OpenIdProvider::has_several_issuers) { issuer } else { "" }
    }

    /// Whether the provider has ended the session in which this account of a service logged in.
    pub(crate) fn has_ended(
        &self,
        service: &str,
        account: &str,
        session: Option<&ProviderSession>,
    ) -> bool {
        let Some(ProviderSession { sub, sid, since }) = session else { return false };
        let (users, sid, since) = ([account, &**sub], sid.as_deref(), *since);
        // Such an account is the issuer and the user.
        let issuer = account.strip_suffix(&**sub).and_then(|rest| rest.strip_suffix('#'));
        let issuer = self.issuer_among_several(service, issuer.unwrap_or_default());
        self.0.ended.has(&Session { service, users, issuer, sid, since }, self.0.env.now())
    }

    /// Whether the provider has ended the session that a stored account is. One of a user belongs to
    /// the application's session, and one with offline access to none.
    pub(crate) fn has_ended_account(&self, stored: &Stored) -> bool {
        let Stored { account, token, .. } = stored;
        let is_session = !account.owner.is_user() && !token.scopes.contains("offline_access");
        is_session && self.has_ended_since(stored)
    }

    /// Whether the provider has ended the session in which an account was linked.
    pub(crate) fn has_ended_since(&self, stored: &Stored) -> bool {
        let Stored { account, token, .. } = stored;
        self.has_ended(&account.service, &account.subject, token.session.as_ref())
    }
}
