//! The authorization endpoint: a checked request, and its steps to an answer.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request};

use crate::{
    RemoteAddress, Scopes,
    actor::Authentication,
    form::FormWriter,
    oauth2::{RequestError, Resources},
    provider::{
        client::{
            document::{
                admission,
                metadata::{NOT_STORED, host_of},
            },
            grant_type::GrantType,
            record::Client,
        },
        error::Error,
        meter,
        openid::{
            details::scope_of, offline, pairwise, session_management::browser_state::BrowserState,
        },
        paths::EndpointPath,
        refusal::{self, Facts},
        route::Route,
        server::{AuthorizationServer, Inner},
        store::Consent,
        subject,
        wire::{self, Methods, Reply, ToClient},
    },
};

use super::{
    back::Back,
    consent_page::{ConsentPage, DeviceInfo, Slot},
    dance::{self, Dance, ENDPOINT},
    error::AuthorizeError,
    next::{self, Before, Next, Sent},
    page_hints::{PageHints, PageNeeded},
    read::{self, Failed, Read},
    request::{Asked, is_trusted},
    since,
    ticket::Ticket,
};

/// A checked authorization request: client, redirect URI, scopes and PKCE are valid (RFC 6749,
/// sections 4.1.1 and 4.2.1), or it is one with temporary credentials of OAuth 1.0a (RFC 5849,
/// section 2.2). A handler need not know which.
///
/// With the feature `axum` it is an extractor, which answers invalid requests itself; elsewhere
/// [`AuthorizationServer::authorize`] returns it. [`step`](Self::step) says what to do with it.
///
/// ```
/// use quadrille::{Authentication, provider::{Authorization, Step}};
///
/// async fn authorize(request: Authorization, user: Option<Authentication>) -> String {
///     let client = request.client().name.clone();
///     match request.step(user).await {
///         Step::SignIn(back) => format!("Sign in, then go to {}", back.path_and_query()),
///         Step::Consent(page) => format!("{client} asks for {} scopes", page.scopes.len()),
///         Step::Done(_) => "This reply goes to the browser.".into(),
///     }
/// }
/// ```
pub struct Authorization {
    inner: Arc<Inner>,
    asked: Asked,
    request: Request<Bytes>,
    /// The URL of the same request by GET, if that is not made of the request.
    page: Option<FormWriter>,
    since: Option<Sent>,
    /// `true` if a form has sent the request here, which may be on another site.
    is_post: bool,
    /// `true` if the request is in a request object, which may expire while the user signs in.
    has_object: bool,
}

/// The next step of an authorization request.
///
/// ```
/// use quadrille::provider::Step;
///
/// fn needs_a_page(step: &Step) -> bool {
///     !matches!(step, Step::Done(_))
/// }
/// ```
#[derive(Debug)]
pub enum Step {
    /// Have the user sign in, then redirect to this address of the authorization endpoint, in the same
    /// browser: if the client demands a new sign-in, the server's layer sets a cookie to which the
    /// address is bound. If it suffices that the user chooses the account that is signed in
    /// ([`Back::is_choice`]), the page may offer that, too.
    SignIn(Back),
    /// Show the consent page.
    Consent(Box<ConsentPage>),
    /// Send this reply: consent is remembered, the client is first-party, or the client receives an
    /// error. If no user is known in a request by POST, it is a redirect to the same request by GET:
    /// browsers send no `SameSite` cookies with a form from another site.
    Done(Reply),
}

/// The authorization endpoint (RFC 6749, section 3.1), a page of the application.
pub(crate) static AUTHORIZATION: Route = Route {
    describe: |inner, url, metadata| {
        metadata.authorization_endpoint = Some(url).filter(|_| !inner.response_types().is_empty());
    },
    ..Route::new(ENDPOINT, EndpointPath::AUTHORIZE, Methods::GET_HEAD_POST)
};

