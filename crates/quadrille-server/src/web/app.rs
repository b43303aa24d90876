//! The provider with its pages: its parts, and the answers that handlers share.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use quadrille::{
    Env, KeyRing, Policy,
    guard::Guard,
    jose::{DecryptingKey, KeyError, SigningKeys},
    oauth2::{InvalidResource, Resources},
    provider::{
        self, AccessTokenFormat, AuthorizationServer, ClientMetadataDocuments, DeviceGrant,
        Display, DynamicRegistration, GrantType, IssuerError, Logout, OpenId, OperatorError,
        RequestObjects, TokenPrefixes, guessing::Kdf, oauth1::OAuth1, store::StoreError,
    },
    transport::NoHttpClient,
};
use tokio::sync::Notify;

use crate::{
    config::{
        ClaimSettings, ExchangeRules, FetchSettings, OpenIdSettings, PairwiseSecret,
        PersonalTokenSettings, SESSION_LIFETIME, TrustedIssuer,
    },
    data::{Backend, Cache},
    issuer::Issuer,
};

use super::{
    api,
    attempts::Attempts,
    claims,
    client_logos::ClientLogos,
    cookies::Cookies,
    devices::Devices,
    forms::Forms,
    grants,
    pages::{Link, Message, Pages, problem, signed_out},
    passwords::{ClientsThatSeePasswords, Passwords},
    phase::Phase,
    readiness::Readiness,
    seals::Seals,
    sent::Unreadable,
    shared_counts::CountsInDatabase,
};

/// The parts of a provider.
#[derive(Debug)]
pub struct Parts {
    /// The clock and the random numbers.
    pub env: Env,
    /// The issuer.
    pub issuer: Issuer,
    /// The database.
    pub backend: Arc<dyn Backend>,
    /// The key ring that seals tokens, tickets and forms.
    pub keys: KeyRing,
    /// The policy of the authorization server.
    pub policy: Policy,
    /// The path above the endpoints, below that of the issuer.
    pub endpoints: String,
    /// The offer of the device authorization grant, if there is one.
    pub device: Option<DeviceGrant>,
    /// `true` if clients that are registered for it get access tokens in their redirects.
    pub redirects_tokens: bool,
    /// `true` if clients that are registered for it get tokens by the passwords of users.
    pub clients_see_passwords: bool,
    /// The offer of OAuth 1.0a, if there is one.
    pub oauth1: Option<OAuth1>,
    /// The cache of short-lived records, if there is one.
    pub cache: Option<Cache>,
    /// The scopes, each with its description.
    pub scopes: BTreeMap<String, String>,
    /// OpenID Connect, by which clients learn who their users are.
    pub openid: OpenIdSettings,
    /// The keys to which request objects may be encrypted, beside those of the key ring.
    pub object_keys: Vec<DecryptingKey>,
    /// The APIs that tokens can be issued for.
    pub resources: Resources,
    /// The keys that sign access tokens, if there are some.
    pub signing_keys: Option<SigningKeys>,
    /// The format of access tokens.
    pub access_token_format: AccessTokenFormat,
    /// The prefixes of tokens.
    pub token_prefixes: TokenPrefixes,
    /// The APIs whose access tokens are JWTs.
    pub jwt_resources: Resources,
    /// The settings of client ID metadata documents, if they are on.
    pub client_documents: Option<ClientMetadataDocuments>,
    /// The settings of dynamic client registration, if it is on.
    pub registration: Option<DynamicRegistration>,
    /// The grants among codes, refresh tokens and client credentials; `None` for all three.
    pub grant_types: Option<Vec<GrantType>>,
    /// The issuers elsewhere whose JWTs the server accepts.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The tokens that clients may exchange.
    pub token_exchange: ExchangeRules,
    /// The threads that hash passwords.
    pub kdf: Kdf,
    /// The pages.
    pub pages: Pages,
    /// The lifetime of a session.
    pub session_lifetime: Duration,
    /// The settings of requests to URLs that clients name.
    pub fetches: FetchSettings,
    /// The settings of the personal access tokens that users make.
    pub personal_tokens: PersonalTokenSettings,
    /// `true` if users delete their accounts.
    pub users_delete_their_accounts: bool,
}

