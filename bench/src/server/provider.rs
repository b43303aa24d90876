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
    extract::{FromRequestParts, Query, State},
    http::{self, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use quadrille::{
    Authentication, Env, KeyRing, Scopes,
    guard::{Access, Guard},
    jose::{Algorithm, SigningKey, SigningKeys},
    provider::{
        AccessTokenFormat, Authorization, AuthorizationServer, DeviceGrant, Exchanged, GrantType,
        NewClient, NewSecret, OpenId, RegistrationError, Step,
        oauth1::{NewKey, OAuth1},
        store::SqliteStore,
    },
    scopes,
};
use tokio::task::JoinSet;

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

/// A provider that stores its data in a database.
pub(crate) async fn on_sqlite(origin: &str, folder: &str) -> Result<Router> {
    let env = Env::system();
    let store = SqliteStore::open(Path::new(folder).join("quadrille.db"), env.clone())?;
    application(AuthorizationServer::new(origin, store)?.keys(KeyRing::new([&env.random()])?)).await
}

pub(crate) async fn application(server: AuthorizationServer) -> Result<Router> {
    let oauth1 = OAuth1::new().allow_hmac_sha1_as_most_clients_sign();
    let keys = SigningKeys::new(SigningKey::generate(Algorithm::Es256)?, Env::system().now())?;
    let server = server
        .scope::<Read>()
        .scope::<Write>()
        .oauth1(oauth1)
        .device_grant(DeviceGrant::new().interval(Duration::from_secs(1)))
        .token_exchange(async |_| Ok(Exchanged::impersonation()))
        .signing_keys(keys)
        .openid(OpenId::new())
        .access_token_format_for(API_OF_JWTS, AccessTokenFormat::Jwt)?;
    let client = NewClient::confidential("Bench")
        .id("bench")
        .redirect_uri("http://127.0.0.1:9/callback")
        .scopes(Scopes::parse("openid read write")?)
        .grant_types([
            GrantType::AuthorizationCode,
            GrantType::ClientCredentials,
            GrantType::RefreshToken,
            GrantType::DeviceCode,
            GrantType::TokenExchange,
        ])
        .first_party()
        .oauth1(NewKey::Secret);
    let (secret, oauth1_secret) = match server.register(client).await {
        Ok(registered) => (registered.secret, registered.oauth1_secret),
        // Another process has registered it.
        Err(RegistrationError::IdTaken) => {
            let added = server.add_secret("bench", NewSecret::generated()).await?;
            (added.secret, None)
        }
        Err(error) => return Err(error.into()),
    };
    let secret = secret.ok_or("no secret")?.expose().to_owned();
    // A database that was seeded before tells no secret of OAuth 1.0a.
    let oauth1_secret = oauth1_secret.map_or_else(String::new, |secret| secret.expose().to_owned());
    let (tokens, basic) = (server.clone(), basic("bench", &secret));
    let routes = Router::new()
        .route("/seed", get(move |many| seed(tokens.clone(), basic.clone(), many)))
        .route("/secret", get(move || async move { secret }))
        .route("/oauth1-secret", get(move || async move { oauth1_secret }))
        .route("/sign-in", get(sign_in))
        .route(server.authorize_path(), get(ask).post(ask))
        .route("/api/resource", get(resource))
        .with_state(People::default());
    let jwts = Guard::new(&server).audience(API_OF_JWTS);
    let jwts = Router::new().route("/api/jwt", get(resource)).layer(jwts);
    Ok(server.attach(routes).merge(jwts))
}

async fn ask(user: User, request: Authorization) -> Response {
    match request.step(user.0).await {
        Step::Done(reply) => reply.into_response(),
        // The load is signed in, and its client needs no consent.
        Step::SignIn(_) => StatusCode::UNAUTHORIZED.into_response(),
        Step::Consent(_) => StatusCode::FORBIDDEN.into_response(),
    }
}

/// The number of tokens that `/seed` issues: a million unless `n` says otherwise.
#[derive(serde::Deserialize)]
struct Many {
    n: Option<usize>,
}

/// The number of requests that `/seed` has under way at once, so that a database has batches.
const AT_ONCE: usize = 512;

/// Issues many tokens, and returns a thousand of them, each on a line of its own.
async fn seed(
    server: AuthorizationServer,
    basic: String,
    Query(many): Query<Many>,
) -> Result<String, StatusCode> {
    let many = many.n.unwrap_or(1_000_000);
    let step = (many / 1000).max(1);
    let mut all = JoinSet::new();
    for from in 0..AT_ONCE {
        let (server, basic) = (server.clone(), basic.clone());
        all.spawn(async move {
            let mut sample = String::new();
            for number in (from..many).step_by(AT_ONCE) {
                let token = issued(&server, &basic).await?;
                if number % step == 0 {
                    sample.push_str(&token);
                    sample.push('\n');
                }
            }
            Ok(sample)
        });
    }
    all.join_all().await.into_iter().collect()
}

/// A token that the client got for itself.
async fn issued(server: &AuthorizationServer, basic: &str) -> Result<String, StatusCode> {
    let request = http::Request::post("/oauth/token")
        .header(header::AUTHORIZATION, basic)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials&scope=read%20write".into());
    let answer = server.token(request.map_err(|_| StatusCode::BAD_REQUEST)?).await;
    let answer: serde_json::Value =
        serde_json::from_slice(answer.body()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let token = answer.get("access_token").and_then(|token| token.as_str());
    token.map(str::to_owned).ok_or(StatusCode::INTERNAL_SERVER_ERROR)
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
