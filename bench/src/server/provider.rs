//! A provider in an application that keeps its signed-in users by a cookie and a map, as the bare
//! handler does.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{self, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use quadrille::{
    Authentication, Env, KeyRing, Scopes,
    guard::Access,
    jose::{Algorithm, SigningKey, SigningKeys},
    provider::{
        AccessTokenFormat, Authorization, AuthorizationServer, DeviceGrant, Exchanged, GrantType,
        NewClient, Step,
        oauth1::{NewKey, OAuth1},
        store::{MemoryStore, SqliteStore},
    },
    scopes,
};

use crate::{
    Result,
    serving::{cookie, json, new_id},
};

scopes! {
    Read = "read", "See things";
    Write = "write", "Change things";
}

/// The API whose tokens are JWTs.
const API_OF_JWTS: &str = "urn:bench:jwt";

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
    let keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, Env::system().now())?;
    let server = server
        .scope::<Read>()
        .scope::<Write>()
        .oauth1(oauth1)
        .device_grant(DeviceGrant::new().interval(Duration::from_secs(1)))
        .token_exchange(async |_| Ok(Exchanged::impersonation()))
        .signing_keys(keys)
        .access_token_format_for(API_OF_JWTS, AccessTokenFormat::Jwt)?;
    let client = NewClient::confidential("Bench")
        .id("bench")
        .redirect_uri("http://127.0.0.1:9/callback")
        .scopes(Scopes::parse("read write")?)
        .grant_types([
            GrantType::AuthorizationCode,
            GrantType::ClientCredentials,
            GrantType::RefreshToken,
            GrantType::DeviceCode,
            GrantType::TokenExchange,
        ])
        .first_party()
        .oauth1(NewKey::Secret);
    let registered = server.register(client).await?;
    let secret = registered.secret.ok_or("no secret")?.expose().to_owned();
    let oauth1_secret = registered.oauth1_secret.ok_or("no secret")?.expose().to_owned();
    let (tokens, basic) = (server.clone(), basic("bench", &secret));
    let routes = Router::new()
        .route("/seed", get(move || seed(tokens.clone(), basic.clone())))
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

/// The number of tokens that `/seed` issues.
const MANY: usize = 1_000_000;

/// Issues many tokens, and returns each thousandth on a line of its own.
async fn seed(server: AuthorizationServer, basic: String) -> Result<String, StatusCode> {
    let mut sample = String::new();
    for number in 0..MANY {
        let request = http::Request::post("/oauth/token")
            .header(header::AUTHORIZATION, &basic)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&scope=read%20write".into());
        let answer = server.token(request.map_err(|_| StatusCode::BAD_REQUEST)?).await;
        if number % 1000 == 0 {
            let answer: serde_json::Value = serde_json::from_slice(answer.body())
                .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
            let token = answer.get("access_token").and_then(|token| token.as_str());
            sample.push_str(token.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?);
            sample.push('\n');
        }
    }
    Ok(sample)
}

fn basic(client: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{client}:{secret}")))
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
