//! One login, from leaving to being linked: what axum's routes call, and what any other program can
//! call.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use tracing::info;

use crate::{
    Scopes, Secret, Timestamp,
    error::{BrowserFault, Error, NetworkFault, Result, ServiceFault},
    oauth2::{
        AuthorizationResponse, ErrorCode, TokenRequest, TokenResponse, TokenResponseError,
        form::Params, pkce::Verifier,
    },
    quirks, target,
};

use super::{
    account::{Account, Owner, Token},
    api::Api,
    attempt::{Attempt, Kind, Opened, OwnerMark},
    cookies::Jar,
    http::Purpose,
    identity::{self, Claims},
    login::{Login, Ready, Registered},
};

/// What a token endpoint may answer at most.
const ANSWER_LIMIT: usize = 256 * 1024;
/// How long a token endpoint may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Back within this time and not linked: it would go in circles.
const LOOP_WINDOW: Duration = Duration::from_secs(10);
/// Longer pages to come back to are not worth carrying through every login.
const LONGEST_NEXT: usize = 1024;

/// A login that is about to begin: for [`Login::begin`].
///
/// ```
/// use quadrille::{Owner, consumer::Begin};
///
/// let begin = Begin::new("github").next("/album").owner(&Owner::user(7)).parameter("login", "ada");
/// ```
#[derive(Clone, Debug)]
pub struct Begin<'a> {
    service: &'a str,
    next: &'a str,
    owner: Owner,
    scopes: Scopes,
    only_identify: bool,
    parameters: Vec<(String, String)>,
}

impl<'a> Begin<'a> {
    /// With this service.
    pub fn new(service: &'a str) -> Self {
        Self {
            service,
            next: "",
            owner: Owner::NOBODY,
            scopes: Scopes::EMPTY,
            only_identify: false,
            parameters: Vec::new(),
        }
    }

    /// Where to go in the end: a path of this site. Anything else means the site's front page.
    #[must_use]
    pub fn next(mut self, next: &'a str) -> Self {
        self.next = next;
        self
    }

    /// Who is signed in.
    #[must_use]
    pub fn owner(mut self, owner: &Owner) -> Self {
        self.owner = owner.clone();
        self
    }

    /// Asks for these scopes besides the usual ones and those that the account has already.
    #[must_use]
    pub fn further_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Only to know who the visitor is: no token is kept. See [`Identity`](crate::Identity).
    #[must_use]
    pub fn only_identify(mut self) -> Self {
        self.only_identify = true;
        self
    }

    /// A further parameter of the authorization request: `login_hint`, `prompt`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }
}

/// A login that is done: what [`Login::finish`] gives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The account that is linked now, or was identified.
    pub account: Account,
    /// Where the visitor wanted to go: a path of this site.
    pub next: String,
}

/// An answer that belongs to an attempt of this browser. Nothing is used up yet.
pub(crate) struct Verified {
    pub(crate) opened: Opened,
    pub(crate) registered: Arc<Registered>,
    code: Secret,
}

/// Where a failed login came from, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    pub(crate) service: Option<Arc<Registered>>,
    pub(crate) next: Option<String>,
    /// Where to try again, when it is not the usual login.
    pub(crate) retry: Option<String>,
    /// The attempt that was answered: it has failed for good.
    pub(crate) answered: Option<Opened>,
}

