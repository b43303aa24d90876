//! Services that are another for each tenant, looked up when somebody needs them.
//!
//! A tenant's service is called `{service}~{tenant}` everywhere: in the login's path and its
//! callback, in the attempt, in cookies' names, and in the key under which a storage has the
//! account. So no two tenants can ever be taken for each other.

use std::{
    collections::HashMap,
    fmt::Display,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::error;

use crate::{
    Timestamp,
    consumer::error::{BrowserError, Error, OperatorError, Result},
};

use super::{
    cookie_room::{remove_all_of, tenants},
    cookies::Jar,
    login::Login,
    registered::{Registered, Registration},
    service::Client,
};

/// Between a service's name and its tenant's. RFC 3986 leaves it alone in paths, RFC 6265 allows it
/// in cookies' names, and no service's name has it.
pub(super) const SEPARATOR: char = '~';
/// How long a tenant's client is used without asking again.
const LASTS: Duration = Duration::from_secs(60);
/// How many are kept.
const MOST: usize = 2000;
/// How long a tenant's name may be.
const LONGEST: usize = 64;
/// How much of an unknown service's name is told.
const LONGEST_SHOWN: usize = 64;
/// How many tenants are looked up because a browser has cookies of theirs and no room.
const LOOKED_UP: usize = 16;

type Resolving =
    Pin<Box<dyn Future<Output = Result<Option<Registration>, OperatorError>> + Send + 'static>>;

/// The tenants of one service.
#[derive(Clone)]
pub(crate) struct Tenants {
    service: Arc<str>,
    resolve: Arc<dyn Fn(String) -> Resolving + Send + Sync>,
}

impl Login {
    /// Lets people log in with a service that is another for each tenant: a customer's own server,
    /// or a registration of their own at a common one. `resolver` is asked for a tenant's client
    /// when somebody needs it, and again after a minute: `async fn(state, tenant)`. `None` is a
    /// tenant that there is not, and a page that says so.
    ///
    /// The service of the tenant `acme` is called `crm~acme`: people log in at `/login/crm~acme`,
    /// the callback to register is `/login/crm~acme/authorized`, a handler says
    /// `visitor.linked("crm~acme")`, and [`Account::service`](super::Account::service) is that
    /// name too. A tenant's name is made of letters, digits, `-`, `_` and `.`, at most 64; the
    /// resolver never sees another.
    ///
    /// This server calls the endpoints that the resolver names. Where customers type them in, look
    /// at what they typed.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use quadrille::{KeyRing, Login, Result, SpecBuf, Visitor, consumer::{Client, Dynamic}};
    ///
    /// #[derive(Clone)]
    /// struct Customers(HashMap<String, (String, String)>); // a database, rather
    ///
    /// async fn crm_of(customers: Customers, tenant: String) -> Result<Option<Client<Dynamic>>> {
    ///     let Some((id, secret)) = customers.0.get(&tenant) else { return Ok(None) };
    ///     let base = format!("https://{tenant}.crm.example");
    ///     let spec = SpecBuf::oauth2(
    ///         "crm",
    ///         format!("{base}/authorize"),
    ///         format!("{base}/token"),
    ///         format!("{base}/api"),
    ///     );
    ///     Ok(Some(spec.client(id, secret.as_str())))
    /// }
    ///
    /// async fn contacts(visitor: Visitor) -> Result<String> {
    ///     let crm = visitor.linked("crm~acme").await?; // or to the login, and back here
    ///     crm.get("contacts").await
    /// }
    ///
    /// # let customers = Customers(HashMap::new());
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with_tenants("crm", customers, crm_of);
    /// assert_eq!(login.login_url("crm~acme", None)?, "/login/crm~acme");
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    ///
    /// An error of the resolver goes to the log, and is
    /// [`OperatorError::TenantLookup`] to everyone else.
    #[must_use]
    pub fn with_tenants<S, St, F, Answer, E>(self, service: &str, state: St, resolver: F) -> Self
    where
        S: 'static,
        St: Clone + Send + Sync + 'static,
        F: Fn(St, String) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Option<Client<S>>, E>> + Send + 'static,
        E: Display,
    {
        let service: Arc<str> = service.into();
        let name = Arc::clone(&service);
        let resolve = move |tenant: String| -> Resolving {
            let service = Arc::clone(&name);
            let answer = resolver(state.clone(), tenant.clone());
            Box::pin(async move {
                match answer.await {
                    Ok(client) => Ok(client.map(Registration::from)),
                    Err(error) => {
                        error!(service = &*service, tenant, %error, "a tenant could not be looked up");
                        Err(OperatorError::TenantLookup { service: (*service).into() })
                    }
                }
            })
        };
        self.change(|inner| inner.tenants.push(Tenants { service, resolve: Arc::new(resolve) }))
    }

    /// The service called `name`; a tenant's may have to be looked up.
    pub(crate) async fn by_name(&self, name: &str) -> Result<Arc<Registered>> {
        let ready = self.ready()?;
        if let Some(known) = ready.services.iter().find(|service| *service.name == *name) {
            return Ok(Arc::clone(known));
        }
        let (tenants, tenant) = self.tenant(name)?;
        let now = self.0.env.now();
        if let Some(known) = ready.known_tenants.recall(name, now) {
            return Ok(known);
        }
        let found = (tenants.resolve)(tenant.to_owned()).await?;
        let Some(mut registration) = found else {
            ready.known_tenants.lock().remove(name);
            return Err(BrowserError::TenantUnknown.into());
        };
        registration.spec.name = name.to_owned().into();
        let registered = Arc::new(Registered::new(&registration, &ready.site)?);
        ready.known_tenants.keep(&registered, now);
        Ok(registered)
    }

    /// Whether `name` may be one of this site's services, without looking any tenant up.
    ///
    /// # Errors
    /// As [`Login::by_name`].
    pub(crate) fn check_name(&self, name: &str) -> Result<()> {
        if self.ready()?.services.iter().any(|service| *service.name == *name) {
            return Ok(());
        }
        self.tenant(name).map(|_| ())
    }

    /// Removes the cookies of tenants that there are no more, if `error` says that there is no room.
    /// `Ok`: there is more room now.
    ///
    /// # Errors
    /// `error`, when nothing was removed.
    pub(crate) async fn remove_gone_tenants(&self, jar: &Jar, error: Error) -> Result<()> {
        if !matches!(error, Error::Operator(OperatorError::CookieTooLarge { .. })) {
            return Err(error);
        }
        let ready = self.ready()?;
        let mut is_removed = false;
        for name in tenants(jar, &ready.style, &ready.in_use).iter().take(LOOKED_UP) {
            let found = self.by_name(name).await;
            if matches!(found, Err(Error::Browser(BrowserError::TenantUnknown))) {
                remove_all_of(jar, &ready.style, name)?;
                is_removed = true;
            }
        }
        if is_removed { Ok(()) } else { Err(error) }
    }

    fn tenant<'a>(&self, name: &'a str) -> Result<(&Tenants, &'a str)> {
        let unknown = || OperatorError::ServiceUnknown { service: shown(name) };
        let (service, tenant) = name.split_once(SEPARATOR).ok_or_else(unknown)?;
        let tenants = self.0.tenants.iter().find(|tenants| *tenants.service == *service);
        let tenants = tenants.ok_or_else(unknown)?;
        if is_name(tenant) {
            Ok((tenants, tenant))
        } else {
            Err(BrowserError::TenantUnknown.into())
        }
    }
}

