//! The authorization server and its parts.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Extensions, Request, Uri, uri::PathAndQuery};
use tokio::sync::OnceCell;

use crate::{
    Env, KeyRing, Policy, RemoteAddress, Timestamp,
    fetch::{RemoteKeys, Visitors},
    guard::RefusalPage,
    jose::Algorithm,
    oauth2::{Resources, ResponseType},
};

use super::{
    access_format::AccessFormats,
    authorize::pages::problem::Pages,
    client::{
        document::load::ClientMetadataDocuments, dynamic::settings::DynamicRegistration,
        grant_type::GrantType, ready_keys::ReadyKeys, redirect_uri::matching::RedirectRule,
        sealed::ClientSeal,
    },
    clock::{self, ClockWatch},
    device::{DeviceGrant, guesses::Guesses, pace::Pace},
    error::{Error, OperatorError},
    guessing::{Kdf, LimitsNow, Rate, SharedLimits, Throttle, passwords::Passwords, turns::Turns},
    issuer::{Issuer, IssuerError},
    known_ring,
    metadata::Document,
    oauth1::{OAuth1, asked::Seconds, keys::Memo, nonces::Nonces, start::Start},
    openid::options::OpenId,
    paths::{EndpointPath, Paths},
    scopes::ScopeRegistry,
    signing::Signing,
    store::{ErasedStore, IssuerId, RowId, RowIds, Store, StoreError, cache::Cached},
    token::{
        decided::DecidedGrants,
        format::TokenKeys,
        planned::{BeforeIssue, TokenGenerator},
        prefix::TokenPrefixes,
    },
};

/// An authorization server (RFC 6749, section 1.1), which gives other applications access with its
/// users' consent. Cheap to clone.
///
/// Endpoints are plain functions over `http::Request<Bytes>`: [`authorize`](Self::authorize),
/// [`answer`](Self::answer), [`token`](Self::token), [`revoke`](Self::revoke),
/// [`introspect`](Self::introspect), [`metadata`](Self::metadata), [`jwks`](Self::jwks), for devices
/// [`device_authorization`](Self::device_authorization), and for OAuth 1.0a
/// [`request_token`](Self::request_token) and [`access_token`](Self::access_token).
/// [`handle`](Self::handle) answers at any of those that clients call. With the feature `axum`,
/// `attach` puts them into a router, with the layer that the extractors need.
///
/// ```
/// use quadrille::{Env, KeyRing, provider::{AuthorizationServer, store::MemoryStore}, scopes};
///
/// scopes! { Photos = "photos:read", "See your photos"; }
///
/// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
///     .scope::<Photos>();
/// assert_eq!(server.issuer(), "https://id.example");
/// # Ok::<(), quadrille::provider::IssuerError>(())
/// ```
#[derive(Clone)]
pub struct AuthorizationServer(Arc<Inner>);

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) issuer: Issuer,
    /// The store without the cache that [`store`](Self::store) may have.
    pub(super) backing: Arc<dyn ErasedStore>,
    pub(crate) store: Arc<dyn ErasedStore>,
    pub(crate) ring: KeyRing,
    pub(crate) tokens: TokenKeys,
    pub(crate) policy: Policy,
    pub(crate) scopes: ScopeRegistry,
    /// The APIs that tokens can be for (RFC 8707).
    pub(crate) resources: Resources,
    /// The formats of access tokens.
    pub(crate) formats: AccessFormats,
    pub(crate) signing: Signing,
    pub(super) grant_types: BTreeSet<GrantType>,
    /// The offer of the device authorization grant, if there is one.
    pub(crate) device: Option<DeviceGrant>,
    pub(crate) env: Env,
    pub(crate) kdf: Kdf,
    pub(crate) pages: Pages,
    pub(crate) refusal_page: Option<RefusalPage>,
    pub(crate) oauth1: OAuth1,
    /// `true` if access tokens are sent in redirects (RFC 6749, section 4.2).
    pub(crate) redirects_tokens: bool,
    pub(crate) redirect_rule: Option<Arc<RedirectRule>>,
    pub(crate) before_issue: Option<BeforeIssue>,
    pub(crate) prefixes: TokenPrefixes,
    pub(crate) generator: Option<Arc<TokenGenerator>>,
    pub(crate) documents: Option<ClientMetadataDocuments>,
    /// The grants that the application decides on.
    pub(crate) decided: DecidedGrants,
    /// The keys of clients that have a `jwks_uri`.
    pub(crate) remote_keys: Option<RemoteKeys>,
    pub(crate) registration: Option<DynamicRegistration>,
    /// The limits that processes share.
    pub(crate) limits: SharedLimits,
    pub(crate) paths: Paths,
    /// `true` if requests arrive without the path of the issuer.
    pub(super) prefix_is_stripped: bool,
    /// OpenID Connect; `None` if it is not offered.
    pub(crate) openid: Option<OpenId>,
    pub(crate) metadata: Document,
    pub(crate) shared: Arc<Shared>,
}

