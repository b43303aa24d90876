//! Services that differ by tenant, looked up on demand.
//!
//! A tenant's service is named `{service}~{tenant}` everywhere: in the login's path and its
//! callback, in the attempt, in cookies' names, and in storage keys. So tenants cannot be confused.

use std::{fmt::Display, sync::Arc};

use tracing::error;

use crate::consumer::{
    cookies::{
        Jar,
        room::{remove_all_of, tenants},
    },
    error::{BrowserError, Error, OperatorError, Result},
    registration::Registration,
    service::Client,
};

use super::{
    Login,
    known_tenants::{Resolver, Resolving, Tenants},
    registered::Registered,
};

/// The greatest number of tenants looked up to remove a browser's cookies.
const LOOKED_UP: usize = 16;

impl Login {
    /// Adds a service that differs by tenant: a customer's own server, or a registration of their
    /// own at a common one. The resolver `async fn(state, tenant)` returns a tenant's client. It is
    /// called on demand, and again after a minute. `None` means no such tenant; the user sees an
    /// error page.
    ///
    /// The service of the tenant `acme` is named `crm~acme`: the login is at `/login/crm~acme`, the
    /// callback to register is `/login/crm~acme/authorized`, a handler calls
    /// `visitor.linked("crm~acme")`, and [`Account::service`](crate::consumer::Account::service) is that
    /// name. A tenant's name has at most 64 letters, digits, `-`, `_` and `.`; the resolver is
    /// never called with any other.
    ///
    /// This server sends requests to the endpoints that the resolver returns. If customers enter
    /// them, validate them.
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
    /// An error of the resolver is logged; callers get [`OperatorError::TenantLookup`].
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
                        let service = &*service;
                        error!(service, tenant, %error, "a tenant could not be looked up");
                        Err(OperatorError::TenantLookup { service: service.into() })
                    }
                }
            })
        };
        let tenants = Tenants { service, resolver: Resolver::Hook(Arc::new(resolve)) };
        self.change(|inner| inner.tenants.push(tenants))
    }

    /// The service with this name; a tenant's may require a look-up.
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
        let found = match &tenants.resolver {
            Resolver::Hook(resolve) => resolve(tenant.to_owned()).await?,
            Resolver::Stored(organizations) => {
                Box::pin(self.organization(organizations, tenant)).await?
            }
        };
        let Some(mut registration) = found else {
            ready.known_tenants.forget(name);
            return Err(BrowserError::TenantUnknown.into());
        };
        registration.spec.name = name.to_owned().into();
        let known = ready.known_tenants.last(name);
        let registered = Registered::new(&registration, &ready.site, known.as_deref())?;
        let registered = Arc::new(registered);
        ready.known_tenants.keep(&registered, now);
        Ok(registered)
    }

    /// Removes the cookies of tenants that no longer exist, if `error` is a lack of room. `Ok` if
    /// there is more room now.
    ///
    /// # Errors
    /// `error` if nothing was removed.
    pub(crate) async fn remove_gone_tenants(&self, jar: &Jar, error: Error) -> Result<()> {
        if !matches!(error, Error::Operator(OperatorError::CookieTooLarge { .. })) {
            return Err(error);
        }
        let site = &self.ready()?.site;
        let mut is_removed = false;
        for name in tenants(jar, &site.style, &site.in_use).iter().take(LOOKED_UP) {
            let found = self.by_name(name).await;
            if matches!(found, Err(Error::Browser(BrowserError::TenantUnknown))) {
                remove_all_of(jar, &site.style, name)?;
                is_removed = true;
            }
        }
        if is_removed { Ok(()) } else { Err(error) }
    }
}
