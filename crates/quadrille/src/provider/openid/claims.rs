//! What the application knows of its users.

use std::{fmt, pin::Pin, sync::Arc};

use serde_json::{Map, Value};

use crate::provider::client::record::Client;

/// The claims about users, from the application: an async closure, or a type of its own.
///
/// The server asks when it needs a claim, for a client that may have it, and passes on only those
/// that this client was granted.
///
/// ```
/// use quadrille::provider::{ClaimsQuery, ClaimsUnavailable, UserClaims};
/// use serde_json::json;
///
/// async fn claims(query: ClaimsQuery) -> Result<Option<UserClaims>, ClaimsUnavailable> {
///     if query.subject() != "ada" {
///         return Ok(None); // a closed account
///     }
///     let mut claims = UserClaims::new();
///     claims.insert("name".into(), json!("Ada Lovelace"));
///     if query.wants("email") {
///         claims.insert("email".into(), json!("ada@example.com"));
///         claims.insert("email_verified".into(), json!(true));
///     }
///     Ok(Some(claims))
/// }
/// ```
pub trait Claims: Send + Sync + 'static {
    /// The claims about a user; `None` if there is no such user any more. Claims that were not
    /// [wanted](ClaimsQuery::wants) may be among them, and are not passed on; `null` and empty
    /// texts count as unknown (OpenID Connect Core, section 5.3.2).
    ///
    /// # Errors
    /// [`ClaimsUnavailable`] if they cannot be looked up now.
    fn claims(
        &self,
        query: ClaimsQuery,
    ) -> impl Future<Output = Result<Option<UserClaims>, ClaimsUnavailable>> + Send;
}

impl<F, A> Claims for F
where
    F: Fn(ClaimsQuery) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Option<UserClaims>, ClaimsUnavailable>> + Send,
{
    async fn claims(&self, query: ClaimsQuery) -> Result<Option<UserClaims>, ClaimsUnavailable> {
        self(query).await
    }
}

/// The claims about a user, by their names (OpenID Connect Core, section 5.1), with a language if
/// they have one (`name#ja`, section 5.2).
pub type UserClaims = Map<String, Value>;

/// The question about a user.
///
/// ```
/// use quadrille::provider::ClaimsQuery;
///
/// fn is_about_mail(query: &ClaimsQuery) -> bool {
///     query.wants("email") || query.wants("email_verified")
/// }
/// ```
#[derive(Clone)]
pub struct ClaimsQuery {
    pub(super) subject: Arc<str>,
    pub(super) client: Arc<Client>,
    pub(super) names: Arc<[Box<str>]>,
    pub(super) locales: Arc<[Arc<str>]>,
}

impl ClaimsQuery {
    /// The user's subject, as the application gave it.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The client that gets the claims.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The names of the claims that the client was granted, and that this message has.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The languages in which the client wants the claims, the best one first (`claims_locales`, OpenID
    /// Connect Core, section 5.2). An application need not follow them.
    ///
    /// ```
    /// use quadrille::provider::ClaimsQuery;
    ///
    /// fn is_in_japanese(query: &ClaimsQuery) -> bool {
    ///     query.locales().next().is_some_and(|tag| tag.starts_with("ja"))
    /// }
    /// ```
    pub fn locales(&self) -> impl Iterator<Item = &str> {
        self.locales.iter().map(|tag| &**tag)
    }

    /// Whether a claim is among the names.
    pub fn wants(&self, name: &str) -> bool {
        self.names().any(|wanted| wanted == name)
    }
}

/// Omits the user.
impl fmt::Debug for ClaimsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimsQuery")
            .field("client", &self.client.id)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// The application cannot look the claims up now. The client gets status 503, and the log the
/// reason.
///
/// ```
/// use quadrille::provider::ClaimsUnavailable;
///
/// let error = ClaimsUnavailable::new("the directory does not answer");
/// assert_eq!(error.to_string(), "the directory does not answer");
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ClaimsUnavailable(Box<dyn std::error::Error + Send + Sync>);

impl ClaimsUnavailable {
    /// For this reason.
    pub fn new(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

/// [`Claims`] as an object.
pub(crate) trait ErasedClaims: Send + Sync {
    fn claims(&self, query: ClaimsQuery) -> Known<'_>;
}

/// The answer to a question.
pub(crate) type Known<'a> =
    Pin<Box<dyn Future<Output = Result<Option<UserClaims>, ClaimsUnavailable>> + Send + 'a>>;

impl<C: Claims> ErasedClaims for C {
    fn claims(&self, query: ClaimsQuery) -> Known<'_> {
        Box::pin(Claims::claims(self, query))
    }
}
