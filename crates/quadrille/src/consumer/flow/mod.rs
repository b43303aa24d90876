//! One login, from departure to the linked account. The routes of axum call it, and any other
//! program can.

pub(super) mod authorized;
pub(super) mod callback;
pub(super) mod initiated;
pub(super) mod origin;
pub(super) mod out_of_band;
pub(super) mod posted;
pub(super) mod presented;
pub(super) mod redeemed;
pub(super) mod request_object;

use std::sync::Arc;

use serde_json::Value;

use crate::{
    Scopes,
    consumer::error::{BrowserError, Error, OperatorError, Result},
};

use self::{
    callback::{READ, callback_in, further},
    posted::unsealed,
};
use super::{
    account::{Account, Owner},
    attempt::{Attempt, Ending, Kind, OwnerMark},
    cookies::Jar,
    dance::{Answered, Dance, Proof, trail::Trail},
    login::{Login, Ready, registered::Registered},
    service::allowed::check_written,
};

/// A longer page to return to is not worth carrying through every login.
const LONGEST_NEXT: usize = 1024;
/// The application's data as JSON. A few attempts with data fit into the cookies of one browser.
const LONGEST_DATA: usize = 512;

/// The settings of a login, for [`Login::begin`].
///
/// ```
/// use quadrille::{Owner, consumer::Begin};
///
/// let begin = Begin::new("github").next("/album").owner(&Owner::user(7));
/// let begin = begin.parameter("login", "ada");
/// ```
#[derive(Clone, Debug)]
pub struct Begin<'a> {
    service: &'a str,
    next: &'a str,
    owner: Owner,
    scopes: Scopes,
    only_identify: bool,
    parameters: Vec<(String, String)>,
    data: Option<Value>,
    ending: Ending,
}

impl<'a> Begin<'a> {
    /// A login at this service.
    pub fn new(service: &'a str) -> Self {
        Self {
            service,
            next: "",
            owner: Owner::NOBODY,
            scopes: Scopes::EMPTY,
            only_identify: false,
            parameters: Vec::new(),
            data: None,
            ending: Ending::Page,
        }
    }

    /// Sets the path of this site to redirect to in the end. Anything else means the front page,
    /// and so does another login: the path may come from a link of another site.
    #[must_use]
    pub fn next(mut self, next: &'a str) -> Self {
        self.next = next;
        self
    }

    /// Sets the user who is signed in.
    #[must_use]
    pub fn owner(mut self, owner: &Owner) -> Self {
        self.owner = owner.clone();
        self
    }

    /// Requests these scopes in addition to the default ones and those that the owner's linked
    /// account already has. If there is one, the user must return with the same.
    #[must_use]
    pub fn further_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Only identifies the user, without storing a token. See [`Identity`](crate::Identity).
    #[must_use]
    pub fn only_identify(mut self) -> Self {
        self.only_identify = true;
        self
    }

    /// Adds a parameter to the authorization request, such as `login_hint` or `prompt`, in place of
    /// one with this name. [`Login::begin`] refuses those that it sets itself.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Carries data of the application through the login, such as an invitation or a coupon. The
    /// data is sealed and bound to this attempt and its browser, and arrives in [`Finished::data`]
    /// and [`Authorized::data`](crate::Authorized::data). At most 512 bytes as JSON: else [`Login::begin`] fails with
    /// [`OperatorError::DataTooLarge`].
    ///
    /// ```
    /// use quadrille::consumer::Begin;
    /// use serde_json::json;
    ///
    /// let begin = Begin::new("github").data(json!({ "invitation": 7 }));
    /// ```
    #[must_use]
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    #[cfg(feature = "axum")]
    pub(crate) fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    pub(crate) fn service(&self) -> &str {
        self.service
    }

    /// The path to redirect to in the end, as it was set.
    #[cfg(feature = "axum")]
    pub(crate) fn goes_on_to(&self) -> &str {
        self.next
    }

    /// The user who is signed in.
    pub(crate) fn owned_by(&self) -> &Owner {
        &self.owner
    }

    /// The parameters of this authorization request.
    pub(crate) fn parameters(&self, registered: &Registered) -> Result<&[(String, String)]> {
        check_written(&registered.name, &self.parameters)?;
        Ok(&self.parameters)
    }
}

