//! Logins by the OpenID Providers of organizations.

use std::{sync::Arc, time::Duration};

use tracing::warn;

use crate::{
    consumer::{
        attempt::ClientMark,
        error::{BrowserError, Error, OperatorError, Result, ServiceError},
        organizations::{
            Organizations, name_of,
            register::Registrar,
            stored::{Method, StoredClient},
        },
        registration::Registration,
        service::{Client, Dynamic, SpecBuf},
        storage::records::{Key, Kind, Records},
    },
    oidc::UserIdentifier,
};

use super::{Login, known_tenants::Tenants, registered::Registered};

/// The pause between two looks at the registration that another process makes, and their number.
const LOOK: Duration = Duration::from_millis(250);
const LOOKS: u32 = 20;

/// An organization whose provider logs users in, at which the site is registered.
///
/// ```
/// use quadrille::{Login, Result};
///
/// async fn next(login: &Login, typed: &str) -> Result<String> {
///     let organization = login.find_organization("work", typed).await?;
///     login.login_url(&organization.service, Some("/album"))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organization {
    /// The name of its login, such as `work~0123456789abcdef01234567`.
    pub service: String,
    /// The issuer.
    pub issuer: String,
}

impl Login {
    /// Adds a login box for many organizations: a user types an e-mail address or a URL, and logs in at
    /// the OpenID Provider of their organization, at which the site registers itself
    /// ([`find_organization`](Self::find_organization)). The storage of the login keeps the
    /// registrations, sealed, so it must be on the server.
    ///
    /// Each organization is a tenant ([`with_tenants`](Self::with_tenants)), named by its issuer.
    ///
    /// ```
    /// use quadrille::{KeyRing, Login, consumer::{MemoryStorage, Organizations}};
    ///
    /// let organizations = Organizations::new("work").allow_issuer("https://id.acme.example");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .storage(MemoryStorage::new())
    ///     .with_organizations(organizations);
    /// login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    #[must_use]
    pub fn with_organizations(self, organizations: Organizations) -> Self {
        self.change(|inner| inner.tenants.push(Tenants::organizations(organizations)))
    }

    /// Finds the organization of a user who has typed this e-mail address or URL (OpenID Connect
    /// Discovery, section 2), and registers the site at its issuer if it is not yet. The issuer must be
    /// allowed ([`Organizations`]). `login_url` of the result begins the login.
    ///
    /// `Login::organization_routes` calls it.
    ///
    /// # Errors
    /// [`BrowserError::IdentifierMalformed`], [`BrowserError::OrganizationUnknown`] for an issuer that is
    /// not found or not allowed, [`BrowserError::TooManyLookups`], and those of
    /// [`register_at`](Self::register_at).
    pub async fn find_organization(&self, service: &str, typed: &str) -> Result<Organization> {
        let typed = UserIdentifier::parse(typed);
        let typed = typed.map_err(|_| BrowserError::IdentifierMalformed)?;
        let organizations = self.organizations(service)?;
        let issuer = self.registrar(organizations)?.issuer(&typed).await?;
        self.register_at(service, &issuer).await
    }

    /// Registers the site at the provider with this issuer, which must be allowed, unless it is
    /// registered there already (OpenID Connect Dynamic Client Registration 1.0). A registration whose
    /// secret expires within an hour, or within a quarter of its lifetime, is renewed; if the provider
    /// gives it another `client_id` then, logins that have begun go on with the old one.
    ///
    /// The registration runs on a task of its own, once for all who wait for it, and a failure is
    /// remembered for ten seconds. It names the receiver of logouts if this login has
    /// `Login::logout_routes` or [`receives_logouts`](Self::receives_logouts), and the
    /// `initiate_login_uri` with [`accept_initiated_logins`](Self::accept_initiated_logins).
    ///
    /// # Errors
    /// [`BrowserError::OrganizationUnknown`] for an issuer that is not allowed,
    /// [`ServiceError::RegistrationUnsupported`], [`ServiceError::RegistrationRefused`],
    /// [`ServiceError::RegistrationUnusable`], those of the requests and of the storage, and
    /// [`ServiceError::Unavailable`] while another process registers.
    pub async fn register_at(&self, service: &str, issuer: &str) -> Result<Organization> {
        let organizations = self.organizations(service)?;
        if !organizations.allow(issuer).await {
            return Err(BrowserError::OrganizationUnknown.into());
        }
        let name = name_of(issuer);
        self.registered_client(organizations, &name, Some(issuer)).await?;
        let service = format!("{service}~{name}");
        Ok(Organization { service, issuer: issuer.to_owned() })
    }

