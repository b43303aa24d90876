//! Logouts at a provider, which end sessions at this site.

use std::sync::Arc;

use crate::{
    Timestamp,
    consumer::{
        account::{Account, Stored},
        claims::Claims,
        error::{BrowserError, Error, Result, ServiceError},
        openid::{
            self,
            ended::{Session, SessionEnded, Told, in_front_channel},
        },
    },
    form::{Limits, Params},
    oidc::LogoutTokenRejected,
};

use super::{Login, registered::Registered};

impl Login {
    /// Ends the sessions that a logout token names (OpenID Connect Back-Channel Logout, section 2.6).
    /// Each token is valid once in this process. From then on, in this process, an
    /// [`Identity`](crate::Identity) of such a session is none any more, and neither is a
    /// [`Linked`](crate::Linked) that belongs to a browser, unless its token has the scope
    /// `offline_access` (section 2.7). Sessions of the application's own are its to end.
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
        let env = &self.ready()?.site.env;
        let registered = self.by_name(service).await?;
        let provider = registered.openid_provider()?;
        let token = provider.verify_logout(env, token).await?;
        let (now, spent) = (env.now(), &self.0.spent);
        if !spent.spend(
            &[&token.issuer, "#", &token.id].concat(),
            token.expires.unwrap_or(now),
            now,
        ) {
            let error = ServiceError::LogoutTokenRejected(LogoutTokenRejected::Replayed);
            return Err(Error::service(&registered.name, error));
        }
        let event = SessionEnded {
            service: Arc::clone(&registered.name),
            account: token.subject.as_deref().and_then(|sub| provider.account(&token.issuer, sub)),
            issuer: token.issuer,
            sub: token.subject,
            sid: token.sid,
            at: now,
        };
        self.0.ended.note(&event, Told::Proven);
        Ok(event)
    }

    /// Ends the session that the query of a front-channel logout names (OpenID Connect Front-Channel
    /// Logout, section 3). Nothing proves the request: the `sid` of a session suffices to end it.
    /// Otherwise as [`end_by_logout_token`](Self::end_by_logout_token).
    ///
    /// # Errors
    /// [`BrowserError::CallbackMalformed`] without `iss` and `sid`,
    /// [`BrowserError::WrongIssuer`], [`OperatorError::NotOpenId`](crate::consumer::OperatorError), and
    /// those of an unknown service.
    pub async fn end_by_front_channel(&self, service: &str, query: &str) -> Result<SessionEnded> {
        let registered = self.by_name(service).await?;
        registered.openid_provider()?;
        let malformed = |_| BrowserError::CallbackMalformed;
        let params = Params::parse_within(query.as_bytes(), Limits::DEFAULT).map_err(malformed)?;
        let issuer = registered.openid().and_then(|openid| openid.issuer.as_deref());
        let issuer = issuer.unwrap_or_default();
        let event = SessionEnded {
            service: Arc::clone(&registered.name),
            issuer: issuer.to_owned(),
            sub: None,
            sid: Some(in_front_channel(&params, issuer)?.to_owned()),
            account: None,
            at: self.0.env.now(),
        };
        self.0.ended.note(&event, Told::ByBrowser);
        Ok(event)
    }

    /// Ends sessions here of which another process of this site was told: each process remembers for
    /// itself. A hook can send its event to the others.
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
        self.0.ended.note(event, Told::Proven);
    }

    /// Whether the provider has ended the session that began with this login of an account.
    pub(crate) fn has_ended(
        &self,
        registered: &Registered,
        account: &str,
        claims: Option<&Claims>,
        since: Timestamp,
    ) -> bool {
        let Some(provider) = registered.provider() else { return false };
        let claim = |name| claims.and_then(|claims| claims.text(name));
        let user = if provider.knows_by_subject() { Some(account) } else { claim("sub") };
        self.0.ended.has(&Session { service: &registered.name, user, sid: claim("sid"), since })
    }

    /// Whether the provider has ended the session that a stored account is. One of a user belongs to
    /// the application's session, and one with offline access to none.
    pub(crate) fn has_ended_account(&self, registered: &Registered, stored: &Stored) -> bool {
        let Stored { account, token, .. } = stored;
        let is_session = !account.owner.is_user() && !token.scopes.contains("offline_access");
        is_session && self.has_ended_since(registered, stored)
    }

    /// Whether the provider has ended the session in which an account was linked.
    pub(crate) fn has_ended_since(&self, registered: &Registered, stored: &Stored) -> bool {
        let Stored { account: Account { subject, .. }, token, .. } = stored;
        if self.0.ended.is_empty() {
            return false;
        }
        let claims = openid::claims_of(&stored.account, token);
        self.has_ended(registered, subject, claims.as_ref(), token.obtained)
    }
}
