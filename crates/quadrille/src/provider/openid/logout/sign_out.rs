//! The end of a session, and its answer to the browser.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Response};

use crate::{
    actor::Authentication,
    provider::{
        error::Error,
        openid::session_management::browser_state::BrowserState,
        server::{AuthorizationServer, Inner},
        wire::{self, Reply},
    },
};

use super::{
    back_channel,
    check::Target,
    ended, joined,
    options::Logout,
    page::{Frame, SignedOutPage},
    parties,
    party::Party,
};

/// A session that the application ends: its clients learn of it.
///
/// ```
/// use quadrille::{Authentication, provider::{AuthorizationServer, Reply}};
///
/// /// The application's own button.
/// async fn sign_out(
///     server: &AuthorizationServer,
///     session: Authentication,
///     headers: &http::HeaderMap,
/// ) -> Reply {
///     // Remove the session and its cookie here.
///     server.sign_out(session).of_browser(headers).reply().await
/// }
///
/// /// A session in another browser.
/// async fn end(server: &AuthorizationServer, session: Authentication) {
///     server.sign_out(session).tell_clients().await.unwrap_or_else(|error| eprintln!("{error}"));
/// }
/// ```
#[must_use = "end the session, then send .reply()"]
pub struct SignOut {
    inner: Arc<Inner>,
    ended: Authentication,
    onward: Option<Target>,
    /// The clients that the browser knows of.
    further: Vec<Arc<str>>,
}

impl AuthorizationServer {
    /// The end of a session at the application, by its authentication as it was given to
    /// [`Authorization::step`](crate::provider::Authorization::step), with its
    /// [session](Authentication::session). End the session first.
    pub fn sign_out(&self, ended: Authentication) -> SignOut {
        SignOut::new(self.inner().clone(), ended, None)
    }

    /// Waits until no logout token is on its way any more, also none that is sent once more: for a
    /// program that stops.
    ///
    /// ```
    /// use std::time::Duration;
    /// use quadrille::provider::AuthorizationServer;
    ///
    /// async fn stop(server: &AuthorizationServer) {
    ///     let sent = tokio::time::timeout(Duration::from_secs(10), server.logout_tokens_sent());
    ///     if sent.await.is_err() {
    ///         for (client, tokens) in server.logout_tokens_under_way() {
    ///             eprintln!("{client} does not learn of {tokens} logouts");
    ///         }
    ///     }
    /// }
    /// ```
    pub async fn logout_tokens_sent(&self) {
        if let Some(logout) = offered(self.inner()) {
            logout.places.emptied().await;
        }
    }

    /// Waits until no logout token is on its way any more to a client whose host answers: for a program
    /// with many sessions to end, which waits for no host that hangs.
    ///
    /// ```
    /// # use quadrille::provider::AuthorizationServer;
    /// async fn next_round(server: &AuthorizationServer) {
    ///     server.logout_tokens_answered().await;
    /// }
    /// ```
    pub async fn logout_tokens_answered(&self) {
        if let Some(logout) = offered(self.inner()) {
            logout.places.answered().await;
        }
    }

    /// The clients that logout tokens are on their way to, by their `client_id`, with the number of
    /// the tokens.
    pub fn logout_tokens_under_way(&self) -> Vec<(Arc<str>, usize)> {
        offered(self.inner()).map(|logout| logout.places.taken()).unwrap_or_default()
    }
}

fn offered(inner: &Inner) -> Option<&Logout> {
    inner.openid.as_ref()?.logout.as_ref()
}

impl SignOut {
    pub(super) const fn new(
        inner: Arc<Inner>,
        ended: Authentication,
        onward: Option<Target>,
    ) -> Self {
        Self { inner, ended, onward, further: Vec::new() }
    }

    /// Adds the clients that the browser of the session knows of, by the cookies in its request:
    /// those whose tokens have all expired, and those that had an ID token in a redirect alone. The
    /// end session endpoint does this itself.
    pub fn of_browser(mut self, headers: &HeaderMap) -> Self {
        self.further.extend(joined::read(&self.inner, headers, &self.ended));
        self
    }

