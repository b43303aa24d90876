//! A provider over tables that the application has already: its clients in `apps`, of OAuth 2 and of
//! OAuth 1.0a, its users in `people`. The codes and tokens are in tables of the provider's, in the same file, so that a user
//! is deleted with them in one transaction.
//!
//! ```text
//! cargo run --example own_tables --features sqlite -- own_tables.db
//! ```
//!
//! It prints commands for a try. On the page that asks for consent, every visitor is user 1: the
//! example `provider` shows how users sign in.

#[path = "shared/consent.rs"]
mod consent;

use std::{env::args, error::Error, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use consent::{ConsentForm, consent_page};
use quadrille::{
    Authentication, Env, KeyRing, Scopes, Secret, Timestamp,
    guard::Access,
    provider::{
        Authorization, AuthorizationServer, Client, Decision, GrantType, NewClient,
        PasswordAttempt, PasswordNotChecked, PasswordVerifier, Reply, Step,
        guessing::{Kdf, Verdict},
        oauth1::{NewKey, OAuth1},
        store::{
            ClientTable, Parts, SqliteStore, StoreError, UserTable,
            rusqlite::{OptionalExtension as _, params},
        },
    },
    scopes,
};

scopes! { Photos = "photos:read", "See your photos"; }

/// The application's own tables. Append to them, never change them.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE apps (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, created INTEGER NOT NULL,
        is_blocked INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE people (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL,
        created INTEGER NOT NULL);",
    // Clients of OAuth 1.0a have a secret or an RSA key.
    "ALTER TABLE apps ADD COLUMN callback TEXT;
    ALTER TABLE apps ADD COLUMN oauth1_secret TEXT;
    ALTER TABLE apps ADD COLUMN oauth1_rsa_key TEXT;",
];

/// The application's file, with the provider's tables.
pub type Database = Arc<SqliteStore>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = args().nth(1).ok_or("usage: own_tables DATABASE")?;
    let env = Env::system();
    let database = open(&path, env.clone()).await?;
    sign_up(&database, "ada", "a dance for four", env.clone()).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let server = server(&issuer, &database, env)?;
    server.start().await?;
    let app = app(&server, database);
    say_what_to_try(&issuer);
    // With the addresses of clients, by which the server limits guesses.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}

