//! The settings of a client that a program registers.

use std::collections::BTreeSet;

use crate::{
    Scopes, Secret,
    oauth1::SignatureMethod,
    oauth2::{AuthMethod, Resources},
    provider::{access_format::AccessTokenFormat, openid::client::ClientOpenId},
};

use super::{
    about::ClientAbout,
    grant_type::{GrantType, needed_for},
    lifetimes::Lifetimes,
    metadata::ClientMetadata,
    oauth1::new_key::{NewKey, NewRegistration},
    record::{Client, ClientType, SecretVerifier},
    registered_auth::{ClientKeys, RegisteredAuth},
};

/// The settings of a client to register: see
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
    pub(super) auth: Option<RegisteredAuth>,
    pub(super) id: Option<String>,
    pub(super) chosen_secret: Option<Secret>,
    pub(super) imported_secret: Option<SecretVerifier>,
    redirect_uris: Vec<String>,
    pub(super) redirect_patterns: Vec<String>,
    pub(super) scopes: Scopes,
    grant_types: Option<BTreeSet<GrantType>>,
    pub(super) first_party: bool,
    pub(super) oauth1: Option<NewRegistration>,
    pub(super) resource_server: Option<Resources>,
    pub(super) without_pkce: bool,
    /// `true` if the client asks for no tokens: the application mints them.
    pub(super) without_grants: bool,
    pub(super) requires_pkce: bool,
    pub(super) default_scopes: Option<Scopes>,
    pub(super) lifetimes: Lifetimes,
    pub(super) without_rotation: bool,
    pub(super) access_token_format: Option<AccessTokenFormat>,
    pub(super) openid: ClientOpenId,
    pub(super) about: ClientAbout,
}

impl NewClient {
    /// A confidential client (RFC 6749, section 2.1), whose secret the server generates.
    pub fn confidential(name: impl Into<String>) -> Self {
        Self::new(name.into(), ClientType::Confidential)
    }

    /// A public client (RFC 6749, section 2.1): a native or single-page application.
    pub fn public(name: impl Into<String>) -> Self {
        Self::new(name.into(), ClientType::Public)
    }

    fn new(name: String, client_type: ClientType) -> Self {
        Self {
            name,
            client_type,
            auth: None,
            id: None,
            chosen_secret: None,
            imported_secret: None,
            redirect_uris: Vec::new(),
            redirect_patterns: Vec::new(),
            scopes: Scopes::EMPTY,
            grant_types: None,
            first_party: false,
            oauth1: None,
            resource_server: None,
            without_pkce: false,
            without_grants: false,
            requires_pkce: false,
            default_scopes: None,
            lifetimes: Lifetimes::default(),
            without_rotation: false,
            access_token_format: None,
            openid: ClientOpenId::default(),
            about: ClientAbout::default(),
        }
    }

    /// The settings of a registered client, without its secrets.
    pub(super) fn again(client: &Client, oauth1: Option<NewRegistration>) -> Self {
        Self {
            auth: client.auth.clone(),
            redirect_uris: client.redirect_uris.iter().map(ToString::to_string).collect(),
            redirect_patterns: client.redirect_patterns.iter().map(ToString::to_string).collect(),
            scopes: client.scopes.clone(),
            grant_types: Some(client.grant_types.clone()),
            first_party: client.first_party,
            oauth1,
            resource_server: client.resource_server.clone(),
            without_pkce: client.without_pkce,
            requires_pkce: client.requires_pkce,
            default_scopes: client.default_scopes.clone(),
            lifetimes: client.lifetimes,
            without_rotation: client.without_rotation,
            access_token_format: client.access_token_format,
            openid: client.openid.clone(),
            about: client.about.as_deref().cloned().unwrap_or_default(),
            ..Self::new(client.name.clone(), client.client_type)
        }
    }

