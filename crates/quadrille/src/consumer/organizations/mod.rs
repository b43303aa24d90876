//! Organizations with OpenID Providers of their own, at which the site registers itself.

mod lookups;
pub(super) mod register;
pub(super) mod stored;

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use url::Host;

use crate::{
    Scopes, Secret,
    consumer::error::OperatorError,
    digest::sha256,
    transport::{ErasedClient, HttpClient},
};

use self::lookups::Lookups;
use super::confined::confined;

type Allowing = Pin<Box<dyn Future<Output = bool> + Send>>;

/// The organizations whose users log in by their own OpenID Providers, found by the address that a user
/// types: [`Login::with_organizations`](crate::Login::with_organizations). By default no issuer is
/// allowed.
///
/// ```
/// use quadrille::consumer::Organizations;
///
/// let organizations = Organizations::new("work")
///     .client_name("Photo album")
///     .scopes("openid email")
///     .allow_issuer("https://id.acme.example")
///     .domain("globex.example", "https://login.globex.example");
/// # let _ = organizations;
/// ```
#[derive(Clone)]
pub struct Organizations {
    pub(super) service: Arc<str>,
    pub(super) client_name: Option<String>,
    pub(super) scopes: Scopes,
    allowed: Vec<String>,
    allows: Option<Arc<dyn Fn(String) -> Allowing + Send + Sync>>,
    domains: BTreeMap<String, String>,
    pub(super) initial_tokens: BTreeMap<String, Secret>,
    /// The first domain that is none.
    malformed: Option<Box<str>>,
    pub(super) lookups: Arc<Lookups>,
    http: OnceLock<Result<Arc<dyn ErasedClient>, OperatorError>>,
}

impl Organizations {
    /// The deadline of each request to the host of an organization.
    pub(super) const DEADLINE: Duration = Duration::from_secs(5);

    /// Organizations whose logins have this name: `/login/{service}~{organization}`.
    pub fn new(service: impl Into<Arc<str>>) -> Self {
        Self {
            service: service.into(),
            client_name: None,
            scopes: Scopes::of(["openid", "email", "profile"]),
            allowed: Vec::new(),
            allows: None,
            domains: BTreeMap::new(),
            initial_tokens: BTreeMap::new(),
            malformed: None,
            lookups: Arc::new(Lookups::new()),
            http: OnceLock::new(),
        }
    }