impl Tenants {
    pub(crate) fn service(&self) -> &str {
        &self.service
    }
}

/// A name that anybody may have made up, fit for a log.
fn shown(name: &str) -> Box<str> {
    let fit = |char: char| if char.is_ascii_graphic() { char } else { char::REPLACEMENT_CHARACTER };
    name.chars().take(LONGEST_SHOWN).map(fit).collect::<String>().into()
}

fn is_name(tenant: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&tenant.len()) && tenant.bytes().all(fit)
}

/// The tenants of the last minute, by their service's name.
#[derive(Debug, Default)]
pub(crate) struct KnownTenants(Mutex<Known>);

/// Each with the time at which it was looked up.
type Known = HashMap<Arc<str>, (Timestamp, Arc<Registered>)>;

impl KnownTenants {
    fn recall(&self, name: &str, now: Timestamp) -> Option<Arc<Registered>> {
        let known = self.lock();
        let (since, registered) = known.get(name)?;
        (now.since(*since) < LASTS).then(|| Arc::clone(registered))
    }

    fn keep(&self, registered: &Arc<Registered>, now: Timestamp) {
        let mut known = self.lock();
        if known.len() >= MOST {
            known.retain(|_, (since, _)| now.since(*since) < LASTS);
            if known.len() >= MOST {
                // Each comes back at the cost of one look-up.
                known.clear();
            }
        }
        known.insert(Arc::clone(&registered.name), (now, Arc::clone(registered)));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