impl Parts {
    /// A provider with the safe policy, no scopes and sessions of [`SESSION_LIFETIME`], which
    /// offers OAuth 2 to registered clients.
    pub fn new(issuer: Issuer, backend: Arc<dyn Backend>, keys: KeyRing, pages: Pages) -> Self {
        Self {
            env: Env::system(),
            policy: Policy::safe(),
            endpoints: "/oauth".to_owned(),
            device: None,
            redirects_tokens: false,
            clients_see_passwords: false,
            oauth1: None,
            cache: None,
            scopes: BTreeMap::new(),
            openid: OpenIdSettings::off(),
            object_keys: Vec::new(),
            resources: Resources::EMPTY,
            signing_keys: None,
            access_token_format: AccessTokenFormat::Opaque,
            token_prefixes: TokenPrefixes::default(),
            jwt_resources: Resources::EMPTY,
            client_documents: None,
            registration: None,
            grant_types: None,
            trusted_issuers: Vec::new(),
            token_exchange: ExchangeRules::new(),
            kdf: Kdf::default(),
            session_lifetime: SESSION_LIFETIME,
            fetches: FetchSettings::default(),
            personal_tokens: PersonalTokenSettings::off(),
            users_delete_their_accounts: false,
            issuer,
            backend,
            keys,
            pages,
        }
    }
}

/// The provider with its pages, as handlers share it. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// The state that all clones of an [`App`] share.
#[derive(Debug)]
pub struct Shared {
    pub(super) env: Env,
    pub(super) issuer: Issuer,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) scopes: BTreeMap<String, String>,
    /// The settings of the claims about users, with OpenID Connect.
    pub(super) claims: Option<ClaimSettings>,
    pub(super) pages: Arc<Pages>,
    pub(super) session_lifetime: Duration,
    pub(super) personal_tokens: PersonalTokenSettings,
    pub(super) users_delete_their_accounts: bool,
    /// The authentication context classes of which a sign-in by password is.
    pub(super) acr_values: Vec<Arc<str>>,
    pub(super) server: AuthorizationServer,
    /// The guard of `/api/me`.
    pub(super) api: Guard,
    pub(super) cookies: Cookies,
    pub(super) forms: Forms,
    pub(super) devices: Devices,
    pub(super) seals: Seals,
    pub(super) passwords: Arc<Passwords>,
    pub(super) client_logos: ClientLogos,
    pub(super) phase: Phase,
    pub(super) readiness: Readiness,
    /// Rings when a session was recorded as ended.
    pub(super) ended: Notify,
    pub(super) cache: Option<Cache>,
}

