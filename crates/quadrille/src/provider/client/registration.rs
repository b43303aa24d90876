//! What the program around a server does to it: clients come and go, tokens are revoked.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    Scopes, Secret, Timestamp,
    oauth1::SignatureMethod,
    oauth2::Resources,
    provider::{
        error::Error,
        oauth1::admin::{NewKey, NewKeyError, NewRegistration},
        server::{AuthorizationServer, Inner},
        store::{RevokeAll, RowId},
        token::{format::sha256, grant, lookup},
    },
};

use super::{
    record::{Client, ClientSecret, ClientType, GrantType, SecretVerifier, is_shown},
    redirect_uri::{RedirectUri, RedirectUriError},
};

/// A client to be registered with [`AuthorizationServer::register`].
///
/// ```
/// # use quadrille::{Env, Scopes, provider::{AuthorizationServer, NewClient, store::MemoryStore}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
/// #     .scopes([("photos:read", "See your photos")]);
/// let printer = NewClient::confidential("Photo printer")
///     .redirect_uri("https://printer.example/callback")
///     .scopes(Scopes::parse("photos:read")?);
/// let registered = server.register(printer).await?;
/// let secret = registered.secret.ok_or("a confidential client has one")?;
/// println!("{}: {}", registered.client.id, secret.expose()); // shown once, stored as a hash
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewClient {
    name: String,
    client_type: ClientType,
    id: Option<String>,
    chosen_secret: Option<Secret>,
    redirect_uris: Vec<String>,
    scopes: Scopes,
    grant_types: Option<BTreeSet<GrantType>>,
    first_party: bool,
    oauth1: Option<NewRegistration>,
    resource_server: Option<Resources>,
    without_pkce: bool,
}

impl NewClient {
    /// One that can keep a secret, which will be generated.
    pub fn confidential(name: impl Into<String>) -> Self {
        Self::new(name.into(), ClientType::Confidential)
    }

    /// One that cannot: a native or single-page application.
    pub fn public(name: impl Into<String>) -> Self {
        Self::new(name.into(), ClientType::Public)
    }

    fn new(name: String, client_type: ClientType) -> Self {
        Self {
            name,
            client_type,
            id: None,
            chosen_secret: None,
            redirect_uris: Vec::new(),
            scopes: Scopes::EMPTY,
            grant_types: None,
            first_party: false,
            oauth1: None,
            resource_server: None,
            without_pkce: false,
        }
    }

    /// Where it may be answered; call it once for each.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// What it may ask for, of what the [server knows](AuthorizationServer::scope).
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// How it may get tokens. Unless said otherwise: by codes and refresh tokens when it has a
    /// redirect URI; not at all when it is a [resource server](Self::resource_server); for itself
    /// when it is neither.
    #[must_use]
    pub fn grant_types(mut self, grant_types: impl IntoIterator<Item = GrantType>) -> Self {
        self.grant_types = Some(grant_types.into_iter().collect());
        self
    }

    /// It is the provider's own, so that people are not asked for consent, as far as it can be
    /// told from others: see [`Client::first_party`].
    #[must_use]
    pub fn first_party(mut self) -> Self {
        self.first_party = true;
        self
    }

    /// It is an API elsewhere, which may ask what tokens that are meant for it are worth (RFC 7662):
    /// those for `resources`, by the URIs of [`AuthorizationServer::resource`]; those that name no API
    /// where there is none. It needs a secret, and no grant type.
    #[must_use]
    pub fn resource_server(mut self, resources: Resources) -> Self {
        self.resource_server = Some(resources);
        self
    }

    /// It may leave PKCE out, as many clients from before RFC 9700 do. What is given up: a code that
    /// leaks from the browser can be injected into another session of this client. It must be
    /// confidential.
    ///
    /// ```
    /// # use quadrille::provider::NewClient;
    /// let forum = NewClient::confidential("Old forum")
    ///     .redirect_uri("https://forum.example/callback")
    ///     .allow_without_pkce_so_that_a_leaked_code_can_be_injected();
    /// ```
    #[must_use]
    pub fn allow_without_pkce_so_that_a_leaked_code_can_be_injected(mut self) -> Self {
        self.without_pkce = true;
        self
    }

