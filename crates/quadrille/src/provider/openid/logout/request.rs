//! The end session endpoint (OpenID Connect RP-Initiated Logout, section 2): a request, and its
//! steps to an answer.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};

use crate::{
    RemoteAddress,
    actor::Authentication,
    form::{FormError, FormWriter, Params},
    probe,
    provider::{
        client::{document::admission, record::Client},
        error::{Error, OperatorError},
        meter,
        openid::{hint, pairwise},
        paths::EndpointPath,
        refusal::{self, Facts},
        route::Route,
        server::{AuthorizationServer, Inner},
        wire::{self, Methods, Reply},
    },
};

use super::{
    check::{self, Asked, Sent, Target},
    error::EndSessionError,
    joined,
    next::{Next, may_send_on, next},
    sign_out::{SignOut, answer},
    ticket::{Posted, Ticket},
};

/// The endpoint's name in the log.
const ENDPOINT: &str = "end session";

/// The field of the form.
const TICKET: &str = "ticket";

/// The parameter of the address at which a browser repeats a client's POST.
const POSTED: &str = "posted";

/// The end session endpoint, a page of the application.
pub(crate) static END_SESSION: Route = Route {
    is_offered: |inner| inner.openid.as_ref().is_some_and(|openid| openid.logout.is_some()),
    describe: |_, url, metadata| {
        metadata.extra.insert("end_session_endpoint".to_owned(), url.into());
    },
    ..Route::new(ENDPOINT, EndpointPath::END_SESSION, Methods::GET_HEAD_POST)
};

/// A request for logout (OpenID Connect RP-Initiated Logout, section 2), at
/// [`AuthorizationServer::end_session_path`]: by GET or POST from a client, or by POST from the form
/// of the sign-out page.
///
/// With the feature `axum` it is an extractor; elsewhere [`AuthorizationServer::end_session`]
/// returns it. [`step`](Self::step) says what to do with it.
///
/// ```
/// use quadrille::{Authentication, provider::{EndSession, EndSessionStep}};
///
/// async fn end_session(request: EndSession, user: Option<Authentication>) -> String {
///     match request.step(user) {
///         EndSessionStep::Ask(page) => {
///             let field = |(name, value)| format!("<input type=hidden name={name} value={value}>");
///             let fields: String = page.form_fields().into_iter().map(field).collect();
///             format!("<form method=post action={}>{fields}<button>Sign out</button>", page.action)
///         }
///         EndSessionStep::SignOut(sign_out) => {
///             // Remove the session and its cookie, and send this reply.
///             format!("{:?}", sign_out.reply().await)
///         }
///         EndSessionStep::Done(_) => "This reply goes to the browser.".into(),
///     }
/// }
/// ```
pub struct EndSession {
    inner: Arc<Inner>,
    asked: Wanted,
    cookies: HeaderMap,
    from: Option<RemoteAddress>,
    logout_hint: Option<Arc<str>>,
    ui_locales: Vec<Arc<str>>,
}

/// The kind of a request.
enum Wanted {
    /// A client has sent the browser.
    ByClient(Box<Asked>),
    /// The user has sent the form of the page.
    ByUser(Ticket),
}

/// The next step of a request for logout.
///
/// ```
/// use quadrille::provider::EndSessionStep;
///
/// fn ends_a_session(step: &EndSessionStep) -> bool {
///     matches!(step, EndSessionStep::SignOut(_))
/// }
/// ```
#[derive(Debug)]
pub enum EndSessionStep {
    /// Ask the user, with a form that is sent by POST to the same address.
    Ask(Box<SignOutPage>),
    /// End the session of the user, then send [`SignOut::reply`].
    SignOut(SignOut),
    /// Send this reply: no user is signed in, or the request failed.
    Done(Reply),
}

