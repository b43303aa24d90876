//! The authorization endpoint: a request that was checked, and the steps it takes to an answer.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};

use crate::{
    RemoteAddress, Scopes, Timestamp,
    actor::Authentication,
    form::{FormError, FormWriter, Params},
    oauth2::Resources,
    page, probe,
    provider::{
        client::{
            document::{self, NOT_STORED, host_of},
            record::{Client, GrantType},
        },
        error::{ClientError, Error},
        oauth1, refusal,
        scopes::ScopeInfo,
        server::{AuthorizationServer, Inner},
        store::{Answered, TicketUse},
        wire::{self, Reply},
    },
};

use super::{
    dance,
    request::{self, Asked, Next, ToClient, Unasked},
    ticket::Ticket,
};

/// Marks the way back from the sign-in page: when the person was sent there.
const SINCE: &str = "quadrille_since";

/// What it is called in the log.
pub(crate) const ENDPOINT: &str = "authorization";

/// An authorization request after client, redirect URI, scopes and PKCE were checked (RFC 6749,
/// section 4.1.1), or one for temporary credentials of OAuth 1.0a (RFC 5849, section 2.2). A handler
/// need not know which.
///
/// With the feature `axum` it is an extractor, which answers bad requests itself; elsewhere
/// [`AuthorizationServer::authorize`] makes it. Ask [`step`](Self::step) what to do with it.
pub struct Authorization {
    inner: Arc<Inner>,
    asked: Asked,
    request: Request<Bytes>,
    since: Option<Timestamp>,
}

/// What to do with an authorization request.
#[derive(Debug)]
pub enum Step {
    /// Have the person sign in, and send them to this address of the authorization endpoint when
    /// they have.
    SignIn(Back),
    /// Show a page that asks for consent.
    Consent(Box<ConsentPage>),
    /// Answer with this: consent was given before, the client is one of one's own, or the client is
    /// told of an error.
    Done(Reply),
}

impl AuthorizationServer {
    /// The authorization endpoint: reads and checks a request, by GET with a query or by POST with
    /// a form. What must not be asked comes back as the answer to give. So does the answer to a
    /// HEAD request (204) and to a browser that reads ahead (`Sec-Purpose: prefetch`, 503): nobody
    /// is there to grant anything.
    ///
    /// # Errors
    /// The answer: a page when client or redirect URI are wrong, else a redirect that tells the
    /// client.
    pub async fn authorize(&self, request: Request<Bytes>) -> Result<Authorization, Reply> {
        let inner = self.inner();
        let said = request.clone();
        let log = |error: &Error| refusal::log(ENDPOINT, error, &said);
        match read(inner, request).await {
            Ok(authorization) => Ok(authorization),
            Err(Failed::Page(error)) => {
                log(&error);
                Err(inner.pages.show(&error).into())
            }
            Err(Failed::Redirect(to)) => {
                log(&to.error.into());
                Err(tell(inner, &to))
            }
            Err(Failed::Warn(to)) => {
                log(&to.error.into());
                Err(warn(inner, &to))
            }
            Err(Failed::Probed(response)) => Err(response.into()),
        }
    }
}

enum Failed {
    Page(Error),
    Redirect(ToClient),
    Warn(ToClient),
    Probed(Response<Bytes>),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Page(error)
    }
}

impl From<Unasked> for Failed {
    fn from(unasked: Unasked) -> Self {
        match unasked {
            Unasked::Page(error) => Self::Page(error.into()),
            Unasked::Redirect(to) => Self::Redirect(to),
            Unasked::Warn(to) => Self::Warn(to),
        }
    }
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        Self::Page(error.into())
    }
}

async fn read(inner: &Arc<Inner>, request: Request<Bytes>) -> Result<Authorization, Failed> {
    wire::admit(&request, &[Method::GET, Method::HEAD, Method::POST], "GET, HEAD, POST")?;
    if let Some(response) = probe::probed(request.method(), request.headers()) {
        return Err(Failed::Probed(response));
    }
    let params = parameters(&request).map_err(|error| ClientError::Request(error.into()))?;
    let asked = if inner.oauth1.is_offered() && params.many("oauth_token").next().is_some() {
        oauth1::authorize::asked(inner, &params).await?
    } else {
        let id = request::client_id(&params)?;
        let from = request.extensions().get::<RemoteAddress>().copied();
        let client = document::client_that_asks(inner, id, from).await?;
        let offered = inner.grant_types.contains(&GrantType::AuthorizationCode);
        request::check(
            &params,
            client,
            offered,
            inner.scopes.known(),
            &inner.resources,
            &inner.policy,
        )?
    };
    let since = params.many(SINCE).next().and_then(|sealed| open_since(inner, sealed));
    drop(params);
    Ok(Authorization { inner: inner.clone(), asked, request, since })
}

fn parameters(request: &Request<Bytes>) -> Result<Params<'_>, FormError> {
    if request.method() == Method::POST {
        Params::of_body(request)
    } else {
        Params::of_query(request)
    }
}