    /// A `client_id` of one's own instead of a generated one.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// A secret that somebody chose, such as one that an application brings along from elsewhere,
    /// instead of a generated one. It can be guessed, so that every use costs an Argon2id hash.
    #[must_use]
    pub fn chosen_secret(mut self, secret: Secret) -> Self {
        self.chosen_secret = Some(secret);
        self
    }

    /// It may use OAuth 1.0a, and signs with this. Its identifier there is the `client_id`, its
    /// callbacks are the redirect URIs. With no [grant type](Self::grant_types) it can use that only.
    ///
    /// ```
    /// # use quadrille::provider::{NewClient, oauth1::NewKey};
    /// let printer = NewClient::confidential("Photo printer")
    ///     .redirect_uri("https://printer.example/callback")
    ///     .grant_types([])
    ///     .oauth1(NewKey::Secret);
    /// ```
    #[must_use]
    pub fn oauth1(mut self, key: NewKey) -> Self {
        self.oauth1 = Some(NewRegistration::new(key));
        self
    }

    /// People may carry the verifier to it, because it has no address to be answered at
    /// (`oauth_callback=oob`). Say [`oauth1`](Self::oauth1) first.
    #[must_use]
    pub fn oauth1_out_of_band(mut self) -> Self {
        self.oauth1.iter_mut().for_each(|oauth1| oauth1.out_of_band = true);
        self
    }

    /// Of the signature methods of the server it may use these only. Say [`oauth1`](Self::oauth1)
    /// first.
    #[must_use]
    pub fn oauth1_methods(mut self, methods: impl IntoIterator<Item = SignatureMethod>) -> Self {
        let methods: Vec<_> = methods.into_iter().collect();
        self.oauth1.iter_mut().for_each(|oauth1| oauth1.methods.clone_from(&methods));
        self
    }

    pub(crate) fn chosen_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) const fn secret_that_was_chosen(&self) -> Option<&Secret> {
        self.chosen_secret.as_ref()
    }

    pub(crate) fn oauth1_key(&self) -> Option<&NewKey> {
        self.oauth1.as_ref().map(|oauth1| &oauth1.key)
    }

    fn granted_types(&self) -> BTreeSet<GrantType> {
        self.grant_types.clone().unwrap_or_else(|| match &*self.redirect_uris {
            [] if self.resource_server.is_some() => BTreeSet::new(),
            [] => [GrantType::ClientCredentials].into(),
            _ => [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        })
    }

    /// Its redirect URIs, if it may be registered.
    fn check(&self) -> Result<Vec<RedirectUri>, RegistrationError> {
        if !is_shown(&self.name) {
            return Err(RegistrationError::Name);
        }
        let checked = self.redirect_uris.iter().map(|uri| {
            RedirectUri::parse(uri)
                .map_err(|reason| RegistrationError::RedirectUri { uri: uri.clone(), reason })
        });
        let redirect_uris = checked.collect::<Result<_, _>>()?;
        let granted = self.granted_types();
        match &self.oauth1 {
            None if granted.is_empty() && self.resource_server.is_none() => {
                return Err(RegistrationError::NoGrantType);
            }
            None => {}
            Some(_) if self.client_type == ClientType::Public => {
                return Err(RegistrationError::OAuth1OfPublicClient);
            }
            Some(oauth1) => oauth1.key.check()?,
        }
        if granted.contains(&GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return Err(RegistrationError::NoRedirectUri);
        }
        // A refresh token comes with a code only (RFC 6749, section 4.4.3).
        if granted.contains(&GrantType::RefreshToken)
            && !granted.contains(&GrantType::AuthorizationCode)
        {
            return Err(RegistrationError::RefreshTokenAlone);
        }
        let is_public = self.client_type == ClientType::Public;
        if is_public && granted.contains(&GrantType::ClientCredentials) {
            return Err(RegistrationError::PublicClientForItself);
        }
        if is_public && self.without_pkce {
            return Err(RegistrationError::PublicClientWithoutPkce);
        }
        if is_public && self.resource_server.is_some() {
            return Err(RegistrationError::PublicResourceServer);
        }
        match &self.chosen_secret {
            Some(_) if is_public => return Err(RegistrationError::SecretOfPublicClient),
            Some(secret) if secret.expose().len() < 12 => {
                return Err(RegistrationError::ShortSecret);
            }
            _ => {}
        }
        // VSCHAR of RFC 6749, appendix A.1, without what would need care in a URL or a log.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte);
        match &self.id {
            Some(id) if id.is_empty() || id.len() > 255 || !id.bytes().all(is_plain) => {
                Err(RegistrationError::Id)
            }
            _ => Ok(redirect_uris),
        }
    }
}