    /// The registration of an organization's login.
    pub(super) async fn organization(
        &self,
        organizations: &Arc<Organizations>,
        name: &str,
    ) -> Result<Option<Registration>> {
        let Some(client) = self.registered_client(organizations, name, None).await? else {
            return Ok(None);
        };
        if !organizations.allow(&client.issuer).await {
            return Ok(None);
        }
        Ok(Some(registration(organizations, client)?))
    }

    /// The mark of the client that a service knows this site by, if that may be another one soon.
    pub(crate) fn changing_client(&self, registered: &Registered) -> Option<ClientMark> {
        let (tenants, _) = self.tenant(&registered.name).ok()?;
        tenants.as_organizations().map(|_| ClientMark::of(&registered.id))
    }

    /// A service as the client with which a login began: the site may have registered anew since.
    ///
    /// # Errors
    /// [`BrowserError::AttemptExpired`] if that client is not known any more, and those of the storage.
    pub(crate) async fn registered_as(
        &self,
        registered: Arc<Registered>,
        began: Option<ClientMark>,
    ) -> Result<Arc<Registered>> {
        let Some(began) = began.filter(|began| *began != ClientMark::of(&registered.id)) else {
            return Ok(registered);
        };
        let (tenants, name) = self.tenant(&registered.name)?;
        let organizations = tenants.as_organizations().ok_or(BrowserError::TenantUnknown)?;
        let client = self.stored_client(name).await?;
        let client = client.and_then(|client| client.begun_as(began));
        let client = client.ok_or(BrowserError::AttemptExpired)?;
        let mut registration = registration(organizations, client)?;
        registration.spec.name = registered.name.as_ref().to_owned().into();
        let site = &self.ready()?.site;
        let registered = Registered::new(&registration, site, Some(&*registered))?;
        Arc::new(registered).discovered(site).await
    }