/// The state that all clones of a server share.
pub(crate) struct Shared {
    pub(crate) throttle: Throttle,
    pub(crate) turns: Turns,
    pub(crate) passwords: Passwords,
    /// `true` once a client with a chosen secret was seen: only then must an unknown client cost as
    /// much.
    pub(crate) has_chosen_secrets: AtomicBool,
    /// `true` once a request had no address of its sender: it is logged once.
    has_missed_address: AtomicBool,
    /// The signed requests that this process has seen.
    pub(crate) nonces: Nonces,
    pub(crate) start: Start,
    pub(crate) seconds: Seconds,
    pub(crate) oauth1_keys: Memo,
    pub(crate) client_keys: ReadyKeys,
    /// The documents of sectors under way, by the networks of the registrations.
    pub(crate) sectors: Visitors,
    pub(crate) guesses: Guesses,
    pub(crate) pace: Pace,
    rows: RowIds,
    watch: ClockWatch,
    issuer: OnceCell<IssuerId>,
}

impl AuthorizationServer {
    /// A server with this issuer over this store. Clients know the server by its issuer, which is
    /// https, or http on the machine itself.
    ///
    /// Until [`keys`](Self::keys) are set, the server uses a ring that ends with the process. This
    /// suits a store that does so, too, and is refused (at the first request, or by
    /// [`start`](Self::start)) for any other.
    ///
    /// # Errors
    /// [`IssuerError`] if the URL cannot be an issuer.
    pub fn new(issuer: &str, store: impl Store) -> Result<Self, IssuerError> {
        let issuer = Issuer::parse(issuer)?;
        let ring = KeyRing::ephemeral();
        let env = Env::system();
        let backing: Arc<dyn ErasedStore> = Arc::new(store);
        Ok(Self(Arc::new(Inner {
            tokens: TokenKeys::new(&ring, issuer.as_str()),
            paths: Paths::new(&issuer, "/oauth"),
            prefix_is_stripped: false,
            pages: Pages::at(issuer.path()),
            refusal_page: None,
            issuer,
            store: Cached::if_worth_it(&backing, &env),
            backing,
            ring,
            policy: Policy::safe(),
            scopes: ScopeRegistry::default(),
            resources: Resources::EMPTY,
            formats: AccessFormats::default(),
            signing: Signing::default(),
            grant_types: [
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
                GrantType::RefreshToken,
            ]
            .into(),
            device: None,
            kdf: Kdf::default(),
            oauth1: OAuth1::off(),
            redirects_tokens: false,
            redirect_rule: None,
            before_issue: None,
            prefixes: TokenPrefixes::default(),
            generator: None,
            documents: None,
            remote_keys: None,
            registration: None,
            limits: SharedLimits::NONE,
            decided: DecidedGrants::default(),
            openid: None,
            metadata: Document::default(),
            shared: Arc::new(Shared::new(env.clone())),
            env,
        })))
    }

    /// The issuer identifier (RFC 8414, section 2).
    pub fn issuer(&self) -> &str {
        self.0.issuer.as_str()
    }

    /// The path of the consent endpoint, as requests arrive here.
    pub fn consent_path(&self) -> &str {
        self.0.as_it_arrives(&self.0.paths.consent)
    }

    /// The path of the authorization endpoint, as requests arrive here.
    pub fn authorize_path(&self) -> &str {
        self.0.as_it_arrives(&self.0.paths.authorize)
    }

    /// The path of the page on which users type the codes of devices in, as requests arrive here;
    /// `None` without [`device_grant`](Self::device_grant).
    pub fn device_path(&self) -> Option<&str> {
        self.0.device.as_ref().map(|device| self.0.as_it_arrives(&device.page))
    }