impl NewClient {
    /// Whether the server knows the scopes and APIs that it names.
    fn check_known(&self, inner: &Inner) -> Result<(), RegistrationError> {
        let known = inner.scopes.known();
        if let Some(unknown) = self.scopes.iter().find(|name| !known.contains(name)) {
            return Err(RegistrationError::UnknownScope(unknown.to_owned()));
        }
        let apis = self.resource_server.iter().flat_map(Resources::iter);
        match apis.into_iter().find(|uri| !inner.resources.contains(uri)) {
            Some(unknown) => Err(RegistrationError::UnknownResource(unknown.to_owned())),
            None => Ok(()),
        }
    }
}

/// A client that was registered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registered {
    /// It.
    pub client: Client,
    /// Its generated secret, which is nowhere else: show it once.
    pub secret: Option<Secret>,
    /// Its generated shared-secret for OAuth 1.0a.
    pub oauth1_secret: Option<Secret>,
}

/// Why a client was not registered. Mostly the operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// A redirect URI may not be used.
    #[error("{uri}: {reason}")]
    RedirectUri {
        /// Which.
        uri: String,
        /// Why.
        reason: RedirectUriError,
    },
    /// It would get codes, but there is nowhere to send them.
    #[error("a client that uses authorization codes needs a redirect URI")]
    NoRedirectUri,
    /// There is no way for it to get a token.
    #[error("a client needs at least one grant type")]
    NoGrantType,
    /// It would renew what it never gets.
    #[error("refresh_token needs authorization_code: no other grant gives a refresh token")]
    RefreshTokenAlone,
    /// A client that cannot keep a secret cannot act for itself.
    #[error("a public client cannot have a token for itself")]
    PublicClientForItself,
    /// Nothing but PKCE protects the codes of a client that has no secret.
    #[error("a public client must use PKCE")]
    PublicClientWithoutPkce,
    /// A scope is not known to this server ([`AuthorizationServer::scope`]).
    #[error("this server knows no scope {0:?}")]
    UnknownScope(String),
    /// An API is not known to this server ([`AuthorizationServer::resource`]).
    #[error("this server knows no resource {0:?}")]
    UnknownResource(String),
    /// An API must prove who it is before it is told anything.
    #[error("a resource server needs a secret, and so cannot be public")]
    PublicResourceServer,
    /// A client that cannot keep a secret must not be given one.
    #[error("a public client has no secret")]
    SecretOfPublicClient,
    /// A client that cannot keep a secret cannot sign.
    #[error("a public client has no part in OAuth 1.0a: it could not keep its key")]
    OAuth1OfPublicClient,
    /// Its key for OAuth 1.0a was not taken.
    #[error(transparent)]
    OAuth1Key(#[from] NewKeyError),
    /// The chosen secret is too short.
    #[error("a chosen secret needs at least 12 characters")]
    ShortSecret,
    /// It has no name, or one that is too long or holds characters that are not seen.
    #[error("a client needs a name of at most 100 characters, all of which people can see")]
    Name,
    /// The chosen id is malformed.
    #[error("a client id holds letters, digits and -._~:/, at most 255 of them")]
    Id,
    /// A client that is said again at each start needs an id to be known by.
    #[error("a client that is ensured needs an id of its own choice")]
    IdMissing,
    /// The client with this id is public, and shall be confidential, or the other way round.
    #[error("a client cannot change between public and confidential: remove it first")]
    OtherType,
    /// The chosen id belongs to another client.
    #[error("there is a client with this id")]
    IdTaken,
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}

