//! Assertions of trusted issuers (RFC 7523, section 2.1).

use std::{fmt, pin::Pin, sync::Arc};

use crate::{Scopes, jose::Claims, oauth2::Resources, provider::client::record::Client};

use super::granted::{Granted, NotGranted};

/// The assertion of a trusted issuer, which is valid and has got no token before. The application
/// says whom it is about: see
/// [`AuthorizationServer::jwt_bearer`](crate::provider::AuthorizationServer::jwt_bearer).
///
/// Of simultaneous uses of one assertion each is decided on, and one gets a token. An assertion that
/// the application refuses is not used up, and neither is one without a `jti`. A decision that
/// changes something of the application must therefore be one that can be made twice.
///
/// ```
/// use quadrille::provider::{Asserted, Granted, NotGranted};
///
/// async fn user_of(asserted: Asserted) -> Result<Granted, NotGranted> {
///     match (asserted.issuer(), asserted.subject()) {
///         ("https://partner.example", "17") => Ok(Granted::to_user("ada")),
///         _ => Err(NotGranted::refused("nobody is known by this subject")),
///     }
/// }
/// ```
pub struct Asserted {
    pub(crate) client: Arc<Client>,
    pub(crate) claims: Claims,
    pub(crate) scopes: Scopes,
    pub(crate) resources: Resources,
}

impl Asserted {
    /// The issuer (`iss`), which is trusted.
    pub fn issuer(&self) -> &str {
        self.claims.iss.as_deref().unwrap_or_default()
    }

    /// The user, or another party, as the issuer knows it (`sub`). Two issuers may give one subject
    /// to different users.
    pub fn subject(&self) -> &str {
        self.claims.sub.as_deref().unwrap_or_default()
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The client of the request.
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
}

/// Omits the subject.
impl fmt::Debug for Asserted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asserted")
            .field("issuer", &self.issuer())
            .field("client", &self.client.id)
            .finish_non_exhaustive()
    }
}

/// The application's decision on assertions.
pub(crate) type OnAsserted = Arc<
    dyn Fn(Asserted) -> Pin<Box<dyn Future<Output = Result<Granted, NotGranted>> + Send>>
        + Send
        + Sync,
>;
