//! The provider's pages, and the routes to them.

mod account;
mod attempts;
mod audit;
mod authorize;
mod cookies;
mod devices;
mod forms;
mod me;
mod pages;
mod sign_in;
mod throttle;
mod visitor;

pub use pages::{FormsLead, Link, Message, Pages, PagesError};
pub use visitor::Visitor;

use std::{collections::BTreeMap, fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, State, rejection::FormRejection},
    http::{HeaderValue, Response, StatusCode, header},
    middleware::map_response,
    routing::{get, post},
};
use quadrille::{
    Env, KeyRing, Policy,
    oauth2::Resources,
    provider::{
        self, AuthorizationServer, BrowserError, ClientMetadataDocuments, IssuerError, Problem,
        VerifierPage,
        guessing::{Kdf, Line},
        oauth1::OAuth1,
        store::{IssuerId, SqliteStore, Store as _, StoreError},
    },
    transport::NoHttpClient,
};

use serde::Serialize;

use crate::{config::SESSION_LIFETIME, issuer::Issuer, sessions::Sessions, users::Users};

use attempts::Attempts;
use cookies::Cookies;
use devices::Devices;
use forms::Forms;
use visitor::Seals;

/// How many passwords of strangers are at the threads of the [`Kdf`] at once, for each processor:
/// enough that none is idle. All others stand in line, and people in browsers that are known go by.
const PLACES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// How many stand in line.
const SEATS: usize = 1024;

/// How many of them from one network.
const SEATS_OF_A_NETWORK: usize = 64;

/// What a provider is made of.
#[derive(Debug)]
pub struct Parts {
    /// The clock and the dice.
    pub env: Env,
    /// What it is called.
    pub issuer: Issuer,
    /// Where it keeps its facts.
    pub store: Arc<SqliteStore>,
    /// Who can sign in.
    pub users: Users,
    /// What seals its tokens, tickets and forms.
    pub keys: KeyRing,
    /// Its rules.
    pub policy: Policy,
    /// How it offers OAuth 1.0a, if it does.
    pub oauth1: Option<OAuth1>,
    /// Scopes and what they mean.
    pub scopes: BTreeMap<String, String>,
    /// The APIs that tokens can be meant for.
    pub resources: Resources,
    /// How clients are let in that describe themselves, if they are.
    pub client_documents: Option<ClientMetadataDocuments>,
    /// Where passwords are hashed.
    pub kdf: Kdf,
    /// Its pages.
    pub pages: Pages,
    /// How long people stay signed in.
    pub session_lifetime: Duration,
}

impl Parts {
    /// A provider with the safe policy, no scopes and sessions of [`SESSION_LIFETIME`], which
    /// offers OAuth 2 to registered clients. `store` has the program's tables
    /// ([`make_tables`](crate::data::make_tables)).
    pub fn new(issuer: Issuer, store: Arc<SqliteStore>, keys: KeyRing, pages: Pages) -> Self {
        Self {
            env: Env::system(),
            users: Users::new(Arc::clone(&store)),
            policy: Policy::safe(),
            oauth1: None,
            scopes: BTreeMap::new(),
            resources: Resources::EMPTY,
            client_documents: None,
            kdf: Kdf::default(),
            session_lifetime: SESSION_LIFETIME,
            issuer,
            store,
            keys,
            pages,
        }
    }
}

/// A provider with its pages: what handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What all clones of an [`App`] have in common.
#[derive(Debug)]
pub struct Shared {
    env: Env,
    issuer: Issuer,
    issuer_id: IssuerId,
    store: Arc<SqliteStore>,
    users: Users,
    sessions: Sessions,
    scopes: BTreeMap<String, String>,
    kdf: Kdf,
    pages: Arc<Pages>,
    session_lifetime: Duration,
    server: AuthorizationServer,
    cookies: Cookies,
    forms: Forms,
    devices: Devices,
    seals: Seals,
    attempts: Attempts,
    strangers: Line,
}