/// A provider cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The URI of an API is not valid.
    #[error(transparent)]
    Resource(#[from] InvalidResource),
    /// The issuer is not valid.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The authorization server cannot work.
    #[error(transparent)]
    Server(#[from] provider::Error),
    /// Client ID metadata documents cannot be fetched.
    #[error(transparent)]
    Http(#[from] NoHttpClient),
    /// The key for request objects cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The offer of OpenID Connect by the settings.
fn openid_offer(
    offered: OpenId,
    settings: OpenIdSettings,
    fetches: &FetchSettings,
    languages: &[&str],
    (keys, object_keys, issuer): (&KeyRing, Vec<DecryptingKey>, &Issuer),
) -> Result<OpenId, AppError> {
    let mut offered = offered
        .response_types(settings.response_types)
        .ui_locales(languages)
        // The pages suit the window of each of them.
        .displays([Display::Page, Display::Popup, Display::Touch]);
    if settings.request_objects {
        let mut objects = RequestObjects::new()
            .by_reference(fetches.fetcher()?)
            .encrypted_to_keys_of(keys, issuer.as_str())?
            .encrypted_to(object_keys);
        if settings.unsigned_request_objects {
            objects = objects.accept_unsigned_ones_that_anybody_can_have_written();
        }
        offered = offered.request_objects(objects);
    }
    if settings.encrypted_responses {
        offered = offered.encrypted_responses();
    }
    if settings.session_management {
        offered = offered.session_management();
    }
    if settings.webfinger {
        offered = offered.webfinger();
    }
    if settings.offline_access {
        offered = offered.offline_access();
    }
    Ok(match settings.pairwise_secret {
        Some(PairwiseSecret(secret)) => offered.pairwise_subjects(&secret),
        None => offered,
    })
}

impl App {
    /// Builds a provider, and checks that it can work.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn new(parts: Parts) -> Result<Self, AppError> {
        let Parts {
            env,
            issuer,
            backend,
            keys,
            policy,
            endpoints,
            device,
            redirects_tokens,
            clients_see_passwords,
            oauth1,
            cache,
            scopes,
            openid,
            object_keys,
            resources,
            signing_keys,
            access_token_format,
            token_prefixes,
            jwt_resources,
            client_documents,
            registration,
            grant_types,
            trusted_issuers,
            token_exchange,
            kdf,
            pages,
            session_lifetime,
            fetches,
            personal_tokens,
            users_delete_their_accounts,
        } = parts;
        let me = format!("{issuer}{}", api::PATH);
        let pages = Arc::new(pages);
        let acr_values: Vec<Arc<str>> = match openid.enabled {
            true => openid.acr_values.iter().map(|class| class.as_str().into()).collect(),
            false => Vec::new(),
        };
        let [problems, verifiers, devices] = [(); 3].map(|()| Arc::clone(&pages));
        let mut server = backend
            .server(issuer.as_str(), cache.clone())?
            .at(&endpoints)
            .keys(keys.clone())
            .policy(policy.acr_values(acr_values.clone()))
            .scopes(&scopes)
            .resources(resources)
            .resource(&me)?
            .env(env.clone())
            .kdf(kdf.clone())
            .problem_page(move |problem| problem::show(&problems, problem))
            .verifier_page(move |shown| problem::show_verifier(&verifiers, shown))
            .device_answer_page(move |shown| problem::show_device_answer(&devices, shown));
        if let Some(device) = device {
            server = server.device_grant(device);
        }
        server = server.access_token_format(access_token_format).token_prefixes(token_prefixes);
        for uri in jwt_resources.iter() {
            server = server.access_token_format_for(uri, AccessTokenFormat::Jwt)?;
        }
        if let Some(keys) = signing_keys {
            server = server.signing_keys(keys);
        }
        let claims = openid.enabled.then(|| openid.claims.clone());
        if openid.enabled {
            let shown = Arc::clone(&pages);
            let logout = Logout::new()
                .back_channel(fetches.fetcher()?)
                .page(move |page| signed_out::show(&shown, page));
            let offered = claims::offered(backend.clone(), &openid.claims, &scopes);
            let languages: Vec<_> = pages.texts().tags().collect();
            let keys = (&keys, object_keys, &issuer);
            let offered = openid_offer(offered, openid, &fetches, &languages, keys)?;
            server = server.openid(offered.logout(logout));
        }
        let mark = backend.mark().await?;
        server = server.share_limits(CountsInDatabase::new(backend.clone(), &keys, &mark));
        if let Some(oauth1) = oauth1 {
            server = server.oauth1(oauth1);
        }
        server = server.client_keys_fetched_by(fetches.fetcher()?);
        if let Some(documents) = client_documents {
            server = server.client_metadata_documents(documents);
        }
        if let Some(registration) = registration {
            server = server.dynamic_registration(registration);
        }
        if let Some(grant_types) = grant_types {
            server = server.grant_types(grant_types);
        }
        server = grants::offered(server, &backend, trusted_issuers, token_exchange);
        let client_logos = ClientLogos::new(env.clone(), backend.clone(), fetches.fetcher()?);
        let attempts = Attempts::new(env.clone(), backend.clone(), &keys, &mark);
        let passwords = Passwords::new(env.clone(), backend.clone(), kdf.clone(), attempts);
        let passwords = Arc::new(passwords);
        if redirects_tokens {
            server = server.send_access_tokens_in_redirects_so_that_they_can_leak();
        }
        if clients_see_passwords {
            let verifier = ClientsThatSeePasswords(passwords.clone());
            server = server.let_clients_see_passwords_of_users(verifier);
        }
        server.start().await?;
        Ok(Self(Arc::new(Shared {
            api: api::guard(&server, &me, &pages.site().name)?,
            cookies: Cookies::new(&mark, issuer.is_https()),
            devices: Devices::new(env.clone(), keys.clone(), &mark),
            seals: Seals::new(keys.clone(), &mark),
            passwords,
            client_logos,
            phase: Phase::default(),
            readiness: Readiness::default(),
            ended: Notify::new(),
            cache,
            forms: Forms::new(env.clone(), keys, issuer.clone()),
            env,
            issuer,
            backend,
            scopes,
            claims,
            pages,
            session_lifetime,
            personal_tokens,
            users_delete_their_accounts,
            acr_values,
            server,
        })))
    }

    /// The issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What the process knows of itself, for `/ready`.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The authorization server behind the pages.
    pub fn server(&self) -> &AuthorizationServer {
        &self.server
    }
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "App({})", self.issuer)
    }
}