/// The application's database, with a client of each protocol.
pub async fn open(path: &str, env: Env) -> Result<Database, StoreError> {
    let database = Arc::new(SqliteStore::open(path, env.clone())?);
    database.migrate("application", MIGRATIONS).await?;
    let now = env.now().seconds();
    database
        .write(move |tx| {
            tx.execute(
                "INSERT INTO apps (id, name, created, callback, oauth1_secret) VALUES
                    ('old-app', 'Photos, version 1', ?1, NULL, NULL),
                    ('old-printer', 'Photo printer', ?1, 'https://printer.example/callback',
                        'kd94hf93k423kf44')
                ON CONFLICT DO NOTHING",
                [now],
            )?;
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(database)
}

/// The provider: clients and users from the application's tables, the rest in the provider's.
pub fn server(
    issuer: &str,
    database: &Database,
    env: Env,
) -> Result<AuthorizationServer, Box<dyn Error>> {
    let people = People { database: database.clone(), kdf: Kdf::default(), env: env.clone() };
    let parts =
        Parts::of(database.clone()).client_table(Apps(database.clone())).user_table(people.clone());
    Ok(AuthorizationServer::new(issuer, parts)?
        .keys(KeyRing::new([&env.random::<32>()])?) // yours must last: KeyRing::from_env
        .env(env)
        .kdf(people.kdf.clone())
        .scope::<Photos>()
        .oauth1(OAuth1::new())
        .let_clients_see_passwords_of_users(people))
}

/// The application: an API, and the deletion of an account.
pub fn app(server: &AuthorizationServer, database: Database) -> Router {
    let own = Own { database, issuer: server.issuer().into() };
    let routes = Router::new()
        .route("/api/photos", get(photos))
        .route("/api/me", axum::routing::delete(delete_account))
        .route("/oauth/authorize", get(ask).post(ask))
        .route("/oauth/consent", post(answer))
        .with_state(own);
    server.attach(routes)
}

#[derive(Clone)]
struct Own {
    database: Database,
    issuer: Arc<str>,
}

/// The application's clients.
#[derive(Clone, Debug)]
pub struct Apps(pub Database);

impl ClientTable for Apps {
    async fn find(&self, id: &str) -> Result<Option<Client>, StoreError> {
        let sql = "SELECT * FROM apps WHERE id = ?1 AND NOT is_blocked";
        let found = self.0.read(|db| {
            let row = db.query_row(sql, [id], |row| {
                let name: String = row.get("name")?;
                let callback: Option<String> = row.get("callback")?;
                let secret: Option<String> = row.get("oauth1_secret")?;
                let rsa_key: Option<String> = row.get("oauth1_rsa_key")?;
                let created: i64 = row.get("created")?;
                let key = rsa_key.map(NewKey::RsaPublicKey);
                let key = key.or(secret.map(|secret| NewKey::ImportedSecret(secret.into())));
                let client = match key {
                    Some(key) => NewClient::confidential(name).grant_types([]).oauth1(key),
                    None => NewClient::public(name)
                        .grant_types([GrantType::Password, GrantType::RefreshToken]),
                };
                Ok((client.redirect_uris(callback), created))
            });
            Ok::<_, StoreError>(row.optional()?)
        });
        let Some((client, created)) = found.await? else { return Ok(None) };
        let client = client.id(id).scopes(Scopes::of(["photos:read"]));
        client.in_table(Timestamp::from_seconds(created)).map(Some).map_err(StoreError::failed)
    }
}

/// The application's users.
#[derive(Clone, Debug)]
pub struct People {
    /// The application's file.
    pub database: Database,
    /// The threads that hash passwords.
    pub kdf: Kdf,
    /// The clock.
    pub env: Env,
}

impl UserTable for People {
    async fn since(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        // As text, since SQLite takes "1" and " 1" for equal numbers.
        let sql = "SELECT created FROM people WHERE CAST(id AS TEXT) = ?1";
        let found = self.database.read(|db| {
            let created = db.query_row(sql, [subject], |row| row.get("created"));
            Ok::<_, StoreError>(created.optional()?)
        });
        Ok(found.await?.map(Timestamp::from_seconds))
    }
}

/// What the user getter of other libraries is.
impl PasswordVerifier for People {
    async fn verify(
        &self,
        attempt: PasswordAttempt,
    ) -> Result<Option<Authentication>, PasswordNotChecked> {
        let name = attempt.user_name();
        let sql = "SELECT id, password FROM people WHERE name = ?1";
        let found = self.database.read(|db| {
            let row = db.query_row(sql, [name], |row| Ok((row.get("id")?, row.get("password")?)));
            Ok::<Option<(i64, String)>, StoreError>(row.optional()?)
        });
        let user = found.await.map_err(PasswordNotChecked::unavailable)?;
        let password = attempt.password().clone();
        let verdict = match &user {
            Some((_, hash)) => self.kdf.verify(&self.env, password, hash.as_str().into()).await,
            // As slow as a wrong password, so nobody learns who has an account.
            None => self.kdf.verify_for_nobody(password).await,
        };
        let verdict = verdict.map_err(PasswordNotChecked::unavailable)?;
        let user = user.filter(|_| verdict != Verdict::Wrong);
        Ok(user.map(|(id, _)| Authentication::new(id.to_string(), self.env.now())))
    }
}

/// Adds a user.
pub async fn sign_up(
    database: &Database,
    name: &'static str,
    password: &str,
    env: Env,
) -> Result<(), Box<dyn Error>> {
    let hash = Kdf::default().hash(&env, Secret::from(password)).await?;
    let now = env.now().seconds();
    let written = database.write(move |tx| {
        let sql = "INSERT INTO people (name, password, created) VALUES (?1, ?2, ?3)
            ON CONFLICT DO NOTHING";
        tx.execute(sql, params![name, hash, now])?;
        Ok::<_, StoreError>(())
    });
    Ok(written.await?)
}

async fn ask(request: Authorization) -> Response {
    match request.step(Some(user(&Env::system()))).await {
        Step::Consent(page) => consent_page(&page).into_response(),
        Step::Done(reply) => reply.into_response(),
        Step::SignIn(_) => "Every visitor is signed in.".into_response(),
    }
}

async fn answer(decision: Decision<ConsentForm>) -> Reply {
    match decision.form.decision.as_str() {
        "allow" => decision.by(user(&Env::system())).only(&decision.form.scope).await,
        _ => decision.by(user(&Env::system())).deny().await,
    }
}

fn user(env: &Env) -> Authentication {
    Authentication::new("1", env.now())
}

async fn photos(access: Access<Photos>) -> Json<Vec<String>> {
    Json(vec![format!("a photo of user {}", access.user().map_or("nobody", |user| user))])
}

/// Deletes the user with all grants, in one transaction: either everything is gone, or nothing is.
async fn delete_account(State(own): State<Own>, access: Access) -> Result<StatusCode, StatusCode> {
    let subject = access.user().ok_or(StatusCode::FORBIDDEN)?.to_owned();
    let deleted = own.database.write(move |tx| {
        tx.execute("DELETE FROM people WHERE CAST(id AS TEXT) = ?1", [&subject])?;
        SqliteStore::forget_subject(tx, &own.issuer, &subject)
    });
    deleted.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::NO_CONTENT)
}

#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
fn say_what_to_try(issuer: &str) {
    println!("{{\"issuer\": \"{issuer}\"}}");
    println!(
        "curl {issuer}/oauth/token -d grant_type=password -d client_id=old-app \\
  -d username=ada --data-urlencode 'password=a dance for four' -d scope=photos:read
curl {issuer}/api/photos -H \"Authorization: Bearer $TOKEN\"
curl -X DELETE {issuer}/api/me -H \"Authorization: Bearer $TOKEN\""
    );
}
