//! A client as the program around a server wants it.

use std::collections::BTreeSet;

use crate::{
    Scopes, Secret,
    oauth1::SignatureMethod,
    oauth2::{AuthMethod, Resources},
    provider::oauth1::new_key::{NewKey, NewRegistration},
};

use super::{
    metadata::ClientMetadata,
    record::{ClientType, GrantType},
};

/// A client to be registered with
/// [`AuthorizationServer::register`](crate::provider::AuthorizationServer::register).
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
    pub(super) name: String,
    pub(super) client_type: ClientType,
    pub(super) id: Option<String>,
    pub(super) chosen_secret: Option<Secret>,
    redirect_uris: Vec<String>,
    pub(super) scopes: Scopes,
    grant_types: Option<BTreeSet<GrantType>>,
    pub(super) first_party: bool,
    pub(super) oauth1: Option<NewRegistration>,
    pub(super) resource_server: Option<Resources>,
    pub(super) without_pkce: bool,
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

    /// What it may ask for, of what the [server
    /// knows](crate::provider::AuthorizationServer::scope).
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
    /// told from others: see [`Client::first_party`](crate::provider::Client::first_party).
    #[must_use]
    pub fn first_party(mut self) -> Self {
        self.first_party = true;
        self
    }

    /// It is an API elsewhere, which may ask what tokens that are meant for it are worth (RFC
    /// 7662): those for `resources`, by the URIs of
    /// [`AuthorizationServer::resource`](crate::provider::AuthorizationServer::resource); those
    /// that name no API where there is none. It needs a secret, and no grant type.
    #[must_use]
    pub fn resource_server(mut self, resources: Resources) -> Self {
        self.resource_server = Some(resources);
        self
    }

    /// It may leave PKCE out, as many clients from before RFC 9700 do. What is given up: a code
    /// that leaks from the browser can be injected into another session of this client. It must be
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
    /// callbacks are the redirect URIs. With no [grant type](Self::grant_types) it can use that
    /// only.
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
        self.oauth1.get_or_insert_default().key = Some(key);
        self
    }

    /// People may carry the verifier to it, because it has no address to be answered at
    /// (`oauth_callback=oob`). It needs a key of [`oauth1`](Self::oauth1), as well.
    #[must_use]
    pub fn oauth1_out_of_band(mut self) -> Self {
        self.oauth1.get_or_insert_default().out_of_band = true;
        self
    }

    /// Of the signature methods of the server it may use these only. It needs a key of
    /// [`oauth1`](Self::oauth1), as well.
    #[must_use]
    pub fn oauth1_methods(mut self, methods: impl IntoIterator<Item = SignatureMethod>) -> Self {
        self.oauth1.get_or_insert_default().methods = methods.into_iter().collect();
        self
    }

    pub(crate) fn chosen_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) const fn secret_that_was_chosen(&self) -> Option<&Secret> {
        self.chosen_secret.as_ref()
    }

    pub(crate) fn oauth1_key(&self) -> Option<&NewKey> {
        self.oauth1.as_ref()?.key.as_ref()
    }

    /// The grant types: what the client can use, if nothing is said.
    fn granted_types(&self) -> BTreeSet<GrantType> {
        self.grant_types.clone().unwrap_or_else(|| match &*self.redirect_uris {
            [] if self.resource_server.is_some() => BTreeSet::new(),
            [] => [GrantType::ClientCredentials].into(),
            _ => [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        })
    }

    /// The metadata of the client (RFC 7591, section 2).
    pub(super) fn metadata(&self) -> ClientMetadata {
        let method = match self.client_type {
            ClientType::Confidential => AuthMethod::ClientSecretBasic,
            ClientType::Public => AuthMethod::None,
        };
        let grants = self.granted_types();
        ClientMetadata {
            redirect_uris: self.redirect_uris.clone(),
            token_endpoint_auth_method: Some(method.as_str().to_owned()),
            grant_types: Some(grants.iter().map(|grant| grant.as_str().to_owned()).collect()),
            response_types: None,
            client_name: Some(self.name.clone()),
            scope: Some(self.scopes.clone()),
        }
    }
}
