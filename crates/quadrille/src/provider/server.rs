//! The authorization server: its parts, and how to set it up.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::{Extensions, Request, Uri, uri::PathAndQuery};
use tokio::sync::OnceCell;

use crate::{
    Env, KeyRing, Policy, RemoteAddress, Scope, Timestamp,
    fetch::{Fetcher, RemoteKeys},
    guard::{RefusalPage, Refused},
    jose::SigningKeys,
    oauth2::{InvalidResource, Resources},
};

use super::{
    authorize::pages::{
        device::DeviceAnswerPage,
        problem::{Pages, Problem},
        verifier::VerifierPage,
    },
    client::{
        document::load::ClientMetadataDocuments,
        dynamic::settings::DynamicRegistration,
        grant_type::GrantType,
        ready_keys::ReadyKeys,
        record::Client,
        redirect_uri::{RedirectUri, matching::RedirectRule},
    },
    clock::{self, ClockWatch},
    device::{DeviceGrant, guesses::Guesses, pace::Pace},
    error::{Error, OperatorError},
    guessing::{Kdf, Rate, Throttle, passwords::Passwords, turns::Turns},
    issuer::{Issuer, IssuerError},
    oauth1::{OAuth1, asked::Seconds, keys::Memo, nonces::Nonces, start::Start},
    paths::{EndpointPath, Paths},
    scopes::ScopeRegistry,
    signing::Signing,
    store::{ErasedStore, IssuerId, RowId, RowIds, Store, cache::Cached},
    token::{
        access_format::{AccessFormats, AccessTokenFormat},
        decided::DecidedGrants,
        format::TokenKeys,
        planned::{BeforeIssue, NotIssued, PlannedToken},
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
    backing: Arc<dyn ErasedStore>,
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
    grant_types: BTreeSet<GrantType>,
    /// The offer of the device authorization grant, if there is one.
    pub(crate) device: Option<DeviceGrant>,
    pub(crate) env: Env,
    pub(crate) kdf: Kdf,
    pub(crate) pages: Pages,
    pub(crate) refusal_page: Option<RefusalPage>,
    pub(crate) oauth1: OAuth1,
    pub(crate) redirect_rule: Option<Arc<RedirectRule>>,
    pub(crate) before_issue: Option<BeforeIssue>,
    pub(crate) documents: Option<ClientMetadataDocuments>,
    /// The grants that the application decides on.
    pub(crate) decided: DecidedGrants,
    /// The keys of clients that have a `jwks_uri`.
    pub(crate) remote_keys: Option<RemoteKeys>,
    pub(crate) registration: Option<DynamicRegistration>,
    pub(crate) paths: Paths,
    /// `true` if requests arrive without the path of the issuer.
    prefix_is_stripped: bool,
    pub(crate) metadata: OnceLock<Bytes>,
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
            redirect_rule: None,
            before_issue: None,
            documents: None,
            remote_keys: None,
            registration: None,
            decided: DecidedGrants::default(),
            metadata: OnceLock::new(),
            shared: Arc::new(Shared::new(env.clone())),
            env,
        })))
    }

    /// Sets the keys that seal tickets and mask and derive tokens: [`KeyRing::from_env`]. All
    /// processes of one issuer share them.
    #[must_use]
    pub fn keys(self, ring: KeyRing) -> Self {
        self.with(|inner| {
            inner.tokens = TokenKeys::new(&ring, inner.issuer.as_str());
            inner.ring = ring;
        })
    }

    /// Sets the policy (default: [`Policy::safe`]).
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        self.with(|inner| inner.policy = policy)
    }

    /// Adds a scope, by its type: metadata lists it, the consent page describes it. Other scopes
    /// are neither registered nor granted.
    #[must_use]
    pub fn scope<S: Scope>(self) -> Self {
        self.scopes([(S::NAME, S::DESCRIPTION)])
    }

    /// Adds scopes that are known at run time only: names, and descriptions in the user's words.
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

    /// Adds an API that gets its tokens from this server, by its URI, so that clients can request
    /// tokens for it alone (RFC 8707). Call it once for each; an unknown `resource` is refused with
    /// `invalid_target`.
    ///
    /// ```
    /// use quadrille::{Env, guard::Guard, provider::{AuthorizationServer, store::MemoryStore}};
    ///
    /// let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
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

    /// Replaces the set of known APIs: [`resource`](Self::resource) for a whole set.
    #[must_use]
    pub fn resources(self, resources: Resources) -> Self {
        self.with(|inner| inner.resources = resources)
    }

    /// Sets the keys with which the server signs JWT access tokens (RFC 9068), and publishes their
    /// public parts at `jwks_uri` (RFC 8414, section 2). Of keys for several algorithms, those of
    /// the first one in [`Algorithm`](crate::jose::Algorithm) sign.
    ///
    /// ```
    /// use quadrille::{
    ///     Env,
    ///     jose::{Algorithm, SigningKey, SigningKeys},
    ///     provider::{AccessTokenFormat, AuthorizationServer, store::MemoryStore},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let env = Env::system();
    /// let keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, env.now())?;
    /// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env))?
    ///     .signing_keys(keys)
    ///     .access_token_format(AccessTokenFormat::Jwt);
    ///
    /// let request = http::Request::get("/oauth/jwks").body(bytes::Bytes::new())?;
    /// let answer = server.jwks(request).await;
    /// assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn signing_keys(self, keys: SigningKeys) -> Self {
        self.with(|inner| inner.signing = Signing::new(keys))
    }

    /// Replaces the signing keys while the server and its clones run, after a
    /// [rotation](crate::jose::Rotation) or a theft. A server without signing keys gets none, since
    /// its metadata would change: use [`signing_keys`](Self::signing_keys). Returns whether the
    /// keys were replaced.
    ///
    /// ```
    /// # use quadrille::{
    /// #     Env,
    /// #     jose::{Algorithm, Rotation, SigningKey, SigningKeys},
    /// #     provider::{AuthorizationServer, store::MemoryStore},
    /// # };
    /// # let env = Env::system();
    /// # let mut keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, env.now())?;
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env.clone()))?
    /// #     .signing_keys(keys.clone());
    /// keys.add(SigningKey::generate(Algorithm::Es256)?, env.now(), &Rotation::default())?;
    /// assert!(server.replace_signing_keys(keys));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_signing_keys(&self, keys: SigningKeys) -> bool {
        let signing = &self.0.signing;
        let is_set = signing.is_set();
        if is_set {
            signing.replace(keys);
        }
        is_set
    }

    /// Sets the format of access tokens (default: opaque). An API or a client may have another one:
    /// [`access_token_format_for`](Self::access_token_format_for),
    /// [`NewClient::access_token_format`](crate::provider::NewClient::access_token_format). JWTs
    /// need [`signing_keys`](Self::signing_keys).
    #[must_use]
    pub fn access_token_format(self, format: AccessTokenFormat) -> Self {
        self.with(|inner| inner.formats.default = format)
    }

    /// Adds an API, as [`resource`](Self::resource) does, and sets the format of the access tokens
    /// for it.
    ///
    /// ```
    /// use quadrille::{
    ///     Env,
    ///     jose::{Algorithm, SigningKey, SigningKeys},
    ///     provider::{AccessTokenFormat, AuthorizationServer, store::MemoryStore},
    /// };
    ///
    /// let env = Env::system();
    /// let keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, env.now())?;
    /// let server = AuthorizationServer::new("https://id.example", MemoryStore::new(env))?
    ///     .signing_keys(keys)
    ///     .access_token_format_for("https://api.example", AccessTokenFormat::Jwt)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidResource`].
    pub fn access_token_format_for(
        self,
        uri: &str,
        format: AccessTokenFormat,
    ) -> Result<Self, InvalidResource> {
        let server = self.resource(uri)?;
        Ok(server.with(|inner| {
            inner.formats.of_resources.insert(uri.into(), format);
        }))
    }

    /// Sets the grant types that the server offers (default: authorization codes, client credentials
    /// and refresh tokens). Every client has its own selection of them. Device codes need
    /// [`device_grant`](Self::device_grant), and are offered with it.
    #[must_use]
    pub fn grant_types(self, grant_types: impl IntoIterator<Item = GrantType>) -> Self {
        self.with(|inner| inner.grant_types = grant_types.into_iter().collect())
    }

    /// Replaces the clock and the source of randomness.
    #[must_use]
    pub fn env(self, env: Env) -> Self {
        self.with(|inner| {
            inner.shared = Arc::new(Shared::new(env.clone()));
            inner.store = Cached::if_worth_it(&inner.backing, &env);
            inner.env = env;
        })
    }

    /// Sets the threads that hash chosen client secrets. Share one [`Kdf`] with the sign-in page,
    /// so that together they use no more threads than there are processors.
    #[must_use]
    pub fn kdf(self, kdf: Kdf) -> Self {
        self.with(|inner| inner.kdf = kdf)
    }

    /// Moves the endpoints from `/oauth` to another path under the issuer's.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        self.with(|inner| inner.paths = Paths::new(&inner.issuer, path))
    }

    /// Declares that requests arrive without the path of the issuer: a proxy strips it, or the
    /// router is nested there (`nest("/id", server.attach(..))`). The routes are then without it,
    /// also [`authorize_path`](Self::authorize_path) and [`consent_path`](Self::consent_path); URLs
    /// for browsers and clients have it.
    ///
    /// ```
    /// use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    ///
    /// let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://www.example/id", store)?
    ///     .prefix_is_stripped();
    /// // Browsers see https://www.example/id/oauth/authorize.
    /// assert_eq!(server.authorize_path(), "/oauth/authorize");
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn prefix_is_stripped(self) -> Self {
        self.with(|inner| inner.prefix_is_stripped = true)
    }

    /// Replaces the small default page for problems.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
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

    /// Sets the page for requests that are refused at the API: see [`Guard::refusal_page`].
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let server = server.refusal_page(|refused| {
    ///     http::Response::new(format!("Sorry: {}", refused.error()).into())
    /// });
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    ///
    /// [`Guard::refusal_page`]: crate::guard::Guard::refusal_page
    #[must_use]
    pub fn refusal_page(
        self,
        page: impl Fn(&Refused) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.refusal_page = Some(Arc::new(page)))
    }

    /// Offers OAuth 1.0a beside OAuth 2: the endpoints [`request_token`](Self::request_token) and
    /// [`access_token`](Self::access_token), requests with temporary credentials at the
    /// authorization endpoint, and signed requests at the API.
    #[must_use]
    pub fn oauth1(self, oauth1: OAuth1) -> Self {
        self.with(|inner| inner.oauth1 = oauth1)
    }

    /// Sets a hook that is asked before every token is issued, whatever the grant, refreshes and
    /// token credentials of OAuth 1.0a included: it may refuse, narrow the scopes, set the
    /// lifetime, and add members to the response. So a user who was disabled gets nothing more. A
    /// refused request uses nothing up. The tokens that were issued before remain valid until they
    /// expire, or until they are revoked: [`revoke_subject`](Self::revoke_subject).
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::NotIssued;
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let server = server.before_issue(|token| async move {
    ///     match token.subject() {
    ///         Some("mallory") => Err(NotIssued::refused("the account is disabled")),
    ///         _ => Ok(token),
    ///     }
    /// });
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn before_issue<F>(self, hook: impl Fn(PlannedToken) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<PlannedToken, NotIssued>> + Send + 'static,
    {
        let hook: BeforeIssue = Arc::new(move |token| Box::pin(hook(token)));
        self.with(|inner| inner.before_issue = Some(hook))
    }

    /// Offers the device authorization grant (RFC 8628): the endpoint
    /// [`device_authorization`](Self::device_authorization), and device codes at the token endpoint.
    /// The application brings the page at [`device_path`](Self::device_path).
    #[must_use]
    pub fn device_grant(self, device: DeviceGrant) -> Self {
        self.with(|inner| inner.device = Some(device.below(inner.issuer.path())))
    }

    /// Accepts clients that describe themselves at the URL that is their `client_id`. Without it
    /// such a client is unknown, and nothing is fetched.
    #[must_use]
    pub fn client_metadata_documents(self, documents: ClientMetadataDocuments) -> Self {
        self.with(|inner| inner.documents = Some(documents))
    }

    /// Sets how the keys of clients that authenticate by `private_key_jwt` and have a `jwks_uri`
    /// are fetched: as a rule by a `GuardedFetcher`. A set is fetched when it is needed and kept
    /// for the time in its `Cache-Control`, between a minute and an hour. An assertion that names
    /// an unknown key has it fetched again, at most once in ten seconds. Without this, clients need
    /// `jwks`.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::GuardedFetcher;
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .client_keys_fetched_by(GuardedFetcher::new()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn client_keys_fetched_by(self, fetcher: impl Fetcher) -> Self {
        self.with(|inner| inner.remote_keys = Some(RemoteKeys::new(Arc::new(fetcher))))
    }

    /// Lets clients register themselves (RFC 7591), and manage their registration (RFC 7592).
    /// Without it there is no [registration endpoint](Self::registration), and a client that is
    /// registered already cannot change its registration.
    #[must_use]
    pub fn dynamic_registration(self, registration: DynamicRegistration) -> Self {
        self.with(|inner| inner.registration = Some(registration))
    }

    /// Sets a rule for redirect URIs that are not registered, called with the client and a URI in
    /// the form in which browsers go there. Codes go to each URI that the rule accepts: a rule that
    /// accepts a host or a path of someone else gives the codes of all users away, and makes the
    /// authorization endpoint an open redirector. Compare hosts as a whole.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let regions = ["https://eu.shop.example/callback", "https://us.shop.example/callback"];
    /// let server = server.redirect_uris_by_a_rule_of_my_own_that_may_send_codes_anywhere(
    ///     move |client, uri| &*client.id == "shop" && regions.contains(&uri.as_str()),
    /// );
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn redirect_uris_by_a_rule_of_my_own_that_may_send_codes_anywhere(
        self,
        rule: impl Fn(&Client, &RedirectUri) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.redirect_rule = Some(Arc::new(rule)))
    }

    /// Replaces the small default page for verifiers that a user carries to a client
    /// (`oauth_callback=oob`).
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
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

    /// Replaces the small default page after a user has answered for a device.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let server = server.device_answer_page(|shown| {
    ///     http::Response::new(match shown.is_allowed {
    ///         true => "Go back to your device.".into(),
    ///         false => "Nothing was granted.".into(),
    ///     })
    /// });
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn device_answer_page(
        self,
        page: impl Fn(&DeviceAnswerPage<'_>) -> http::Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.pages.device = Some(Arc::new(page)))
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
    /// answers, and that keys and store last equally long.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub async fn start(&self) -> Result<(), Error> {
        let inner = &self.0;
        if inner.formats.has_jwt() && !inner.signing.is_set() {
            return Err(OperatorError::NoSigningKeys.into());
        }
        inner.issuer_id().await?;
        clock::compare(inner.now(), inner.store.newest().await?);
        inner.row().await?;
        Ok(())
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
        inner.metadata = OnceLock::new();
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

    /// `true` if the server offers this grant type. Those that need a page, or a decision of the
    /// application, have switches of their own.
    pub(crate) fn offers(&self, grant: &GrantType) -> bool {
        match grant {
            GrantType::DeviceCode => self.device.is_some(),
            GrantType::JwtBearer => self.decided.jwt_bearer.is_some(),
            GrantType::TokenExchange => self.decided.exchange.is_some(),
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
        let grants = [GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::Password];
        grants.iter().any(|grant| self.offers(grant))
    }

    /// The URL of the token endpoint, if assertions may have it as their audience.
    pub(crate) fn token_endpoint_as_audience(&self) -> Option<String> {
        let path = self.paths.of(EndpointPath::Below("/token"));
        self.policy.token_endpoint_as_audience.then(|| format!("{}{path}", self.issuer.origin()))
    }

    /// The address of a request's sender, for limits. Logs the first request without one.
    pub(crate) fn address_of(&self, extensions: &Extensions) -> Option<RemoteAddress> {
        let address = extensions.get().copied();
        if address.is_none() && !self.shared.has_missed_address.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a request came without the address of its client, so limits by address do not \
                 hold: serve with into_make_service_with_connect_info::<SocketAddr>(), or put a \
                 RemoteAddress into the extensions of each request"
            );
        }
        address
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

    /// A number greater than all stored ones: for rows that must be younger than a client, or than
    /// a revocation, also after the clock was set back.
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
            passwords: Passwords::new(),
            has_chosen_secrets: AtomicBool::new(false),
            has_missed_address: AtomicBool::new(false),
            nonces: Nonces::new(),
            start: Start::new(&env),
            seconds: Seconds::default(),
            oauth1_keys: Memo::default(),
            client_keys: ReadyKeys::default(),
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