/// The content of the page that asks whether the user wants to sign out (OpenID Connect RP-Initiated
/// Logout, section 2).
///
/// ```
/// use quadrille::provider::SignOutPage;
///
/// fn question(page: &SignOutPage) -> String {
///     match &page.client {
///         Some(client) => format!("{} asks to sign you out here.", client.name),
///         None => "Do you want to sign out?".into(),
///     }
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct SignOutPage {
    /// The client that asks, if the request names one. Nothing proves that it has sent the request.
    pub client: Option<Arc<Client>>,
    /// The user's subject.
    pub subject: Arc<str>,
    /// The `action` of the form.
    pub action: Arc<str>,
    /// The origin to which the browser goes afterwards.
    pub destination: Option<String>,
    /// The name of the user whom the client means (`logout_hint`). The client has written it.
    pub logout_hint: Option<Arc<str>>,
    /// The languages of the page, the best one first (BCP 47).
    pub ui_locales: Vec<Arc<str>>,
    ticket: String,
}

impl SignOutPage {
    /// The names and values of the hidden fields.
    pub fn form_fields(&self) -> Vec<(&'static str, &str)> {
        vec![(TICKET, &self.ticket)]
    }
}

impl fmt::Debug for SignOutPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOutPage")
            .field("client", &self.client.as_ref().map(|client| &client.id))
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

impl AuthorizationServer {
    /// The path of the end session endpoint, as requests arrive here; `None` without
    /// [`OpenId::logout`](crate::provider::OpenId::logout).
    pub fn end_session_path(&self) -> Option<&str> {
        let inner = self.inner();
        (END_SESSION.is_offered)(inner).then(|| inner.as_it_arrives(&inner.paths.end_session))
    }

    /// The end session endpoint (OpenID Connect RP-Initiated Logout, section 2). A HEAD request is
    /// answered with 204 and a prefetch with 503. A client's POST is answered with a redirect to the
    /// same request by GET, since browsers send no cookies with a form from another site; its parameters
    /// are sealed in that address.
    ///
    /// # Errors
    /// The answer: that redirect, or a page if the request is invalid.
    pub async fn end_session(&self, request: Request<Bytes>) -> Result<EndSession, Reply> {
        let inner = self.inner();
        if let Some(response) = probe::probed(request.method(), request.headers()) {
            return Err(response.into());
        }
        match read(inner, &request).await {
            Ok(Read::Request(request)) => {
                meter::page(ENDPOINT, "ok");
                Ok(*request)
            }
            Ok(Read::Again(response)) => Err(response.into()),
            Err(error) => {
                meter::page(ENDPOINT, meter::label(&error.code()));
                refusal::log(inner, ENDPOINT, &error, &request).await;
                Err(inner.pages.show(&error).into())
            }
        }
    }
}

enum Read {
    Request(Box<EndSession>),
    /// The redirect to the same request by GET.
    Again(Response<Bytes>),
}

async fn read(inner: &Arc<Inner>, request: &Request<Bytes>) -> Result<Read, Error> {
    END_SESSION.admit(request)?;
    if !(END_SESSION.is_offered)(inner) {
        return Err(OperatorError::LogoutMissing.into());
    }
    let is_post = request.method() == Method::POST;
    let malformed = |error: FormError| Error::from(EndSessionError::from(error));
    let posted;
    let params = if is_post { Params::of_body(request) } else { Params::of_query(request) };
    let mut params = params.map_err(malformed)?;
    if let (false, Some(sealed)) = (is_post, params.one(POSTED).map_err(malformed)?) {
        posted = Posted::open(inner, sealed)?;
        params = Params::parse(posted.as_bytes()).map_err(malformed)?;
    }
    let params = params;
    let one = |name| params.one(name).map_err(malformed);
    let (ticket, locales) = (one(TICKET)?, one("ui_locales")?.unwrap_or(""));
    let found = |asked| {
        let locales = locales.split(' ').filter(|tag| !tag.is_empty());
        Ok(Read::Request(Box::new(EndSession {
            inner: inner.clone(),
            asked,
            cookies: joined::cookies(request.headers()),
            from: RemoteAddress::of(request.extensions()),
            logout_hint: one("logout_hint")?.map(Into::into),
            ui_locales: locales.map(Into::into).collect(),
        })))
    };
    if let (true, Some(sealed)) = (is_post, ticket) {
        return found(Wanted::ByUser(Ticket::open(inner, sealed)?));
    }
    if is_post {
        let mut form = FormWriter::new();
        for (name, value) in params.iter() {
            form.append(name, value);
        }
        let mut same = FormWriter::after_url(&inner.paths.end_session);
        same.append(POSTED, &Posted::seal(inner, form.finish())?);
        return Ok(Read::Again(wire::redirect_url(&same.finish())?));
    }
    let hint = match one("id_token_hint")? {
        Some(text) => Some(hint::id_token(inner, text).ok_or(EndSessionError::Hint)?),
        None => None,
    };
    let sent = Sent {
        client_id: one("client_id")?,
        redirect_uri: one("post_logout_redirect_uri")?,
        state: one("state")?,
    };
    let client = match check::client_id(&sent, hint.as_ref())? {
        Some(id) => {
            let from = inner.address_of(request.extensions());
            admission::client_that_asks(inner, id, from).await?
        }
        None => None,
    };
    found(Wanted::ByClient(Box::new(check::check(&sent, hint, client)?)))
}

