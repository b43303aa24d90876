//! With axum-login: it knows the user signed in, and Quadrille knows the user's accounts at
//! services.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, routing::get};
use axum_login::{AuthManagerLayerBuilder, AuthUser, AuthnBackend, UserId, login_required};
use quadrille::{After, Authorized, GitHub, Hooks, KeyRing, Linked, Login};
use tower_sessions::{MemoryStore, SessionManagerLayer};

/// A user of the application.
#[derive(Clone, Debug)]
pub struct User {
    id: i64,
    subject: String,
}

impl AuthUser for User {
    type Id = i64;
    fn id(&self) -> i64 {
        self.id
    }
    fn session_auth_hash(&self) -> &[u8] {
        self.subject.as_bytes()
    }
}

/// The application's users, made when they first log in.
#[derive(Clone, Debug, Default)]
pub struct Users(Arc<Mutex<HashMap<i64, User>>>);

impl AuthnBackend for Users {
    type User = User;
    /// The user's subject at GitHub.
    type Credentials = String;
    type Error = Infallible;

    async fn authenticate(&self, subject: String) -> Result<Option<User>, Infallible> {
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = users.values().find(|user| user.subject == subject) {
            return Ok(Some(user.clone()));
        }
        let user = User { id: users.len() as i64 + 1, subject };
        users.insert(user.id, user.clone());
        Ok(Some(user))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Infallible> {
        let users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(users.get(id).cloned())
    }
}

type AuthSession = axum_login::AuthSession<Users>;

/// Signs the user in after a login at GitHub.
async fn signed_in(new: Authorized, mut session: AuthSession) -> quadrille::Result<After> {
    let Some(claims) = new.claims().await? else { return Ok(After::go_on().without_storing()) };
    let user = session.authenticate(claims.subject().to_owned()).await;
    let Ok(Some(user)) = user else { return Ok(After::go_on().without_storing()) };
    if session.login(&user).await.is_err() {
        return Ok(After::answer("The session could not be kept").without_storing());
    }
    Ok(After::go_on().for_owner(user.id))
}

async fn home(session: AuthSession, github: Linked<GitHub>) -> String {
    let user = session.user.map_or(0, |user| user.id);
    format!("user {user} is number {} on GitHub", github.subject())
}

/// The whole application around these logins.
pub fn app(login: Login) -> Router {
    let login = login.hooks(
        Hooks::new(())
            .owner(|session: &AuthSession| session.user.as_ref().map(|user| user.id))
            .on_authorized(signed_in),
    );
    let members = Router::new()
        .route("/home", get(home))
        .route_layer(login_required!(Users, login_url = "/login/github"));
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let auth = AuthManagerLayerBuilder::new(Users::default(), sessions).build();
    login.attach(members).layer(auth)
}

#[tokio::main]
async fn main() -> quadrille::Result<()> {
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000").with(GitHub::from_env()?);
    let listener = tokio::net::TcpListener::bind("localhost:3000").await?;
    Ok(axum::serve(listener, app(login)).await?)
}
