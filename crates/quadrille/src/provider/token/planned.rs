//! The application's say in every issue of a token.

use std::{borrow::Cow, fmt, pin::Pin, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Scopes,
    actor::{Actor, Authentication},
    oauth2::Resources,
    provider::{
        access_format::AccessTokenFormat,
        client::{grant_type::GrantType, record::Client},
        store::{Grant, RowId},
    },
};

use super::prefix::TokenPrefix;

/// Members of a token response that the protocol defines.
const RESERVED: [&str; 8] = [
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "scope",
    "issued_token_type",
    "id_token",
    "error",
];

/// Further parameters that the protocol defines where the token is in a redirect.
const RESERVED_IN_REDIRECTS: [&str; 5] = ["state", "iss", "code", "error_description", "error_uri"];

/// Claims of an access token that the protocol defines.
const RESERVED_CLAIMS: [&str; 14] = [
    "jti",
    "iss",
    "sub",
    "aud",
    "client_id",
    "iat",
    "exp",
    "nbf",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "act",
    "cnf",
];

/// The application's hook, as [`AuthorizationServer::before_issue`] stores it.
///
/// [`AuthorizationServer::before_issue`]: crate::provider::AuthorizationServer::before_issue
pub(crate) type BeforeIssue =
    Arc<dyn Fn(PlannedToken) -> Pin<Box<dyn Future<Output = Decided> + Send>> + Send + Sync>;

type Decided = Result<PlannedToken, NotIssued>;

/// The application's generator of access tokens.
pub(crate) type TokenGenerator = dyn Fn(&PlannedToken, &[u8; 32]) -> Option<String> + Send + Sync;

/// `true` for a member of a token response that the protocol defines.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("oauth_")
}

/// The occasion on which a token is issued.
///
/// ```
/// use quadrille::provider::{GrantType, Occasion};
///
/// fn is_refresh(occasion: &Occasion) -> bool {
///     *occasion == Occasion::Grant(GrantType::RefreshToken)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Occasion {
    /// A token request with this grant type or, for [`GrantType::Implicit`], an authorization request
    /// (RFC 6749, section 4). Where the response to that has an ID token alone, it is issued if the
    /// scope `openid` remains.
    Grant(GrantType),
    /// A request for token credentials of OAuth 1.0a (RFC 5849, section 2.3).
    OAuth1,
    /// The application mints a token for a user:
    /// [`AuthorizationServer::mint`](crate::provider::AuthorizationServer::mint).
    Minted,
}

/// An access token that is about to be issued, for the hook
/// [`AuthorizationServer::before_issue`]. The hook may narrow it, and returns it, or refuses.
///
/// ```
/// use std::time::Duration;
/// use quadrille::provider::{NotIssued, PlannedToken};
///
/// async fn before_issue(mut token: PlannedToken) -> Result<PlannedToken, NotIssued> {
///     if token.subject() == Some("mallory") {
///         return Err(NotIssued::refused("the account is disabled"));
///     }
///     if token.scopes().contains("payments") {
///         token.set_lifetime(Duration::from_secs(300));
///     }
///     token.add_member("tenant", "north".into())?;
///     Ok(token)
/// }
/// ```
///
/// [`AuthorizationServer::before_issue`]: crate::provider::AuthorizationServer::before_issue
#[derive(Clone)]
pub struct PlannedToken {
    pub(crate) client: Arc<Client>,
    pub(crate) occasion: Occasion,
    pub(crate) grant: Grant,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) members: Map<String, Value>,
    pub(crate) format: AccessTokenFormat,
    pub(crate) claims: Map<String, Value>,
    pub(crate) prefix: Option<TokenPrefix>,
}

/// Checks the name of a member of the application's own, in introspection responses and in JWT
/// access tokens.
pub(crate) fn check_member(name: &str) -> Result<(), ReservedMember> {
    let is_reserved = RESERVED_CLAIMS.contains(&name)
        || matches!(name, "active" | "username" | "token_type" | "may_act");
    if is_reserved { Err(ReservedMember(name.to_owned())) } else { Ok(()) }
}

impl PlannedToken {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The occasion.
    pub fn occasion(&self) -> &Occasion {
        &self.occasion
    }

    /// The number of the grant, which all tokens of one consent share.
    pub fn grant(&self) -> RowId {
        self.grant.id
    }

    /// The actor: a user through the client, or the client itself.
    pub fn actor(&self) -> &Actor {
        &self.grant.actor
    }

    /// The user's subject; `None` if the client acts for itself.
    pub fn subject(&self) -> Option<&str> {
        match &self.grant.actor {
            Actor::User(subject) => Some(subject),
            Actor::Client(_) => None,
        }
    }

    /// The user's authentication at the consent; `None` if the client acts for itself.
    pub fn authentication(&self) -> Option<&Authentication> {
        self.grant.authentication.as_deref()
    }

    /// The scopes of the token.
    pub fn scopes(&self) -> &Scopes {
        &self.grant.scopes
    }

