//! The user behind a request.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Extensions, HeaderMap, Response, Uri, header},
};
use quadrille::{
    Authentication, RemoteAddress,
    provider::{
        SessionClient,
        store::{SecretHash, StoreError},
    },
};

use crate::{
    sessions::{Session, browser_name},
    users::User,
};

use super::{app::App, attempts::Attempt, cookies::Cookie};

/// The interval at which the time of the last request is stored.
const USED_EVERY: Duration = Duration::from_secs(60);

/// A user who is signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The user.
    pub user: User,
    /// The session.
    pub session: Session,
}

impl Visitor {
    /// The sign-in, as the authorization server needs it.
    pub fn authentication(&self) -> Authentication {
        self.session.authentication()
    }
}

impl App {
    /// The signed-in user who sent a request with these headers, if there is one.
    ///
    /// # Errors
    /// The errors of the store.
    pub async fn visitor(&self, headers: &HeaderMap) -> Result<Option<Visitor>, StoreError> {
        let Some(id) = self.session_id(headers) else { return Ok(None) };
        let Some(session) = self.backend.session(&id).await? else { return Ok(None) };
        // The user is loaded after the session, so a password changed in between is seen.
        let Some(user) = self.backend.user_by_subject(&session.subject).await? else {
            return Ok(None);
        };
        let now = self.env.now();
        if !session.is_good_for(&user, now) {
            return Ok(None);
        }
        if (now.since(session.used) >= USED_EVERY || session.used.since(now) >= USED_EVERY)
            && let Err(error) = self.backend.session_used(id, now).await
        {
            tracing::warn!(%error, "the last use of a session was not written down");
        }
        Ok(Some(Visitor { user, session }))
    }

    /// The signed-in user who wants to see the page at `uri`.
    ///
    /// # Errors
    /// The answer without one: the sign-in page, which leads back.
    pub(super) async fn signed_in(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Result<Visitor, Response<Body>> {
        match self.visitor(headers).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) => {
                let next = uri.path_and_query().map_or("", |path| path.as_str());
                Err(self.see_other(&self.pages.sign_in_for(next)))
            }
            Err(error) => Err(self.store_failed(&error)),
        }
    }

    /// The sign-in of a user, as the authorization server needs it for a grant. It is of several
    /// authentication context classes, and names the first `wanted` one, or else the usual one.
    pub(super) fn authentication<'a>(
        &self,
        visitor: &Visitor,
        mut wanted: impl Iterator<Item = &'a str>,
    ) -> Authentication {
        let mut authentication = visitor.authentication();
        let is_of = |wanted: &str| self.acr_values.iter().find(|class| ***class == *wanted);
        authentication.acr = wanted.find_map(is_of).or(self.acr_values.first()).cloned();
        authentication
    }

    /// Remembers the client that an answer with these extensions logs the user in at, for the end of
    /// the session.
    pub(super) fn join(
        &self,
        visitor: &Visitor,
        answer: &Extensions,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (app, id) = (self.clone(), visitor.session.id);
        let joined = answer.get::<SessionClient>().cloned();
        async move {
            let Some(SessionClient(client)) = joined else { return };
            if let Err(error) = app.backend.join_session(id, client.clone()).await {
                tracing::error!(%client, %error, "a client will not learn of the end of a session");
            }
        }
    }

    /// The id of the session that a request names.
    pub(super) fn session_id(&self, headers: &HeaderMap) -> Option<SecretHash> {
        self.session_cookie(headers).and_then(|cookie| self.seals.id(cookie))
    }

    /// The cookie of a session in a request. A cookie of the same name from another application of
    /// the host does not hide it.
    pub(super) fn session_cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let opens = |cookie: &str| self.seals.id(cookie).is_some();
        self.cookies.read(headers, Cookie::Session, opens)
    }

    /// The device cookie.
    pub(super) fn device_cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        self.cookies.read(headers, Cookie::Device, |cookie| self.devices.is_ours(cookie))
    }

    /// The cookie that a sign-in form is bound to.
    pub(super) fn form_cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        self.cookies.read(headers, Cookie::Form, |cookie| cookie.len() == 22)
    }

    /// Opens a session for `user` in the place of the one in `headers`, and takes `attempt` back as
    /// a failure. A session of the same user goes on, with another secret. Its cookies go into `answer`. Returns `false` if the password has changed since.
    pub(super) async fn open_session(
        &self,
        user: &User,
        headers: &HeaderMap,
        address: RemoteAddress,
        attempt: &Attempt,
        answer: &mut HeaderMap,
    ) -> Result<bool, StoreError> {
        let (now, (id, cookie)) = (self.env.now(), self.seals.make(&self.env));
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let session = Session {
            id,
            name: Session::name_of(&id),
            subject: user.subject.clone(),
            password_number: user.password_number,
            signed_in: now,
            used: now,
            expires: now + self.session_lifetime,
            browser: browser_name(agent.unwrap_or_default()),
            address: address.0.to_string(),
            clients: Vec::new(),
        };
        let before = self.session_id(headers);
        if !self.backend.open_session(session, before, attempt.forgiven()).await? {
            return Ok(false);
        }
        // The session before may have been another user's.
        self.ended.notify_one();
        self.cookies.set(answer, Cookie::Session, &cookie, Some(self.session_lifetime));
        self.tell_frames(headers, &id, answer).await?;
        let device = self.devices.remember(self.device_cookie(headers), user);
        self.cookies.set(answer, Cookie::Device, &device, Some(super::devices::LIFETIME));
        Ok(true)
    }

    /// Lets the pages of applications notice that a session has opened.
    async fn tell_frames(
        &self,
        headers: &HeaderMap,
        id: &SecretHash,
        answer: &mut HeaderMap,
    ) -> Result<(), StoreError> {
        // It may have the name of the session before.
        let user = self.backend.session(id).await?.map(|session| session.authentication());
        let state = self.server.browser_state_cookie(headers, user.as_ref());
        answer.extend(state.map(|state| (header::SET_COOKIE, state)));
        Ok(())
    }
}
