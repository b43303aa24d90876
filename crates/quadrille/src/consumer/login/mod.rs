//! [`Login`]: the services that a site lets people log in with, and how.

mod ended;
mod keys;
pub(super) mod known_tenants;
pub(super) mod organizations;
mod owner;
mod places;
pub(super) mod registered;
pub(super) mod tenant;

use std::{
    any::TypeId,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tracing::{info, warn};
use url::Url;

use crate::{
    Env, KeyRing, Scopes,
    consumer::error::{BrowserError, Error, OperatorError, Result},
    form::{FormWriter, percent_decode},
    jose::ClaimsPolicy,
    loopback::is_secure,
    page::same_site,
    transport::{self, ErasedClient, HttpClient},
};

use self::{
    known_tenants::{KnownTenants, Tenants},
    places::{check_mount, check_storage, is_origin},
    registered::Registered,
};
use super::{
    client_keys::ClientKeys,
    cookies::{Jar, room::InUse},
    dance::{Dance, Granted},
    hooks::{ErasedHooks, NoHooks},
    openid::{
        ended::EndedSessions,
        published::Waiting,
        spent::{LONGEST_LEEWAY, Spent},
    },
    registration::Registration,
    service::{
        Client, Service,
        names::{self, SEPARATOR},
    },
    single_flight::{Refresher, redemptions::Redemptions},
    site::Site,
    storage::{Context, CookieStorage, ErasedStorage, TokenStorage},
};

/// The services that a site's users log in with, the storage of their accounts, and the hooks.
/// Cheap to clone: keep one in the application's state to use accounts outside of a request.
///
/// ```
/// use axum::{Router, routing::get};
/// use quadrille::{GitHub, KeyRing, Linked, Login, Result};
///
/// async fn home(github: Linked<GitHub>) -> Result<String> {
///     let me: serde_json::Value = github.get("user").await?;
///     Ok(format!("You are {} on GitHub", me["login"]))
/// }
///
/// let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
///     .with(GitHub::new("our-id", "our-secret"));
/// login.check()?;
/// let app: Router = login.attach(Router::new().route("/", get(home)));
/// # Ok::<(), quadrille::Error>(())
/// ```
#[derive(Clone)]
pub struct Login(pub(crate) Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    keys: KeyRing,
    public_url: String,
    mount: String,
    opener: Option<String>,
    pub(crate) env: Env,
    pub(crate) storage: Arc<dyn ErasedStorage>,
    http: Option<Arc<dyn ErasedClient>>,
    client_keys: Option<ClientKeys>,
    clients: Vec<Registration>,
    /// The first mistake in the settings of the login.
    fault: Option<OperatorError>,
    pub(crate) tenants: Vec<Tenants>,
    pub(crate) identity_lasts: Duration,
    pub(crate) clock_leeway: Duration,
    pub(crate) refresher: Arc<Refresher>,
    /// The codes that are being redeemed.
    pub(crate) redemptions: Arc<Redemptions<Granted>>,
    /// The tokens that are valid once.
    pub(crate) spent: Arc<Spent>,
    pub(crate) ended: Arc<EndedSessions>,
    /// The request objects that providers have not got.
    pub(crate) requests: Arc<Waiting>,
    pub(crate) hooks: Arc<dyn ErasedHooks>,
    /// Whether others may initiate logins.
    pub(crate) accepts_initiated_logins: bool,
    ready: OnceLock<Result<Ready, OperatorError>>,
}

/// The values derived from the configuration.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) site: Site,
    pub(crate) services: Arc<[Arc<Registered>]>,
    pub(crate) known_tenants: Arc<KnownTenants>,
}

