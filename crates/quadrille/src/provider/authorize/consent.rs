//! The answer to a consent page.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    RemoteAddress, Scopes,
    actor::Authentication,
    form::Params,
    oauth2::{RequestError, Resources},
    provider::{
        client::{
            document::{admission, metadata::NOT_STORED},
            record::Client,
            redirect_uri::matching::RedirectRule,
        },
        error::{ClientError, Error},
        meter,
        openid::{logout::joined, session_management::browser_state::BrowserState},
        paths::EndpointPath,
        refusal::{self, Facts},
        route::Route,
        scopes::FORM,
        server::{AuthorizationServer, Inner},
        store::{Answered, Consent, IssuerId},
        subject,
        token::planned::{ReservedMember, check_member},
        wire::{Methods, Reply},
    },
};

use super::{
    back::Back,
    dance,
    error::{AuthorizeError, BrowserError},
    form_fields, request,
    ticket::{NotOpened, Ticket},
};

/// The name of the hidden field.
pub(crate) const TICKET: &str = "ticket";

/// The endpoint for the form of the consent page, which is the application's.
pub(crate) static CONSENT: Route = Route::new("consent", EndpointPath::CONSENT, Methods::POST);

/// A user's answer to a consent page, with the page's own fields in `form`.
///
/// With the feature `axum` it is an extractor; elsewhere [`AuthorizationServer::answer`] returns
/// it. It reaches a handler only with a genuine, unexpired ticket, in the browser that got the
/// ticket. Name the user ([`by`](Self::by)), then the answer.
///
/// It reads the body, so it must be the last argument of its handler; `#[axum::debug_handler]`
/// makes the compiler's message about other orders clear. The page's own fields implement
/// `Deserialize`; a page without any has `Decision<()>`.
///
/// ```
/// # use quadrille::{Authentication, provider::{Decision, Reply}};
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
pub struct Decision<F: DeserializeOwned> {
    /// The fields of the page.
    pub form: F,
    inner: Arc<Inner>,
    ticket: Ticket,
    cookies: HeaderMap,
    from: Option<RemoteAddress>,
}

impl AuthorizationServer {
    /// The consent endpoint: reads the form of a consent page.
    ///
    /// # Errors
    /// A page for the user, with the reason.
    pub fn answer<F: DeserializeOwned>(
        &self,
        request: &Request<Bytes>,
    ) -> Result<Decision<F>, Reply> {
        let inner = self.inner();
        read(inner, request).map_err(|Unread { error, again }| {
            meter::page(CONSENT.name, meter::label(&error.code()));
            refusal::log_unread(CONSENT.name, &error, request);
            inner.pages.show_again(&error, again.as_deref()).into()
        })
    }
}

/// The reason why an answer is not read, and the request that can begin again, if there is one.
struct Unread {
    error: Error,
    again: Option<Box<str>>,
}

impl<E: Into<Error>> From<E> for Unread {
    fn from(error: E) -> Self {
        Self { error: error.into(), again: None }
    }
}

impl From<NotOpened> for Unread {
    fn from(NotOpened { error, again }: NotOpened) -> Self {
        Self { error: error.into(), again }
    }
}

fn read<F: DeserializeOwned>(
    inner: &Arc<Inner>,
    request: &Request<Bytes>,
) -> Result<Decision<F>, Unread> {
    CONSENT.admit(request)?;
    let params = Params::of_body_within(request, FORM);
    let params = params.map_err(|error| ClientError::Request(error.into()))?;
    let ticket = params.one(TICKET).ok().flatten().ok_or(BrowserError::TicketMissing)?;
    let headers = request.headers();
    let ticket =
        Ticket::open(ticket, &inner.ring, &inner.issuer, headers, &inner.policy, inner.now())?;
    let form = form_fields::read(&params).map_err(|error| {
        tracing::debug!(%error, "the fields of the consent form");
        Unread { error: BrowserError::FormFields.into(), again: ticket.again.clone() }
    })?;
    let cookies = joined::cookies(headers);
    let from = RemoteAddress::of(request.extensions());
    Ok(Decision { form, inner: inner.clone(), ticket, cookies, from })
}