    /// Checks at the start, not at the first request, that the server can work: that the store
    /// answers, that keys and store last equally long, and that a client can repeat a refresh whose
    /// response was lost.
    ///
    /// A store that may not be written now ([`StoreError::ReadOnly`]) is
    /// no error if it knows the issuer: the server checks tokens, and issues as soon as it gets a lease of
    /// row numbers. [`check_lease`](Self::check_lease) tells whether it has one.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn start(&self) -> Result<(), Error> {
        let inner = &self.0;
        let window = inner.policy.refresh_repeat_window;
        let least = Policy::least_repeat_window(inner.store.longest_rotation());
        if window < least {
            return Err(OperatorError::RepeatWindow { window, least }.into());
        }
        let signs = inner.formats.has_jwt() || inner.openid.is_some();
        if signs && !inner.signing.is_set() {
            return Err(OperatorError::NoSigningKeys.into());
        }
        if inner.openid.is_some()
            && !inner.signing.algorithms(inner.now()).contains(&Algorithm::Rs256)
        {
            tracing::warn!(
                "OpenID Connect without a key for RS256, which every provider must have (Discovery, \
                 section 3): give further_signing_keys"
            );
        }
        inner.issuer_id().await?;
        clock::compare(inner.now(), inner.store.newest().await?);
        match inner.row().await {
            Err(Error::Operator(OperatorError::Store(StoreError::ReadOnly))) => {
                tracing::warn!("the store may not be written: until it may, nothing is issued");
                Ok(())
            }
            row => row.map(drop),
        }
    }

    /// Checks that this process can issue: that it holds a lease of row numbers, or can get one from
    /// the store. For the readiness of a process, beside [`start`](Self::start).
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?;
    /// server.check_lease().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn check_lease(&self) -> Result<(), Error> {
        self.0.row().await.map(drop)
    }

    /// Releases this process' lease in the store, so that processes that live for one command do
    /// not use leases up. The server can go on afterwards.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn stop(&self) -> Result<(), Error> {
        Ok(self.0.shared.rows.release_to(&*self.0.store).await?)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        change(inner);
        inner.metadata = Document::default();
        self
    }
}

