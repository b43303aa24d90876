//! A provider: users sign in (under any name: put your own sign-in there), consent, and an
//! application reads their photos.
//!
//! ```text
//! cargo run --example provider
//! ```

#[path = "shared/consent.rs"]
mod consent;

use std::{
    collections::HashMap,
    convert::Infallible,
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Form, Json, Router,
    extract::{FromRequestParts, OptionalFromRequestParts, Query, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use consent::{ConsentForm, consent_page};
use http::{header, request::Parts};
use quadrille::{
    Authentication, Env, Scopes,
    guard::Access,
    oauth2::{AuthorizationRequest, pkce::Verifier},
    page::{escape, same_site},
    provider::{Authorization, AuthorizationServer, Decision, NewClient, Step, store::MemoryStore},
    scopes,
};

scopes! {
    Photos = "photos:read", "See your photos";
}

const ISSUER: &str = "http://127.0.0.1:8080";
const CALLBACK: &str = "http://127.0.0.1:8080/callback";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = MemoryStore::new(Env::system());
    let server = AuthorizationServer::new(ISSUER, store)?.scope::<Photos>();
    let app = server.attach(
        Router::new()
            .route("/oauth/authorize", get(ask).post(ask)) // both are requests
            .route("/oauth/consent", post(answer))
            .route("/api/photos", get(photos))
            .route("/", get(async || "You are signed in."))
            .route("/sign-in", get(sign_in_page).post(sign_in))
            .route("/callback", get(|| async { "The code is in the address of this page." }))
            .with_state(Sessions::default()),
    );
    say_what_to_do(&server).await?;
    // With the addresses of clients, by which the server limits guesses.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, app).await?;
    Ok(())
}

async fn ask(user: Option<User>, request: Authorization) -> Response {
    match request.step(user.map(|user| user.0)).await {
        Step::SignIn(back) => Redirect::to(&format!("/sign-in?next={back}")).into_response(),
        Step::Consent(page) => consent_page(&page).into_response(),
        Step::Done(reply) => reply.into_response(),
    }
}

async fn answer(user: Option<User>, decision: Decision<ConsentForm>) -> Response {
    let Some(User(user)) = user else {
        // Signed out while the page was open: the request begins again.
        let back = decision.again().map_or_else(|| "/".to_owned(), |back| back.to_string());
        return Redirect::to(&format!("/sign-in?next={back}")).into_response();
    };
    let reply = match decision.form.decision.as_str() {
        "allow" => decision.by(user).only(&decision.form.scope).await,
        _ => decision.by(user).deny().await,
    };
    reply.into_response()
}

async fn photos(access: Access<Photos>) -> Json<Vec<String>> {
    let whose = access.user().map_or("nobody", |user| user);
    Json(vec![format!("a photo of {whose}")])
}

// The application's own part: sessions, and users who sign in.

#[derive(Clone, Default)]
struct Sessions(Arc<Mutex<HashMap<String, Authentication>>>);

struct User(Authentication);

impl FromRequestParts<Sessions> for User {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, sessions: &Sessions) -> Result<Self, Redirect> {
        let cookies = parts.headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
        let id = cookies.and_then(|all| all.split("; ").find_map(|c| c.strip_prefix("session=")));
        let sessions = sessions.0.lock().unwrap_or_else(PoisonError::into_inner);
        let user = id.and_then(|id| sessions.get(id)).cloned();
        user.map(User).ok_or_else(|| Redirect::to("/sign-in?next=/"))
    }
}

impl OptionalFromRequestParts<Sessions> for User {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        sessions: &Sessions,
    ) -> Result<Option<Self>, Infallible> {
        Ok(<Self as FromRequestParts<_>>::from_request_parts(parts, sessions).await.ok())
    }
}

#[derive(serde::Deserialize)]
struct Next {
    next: String,
}

async fn sign_in_page(Query(Next { next }): Query<Next>) -> Html<String> {
    let next = escape(&next);
    Html(format!(
        "<form method=post><input type=hidden name=next value=\"{next}\">\
         <label>Your name <input name=name required></label> <button>Sign in</button></form>"
    ))
}

#[derive(serde::Deserialize)]
struct SignIn {
    name: String,
    next: String,
}

async fn sign_in(State(Sessions(sessions)): State<Sessions>, Form(form): Form<SignIn>) -> Response {
    // Anybody may have written `next` into a link to the sign-in page: only a page of this site.
    let next = same_site(ISSUER, &form.next).unwrap_or_else(|| "/".to_owned());
    let env = Env::system();
    let id: String = env.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let user = Authentication::new(form.name, env.now());
    sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), user);
    let cookie = format!("session={id}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response()
}

#[expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]
async fn say_what_to_do(server: &AuthorizationServer) -> Result<(), Box<dyn Error>> {
    let new = NewClient::confidential("Photo printer")
        .redirect_uri(CALLBACK)
        .scopes(Scopes::parse("photos:read")?);
    let registered = server.register(new).await?;
    let (id, secret) = (&registered.client.id, registered.secret.ok_or("it has one")?);
    let verifier = Verifier::random(&Env::system());
    let mut request = AuthorizationRequest::new(&**id);
    request.redirect_uri = Some(CALLBACK.into());
    request.code_challenge = Some(verifier.challenge());
    println!("Open {}\n", request.to_url(&format!("{ISSUER}/oauth/authorize"))?);
    println!("Then take the code from the address that you end at, within a minute:\n");
    println!(
        "curl -u {id}:{} {ISSUER}/oauth/token -d grant_type=authorization_code \\",
        secret.expose()
    );
    println!("  -d redirect_uri={CALLBACK} -d code_verifier={} -d code=...\n", verifier.expose());
    println!("curl -H 'Authorization: Bearer ...' {ISSUER}/api/photos");
    Ok(())
}
