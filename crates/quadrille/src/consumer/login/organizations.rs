//! Logins by the OpenID Providers of organizations.

use std::sync::Arc;

use crate::{
    consumer::{
        error::{BrowserError, Error, OperatorError, Result, ServiceError},
        organizations::{
            Organizations, name_of,
            register::Registrar,
            stored::{Method, StoredClient},
        },
        registration::Registration,
        service::{Client, Dynamic, SpecBuf},
        storage::records::{Key, Kind},
    },
    oidc::UserIdentifier,
};

use super::{Login, Ready, known_tenants::Tenants};

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
    /// not found or not allowed, and those of [`register_at`](Self::register_at).
    pub async fn find_organization(&self, service: &str, typed: &str) -> Result<Organization> {
        let typed = UserIdentifier::parse(typed);
        let typed = typed.map_err(|_| BrowserError::IdentifierMalformed)?;
        let organizations = self.organizations(service)?;
        let issuer = Registrar::new(organizations, &self.ready()?.site)?.issuer(&typed).await?;
        self.register_at(service, &issuer).await
    }

    /// Registers the site at the provider with this issuer, which must be allowed, unless it is
    /// registered there already (OpenID Connect Dynamic Client Registration 1.0). A registration whose
    /// secret expires within an hour is renewed.
    ///
    /// # Errors
    /// [`BrowserError::OrganizationUnknown`] for an issuer that is not allowed,
    /// [`ServiceError::RegistrationUnsupported`], [`ServiceError::RegistrationRefused`], those of the
    /// requests and of the storage, and [`ServiceError::Unavailable`] while another process registers.
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
        organizations: &Organizations,
        name: &str,
    ) -> Result<Option<Registration>> {
        let Some(client) = self.registered_client(organizations, name, None).await? else {
            return Ok(None);
        };
        if !organizations.allow(&client.issuer).await {
            return Ok(None);
        }
        let spec = SpecBuf::oidc(organizations.service.to_string(), client.issuer.clone())
            .scopes(organizations.scopes.as_str());
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
        Ok(Some(registration))
    }

    /// The stored registration of an organization, renewed if it is due; a new one at `issuer` if there
    /// is none.
    async fn registered_client(
        &self,
        organizations: &Organizations,
        name: &str,
        issuer: Option<&str>,
    ) -> Result<Option<StoredClient>> {
        let ready = self.ready()?;
        let records = self.records(ready).ok_or(OperatorError::OutsideRequest)?;
        let key = Key { at: crate::Timestamp::default(), text: name.to_owned() };
        let known = records.get(Kind::Clients, &key).await?;
        let known = known.and_then(|content| StoredClient::read(&content));
        // A hash of the issuer is its key.
        let known = known.filter(|known| name_of(&known.issuer) == name);
        let now = ready.site.env.now();
        let due = match (&known, issuer) {
            (Some(client), _) => client.is_due(now),
            (None, issuer) => issuer.is_some(),
        };
        if !due {
            return Ok(known);
        }
        let Some(lease) = records.lease(Kind::Clients, &key).await? else {
            return match known {
                Some(known) => Ok(Some(known)),
                None => Err(self.busy(organizations)),
            };
        };
        let registrar = Registrar::new(organizations, &ready.site)?;
        let outcome = match (known, issuer) {
            (Some(known), _) => registrar.renew(known).await,
            (None, Some(issuer)) => registrar.register(issuer).await,
            (None, None) => return Ok(None),
        };
        let stored = match outcome {
            Ok(client) => {
                records.put(Kind::Clients, &key, &client.to_json()).await.map(|()| Some(client))
            }
            Err(error) => Err(error),
        };
        records.release(Kind::Clients, &key, lease).await?;
        stored
    }

    fn organizations(&self, service: &str) -> Result<&Organizations> {
        let found = self.0.tenants.iter().find(|tenants| tenants.service() == service);
        let found = found.and_then(Tenants::as_organizations);
        found.ok_or_else(|| OperatorError::ServiceUnknown { service: service.into() }.into())
    }

    fn busy(&self, organizations: &Organizations) -> Error {
        let status = http::StatusCode::SERVICE_UNAVAILABLE;
        let retry_after = Some(std::time::Duration::from_secs(1));
        let error = ServiceError::Unavailable { status, retry_after };
        Error::service(&Arc::clone(&organizations.service), error)
    }
}

impl Ready {
    /// Whether the tenants are organizations, whose registrations need a storage on the server.
    pub(super) fn check_storage(
        tenants: &[Tenants],
        is_in_browser: bool,
    ) -> Result<(), OperatorError> {
        let needing = tenants.iter().find(|tenants| tenants.as_organizations().is_some());
        match needing.filter(|_| is_in_browser) {
            Some(tenants) => {
                Err(OperatorError::StorageInBrowser { service: tenants.service().into() })
            }
            None => Ok(()),
        }
    }
}
