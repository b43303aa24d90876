//! The state of a browser at the provider ("OP User Agent state", OpenID Connect Session Management,
//! section 3.2): a cookie that the script of the provider's frame reads.
//!
//! The script of a page must not see what proves a session, and the frame is on pages of other sites.
//! So it is a cookie of its own: random for everybody else, and for the server a box that says whose
//! state it is. A sign-in that the application does not announce is noticed by that at the next answer.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};

use crate::{
    actor::Authentication,
    cookie, oidc,
    provider::{
        client::record::Client,
        openid::logout::ended::mark,
        server::{AuthorizationServer, Inner},
        store::SecretHash,
    },
};

const PURPOSE: &str = "provider browser state";

/// The holder of a state while nobody is signed in.
const NOBODY: SecretHash = [0; 32];

/// The state of a browser.
pub(in crate::provider) struct BrowserState {
    value: String,
    /// The cookie, unless the browser has it.
    cookie: Option<HeaderValue>,
}

impl AuthorizationServer {
    /// The `Set-Cookie` header by which the pages of clients notice that the user of a browser has signed
    /// in (`user`) or out (`None`): add it to the answer with which the application opens or ends the
    /// session of the browser. `headers` are those of the request. `None` if nothing has changed, or
    /// without [`OpenId::session_management`](crate::provider::OpenId::session_management). The answers of
    /// the server itself have the header: [`SignOut::reply`](crate::provider::SignOut::reply), and those
    /// to clients.
    ///
    /// Scripts can read the cookie. It does not lead back to the session.
    ///
    /// ```
    /// use http::{HeaderMap, header::SET_COOKIE};
    /// use quadrille::{Authentication, provider::AuthorizationServer};
    ///
    /// fn signed_in(server: &AuthorizationServer, request: &HeaderMap, user: &Authentication) -> HeaderMap {
    ///     let mut answer = HeaderMap::new(); // with the cookie of the session
    ///     answer.extend(server.browser_state_cookie(request, Some(user)).map(|it| (SET_COOKIE, it)));
    ///     answer
    /// }
    /// ```
    pub fn browser_state_cookie(
        &self,
        headers: &HeaderMap,
        user: Option<&Authentication>,
    ) -> Option<HeaderValue> {
        let inner = self.inner();
        is_offered(inner).then(|| held(inner, headers, user, true).cookie).flatten()
    }
}

impl BrowserState {
    /// The state for a user, or for nobody, in a request to the authorization endpoint.
    pub(in crate::provider) fn of(
        inner: &Inner,
        headers: &HeaderMap,
        user: Option<&Authentication>,
    ) -> Option<Self> {
        is_offered(inner).then(|| held(inner, headers, user, is_page(headers)))
    }

    /// The state in a request whose user is not known.
    pub(in crate::provider) fn found(inner: &Inner, headers: &HeaderMap) -> Option<Self> {
        is_offered(inner).then(|| held(inner, headers, None, false))
    }

    /// A new state for nobody, after a logout.
    pub(in crate::provider) fn signed_out(inner: &Inner) -> Option<Self> {
        is_offered(inner).then(|| fresh(inner, NOBODY))
    }

    /// The state as a client knows it whose redirect URI has this origin: the value of `session_state`.
    pub(in crate::provider) fn at(&self, inner: &Inner, client: &Client, origin: &str) -> String {
        oidc::session_state(&client.id, origin, &self.value, &inner.env.random())
    }

    /// Leaves the cookie in the browser.
    pub(in crate::provider) fn leave(state: Option<Self>, answer: &mut Response<Bytes>) {
        if let Some(cookie) = state.and_then(|state| state.cookie) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

/// The name of the cookie.
pub(super) fn name(inner: &Inner) -> String {
    inner.issuer.cookie_name("state")
}

/// `true` if a server has session management.
pub(in crate::provider) fn is_offered(inner: &Inner) -> bool {
    inner.openid.as_ref().is_some_and(|openid| openid.manages_sessions)
}

/// The state that the browser has, if it keeps it, else a new one.
fn held(
    inner: &Inner,
    headers: &HeaderMap,
    user: Option<&Authentication>,
    is_certain: bool,
) -> BrowserState {
    let (name, now) = (name(inner), user.map_or(NOBODY, mark));
    let holder = |value: &str| {
        let plain = inner.ring.open(PURPOSE, inner.issuer.as_str(), value).ok()?;
        SecretHash::try_from(&plain[..]).ok()
    };
    let found = cookie::pairs(headers)
        .filter(|(known, _)| *known == name)
        .find_map(|(_, value)| Some((holder(value)?, value)));
    match found {
        Some((holder, value)) if keeps(holder, now, is_certain) => {
            BrowserState { value: value.to_owned(), cookie: None }
        }
        _ => fresh(inner, now),
    }
}

/// Whether a browser keeps its state: if the holder is the user of now, or if it is not certain that
/// nobody is signed in.
fn keeps(holder: SecretHash, now: SecretHash, is_certain: bool) -> bool {
    holder == now || now == NOBODY && !is_certain
}

/// `true` if a browser would have sent the cookie of a session, which it keeps from frames of other
/// sites: any of them could else have all clients believe that the user has signed out.
fn is_page(headers: &HeaderMap) -> bool {
    let mut destinations = headers.get_all("sec-fetch-dest").iter();
    let is_document = destinations.next().is_some_and(|it| it == "document");
    is_document && destinations.next().is_none()
}

fn fresh(inner: &Inner, holder: SecretHash) -> BrowserState {
    let value = inner.ring.seal(&inner.env, PURPOSE, inner.issuer.as_str(), &holder);
    // The frame is on pages of other sites. Without https there are none but on this machine.
    let site = if inner.issuer.is_https() { "None; Secure" } else { "Lax" };
    let cookie = format!("{}={value}; Path=/; SameSite={site}", name(inner));
    BrowserState { value, cookie: HeaderValue::try_from(cookie).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SecretHash = [1; 32];
    const BOB: SecretHash = [2; 32];

    #[test]
    fn a_browser_gets_another_state_when_its_user_changes() {
        for is_certain in [true, false] {
            for (holder, now, is_kept) in [
                (ADA, ADA, true),
                (NOBODY, NOBODY, true),
                (ADA, BOB, false),
                (NOBODY, ADA, false),
                (ADA, NOBODY, !is_certain),
            ] {
                assert_eq!(keeps(holder, now, is_certain), is_kept, "{holder:?} {now:?}");
            }
        }
    }

    #[test]
    fn only_the_request_of_a_whole_page_shows_that_nobody_is_signed_in() {
        let is_page = |destinations: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for destination in destinations {
                headers.append("sec-fetch-dest", HeaderValue::from_static(destination));
            }
            is_page(&headers)
        };
        assert!(is_page(&["document"]));
        for other in [&[][..], &["iframe"], &["empty"], &[""], &["document", "document"]] {
            assert!(!is_page(other), "{other:?}");
        }
    }
}
