//! The options of an authorization server.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Env, KeyRing, Policy, Scope,
    fetch::{Fetcher, RemoteKeys},
    guard::Refused,
    oauth2::{InvalidResource, Resources},
};

use super::{
    access_format::AccessTokenFormat,
    authorize::pages::{device::DeviceAnswerPage, problem::Problem, verifier::VerifierPage},
    client::{
        document::load::ClientMetadataDocuments, dynamic::settings::DynamicRegistration,
        grant_type::GrantType, record::Client, redirect_uri::RedirectUri,
    },
    device::DeviceGrant,
    guessing::{Kdf, SharedCounts, SharedLimits},
    oauth1::OAuth1,
    paths::Paths,
    server::{AuthorizationServer, Shared},
    store::cache::Cached,
    token::{
        format::TokenKeys,
        planned::{BeforeIssue, NotIssued, PlannedToken},
        prefix::TokenPrefixes,
    },
};

impl AuthorizationServer {
    /// Counts guesses in a place that the processes of this issuer share, so that several processes
    /// allow no more of them than one: at user codes (RFC 8628, section 5.1) by each user; from each
    /// network, at a client secret that was chosen, and at the password of a user (RFC 6749, section
    /// 4.3); and registrations of strangers (RFC 7591). The place is a
    /// [cache](crate::provider::store::VolatileCache), or a [database](SharedCounts). If it does not
    /// answer, each process counts its own.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::{MemoryStore, VolatileMemory}}};
    /// let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .share_limits(VolatileMemory::new(10_000));
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn share_limits(self, counts: impl SharedCounts) -> Self {
        self.with(|inner| inner.limits = SharedLimits::of(counts))
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
        self.with(|inner| inner.scopes.add(scopes))
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
        let resources = Resources::of(self.inner().resources.iter().chain([uri]))?;
        Ok(self.resources(resources))
    }

    /// Replaces the set of known APIs: [`resource`](Self::resource) for a whole set.
    #[must_use]
    pub fn resources(self, resources: Resources) -> Self {
        self.with(|inner| inner.resources = resources)
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
    /// and refresh tokens). Every client has its own selection of them. Each other grant type has a
    /// method of its own, and is offered with it.
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

    /// Sends a browser to a page of the application for a problem, instead of a page of this server:
    /// to an absolute URL, or to a path of the site. The problem's [code](Problem::code) and
    /// [text](Problem::text) are in the query, as `error` and `error_description`, and the address at
    /// which the user begins again ([`Problem::again`]) as `again`. Anybody may have written such a link,
    /// so the page links to what [`same_site`](crate::page::same_site) returns. A problem in the code of the site, and one whose page links to the client ([`Problem::onward`]), are shown by the
    /// server.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?;
    /// let server = server.problem_address(http::Uri::from_static("/sorry"));
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn problem_address(self, address: http::Uri) -> Self {
        self.problem_page(move |problem| problem.redirect(&address))
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

    /// Sets the prefixes of tokens, by which scanners for leaked secrets recognize them (default:
    /// none). Behind the token is a checksum, so that scanners need not ask. JWTs have no prefix.
    /// Tokens that were issued with another prefix remain valid.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use quadrille::provider::TokenPrefixes;
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .token_prefixes(TokenPrefixes::of("acme")?); // acme_at_, acme_rt_, acme_pat_
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn token_prefixes(self, prefixes: TokenPrefixes) -> Self {
        self.with(|inner| inner.prefixes = prefixes)
    }

    /// Has the application make the text of opaque access tokens: for a gateway that expects a
    /// form of its own, for example. The generator gets the planned token and 32 random bytes, and
    /// returns `None` for a token in the usual form. Its text needs 128 bits that nobody can
    /// guess: take them from the random bytes. The server cannot check that; it checks length and
    /// characters ([`TokenTextError`](super::TokenTextError)), and that no other token has the text.
    ///
    /// Such a token carries no number: it is found by the hash of its text, in the store for each
    /// request, and its issue costs two more writes.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    ///
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .access_tokens_by_a_generator_of_my_own_that_may_be_guessed(|token, random| {
    ///         let is_partner = token.client().id.starts_with("partner-");
    ///         is_partner.then(|| format!("v2.{}", BASE64_URL_SAFE_NO_PAD.encode(random)))
    ///     });
    /// # Ok::<(), quadrille::provider::IssuerError>(())
    /// ```
    #[must_use]
    pub fn access_tokens_by_a_generator_of_my_own_that_may_be_guessed(
        self,
        generator: impl Fn(&PlannedToken, &[u8; 32]) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.generator = Some(Arc::new(generator)))
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
}