impl AuthorizationServer {
    /// The authorization endpoint (RFC 6749, section 3.1): reads and checks a request, by GET with
    /// a query or by POST with a form. A HEAD request is answered with 204 and a prefetch
    /// (`Sec-Purpose: prefetch`) with 503, since no user can grant anything there.
    ///
    /// # Errors
    /// The answer: a page if client or redirect URI are invalid, else a redirect with an error for
    /// the client.
    pub async fn authorize(&self, request: Request<Bytes>) -> Result<Authorization, Reply> {
        let inner = self.inner();
        let mut seen = None;
        let read = match AUTHORIZATION.admit(&request) {
            Ok(()) => read::read(inner, &request, &mut seen).await,
            Err(error) => Err(Error::from(error).into()),
        };
        let log = async |error: &Error| {
            meter::page(ENDPOINT, meter::label(&error.code()));
            refusal::log_read(inner, ENDPOINT, error, &request, seen.as_ref()).await;
        };
        match read {
            Ok(Read { asked, since, has_object }) => {
                meter::page(ENDPOINT, "ok");
                let is_post = request.method() == Method::POST;
                let inner = inner.clone();
                let page = None;
                Ok(Authorization { inner, asked, request, page, since, is_post, has_object })
            }
            Err(Failed::Page(error)) => {
                log(&error).await;
                Err(inner.pages.show(&error).into())
            }
            Err(Failed::Redirect(to)) => {
                log(&to.error.into()).await;
                Err(tell(inner, &to))
            }
            Err(Failed::Warn(to)) => {
                log(&to.error.into()).await;
                Err(warn(inner, to))
            }
            Err(Failed::Probed(response)) => Err(response.into()),
        }
    }
}

impl Authorization {
    /// A checked request that came another way; `page` is its URL by GET.
    pub(super) fn of(
        inner: Arc<Inner>,
        asked: Asked,
        request: Request<Bytes>,
        page: FormWriter,
    ) -> Self {
        let page = Some(page);
        Self { inner, asked, request, page, since: None, is_post: false, has_object: false }
    }

    /// The URL of the same request by GET, without a time of sign-in.
    fn same(&self) -> Result<FormWriter, Error> {
        match &self.page {
            Some(page) => Ok(page.clone()),
            None => Ok(read::same(&self.inner, &self.request).map_err(RequestError::from)?),
        }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.asked.client
    }

    /// The requested scopes.
    pub fn scopes(&self) -> &Scopes {
        &self.asked.scopes
    }

    /// The requested APIs (RFC 8707); empty for the server's own.
    pub fn resources(&self) -> &Resources {
        &self.asked.resources
    }

    /// The authentication context classes that the client requires, one of them, the one that it
    /// prefers first (RFC 9470, section 4; OpenID Connect Core, section 5.5.1.1): those of `acr_values`,
    /// or of `acr` in `claims`, that the server [knows](crate::Policy::acr_values). Empty for any.
    /// After [`Step::SignIn`], let the user sign in accordingly.
    pub fn acr_values(&self) -> impl Iterator<Item = &str> {
        self.asked.prompt.acr_values.iter().map(|acr| &**acr)
    }

    /// The longest time since the user's authentication, if the client requires one (`max_age`,
    /// RFC 9470, section 4).
    pub fn max_age(&self) -> Option<Duration> {
        self.asked.prompt.max_age
    }

    /// The wishes of the client for the pages that the user sees, that for signing in among them
    /// (OpenID Connect Core, section 3.1.2.1).
    ///
    /// ```
    /// use quadrille::{Authentication, provider::{Authorization, Step}};
    ///
    /// async fn authorize(request: Authorization, user: Option<Authentication>) -> String {
    ///     let (register, hint) = (request.hints().create, request.hints().login_hint.clone());
    ///     match request.step(user).await {
    ///         Step::SignIn(back) if register => format!("Open an account, then go to {back}"),
    ///         Step::SignIn(back) => format!("Sign in as {hint:?}, then go to {back}"),
    ///         other => format!("{other:?}"),
    ///     }
    /// }
    /// ```
    pub fn hints(&self) -> &PageHints {
        &self.asked.prompt.hints
    }

    /// `true` if the client forbids pages (`prompt=none`, OpenID Connect Core, section 3.1.2.1). An
    /// application that would have to show one of its own answers with
    /// [`needs_page`](Self::needs_page).
    pub fn is_silent(&self) -> bool {
        self.asked.prompt.none
    }

    /// Answers a [silent](Self::is_silent) request for which the application would have to show a
    /// page: the client receives the error (OpenID Connect Core, section 3.1.2.6).
    ///
    /// ```
    /// use quadrille::provider::{Authorization, PageNeeded, Reply};
    ///
    /// fn several_accounts(request: Authorization) -> Option<Reply> {
    ///     request.is_silent().then(|| request.needs_page(PageNeeded::AccountSelection))
    /// }
    /// ```
    pub fn needs_page(self, page: PageNeeded) -> Reply {
        let error = match page {
            PageNeeded::SignIn => AuthorizeError::LoginRequired,
            PageNeeded::AccountSelection => AuthorizeError::AccountSelectionRequired,
            PageNeeded::Other => AuthorizeError::InteractionRequired,
        };
        let browser = BrowserState::found(&self.inner, self.request.headers());
        self.told(error, is_trusted(&self.asked.client, None), None, browser)
    }

