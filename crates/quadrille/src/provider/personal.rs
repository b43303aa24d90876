//! Tokens that the application mints for a user: personal access tokens, and tokens for tests.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Scopes, Secret, Timestamp,
    actor::{Actor, Authentication},
    oauth2::Resources,
};

use super::{
    access_format::AccessTokenFormat,
    client::{
        name::is_shown, new::NewClient, personal::ClientOfPersonalTokens, record::Client,
        registration::RegistrationError,
    },
    error::{ClientError, Error, OperatorError, endpoint::TokenError},
    server::AuthorizationServer,
    store::{Grant, GrantDetails, Issue, LiveGrant, RowId},
    subject,
    token::{
        grant::{Limits, mint_within, store},
        planned::{Occasion, ReservedMember, check_member},
        text_error::TokenTextError,
    },
};

/// A token to be minted for a user, without a client that asks: a personal access token, or a token
/// for a test.
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Scopes, provider::NewToken};
///
/// let token = NewToken::personal("4711", "backup script")
///     .scopes(Scopes::of(["photos:read"]))
///     .lifetime(Duration::from_secs(90 * 24 * 3600));
/// ```
#[derive(Clone, Debug)]
pub struct NewToken {
    subject: Arc<str>,
    name: Option<Arc<str>>,
    client: Arc<str>,
    scopes: Scopes,
    resources: Resources,
    lifetime: Option<Duration>,
    data: Map<String, Value>,
    text: Option<Secret>,
    authentication: Option<Arc<Authentication>>,
}

impl NewToken {
    /// A personal access token of this user, with a name by which the user knows it. It is opaque,
    /// whatever the format of other tokens is: APIs learn at once when it is revoked.
    pub fn personal(subject: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::of(subject.into(), ClientOfPersonalTokens::ID.into())
        }
    }

    /// A token of this user for a registered client, as if the user had consented.
    pub fn for_client(subject: impl Into<Arc<str>>, client_id: impl Into<Arc<str>>) -> Self {
        Self::of(subject.into(), client_id.into())
    }

    fn of(subject: Arc<str>, client: Arc<str>) -> Self {
        Self {
            subject,
            name: None,
            client,
            scopes: Scopes::EMPTY,
            resources: Resources::EMPTY,
            lifetime: None,
            data: Map::new(),
            text: None,
            authentication: None,
        }
    }

    /// Sets the scopes (default: none), which the server must know.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets the APIs that the token is for (RFC 8707; default: the server's own).
    #[must_use]
    pub fn resources(mut self, resources: Resources) -> Self {
        self.resources = resources;
        self
    }

    /// Sets the lifetime (default: that of access tokens), of which
    /// [`Policy::refresh_token_total_lifetime`](crate::Policy::refresh_token_total_lifetime) is the
    /// longest.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets the text of the token, which another server has issued: so that its users need no new
    /// tokens when the application moves here. It must not be guessable. The server stores its
    /// hash, and finds it by that.
    ///
    /// ```
    /// use std::time::Duration;
    /// use quadrille::{Scopes, provider::NewToken};
    ///
    /// // A row of the other server's table of tokens.
    /// let token = NewToken::for_client("4711", "printer")
    ///     .scopes(Scopes::of(["photos:read"]))
    ///     .lifetime(Duration::from_secs(1200)) // the rest of it
    ///     .imported_text("wQcB1oN5JGU3bTq0yqyLq7dZc4".into());
    /// ```
    #[must_use]
    pub fn imported_text(mut self, text: Secret) -> Self {
        self.text = Some(text);
        self
    }

    /// Sets the sign-in of the user, which the API learns as that of a grant with a consent page.
    /// It must be a sign-in of this subject. If the user was removed since, or is removed at the
    /// same time, nothing is minted.
    #[must_use]
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = Some(Arc::new(authentication));
        self
    }

    /// Adds the application's own data: see [`By::data`](super::By::data).
    ///
    /// # Errors
    /// [`ReservedMember`] for a name that introspection responses have already.
    pub fn data(mut self, name: &str, value: impl Into<Value>) -> Result<Self, ReservedMember> {
        check_member(name)?;
        self.data.insert(name.to_owned(), value.into());
        Ok(self)
    }
}

/// A token that was minted.
///
/// ```
/// use quadrille::provider::MintedToken;
///
/// fn show_once(minted: &MintedToken) -> String {
///     format!("Copy it now, it is not shown again: {}", minted.token.expose())
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct MintedToken {
    /// The access token.
    pub token: Secret,
    /// The number of its grant, by which [`AuthorizationServer::revoke_grant`] revokes it.
    pub grant: RowId,
    /// The scopes: those that the hook [`AuthorizationServer::before_issue`] left.
    pub scopes: Scopes,
    /// The expiry.
    pub expires: Timestamp,
}

/// The reason why no token is minted.
///
/// ```
/// use quadrille::provider::MintError;
///
/// assert_eq!(MintError::UnknownScope.to_string(), "the server does not know one of the scopes");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The name of a personal access token is empty or too long, or has invisible characters.
    #[error("a personal access token needs a name of at most 100 characters, all of them visible")]
    Name,
    /// A scope is unknown to the server.
    #[error("the server does not know one of the scopes")]
    UnknownScope,
    /// An API is unknown to the server.
    #[error("the server does not know one of the resources")]
    UnknownResource,
    /// The client is not registered.
    #[error("there is no client with this id")]
    UnknownClient,
    /// A client of the application's store or table has the id that is reserved for the client of
    /// personal access tokens.
    #[error("another client has the id of personal access tokens")]
    OtherClient,
    /// The user was removed ([`remove_subject`](AuthorizationServer::remove_subject)) since the
    /// sign-in, or is not in the application's [table](crate::provider::store::UserTable), or the
    /// client was removed.
    #[error("the user or the client is gone")]
    Gone,
    /// The [imported text](NewToken::imported_text) cannot be an access token.
    #[error(transparent)]
    Text(TokenTextError),
    /// The server failed, or the hook before an issue refused.
    #[error(transparent)]
    Server(#[from] Error),
}