/// Why a provider could not be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The issuer cannot be one.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The authorization server cannot work.
    #[error(transparent)]
    Server(#[from] provider::Error),
    /// Documents of clients cannot be fetched.
    #[error(transparent)]
    Http(#[from] NoHttpClient),
}

impl App {
    /// Puts a provider together, and makes sure that it can work.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn new(parts: Parts) -> Result<Self, AppError> {
        let Parts {
            env,
            issuer,
            store,
            users,
            keys,
            policy,
            oauth1,
            scopes,
            resources,
            client_documents,
            kdf,
            pages,
            session_lifetime,
        } = parts;
        let pages = Arc::new(pages);
        let (problems, verifiers) = (Arc::clone(&pages), Arc::clone(&pages));
        let mut server = AuthorizationServer::new(issuer.as_str(), store.clone())?
            .keys(keys.clone())
            .policy(policy)
            .scopes(&scopes)
            .resources(resources)
            .env(env.clone())
            .kdf(kdf.clone())
            .problem_page(move |problem| show(&problems, problem))
            .verifier_page(move |shown| show_verifier(&verifiers, shown));
        if let Some(oauth1) = oauth1 {
            server = server.oauth1(oauth1);
        }
        if let Some(documents) = client_documents {
            server = server.client_metadata_documents(documents);
        }
        server.start().await?;
        let issuer_id = store.issuer(issuer.as_str()).await?;
        let mark: String = store
            .read(|connection| -> Result<_, StoreError> {
                let sql = "SELECT mark FROM quadrille_program_mark";
                Ok(connection.query_row(sql, [], |row| row.get(0))?)
            })
            .await?;
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Self(Arc::new(Shared {
            cookies: Cookies::new(&mark, issuer.is_https()),
            devices: Devices::new(env.clone(), keys.clone(), &mark),
            seals: Seals::new(keys.clone(), &mark),
            attempts: Attempts::new(env.clone(), store.clone(), &keys, &mark),
            strangers: Line::new(processors.saturating_mul(PLACES), SEATS, SEATS_OF_A_NETWORK),
            sessions: Sessions::new(store.clone()),
            forms: Forms::new(env.clone(), keys, issuer.clone()),
            env,
            issuer,
            issuer_id,
            store,
            users,
            scopes,
            kdf,
            pages,
            session_lifetime,
            server,
        })))
    }

    /// What it is called.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The authorization server behind the pages.
    pub fn server(&self) -> &AuthorizationServer {
        &self.server
    }

    /// All routes: the endpoints of the authorization server, the pages, `/health`.
    pub fn router(&self) -> Router {
        let at = |path: &str| format!("{}{path}", self.issuer.path());
        let site = self.pages.site();
        let mut router = Router::new()
            .route(self.server.authorize_path(), get(authorize::ask).post(authorize::ask))
            .route(self.server.consent_path(), post(authorize::answer))
            .route(&site.sign_in, get(sign_in::page).post(sign_in::submit))
            .route(&site.sign_out, post(sign_in::sign_out))
            .route(&site.home, get(account::page))
            .route(&site.withdraw, post(account::withdraw))
            .route(&site.sign_out_everywhere, post(account::sign_out_everywhere))
            .route(
                &at("/api/me"),
                get(me::me)
                    .post(me::me)
                    .options(me::preflight)
                    .layer(map_response(me::for_any_origin)),
            )
            .route(&at("/assets/{name}"), get(asset))
            .route("/health", get(health))
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method);
        if !self.issuer.path().is_empty() {
            router = router.route(self.issuer.path(), get(account::page));
        }
        self.server.attach(router.with_state(self.clone()))
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
    fn see_other(&self, path: &str) -> Response<Body> {
        let Ok(location) = HeaderValue::try_from(path) else { return self.failed() };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, location);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }

    fn store_failed(&self, error: &StoreError) -> Response<Body> {
        tracing::error!(%error, "the store failed");
        match error.is_transient() {
            true => self.failure(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            false => self.failed(),
        }
    }

    fn failed(&self) -> Response<Body> {
        self.failure(StatusCode::INTERNAL_SERVER_ERROR, "server_error")
    }

    fn failure(&self, status: StatusCode, code: &'static str) -> Response<Body> {
        self.pages.message(
            status,
            &Message {
                title: "Something went wrong here",
                text: "It is not your fault. Please try again in a while.",
                code: Some(code),
                link: None,
                alert: true,
            },
        )
    }

    /// For forms that other sites sent, or that were made for another browser.
    fn foreign_form(&self) -> Response<Body> {
        self.pages.message(
            StatusCode::FORBIDDEN,
            &Message {
                title: "This form is not from here",
                text: "Nothing was changed. Open the page again and repeat what you wanted to do.",
                code: None,
                link: Some(Link::to(&self.pages.site().home, "Your applications")),
                alert: true,
            },
        )
    }

    /// For bodies that are no form.
    fn bad_form(&self, rejection: &FormRejection) -> Response<Body> {
        tracing::info!(%rejection, "a form cannot be read");
        self.pages.message(
            rejection.status(),
            &Message {
                title: "This form cannot be read",
                text: "Nothing was changed. Open the page again and repeat what you wanted to do.",
                code: Some("invalid_request"),
                link: Some(Link::to(&self.pages.site().home, "Your applications")),
                alert: true,
            },
        )
    }
}