    /// Decides the next step, for the signed-in user (`None` if no user is signed in).
    pub async fn step(self, authentication: Option<Authentication>) -> Step {
        match self.decide(authentication).await {
            Ok(step) => step,
            Err(error) => {
                let facts = Facts { from: self.from(), ..Facts::default() };
                refusal::log_of_client(ENDPOINT, &error, &self.asked.client.id, facts);
                Step::Done(self.inner.pages.show(&error).into())
            }
        }
    }

    async fn decide(&self, authentication: Option<Authentication>) -> Result<Step, Error> {
        let (inner, asked) = (&self.inner, &self.asked);
        if self.is_post && authentication.is_none() {
            return Ok(Step::Done(wire::redirect_url(&self.same()?.finish())?.into()));
        }
        let consent = match &authentication {
            // A consent from before the removal of such a client does not count.
            Some(_) if asked.client.from_document && asked.client.number == NOT_STORED => None,
            Some(authentication) if !asked.client.first_party => {
                let issuer = inner.issuer_id().await?;
                let (subject, client) = (&authentication.subject, &asked.client.id);
                let consent =
                    inner.store.consent(issuer, subject, client, &asked.resources).await?;
                consent.filter(|consent| asked.client.is_as_at(consent.given))
            }
            _ => None,
        };
        let rules = (&inner.policy, inner.now());
        let is_trusted = is_trusted(&asked.client, consent.as_ref());
        let before = authentication.as_ref().map(Before::of);
        let key = inner.openid.as_ref().and_then(|openid| openid.pairwise.as_ref());
        let known = |user: &Authentication| pairwise::subject(key, &asked.client, &user.subject);
        let known_as = authentication.as_ref().map(known).transpose()?;
        let (user, known_as) = (authentication.as_ref(), known_as.as_deref());
        let next = next::next(asked, user, consent.as_ref(), self.since, known_as, rules);
        match (next, authentication) {
            (Next::Refuse(error), user) => Ok(self.refuse(error, true, user.as_ref())),
            (Next::Warn(error), user) => Ok(self.refuse(error, false, user.as_ref())),
            (Next::SignIn, _) | (_, None) => Ok(Step::SignIn(self.back(before)?)),
            (Next::Choose, Some(_)) => Ok(Step::SignIn(self.back(before)?.for_a_choice())),
            (Next::Ask, Some(authentication)) => {
                match subject::is_there(inner, &authentication).await? {
                    true => self.ask(&authentication, consent),
                    false => Ok(self.refuse(AuthorizeError::UserGone, is_trusted, None)),
                }
            }
            (Next::Grant, Some(authentication)) => {
                self.grant(authentication, consent, is_trusted).await
            }
        }
    }

    /// The same request by GET; with a note if the client requests a sign-in, or has sent the request
    /// in an object. `before` is the user's authentication so far.
    fn back(&self, before: Option<Before>) -> Result<Back, Error> {
        let same = self.same()?;
        if self.asked.prompt.may_need_sign_in() || self.has_object {
            let browser = since::browser(&self.inner, &self.request);
            let sent = Sent { at: self.inner.now(), before, chosen: None, browser };
            return Ok(Back::to(since::noted(&self.inner, &same, sent)));
        }
        Ok(Back::to(same))
    }

    /// The longest time for which the client has access by tokens of this request.
    fn longest_access(&self) -> Option<Duration> {
        let (inner, client) = (&self.inner, &self.asked.client);
        if matches!(self.asked.dance, Dance::Verifier(_)) {
            return None;
        }
        let policy = client.policy(&inner.policy);
        let has_offline = inner.openid.as_ref().is_some_and(|openid| openid.has_offline_access);
        let refreshes = inner.offers(&GrantType::RefreshToken)
            && (!has_offline || offline::may_refresh(&self.asked.scopes))
            && client.grant_types.contains(&GrantType::RefreshToken);
        Some(match refreshes {
            true => policy.refresh_token_total_lifetime,
            false => policy.access_token_lifetime,
        })
    }