    /// Sets the only authentication method of the client. Without it a confidential client sends
    /// its secret, in header or body.
    ///
    /// ```
    /// use quadrille::provider::{ClientKeys, NewClient, RegisteredAuth};
    ///
    /// let keys = ClientKeys::JwksUri("https://robot.example/jwks.json".into());
    /// let robot = NewClient::confidential("Robot")
    ///     .auth(RegisteredAuth::PrivateKeyJwt { alg: None, keys });
    /// ```
    #[must_use]
    pub fn auth(mut self, auth: RegisteredAuth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Changes the facts about the client that users are shown beside its name.
    #[must_use]
    pub fn about(mut self, change: impl FnOnce(&mut ClientAbout)) -> Self {
        change(&mut self.about);
        self
    }

    /// Lets the client ask for no tokens: the application mints them.
    pub(crate) fn without_grants(mut self) -> Self {
        self.without_grants = true;
        self.grant_types([])
    }

    /// Adds a redirect URI (RFC 6749, section 3.1.2). Call it once for each.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Replaces the name that users see.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Replaces all redirect URIs.
    #[must_use]
    pub fn redirect_uris<U: Into<String>>(mut self, uris: impl IntoIterator<Item = U>) -> Self {
        self.redirect_uris = uris.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a pattern of redirect URIs, for deployments that get a host name of their own each:
    /// `https://*.preview.example.com/callback`. The asterisk stands for one label, below a name
    /// below a registered domain; all else is compared exactly. This gives up that an attacker
    /// needs the client's own host: anyone who gets one of these names, with an abandoned
    /// deployment for example, receives codes.
    ///
    /// ```
    /// # use quadrille::provider::NewClient;
    /// let shop = NewClient::confidential("Shop, before the release")
    ///     .redirect_uri("https://shop.example.com/callback")
    ///     .redirect_uri_pattern_so_that_any_subdomain_receives_codes(
    ///         "https://*.preview.example.com/callback",
    ///     );
    /// ```
    #[must_use]
    pub fn redirect_uri_pattern_so_that_any_subdomain_receives_codes(
        mut self,
        pattern: impl Into<String>,
    ) -> Self {
        self.redirect_patterns.push(pattern.into());
        self
    }

    /// Removes all patterns of redirect URIs.
    #[must_use]
    pub fn without_redirect_uri_patterns(mut self) -> Self {
        self.redirect_patterns.clear();
        self
    }

    /// Sets the scopes that the client may request, among those of the
    /// [server](crate::provider::AuthorizationServer::scope).
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets the scopes of a request without `scope` (RFC 6749, section 3.3), among
    /// [`scopes`](Self::scopes). The default is all of them.
    ///
    /// ```
    /// use quadrille::{Scopes, provider::NewClient};
    ///
    /// let printer = NewClient::confidential("Photo printer")
    ///     .redirect_uri("https://printer.example/callback")
    ///     .scopes(Scopes::parse("photos:read photos:write")?)
    ///     .default_scopes(Scopes::parse("photos:read")?);
    /// # Ok::<(), quadrille::scope::InvalidScope>(())
    /// ```
    #[must_use]
    pub fn default_scopes(mut self, scopes: Scopes) -> Self {
        self.default_scopes = Some(scopes);
        self
    }

    /// Withdraws [`default_scopes`](Self::default_scopes): a request without `scope` gets all
    /// scopes of the client.
    #[must_use]
    pub fn all_scopes_by_default(mut self) -> Self {
        self.default_scopes = None;
        self
    }

    /// Sets the client's own lifetimes of codes and tokens, in place of those of the server's
    /// [`Policy`](crate::Policy): each from a second to ten years.
    ///
    /// ```
    /// use quadrille::provider::{Lifetimes, NewClient};
    /// use std::time::Duration;
    ///
    /// let terminal = NewClient::confidential("Terminal")
    ///     .redirect_uri("https://terminal.example/callback")
    ///     .lifetimes(Lifetimes {
    ///         access_token: Some(Duration::from_secs(300)),
    ///         refresh_token_idle: Some(Duration::from_secs(12 * 3600)),
    ///         ..Lifetimes::default()
    ///     });
    /// ```
    #[must_use]
    pub const fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }

    /// Lets the client keep its refresh token: it stays valid when it is used, so that several
    /// processes of the client can share it, or one that cannot store a new token. This gives up
    /// the detection of a copy (RFC 9700, section 4.14.2): a stolen refresh token stays valid until
    /// it expires or is revoked. The client must be confidential, so that a thief needs its secret,
    /// too.
    ///
    /// ```
    /// # use quadrille::provider::NewClient;
    /// let workers = NewClient::confidential("Workers")
    ///     .redirect_uri("https://workers.example/callback")
    ///     .allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid();
    /// ```
    #[must_use]
    pub const fn allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid(
        mut self,
    ) -> Self {
        self.without_rotation = true;
        self
    }

    /// Rotates refresh tokens again, of a client that kept them.
    #[must_use]
    pub const fn rotate_refresh_tokens(mut self) -> Self {
        self.without_rotation = false;
        self
    }

    /// Sets the grant types of the client. The default is those that its
    /// [response types](ClientOpenId::response_types) need, codes and refresh tokens with a redirect
    /// URI, none for a [resource server](Self::resource_server), and else client credentials.
    #[must_use]
    pub fn grant_types(mut self, grant_types: impl IntoIterator<Item = GrantType>) -> Self {
        self.grant_types = Some(grant_types.into_iter().collect());
        self
    }

    /// Sets the format of the client's access tokens, whatever their API (default: that of the API,
    /// or of the [server](crate::provider::AuthorizationServer::access_token_format)). `None`
    /// restores the default.
    ///
    /// ```
    /// use quadrille::provider::{AccessTokenFormat, NewClient};
    ///
    /// let gateway = NewClient::confidential("Gateway")
    ///     .access_token_format(Some(AccessTokenFormat::Jwt));
    /// ```
    #[must_use]
    pub const fn access_token_format(mut self, format: Option<AccessTokenFormat>) -> Self {
        self.access_token_format = format;
        self
    }

    /// Declares the client as the provider's own, which needs no consent of users where no other
    /// program can pose as it: see [`Client::first_party`](crate::provider::Client::first_party).
    #[must_use]
    pub fn first_party(mut self) -> Self {
        self.first_party = true;
        self
    }

    /// Withdraws [`first_party`](Self::first_party): users are asked for consent.
    #[must_use]
    pub fn third_party(mut self) -> Self {
        self.first_party = false;
        self
    }

    /// Allows the client to omit PKCE, as many clients older than RFC 9700 do. This gives up
    /// protection of codes: one that leaks from the browser can be injected into another session of
    /// the client, which must be confidential.
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
        self.requires_pkce = false;
        self
    }