impl<F: DeserializeOwned> Decision<F> {
    /// Names the signed-in user, who must be the user of the page.
    pub fn by(&self, authentication: Authentication) -> By<'_> {
        By {
            inner: &self.inner,
            ticket: &self.ticket,
            cookies: &self.cookies,
            from: self.from,
            authentication,
            data: Map::new(),
            claims: Vec::new(),
        }
    }

    /// The requested scopes.
    pub fn scopes(&self) -> &Scopes {
        &self.ticket.scopes
    }

    /// The requested APIs (RFC 8707); empty for the server's own.
    pub fn resources(&self) -> &Resources {
        &self.ticket.resources
    }

    /// The authentication context classes of which the user's authentication must be one, as
    /// [`Authorization::acr_values`](super::authorization::Authorization::acr_values) had them. An
    /// authentication that is of several names the first of these.
    pub fn acr_values(&self) -> impl Iterator<Item = &str> {
        self.ticket.acr_values.iter().map(|acr| &**acr)
    }

    /// The `client_id`.
    pub fn client(&self) -> &str {
        &self.ticket.client
    }

    /// The address of the same request at this server, for a user who has signed out while the page was
    /// open: where to go after a new sign-in. `None` if the request cannot begin again.
    ///
    /// ```
    /// use quadrille::provider::Decision;
    ///
    /// fn sign_in(decision: &Decision<()>) -> String {
    ///     let back = decision.again().map_or_else(|| "/".to_owned(), |back| back.to_string());
    ///     format!("/sign-in?next={back}")
    /// }
    /// ```
    pub fn again(&self) -> Option<Back> {
        self.ticket.again.as_deref().map(Back::at)
    }
}

impl<F: DeserializeOwned + fmt::Debug> fmt::Debug for Decision<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("form", &self.form)
            .field("client", &self.ticket.client)
            .finish_non_exhaustive()
    }
}

/// The user's answer, to be chosen.
///
/// The same answer given twice, as by a double click, gets the same redirect while its code is not
/// redeemed; a different one gets a page that says so, and so does a further one to a request for an
/// access token in the redirect.
///
/// ```
/// use quadrille::provider::{By, Reply};
///
/// async fn decide(answer: By<'_>, scopes: &[String]) -> Reply {
///     if scopes.is_empty() { answer.deny().await } else { answer.only(scopes).await }
/// }
/// ```
#[must_use = "say .all(), .only(..) or .deny()"]
pub struct By<'a> {
    inner: &'a Inner,
    ticket: &'a Ticket,
    cookies: &'a HeaderMap,
    from: Option<RemoteAddress>,
    authentication: Authentication,
    data: Map<String, Value>,
    claims: Vec<Box<str>>,
}

