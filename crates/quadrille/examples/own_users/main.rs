//! A table of users of one's own, in `people.rs`, to which the first login adds a row:
//! `cargo run --features sqlite,testing --example own_users`.
//!
//! The table is in the file `people.db`, or `PEOPLE`. With `GITHUB_OAUTH_CLIENT_ID` and
//! `GITHUB_OAUTH_CLIENT_SECRET` set it is the real GitHub. Where users sign in to the application
//! first and link an account then, see the example `axum_login`.

mod people;
#[path = "../shared/mod.rs"]
mod shared;

use std::{env, error::Error as StdError, path::Path};

use axum::{
    Router,
    extract::State,
    response::Redirect,
    routing::{get, post},
};
use people::People;
use quadrille::{
    After, Authorized, Error, GitHub, Google, Hooks, KeyRing, Login, Result, SameOrigin,
    consumer::{
        StorageError,
        users::{Arrival, UserId, Users},
    },
    page::Page,
};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, cookie::SameSite};

/// The application's state.
#[derive(Clone)]
struct App {
    people: People,
    users: Users,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let (listener, url) = shared::listen().await?;
    let file = env::var("PEOPLE").unwrap_or_else(|_| "people.db".to_owned());
    let people = People::open(Path::new(&file))?;
    let app = App { users: Users::new(people.clone()), people };
    let login = Login::new(KeyRing::ephemeral(), url)
        .with(shared::client::<GitHub>().await?)
        .with(shared::client::<Google>().await?)
        .hooks(Hooks::new(app.clone()).on_authorized(signed_in));
    login.check()?;
    let pages = Router::new().route("/", get(home)).route("/sign-out", post(sign_out));
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Strict);
    let app = login.attach(pages.with_state(app)).layer(sessions);
    Ok(axum::serve(listener, app).await?)
}

/// An account has logged in: finds its user, or creates one.
async fn signed_in(new: Authorized, session: Session, State(app): State<App>) -> Result<After> {
    let signed_in = session.get("user").await.map_err(sessions_are_down)?;
    let arrival = Arrival::of(&new).await?;
    let user = app.users.sign_in(&arrival, signed_in).await?.user();
    // Also for a user who was created just before the process ended.
    let me = arrival.profile();
    if let Some(name) = me.name.as_deref().or(me.user_name.as_deref()) {
        app.people.set_name(user, name)?;
    }
    session.cycle_id().await.map_err(sessions_are_down)?;
    session.insert("user", user).await.map_err(sessions_are_down)?;
    // This site calls no service, so it needs no token.
    Ok(After::go_on().for_owner(user).without_storing())
}

async fn home(session: Session, State(app): State<App>) -> Result<Page> {
    let user: Option<UserId> = session.get("user").await.map_err(sessions_are_down)?;
    let name = match user {
        Some(user) => app.people.name(user)?,
        None => None,
    };
    Ok(match name {
        Some(name) => Page::new(format!("Hello, {name}"))
            .link("Log in with Google, too", "/login/google?next=/")
            .form("Sign out", "/sign-out", &[]),
        None => Page::new("Hello")
            .link("Log in with GitHub", "/login/github?next=/")
            .link("Log in with Google", "/login/google?next=/"),
    })
}

async fn sign_out(_: SameOrigin, session: Session) -> Result<Redirect> {
    session.flush().await.map_err(sessions_are_down)?;
    Ok(Redirect::to("/"))
}

fn sessions_are_down(_: tower_sessions::session::Error) -> Error {
    StorageError::Unavailable.into()
}
