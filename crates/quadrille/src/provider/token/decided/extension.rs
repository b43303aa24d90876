//! Grants of the application's own (RFC 6749, section 4.5).

use std::{fmt, pin::Pin, sync::Arc};

use crate::{RemoteAddress, Scopes, oauth2::Resources, provider::client::record::Client};

use super::granted::{Granted, NotGranted};

/// A grant of the application's own (RFC 6749, section 4.5): see
/// [`AuthorizationServer::grant`](crate::provider::AuthorizationServer::grant). Implement it with
/// `async fn`, or use an async closure.
///
/// The client has authenticated, and is registered for the grant; its scopes and APIs are checked.
///
/// ```
/// use quadrille::provider::{ExtensionGrant, GrantRequest, Granted, NotGranted};
///
/// /// A kiosk that shows photos to the person who scanned the ticket.
/// struct Kiosk;
///
/// impl ExtensionGrant for Kiosk {
///     async fn grant(&self, request: GrantRequest) -> Result<Granted, NotGranted> {
///         match request.required("ticket")? {
///             "4711" => Ok(Granted::to_user("ada")),
///             _ => Err(NotGranted::refused("there is no such ticket")),
///         }
///     }
/// }
/// ```
pub trait ExtensionGrant: Send + Sync + 'static {
    /// Decides on a token request.
    fn grant(
        &self,
        request: GrantRequest,
    ) -> impl Future<Output = Result<Granted, NotGranted>> + Send;
}

impl<F, A> ExtensionGrant for F
where
    F: Fn(GrantRequest) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Granted, NotGranted>> + Send,
{
    async fn grant(&self, request: GrantRequest) -> Result<Granted, NotGranted> {
        self(request).await
    }
}

/// A token request with a grant of the application's own.
///
/// ```
/// use quadrille::provider::{GrantRequest, NotGranted};
///
/// fn ticket(request: &GrantRequest) -> Result<&str, NotGranted> {
///     request.required("ticket")
/// }
/// ```
pub struct GrantRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) scopes: Scopes,
    pub(crate) resources: Resources,
    pub(crate) from: Option<RemoteAddress>,
    pub(crate) parameters: Vec<(String, String)>,
}

impl GrantRequest {
    /// The client, which has authenticated.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The scopes that the client requested and may have.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The APIs that the client requested (RFC 8707).
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The address that the request came from, if the server knows it.
    pub fn from(&self) -> Option<RemoteAddress> {
        self.from
    }

    /// A parameter of the request. `None` if it is missing, empty or repeated.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut values = self.parameters(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// All values of a parameter.
    pub fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.parameters.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter that the grant needs.
    ///
    /// # Errors
    /// [`NotGranted`] with `invalid_request` if it is missing, empty or repeated.
    pub fn required(&self, name: &str) -> Result<&str, NotGranted> {
        self.parameter(name).ok_or_else(|| {
            NotGranted::refused(format!("the parameter {name} is missing or repeated"))
                .code("invalid_request")
        })
    }
}

/// Omits the parameters, which may be secrets.
impl fmt::Debug for GrantRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantRequest")
            .field("client", &self.client.id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// An [`ExtensionGrant`] as an object.
pub(crate) trait ErasedGrant: Send + Sync {
    fn grant<'a>(&'a self, request: GrantRequest) -> Decided<'a>;
}

/// The decision of an application.
pub(crate) type Decided<'a> =
    Pin<Box<dyn Future<Output = Result<Granted, NotGranted>> + Send + 'a>>;

impl<G: ExtensionGrant> ErasedGrant for G {
    fn grant<'a>(&'a self, request: GrantRequest) -> Decided<'a> {
        Box::pin(ExtensionGrant::grant(self, request))
    }
}
