//! A provider in an application that keeps its signed-in users by a cookie and a map, as the bare
//! handler does.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use quadrille::{
    Authentication, Env, KeyRing, Scopes,
    guard::Access,
    provider::{
        Authorization, AuthorizationServer, GrantType, NewClient, Step,
        oauth1::{NewKey, OAuth1},
        store::{MemoryStore, SqliteStore},
    },
    scopes,
};

use crate::{Result, cookie, json, new_id};

scopes! {
    Read = "read", "See things";
    Write = "write", "Change things";
}

/// A provider that loses its data when it ends.
pub(crate) async fn in_memory(origin: &str) -> Result<Router> {
    application(AuthorizationServer::new(origin, MemoryStore::new(Env::system()))?).await
}

/// A provider that stores its data in a database.
pub(crate) async fn on_sqlite(origin: &str, folder: &str) -> Result<Router> {
    let env = Env::system();
    let store = SqliteStore::open(Path::new(folder).join("quadrille.db"), env.clone())?;
    application(AuthorizationServer::new(origin, store)?.keys(KeyRing::new([&env.random()])?)).await
}

async fn application(server: AuthorizationServer) -> Result<Router> {
    let oauth1 = OAuth1::new().allow_hmac_sha1_as_most_clients_sign();
    let server = server.scope::<Read>().scope::<Write>().oauth1(oauth1);
    let client = NewClient::confidential("Bench")
        .id("bench")
        .redirect_uri("http://127.0.0.1:9/callback")
        .scopes(Scopes::parse("read write")?)
        .grant_types([
            GrantType::AuthorizationCode,
            GrantType::ClientCredentials,
            GrantType::RefreshToken,
        ])
        .first_party()
        .oauth1(NewKey::Secret);
    let registered = server.register(client).await?;
    let secret = registered.secret.ok_or("no secret")?.expose().to_owned();
    let oauth1_secret = registered.oauth1_secret.ok_or("no secret")?.expose().to_owned();
    let routes = Router::new()
        .route("/secret", get(move || async move { secret }))
        .route("/oauth1-secret", get(move || async move { oauth1_secret }))
        .route("/sign-in", get(sign_in))
        .route(server.authorize_path(), get(ask).post(ask))
        .route("/api/resource", get(resource))
        .with_state(People::default());
    Ok(server.attach(routes))
}

async fn ask(user: User, request: Authorization) -> Response {
    match request.step(user.0).await {
        Step::Done(reply) => reply.into_response(),
        // The load is signed in, and its client needs no consent.
        Step::SignIn(_) => StatusCode::UNAUTHORIZED.into_response(),
        Step::Consent(_) => StatusCode::FORBIDDEN.into_response(),
    }
}

async fn resource(_: Access<Read>) -> Response {
    json("{\"sub\":\"7\",\"ok\":true}")
}

/// The signed-in user.
type People = Arc<Mutex<HashMap<String, Authentication>>>;

async fn sign_in(State(people): State<People>) -> Response {
    let env = Env::system();
    let id = new_id(&env);
    let cookie = format!("session={id}; HttpOnly; Path=/");
    people
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(id, Authentication::new("7", env.now()));
    [(header::SET_COOKIE, cookie)].into_response()
}

struct User(Option<Authentication>);

impl FromRequestParts<People> for User {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        people: &People,
    ) -> Result<Self, Self::Rejection> {
        let id = cookie(&parts.headers, "session=");
        let people = people.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self(id.and_then(|id| people.get(id)).cloned()))
    }
}
