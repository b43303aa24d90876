//! The dances through the authorization endpoint: what an approval becomes in each, and its reply.
//!
//! A dance is a file here, which implements [`Rules`], and a variant of [`Dance`].

mod device;
mod parts;
mod redirect;
mod verifier;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    RemoteAddress, Scopes, Secret, Timestamp,
    actor::{Actor, Authentication},
    oauth2::{Resources, ResponseType},
    provider::{
        client::{
            record::Client,
            redirect_uri::{RedirectUri, matching::RedirectRule},
        },
        error::{ClientError, Error, endpoint::TokenError},
        openid::{
            details::{OPENID, OpenIdDetails},
            logout::joined,
            session_management::browser_state::BrowserState,
        },
        refusal::{self, Facts},
        server::Inner,
        store::{
            Answer, Answered, CodeRecord, Consent, Grant, GrantDetails, IssuerId, Outcome,
            PendingState, RowId, TicketId, TicketUse,
        },
        token::format::{TokenKey, TokenSecret},
    },
};

use super::error::{AuthorizeError, BrowserError};

pub(crate) use device::ForDevice;
pub(crate) use parts::Parts;
pub(crate) use redirect::{ForRedirect, warn};
pub(crate) use verifier::ForVerifier;

/// The authorization endpoint's name in the log.
pub(crate) const ENDPOINT: &str = "authorization";

/// The dance of a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dance {
    /// OAuth 2: a code or a token for a redirect URI.
    Redirect(ForRedirect),
    /// OAuth 1.0a: a verifier for temporary credentials.
    Verifier(ForVerifier),
    /// RFC 8628: a device that waits.
    Device(ForDevice),
}

/// The differences between the dances.
pub(crate) trait Rules: Send + Sync {
    /// The response type (RFC 6749, section 3.1.1); `None` for requests without one.
    fn response_type(&self) -> Option<ResponseType> {
        None
    }

    /// The part of OpenID Connect; `None` for other requests.
    fn openid(&self) -> Option<&OpenIdDetails> {
        None
    }

    /// The redirect URI; `None` if the answer is shown to the user.
    fn destination(&self) -> Option<&RedirectUri>;

    /// The expiry of the request, if it has one.
    fn ends(&self) -> Option<Timestamp>;

    /// `true` if the client may still use this dance, with redirect URIs by `rule`, too.
    fn is_open_to(&self, client: &Client, rule: Option<&RedirectRule>) -> bool;

    /// `true` if the answer reaches no one but the client.
    fn is_identity_assured(&self, client: &Client) -> bool;

    /// The secret in the reply: always the same for the same page.
    fn secret(&self, key: &TokenKey, ticket: &TicketId) -> TokenSecret;

    /// The secret in the reply to a request without a page.
    fn secret_without_page(&self, inner: &Inner) -> TokenSecret {
        self.secret(inner.tokens.newest(), &inner.env.random())
    }

    /// The approval, for the store.
    fn approved(
        &self,
        inner: &Inner,
        client: &Client,
        grant: Grant,
        secret: &TokenSecret,
        ticket: TicketUse,
    ) -> Outcome;

    /// The denial, for the store.
    fn denied(&self, ticket: TicketUse) -> Outcome;

    /// The code of an approval in this row, as the client gets it; `None` if it gets none.
    fn code(&self, _: &Inner, _: RowId, _: &TokenSecret) -> Option<Secret> {
        None
    }

    /// The `state` of the request.
    fn state(&self) -> Option<&str> {
        None
    }

    /// The reply after an approval.
    fn reply(
        &self,
        inner: &Inner,
        client: &Client,
        secret: &TokenSecret,
        parts: Parts,
    ) -> Result<Response<Bytes>, Error>;

    /// The reply with an error for the client, or for the user if the client is not
    /// [trusted](super::request::is_trusted).
    fn refusal(
        &self,
        inner: &Inner,
        client: &Client,
        error: AuthorizeError,
        is_trusted: bool,
        session_state: Option<String>,
    ) -> Result<Response<Bytes>, Error>;
}