impl Login {
    /// A site at `public_url` (`https://app.example`, with a path if it has one; `http` on this
    /// machine only), which seals cookies and states with `keys`.
    ///
    /// [`Login::check`] and every page report an invalid URL or key.
    pub fn new(keys: KeyRing, public_url: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            keys,
            public_url: public_url.into(),
            mount: "/login".to_owned(),
            opener: None,
            env: Env::system(),
            storage: Arc::new(CookieStorage),
            http: None,
            client_keys: None,
            clients: Vec::new(),
            fault: None,
            tenants: Vec::new(),
            identity_lasts: Duration::from_secs(14 * 24 * 3600),
            clock_leeway: ClaimsPolicy::LEEWAY,
            refresher: Arc::default(),
            redemptions: Arc::default(),
            spent: Arc::default(),
            ended: Arc::default(),
            requests: Arc::default(),
            hooks: Arc::new(NoHooks),
            accepts_initiated_logins: false,
            ready: OnceLock::new(),
        }))
    }

    /// Adds a service.
    #[must_use]
    pub fn with<S: 'static>(self, client: Client<S>) -> Self {
        self.with_registration(client.into())
    }

    pub(crate) fn with_registration(self, registration: Registration) -> Self {
        self.change(|inner| inner.clients.push(registration))
    }

    /// A login that [`Login::check`] refuses for this reason.
    pub(crate) fn with_fault(self, fault: OperatorError) -> Self {
        self.change(|inner| inner.fault = Some(fault))
    }

    /// Moves routes, callbacks and cookies from `/login` to another path, so that one application
    /// can have two logins. The callback of a service is then `{public
    /// URL}{path}/{service}/authorized`.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        self.change(|inner| inner.mount = path.trim_end_matches('/').to_owned())
    }

    /// Lets pages of this origin open a login in a window of its own: `/login/github?popup=1`.
    /// Where another login redirects, this one posts a message to the page that opened the window,
    /// if that is of this origin, and closes the window. The message has no token:
    /// `{type: "quadrille", service, next}`, or `error`, a code, in place of `next`.
    ///
    /// The pages of this login then have no `Cross-Origin-Opener-Policy` that separates the
    /// windows. The page that opens must have none, or `same-origin-allow-popups`.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(GitHub::new("our-id", "our-secret"))
    ///     .pop_up("https://app.example");
    /// login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn pop_up(self, opener: impl Into<String>) -> Self {
        self.change(|inner| inner.opener = Some(opener.into()))
    }

    /// Stores tokens here instead of in each user's cookies.
    #[must_use]
    pub fn storage(self, storage: impl TokenStorage) -> Self {
        self.change(|inner| inner.storage = Arc::new(storage))
    }

    /// Sends requests with this client: [`Reqwest`](crate::transport::Reqwest) with settings of the
    /// application, or another.
    #[must_use]
    pub fn http(self, client: impl HttpClient) -> Self {
        self.change(|inner| inner.http = Some(Arc::new(client)))
    }

    /// Sets the source of time and randomness, for tests.
    #[must_use]
    pub fn env(self, env: Env) -> Self {
        self.change(|inner| inner.env = env)
    }

    /// Sets the lifetime of an [`Identity`](crate::Identity); two weeks by default.
    #[must_use]
    pub fn identity_lasts(self, duration: Duration) -> Self {
        self.change(|inner| inner.identity_lasts = duration)
    }

    /// Sets the tolerated difference between the clocks of this site and of OpenID Providers: 30 seconds
    /// by default, and at most five minutes, for which an expired token is accepted, too. It is for a
    /// provider whose clock nobody sets right.
    ///
    /// ```
    /// use std::time::Duration;
    /// use quadrille::{KeyRing, Login, SpecBuf};
    ///
    /// let spec = SpecBuf::oidc("acme", "https://id.acme.example");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(spec.client("our-id", "our-secret"))
    ///     .clock_leeway(Duration::from_secs(120));
    /// # login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn clock_leeway(self, leeway: Duration) -> Self {
        self.change(|inner| inner.clock_leeway = leeway)
    }

    /// Checks the configuration. Call it at start, so that a mistake stops the program instead of
    /// failing the first login. The error is for the caller to report; the log does not have it.
    ///
    /// # Errors
    /// [`OperatorError`], which names the mistake.
    pub fn check(&self) -> Result<()> {
        self.made(|_| ()).map(|_| ())
    }

    /// The names and titles of the services, in the order in which they were added: for a page with
    /// a link to each. Services of tenants are not among them.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login};
    ///
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(GitHub::new("our-id", "our-secret"));
    /// assert_eq!(login.services().collect::<Vec<_>>(), [("github", "GitHub")]);
    /// ```
    pub fn services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.clients.iter().map(|client| (&*client.spec.name, &*client.spec.title))
    }

    /// The path of this site that begins a login at `service` and returns to `next`.
    ///
    /// # Errors
    /// [`OperatorError::ServiceUnknown`], and [`BrowserError::TenantUnknown`] for an invalid tenant
    /// name.
    pub fn login_url(&self, service: &str, next: Option<&str>) -> Result<String> {
        self.check_name(service)?;
        Ok(self.login_path(service, next.unwrap_or(""), ""))
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.ready = OnceLock::new();
        change(inner);
        self
    }

    /// The origin whose pages open logins in a window.
    #[cfg(feature = "axum")]
    pub(crate) fn opener(&self) -> Option<&str> {
        self.0.opener.as_deref()
    }

    pub(crate) fn mount(&self) -> &str {
        &self.0.mount
    }

    pub(crate) fn ready(&self) -> Result<&Ready> {
        self.made(|error| {
            let (code, likely) = (error.code(), error.likely_cause());
            tracing::error!(code, %error, likely, "this site's logins are not set up");
        })
    }

    /// Checks the configuration at the first call, and reports its error then.
    fn made(&self, report: impl FnOnce(Error)) -> Result<&Ready> {
        let ready = self.0.ready.get_or_init(|| {
            let ready = Ready::new(&self.0);
            match &ready {
                Ok(ready) => ready.log(&self.0),
                Err(error) => report(error.clone().into()),
            }
            ready
        });
        ready.as_ref().map_err(|error| error.clone().into())
    }

    pub(crate) fn by_type<S: Service>(&self) -> Result<Option<Arc<Registered>>> {
        let id = TypeId::of::<S>();
        Ok(self.ready()?.services.iter().find(|service| service.type_id == id).cloned())
    }

    /// The path of the login route with its parameters; omits empty ones. Further scopes are
    /// sealed: a link on another site must not make users grant more than this site requests.
    pub(crate) fn login_path(&self, service: &str, next: &str, scopes: &str) -> String {
        let Ok(ready) = self.ready() else { return String::new() };
        let path = [&ready.site.base_path, &self.0.mount, "/", service].concat();
        let mut path = FormWriter::after_url(&path);
        if !next.is_empty() {
            path.append("next", next);
        }
        if !scopes.is_empty() {
            let sealed = self.0.keys.seal(&self.0.env, ASK, &ready.site.name, scopes.as_bytes());
            path.append("ask", &sealed);
        }
        path.finish()
    }

    /// The scopes in a link of [`Login::login_path`].
    pub(crate) fn asked_scopes(&self, ask: &str) -> Result<Scopes> {
        let plain = self.0.keys.open(ASK, &self.ready()?.site.name, ask);
        let plain = plain.map_err(|_| BrowserError::StateUnknown)?;
        Ok(Scopes::of(String::from_utf8_lossy(&plain).split(' ')))
    }

    /// `wanted` as a page of this site to go on to. A login is none: the page may be the choice of
    /// another site, which would choose the account of a second login, too, and nothing asks before
    /// a login to which a page of this site leads.
    pub(crate) fn page_of_this_site(&self, wanted: &str) -> Option<String> {
        let ready = self.ready().ok()?;
        let page = same_site(&ready.site.origin, wanted)?;
        let path = page.split(['?', '#']).next().unwrap_or_default();
        (!self.is_of_a_login(ready, path)).then_some(page)
    }

    /// Whether a path leads to the routes of a login, also behind a proxy that decodes paths and
    /// merges slashes.
    fn is_of_a_login(&self, ready: &Ready, path: &str) -> bool {
        let Ok(path) = percent_decode(path) else { return false };
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let routes = [&*ready.site.base_path, &*self.0.mount].concat();
        let mut routes = routes.split('/').filter(|part| !part.is_empty());
        routes.all(|part| parts.next() == Some(part))
            && parts.next().is_some_and(|service| self.check_name(service).is_ok())
    }

    pub(crate) fn context<'a>(&'a self, ready: &'a Ready, jar: Option<&'a Jar>) -> Context<'a> {
        Context { jar, site: &ready.site }
    }

    /// Checks that `name` may be one of this site's services, without a look-up.
    ///
    /// # Errors
    /// [`OperatorError::ServiceUnknown`], and [`BrowserError::TenantUnknown`] for an invalid tenant
    /// name.
    pub(crate) fn check_name(&self, name: &str) -> Result<()> {
        if self.ready()?.services.iter().any(|service| *service.name == *name) {
            return Ok(());
        }
        self.tenant(name).map(|_| ())
    }

    /// The service and the tenant in `name`. The tenant may not exist.
    pub(crate) fn tenant<'a>(&self, name: &'a str) -> Result<(&Tenants, &'a str)> {
        let unknown = || names::unknown(name);
        let (service, tenant) = name.split_once(SEPARATOR).ok_or_else(unknown)?;
        let tenants = self.0.tenants.iter().find(|tenants| *tenants.service() == *service);
        let tenants = tenants.ok_or_else(unknown)?;
        names::check_tenant(tenant)?;
        Ok((tenants, tenant))
    }
}

