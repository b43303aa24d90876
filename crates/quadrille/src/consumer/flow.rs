//! One login, from leaving to being linked: what axum's routes call, and what any other program can
//! call.

use std::{fmt::Write as _, sync::Arc};

use http::StatusCode;

use crate::{
    Scopes, Secret,
    error::{BrowserFault, Error, Result, ServiceFault},
    oauth2::{AuthorizationResponse, ErrorCode, TokenRequest, form::Params, pkce::Verifier},
    target,
};

use super::{
    account::{Account, Owner, Token},
    attempt::{Attempt, Kind, Opened, OwnerMark},
    authorized::Authorized,
    cookies::Jar,
    exchange::short,
    http::Purpose,
    login::{Login, Ready, Registered},
};

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
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(GitHub::new("our-id", "our-secret"));
    /// let jar = Jar::new(&HeaderMap::new());
    /// let url = login.begin(&jar, &Begin::new("github").next("/album")).await?;
    /// assert!(url.starts_with("https://github.com/login/oauth/authorize?"));
    /// let cookies = jar.close();
    /// assert_eq!(cookies.len(), 1);
    /// # Ok::<(), quadrille::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OperatorFault`](crate::error::OperatorFault): an unknown service, a wrong configuration;
    /// [`BrowserFault::TenantUnknown`].
    pub async fn begin(&self, jar: &Jar, begin: &Begin<'_>) -> Result<String> {
        let registered = self.by_name(begin.service).await?;
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
            Kind::Link | Kind::Identify => {
                let mut url = String::with_capacity(registered.authorize_url.len() + 512);
                url.push_str(&registered.authorize_url);
                url
            }
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
            let challenge = sealed.verifier.challenge();
            let _ = write!(url, "&code_challenge={challenge}&code_challenge_method=S256");
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
        let verified = match self.verify(jar, service, query).await {
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
    pub(crate) async fn verify(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
    ) -> Result<Verified, Box<(Error, Origin)>> {
        let mut origin = Origin::default();
        match self.verify_with(jar, service, query, &mut origin).await {
            Ok(verified) => Ok(verified),
            Err(error) => Err(Box::new((error, origin))),
        }
    }

    async fn verify_with(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
        origin: &mut Origin,
    ) -> Result<Verified> {
        let ready = self.ready()?;
        let registered = self.by_name(service).await?;
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
            resource: registered.resources.clone(),
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
        let Attempt { kind, next, .. } = &opened.attempt;
        Ok(Authorized::new(self, registered, owner, token, kind, next, answer.extra))
    }

    fn next(&self, ready: &Ready, wanted: &str) -> String {
        let kept =
            target::same_site(&ready.origin, wanted).filter(|kept| kept.len() <= LONGEST_NEXT);
        kept.unwrap_or_else(|| format!("{}/", ready.base_path))
    }
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
