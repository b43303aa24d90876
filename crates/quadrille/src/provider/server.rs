//! The authorization server: what it is made of, and how to set it up.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::{
    Env, KeyRing, Policy, Scope, Timestamp,
    oauth2::{InvalidResource, Resources},
};

use super::{
    authorize::pages::{
        problem::{Pages, Problem},
        verifier::VerifierPage,
    },
    client::{document::ClientMetadataDocuments, record::GrantType},
    clock::{self, ClockWatch},
    error::{Error, OperatorError},
    guessing::{Kdf, Rate, Throttle, turns::Turns},
    issuer::{Issuer, IssuerError},
    oauth1::{OAuth1, keys::Memo, nonces::Nonces, seconds::Seconds},
    scopes::ScopeRegistry,
    store::{ErasedStore, IssuerId, RowId, RowIds, Store, cache::Cached},
    token::format::TokenKeys,
};

/// An authorization server: lets applications in, with their users' consent. Cheap to clone.
///
/// Endpoints are plain functions over `http::Request<Bytes>`: [`authorize`](Self::authorize),
/// [`answer`](Self::answer), [`token`](Self::token), [`revoke`](Self::revoke),
/// [`introspect`](Self::introspect), [`metadata`](Self::metadata), and for OAuth 1.0a
/// [`request_token`](Self::request_token) and [`access_token`](Self::access_token). With the
/// feature `axum`, `attach` puts them and the layer that the extractors need into a router.
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
    /// As it was given; [`store`](Self::store) is this with a memory in front.
    backing: Arc<dyn ErasedStore>,
    pub(crate) store: Arc<dyn ErasedStore>,
    pub(crate) ring: KeyRing,
    pub(crate) tokens: TokenKeys,
    pub(crate) policy: Policy,
    pub(crate) scopes: ScopeRegistry,
    /// The APIs that tokens can be meant for.
    pub(crate) resources: Resources,
    pub(crate) grant_types: BTreeSet<GrantType>,
    pub(crate) env: Env,
    pub(crate) kdf: Kdf,
    pub(crate) pages: Pages,
    pub(crate) oauth1: OAuth1,
    pub(crate) documents: Option<ClientMetadataDocuments>,
    pub(crate) paths: Paths,
    /// Whether requests arrive without the path of the issuer.
    prefix_is_stripped: bool,
    pub(crate) metadata: OnceLock<Bytes>,
    pub(crate) shared: Arc<Shared>,
}

/// What all clones of a server have in common.
pub(crate) struct Shared {
    pub(crate) throttle: Throttle,
    pub(crate) turns: Turns,
    /// Whether a client with a secret that somebody chose was ever seen: only then must an unknown
    /// client cost as much.
    pub(crate) has_chosen_secrets: AtomicBool,
    /// The signed requests that this process has seen.
    pub(crate) nonces: Nonces,
    pub(crate) seconds: Seconds,
    pub(crate) oauth1_keys: Memo,
    rows: RowIds,
    watch: ClockWatch,
    issuer: OnceCell<IssuerId>,
}

/// Where the endpoints are, from the root of the origin.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) authorize: Arc<str>,
    pub(crate) consent: Arc<str>,
    pub(crate) token: Arc<str>,
    pub(crate) revoke: Arc<str>,
    pub(crate) introspect: Arc<str>,
    pub(crate) request_token: Arc<str>,
    pub(crate) access_token: Arc<str>,
    /// Both well-known forms; one where the issuer has no path.
    pub(crate) metadata: Vec<Arc<str>>,
}

