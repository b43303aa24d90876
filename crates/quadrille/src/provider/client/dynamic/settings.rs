//! The settings of dynamic client registration.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    Scopes,
    provider::{
        client::{
            grant_type::{GrantType, GrantTypes},
            name::ReservedNames,
        },
        guessing::{Rate, Throttle},
        token::decided::trusted::TrustedIssuer,
    },
};

/// The limit of registrations of strangers for one network.
pub(super) const REGISTRATIONS: Rate = Rate { burst: 20, forgiven_every: Duration::from_secs(60) };

/// Dynamic client registration (RFC 7591), and the management of such clients by themselves (RFC
/// 7592). Pass it to
/// [`AuthorizationServer::dynamic_registration`](crate::provider::AuthorizationServer::dynamic_registration).
///
/// Such a client is never first-party, uses PKCE as the policy says, and users are asked for
/// consent on a page that says that the client [registered
/// itself](crate::provider::ConsentPage::registered_itself).
///
/// ```
/// use std::time::Duration;
/// use quadrille::{
///     Env, Scopes,
///     provider::{AuthorizationServer, DynamicRegistration, store::MemoryStore},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registration = DynamicRegistration::by_initial_access_token()
///     .scopes(Scopes::parse("photos:read")?);
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .scopes([("photos:read", "See your photos")])
///     .dynamic_registration(registration);
/// // For a developer, who may register three clients within a day:
/// let day = Duration::from_secs(24 * 60 * 60);
/// let issued = server.issue_initial_access_token("Ada's printer", 3, day).await?;
/// println!("{}", issued.token.expose());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DynamicRegistration {
    pub(super) is_open: bool,
    pub(super) scopes: Option<Scopes>,
    pub(super) grant_types: GrantTypes,
    pub(super) secret_lifetime: Option<Duration>,
    pub(super) unused_lifetime: Duration,
    pub(super) most_unused: usize,
    pub(super) statements: Vec<TrustedIssuer>,
    pub(super) requires_statement: bool,
    pub(super) reserved: ReservedNames,
    pub(super) memory: Arc<Memory>,
}

/// The state that all clones share.
pub(super) struct Memory {
    pub(super) networks: Throttle,
    /// Locked while one registration makes room for itself, so that the limit holds.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl DynamicRegistration {
    /// Registration with an initial access token (RFC 7591, section 3), which the operator gives
    /// to a developer: see
    /// [`issue_initial_access_token`](crate::provider::AuthorizationServer::issue_initial_access_token).
    pub fn by_initial_access_token() -> Self {
        Self {
            is_open: false,
            scopes: None,
            grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
            secret_lifetime: None,
            unused_lifetime: Duration::from_secs(24 * 60 * 60),
            most_unused: 1000,
            statements: Vec::new(),
            requires_statement: false,
            reserved: ReservedNames::default(),
            memory: Arc::new(Memory {
                networks: Throttle::new(REGISTRATIONS),
                turn: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Registration without any token, as clients of the Model Context Protocol expect it, beside
    /// that with one. This gives up that the operator knows the clients: anybody can register any
    /// number of clients with any name, and users decide alone. So the numbers are limited: twenty
    /// registrations of a network at once and then one a minute, and
    /// [`most_unused`](Self::most_unused) clients that were never used.
    pub fn open_to_anybody_so_that_strangers_add_clients() -> Self {
        Self { is_open: true, ..Self::by_initial_access_token() }
    }

    /// Sets the scopes that such clients may have (default: all scopes of the server). A client
    /// that registers for more gets these only, and one that names no scopes gets all of these.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Sets the grant types that such clients may have, among those of the server (default:
    /// `authorization_code` and `refresh_token`). With `client_credentials`, a stranger gets tokens
    /// without any user. [`GrantType::Password`] is left out: no client that its developer
    /// registers sees passwords.
    #[must_use]
    pub fn grant_types(mut self, grant_types: impl IntoIterator<Item = GrantType>) -> Self {
        let grant_types = grant_types.into_iter();
        self.grant_types = grant_types.filter(|grant| *grant != GrantType::Password).collect();
        self
    }

    /// Sets the lifetime of client secrets (default: they do not expire). A client whose secret is
    /// in the second half of its life gets another one when it updates its registration.
    #[must_use]
    pub fn secret_lifetime(mut self, lifetime: Duration) -> Self {
        self.secret_lifetime = Some(lifetime);
        self
    }

    /// Sets the time within which a client that a stranger registered must be used (default: 24
    /// hours): a user consents, or the client gets a token. Otherwise it is removed.
    #[must_use]
    pub fn unused_lifetime(mut self, lifetime: Duration) -> Self {
        self.unused_lifetime = lifetime;
        self
    }

    /// Sets the number of clients that strangers registered and nobody has used yet (default:
    /// 1000). If there are as many, a further one takes the place of the oldest of the network that
    /// has most of them, unless it is of that network itself.
    #[must_use]
    pub fn most_unused(mut self, number: usize) -> Self {
        self.most_unused = number;
        self
    }

    /// Accepts software statements (RFC 7591, section 2.3) of this issuer. Their values win over
    /// those of the request. Call it once for each issuer. Its keys are given, in a JWK Set, or
    /// at its `jwks_uri`.
    ///
    /// ```
    /// use quadrille::{
    ///     jose::KeySet,
    ///     provider::{DynamicRegistration, TrustedIssuer},
    /// };
    ///
    /// let keys = KeySet::parse(br#"{"keys":[
    ///     {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    /// ]}"#)?;
    /// let registration = DynamicRegistration::by_initial_access_token()
    ///     .software_statements(TrustedIssuer::new("https://directory.example", keys)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn software_statements(mut self, issuer: TrustedIssuer) -> Self {
        self.statements.push(issuer);
        self
    }

    /// Reserves names (default: none): a client that registers itself must not have one of them, nor
    /// one that passes for it, in look-alike letters of another script (UTS 39) or with further
    /// words. Reserve the names of your site, of your own clients, and of firms that your users
    /// trust.
    ///
    /// ```
    /// use quadrille::provider::DynamicRegistration;
    ///
    /// // Refuses `paypal`, `PayPal Login`, and `раураӏ`, which is Cyrillic.
    /// let registration = DynamicRegistration::by_initial_access_token().reserved_names(["PayPal"]);
    /// ```
    #[must_use]
    pub fn reserved_names<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        for name in names {
            self.reserved.add(name.as_ref());
        }
        self
    }

    /// Refuses clients without a software statement.
    #[must_use]
    pub fn require_software_statement(mut self) -> Self {
        self.requires_statement = true;
        self
    }
}

impl fmt::Debug for DynamicRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicRegistration")
            .field("is_open", &self.is_open)
            .field("scopes", &self.scopes)
            .field("grant_types", &self.grant_types)
            .finish_non_exhaustive()
    }
}
