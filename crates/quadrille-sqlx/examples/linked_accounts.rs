//! Users who log in with Google, Twitter, Facebook or Heroku, and who link and unlink these
//! accounts on one page. Users and tokens are in SQL, sessions are those of tower-sessions:
//! `APP_KEYS=$(openssl rand -base64 32) cargo run --package quadrille-sqlx --all-features --example
//! linked_accounts`.
//!
//! The database is `DATABASE_URL` (SQLite, PostgreSQL, MySQL or MariaDB), or a file in this folder.
//! `APP_KEYS` seals the tokens there: keep it. With `GOOGLE_OAUTH_CLIENT_ID` and
//! `GOOGLE_OAUTH_CLIENT_SECRET` set it is the real Google, and so on; the callback to register is
//! <http://localhost:3000/login/google/authorized>.

#[path = "../../quadrille/examples/shared/mod.rs"]
mod shared;

use std::error::Error as StdError;

use axum::{
    Form, Router,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use quadrille::{
    After, Authorized, Error, Facebook, Google, Heroku, Hooks, KeyRing, Login, Owner, Result,
    SameOrigin, Twitter, Visitor,
    consumer::{
        Account, StorageError,
        users::{Arrival, ExternalId, UnlinkError, UserId, Users},
    },
    page::Page,
};
use quadrille_sqlx::{MySqlStorage, MySqlUsers, PgStorage, PgUsers, SqliteStorage, SqliteUsers};
use serde::Deserialize;
use sqlx::{MySqlPool, PgPool, SqlitePool};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, cookie::SameSite};

/// The application's state.
#[derive(Clone)]
struct App {
    login: Login,
    users: Users,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let (listener, site) = shared::listen().await?;
    // Another service is another line.
    let login = Login::new(KeyRing::from_env("APP_KEYS")?, site)
        .with(shared::client::<Google>().await?)
        .with(shared::client::<Twitter>().await?)
        .with(shared::client::<Facebook>().await?)
        .with(shared::client::<Heroku>().await?);
    let url = std::env::var("DATABASE_URL");
    let url = url.as_deref().unwrap_or("sqlite:linked_accounts.db?mode=rwc");
    let app = on_database(url, login).await?;
    Ok(axum::serve(listener, app).await?)
}

/// The application on the database of this URL. Yours has one database, and one of these arms.
pub(crate) async fn on_database(url: &str, login: Login) -> Result<Router, Box<dyn StdError>> {
    Ok(match url.split(':').next() {
        Some("postgres" | "postgresql") => {
            let pool = PgPool::connect(url).await?;
            let users = PgUsers::new(pool.clone());
            users.migrate().await?; // creates the tables of tokens, too
            app(login.storage(PgStorage::new(pool)), Users::new(users))?
        }
        Some("mysql" | "mariadb") => {
            let pool = MySqlPool::connect(url).await?;
            let users = MySqlUsers::new(pool.clone());
            users.migrate().await?;
            app(login.storage(MySqlStorage::new(pool)), Users::new(users))?
        }
        _ => {
            let pool = SqlitePool::connect(url).await?;
            let users = SqliteUsers::new(pool.clone());
            users.migrate().await?;
            app(login.storage(SqliteStorage::new(pool)), Users::new(users))?
        }
    })
}

fn app(login: Login, users: Users) -> Result<Router> {
    let hooks = Hooks::new(users.clone())
        .owner(|CurrentUser(user): &CurrentUser| *user)
        .on_authorized(signed_in);
    let login = login.hooks(hooks);
    login.check()?;
    let pages = Router::new()
        .route("/", get(welcome))
        .route("/accounts", get(accounts))
        .route("/accounts/{service}", get(profile))
        .route("/unlink", post(unlink))
        .route("/sign-out", post(sign_out))
        .with_state(App { login: login.clone(), users });
    // In production, a store of sessions in the database.
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Strict);
    Ok(login.attach(pages).layer(sessions))
}

/// The user signed in.
struct CurrentUser(UserId);