/// Answers for all handlers.
impl Shared {
    pub(super) fn see_other(&self, path: &str) -> Response<Body> {
        let Ok(location) = HeaderValue::try_from(path) else { return self.failed() };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, location);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // The next request has a long address, perhaps, and no room for that of the page before.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }

    pub(super) fn store_failed(&self, error: &StoreError) -> Response<Body> {
        tracing::error!(%error, "the store failed");
        match error.is_transient() {
            true => self.failure(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            false => self.failed(),
        }
    }

    /// The answer to an error of the authorization server. `what` says what failed.
    pub(super) fn server_failed(&self, error: &provider::Error, what: &str) -> Response<Body> {
        if let provider::Error::Operator(OperatorError::Store(error)) = error {
            return self.store_failed(error);
        }
        tracing::error!(%error, "{what}");
        self.failed()
    }

    pub(super) fn failed(&self) -> Response<Body> {
        self.failure(StatusCode::INTERNAL_SERVER_ERROR, "server_error")
    }

    fn failure(&self, status: StatusCode, code: &'static str) -> Response<Body> {
        self.pages.message(
            status,
            &Message {
                title: "problem-failed-title",
                key: "problem-failed",
                client: None,
                code: Some(code),
                link: None,
                alert: true,
            },
        )
    }

    /// The answer to a form that another site sent, or that was made for another browser.
    pub(super) fn foreign_form(&self) -> Response<Body> {
        self.pages.message(
            StatusCode::FORBIDDEN,
            &Message {
                title: "foreign-form-title",
                key: "foreign-form",
                client: None,
                code: None,
                link: Some(Link::to(&self.pages.site().home, "your-applications")),
                alert: true,
            },
        )
    }

    /// The answer to a body that is not a form.
    pub(super) fn bad_form(&self, why: &Unreadable) -> Response<Body> {
        tracing::info!(%why, "a form cannot be read");
        self.pages.message(
            why.status(),
            &Message {
                title: "unreadable-form-title",
                key: "unreadable-form",
                client: None,
                code: Some("invalid_request"),
                link: Some(Link::to(&self.pages.site().home, "your-applications")),
                alert: true,
            },
        )
    }
}
