//! Association: users sign in with a password, by axum-login, and link an account at GitHub, with
//! which they can sign in from then on. `cargo run --features provider,testing --example
//! axum_login`, with GitHub or an emulator of it.

mod shared;

use std::{error::Error, sync::Arc};

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use axum_login::{AuthManagerLayerBuilder, AuthUser, AuthnBackend};
use quadrille::{
    After, Authorized, Env, GitHub, Hooks, KeyRing, Login, Result, SameOrigin, Secret,
    consumer::{
        StorageError,
        users::{Arrival, MemoryUsers, UserId, Users},
    },
    page::Page,
    provider::guessing::{Cost, Kdf, KdfError, Verdict},
};
use serde::Deserialize;
use tower_sessions::{MemoryStore, SessionManagerLayer, cookie::SameSite};

/// A row of the application's table of users.
#[derive(Clone, Debug)]
struct Person {
    id: i64,
    name: &'static str,
    password_hash: Arc<str>,
}

impl AuthUser for Person {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    /// A new password ends all sessions.
    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

/// The application's table of users.
#[derive(Clone, Debug)]
struct People {
    table: Arc<[Person]>,
    kdf: Kdf,
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: Secret,
}

impl AuthnBackend for People {
    type User = Person;
    type Credentials = Credentials;
    type Error = KdfError;

    async fn authenticate(&self, asked: Credentials) -> Result<Option<Person>, KdfError> {
        let Some(person) = self.table.iter().find(|person| person.name == asked.name) else {
            self.kdf.verify_for_nobody(asked.password).await?;
            return Ok(None);
        };
        let stored = Arc::clone(&person.password_hash);
        let verdict = self.kdf.verify(&Env::system(), asked.password, stored).await?;
        Ok((verdict != Verdict::Wrong).then(|| person.clone()))
    }

    async fn get_user(&self, id: &i64) -> Result<Option<Person>, KdfError> {
        Ok(self.table.iter().find(|person| person.id == *id).cloned())
    }
}

type AuthSession = axum_login::AuthSession<People>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, url) = shared::listen().await?;
    let kdf = Kdf::new(Cost::RECOMMENDED);
    let password_hash = kdf.hash(&Env::system(), "correct horse".into()).await?;
    println!("Sign in as ada, with the password \"correct horse\"");
    let table = Arc::new([Person { id: 7, name: "ada", password_hash }]);

    // No login creates a user.
    let users = Users::new(MemoryUsers::new()).admit(async |_, user| user.is_some());
    let owner = |session: &AuthSession| session.user.as_ref().map(|person| person.id);
    let login = Login::new(KeyRing::ephemeral(), url)
        .with(shared::client::<GitHub>().await?)
        .hooks(Hooks::new(users).owner(owner).on_authorized(signed_in));
    login.check()?;
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Strict);
    let auth = AuthManagerLayerBuilder::new(People { table, kdf }, sessions).build();
    let pages = Router::new().route("/", get(home)).route("/sign-in", post(sign_in));
    Ok(axum::serve(listener, login.attach(pages).layer(auth)).await?)
}

/// An account has logged in: links it to the user signed in, or finds its user.
async fn signed_in(
    new: Authorized,
    mut session: AuthSession,
    State(users): State<Users>,
) -> Result<After> {
    let signed_in = session.user.as_ref().map(|person| UserId::from_number(person.id));
    if let Some(user) = signed_in {
        users.add(user).await?;
    }
    let user = users.sign_in(&Arrival::of(&new).await?, signed_in).await?.user();
    let person = session.backend.get_user(&user.number()).await;
    let person = person.ok().flatten().ok_or(StorageError::Unavailable)?;
    session.login(&person).await.map_err(|_| StorageError::Unavailable)?;
    Ok(After::go_on().for_owner(user).without_storing())
}

async fn home(session: AuthSession) -> Response {
    match session.user {
        Some(person) => Page::new(format!("Hello, {}", person.name))
            .link("Link your account at GitHub", "/login/github?next=/")
            .into_response(),
        None => Html(
            "<form method=\"post\" action=\"/sign-in\"><input name=\"name\" autofocus>\
             <input name=\"password\" type=\"password\"><button>Sign in</button></form>\
             <a href=\"/login/github?next=/\">Sign in with GitHub</a>",
        )
        .into_response(),
    }
}

/// In production, failed attempts are limited: `quadrille::provider::guessing` has that, too.
async fn sign_in(
    _: SameOrigin,
    mut session: AuthSession,
    Form(credentials): Form<Credentials>,
) -> Response {
    let person = match session.authenticate(credentials).await {
        Ok(Some(person)) => person,
        Ok(None) => return (StatusCode::UNAUTHORIZED, "Wrong name or password").into_response(),
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    match session.login(&person).await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
