//! The answer to a consent page.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response};
use serde::de::DeserializeOwned;

use crate::{
    Scopes,
    oauth2::{Resources, form::Params},
};

use super::{
    Authentication, AuthorizationServer, Client,
    authorization::Approval,
    error::{BrowserError, ClientError, Error},
    form_fields, redirect,
    request::ToClient,
    server::Inner,
    store::{Answer, Answered, CodeRecord, Consent, Outcome, RowId},
    ticket::Ticket,
    token::{TokenKind, TokenSecret},
    wire::{self, Reply},
};

/// The name of the hidden field.
pub(crate) const TICKET: &str = "ticket";

/// A person's answer to a consent page, with the page's own fields in `form`.
///
/// With the feature `axum` it is an extractor; elsewhere [`AuthorizationServer::answer`] makes it.
/// It reaches a handler only with a genuine ticket, in the browser that it was given to, in time.
/// Say who answers ([`by`](Self::by)), then what.
///
/// ```
/// # use quadrille::provider::{Authentication, Decision, Reply};
/// #[derive(serde::Deserialize)]
/// struct ConsentForm {
///     #[serde(default)]
///     scope: Vec<String>,      // check boxes, one for each scope
///     decision: String,        // the button
/// }
///
/// async fn answer(user: Authentication, decision: Decision<ConsentForm>) -> Reply {
///     match decision.form.decision.as_str() {
///         "allow" => decision.by(user).only(&decision.form.scope).await,
///         _ => decision.by(user).deny().await,
///     }
/// }
/// ```
pub struct Decision<F> {
    /// The fields of the page.
    pub form: F,
    inner: Arc<Inner>,
    ticket: Ticket,
}

impl AuthorizationServer {
    /// The consent endpoint: reads the form that a consent page sends. What cannot be taken comes
    /// back as the page to show.
    ///
    /// # Errors
    /// A page that says why.
    pub fn answer<F: DeserializeOwned>(
        &self,
        request: &Request<Bytes>,
    ) -> Result<Decision<F>, Reply> {
        let inner = self.inner();
        read(inner, request).map_err(|error| inner.pages.show(&error).into())
    }
}

fn read<F: DeserializeOwned>(
    inner: &Arc<Inner>,
    request: &Request<Bytes>,
) -> Result<Decision<F>, Error> {
    wire::admit(request, &[Method::POST], "POST")?;
    let params = Params::of_body(request).map_err(|error| ClientError::Request(error.into()))?;
    let ticket = params.one(TICKET).ok().flatten().ok_or(BrowserError::TicketMissing)?;
    let headers = request.headers();
    let ticket = Ticket::open(ticket, &inner.ring, &inner.issuer, headers, inner.now())?;
    let form = form_fields::read(&params).map_err(|error| {
        tracing::debug!(%error, "the fields of the consent form");
        BrowserError::FormFields
    })?;
    Ok(Decision { form, inner: inner.clone(), ticket })
}

impl<F> Decision<F> {
    /// Who answers: the person who is signed in now, who must be the one who was asked.
    pub fn by(&self, authentication: Authentication) -> By<'_> {
        By { inner: &self.inner, ticket: &self.ticket, authentication }
    }

    /// What was asked for.
    pub fn scopes(&self) -> &Scopes {
        &self.ticket.scopes
    }

    /// At which APIs; at the server's own where there is none (RFC 8707).
    pub fn resources(&self) -> &Resources {
        &self.ticket.resources
    }

    /// The `client_id` of who asked.
    pub fn client(&self) -> &str {
        &self.ticket.client
    }
}

impl<F: fmt::Debug> fmt::Debug for Decision<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("form", &self.form)
            .field("client", &self.ticket.client)
            .finish_non_exhaustive()
    }
}

/// A person who is about to answer.
///
/// The same answer given twice, as by a double click, gets the same redirect for as long as its code
/// is unspent; a different one is told that the page was answered before.
#[must_use = "say .all(), .only(..) or .deny()"]
pub struct By<'a> {
    inner: &'a Inner,
    ticket: &'a Ticket,
    authentication: Authentication,
}