/// A finished login: the result of [`Login::finish`].
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{Login, Owner, Result, consumer::{Finished, Jar}};
///
/// async fn callback(login: &Login, jar: &Jar, query: &str) -> Result<String> {
///     let Finished { next, .. } = login.finish(jar, "github", query, &Owner::NOBODY).await?;
///     Ok(next)
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The account that was linked or identified.
    pub account: Account,
    /// The path of this site to redirect to.
    pub next: String,
    /// The data of [`Begin::data`].
    pub data: Option<Value>,
}

/// A response that belongs to an attempt of this browser. Nothing is used up yet.
pub(crate) struct Verified {
    pub(crate) registered: Arc<Registered>,
    pub(crate) answered: Arc<Answered>,
    /// The callback's further parameters.
    pub(crate) callback: Vec<(String, String)>,
}

impl Verified {
    /// Whether `owner` is the one who began the login: the same user, or none.
    pub(crate) fn was_begun_by(&self, owner: &Owner) -> bool {
        self.answered.attempt.begun_by == OwnerMark::of(owner)
    }

    /// The trail of a login that fails from here on.
    #[cfg(feature = "axum")]
    pub(crate) fn trail(&self) -> Trail {
        Trail {
            service: Some(Arc::clone(&self.registered.settled)),
            next: Some(self.answered.attempt.next.clone()),
            ..Trail::default()
        }
    }
}

impl Login {
    /// Begins a login. Returns the URL at the service to redirect the user to; send
    /// [`Jar::close`]'s cookies along. [`Login::must_ask`] says whether the user must confirm
    /// first, because another site may have sent the request.
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
    /// [`OperatorError`](crate::consumer::OperatorError): an unknown service, an invalid
    /// configuration, a parameter that the login sets itself; [`BrowserError::TenantUnknown`]. At a
    /// service of OAuth 1, also the errors of the request for temporary credentials.
    pub async fn begin(&self, jar: &Jar, begin: &Begin<'_>) -> Result<String> {
        let registered = self.by_name(begin.service()).await?;
        self.begin_at(jar, &registered, begin).await
    }

    pub(crate) async fn begin_at(
        &self,
        jar: &Jar,
        registered: &Arc<Registered>,
        begin: &Begin<'_>,
    ) -> Result<String> {
        let ready = self.ready()?;
        let registered = &registered.discovered(&ready.site).await?;
        let parameters = begin.parameters(registered)?;
        let attempt = self.attempt(Some(jar), ready, registered, begin).await?;
        match &registered.dance {
            Dance::OAuth2(dance) => {
                let leave = || dance.leave(&ready.site, jar, &attempt, parameters);
                let url = match leave() {
                    Ok(url) => url,
                    Err(error) => {
                        self.remove_gone_tenants(jar, error).await?;
                        leave()?
                    }
                };
                dance.as_object(&ready.site, self.publisher(ready).as_ref(), url).await
            }
            Dance::OAuth1(dance) => {
                let callback = registered.callback_for(attempt.ending);
                let leaving = dance.leave(&ready.site, &attempt, callback, parameters).await?;
                let (temporary, site) = (&leaving.temporary, &ready.site);
                if let Err(error) = attempt.seal_into_cookie(temporary, site, jar) {
                    self.remove_gone_tenants(jar, error.into()).await?;
                    attempt.seal_into_cookie(temporary, site, jar)?;
                }
                Ok(leaving.url)
            }
        }
    }

    /// The attempt that `begin` describes. Without a jar, the program has no browser.
    pub(crate) async fn attempt(
        &self,
        jar: Option<&Jar>,
        ready: &Ready,
        registered: &Registered,
        begin: &Begin<'_>,
    ) -> Result<Attempt> {
        let bytes = begin.data.as_ref().map_or(0, |data| data.to_string().len());
        if bytes > LONGEST_DATA {
            return Err(OperatorError::DataTooLarge { bytes }.into());
        }
        Ok(Attempt {
            service: Arc::clone(&registered.name),
            next: self.next(ready, begin.next),
            kind: self.kind(jar, registered, begin).await?,
            client: self.changing_client(registered),
            begun_by: OwnerMark::of(&begin.owner),
            begun: self.0.env.now(),
            ending: begin.ending,
            required: registered.required(&begin.parameters),
            data: begin.data.clone(),
        })
    }

