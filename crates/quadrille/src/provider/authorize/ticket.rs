//! The ticket in the form of a consent page: the whole request, sealed, for one user in one
//! browser.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    Env, KeyRing, Policy, Scopes, Timestamp,
    actor::Authentication,
    cookie,
    oauth2::Resources,
    provider::{
        clock::is_over,
        error::OperatorError,
        issuer::Issuer,
        store::{RowId, TicketId, TicketUse},
    },
    seal::{KeyId, OpenError},
};

use super::{dance::Dance, error::BrowserError, request::Asked};

const PURPOSE: &str = "provider ticket";

/// The number of consent pages open in one browser; beyond it the oldest cookie is removed.
const PAGES: usize = 24;
/// The number of tickets' cookies read: browsers keep fewer for a host (RFC 6265, section 6.1).
const SEEN: usize = 256;
/// The longest request that begins again from a ticket, in bytes: a form has room for it.
const LONGEST_AGAIN: usize = 4096;
/// The most cookies that one answer removes.
const GONE: usize = 64;

/// The request behind a consent page, its user and browser.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// Ordered by time, to find the oldest of many cookies.
    pub(crate) id: TicketId,
    /// The key from which the secret of the code, or of the verifier, is derived.
    pub(crate) key: KeyId,
    /// The value of the cookie.
    browser: [u8; 16],
    subject: Arc<str>,
    pub(crate) client: Arc<str>,
    /// Tells the client from a later one with its id.
    pub(crate) number: RowId,
    pub(crate) scopes: Scopes,
    /// Those of the scopes that the page shows as granted before.
    pub(crate) granted: Scopes,
    pub(crate) resources: Resources,
    /// The classes of which the authentication must be one; empty for any.
    pub(crate) acr_values: Vec<Arc<str>>,
    pub(crate) dance: Dance,
    pub(crate) expires: Timestamp,
    /// The same request by GET, path and query, if it can begin again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) again: Option<Box<str>>,
}

/// The reason why a ticket is not accepted, and the request that can begin again, if there is one.
pub(crate) struct NotOpened {
    pub(crate) error: BrowserError,
    pub(crate) again: Option<Box<str>>,
}

impl From<BrowserError> for NotOpened {
    fn from(error: BrowserError) -> Self {
        Self { error, again: None }
    }
}

impl Ticket {
    pub(crate) fn new(
        env: &Env,
        key: KeyId,
        asked: &Asked,
        authentication: &Authentication,
        granted: &Scopes,
        (expires, again): (Timestamp, &str),
    ) -> Self {
        let mut id: TicketId = env.random();
        let [_, _, time @ ..] = env.now().millis().to_be_bytes();
        let (start, _) = id.split_at_mut(time.len());
        start.copy_from_slice(&time);
        Self {
            id,
            key,
            browser: env.random(),
            subject: authentication.subject.clone(),
            client: asked.client.id.clone(),
            number: asked.client.number,
            scopes: asked.scopes.clone(),
            granted: asked.scopes.intersection(granted),
            resources: asked.resources.clone(),
            acr_values: asked.prompt.acr_values.clone(),
            dance: asked.dance.clone(),
            expires: asked.dance.rules().ends().map_or(expires, |ends| ends.min(expires)),
            // A request that waits for one answer has it once.
            again: Some(again)
                .filter(|url| asked.dance.rules().ends().is_none() && url.len() <= LONGEST_AGAIN)
                .map(Into::into),
        }
    }

    /// Seals the ticket for the form.
    pub(crate) fn seal(
        &self,
        env: &Env,
        ring: &KeyRing,
        issuer: &Issuer,
    ) -> Result<String, OperatorError> {
        let plain = serde_json::to_vec(self).map_err(|_| OperatorError::Ticket)?;
        Ok(ring.seal(env, PURPOSE, issuer.as_str(), &plain))
    }

    /// Opens the ticket of a form.
    pub(crate) fn open(
        sealed: &str,
        ring: &KeyRing,
        issuer: &Issuer,
        headers: &HeaderMap,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, NotOpened> {
        let plain = ring.open(PURPOSE, issuer.as_str(), sealed).map_err(|error| match error {
            OpenError::UnknownKey => BrowserError::TicketUnderUnknownKey,
            OpenError::Malformed | OpenError::Broken => BrowserError::TicketTampered,
        })?;
        let ticket: Self =
            serde_json::from_slice(&plain).map_err(|_| BrowserError::TicketTampered)?;
        // First: the browser has dropped the cookie of a ticket that is over.
        if is_over(now, ticket.expires, policy.ticket_lifetime) {
            return Err(NotOpened { error: BrowserError::TicketExpired, again: ticket.again });
        }
        let name = ticket.cookie_name(issuer);
        let value = hex(&ticket.browser);
        if !cookie::pairs(headers).any(|(known, held)| known == name && held == value) {
            let error = BrowserError::TicketOfOtherBrowser;
            return Err(NotOpened { error, again: ticket.again });
        }
        Ok(ticket)
    }

    /// The time at which the page was shown.
    pub(crate) fn made(&self) -> Timestamp {
        let [a, b, c, d, e, f, ..] = self.id;
        Timestamp::from_millis(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// The use of this ticket, for the store.
    pub(crate) const fn use_up(&self) -> TicketUse {
        TicketUse { ticket: self.id, until: self.expires }
    }

    /// `true` if the ticket is for this user.
    pub(crate) fn is_for(&self, authentication: &Authentication) -> bool {
        self.subject == authentication.subject
    }

    /// The cookies to set with the page: its own, and the removal of the oldest if there are too
    /// many.
    pub(crate) fn cookies(
        &self,
        issuer: &Issuer,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Vec<HeaderValue> {
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let attributes = |age| format!("; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        let prefix = cookie_prefix(issuer);
        let mut held: Vec<&str> = cookie::pairs(headers)
            .filter_map(|(name, _)| name.starts_with(&prefix).then_some(name))
            .take(SEEN)
            .collect();
        held.sort_unstable();
        let excess = (held.len() + 1).saturating_sub(PAGES).min(GONE);
        let gone = held.iter().take(excess).map(|name| format!("{name}={}", attributes(0)));
        let age = self.expires.since(now).as_secs();
        let own = format!("{}={}{}", self.cookie_name(issuer), hex(&self.browser), attributes(age));
        std::iter::once(own)
            .chain(gone)
            .filter_map(|cookie| HeaderValue::try_from(cookie).ok())
            .collect()
    }

    fn cookie_name(&self, issuer: &Issuer) -> String {
        let (start, _) = self.id.split_at(10);
        format!("{}{}", cookie_prefix(issuer), hex(start))
    }
}

fn cookie_prefix(issuer: &Issuer) -> String {
    format!("{}-", issuer.cookie_name("ticket"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