impl By<'_> {
    /// Grants all that was asked for.
    pub async fn all(self) -> Reply {
        let scopes = self.ticket.scopes.clone();
        self.reply(Some(scopes)).await
    }

    /// Grants those of `scopes` that were asked for. None of them is a no, as with
    /// [`deny`](Self::deny), unless nothing was asked for.
    pub async fn only<S: AsRef<str>>(self, scopes: &[S]) -> Reply {
        let chosen = |name: &&str| scopes.iter().any(|scope| scope.as_ref() == *name);
        let granted: Scopes = self.ticket.scopes.iter().filter(chosen).collect();
        let is_no = granted.is_empty() && !self.ticket.scopes.is_empty();
        self.reply((!is_no).then_some(granted)).await
    }

    /// Says no. The client is told.
    pub async fn deny(self) -> Reply {
        self.reply(None).await
    }

    async fn reply(self, granted: Option<Scopes>) -> Reply {
        let inner = self.inner;
        let answer = match granted {
            Some(scopes) => self.approve(scopes).await,
            None => self.refuse().await,
        };
        answer.unwrap_or_else(|error| inner.pages.show(&error)).into()
    }

    async fn approve(self, scopes: Scopes) -> Result<Response<Bytes>, Error> {
        let By { inner, ticket, authentication } = &self;
        let issuer = inner.issuer_id().await?;
        let client = self.client().await?;
        if inner.resources.narrowed(&ticket.resources).is_none() {
            return Err(ClientError::ResourceUnknown.into());
        }
        let secret = inner
            .tokens
            .code_secret(ticket.key, &ticket.id)
            .ok_or(BrowserError::TicketUnderUnknownKey)?;
        let consent = Consent {
            subject: authentication.subject.clone(),
            client: client.id.clone(),
            resources: ticket.resources.clone(),
            scopes: scopes.clone(),
            given: inner.now(),
        };
        let code = Approval {
            client: &client,
            redirect_uri: ticket.redirect_uri_sent.then(|| ticket.redirect_uri.clone()),
            challenge: ticket.challenge.clone(),
            scopes,
            resources: ticket.resources.clone(),
            authentication: authentication.clone(),
        }
        .code(inner, inner.row().await?, &secret);
        let answer = Answer {
            ticket: ticket.id,
            expires: ticket.expires,
            outcome: Outcome::Code(code.clone()),
            asked: ticket.scopes.clone(),
            consent: Some(consent),
        };
        let row = match (inner.store.answer(issuer, answer).await?, &code) {
            (Answered::First, code) => {
                tracing::info!(client = %client.id, grant = code.grant.id.0, "consent given");
                code.row
            }
            (Answered::Approved(then), code) => same_code(&then, code, inner.now())?,
            (Answered::Verified(_) | Answered::Spent | Answered::Denied, _) => {
                return Err(BrowserError::TicketAnswered.into());
            }
        };
        self.redirect(row, &secret)
    }

    async fn refuse(self) -> Result<Response<Bytes>, Error> {
        let By { inner, ticket, .. } = &self;
        let issuer = inner.issuer_id().await?;
        self.client().await?;
        let answer = Answer {
            ticket: ticket.id,
            expires: ticket.expires,
            outcome: Outcome::Denied,
            asked: ticket.scopes.clone(),
            consent: None,
        };
        match inner.store.answer(issuer, answer).await? {
            Answered::First | Answered::Denied => {}
            Answered::Approved(_) | Answered::Verified(_) | Answered::Spent => {
                return Err(BrowserError::TicketAnswered.into());
            }
        }
        let to = ToClient {
            error: ClientError::Denied,
            redirect_uri: ticket.redirect_uri.clone(),
            state: ticket.state.clone(),
        };
        wire::redirect_error(&to, inner.issuer.as_str())
    }

    /// The client, if it is still what it was when the page was shown, and the person is the one
    /// who was asked.
    async fn client(&self) -> Result<Arc<Client>, Error> {
        let By { inner, ticket, authentication } = self;
        if !ticket.is_for(authentication) {
            return Err(BrowserError::TicketOfOtherUser.into());
        }
        let client = inner.store.client(inner.issuer_id().await?, &ticket.client).await?;
        client
            .filter(|client| is_unchanged(client, ticket))
            .ok_or(BrowserError::ClientChanged.into())
    }

    fn redirect(&self, row: RowId, secret: &TokenSecret) -> Result<Response<Bytes>, Error> {
        let By { inner, ticket, .. } = self;
        let code = inner.tokens.write(TokenKind::Code, row, secret);
        let (uri, state) = (&ticket.redirect_uri, ticket.state.as_deref());
        wire::redirect_code(uri, code.as_str(), state, inner.issuer.as_str())
    }
}

impl fmt::Debug for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("By")
            .field("subject", &self.authentication.subject)
            .field("client", &self.ticket.client)
            .finish_non_exhaustive()
    }
}

/// The row of the code of an earlier answer, if that said the same as this one and its code is
/// unspent.
fn same_code(
    then: &CodeRecord,
    now_given: &CodeRecord,
    now: crate::Timestamp,
) -> Result<RowId, BrowserError> {
    let is_same = then.hash == now_given.hash
        && then.grant.scopes == now_given.grant.scopes
        && then.grant.actor == now_given.grant.actor;
    if is_same && !then.redeemed && now < then.expires {
        Ok(then.row)
    } else {
        Err(BrowserError::TicketAnswered)
    }
}

/// Whether what was asked may still be granted.
fn is_unchanged(client: &Client, ticket: &Ticket) -> bool {
    client.number == ticket.number
        && redirect::is_registered(&client.redirect_uris, &ticket.redirect_uri)
        && client.scopes.is_superset(&ticket.scopes)
}
