//! The cookie that names the clients of a session in this browser: of those whose tokens have
//! expired, and of those with an ID token alone, the store knows nothing.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use serde::{Deserialize, Serialize};

use crate::{
    actor::Authentication,
    cookie,
    provider::{
        client::record::Client,
        openid::details::OPENID,
        server::Inner,
        store::{Grant, SecretHash},
    },
};

use super::ended::mark;

const PURPOSE: &str = "provider clients of a session";

/// The greatest number of clients, and of the bytes of their ids: a browser sends the cookie with
/// each request.
const MOST: usize = 32;
const MOST_BYTES: usize = 1024;

/// The client that a user has logged in at with an answer, by its `client_id`: in the extensions of
/// the answer, if the client wants to learn of logouts and the browser's cookie did not name it as the
/// last one. An application that keeps it beside the session tells it of the end also where no browser
/// is, and after its tokens have expired: see
/// [`SignOut::with_clients`](crate::provider::SignOut::with_clients).
///
/// ```
/// use bytes::Bytes;
/// use quadrille::provider::{Reply, SessionClient};
///
/// fn send(reply: Reply) -> http::Response<Bytes> {
///     let response = http::Response::from(reply);
///     if let Some(SessionClient(client)) = response.extensions().get() {
///         println!("{client} has joined the session");
///     }
///     response
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionClient(pub Arc<str>);

/// The content of the cookie.
#[derive(Serialize, Deserialize)]
struct Joined {
    /// The session, so that a later one of the browser finds nothing.
    session: SecretHash,
    /// The clients, the newest last.
    clients: Vec<Arc<str>>,
}

/// Adds the client of a grant to the cookie, with the answer to the browser of its user.
pub(in crate::provider) fn note(
    inner: &Inner,
    headers: &HeaderMap,
    client: &Client,
    grant: &Grant,
    answer: &mut Response<Bytes>,
) {
    let offered = inner.openid.as_ref().is_some_and(|openid| openid.logout.is_some());
    let is_told = client.openid.frontchannel_logout_uri.is_some()
        || client.openid.backchannel_logout_uri.is_some();
    let Some(user) = grant.authentication.as_deref().filter(|_| offered && is_told) else { return };
    let mut clients = read(inner, headers, user);
    if !grant.scopes.contains(OPENID) || clients.last() == Some(&client.id) {
        return;
    }
    answer.extensions_mut().insert(SessionClient(client.id.clone()));
    clients.retain(|known| *known != client.id);
    clients.push(client.id.clone());
    while clients.len() > MOST || clients.iter().map(|id| id.len()).sum::<usize>() > MOST_BYTES {
        clients.remove(0);
    }
    let Ok(plain) = serde_json::to_vec(&Joined { session: mark(user), clients }) else { return };
    let value = inner.ring.seal(&inner.env, PURPOSE, inner.issuer.as_str(), &plain);
    let secure = if inner.issuer.is_https() { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", name(inner));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The clients to which the user has logged in in this browser and session.
pub(super) fn read(inner: &Inner, headers: &HeaderMap, user: &Authentication) -> Vec<Arc<str>> {
    let (name, session) = (name(inner), mark(user));
    let opened = cookie::pairs(headers)
        .filter(|(known, _)| *known == name)
        .filter_map(|(_, sealed)| inner.ring.open(PURPOSE, inner.issuer.as_str(), sealed).ok())
        .filter_map(|plain| serde_json::from_slice::<Joined>(&plain).ok())
        .find(|joined| joined.session == session);
    opened.map(|joined| joined.clients).unwrap_or_default()
}

/// The `Cookie` headers alone.
pub(in crate::provider) fn cookies(headers: &HeaderMap) -> HeaderMap {
    let lines = headers.get_all(header::COOKIE).iter();
    lines.map(|line| (header::COOKIE, line.clone())).collect()
}

fn name(inner: &Inner) -> String {
    inner.issuer.cookie_name("clients")
}