impl EndSession {
    /// The client that asks, if the request names one.
    pub fn client(&self) -> Option<&Client> {
        match &self.asked {
            Wanted::ByClient(asked) => asked.client.as_deref(),
            Wanted::ByUser(_) => None,
        }
    }

    /// Decides the next step, for the signed-in user (`None` if no user is signed in).
    pub fn step(self, user: Option<Authentication>) -> EndSessionStep {
        let inner = self.inner.clone();
        let client = self.client().map_or_else(String::new, |client| client.id.to_string());
        let facts = Facts { from: self.from, ..Facts::default() };
        match self.decide(user) {
            Ok(step) => step,
            Err(error) => {
                refusal::log_of_client(ENDPOINT, &error, &client, facts);
                EndSessionStep::Done(inner.pages.show(&error).into())
            }
        }
    }

    fn decide(self, user: Option<Authentication>) -> Result<EndSessionStep, Error> {
        let Self { inner, asked, cookies, from: _, logout_hint, ui_locales } = self;
        let sign_out = |user, onward| {
            let sign_out = SignOut::new(inner.clone(), user, onward).of_browser(&cookies);
            Ok(EndSessionStep::SignOut(sign_out))
        };
        let done = |onward: Option<&Target>, is_sent_on| {
            Ok(EndSessionStep::Done(answer(&inner, &[], onward, is_sent_on)?.into()))
        };
        let asked = match (asked, user.as_ref()) {
            (Wanted::ByClient(asked), _) => *asked,
            (Wanted::ByUser(ticket), None) => return done(ticket.onward().as_ref(), true),
            (Wanted::ByUser(ticket), Some(user)) if ticket.is_for(user) => {
                return sign_out(user.clone(), ticket.onward());
            }
            (Wanted::ByUser(_), Some(_)) => return Err(EndSessionError::Ticket.into()),
        };
        let known = match (&user, &asked.client) {
            (Some(user), Some(client)) => {
                let key = inner.openid.as_ref().and_then(|openid| openid.pairwise.as_ref());
                Some(pairwise::subject(key, client, &user.subject)?)
            }
            (user, _) => user.as_ref().map(|user| user.subject.clone()),
        };
        let known = user.as_ref().zip(known.as_deref());
        let step = next(&asked, known, inner.issuer.as_str());
        match (step, user) {
            (Next::SignOut, Some(user)) => sign_out(user, asked.onward),
            (Next::Ask, Some(user)) => {
                let ticket = Ticket::new(&inner, &user, asked.onward.as_ref()).seal(&inner)?;
                Ok(EndSessionStep::Ask(Box::new(SignOutPage {
                    client: asked.client,
                    subject: user.subject,
                    action: inner.paths.end_session.clone(),
                    destination: asked.onward.map(|target| target.destination),
                    logout_hint,
                    ui_locales,
                    ticket,
                })))
            }
            (_, _) => done(asked.onward.as_ref(), may_send_on(&asked, false)),
        }
    }
}

impl fmt::Debug for EndSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndSession")
            .field("client", &self.client().map(|client| &client.id))
            .finish_non_exhaustive()
    }
}