impl Login {
    /// Begins a login: the URL at the service to send the visitor to. Send [`Jar::close`]'s
    /// cookies along.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use quadrille::{GitHub, KeyRing, Login, consumer::{Begin, Jar}};
    ///
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(GitHub::new("our-id", "our-secret"));
    /// let jar = Jar::new(&HeaderMap::new());
    /// let url = login.begin(&jar, &Begin::new("github").next("/album"))?;
    /// assert!(url.starts_with("https://github.com/login/oauth/authorize?"));
    /// let cookies = jar.close();
    /// assert_eq!(cookies.len(), 1);
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`OperatorFault`](crate::error::OperatorFault): an unknown service, a wrong configuration.
    pub fn begin(&self, jar: &Jar, begin: &Begin<'_>) -> Result<String> {
        let registered = self.by_name(begin.service)?;
        let kind = if begin.only_identify {
            Kind::Identify
        } else if begin.scopes.is_empty() {
            Kind::Link
        } else {
            let scopes = registered.spec.scopes.union(&begin.scopes).as_str().to_owned();
            Kind::Widen { scopes, subject: String::new() }
        };
        self.begin_as(jar, &registered, kind, begin)
    }

    pub(crate) fn begin_as(
        &self,
        jar: &Jar,
        registered: &Arc<Registered>,
        kind: Kind,
        begin: &Begin<'_>,
    ) -> Result<String> {
        let ready = self.ready()?;
        let mut url = match &kind {
            Kind::Widen { scopes, .. } => {
                registered.authorize_url(&Scopes::of(scopes.split(' ')))?
            }
            Kind::Link | Kind::Identify => registered.authorize_url.clone(),
        };
        let attempt = Attempt {
            service: Arc::clone(&registered.name),
            next: self.next(ready, begin.next),
            kind,
            begun_by: OwnerMark::of(&begin.owner),
            begun: self.0.env.now(),
        };
        let sealed = attempt.seal(&self.seals(ready), jar)?;
        // Base64url and fixed words need no encoding, and the URL has a query already.
        url.push_str("&state=");
        url.push_str(&sealed.state);
        if registered.spec.pkce {
            url.push_str("&code_challenge=");
            url.push_str(&sealed.verifier.challenge().to_string());
            url.push_str("&code_challenge_method=S256");
        }
        if !begin.parameters.is_empty() {
            let mut writer = crate::oauth2::form::FormWriter::after_url(&url);
            for (name, value) in &begin.parameters {
                writer.append(name, value);
            }
            url = writer.finish();
        }
        Ok(url)
    }

    /// Finishes a login: checks the callback's query, redeems the code, and keeps the account. Send
    /// [`Jar::close`]'s cookies with the redirect to [`Finished::next`].
    ///
    /// Hooks are not called: they are handlers of the web framework.
    ///
    /// # Errors
    /// Everything in [`Error`] but [`Error::NotLinked`] and [`Error::Api`].
    pub async fn finish(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
        owner: &Owner,
    ) -> Result<Finished> {
        let verified = match self.verify(jar, service, query) {
            Ok(verified) => verified,
            Err(failure) => {
                let (error, origin) = *failure;
                self.end(jar, &origin)?;
                return Err(error);
            }
        };
        let authorized = self.redeem(jar, &verified, owner).await?;
        let account = authorized.keep(jar, owner).await?;
        Ok(Finished { account, next: verified.opened.attempt.next })
    }

    /// Whether the callback's query answers an attempt of this browser, with a code.
    pub(crate) fn verify(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
    ) -> Result<Verified, Box<(Error, Origin)>> {
        let mut origin = Origin::default();
        match self.verify_with(jar, service, query, &mut origin) {
            Ok(verified) => Ok(verified),
            Err(error) => Err(Box::new((error, origin))),
        }
    }

    fn verify_with(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
        origin: &mut Origin,
    ) -> Result<Verified> {
        let ready = self.ready()?;
        let registered = self.by_name(service)?;
        origin.service = Some(Arc::clone(&registered));
        let params =
            Params::parse(query.as_bytes()).map_err(|_| BrowserFault::CallbackMalformed)?;
        // The state first: what strangers send has no effect at all.
        let state = params.one("state").map_err(|_| BrowserFault::CallbackMalformed)?;
        let state = state.ok_or(BrowserFault::StateUnknown)?;
        let seals = self.seals(ready);
        let opened = Opened::open(&seals, state)?;
        if opened.attempt.service != registered.name {
            return Err(BrowserFault::StateUnknown.into());
        }
        origin.next = Some(opened.attempt.next.clone());
        opened.check(&seals, jar)?;
        let response =
            AuthorizationResponse::parse(&params).map_err(|_| BrowserFault::CallbackMalformed)?;
        check_issuer(&registered, response.iss())?;
        match response {
            AuthorizationResponse::Code { code, .. } => Ok(Verified { opened, registered, code }),
            AuthorizationResponse::Error { error, .. } => {
                origin.answered = Some(opened);
                Err(refused(&registered, &error.error))
            }
        }
    }

    /// Ends an attempt that failed for good.
    pub(crate) fn end(&self, jar: &Jar, origin: &Origin) -> Result<()> {
        if let Some(opened) = &origin.answered {
            opened.end(&self.seals(self.ready()?), jar)?;
        }
        Ok(())
    }

    /// Redeems the code.
    pub(crate) async fn redeem(
        &self,
        jar: &Jar,
        verified: &Verified,
        owner: &Owner,
    ) -> Result<Authorized> {
        let ready = self.ready()?;
        let Verified { opened, registered, code } = verified;
        if !opened.attempt.begun_by.may_be_finished_by(owner) {
            return Err(BrowserFault::UserChanged.into());
        }
        let seals = self.seals(ready);
        let verifier = if registered.spec.pkce { Some(opened.verifier(&seals)?) } else { None };
        let request = TokenRequest::AuthorizationCode {
            code: code.expose(),
            redirect_uri: Some(&registered.callback),
            code_verifier: verifier.as_ref().map(Verifier::expose),
        };
        let asked = match &opened.attempt.kind {
            Kind::Widen { scopes, .. } => Scopes::of(scopes.split(' ')),
            Kind::Link | Kind::Identify => registered.spec.scopes.clone(),
        };
        let answer = self.ask_for_token(ready, registered, &request, Purpose::RedeemCode).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if !error.is_transient() {
                    opened.end(&seals, jar)?;
                }
                return Err(error);
            }
        };
        opened.end(&seals, jar)?;
        let now = self.0.env.now();
        let token = Token {
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
            scopes: answer.scope.unwrap_or(asked),
            obtained: now,
            expires: answer.expires_in.map(|lifetime| now + lifetime),
        };
        let more: Vec<_> = answer.extra.into_iter().collect();
        Ok(Authorized(Arc::new(AuthorizedInner {
            api: Api::unstored(self, registered, owner, token.clone()),
            token,
            kind: opened.attempt.kind.clone(),
            next: opened.attempt.next.clone(),
            more: more.into_iter().collect(),
            claims: OnceLock::new(),
        })))
    }

    pub(crate) async fn ask_for_token(
        &self,
        ready: &Ready,
        registered: &Arc<Registered>,
        request: &TokenRequest<'_>,
        purpose: Purpose,
    ) -> Result<TokenResponse> {
        let malformed = || crate::error::OperatorFault::EndpointMalformed {
            service: (*registered.name).into(),
        };
        let request = request
            .to_request(&registered.spec.token, &registered.auth, &[])
            .map_err(|_| malformed())?;
        let (mut parts, body) = request.into_parts();
        parts.headers.entry(http::header::USER_AGENT).or_insert(super::api::USER_AGENT);
        let request = http::Request::from_parts(parts, body.into());
        let service = &registered.name;
        let asking = async {
            let answer = ready
                .http
                .send(request, purpose)
                .await
                .map_err(|fault| Error::Network { service: Arc::clone(service), fault })?;
            let (parts, body) = answer.into_parts();
            let body = body.collect(ANSWER_LIMIT).await.map_err(|error| error.at(service))?;
            Ok(Response::from_parts(parts, body))
        };
        let answer: Response<Bytes> =
            tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| {
                Err(Error::Network { service: Arc::clone(service), fault: NetworkFault::TimedOut })
            })?;
        let separator = registered.spec.granted_scope_separator;
        TokenResponse::parse(&answer, separator)
            .map_err(|error| Error::service(service, token_fault(&answer, &error)))
    }

    fn next(&self, ready: &Ready, wanted: &str) -> String {
        let kept =
            target::same_site(&ready.origin, wanted).filter(|kept| kept.len() <= LONGEST_NEXT);
        kept.unwrap_or_else(|| format!("{}/", ready.base_path))
    }
}