impl Authorization {
    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.asked.client
    }

    /// What they ask for.
    pub fn scopes(&self) -> &Scopes {
        &self.asked.scopes
    }

    /// At which APIs they want to do it; at the server's own where there is none (RFC 8707).
    pub fn resources(&self) -> &Resources {
        &self.asked.resources
    }

    /// What to do next, for the person who is signed in, if somebody is.
    pub async fn step(self, authentication: Option<Authentication>) -> Step {
        match self.decide(authentication).await {
            Ok(step) => step,
            Err(error) => {
                refusal::log_of_client(ENDPOINT, &error, &self.asked.client.id);
                Step::Done(self.inner.pages.show(&error).into())
            }
        }
    }

    async fn decide(&self, authentication: Option<Authentication>) -> Result<Step, Error> {
        let (inner, asked) = (&self.inner, &self.asked);
        let consent = match &authentication {
            // What was consented to before such a client was removed does not count.
            Some(_) if asked.client.from_document && asked.client.number == NOT_STORED => None,
            Some(authentication) if !asked.client.first_party => {
                let issuer = inner.issuer_id().await?;
                let (subject, client) = (&authentication.subject, &asked.client.id);
                inner.store.consent(issuer, subject, client, &asked.resources).await?
            }
            _ => None,
        };
        let next = request::next(asked, authentication.as_ref(), consent.as_ref(), self.since);
        match (next, authentication) {
            (Next::Refuse(error), _) => Ok(self.refuse(error, true)),
            (Next::Warn(error), _) => Ok(self.refuse(error, false)),
            (Next::SignIn, _) | (_, None) => Ok(Step::SignIn(self.back())),
            (Next::Ask, Some(authentication)) => self.ask(&authentication),
            (Next::Grant, Some(authentication)) => self.grant(authentication).await,
        }
    }

    /// The same request by GET, whatever it was before.
    fn back(&self) -> Back {
        let mut url = FormWriter::after_url(&self.inner.paths.authorize);
        // They could be read before.
        let params = parameters(&self.request).unwrap_or_default();
        for (name, value) in params.iter().filter(|(name, _)| *name != SINCE) {
            url.append(name, value);
        }
        if self.asked.prompt.sign_in {
            url.append(SINCE, &seal_since(&self.inner));
        }
        Back(url.finish())
    }

    fn ask(&self, authentication: &Authentication) -> Result<Step, Error> {
        let (inner, now) = (&self.inner, self.inner.now());
        let expires = now + inner.policy.ticket_lifetime;
        let key = inner.tokens.newest().id();
        let ticket = Ticket::new(&inner.env, key, &self.asked, authentication, expires);
        let destination = self.asked.dance.rules().destination();
        let page = ConsentPage {
            client: self.asked.client.clone(),
            client_host: host_of(&self.asked.client),
            scopes: inner.scopes.describe(&self.asked.scopes),
            resources: self.asked.resources.clone(),
            subject: authentication.subject.clone(),
            action: inner.paths.consent.clone(),
            destination: destination.map(|uri| uri.destination().to_owned()),
            back: self.back(),
            ticket: ticket.seal(&inner.env, &inner.ring, &inner.issuer)?,
            cookies: ticket.cookies(&inner.issuer, self.request.headers(), now),
        };
        if let Some(slot) = self.request.extensions().get::<Slot>() {
            slot.fill(page.headers());
        }
        Ok(Step::Consent(Box::new(page)))
    }

    async fn grant(&self, authentication: Authentication) -> Result<Step, Error> {
        let (inner, asked) = (&self.inner, &self.asked);
        let issuer = inner.issuer_id().await?;
        let (scopes, resources) = (asked.scopes.clone(), asked.resources.clone());
        let client = document::let_in(inner, asked.client.clone()).await?;
        let grant =
            dance::grant(inner.newer_row().await?, &client, scopes, resources, authentication);
        let number = grant.id;
        // A page that does not exist: its ticket is never used again.
        let ticket = TicketUse { ticket: inner.env.random(), until: inner.now() };
        let yes = asked.dance.yes(inner, grant, inner.tokens.newest(), ticket);
        let answered = match yes.code() {
            Some(code) => {
                inner.store.put_code(issuer, code.clone()).await?;
                Answered::First
            }
            None => inner.store.answer(issuer, yes.answer(asked.scopes.clone(), None)).await?,
        };
        let reply = yes.reply(inner, &client, &answered)?;
        tracing::info!(client = %client.id, grant = number.0, "granted without asking");
        Ok(Step::Done(reply.into()))
    }

    fn refuse(&self, error: ClientError, is_trusted: bool) -> Step {
        let (inner, client) = (&self.inner, &self.asked.client);
        let told = self.asked.dance.refused(inner, client, error, is_trusted);
        Step::Done(told.unwrap_or_else(|error| inner.pages.show(&error)).into())
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("client", &self.asked.client.id)
            .field("scopes", &self.asked.scopes)
            .finish_non_exhaustive()
    }
}