impl<St: Send + Sync> FromRequestParts<St> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, state).await;
        let session = session.map_err(IntoResponse::into_response)?;
        match session.get("user").await.map_err(|error| sessions_are_down(error).into_response())? {
            Some(user) => Ok(Self(user)),
            None => Err(Redirect::to("/").into_response()),
        }
    }
}

/// An account has logged in: creates its user, or links it to the user signed in.
async fn signed_in(new: Authorized, session: Session, State(users): State<Users>) -> Result<After> {
    let signed_in = session.get("user").await.map_err(sessions_are_down)?;
    let user = users.sign_in(&Arrival::of(&new).await?, signed_in).await?.user();
    // With a new identifier, so that nobody knows it from before the sign-in.
    session.cycle_id().await.map_err(sessions_are_down)?;
    session.insert("user", user).await.map_err(sessions_are_down)?;
    Ok(After::go_on().for_owner(user))
}

async fn welcome(State(app): State<App>) -> Page {
    let welcome = Page::new("Welcome").text("Log in with any of these accounts.");
    app.login.services().fold(welcome, |page, (service, title)| {
        page.link(title, &format!("/login/{service}?next=/accounts"))
    })
}

async fn accounts(CurrentUser(user): CurrentUser, State(app): State<App>) -> Result<Page> {
    let ids = app.users.external_ids(user).await?;
    let mut page = Page::new("Your linked accounts");
    for (service, title) in app.login.services() {
        for id in ids.iter().filter(|id| id.service() == service) {
            let (name, fields) = (id.subject(), [("service", service), ("subject", id.subject())]);
            page = page
                .text(&format!("{title}: {name}"))
                .link(&format!("Your profile at {title}"), &format!("/accounts/{service}"))
                .form(&format!("Unlink {title} {name}"), "/unlink", &fields);
        }
        page = page.link(&format!("Link {title}"), &format!("/login/{service}?next=/accounts"));
    }
    Ok(page.form("Sign out", "/sign-out", &[]))
}

/// A call of the service with the stored token.
async fn profile(Path(service): Path<String>, visitor: Visitor) -> Result<Page> {
    let profile = visitor.linked(&service).await?.profile().await?;
    let name = profile.name.or(profile.user_name);
    Ok(Page::new(name.as_deref().unwrap_or("No name"))
        .text(profile.email.as_deref().unwrap_or("No e-mail address"))
        .link("Your linked accounts", "/accounts"))
}

#[derive(Deserialize)]
struct Unlink {
    service: String,
    subject: String,
}

async fn unlink(
    _: SameOrigin,
    CurrentUser(user): CurrentUser,
    State(app): State<App>,
    Form(form): Form<Unlink>,
) -> Result<Response> {
    let Ok(id) = ExternalId::new(form.service, form.subject) else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    match app.users.unlink(user, &id).await {
        Ok(()) => {}
        Err(UnlinkError::NotLinked) => return Ok(Redirect::to("/accounts").into_response()),
        Err(UnlinkError::LastWay) => {
            let page = Page::new("This is your only account here")
                .text("Without it, you could not log in again. Link another one first.")
                .link("Your linked accounts", "/accounts")
                .to_response(StatusCode::CONFLICT);
            return Ok(page.map(Into::into));
        }
        Err(_) => return Err(StorageError::Unavailable.into()),
    }
    // Ends the access to the account at the service, and removes its token.
    let (service, subject) = (id.service().into(), id.subject().into());
    app.login.log_out(&Account { owner: Owner::user(user), service, subject }).await?;
    Ok(Redirect::to("/accounts").into_response())
}

/// Ends the session. The accounts stay linked.
async fn sign_out(_: SameOrigin, session: Session) -> Result<Redirect> {
    session.flush().await.map_err(sessions_are_down)?;
    Ok(Redirect::to("/"))
}

fn sessions_are_down(_: tower_sessions::session::Error) -> Error {
    StorageError::Unavailable.into()
}