    /// Adds clients by their `client_id`, which the application has kept beside the session: see
    /// [`SessionClient`](crate::provider::SessionClient).
    pub fn with_clients(mut self, clients: impl IntoIterator<Item = Arc<str>>) -> Self {
        self.further.extend(clients);
        self
    }

    /// The authentication of the session. Codes that were issued in it bring no tokens any more.
    pub fn authentication(&self) -> &Authentication {
        &self.ended
    }

    /// Tells the clients that have a `backchannel_logout_uri`, and answers the browser: with a page
    /// that has the frames of the others, or with a redirect to the client that has asked.
    pub async fn reply(self) -> Reply {
        let answer = self.answer().await;
        let mut answer = answer.unwrap_or_else(|error| self.inner.pages.show(&error));
        BrowserState::leave(BrowserState::signed_out(&self.inner), &mut answer);
        answer.into()
    }

    /// Answers the browser in which another user has just signed in, so that the session has ended: with a
    /// page that has the frames of clients, on the way to `next`, a path of this site. `None` if no client
    /// has one. Logout tokens are sent by [`tell_clients`](Self::tell_clients) alone.
    ///
    /// ```
    /// use quadrille::{Authentication, provider::{AuthorizationServer, Error, Reply}};
    ///
    /// /// The answer to the sign-in form, with the session that the browser had.
    /// async fn signed_in(
    ///     server: &AuthorizationServer,
    ///     before: Authentication,
    ///     headers: &http::HeaderMap,
    /// ) -> Result<Option<Reply>, Error> {
    ///     let sign_out = server.sign_out(before).of_browser(headers);
    ///     let page = sign_out.frames("/album").await?; // with the cookie of the new session
    ///     sign_out.tell_clients().await?;
    ///     Ok(page)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn frames(&self, next: &str) -> Result<Option<Reply>, Error> {
        let inner = &self.inner;
        let Some(logout) = offered(inner) else { return Ok(None) };
        let parties = parties::of(inner, &self.ended, &self.further).await?;
        let frames = Frame::of(&parties, inner.issuer.as_str());
        if frames.is_empty() {
            return Ok(None);
        }
        let destination = inner.issuer.origin().to_string();
        let onward = Target { url: next.to_owned(), destination };
        let page = SignedOutPage::new(&frames, Some(&onward), true).of_next_user();
        Ok(Some(show(Some(logout), &page).into()))
    }

    /// Tells the clients that have a `backchannel_logout_uri`, without a browser.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn tell_clients(self) -> Result<(), Error> {
        self.tell().await.map(drop)
    }

    async fn tell(&self) -> Result<Vec<Party>, Error> {
        ended::remember(&self.inner, &self.ended).await?;
        let parties = parties::of(&self.inner, &self.ended, &self.further).await?;
        back_channel::send(&self.inner, &self.ended, &parties);
        Ok(parties)
    }

    async fn answer(&self) -> Result<Response<Bytes>, Error> {
        let parties = self.tell().await?;
        let frames = Frame::of(&parties, self.inner.issuer.as_str());
        answer(&self.inner, &frames, self.onward.as_ref(), true)
    }
}

/// The answer after a logout: a page or, without frames, a redirect. A browser that is not to be
/// sent on by itself gets a link.
pub(super) fn answer(
    inner: &Inner,
    frames: &[Frame],
    onward: Option<&Target>,
    is_sent_on: bool,
) -> Result<Response<Bytes>, Error> {
    if let Some(target) = onward.filter(|_| frames.is_empty() && is_sent_on) {
        return wire::redirect_url(&target.url);
    }
    Ok(show(offered(inner), &SignedOutPage::new(frames, onward, is_sent_on)))
}

/// The page, or that of the application.
fn show(logout: Option<&Logout>, page: &SignedOutPage<'_>) -> Response<Bytes> {
    let own = logout.and_then(|logout| logout.page.as_ref());
    own.map_or_else(|| page.to_response(), |own| own(page))
}

impl fmt::Debug for SignOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOut")
            .field("subject", &self.ended.subject)
            .field("onward", &self.onward.is_some())
            .finish_non_exhaustive()
    }
}