/// The address to which the sign-in page sends the person when they have signed in: path and query
/// of the authorization endpoint. It is displayed encoded, fit to stand as a value in a query.
///
/// ```
/// # use quadrille::provider::Back;
/// fn sign_in(back: &Back) -> String {
///     format!("/sign-in?next={back}")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back(String);

impl Back {
    /// Path and query, as they are.
    pub fn path_and_query(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = FormWriter::new();
        encoded.append("", &self.0);
        f.write_str(encoded.finish().trim_start_matches('='))
    }
}

/// What a consent page shows, and what its form must hold.
///
/// The form is sent by POST to [`action`](Self::action), with the hidden
/// [`form_fields`](Self::form_fields) and whatever fields the page has of its own. The layer of the
/// server sets the [`headers`](Self::headers) that the page needs; without it, set them yourself.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConsentPage {
    /// Who asks.
    pub client: Arc<Client>,
    /// The host that vouches for a client which nobody registered
    /// ([`ClientMetadataDocuments`](crate::provider::ClientMetadataDocuments)). Show it: the client's name is
    /// only what it calls itself.
    pub client_host: Option<String>,
    /// For what.
    pub scopes: Vec<ScopeInfo>,
    /// At which APIs (RFC 8707); at the server's own where there is none.
    pub resources: Resources,
    /// Whom.
    pub subject: Arc<str>,
    /// Where the form is sent.
    pub action: Arc<str>,
    /// Where the answer leads: the origin of the application, or the scheme that is its own. `None`
    /// where it leads nowhere, because a code is shown which the person types in at the application
    /// (RFC 5849, section 2.1: `oob`).
    pub destination: Option<String>,
    /// Where the sign-in page sends whoever signs in as somebody else: to this request again.
    pub back: Back,
    ticket: String,
    cookies: Vec<HeaderValue>,
}

impl ConsentPage {
    /// The hidden fields: names and values.
    pub fn form_fields(&self) -> Vec<(&'static str, &str)> {
        vec![(super::consent::TICKET, &self.ticket)]
    }

    /// A strict policy for the page: styles and images from this site, nothing else.
    ///
    /// It has no `form-action`. Browsers apply that to every redirect that follows a form, also to
    /// those by which the application leads on, to another origin or into an app, and none of them
    /// is known here: the code would be spent, and the person would not get there. Leave it out of a
    /// policy of your own, on this page and on a sign-in page that leads to it.
    pub const CONTENT_SECURITY_POLICY: &'static str = "default-src 'none'; style-src 'self'; \
         img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

    /// The cookie that binds the form to this browser, the policy above, and what else keeps a page
    /// harmless.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        page::protect(&mut headers);
        let policy = HeaderValue::from_static(Self::CONTENT_SECURITY_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        for cookie in &self.cookies {
            headers.append(header::SET_COOKIE, cookie.clone());
        }
        headers
    }
}

impl fmt::Debug for ConsentPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentPage")
            .field("client", &self.client.id)
            .field("scopes", &self.scopes)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Where the headers of a consent page wait for the layer that sets them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<std::sync::Mutex<Option<HeaderMap>>>);

impl Slot {
    fn fill(&self, headers: HeaderMap) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(headers);
    }

    /// Sets the headers that the application has not set itself, and adds the cookies that are not
    /// there yet.
    pub(crate) fn apply<B>(&self, response: &mut Response<B>) {
        let taken = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(headers) = taken else { return };
        let held = response.headers_mut();
        for (name, value) in &headers {
            if name == header::SET_COOKIE {
                if !held.get_all(name).iter().any(|set| set == value) {
                    held.append(name, value.clone());
                }
            } else if !held.contains_key(name) {
                held.insert(name, value.clone());
            }
        }
    }
}

/// Tells the client of an error.
fn tell(inner: &Inner, to: &ToClient) -> Reply {
    let told = wire::redirect_error(to, inner.issuer.as_str());
    told.unwrap_or_else(|error| inner.pages.show(&error)).into()
}

/// Tells the person of an error, and leaves it to them whether to go to the client.
fn warn(inner: &Inner, to: &ToClient) -> Reply {
    let told = wire::redirect_error(to, inner.issuer.as_str());
    let told = told.map(|told| inner.pages.warn(to.error, &to.redirect_uri, &told));
    told.unwrap_or_else(|error| inner.pages.show(&error)).into()
}

fn seal_since(inner: &Inner) -> String {
    let now = inner.now().millis().to_be_bytes();
    inner.ring.seal(&inner.env, SINCE, inner.issuer.as_str(), &now)
}

/// When the person was sent to sign in, if that is not too long ago to be for this request.
fn open_since(inner: &Inner, sealed: &str) -> Option<Timestamp> {
    let plain = inner.ring.open(SINCE, inner.issuer.as_str(), sealed).ok()?;
    let since = Timestamp::from_millis(i64::from_be_bytes(plain.as_slice().try_into().ok()?));
    (inner.now().since(since) < inner.policy.ticket_lifetime).then_some(since)
}