    /// Requires PKCE, also where the [policy](crate::Policy) lets confidential clients omit it, and
    /// of a client that was allowed to omit it.
    #[must_use]
    pub fn require_pkce(mut self) -> Self {
        self.without_pkce = false;
        self.requires_pkce = true;
        self
    }

    /// Sets the `client_id`, which is generated otherwise: at most 255 printable ASCII characters and
    /// spaces (RFC 6749, appendix A.1).
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets a chosen secret, for example one that the client has from another provider, instead of
    /// a generated one. Chosen secrets can be guessed, so each use costs an Argon2id hash.
    #[must_use]
    pub fn chosen_secret(mut self, secret: Secret) -> Self {
        self.chosen_secret = Some(secret);
        self
    }

    /// Sets the verifier of a secret that the client has from another provider, instead of a
    /// generated secret.
    ///
    /// ```
    /// use quadrille::provider::{NewClient, SecretVerifier, guessing::VerifierError};
    ///
    /// # fn main() -> Result<(), VerifierError> {
    /// let bcrypt = "$2b$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2";
    /// let printer = NewClient::confidential("Photo printer")
    ///     .id("printer")
    ///     .imported_secret(SecretVerifier::parse(bcrypt)?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn imported_secret(mut self, verifier: SecretVerifier) -> Self {
        self.imported_secret = Some(verifier);
        self
    }

    /// Allows OAuth 1.0a, with this key to sign. The client's identifier is the `client_id`, its
    /// callbacks are the redirect URIs. Without a [grant type](Self::grant_types) it cannot use
    /// OAuth 2.
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

    /// Allows `oauth_callback=oob`: users carry the verifier to a client without a callback. The
    /// client also needs a key of [`oauth1`](Self::oauth1).
    #[must_use]
    pub fn oauth1_out_of_band(mut self) -> Self {
        self.oauth1.get_or_insert_default().out_of_band = true;
        self
    }

    /// Restricts the client to these signature methods of the server. The client also needs a key
    /// of [`oauth1`](Self::oauth1).
    #[must_use]
    pub fn oauth1_methods(mut self, methods: impl IntoIterator<Item = SignatureMethod>) -> Self {
        self.oauth1.get_or_insert_default().methods = methods.into_iter().collect();
        self
    }

    /// The redirect URIs, not yet checked.
    pub(super) fn redirect_uris_given(&self) -> &[String] {
        &self.redirect_uris
    }

    pub(crate) fn chosen_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// `true` if the secret is given, chosen or imported.
    pub(super) const fn has_own_secret(&self) -> bool {
        self.chosen_secret.is_some() || self.imported_secret.is_some()
    }

    pub(crate) const fn secret_that_was_chosen(&self) -> Option<&Secret> {
        self.chosen_secret.as_ref()
    }

    pub(crate) fn oauth1_key(&self) -> Option<&NewKey> {
        self.oauth1.as_ref()?.key.as_ref()
    }

    /// The grant types, or the default.
    fn granted_types(&self) -> BTreeSet<GrantType> {
        let codes = || [GrantType::AuthorizationCode, GrantType::RefreshToken].into();
        let named = &self.openid.response_types;
        self.grant_types.clone().unwrap_or_else(|| match &*self.redirect_uris {
            [_, ..] if !named.is_empty() => {
                let needed = named.iter().flat_map(|it| needed_for(*it));
                let has_code = named.iter().any(|it| it.has_code());
                needed.chain(has_code.then_some(GrantType::RefreshToken)).collect()
            }
            [] if !self.redirect_patterns.is_empty() => codes(),
            [] if self.resource_server.is_some() => BTreeSet::new(),
            [] => [GrantType::ClientCredentials].into(),
            _ => codes(),
        })
    }

    /// The metadata of the client (RFC 7591, section 2).
    pub(super) fn metadata(&self) -> ClientMetadata {
        let method = match (self.client_type, &self.auth) {
            (_, Some(auth)) => Some(auth.method()),
            (ClientType::Confidential, None) => None,
            (ClientType::Public, None) => Some(AuthMethod::None),
        };
        let (alg, keys) = match &self.auth {
            Some(RegisteredAuth::ClientSecretJwt { alg }) => (*alg, None),
            Some(RegisteredAuth::PrivateKeyJwt { alg, keys }) => (*alg, Some(keys)),
            _ => (None, None),
        };
        let (jwks, jwks_uri) = match keys {
            Some(ClientKeys::Jwks(json)) => (Some(json.clone()), None),
            Some(ClientKeys::JwksUri(uri)) => (None, Some(uri.clone())),
            None => (None, None),
        };
        let grants = self.granted_types();
        let named = &self.openid.response_types;
        ClientMetadata {
            redirect_uris: self.redirect_uris.clone(),
            token_endpoint_auth_method: method.map(|method| method.as_str().to_owned()),
            token_endpoint_auth_signing_alg: alg.map(|alg| alg.as_str().to_owned()),
            jwks,
            jwks_uri,
            grant_types: Some(grants.iter().map(|grant| grant.as_str().to_owned()).collect()),
            response_types: (!named.is_empty())
                .then(|| named.iter().map(|it| it.as_str().to_owned()).collect()),
            client_name: Some(self.name.clone()),
            scope: Some(self.scopes.clone()),
        }
    }
}