/// Why a client was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// There is no such client.
    #[error("there is no client with this id")]
    UnknownClient,
    /// It is a public client, which has no secret.
    #[error("a public client has no secret")]
    PublicClient,
    /// The key for OAuth 1.0a was not taken.
    #[error(transparent)]
    OAuth1Key(#[from] NewKeyError),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}

impl AuthorizationServer {
    /// Registers a client. For one that a program says at each start there is
    /// [`ensure_client`](Self::ensure_client).
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub async fn register(&self, new: NewClient) -> Result<Registered, RegistrationError> {
        let registered = self.client_of(&new).await?;
        let inner = self.inner();
        let client = &registered.client;
        let issuer = inner.issuer_id().await?;
        let was_put = inner.store.put_client(issuer, client.clone(), None).await;
        if !was_put.map_err(Error::from)? {
            return Err(RegistrationError::IdTaken);
        }
        tracing::info!(client = %client.id, name = client.name, "client registered");
        Ok(registered)
    }

    /// A client as it is asked for, after all checks, with new secrets.
    pub(crate) async fn client_of(&self, new: &NewClient) -> Result<Registered, RegistrationError> {
        let redirect_uris = new.check()?;
        let inner = self.inner();
        new.check_known(inner)?;
        let id: Arc<str> = match &new.id {
            Some(id) => id.as_str().into(),
            None => BASE64_URL_SAFE_NO_PAD.encode(inner.env.random::<16>()).into(),
        };
        let grant_types = new.granted_types();
        let (oauth1, oauth1_secret) =
            new.oauth1.as_ref().map(|oauth1| oauth1.register(inner)).transpose()?.unzip();
        let (verifier, secret) = match (new.client_type, new.chosen_secret.clone()) {
            (ClientType::Public, _) => (None, None),
            // OAuth 1.0a has its own.
            (ClientType::Confidential, None)
                if grant_types.is_empty() && new.resource_server.is_none() =>
            {
                (None, None)
            }
            (ClientType::Confidential, Some(chosen)) => {
                let hash = inner.kdf.hash(&inner.env, chosen).await.map_err(Error::from)?;
                (Some(SecretVerifier::Argon2id(hash)), None)
            }
            (ClientType::Confidential, None) => {
                let (verifier, secret) = self.generate();
                (Some(verifier), Some(secret))
            }
        };
        let secrets = verifier.map(|verifier| ClientSecret { verifier, expires: None });
        let client = Client {
            id,
            number: inner.newer_row().await?,
            name: new.name.clone(),
            client_type: new.client_type,
            secrets: secrets.into_iter().collect(),
            redirect_uris,
            scopes: new.scopes.clone(),
            grant_types,
            first_party: new.first_party,
            oauth1,
            resource_server: new.resource_server.clone(),
            from_document: false,
            without_pkce: new.without_pkce,
            created: inner.now(),
        };
        Ok(Registered { client, secret, oauth1_secret: oauth1_secret.flatten() })
    }

    /// A client.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, Error> {
        let inner = self.inner();
        Ok(inner.store.client(inner.issuer_id().await?, id).await?)
    }

    /// All clients, ordered by id.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn clients(&self) -> Result<Vec<Arc<Client>>, Error> {
        let inner = self.inner();
        Ok(inner.store.clients(inner.issuer_id().await?).await?)
    }

    /// Gives a client a new secret. Those it has stay good for `overlap`, so that the new one can be
    /// rolled out first.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn rotate_secret(&self, id: &str, overlap: Duration) -> Result<Secret, AdminError> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        let (verifier, secret) = self.generate();
        loop {
            let before = self.client(id).await?.ok_or(AdminError::UnknownClient)?;
            if before.client_type == ClientType::Public {
                return Err(AdminError::PublicClient);
            }
            let client = with_secret(&before, verifier.clone(), inner.now(), overlap);
            if inner.store.put_client(issuer, client, Some(before)).await.map_err(Error::from)? {
                tracing::info!(client = id, "client secret rotated");
                return Ok(secret);
            }
            // It was changed in between: the change must not be undone.
        }
    }

    /// Removes a client, and with it all it was granted. Says whether it was there.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn remove_client(&self, id: &str) -> Result<bool, Error> {
        let inner = self.inner();
        let was_there = inner.store.remove_client(inner.issuer_id().await?, id).await?;
        if was_there {
            tracing::info!(client = id, "client removed");
        }
        Ok(was_there)
    }

    /// Revokes an access or refresh token, whosever it is, and all that was granted with it. Says
    /// whether it was worth anything.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn revoke_token(&self, token: &Secret) -> Result<bool, Error> {
        let inner = self.inner();
        let Some(found) = lookup::find(inner, token.expose()).await? else { return Ok(false) };
        let grant = found.grant();
        let until = grant::all_over(inner, inner.now());
        let revoked = inner.store.revoke_grant(inner.issuer_id().await?, grant.id, until).await?;
        tracing::info!(grant = grant.id.0, client = %grant.client, "grant revoked by the operator");
        Ok(revoked)
    }

    /// Ends all that a person let clients do: tokens and remembered consents. The person may consent
    /// again, unless [removed](Self::remove_subject). Sessions are the application's own to end.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn revoke_subject(&self, subject: &str) -> Result<(), Error> {
        let last = self.newest_row().await?;
        self.revoke_all(RevokeAll::Subject(subject.into()), last).await
    }

    /// Ends everything of a person for ever: whatever this subject is granted later is worthless,
    /// also by a request that is under way and took them for signed in. So a subject must not be
    /// given to anybody else.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn remove_subject(&self, subject: &str) -> Result<(), Error> {
        self.revoke_all(RevokeAll::Subject(subject.into()), RowId::MAX).await
    }

    /// Takes back what a person has let a client do: tokens and the remembered consent.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn revoke_consent(&self, subject: &str, client: &str) -> Result<(), Error> {
        let what = RevokeAll::Consent { subject: subject.into(), client: client.into() };
        self.revoke_all(what, self.newest_row().await?).await
    }

    /// No grant of before has a higher number.
    async fn newest_row(&self) -> Result<RowId, Error> {
        let inner = self.inner();
        // Other processes may have drawn higher numbers in this millisecond.
        Ok(inner.newer_row().await?.max(RowId::last_at(inner.now())))
    }

    async fn revoke_all(&self, what: RevokeAll, last: RowId) -> Result<(), Error> {
        let inner = self.inner();
        tracing::info!(?what, "everything revoked");
        Ok(inner.store.revoke_all(inner.issuer_id().await?, what, last).await?)
    }

    /// A secret with nothing to guess.
    fn generate(&self) -> (SecretVerifier, Secret) {
        let secret = BASE64_URL_SAFE_NO_PAD.encode(self.inner().env.random::<32>());
        (SecretVerifier::Sha256(sha256(secret.as_bytes())), Secret::from(secret))
    }
}