/// A problem of the authorization server, on a page like all others.
fn show(pages: &Pages, problem: &Problem<'_>) -> Response<bytes::Bytes> {
    let onward = problem.onward().map(|on| (format!("Go to {}", on.destination), on.href));
    let onward = onward.as_ref().map(|(text, href)| Link { href, text, quiet: true });
    pages.message_bytes(
        problem.status(),
        &Message {
            title: problem.title(),
            text: problem.text(),
            code: Some(problem.code()),
            // What was answered before can be looked at, and taken back.
            link: matches!(problem.error(), provider::Error::Browser(BrowserError::TicketAnswered))
                .then(|| Link::to(&pages.site().home, "Your applications"))
                .or(onward),
            alert: true,
        },
    )
}

/// The verifier that a person carries to an application, or that they said no to it.
fn show_verifier(pages: &Pages, shown: &VerifierPage<'_>) -> Response<bytes::Bytes> {
    let name = shown.client.name.as_str();
    if let Some(verifier) = shown.verifier {
        let page = Verifier { client: name, verifier };
        return pages.render_bytes(StatusCode::OK, "verifier.html", &page, FormsLead::Here);
    }
    pages.message_bytes(
        StatusCode::OK,
        &Message {
            title: &format!("{name} was not let in"),
            text: "Nothing was granted. You can close this page.",
            code: None,
            link: Some(Link::to(&pages.site().home, "Your applications")),
            alert: false,
        },
    )
}

/// What `verifier.html` knows.
#[derive(Serialize)]
struct Verifier<'a> {
    client: &'a str,
    verifier: &'a str,
}

/// `GET /assets/...`
async fn asset(State(app): State<App>, OriginalUri(uri): OriginalUri) -> Response<Body> {
    match app.pages.asset(uri.path()) {
        Some(asset) => asset,
        None => not_found(State(app)).await,
    }
}

/// `GET /health`: whether the provider can do its work, for whoever watches it.
async fn health(State(app): State<App>) -> Response<Body> {
    let looked = app.store.read(|connection| -> Result<(), StoreError> {
        connection.query_row("SELECT 1 FROM quadrille_program_issuer", [], |_| Ok(()))?;
        Ok(())
    });
    let (status, body) = match looked.await {
        Ok(()) => (StatusCode::OK, r#"{"status":"ok"}"#),
        Err(error) => {
            tracing::error!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"the store does not answer"}"#)
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn not_found(State(app): State<App>) -> Response<Body> {
    app.pages.message(
        StatusCode::NOT_FOUND,
        &Message {
            title: "There is no such page",
            text: "The address may be mistyped, or the page is gone.",
            code: None,
            link: Some(Link::to(&app.pages.site().home, "Your applications")),
            alert: false,
        },
    )
}

async fn wrong_method(State(app): State<App>) -> Response<Body> {
    app.pages.message(
        StatusCode::METHOD_NOT_ALLOWED,
        &Message {
            title: "This page cannot be used like that",
            text: "Open it by its address, or send the form that is on it.",
            code: Some("invalid_request"),
            link: Some(Link::to(&app.pages.site().home, "Your applications")),
            alert: true,
        },
    )
}