impl Dance {
    pub(crate) fn rules(&self) -> &dyn Rules {
        match self {
            Self::Redirect(dance) => dance,
            Self::Verifier(dance) => dance,
            Self::Device(dance) => dance,
        }
    }

    /// The device that waits, if one does.
    pub(crate) const fn device(&self) -> Option<&ForDevice> {
        match self {
            Self::Device(dance) => Some(dance),
            Self::Redirect(_) | Self::Verifier(_) => None,
        }
    }

    /// An approval on the page with this ticket.
    pub(crate) fn yes(
        &self,
        inner: &Inner,
        client: &Client,
        grant: Grant,
        key: &TokenKey,
        ticket: TicketUse,
    ) -> Yes<'_> {
        let secret = self.rules().secret(key, &ticket.ticket);
        self.approved(inner, client, grant, secret, ticket)
    }

    /// An approval without a page, so its ticket is never used again.
    pub(crate) fn yes_without_page(&self, inner: &Inner, client: &Client, grant: Grant) -> Yes<'_> {
        let secret = self.rules().secret_without_page(inner);
        let ticket = TicketUse { ticket: inner.env.random(), until: inner.now() };
        self.approved(inner, client, grant, secret, ticket)
    }

    fn approved(
        &self,
        inner: &Inner,
        client: &Client,
        grant: Grant,
        secret: TokenSecret,
        ticket: TicketUse,
    ) -> Yes<'_> {
        let outcome = self.rules().approved(inner, client, grant, &secret, ticket);
        Yes { dance: self, secret, outcome }
    }

    /// The details of the grant of a user who was asked for some scopes and granted some, and who
    /// chose claims by their names.
    pub(crate) fn details(
        &self,
        data: Map<String, Value>,
        asked: &Scopes,
        granted: &Scopes,
        chosen: impl Fn(&str) -> bool,
    ) -> Option<Arc<GrantDetails>> {
        let openid = self.rules().openid().filter(|_| granted.contains(OPENID));
        let openid = openid.map(|openid| openid.granted(asked, granted, chosen));
        GrantDetails::of(data).and_openid(openid)
    }

    /// A denial on the page with this ticket, for the store.
    pub(crate) fn no(&self, ticket: TicketUse, asked: Scopes) -> Answer {
        Answer { outcome: self.rules().denied(ticket), asked, consent: None }
    }

    /// The reply with an error for the client, or for the user. A client of OpenID Connect learns the
    /// state of the browser, if that is known.
    pub(crate) fn refused(
        &self,
        inner: &Inner,
        client: &Client,
        error: AuthorizeError,
        is_trusted: bool,
        browser: Option<BrowserState>,
        facts: Facts<'_>,
    ) -> Result<Response<Bytes>, Error> {
        let reason = error.into();
        refusal::log_of_client(ENDPOINT, &reason, &client.id, facts);
        let browser = browser.filter(|_| self.rules().openid().is_some());
        let state = self.session_state(inner, client, browser.as_ref());
        let mut reply = self.rules().refusal(inner, client, error, is_trusted, state)?;
        BrowserState::leave(browser, &mut reply);
        Ok(reply)
    }

    /// The state of a browser, as the client of this dance knows it.
    fn session_state(
        &self,
        inner: &Inner,
        client: &Client,
        browser: Option<&BrowserState>,
    ) -> Option<String> {
        let origin = self.rules().destination()?.destination();
        browser.map(|browser| browser.at(inner, client, origin))
    }
}

/// An approval: the question to the store, and the reply to its answer.
pub(crate) struct Yes<'d> {
    dance: &'d Dance,
    secret: TokenSecret,
    outcome: Outcome,
}