impl AuthorizationServer {
    /// A server with this issuer over this store. The issuer is what clients know the server by; it
    /// is https, or http on the machine itself.
    ///
    /// Until [`keys`](Self::keys) are given it uses a ring that ends with the process, which is
    /// right for a store that does so too, and refused (at the first request, or by
    /// [`start`](Self::start)) for any other.
    ///
    /// # Errors
    /// [`IssuerError`] when the URL cannot be one.
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
            issuer,
            store: Cached::if_worth_it(&backing, &env),
            backing,
            ring,
            policy: Policy::safe(),
            scopes: ScopeRegistry::default(),
            resources: Resources::EMPTY,
            grant_types: [
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
                GrantType::RefreshToken,
            ]
            .into(),
            kdf: Kdf::default(),
            oauth1: OAuth1::off(),
            documents: None,
            metadata: OnceLock::new(),
            shared: Arc::new(Shared::new(env.clone())),
            env,
        })))
    }

    /// The keys that seal tickets and mask and derive tokens: [`KeyRing::from_env`]. All processes
    /// of one issuer share them.
    #[must_use]
    pub fn keys(self, ring: KeyRing) -> Self {
        self.with(|inner| {
            inner.tokens = TokenKeys::new(&ring, inner.issuer.as_str());
            inner.ring = ring;
        })
    }

    /// The rules: [`Policy::safe`] unless said otherwise.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        self.with(|inner| inner.policy = policy)
    }

    /// Makes a scope known, by its type: metadata lists it, the consent page describes it. A scope
    /// that is not known is neither registered nor granted.
    #[must_use]
    pub fn scope<S: Scope>(self) -> Self {
        self.scopes([(S::NAME, S::DESCRIPTION)])
    }

    /// Makes scopes known that are only known at run time: names, and what they let an application
    /// do, in words for the person who is asked.
    #[must_use]
    pub fn scopes<N: AsRef<str>, D: AsRef<str>>(
        self,
        scopes: impl IntoIterator<Item = (N, D)>,
    ) -> Self {
        self.with(|inner| {
            for (name, description) in scopes {
                inner.scopes.add(name.as_ref(), description.as_ref());
            }
        })
    }

    /// Makes an API known that has its tokens from this server, by its URI, so that clients can ask
    /// for a token that is good there and nowhere else (RFC 8707). Call it once for each; a
    /// `resource` that is not known is refused with `invalid_target`.
    ///
    /// ```
    /// use quadrille::{Env, guard::Guard, provider::{AuthorizationServer, store::MemoryStore}};
    ///
    /// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?
    ///     .resource("https://api.example")?;
    /// let guard = Guard::new(&server).audience("https://api.example");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidResource`].
    pub fn resource(self, uri: &str) -> Result<Self, InvalidResource> {
        let resources = Resources::of(self.0.resources.iter().chain([uri]))?;
        Ok(self.resources(resources))
    }

    /// These are all the APIs that are known: [`resource`](Self::resource) for a whole set.
    #[must_use]
    pub fn resources(self, resources: Resources) -> Self {
        self.with(|inner| inner.resources = resources)
    }

    /// The grant types offered at all; every client has its own selection of them. All three unless
    /// said otherwise.
    #[must_use]
    pub fn grant_types(self, grant_types: impl IntoIterator<Item = GrantType>) -> Self {
        self.with(|inner| inner.grant_types = grant_types.into_iter().collect())
    }

    /// The clock and the dice.
    #[must_use]
    pub fn env(self, env: Env) -> Self {
        self.with(|inner| {
            inner.shared = Arc::new(Shared::new(env.clone()));
            inner.store = Cached::if_worth_it(&inner.backing, &env);
            inner.env = env;
        })
    }

    /// Where chosen client secrets are hashed; share one [`Kdf`] with the sign-in page, so that
    /// together they use no more threads than there are processors.
    #[must_use]
    pub fn kdf(self, kdf: Kdf) -> Self {
        self.with(|inner| inner.kdf = kdf)
    }

    /// Moves the endpoints from `/oauth` to another path under the issuer's.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        self.with(|inner| inner.paths = Paths::new(&inner.issuer, path))
    }

    /// Says that requests arrive here without the path of the issuer: a proxy strips it, or the
    /// router is nested there (`nest("/id", server.attach(..))`). The routes are then without it,
    /// also [`authorize_path`](Self::authorize_path) and [`consent_path`](Self::consent_path); what
    /// browsers and clients are told has it.
    ///
    /// ```
    /// use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    ///
    /// let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://www.example/id", store)?.prefix_is_stripped();
    /// assert_eq!(server.authorize_path(), "/oauth/authorize"); // https://www.example/id/oauth/authorize
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn prefix_is_stripped(self) -> Self {
        self.with(|inner| inner.prefix_is_stripped = true)
    }

    /// Shows problems on pages of the application's own instead of the small default one.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?;
    /// let server = server.problem_page(|problem| {
    ///     let mut response = http::Response::new(format!("Sorry. {}", problem.text()).into());
    ///     *response.status_mut() = problem.status();
    ///     response
    /// });
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn problem_page(
        self,
        page: impl Fn(&Problem<'_>) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.pages.problem = Some(Arc::new(page)))
    }

    /// Offers OAuth 1.0a beside OAuth 2: the endpoints
    /// [`request_token`](Self::request_token) and [`access_token`](Self::access_token), requests
    /// with temporary credentials at the authorization endpoint, and signed requests at the API.
    #[must_use]
    pub fn oauth1(self, oauth1: OAuth1) -> Self {
        self.with(|inner| inner.oauth1 = oauth1)
    }

    /// Lets clients in that describe themselves at the URL that is their `client_id`. Without it
    /// such a client is unknown, and nothing is fetched.
    #[must_use]
    pub fn client_metadata_documents(self, documents: ClientMetadataDocuments) -> Self {
        self.with(|inner| inner.documents = Some(documents))
    }

    /// Shows verifiers that a person is to carry to a client (`oauth_callback=oob`) on pages of the
    /// application's own instead of the small default one.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?;
    /// let server = server.verifier_page(|shown| {
    ///     http::Response::new(match shown.verifier {
    ///         Some(code) => format!("Type {code} in at the application.").into(),
    ///         None => "Nothing was granted.".into(),
    ///     })
    /// });
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn verifier_page(
        self,
        page: impl Fn(&VerifierPage<'_>) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.pages.verifier = Some(Arc::new(page)))
    }

    /// The issuer, as clients know it.
    pub fn issuer(&self) -> &str {
        self.0.issuer.as_str()
    }

    /// The path of the endpoint to which the consent page's form is sent, as requests arrive here.
    pub fn consent_path(&self) -> &str {
        self.0.as_it_arrives(&self.0.paths.consent)
    }

    /// The path of the authorization endpoint, as requests arrive here.
    pub fn authorize_path(&self) -> &str {
        self.0.as_it_arrives(&self.0.paths.authorize)
    }

    /// Makes sure that the server can work, so that what is wrong shows at the start and not at the
    /// first request: that the store answers, and that keys and store last equally long.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn start(&self) -> Result<(), Error> {
        let inner = &self.0;
        inner.issuer_id().await?;
        clock::compare(inner.now(), inner.store.newest().await?);
        inner.row().await?;
        Ok(())
    }

    #[cfg(feature = "axum")]
    pub(crate) fn paths(&self) -> &Paths {
        &self.0.paths
    }

    /// Gives back what this process holds in the store, so that processes that live for one command
    /// do not use it up. The server can go on afterwards.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn stop(&self) -> Result<(), Error> {
        Ok(self.0.shared.rows.release_to(&*self.0.store).await?)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        change(inner);
        inner.metadata = OnceLock::new();
        self
    }
}