    /// The name of this application on the pages of the providers (`client_name`; RFC 7591, section 2).
    #[must_use]
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = Some(name.into());
        self
    }

    /// The scopes of logins, separated by spaces; `openid email profile` by default.
    #[must_use]
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.scopes = Scopes::of(scopes.split(' '));
        self
    }

    /// Allows an issuer, compared character by character.
    #[must_use]
    pub fn allow_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.allowed.push(issuer.into());
        self
    }

    /// Allows the issuers for which this closure says so, such as those in a table of customers. It is
    /// called for each login and, within a minute, for requests after it.
    ///
    /// ```
    /// use quadrille::consumer::Organizations;
    ///
    /// # #[derive(Clone)] struct Customers;
    /// # impl Customers { async fn have(&self, _issuer: &str) -> bool { false } }
    /// # let customers = Customers;
    /// let organizations = Organizations::new("work").allow_by(move |issuer| {
    ///     let customers = customers.clone();
    ///     async move { customers.have(&issuer).await }
    /// });
    /// ```
    #[must_use]
    pub fn allow_by<F, Answer>(mut self, allows: F) -> Self
    where
        F: Fn(String) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = bool> + Send + 'static,
    {
        self.allows = Some(Arc::new(move |issuer| Box::pin(allows(issuer))));
        self
    }

    /// Sends the users whose identifier is of this domain to this issuer, which is allowed then, without
    /// a WebFinger request: many organizations have no such server. The domain may be written in
    /// Unicode. [`Login::check`](crate::Login::check) refuses a text that is no domain:
    /// [`OperatorError::DomainMalformed`].
    #[must_use]
    pub fn domain(mut self, domain: &str, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        match a_labels(domain) {
            Some(domain) => drop(self.domains.insert(domain, issuer.clone())),
            None => drop(self.malformed.get_or_insert_with(|| domain.into())),
        }
        self.allow_issuer(issuer)
    }

    /// The initial access token for the registration at an issuer that wants one (RFC 7591, section 3).
    #[must_use]
    pub fn initial_access_token(
        mut self,
        issuer: impl Into<String>,
        token: impl Into<Secret>,
    ) -> Self {
        self.initial_tokens.insert(issuer.into(), token.into());
        self
    }

    /// Sends the requests to the hosts of organizations with this client, in place of one that is
    /// confined to the public Internet. Gives up: what a user types chooses hosts, so a client that
    /// reaches services inside of the network lets strangers send requests to them.
    #[must_use]
    pub fn http_that_strangers_can_send_to_services_inside(
        mut self,
        client: impl HttpClient,
    ) -> Self {
        self.http = OnceLock::from(Ok(Arc::new(client) as Arc<dyn ErasedClient>));
        self
    }

    /// The client of requests to hosts that users choose.
    pub(super) fn http(&self) -> Result<Arc<dyn ErasedClient>, OperatorError> {
        self.http.get_or_init(confined).clone()
    }

    /// The issuer of a domain that the application names.
    pub(super) fn issuer_of(&self, domain: &str) -> Option<&str> {
        self.domains.get(&a_labels(domain)?).map(String::as_str)
    }

    /// Checks what the application says of domains.
    ///
    /// # Errors
    /// [`OperatorError::DomainMalformed`].
    pub(super) fn check(&self) -> Result<(), OperatorError> {
        match &self.malformed {
            Some(domain) => Err(OperatorError::DomainMalformed { domain: domain.clone() }),
            None => Ok(()),
        }
    }

    /// Whether users of this issuer may log in.
    pub(super) async fn allow(&self, issuer: &str) -> bool {
        if self.allowed.iter().any(|known| known == issuer) {
            return true;
        }
        match &self.allows {
            Some(allows) => allows(issuer.to_owned()).await,
            None => false,
        }
    }
}

impl fmt::Debug for Organizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Organizations")
            .field("service", &self.service)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

/// A domain as URLs have it: in A-labels (RFC 5890, section 2.3.2.1), in lower case, without the dot of
/// the root.
fn a_labels(domain: &str) -> Option<String> {
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) => {
            let domain = domain.strip_suffix('.').unwrap_or(&domain);
            (!domain.is_empty()).then(|| domain.to_owned())
        }
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => None,
    }
}

/// The name of an organization, by its issuer.
pub(super) fn name_of(issuer: &str) -> String {
    sha256(issuer.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_the_same_in_unicode_and_in_letters_of_hosts() {
        let organizations = Organizations::new("work")
            .domain("M\u{fc}nchen.example", "https://id.one.example")
            .domain("xn--bcher-kva.example", "https://id.two.example")
            .domain("Globex.example.", "https://id.three.example");
        assert_eq!(organizations.check(), Ok(()));
        for (domain, issuer) in [
            ("xn--mnchen-3ya.example", Some("https://id.one.example")),
            ("m\u{fc}nchen.example", Some("https://id.one.example")),
            ("xn--mnchen-3ya.example.", Some("https://id.one.example")),
            ("b\u{fc}cher.example", Some("https://id.two.example")),
            ("globex.example", Some("https://id.three.example")),
            ("munchen.example", None),
            ("example", None),
        ] {
            assert_eq!(organizations.issuer_of(domain), issuer, "{domain}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused_at_start() {
        for domain in
            ["", ".", "ada@acme.example", "https://acme.example", "acme.example:8080", "9.9.9.9"]
        {
            let organizations = Organizations::new("work").domain(domain, "https://id.example");
            let error = OperatorError::DomainMalformed { domain: domain.into() };
            assert_eq!(organizations.check(), Err(error));
        }
    }
}