impl Yes<'_> {
    /// The answer to store.
    pub(crate) fn answer(&self, asked: Scopes, consent: Option<Consent>) -> Answer {
        Answer { outcome: self.outcome.clone(), asked, consent }
    }

    /// Stores an approval without a page: of one with a ticket, the code alone, if it is sent.
    pub(crate) async fn store_without_page(
        &self,
        inner: &Inner,
        issuer: IssuerId,
        asked: Scopes,
    ) -> Result<Answered, Error> {
        match &self.outcome {
            Outcome::Ticket(_, Some(code)) => {
                let sent = self.dance.rules().response_type();
                if sent.is_some_and(ResponseType::has_code) {
                    inner.store.put_code(issuer, code.clone()).await?;
                }
                Ok(Answered::First)
            }
            _ => Ok(inner.store.answer(issuer, self.answer(asked, None)).await?),
        }
    }

    /// The reply, if the store has taken this approval now or before. `headers` are those of the
    /// request, and `from` its address.
    pub(crate) async fn reply(
        &self,
        inner: &Inner,
        (headers, from): (&HeaderMap, Option<RemoteAddress>),
        client: &Arc<Client>,
        answered: &Answered,
    ) -> Result<Response<Bytes>, Error> {
        let facts = Facts { from, ..Facts::default() };
        let rules = self.dance.rules();
        let row = approved_row(answered, &self.outcome, inner.now())?;
        let browser = self.browser(inner, headers);
        let parts = match (rules.response_type(), &self.outcome) {
            (Some(response_type), Outcome::Ticket(_, Some(approved))) => {
                let approved = CodeRecord { row, ..approved.clone() };
                let code = rules.code(inner, row, &self.secret);
                Parts::issue(inner, client, response_type, &approved, code, rules.state()).await
            }
            _ => Ok(Parts::default()),
        };
        match parts {
            Err(Error::Client(ClientError::Token(TokenError::UserRefused))) => {
                self.dance.refused(inner, client, AuthorizeError::UserRefused, true, browser, facts)
            }
            Err(Error::Client(ClientError::Token(TokenError::Gone))) => {
                self.dance.refused(inner, client, AuthorizeError::UserGone, true, browser, facts)
            }
            parts => {
                let session_state = self.dance.session_state(inner, client, browser.as_ref());
                let parts = Parts { session_state, ..parts? };
                let mut reply = rules.reply(inner, client, &self.secret, parts)?;
                BrowserState::leave(browser, &mut reply);
                if let Outcome::Ticket(_, Some(approved)) = &self.outcome {
                    joined::note(inner, headers, client, &approved.grant, &mut reply);
                }
                Ok(reply)
            }
        }
    }

    /// The state of the browser, for a client of OpenID Connect.
    fn browser(&self, inner: &Inner, headers: &HeaderMap) -> Option<BrowserState> {
        self.dance.rules().openid()?;
        let Outcome::Ticket(_, Some(approved)) = &self.outcome else { return None };
        BrowserState::of(inner, headers, approved.grant.authentication.as_deref())
    }
}

/// The grant of an approval.
pub(crate) fn grant(
    id: RowId,
    client: &Client,
    scopes: Scopes,
    resources: Resources,
    authentication: Authentication,
    details: Option<Arc<GrantDetails>>,
) -> Grant {
    Grant {
        id,
        client: client.id.clone(),
        actor: Actor::User(authentication.subject.clone()),
        scopes,
        resources,
        authentication: Some(Arc::new(authentication)),
        details,
    }
}