/// A visitor who has just logged in with a service: what `on_authorized` hooks get. Calls of the
/// service's API can be made with it as with [`Linked`](crate::Linked).
#[derive(Clone)]
pub struct Authorized(Arc<AuthorizedInner>);

struct AuthorizedInner {
    api: Api,
    token: Token,
    kind: Kind,
    next: String,
    more: serde_json::Map<String, serde_json::Value>,
    claims: OnceLock<Claims>,
}

impl Authorized {
    /// The token. (Calls of the service's API need not be built by hand: `new.get("user")`.)
    pub fn token(&self) -> &Token {
        &self.0.token
    }

    /// Where the visitor will be sent: a path of this site.
    pub fn next(&self) -> &str {
        &self.0.next
    }

    /// What else the token endpoint answered, like an `id_token`.
    pub fn more(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.more
    }

    /// Who the account is, as the service says it: asked once for each login. `None` for a service
    /// without [`Spec::identity`](crate::Spec::identity).
    ///
    /// # Errors
    /// Those of the request.
    pub async fn claims(&self) -> Result<Option<&Claims>> {
        if let Some(claims) = self.0.claims.get() {
            return Ok(Some(claims));
        }
        match identity::ask(&self.0.api).await? {
            Some(claims) => Ok(Some(self.0.claims.get_or_init(|| claims))),
            None => Ok(None),
        }
    }

