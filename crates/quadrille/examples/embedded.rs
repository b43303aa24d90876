//! A provider inside of an application with users, sessions and customers of its own, all in one
//! SQLite file. The provider's tables begin with `quadrille_`, so the application may name its own
//! freely.
//!
//! ```text
//! cargo run --example embedded --features sqlite -- application.db http://127.0.0.1:9/callback
//! ```

#[path = "shared/consent.rs"]
mod consent;

use std::{convert::Infallible, env::args, error::Error, net::SocketAddr, sync::Arc};

use axum::{
    Form, Json, Router,
    extract::{FromRequestParts, OptionalFromRequestParts, Query, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use consent::{ConsentForm, consent_page};
use http::{StatusCode, header, request::Parts};
use quadrille::{
    Authentication, Env, KeyRing, Scopes, Timestamp,
    guard::Access,
    page::{escape, same_site},
    provider::{
        Authorization, AuthorizationServer, Decision, NewClient, Step,
        store::{SqliteStore, StoreError},
    },
    scopes,
};

scopes! {
    Photos = "photos:read", "See your photos";
    Upload = "photos:write", "Add photos";
}

/// The application's own tables. Append to them, never change them.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE sessions (id TEXT PRIMARY KEY, user INTEGER NOT NULL, since INTEGER NOT NULL);
    CREATE TABLE clients (id INTEGER PRIMARY KEY, company TEXT NOT NULL);
    INSERT INTO clients (company) VALUES ('Acme');
"];

type Database = Arc<SqliteStore>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (Some(path), Some(callback)) = (args().nth(1), args().nth(2)) else {
        return Err("usage: embedded DATABASE CALLBACK".into());
    };
    let database: Database = Arc::new(SqliteStore::open(&path, Env::system())?);
    database.migrate("application", MIGRATIONS).await?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    // The provider's tables in the same file.
    let server = AuthorizationServer::new(&issuer, SqliteStore::open(&path, Env::system())?)?
        .keys(KeyRing::new([&Env::system().random::<32>()])?) // yours must last: KeyRing::from_env
        .scope::<Photos>()
        .scope::<Upload>();
    server.start().await?;
    let app = server.attach(
        Router::new()
            .route(server.authorize_path(), get(ask).post(ask))
            .route(server.consent_path(), post(answer))
            .route("/", get(async || "You are signed in."))
            .route("/sign-in", get(sign_in_page).post(sign_in))
            .route("/api/photos", get(photos))
            .route("/customers", get(customers))
            .with_state(database),
    );
    say_who_may_ask(&server, &issuer, &callback).await?;
    // With the addresses of clients, by which the server limits guesses.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
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
    Json(vec![format!("a photo of {}", access.user().map_or("nobody", |user| user))])
}

/// The application's own data.
async fn customers(State(database): State<Database>) -> Result<Json<Vec<String>>, StatusCode> {
    let companies = database.read(|db| {
        let mut found = db.prepare("SELECT company FROM clients ORDER BY id")?;
        let found = found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok::<_, StoreError>(found)
    });
    companies.await.map(Json).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

/// A session of the application, from its own table.
struct User(Authentication);

impl FromRequestParts<Database> for User {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, database: &Database) -> Result<Self, Redirect> {
        let cookies = parts.headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
        let id = cookies.and_then(|all| all.split("; ").find_map(|c| c.strip_prefix("session=")));
        let id = id.unwrap_or_default().to_owned();
        let found = database.read(|db| {
            let mut found = db.prepare_cached("SELECT user, since FROM sessions WHERE id = ?1")?;
            let mut rows = found.query([id])?;
            let read = |(user, since): (i64, i64)| {
                Authentication::new(user.to_string(), Timestamp::from_seconds(since))
            };
            let row = rows.next()?.map(|row| Ok::<_, StoreError>((row.get(0)?, row.get(1)?)));
            Ok::<_, StoreError>(row.transpose()?.map(read))
        });
        let found = found.await.ok().flatten();
        found.map(User).ok_or_else(|| Redirect::to("/sign-in?next=/"))
    }
}

impl OptionalFromRequestParts<Database> for User {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        database: &Database,
    ) -> Result<Option<Self>, Infallible> {
        Ok(<Self as FromRequestParts<_>>::from_request_parts(parts, database).await.ok())
    }
}

#[derive(serde::Deserialize)]
struct Next {
    next: String,
}

async fn sign_in_page(Query(Next { next }): Query<Next>) -> Html<String> {
    let next = escape(&next);
    Html(format!(
        "<form method=post action=\"/sign-in\"><input type=hidden name=next value=\"{next}\">\
         <input name=username><button>Sign in</button></form>"
    ))
}

#[derive(serde::Deserialize)]
struct SignIn {
    username: String,
    next: String,
}

/// Signs in under any name: check passwords here.
async fn sign_in(State(database): State<Database>, Form(form): Form<SignIn>) -> Response {
    // Anybody may have written `next` into a link to the sign-in page: only a page of this site, by
    // its path.
    let next = same_site("", &form.next).unwrap_or_else(|| "/".to_owned());
    let env = Env::system();
    let id: String = env.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let (name, session, now) = (form.username, id.clone(), env.now().seconds());
    let written = database.write(move |tx| {
        tx.execute("INSERT INTO users (name) VALUES (?1) ON CONFLICT DO NOTHING", [&name])?;
        let sql = "INSERT INTO sessions SELECT ?1, id, ?2 FROM users WHERE name = ?3";
        tx.execute(sql, (session, now, &name))?;
        Ok::<_, StoreError>(())
    });
    if written.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let cookie = format!("session={id}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response()
}

#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
async fn say_who_may_ask(
    server: &AuthorizationServer,
    issuer: &str,
    callback: &str,
) -> Result<(), Box<dyn Error>> {
    let new = NewClient::confidential("Photo printer")
        .redirect_uri(callback)
        .scopes(Scopes::parse("photos:read photos:write")?);
    let registered = server.register(new).await?;
    let secret = registered.secret.ok_or("it has one")?;
    println!(
        "{{\"issuer\": \"{issuer}\", \"client_id\": \"{}\", \"client_secret\": \"{}\"}}",
        registered.client.id,
        secret.expose()
    );
    Ok(())
}
