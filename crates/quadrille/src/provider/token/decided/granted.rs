//! The application's answer in grants that it decides on itself.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Scopes,
    actor::{Actor, Authentication},
    oauth2::Resources,
    provider::{
        client::record::Client,
        error::endpoint::Refusal,
        token::planned::{ReservedMember, is_reserved},
    },
};

/// A token that the application grants: in an [`ExtensionGrant`](crate::provider::ExtensionGrant),
/// or for an assertion of another issuer ([`Asserted`](crate::provider::Asserted)). It has the
/// scopes and APIs that the client requested and may have, unless the application names fewer.
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Scopes, provider::Granted};
///
/// let granted = Granted::to_user("ada")
///     .scopes(Scopes::parse("photos:read")?)
///     .lifetime(Duration::from_secs(300));
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[derive(Clone, Debug)]
pub struct Granted {
    pub(crate) subject: Option<Arc<str>>,
    pub(crate) authentication: Option<Arc<Authentication>>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) resources: Option<Resources>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) refresh_token: bool,
    pub(crate) members: Map<String, Value>,
}

impl Granted {
    /// A token for this user, by the subject that never changes and is never reused.
    pub fn to_user(subject: impl Into<Arc<str>>) -> Self {
        Self::new(Some(subject.into()))
    }

    /// A token for the client itself, which must be confidential.
    pub fn to_client() -> Self {
        Self::new(None)
    }

    fn new(subject: Option<Arc<str>>) -> Self {
        Self {
            subject,
            authentication: None,
            scopes: None,
            resources: None,
            lifetime: None,
            refresh_token: false,
            members: Map::new(),
        }
    }

    /// Sets the user, and how the user signed in.
    #[must_use]
    pub fn authenticated(mut self, authentication: Authentication) -> Self {
        self.subject = Some(authentication.subject.clone());
        self.authentication = Some(Arc::new(authentication));
        self
    }

    /// Narrows the token to these scopes: those that the client requested and may have remain.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Sets the audience (RFC 8707): APIs of the server and, if the client named some, among those.
    #[must_use]
    pub fn audience(mut self, resources: Resources) -> Self {
        self.resources = Some(resources);
        self
    }

    /// Shortens the lifetime of the access token.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Issues a refresh token, too, if the client may have one. By default there is none: the
    /// client repeats what it did.
    #[must_use]
    pub fn with_refresh_token(mut self) -> Self {
        self.refresh_token = true;
        self
    }

    /// Adds a member to the token response (RFC 6749, section 5.1).
    ///
    /// # Errors
    /// [`ReservedMember`] for a name that the protocol defines.
    pub fn member(mut self, name: &str, value: Value) -> Result<Self, ReservedMember> {
        if is_reserved(name) {
            return Err(ReservedMember(name.to_owned()));
        }
        self.members.insert(name.to_owned(), value);
        Ok(self)
    }

    pub(crate) fn actor(&self, client: &Client) -> Actor {
        match &self.subject {
            Some(subject) => Actor::User(subject.clone()),
            None => Actor::Client(client.id.clone()),
        }
    }
}

/// The reason why the application grants nothing.
///
/// ```
/// use quadrille::provider::NotGranted;
///
/// let closed = NotGranted::refused("the kiosk is closed")
///     .code("kiosk_closed")
///     .describe("try again tomorrow");
/// assert_eq!(closed.to_string(), "the kiosk is closed");
/// ```
#[derive(Debug)]
pub struct NotGranted(pub(crate) Not);

#[derive(Debug)]
pub(crate) enum Not {
    Refused { reason: String, refusal: Refusal },
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl NotGranted {
    /// A refusal for this reason, which the log gets. The client gets `invalid_grant`.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self(Not::Refused { reason: reason.into(), refusal: Refusal::INVALID_GRANT })
    }

    /// A failure that is not the client's: it gets `server_error`, and the log has the reason.
    pub fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Not::Unavailable(error.into()))
    }

    /// Sets the `error` that the client gets (RFC 6749, section 5.2).
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        if let Not::Refused { refusal, .. } = &mut self.0 {
            refusal.code = code;
        }
        self
    }

    /// Sets the `error_description` that the client's developer gets.
    #[must_use]
    pub fn describe(mut self, description: &'static str) -> Self {
        if let Not::Refused { refusal, .. } = &mut self.0 {
            refusal.description = Some(description);
        }
        self
    }
}

impl fmt::Display for NotGranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Not::Refused { reason, .. } => f.write_str(reason),
            Not::Unavailable(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for NotGranted {}