    /// Keeps the account for `owner`.
    pub(crate) async fn keep(&self, jar: &Jar, owner: &Owner) -> Result<Account> {
        let login = self.0.api.login();
        let ready = login.ready()?;
        let registered = self.0.api.registered();
        let claims = self.claims().await?;
        let subject: Arc<str> = claims.map_or("", Claims::subject).into();
        if let Kind::Widen { subject: expected, .. } = &self.0.kind
            && !expected.is_empty()
            && **expected != *subject
        {
            return Err(BrowserFault::AccountChanged.into());
        }
        let service = Arc::clone(&registered.name);
        if self.0.kind == Kind::Identify {
            let account = Account { owner: owner.clone(), service, subject };
            identity::remember(login, jar, &account)?;
            return Ok(account);
        }
        let owner = login.new_owner_key(ready, owner, jar)?;
        let account = Account { owner, service, subject };
        let cx = login.context(ready, Some(jar));
        login.0.storage.link(&cx, &account, &self.0.token).await?;
        info!(service = &*account.service, "an account was linked");
        Ok(account)
    }

    /// Leaves a note for ten seconds, by which a login that goes in circles is noticed.
    pub(crate) fn note_return(&self, jar: &Jar) -> Result<()> {
        let login = self.0.api.login();
        let what = loop_cookie(&self.0.api.registered().name);
        let now = login.0.env.now().seconds().to_string();
        Ok(jar.set(&login.ready()?.style, &what, now, LOOP_WINDOW)?)
    }
}

impl Deref for Authorized {
    type Target = Api;
    fn deref(&self) -> &Api {
        &self.0.api
    }
}

impl fmt::Debug for Authorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorized")
            .field("service", &self.0.api.registered().name)
            .finish_non_exhaustive()
    }
}

/// Whether the visitor has come back from this service a moment ago.
#[cfg(feature = "axum")]
pub(crate) fn is_just_back(login: &Login, jar: &Jar, registered: &Registered) -> bool {
    let Ok(ready) = login.ready() else { return false };
    let noted = jar.get(&ready.style.name(&loop_cookie(&registered.name)));
    let noted = noted.and_then(|seconds| seconds.parse().ok()).map(Timestamp::from_seconds);
    noted.is_some_and(|noted| login.0.env.now().since(noted) <= LOOP_WINDOW)
}

pub(crate) fn loop_cookie(service: &str) -> String {
    ["back-", service].concat()
}

/// RFC 9207, section 2.4.
fn check_issuer(registered: &Registered, iss: Option<&str>) -> Result<(), BrowserFault> {
    match (&registered.spec.issuer, iss) {
        (Some(expected), Some(iss)) if *expected != *iss => Err(BrowserFault::WrongIssuer),
        (Some(_), None) if registered.spec.issuer_required => Err(BrowserFault::WrongIssuer),
        _ => Ok(()),
    }
}

fn refused(registered: &Arc<Registered>, error: &ErrorCode) -> Error {
    let fault = match error {
        ErrorCode::AccessDenied => return BrowserFault::Denied.into(),
        ErrorCode::UnauthorizedClient | ErrorCode::InvalidClient => ServiceFault::ClientRefused,
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            ServiceFault::Unavailable { status: StatusCode::SERVICE_UNAVAILABLE }
        }
        other => ServiceFault::AuthorizationRefused { error: short(other) },
    };
    Error::service(&registered.name, fault)
}

/// What a token endpoint's failure means.
fn token_fault(answer: &Response<Bytes>, error: &TokenResponseError) -> ServiceFault {
    let status = answer.status();
    match error {
        TokenResponseError::Refused { error, .. } => match &quirks::standard_error(&error.error) {
            ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient => ServiceFault::ClientRefused,
            ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
                ServiceFault::Unavailable { status }
            }
            // Overloaded services say whatever they like beside the status.
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                ServiceFault::Unavailable { status }
            }
            other => ServiceFault::TokenRefused { error: short(other) },
        },
        TokenResponseError::Status(status)
            if *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() =>
        {
            ServiceFault::Unavailable { status: *status }
        }
        TokenResponseError::Status(StatusCode::UNAUTHORIZED) => ServiceFault::ClientRefused,
        _ => ServiceFault::Malformed { status },
    }
}

/// An error code, if it looks like one: it goes to pages and logs, and a service that is out of
/// order may put anything there.
fn short(code: &ErrorCode) -> Box<str> {
    let code = code.as_str();
    let fit = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if fit && code.len() <= 40 { code.into() } else { "unreadable".into() }
}