impl AuthorizationServer {
    /// Mints an access token for a user. The user's consent is the application's to get: the page
    /// on which the user names the token and chooses its scopes. Any number of them may be valid
    /// for one user.
    ///
    /// ```
    /// # use quadrille::{Env, Scopes, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::NewToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?
    /// #     .scopes([("photos:read", "See your photos")]);
    /// let new = NewToken::personal("4711", "backup script").scopes(Scopes::of(["photos:read"]));
    /// let minted = server.mint(new).await?;
    /// let tokens = server.personal_tokens("4711").await?;
    /// assert_eq!(tokens[0].grant.id, minted.grant);
    /// server.revoke_grant("4711", minted.grant).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`MintError`].
    pub async fn mint(&self, mut new: NewToken) -> Result<MintedToken, MintError> {
        let inner = self.inner();
        if let Some(name) = &mut new.name {
            *name = name.trim().into();
            if !is_shown(name) {
                return Err(MintError::Name);
            }
        }
        if !inner.scopes.known().is_superset(&new.scopes) {
            return Err(MintError::UnknownScope);
        }
        let resources =
            inner.resources.narrowed(&new.resources).ok_or(MintError::UnknownResource)?;
        let mut client = self.client_to_mint_for(&new).await?;
        if new.name.is_some() {
            // However long it lives, it ends everywhere when it is revoked.
            Arc::make_mut(&mut client).access_token_format = Some(AccessTokenFormat::Opaque);
        }
        let number = match &new.authentication {
            None => inner.row_of_grant(client.number).await?,
            Some(authentication) if authentication.subject == new.subject => {
                let number = subject::number_of_grant(inner, &client, authentication).await?;
                number.ok_or(MintError::Gone)?
            }
            Some(_) => return Err(MintError::Gone),
        };
        let details = GrantDetails { name: new.name, data: new.data, openid: None };
        let grant = Grant {
            id: number,
            client: client.id.clone(),
            actor: Actor::User(new.subject),
            scopes: new.scopes,
            resources,
            authentication: new.authentication,
            details: (details != GrantDetails::default()).then(|| Arc::new(details)),
        };
        let (occasion, now) = (Occasion::Minted, inner.now());
        let is_imported = new.text.is_some();
        let limits = Limits { lifetime: new.lifetime, text: new.text, ..Limits::default() };
        let minted = mint_within(inner, &client, occasion, number, grant, now, limits).await;
        let minted = minted.map_err(|error| match error {
            Error::Operator(OperatorError::TokenText(why)) if is_imported => MintError::Text(why),
            error => error.into(),
        })?;
        let (token, scopes) = (minted.secret(), minted.record.grant.scopes.clone());
        let expires = minted.record.expires;
        let issue = Issue { access: minted.record, family: None };
        store(inner, issue).await.map_err(|error| match error {
            Error::Client(ClientError::Token(TokenError::Gone)) => MintError::Gone,
            error => error.into(),
        })?;
        tracing::info!(grant = number.0, client = %client.id, "a token was minted for a user");
        Ok(MintedToken { token, grant: number, scopes, expires })
    }

    /// The personal access tokens of a user that have not expired, the oldest first. Their names
    /// are in [`Grant::details`]; [`revoke_grant`](Self::revoke_grant) revokes one.
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn personal_tokens(&self, subject: &str) -> Result<Vec<LiveGrant>, Error> {
        let Some(client) = self.client_of_personal_tokens().await? else {
            return Ok(Vec::new());
        };
        let mut grants = self.live_grants(subject).await?;
        grants.retain(|listed| client.owns(&listed.grant));
        Ok(grants)
    }

    pub(super) async fn client_of_personal_tokens(
        &self,
    ) -> Result<Option<ClientOfPersonalTokens>, Error> {
        let found = self.client(ClientOfPersonalTokens::ID).await?;
        Ok(found.and_then(ClientOfPersonalTokens::of))
    }

    async fn client_to_mint_for(&self, new: &NewToken) -> Result<Arc<Client>, MintError> {
        let is_personal = new.name.is_some();
        match self.client(&new.client).await? {
            Some(client) if ClientOfPersonalTokens::is(&client) == is_personal => {
                return Ok(client);
            }
            Some(_) if is_personal => return Err(MintError::OtherClient),
            None if is_personal => {}
            _ => return Err(MintError::UnknownClient),
        }
        let client = NewClient::public("Personal access tokens")
            .id(ClientOfPersonalTokens::ID)
            .without_grants();
        match self.ensure_client(client).await {
            Ok(registered) => Ok(Arc::new(registered.client)),
            Err(RegistrationError::Server(error)) => Err(error.into()),
            Err(error) => {
                tracing::error!(%error, "the client of personal access tokens is not registered");
                Err(MintError::UnknownClient)
            }
        }
    }
}