    /// The audience of the token (RFC 8707); empty for the server's own API.
    pub fn resources(&self) -> &Resources {
        &self.grant.resources
    }

    /// The application's own data on the grant: see [`By::data`](crate::provider::By::data).
    pub fn data(&self) -> Option<&Map<String, Value>> {
        self.grant.data()
    }

    /// The lifetime of the token; `None` if it does not expire, which only token credentials of
    /// OAuth 1.0a can.
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// Keeps only those scopes that are among `scopes`. The grant keeps all, so the hook decides
    /// again at each refresh.
    pub fn keep_scopes(&mut self, scopes: &Scopes) {
        self.grant.scopes = self.grant.scopes.intersection(scopes);
    }

    /// Sets the lifetime of the token, in whole seconds. A token of OAuth 2 lives no longer than
    /// [`Policy::refresh_token_total_lifetime`] after the consent, or
    /// [`Policy::access_token_lifetime`] if that is later: for so long is its revocation
    /// remembered.
    ///
    /// [`Policy::refresh_token_total_lifetime`]: crate::Policy::refresh_token_total_lifetime
    /// [`Policy::access_token_lifetime`]: crate::Policy::access_token_lifetime
    pub fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = Some(lifetime);
    }

    /// The format of the token.
    pub fn format(&self) -> AccessTokenFormat {
        self.format
    }

    /// Sets the format of the token. JWTs need
    /// [signing keys](crate::provider::AuthorizationServer::signing_keys). Token credentials of
    /// OAuth 1.0a have none.
    pub fn set_format(&mut self, format: AccessTokenFormat) {
        self.format = format;
    }

    /// The prefix of the token, if it is opaque.
    pub fn prefix(&self) -> Option<&TokenPrefix> {
        self.prefix.as_ref()
    }

    /// Sets the prefix of the token, if it is opaque: one for each client, for example. The default
    /// is that of the server ([`AuthorizationServer::token_prefixes`]). Token credentials of OAuth
    /// 1.0a have none.
    ///
    /// [`AuthorizationServer::token_prefixes`]: crate::provider::AuthorizationServer::token_prefixes
    pub fn set_prefix(&mut self, prefix: TokenPrefix) {
        self.prefix = Some(prefix);
    }

    /// Adds a claim to the token, if it is a JWT (RFC 9068, section 2.2.3); a second one with the
    /// same name replaces the first.
    ///
    /// # Errors
    /// [`ReservedMember`] for a claim that the server writes itself.
    pub fn add_claim(&mut self, name: &str, value: Value) -> Result<(), ReservedMember> {
        if RESERVED_CLAIMS.contains(&name) {
            return Err(ReservedMember(name.to_owned()));
        }
        self.claims.insert(name.to_owned(), value);
        Ok(())
    }

    /// Adds a member to the token response (RFC 6749, section 5.1); a second one with the same name
    /// replaces the first. In token credentials of OAuth 1.0a and in redirects, it becomes a
    /// parameter.
    ///
    /// # Errors
    /// [`ReservedMember`] for a name that the protocol defines.
    pub fn add_member(&mut self, name: &str, value: Value) -> Result<(), ReservedMember> {
        let is_redirect = self.occasion == Occasion::Grant(GrantType::Implicit);
        if is_reserved(name) || is_redirect && RESERVED_IN_REDIRECTS.contains(&name) {
            return Err(ReservedMember(name.to_owned()));
        }
        self.members.insert(name.to_owned(), value);
        Ok(())
    }
}

impl fmt::Debug for PlannedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedToken")
            .field("client", &self.client.id)
            .field("occasion", &self.occasion)
            .field("grant", &self.grant.id)
            .field("scopes", &self.grant.scopes)
            .finish_non_exhaustive()
    }
}

/// The reason why the application does not let a token be issued. Nothing is used up: the same
/// request succeeds once the hook lets it.
///
/// ```
/// use quadrille::provider::NotIssued;
///
/// let refused = NotIssued::refused("the account is disabled");
/// assert_eq!(refused.to_string(), "the account is disabled");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotIssued {
    /// The user gets no token (`invalid_grant`, or `access_denied` in a redirect), or the client none
    /// for itself (`unauthorized_client`). The text is for the log.
    #[error("{0}")]
    Refused(Cow<'static, str>),
    /// The application cannot decide now: its database does not answer, for example. The client
    /// gets status 503 (`temporarily_unavailable`), and may try again.
    #[error(transparent)]
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl NotIssued {
    /// A refusal, with a reason for the log.
    pub fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(reason.into())
    }

    /// A failure of the application's own.
    pub fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<ReservedMember> for NotIssued {
    fn from(error: ReservedMember) -> Self {
        Self::unavailable(error)
    }
}

/// The protocol defines the member or claim of this name, so [`PlannedToken::add_member`] or
/// [`PlannedToken::add_claim`] does not add it.
///
/// ```
/// use quadrille::provider::ReservedMember;
///
/// fn name(error: ReservedMember) -> String {
///     error.0
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the protocol defines `{0}`")]
pub struct ReservedMember(pub String);
