//! Sign-in for an application with sessions of tower-sessions: the application finds or creates the
//! user, the session remembers them, and the user owns the account.
//! `cargo run --features testing --example tower_sessions`, with GitHub or an emulator of it.

mod shared;

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    routing::get,
};
use quadrille::{
    After, Authorized, GitHub, Hooks, KeyRing, Linked, Login, consumer::MemoryStorage,
};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, cookie::SameSite};

/// The application's users, by subject at GitHub.
#[derive(Clone, Debug, Default)]
pub struct App(Arc<Mutex<HashMap<String, i64>>>);

impl App {
    fn user_for(&self, subject: &str) -> i64 {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = users.len() as i64 + 1;
        *users.entry(subject.to_owned()).or_insert(new)
    }
}

/// The user signed in: the application's own extractor.
struct CurrentUser(i64);

impl FromRequestParts<App> for CurrentUser {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let session = Session::from_request_parts(parts, app).await?;
        match session.get("user").await {
            Ok(Some(user)) => Ok(Self(user)),
            _ => Err((StatusCode::UNAUTHORIZED, "sign in first")),
        }
    }
}

/// A hook is a handler: the event first, then any extractors of the application.
async fn signed_in(
    new: Authorized,
    session: Session,
    State(app): State<App>,
) -> quadrille::Result<After> {
    let Some(claims) = new.claims().await? else { return Ok(After::go_on().without_storing()) };
    let user = app.user_for(claims.subject());
    if session.cycle_id().await.is_err() || session.insert("user", user).await.is_err() {
        return Ok(After::answer("The session could not be kept").without_storing());
    }
    Ok(After::go_on().for_owner(user))
}

async fn home(user: CurrentUser, github: Linked<GitHub>) -> String {
    format!("user {} is number {} on GitHub", user.0, github.subject())
}

async fn welcome() -> &'static str {
    "Log in at /login/github?next=/home"
}

/// The whole application around these logins.
pub fn app(login: Login) -> Router {
    let app = App::default();
    let hooks = Hooks::new(app.clone()).owner(|user: &CurrentUser| user.0).on_authorized(signed_in);
    let login = login.storage(MemoryStorage::new()).hooks(hooks);
    let routes = Router::new().route("/", get(welcome)).route("/home", get(home)).with_state(app);
    // Strict works: the callback redirects within this origin before it reads the session.
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Strict);
    login.attach(routes).layer(sessions)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let github = shared::client::<GitHub>().await?;
    Ok(axum::serve(listener, app(Login::new(KeyRing::ephemeral(), url).with(github))).await?)
}