impl Inner {
    /// A public path as requests for it arrive.
    pub(crate) fn as_it_arrives<'a>(&self, path: &'a str) -> &'a str {
        match self.prefix_is_stripped {
            true => path.strip_prefix(self.issuer.path()).unwrap_or(path),
            false => path,
        }
    }

    /// What was stripped from the paths of requests; empty where nothing was.
    #[cfg(feature = "axum")]
    pub(crate) fn stripped_prefix(&self) -> &str {
        if self.prefix_is_stripped { self.issuer.path() } else { "" }
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
        let load = || self.store.issuer(self.issuer.as_str());
        Ok(*self.shared.issuer.get_or_try_init(load).await?)
    }

    /// A number greater than all that are stored: for what must be younger than a client, or than
    /// what was revoked, also after the clock went back.
    pub(crate) async fn newer_row(&self) -> Result<RowId, Error> {
        self.row_above(self.store.newest().await?).await
    }

    /// A number greater than this one.
    pub(crate) async fn row_above(&self, floor: RowId) -> Result<RowId, Error> {
        Ok(self.shared.rows.draw_above_from(&*self.store, floor).await?)
    }

    /// A new row number.
    pub(crate) async fn row(&self) -> Result<RowId, Error> {
        Ok(self.shared.rows.draw_from(&*self.store).await?)
    }
}

impl Shared {
    fn new(env: Env) -> Self {
        Self {
            throttle: Throttle::new(Rate::FAILURES),
            turns: Turns::new(),
            has_chosen_secrets: AtomicBool::new(false),
            nonces: Nonces::new(env.now()),
            seconds: Seconds::default(),
            oauth1_keys: Memo::default(),
            watch: ClockWatch::new(&env),
            rows: RowIds::new(env),
            issuer: OnceCell::new(),
        }
    }
}

impl Paths {
    fn new(issuer: &Issuer, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        let path = |end: &str| format!("{}{prefix}{end}", issuer.path()).into();
        let well_known = "/.well-known/oauth-authorization-server";
        let mut metadata: Vec<Arc<str>> = vec![format!("{well_known}{}", issuer.path()).into()];
        if !issuer.path().is_empty() {
            metadata.push(format!("{}{well_known}", issuer.path()).into());
        }
        Self {
            authorize: path("/authorize"),
            consent: path("/consent"),
            token: path("/token"),
            revoke: path("/revoke"),
            introspect: path("/introspect"),
            request_token: path("/request_token"),
            access_token: path("/access_token"),
            metadata,
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