    /// The stored registration of an organization, renewed if it is due; a new one at `issuer` if there
    /// is none.
    async fn registered_client(
        &self,
        organizations: &Arc<Organizations>,
        name: &str,
        issuer: Option<&str>,
    ) -> Result<Option<StoredClient>> {
        let now = self.0.env.now();
        let known = self.stored_client(name).await?;
        let is_due = known.as_ref().map_or(issuer.is_some(), |client| client.is_due(now));
        if !is_due {
            return Ok(known);
        }
        let (login, shared) = (self.clone(), Arc::clone(organizations));
        let (name_there, issuer) = (name.to_owned(), issuer.map(str::to_owned));
        // On a task of its own, so that a user who goes away meanwhile leaves no lease behind.
        let register = || -> Result<_> {
            Ok(async move { login.register(&shared, &name_there, issuer.as_deref()).await })
        };
        let registrations = &organizations.lookups.registrations;
        match (registrations.get(&organizations.service, name, now, register).await, known) {
            (Ok(client), _) => Ok(Some(client)),
            (Err(error), Some(known)) if !known.has_expired(now) => {
                let service = &*organizations.service;
                warn!(service, name, %error, code = error.code(),
                    "a registration could not be renewed and is used until it expires");
                Ok(Some(known))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Registers the site, or renews its registration, while no other process does.
    async fn register(
        &self,
        organizations: &Organizations,
        name: &str,
        issuer: Option<&str>,
    ) -> Result<StoredClient> {
        let records = self.client_records()?;
        let mut looks = 0;
        let lease = loop {
            if let Some(lease) = records.lease(Kind::Clients, &key_of(name)).await? {
                break lease;
            }
            match self.stored_client(name).await? {
                Some(known) if !known.has_expired(self.0.env.now()) => return Ok(known),
                _ if looks >= LOOKS => return Err(busy(organizations)),
                _ => looks += 1,
            }
            tokio::time::sleep(LOOK).await;
        };
        let registered = self.registered(organizations, &records, name, issuer).await;
        if let Err(error) = records.release(Kind::Clients, &key_of(name), lease).await {
            let service = &*organizations.service;
            warn!(service, name, %error, "a lease could not be released and expires by itself");
        }
        registered
    }

    async fn registered(
        &self,
        organizations: &Organizations,
        records: &Records<'_>,
        name: &str,
        issuer: Option<&str>,
    ) -> Result<StoredClient> {
        let registrar = self.registrar(organizations)?;
        let client = match (self.stored_client(name).await?, issuer) {
            // Another process was faster.
            (Some(known), _) if !known.is_due(self.0.env.now()) => return Ok(known),
            (Some(known), _) => registrar.renew(known).await?,
            (None, Some(issuer)) => registrar.register(issuer).await?,
            (None, None) => return Err(BrowserError::TenantUnknown.into()),
        };
        records.put(Kind::Clients, &key_of(name), &client.to_json()).await?;
        Ok(client)
    }

    /// The registration of an organization with this name, as it is stored.
    async fn stored_client(&self, name: &str) -> Result<Option<StoredClient>> {
        let known = self.client_records()?.get(Kind::Clients, &key_of(name)).await?;
        let known = known.and_then(|content| StoredClient::read(&content));
        // A hash of the issuer is its key.
        Ok(known.filter(|known| name_of(&known.issuer) == name))
    }

    fn client_records(&self) -> Result<Records<'_>> {
        Ok(self.records(self.ready()?).ok_or(OperatorError::OutsideRequest)?)
    }

    fn registrar<'a>(&'a self, organizations: &'a Organizations) -> Result<Registrar<'a>> {
        let (logouts, logins) = (self.0.ended.is_receiving(), self.0.accepts_initiated_logins);
        Registrar::new(organizations, &self.ready()?.site, logouts, logins)
    }

    fn organizations(&self, service: &str) -> Result<&Arc<Organizations>> {
        let found = self.0.tenants.iter().find(|tenants| tenants.service() == service);
        let found = found.and_then(Tenants::as_organizations);
        found.ok_or_else(|| OperatorError::ServiceUnknown { service: service.into() }.into())
    }
}

/// The key of a registration's record.
fn key_of(name: &str) -> Key {
    Key { at: crate::Timestamp::default(), text: name.to_owned() }
}

/// Another process registers the site, and takes its time.
fn busy(organizations: &Organizations) -> Error {
    let status = http::StatusCode::SERVICE_UNAVAILABLE;
    let retry_after = Some(Duration::from_secs(1));
    let error = ServiceError::Unavailable { status, retry_after };
    Error::service(&organizations.service, error)
}

/// The service that an organization's provider is for this client.
fn registration(organizations: &Organizations, client: StoredClient) -> Result<Registration> {
    let spec = SpecBuf::oidc(organizations.service.to_string(), client.issuer.clone())
        .scopes(organizations.scopes.as_str())
        .id_tokens_signed_by(client.algorithm);
    let with_secret = |spec: SpecBuf<_>| match &client.secret {
        Some(secret) => spec.client(client.id.clone(), secret.clone()),
        None => spec.public_client(client.id.clone()),
    };
    let registered: Client<Dynamic> = match client.method {
        Method::PrivateKeyJwt => spec.signing_client(client.id),
        Method::ClientSecretPost => with_secret(spec.secret_in_body()),
        Method::ClientSecretBasic | Method::None => with_secret(spec),
    };
    let mut registration = Registration::from(registered.allow_parameters(["login_hint"]));
    registration.http = Some(organizations.http()?);
    Ok(registration)
}