/// The client with one secret more, and all others good for `overlap` at most.
fn with_secret(
    client: &Client,
    verifier: SecretVerifier,
    now: Timestamp,
    overlap: Duration,
) -> Client {
    let mut client = client.clone();
    let end = now + overlap;
    for known in &mut client.secrets {
        known.expires = Some(known.expires.map_or(end, |expires| expires.min(end)));
    }
    client.secrets.retain(|known| known.expires.is_none_or(|expires| now < expires));
    client.secrets.push(ClientSecret { verifier, expires: None });
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_never_work_or_never_be_safe_is_not_registered() {
        let web = || NewClient::confidential("Web").redirect_uri("https://app.example/cb");
        assert!(web().check().is_ok());
        assert!(NewClient::confidential("Machine").check().is_ok());
        let refused = |new: NewClient| format!("{:?}", new.check().unwrap_err());
        assert!(refused(web().redirect_uri("http://app.example/")).contains("Insecure"));
        assert_eq!(refused(NewClient::public("App")), "PublicClientForItself");
        let codes = [GrantType::AuthorizationCode];
        assert_eq!(refused(NewClient::public("App").grant_types(codes)), "NoRedirectUri");
        assert_eq!(refused(web().grant_types([])), "NoGrantType");
        assert_eq!(refused(web().grant_types([GrantType::RefreshToken])), "RefreshTokenAlone");
        assert_eq!(refused(web().chosen_secret("short".into())), "ShortSecret");
        assert_eq!(refused(NewClient::confidential(" ")), "Name");
        assert_eq!(refused(web().id("a b")), "Id");
        let public = NewClient::public("App").redirect_uri("https://app.example/cb");
        assert_eq!(refused(public.chosen_secret("long enough!".into())), "SecretOfPublicClient");
    }
}