    /// The purpose of an attempt. Further scopes are requested together with those of the linked
    /// account, from the same account.
    async fn kind(
        &self,
        jar: Option<&Jar>,
        registered: &Registered,
        begin: &Begin<'_>,
    ) -> Result<Kind> {
        if begin.only_identify {
            return Ok(Kind::Identify);
        }
        if begin.scopes.is_empty() {
            return Ok(Kind::Link);
        }
        let asked = begin.scopes.union(&registered.spec.scopes);
        let (scopes, subject) = match self.load(jar, &registered.name, &begin.owner).await? {
            Some(stored) => (stored.token.scopes.union(&asked), stored.account.subject),
            None => (asked, "".into()),
        };
        Ok(Kind::Widen { scopes: scopes.as_str().to_owned(), subject: subject.as_ref().to_owned() })
    }

    /// Finishes a login: checks the callback's query, redeems the code, and stores the account for
    /// `owner`, who must be the one that [`Begin::owner`] named (none if no user was signed in
    /// then). Send [`Jar::close`]'s cookies with the redirect to [`Finished::next`].
    ///
    /// Calls no hooks: they are handlers of the web framework.
    ///
    /// # Errors
    /// All of [`Error`] except [`Error::NotLinked`] and [`Error::Api`].
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
                let (error, trail) = *failure;
                self.end(jar, &trail)?;
                return Err(error);
            }
        };
        let redeemed = self.redeem(jar, &verified, owner, false).await?;
        let account = redeemed.keep(Some(jar), owner).await?;
        let Attempt { next, data, .. } = verified.answered.attempt.clone();
        Ok(Finished { account, next, data })
    }

    /// Whether the callback's query belongs to an attempt of this browser and contains something to
    /// redeem.
    pub(crate) async fn verify(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
    ) -> Result<Verified, Box<(Error, Trail)>> {
        let mut trail = Trail::default();
        match self.verify_with(jar, service, query, &mut trail).await {
            Ok(verified) => Ok(verified),
            Err(error) => Err(Box::new((error, trail))),
        }
    }

    async fn verify_with(
        &self,
        jar: &Jar,
        service: &str,
        query: &str,
        trail: &mut Trail,
    ) -> Result<Verified> {
        let ready = self.ready()?;
        let site = &ready.site;
        let registered = self.by_name(service).await?;
        trail.service = Some(Arc::clone(&registered.settled));
        let registered = registered.discovered(site).await?;
        let params = callback_in(query)?;
        let posted = unsealed(site, &registered, &params)?;
        let params = match &posted {
            Some(form) => callback_in(form)?,
            None => params,
        };
        let mut answered = match &registered.dance {
            Dance::OAuth2(dance) => dance.come_back(site, jar, &params, trail)?,
            Dance::OAuth1(dance) => dance.come_back(site, jar, &params, trail)?,
        };
        let registered = self.registered_as(registered, answered.attempt.client).await?;
        if let (Dance::OAuth2(dance), Proof::Code(proof)) = (&registered.dance, &mut answered.proof)
        {
            if proof.beside.is_some() && posted.is_none() {
                // Nothing of a URL is to have tokens.
                return Err(BrowserError::CallbackMalformed.into());
            }
            proof.identified = dance.verify_beside(site, &answered.attempt, proof).await?;
        }
        if answered.attempt.next.is_empty() {
            // The browser lost the page.
            answered.attempt.next = self.next(ready, "");
        }
        let callback = further(&params, &READ);
        Ok(Verified { registered, answered: Arc::new(answered), callback })
    }

    /// Ends an attempt that failed for good.
    pub(crate) fn end(&self, jar: &Jar, trail: &Trail) -> Result<()> {
        if let Some(cookie) = &trail.answered {
            cookie.end(&self.ready()?.site, jar)?;
        }
        Ok(())
    }

    fn next(&self, ready: &Ready, wanted: &str) -> String {
        let kept = self.page_of_this_site(wanted).filter(|kept| kept.len() <= LONGEST_NEXT);
        kept.unwrap_or_else(|| [&ready.site.base_path, "/"].concat())
    }
}