    fn ask(
        &self,
        authentication: &Authentication,
        consent: Option<Consent>,
    ) -> Result<Step, Error> {
        let (inner, now) = (&self.inner, self.inner.now());
        let last_consent = consent.as_ref().map(|consent| consent.given);
        let (granted, data) = consent.map(|it| (it.scopes, it.data)).unwrap_or_default();
        let granted = inner.policy.scope_tree.expand(&granted);
        let expires = now + inner.policy.ticket_lifetime;
        let key = inner.tokens.newest().id();
        let back = self.back(Some(Before::of(authentication)))?;
        let (env, lives) = (&inner.env, (expires, back.path_and_query()));
        let ticket = Ticket::new(env, key, &self.asked, authentication, &granted, lives);
        let destination = self.asked.dance.rules().destination();
        let page = ConsentPage {
            client: self.asked.client.clone(),
            client_host: host_of(&self.asked.client),
            registered_itself: self.asked.client.registered_itself(),
            scopes: inner.scopes.describe(&self.asked.scopes),
            resources: self.asked.resources.clone(),
            subject: authentication.subject.clone(),
            action: inner.paths.consent.clone(),
            destination: destination.map(|uri| uri.destination().to_owned()),
            device: self.asked.dance.device().map(|dance| DeviceInfo {
                user_code: dance.user_code.clone(),
                address: dance.from,
                requested: dance.pending.time(),
            }),
            back,
            granted: ticket.granted.clone(),
            has_consented: last_consent.is_some(),
            last_consent,
            longest_access: self.longest_access(),
            claims: match self.asked.dance.rules().openid() {
                Some(openid) => openid.beyond(&self.asked.scopes),
                None => Vec::new(),
            },
            data,
            ticket: ticket.seal(&inner.env, &inner.ring, &inner.issuer)?,
            cookies: ticket.cookies(&inner.issuer, self.request.headers(), now),
        };
        if let Some(slot) = self.request.extensions().get::<Slot>() {
            slot.fill(&page.headers());
        }
        Ok(Step::Consent(Box::new(page)))
    }

    async fn grant(
        &self,
        authentication: Authentication,
        consent: Option<Consent>,
        is_trusted: bool,
    ) -> Result<Step, Error> {
        let (inner, asked) = (&self.inner, &self.asked);
        let (remembered, data) = consent.map(|it| (it.scopes, it.data)).unwrap_or_default();
        let remembered = inner.policy.scope_tree.expand(&remembered);
        let issuer = inner.issuer_id().await?;
        let (scopes, resources) = (asked.scopes.clone(), asked.resources.clone());
        let client = admission::let_in(inner, asked.client.clone()).await?;
        let Some(number) = subject::number_of_grant(inner, &client, &authentication).await? else {
            return Ok(self.refuse(AuthorizeError::UserGone, is_trusted, None));
        };
        // A grant without a page is of a client that needs none, or within the remembered consent,
        // which has the claims of its scopes, and none by their names.
        let is_covered = |name: &str| {
            client.first_party || scope_of(name).is_some_and(|scope| remembered.contains(scope))
        };
        let details = asked.dance.details(data, &scopes, &scopes, is_covered);
        let grant = dance::grant(number, &client, scopes, resources, authentication, details);
        let yes = asked.dance.yes_without_page(inner, &client, grant);
        let answered = yes.store_without_page(inner, issuer, asked.scopes.clone()).await?;
        let visit = (self.request.headers(), self.from());
        let reply = yes.reply(inner, visit, &client, &answered).await?;
        tracing::info!(client = %client.id, grant = number.0, "granted without asking");
        Ok(Step::Done(reply.into()))
    }

    fn refuse(
        &self,
        error: AuthorizeError,
        is_trusted: bool,
        user: Option<&Authentication>,
    ) -> Step {
        let browser = BrowserState::of(&self.inner, self.request.headers(), user);
        Step::Done(self.told(error, is_trusted, user, browser))
    }

    /// The address of the request.
    fn from(&self) -> Option<RemoteAddress> {
        RemoteAddress::of(self.request.extensions())
    }

    fn told(
        &self,
        error: AuthorizeError,
        is_trusted: bool,
        user: Option<&Authentication>,
        browser: Option<BrowserState>,
    ) -> Reply {
        let (inner, client) = (&self.inner, &self.asked.client);
        let wanted = &*self.asked.prompt.acr_values;
        let unmet = user.map(|user| (wanted, user.acr.as_deref()));
        let facts = Facts { from: self.from(), unmet: unmet.filter(|_| error.is_of_sign_in()) };
        let told = self.asked.dance.refused(inner, client, error, is_trusted, browser, facts);
        told.unwrap_or_else(|error| inner.pages.show(&error)).into()
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

/// The redirect that tells the client of an error.
fn tell(inner: &Inner, to: &ToClient) -> Reply {
    let told = wire::redirect_error(to, inner.issuer.as_str());
    told.unwrap_or_else(|error| inner.pages.show(&error)).into()
}

/// The page that tells the user of an error, with a link to the client.
fn warn(inner: &Inner, to: ToClient) -> Reply {
    let told = dance::warn(inner, to);
    told.unwrap_or_else(|error| inner.pages.show(&error)).into()
}