const ASK: &str = "further scopes";

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<&str> = self.0.clients.iter().map(|c| c.spec.name.as_ref()).collect();
        names.extend(self.0.tenants.iter().map(Tenants::service));
        f.debug_struct("Login")
            .field("public_url", &self.0.public_url)
            .field("mount", &self.0.mount)
            .field("services", &names)
            .finish_non_exhaustive()
    }
}

impl Ready {
    fn new(inner: &Inner) -> Result<Self, OperatorError> {
        inner.fault.clone().map_or(Ok(()), Err)?;
        let url = Url::parse(&inner.public_url).map_err(|_| OperatorError::PublicUrlMalformed)?;
        // The parser drops white space around a URL, and an empty user name.
        let authority = inner.public_url.split('/').nth(2).unwrap_or("");
        let whole = matches!(url.scheme(), "http" | "https")
            && !inner.public_url.contains(|char: char| char.is_whitespace() || char.is_control())
            && !authority.contains('@')
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !whole {
            return Err(OperatorError::PublicUrlMalformed);
        }
        if !is_secure(&url) {
            return Err(OperatorError::PublicUrlInsecure);
        }
        check_mount(&inner.mount)?;
        if inner.opener.as_deref().is_some_and(|opener| !is_origin(opener)) {
            return Err(OperatorError::OpenerMalformed);
        }
        if inner.storage.is_durable() && inner.keys.is_ephemeral() {
            return Err(OperatorError::EphemeralKeys);
        }
        if inner.clock_leeway > LONGEST_LEEWAY {
            return Err(OperatorError::ClockLeewayTooLong);
        }
        check_storage(&inner.clients, &inner.tenants, inner.storage.is_in_browser())?;
        let mut names: Vec<&str> = inner.clients.iter().map(|c| c.spec.name.as_ref()).collect();
        names.extend(inner.tenants.iter().map(Tenants::service));
        if names.is_empty() {
            return Err(OperatorError::NoServices);
        }
        for (index, name) in names.iter().enumerate() {
            names::check_service(name)?;
            if names.iter().take(index).any(|known| known == name) {
                return Err(OperatorError::ServiceRepeated { service: (*name).into() });
            }
        }
        let http = match &inner.http {
            Some(http) => Arc::clone(http),
            None => transport::standard()?,
        };
        let in_use = InUse {
            keys: inner.keys.clone(),
            services: inner.clients.iter().map(|c| c.spec.name.as_ref().into()).collect(),
            with_tenants: inner.tenants.iter().map(|tenants| tenants.service().into()).collect(),
            tokens: inner.storage.is_in_browser(),
        };
        let site = Site::new(&url, &inner.mount, &inner.env, &inner.keys, http, in_use)
            .with_client_keys(inner.client_keys.clone())
            .with_clock_leeway(inner.clock_leeway);
        let services: Vec<_> = inner
            .clients
            .iter()
            .map(|registration| Registered::new(registration, &site, None).map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { site, services: services.into(), known_tenants: Arc::default() })
    }

    /// Logs the callbacks to register, and warns about a configuration that works, but not well.
    fn log(&self, inner: &Inner) {
        for service in &*self.services {
            let (service, callback) = (&*service.name, &*service.callback);
            info!(
                service,
                callback, "a service is set up, with this callback for logins in a browser"
            );
        }
        let rotating = |service: &&Arc<Registered>| match &service.dance {
            Dance::OAuth2(oauth2) => oauth2.spec.rotates_refresh_tokens,
            Dance::OAuth1(_) => false,
        };
        if inner.storage.is_in_browser() {
            for service in self.services.iter().filter(rotating) {
                warn!(
                    service = &*service.name,
                    "this service's refresh tokens are single-use, and two processes may refresh a \
                     token in a cookie at the same time: a storage on the server is safer"
                );
            }
        }
    }
}