impl Inner {
    /// The path at which requests for a public path arrive.
    pub(crate) fn as_it_arrives<'a>(&self, path: &'a str) -> &'a str {
        match self.prefix_is_stripped {
            true => path.strip_prefix(self.issuer.path()).unwrap_or(path),
            false => path,
        }
    }

    /// The prefix stripped from the paths of requests; empty without one.
    pub(crate) fn stripped_prefix(&self) -> &str {
        if self.prefix_is_stripped { self.issuer.path() } else { "" }
    }

    /// The request as its sender wrote it: with the path of the issuer, where that was stripped.
    pub(crate) fn as_sent<B>(&self, mut request: Request<B>) -> Request<B> {
        let prefix = self.stripped_prefix();
        if !prefix.is_empty() {
            let rest = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
            if let Ok(public) = Uri::try_from(format!("{prefix}{rest}")) {
                *request.uri_mut() = public;
            }
        }
        request
    }

    /// `true` if clients can get authorization codes (RFC 6749, section 4.1).
    pub(crate) fn gives_codes(&self) -> bool {
        self.offers(&GrantType::AuthorizationCode)
    }

    /// The response types that the server offers (RFC 6749, section 3.1.1).
    pub(crate) fn response_types(&self) -> Vec<ResponseType> {
        let is_named = |it: ResponseType| {
            it.is_plain() || self.openid.as_ref().is_some_and(|openid| openid.has_named(it))
        };
        let is_offered = |it: &ResponseType| {
            is_named(*it)
                && (!it.has_code() || self.gives_codes())
                && (!it.has_token() || self.redirects_tokens)
        };
        ResponseType::ALL.into_iter().filter(is_offered).collect()
    }

    /// `true` if the server offers this grant type. Those that need a page, or a decision of the
    /// application, have switches of their own.
    pub(crate) fn offers(&self, grant: &GrantType) -> bool {
        match grant {
            GrantType::DeviceCode => self.device.is_some(),
            GrantType::JwtBearer => self.decided.jwt_bearer.is_some(),
            GrantType::TokenExchange => self.decided.exchange.is_some(),
            GrantType::Implicit => self.response_types().iter().any(|it| it.has_any_token()),
            GrantType::Password => self.decided.password.is_some(),
            GrantType::Extension(name) => self.decided.extensions.contains_key(name),
            other => self.grant_types.contains(other),
        }
    }

    /// The grant types that the server offers.
    pub(crate) fn offered_grant_types(&self) -> impl Iterator<Item = GrantType> {
        let extensions = self.decided.extensions.keys().cloned().map(GrantType::Extension);
        let all = GrantType::KNOWN.into_iter().chain(extensions);
        all.filter(|grant| self.offers(grant))
    }

    /// `true` if clients without a secret can get tokens.
    pub(crate) fn has_public_clients(&self) -> bool {
        let grants = [
            GrantType::AuthorizationCode,
            GrantType::DeviceCode,
            GrantType::Implicit,
            GrantType::Password,
        ];
        grants.iter().any(|grant| self.offers(grant))
    }

    /// The URL of the token endpoint, if assertions may have it as their audience.
    pub(crate) fn token_endpoint_as_audience(&self) -> Option<String> {
        self.policy.token_endpoint_as_audience.then(|| self.url_of(EndpointPath::Below("/token")))
    }

    /// The URL of an endpoint, as clients are told it.
    pub(crate) fn url_of(&self, path: EndpointPath) -> String {
        format!("{}{}", self.issuer.origin(), self.paths.of(path))
    }

    /// The address of a request's sender, for limits. Logs the first request without one.
    pub(crate) fn address_of(&self, extensions: &Extensions) -> Option<RemoteAddress> {
        let address = RemoteAddress::of(extensions);
        if address.is_none() && !self.shared.has_missed_address.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a request came without the address of its client, so limits by address do not \
                 hold: serve with into_make_service_with_connect_info::<SocketAddr>(), or put a \
                 RemoteAddress into the extensions of each request"
            );
        }
        address
    }

    /// The seal of the secrets of this client.
    pub(crate) fn seal_of(&self, client: &str) -> ClientSeal<'_> {
        ClientSeal::new(&self.ring, self.issuer.as_str(), client)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.watch.now(&self.env)
    }

    /// The number of this issuer in the store.
    pub(crate) async fn issuer_id(&self) -> Result<IssuerId, Error> {
        if let Some(issuer) = self.shared.issuer.get() {
            return Ok(*issuer);
        }
        if self.ring.is_ephemeral() && self.store.is_cacheable() {
            return Err(OperatorError::EphemeralKeys.into());
        }
        let load = || async {
            let issuer = self.issuer.as_str();
            let number = self.store.issuer(issuer).await?;
            known_ring::look(&*self.store, &self.ring, (issuer, number), self.now()).await;
            Ok::<_, Error>(number)
        };
        // The first request loads it; the futures of the others are smaller for the box.
        Ok(*Box::pin(self.shared.issuer.get_or_try_init(load)).await?)
    }

    /// A number greater than all stored ones: for a client or a revocation, which must be younger
    /// than every grant, also after the clock was set back.
    pub(crate) async fn newer_row(&self) -> Result<RowId, Error> {
        self.row_above(self.store.newest().await?).await
    }

    /// A number greater than this one.
    pub(crate) async fn row_above(&self, floor: RowId) -> Result<RowId, Error> {
        Ok(self.shared.rows.draw_above_from(&*self.store, floor).await?)
    }

    /// A number for a grant of a user, or for what becomes one: greater than those of all clients and
    /// revocations, also after the clock was set back, and than that of its client, which may be in a
    /// table.
    pub(crate) async fn row_of_grant(&self, client: RowId) -> Result<RowId, Error> {
        self.row_above(self.store.floor().await?.max(client)).await
    }

    /// The limits that processes share, now.
    pub(crate) async fn limits_now(&self) -> Result<LimitsNow<'_>, Error> {
        Ok(self.limits.at(self.issuer_id().await?.0, self.now()))
    }

    /// A new row number.
    pub(crate) async fn row(&self) -> Result<RowId, Error> {
        Ok(self.shared.rows.draw_from(&*self.store).await?)
    }
}

impl Shared {
    pub(super) fn new(env: Env) -> Self {
        Self {
            throttle: Throttle::new(Rate::FAILURES),
            turns: Turns::new("client-secret-guesses"),
            passwords: Passwords::new(),
            has_chosen_secrets: AtomicBool::new(false),
            has_missed_address: AtomicBool::new(false),
            nonces: Nonces::new(),
            start: Start::new(&env),
            seconds: Seconds::default(),
            oauth1_keys: Memo::default(),
            client_keys: ReadyKeys::default(),
            sectors: Visitors::default(),
            guesses: Guesses::new(),
            pace: Pace::default(),
            watch: ClockWatch::new(&env),
            rows: RowIds::new(env),
            issuer: OnceCell::new(),
        }
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("issuer", &self.issuer())
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}
