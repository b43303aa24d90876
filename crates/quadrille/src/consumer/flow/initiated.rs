//! Logins that another site initiates (OpenID Connect Core, section 4).

use std::sync::Arc;

use crate::{
    consumer::{
        error::{BrowserError, Result},
        login::Login,
        service::allowed::check_value,
    },
    form::Params,
};

use super::Begin;

/// A login that another site initiates, such as the page of an OpenID Provider with the applications
/// of its users (OpenID Connect Core, section 4). Nothing proves who sent the request.
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{Login, Owner, Result, consumer::Jar};
///
/// /// The URL to redirect to; `None` if the user must confirm on a page first.
/// async fn initiate(
///     login: &Login,
///     headers: &HeaderMap,
///     jar: &Jar,
///     query: &str,
/// ) -> Result<Option<String>> {
///     let initiated = login.initiated_login("acme", query).await?;
///     if login.must_ask(headers, &Owner::NOBODY, false) {
///         return Ok(None);
///     }
///     login.begin(jar, &initiated.begin()).await.map(Some)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitiatedLogin {
    /// The name of the service.
    pub service: Arc<str>,
    /// The issuer of the service (`iss`).
    pub issuer: String,
    /// The path of this site to go on to (`target_link_uri`), empty for the front page.
    pub next: String,
    /// The user's name at the provider, or their address (`login_hint`).
    pub login_hint: Option<String>,
}

impl InitiatedLogin {
    /// The login, of nobody who is signed in: see [`Begin::owner`].
    pub fn begin(&self) -> Begin<'_> {
        let begin = Begin::new(&self.service).next(&self.next);
        match &self.login_hint {
            Some(hint) => begin.parameter("login_hint", hint),
            None => begin,
        }
    }
}

impl Login {
    /// Lets other sites initiate logins at the OpenID Providers of this login, such as a page of the
    /// provider with the applications of its users (OpenID Connect Core, section 4). Register
    /// `{public URL}/login/{service}/initiate` there (`initiate_login_uri`), which
    /// `Login::attach` serves then. Organizations are told by the registration of the site.
    ///
    /// The user confirms on a page of this site: the other site might have signed them in at the
    /// provider as somebody else.
    ///
    /// ```
    /// use quadrille::{KeyRing, Login, SpecBuf};
    ///
    /// let spec = SpecBuf::oidc("acme", "https://id.acme.example");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(spec.client("our-id", "our-secret"))
    ///     .accept_initiated_logins();
    /// # login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn accept_initiated_logins(self) -> Self {
        self.change(|inner| inner.accepts_initiated_logins = true)
    }

    /// Reads a request that initiates a login at this service: the query, or the body of a form. All
    /// parameters but `iss`, `login_hint` and `target_link_uri` are ignored.
    ///
    /// # Errors
    /// [`BrowserError::LoginMalformed`] for a parameter that is repeated, too long or malformed, or
    /// without `iss`; [`BrowserError::IssuerOther`]; [`BrowserError::TargetElsewhere`] for a page that
    /// [`Begin::next`] would not accept; [`OperatorError::NotOpenId`](crate::consumer::OperatorError),
    /// and those of an unknown service.
    pub async fn initiated_login(&self, service: &str, parameters: &str) -> Result<InitiatedLogin> {
        let registered = self.by_name(service).await?;
        let provider = registered.openid_provider()?;
        let malformed = |_| BrowserError::LoginMalformed;
        let params = Params::parse(parameters.as_bytes()).map_err(malformed)?;
        let one = |name| params.one(name).map_err(|_| BrowserError::LoginMalformed);
        let given = |name| Ok::<_, BrowserError>(one(name)?.filter(|value| !value.is_empty()));
        let issuer = given("iss")?.ok_or(BrowserError::LoginMalformed)?;
        if !provider.is_issuer(issuer) {
            return Err(BrowserError::IssuerOther.into());
        }
        let next = match given("target_link_uri")? {
            Some(target) => self.page_of_this_site(target).ok_or(BrowserError::TargetElsewhere)?,
            None => String::new(),
        };
        let login_hint = given("login_hint")?;
        login_hint.map_or(Ok(()), check_value)?;
        Ok(InitiatedLogin {
            service: Arc::clone(&registered.name),
            issuer: issuer.to_owned(),
            next,
            login_hint: login_hint.map(str::to_owned),
        })
    }
}