impl By<'_> {
    /// Adds the application's own data to the grant: which album the user chose, for example.
    /// Refreshed tokens keep it; [`Access::data`](crate::guard::Access::data) has it at the API,
    /// and introspection responses and JWT access tokens as a member of this name. It is remembered
    /// with the consent: later grants without a page have it, and
    /// [`ConsentPage::data`](super::consent_page::ConsentPage::data) has it for the next page.
    ///
    /// ```
    /// use quadrille::provider::{By, Reply, ReservedMember};
    ///
    /// async fn allow(by: By<'_>, album: u64) -> Result<Reply, ReservedMember> {
    ///     Ok(by.data("album", album)?.all().await)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ReservedMember`] for a name that introspection responses have already.
    pub fn data(mut self, name: &str, value: impl Into<Value>) -> Result<Self, ReservedMember> {
        check_member(name)?;
        self.data.insert(name.to_owned(), value.into());
        Ok(self)
    }

    /// Grants claims that the client requests by name, beside the scopes: those of
    /// [`ConsentPage::claims`](super::consent_page::ConsentPage::claims) that the user agreed to.
    /// Others are not given (OpenID Connect Core, section 5.5).
    ///
    /// ```
    /// use quadrille::provider::{By, Reply};
    ///
    /// async fn allow(by: By<'_>, ticked: &[String]) -> Reply {
    ///     by.claims(ticked).all().await
    /// }
    /// ```
    pub fn claims<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        self.claims = names.iter().map(|name| name.as_ref().into()).collect();
        self
    }

    /// Grants all requested scopes.
    pub async fn all(self) -> Reply {
        let scopes = self.ticket.scopes.clone();
        self.reply(Some(scopes)).await
    }

    /// Grants those of `scopes` that were requested. If there are none, denies as
    /// [`deny`](Self::deny) does, unless no scope was requested.
    pub async fn only<S: AsRef<str>>(self, scopes: &[S]) -> Reply {
        let chosen = |name: &&str| scopes.iter().any(|scope| scope.as_ref() == *name);
        let granted: Scopes = self.ticket.scopes.iter().filter(chosen).collect();
        let is_no = granted.is_empty() && !self.ticket.scopes.is_empty();
        self.reply((!is_no).then_some(granted)).await
    }

    /// Denies the request, which redirects to the client. For a client that describes itself and
    /// that the user has never consented to, it shows a page with a link instead (RFC 9700, section
    /// 4.11.2).
    pub async fn deny(self) -> Reply {
        self.reply(None).await
    }

    async fn reply(self, granted: Option<Scopes>) -> Reply {
        let (inner, ticket, facts) = (self.inner, self.ticket, self.facts());
        let given = if granted.is_some() { "ok" } else { "access_denied" };
        let answer = match granted {
            Some(scopes) => self.approve(scopes).await,
            None => self.refuse().await,
        };
        let outcome = answer.as_ref().map_or_else(|error| meter::label(&error.code()), |_| given);
        meter::page(CONSENT.name, outcome);
        let shown = answer.unwrap_or_else(|error| {
            refusal::log_of_client(CONSENT.name, &error, &ticket.client, facts);
            let again = ticket.again.as_deref().filter(|_| matches!(error, Error::Browser(_)));
            inner.pages.show_again(&error, again)
        });
        shown.into()
    }

    async fn approve(self, scopes: Scopes) -> Result<Response<Bytes>, Error> {
        let By { inner, ticket, cookies, from, authentication, data, claims } = &self;
        let issuer = inner.issuer_id().await?;
        let client = self.client().await?;
        let is_offered = |response_type| inner.response_types().contains(&response_type);
        if !ticket.dance.rules().response_type().is_none_or(is_offered) {
            return Err(ClientError::from(RequestError::UnsupportedResponseType).into());
        }
        if inner.resources.narrowed(&ticket.resources).is_none() {
            return Err(AuthorizeError::ResourceUnknown.into());
        }
        if !inner.scopes.known().is_superset(&scopes) {
            return Err(AuthorizeError::ScopeNotAllowed.into());
        }
        self.check_granted(issuer, &client, &scopes).await?;
        let key = inner.tokens.find(ticket.key).ok_or(BrowserError::TicketUnderUnknownKey)?;
        let client = admission::let_in(inner, client).await?;
        let consent = Consent {
            subject: authentication.subject.clone(),
            client: client.id.clone(),
            resources: ticket.resources.clone(),
            scopes: scopes.clone(),
            given: inner.now(),
            data: data.clone(),
        };
        let (resources, who) = (ticket.resources.clone(), authentication.clone());
        let chosen = |name: &str| claims.iter().any(|chosen| **chosen == *name);
        let details = ticket.dance.details(data.clone(), &ticket.scopes, &scopes, chosen);
        let Some(number) = subject::number_of_grant(inner, &client, authentication).await? else {
            let gone = AuthorizeError::UserGone;
            let browser = self.browser();
            return ticket.dance.refused(inner, &client, gone, true, browser, self.facts());
        };
        let grant = dance::grant(number, &client, scopes, resources, who, details);
        let yes = ticket.dance.yes(inner, &client, grant, key, ticket.use_up());
        let answer = yes.answer(ticket.scopes.clone(), Some(consent));
        let answered = inner.store.answer(issuer, answer).await?;
        if answered == Answered::First {
            tracing::info!(client = %client.id, grant = number.0, "consent given");
        }
        yes.reply(inner, (cookies, *from), &client, &answered).await
    }

    /// The scopes that the page showed as granted before must still be: the user had no box for
    /// them, and may have withdrawn them since.
    async fn check_granted(
        &self,
        issuer: IssuerId,
        client: &Client,
        scopes: &Scopes,
    ) -> Result<(), Error> {
        let By { inner, ticket, authentication, .. } = self;
        let shown = ticket.granted.intersection(scopes);
        if shown.is_empty() {
            return Ok(());
        }
        let (who, resources) = (&authentication.subject, &ticket.resources);
        let consent = inner.store.consent(issuer, who, &client.id, resources).await?;
        let granted = consent.map(|consent| consent.scopes).unwrap_or_else(Scopes::default);
        match inner.policy.scope_tree.expand(&granted).is_superset(&shown) {
            true => Ok(()),
            false => Err(BrowserError::ConsentWithdrawn.into()),
        }
    }

    async fn refuse(self) -> Result<Response<Bytes>, Error> {
        let By { inner, ticket, .. } = &self;
        let issuer = inner.issuer_id().await?;
        let client = self.client().await?;
        let who = &self.authentication.subject;
        let is_unknown = client.from_document || client.is_of_a_stranger();
        let consent = match is_unknown && client.number != NOT_STORED {
            true => inner.store.consent(issuer, who, &client.id, &ticket.resources).await?,
            false => None,
        };
        let is_trusted = request::is_trusted(&client, consent.as_ref());
        let no = ticket.dance.no(ticket.use_up(), ticket.scopes.clone());
        match inner.store.answer(issuer, no).await? {
            Answered::First | Answered::Denied => {
                let (denied, browser) = (AuthorizeError::Denied, self.browser());
                ticket.dance.refused(inner, &client, denied, is_trusted, browser, self.facts())
            }
            Answered::Code(_) | Answered::Pending(_) | Answered::Spent => {
                Err(BrowserError::TicketAnswered.into())
            }
        }
    }

    /// What the log has of the answer, beside its client.
    fn facts(&self) -> Facts<'static> {
        Facts { from: self.from, ..Facts::default() }
    }

    /// The state of the browser.
    fn browser(&self) -> Option<BrowserState> {
        BrowserState::of(self.inner, self.cookies, Some(&self.authentication))
    }

    /// The client, if it has not changed since the page was shown, and the user is the page's.
    async fn client(&self) -> Result<Arc<Client>, Error> {
        let By { inner, ticket, authentication, .. } = self;
        if !ticket.is_for(authentication) {
            return Err(BrowserError::TicketOfOtherUser.into());
        }
        if !inner.store.uses_known_since().await?.knows(ticket.made()) {
            return Err(BrowserError::TicketBeforeRestore.into());
        }
        let client = admission::client_that_asks(inner, &ticket.client, None).await?;
        client
            .filter(|client| is_unchanged(client, ticket, inner.redirect_rule.as_deref()))
            .ok_or(BrowserError::ClientChanged.into())
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

/// `true` if the request may still be granted.
fn is_unchanged(client: &Client, ticket: &Ticket, rule: Option<&RedirectRule>) -> bool {
    let is_same = client.number == ticket.number
        // Another user has consented to it since.
        || client.from_document && ticket.number == NOT_STORED;
    is_same
        && ticket.dance.rules().is_open_to(client, rule)
        && client.scopes.is_superset(&ticket.scopes)
}