/// The row of the approval in `said`, stored now, or by an earlier answer that was the same and is
/// not redeemed.
fn approved_row(
    answered: &Answered,
    said: &Outcome,
    now: Timestamp,
) -> Result<RowId, BrowserError> {
    let is_same = |then: &Grant, grant: &Grant| {
        then.scopes == grant.scopes
            && then.resources == grant.resources
            && then.actor == grant.actor
            && then.details == grant.details
    };
    match (answered, said) {
        (Answered::First, Outcome::Ticket(_, Some(code))) => Ok(code.row),
        (Answered::First, Outcome::Pending(row, Some(_))) => Ok(*row),
        (Answered::Code(then), Outcome::Ticket(_, Some(code)))
            if then.hash == code.hash
                && is_same(&then.grant, &code.grant)
                && !then.redeemed
                && now < then.expires =>
        {
            Ok(then.row)
        }
        (Answered::Pending(then), Outcome::Pending(row, Some(approval))) => match &then.state {
            PendingState::Approved(before)
                if before.proof == approval.proof
                    && is_same(&before.grant, &approval.grant)
                    && now < then.expires =>
            {
                Ok(*row)
            }
            _ => Err(BrowserError::TicketAnswered),
        },
        _ => Err(BrowserError::TicketAnswered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::store::{
        Approval, CodeRecord, Identifier, PendingKind, PendingRecord, TemporaryCredentials,
    };
    use proptest::prelude::*;

    fn granted(id: i64, subject: &str, scopes: &str) -> Grant {
        Grant {
            id: RowId(id),
            client: "app".into(),
            actor: Actor::User(subject.into()),
            scopes: Scopes::parse(scopes).unwrap(),
            resources: Resources::EMPTY,
            authentication: None,
            details: None,
        }
    }

    fn code(row: i64, hash: u8, grant: Grant, redeemed: bool) -> CodeRecord {
        CodeRecord {
            row: RowId(row),
            hash: [hash; 32],
            grant,
            redirect_uri: None,
            challenge: None,
            expires: Timestamp::from_seconds(100),
            redeemed,
        }
    }

    fn pending(state: PendingState) -> PendingRecord {
        let secret = [].into();
        PendingRecord {
            row: RowId(7),
            identifier: Identifier::Row([0; 32]),
            user_code: None,
            client: "app".into(),
            scopes: Scopes::EMPTY,
            resources: Resources::EMPTY,
            expires: Timestamp::from_seconds(100),
            state,
            kind: PendingKind::Temporary(TemporaryCredentials { secret, callback: None }),
        }
    }

    proptest! {
        #[test]
        fn a_yes_given_again_is_replied_to_as_the_first_one_was_while_that_is_unspent(
            is_pending: bool, hash in 0..2_u8, subject in prop_oneof![Just("ada"), Just("bob")],
            scopes in prop_oneof![Just("a"), Just("a b")], spent: bool, now in 98..102_i64,
        ) {
            let (before, now_granted) = (granted(1, "ada", "a"), granted(2, subject, scopes));
            let approval = |grant: &Grant, hash: u8| {
                Approval { proof: Some([hash; 32]), grant: grant.clone() }
            };
            let (answered, said, row) = if is_pending {
                let state = match spent {
                    true => PendingState::Redeemed(approval(&before, 0)),
                    false => PendingState::Approved(approval(&before, 0)),
                };
                let said = Outcome::Pending(RowId(7), Some(approval(&now_granted, hash)));
                (Answered::Pending(pending(state).into()), said, RowId(7))
            } else {
                let used = TicketUse { ticket: [0; 16], until: Timestamp::from_seconds(200) };
                let said = Outcome::Ticket(used, Some(code(2, hash, now_granted, false)));
                (Answered::Code(code(1, 0, before, spent).into()), said, RowId(1))
            };
            let is_same = hash == 0 && subject == "ada" && scopes == "a";
            let is_in_time = now < 100;
            let found = approved_row(&answered, &said, Timestamp::from_seconds(now));
            match is_same && !spent && is_in_time {
                true => prop_assert_eq!(found, Ok(row)),
                false => prop_assert_eq!(found, Err(BrowserError::TicketAnswered)),
            }
            let now = Timestamp::from_seconds(now);
            for other in [Answered::Spent, Answered::Denied] {
                prop_assert!(approved_row(&other, &said, now).is_err());
            }
            let first = approved_row(&Answered::First, &said, now).unwrap();
            prop_assert_eq!(first, if is_pending { RowId(7) } else { RowId(2) });
        }
    }
}
