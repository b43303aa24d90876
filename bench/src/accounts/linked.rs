//! Sites whose pages extract the visitor's account, over each storage.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{AppendHeaders, Redirect},
};
use quadrille::{
    After, Authorized, Env, Hooks, Login, Owner, Scopes,
    consumer::{
        Account, CachedStorage, FileStorage, MemoryCache, MemoryStorage, Token, TokenStorage,
        users::{Arrival, MemoryUsers, UserId, UserStorage, Users},
    },
};
use quadrille_redis::RedisStorage;
use quadrille_sqlx::{MySqlStorage, MySqlUsers, PgStorage, PgUsers, SqliteStorage, SqliteUsers};
use redis::aio::ConnectionManagerConfig;
use sqlx::{
    Connection as _, MySqlConnection, MySqlPool, PgPool, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    Result,
    page::{attach, login},
    serving::{cookie, new_id},
};

/// The number of users with an account in the measured sites.
const USERS: i64 = 1000;
/// The number of accounts in a cache.
const ENTRIES: u64 = 10_000;

/// A site to measure, whose users a cookie names: each has an account in the storage.
pub(crate) async fn site(origin: &str, service: &str, storage: &str) -> Result<Router> {
    let login = login(origin, service)?;
    let is_cached = storage.ends_with("-cached");
    match storage {
        "sqlite" | "sqlite-cached" => {
            let storage = SqliteStorage::new(sqlite().await?);
            storage.migrate().await?;
            fill(&login, &storage).await?;
            attach_numbered(login, storage, is_cached)
        }
        "postgres" | "postgres-cached" => {
            let storage = PgStorage::new(postgres().await?);
            storage.migrate().await?;
            fill(&login, &storage).await?;
            attach_numbered(login, storage, is_cached)
        }
        other => Err(format!("there is no site on {other}").into()),
    }
}

async fn fill(login: &Login, storage: &impl TokenStorage) -> Result<()> {
    let cx = login.storage_context()?;
    let now = Env::system().now();
    for user in 0..USERS {
        let (owner, service, subject) = (Owner::user(user), "stub".into(), "octo".into());
        let token = Token::new("stub-access-token-0123456789")
            .refresh_token("stub-refresh")
            .scopes(Scopes::parse("profile")?)
            .expires(now + Duration::from_secs(24 * 3600));
        storage.link(&cx, &Account { owner, service, subject }, &token).await?;
    }
    Ok(())
}

fn attach_numbered(login: Login, storage: impl TokenStorage, is_cached: bool) -> Result<Router> {
    let login = login.hooks(Hooks::new(()).owner(|user: &Numbered| user.0));
    attach(&match is_cached {
        true => login.storage(CachedStorage::new(MemoryCache::new(ENTRIES), storage)),
        false => login.storage(storage),
    })
}

/// The user whom the cookie `user` names.
struct Numbered(i64);

impl<S: Sync> FromRequestParts<S> for Numbered {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let user = cookie(&parts.headers, "user=").and_then(|user| user.parse().ok());
        user.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

/// A site for a crowd: who logs in becomes a user, with a session. With cookies as the storage
/// there are neither.
pub(crate) async fn crowd(origin: &str, service: &str, storage: &str) -> Result<Router> {
    let login = login(origin, service)?;
    match storage {
        "cookie" => attach(&login),
        "memory" => with_users(login, MemoryStorage::new(), MemoryUsers::new()),
        "file" => {
            let folder = PathBuf::from(std::env::var("DATA_DIR")?).join("accounts");
            with_users(login, FileStorage::open(folder)?, MemoryUsers::new())
        }
        "redis" => {
            // As long as the pools of the others wait; the default is half a second.
            let config = ConnectionManagerConfig::new();
            let config = config.set_response_timeout(Some(Duration::from_secs(30)));
            let client = redis::Client::open(std::env::var("REDIS_URL")?)?;
            let connection = client.get_connection_manager_with_config(config).await?;
            let storage = RedisStorage::new(connection);
            with_users(login, storage, MemoryUsers::new())
        }
        "sqlite" => {
            let pool = sqlite().await?;
            let (storage, users) = (SqliteStorage::new(pool.clone()), SqliteUsers::new(pool));
            storage.migrate().await?;
            with_users(login, storage, users)
        }
        "postgres" => {
            let pool = postgres().await?;
            let (storage, users) = (PgStorage::new(pool.clone()), PgUsers::new(pool));
            storage.migrate().await?;
            with_users(login, storage, users)
        }
        "postgres-cached" => {
            let pool = postgres().await?;
            let (storage, users) = (PgStorage::new(pool.clone()), PgUsers::new(pool));
            storage.migrate().await?;
            with_users(login, CachedStorage::new(MemoryCache::new(ENTRIES), storage), users)
        }
        "mariadb" => {
            let pool = mariadb().await?;
            let (storage, users) = (MySqlStorage::new(pool.clone()), MySqlUsers::new(pool));
            storage.migrate().await?;
            with_users(login, storage, users)
        }
        other => Err(format!("there is no crowd on {other}").into()),
    }
}

fn with_users(login: Login, storage: impl TokenStorage, users: impl UserStorage) -> Result<Router> {
    let site = Site { users: Users::new(users), sessions: Arc::default() };
    let hooks = Hooks::new(site).owner(|user: &SignedIn| user.0).on_authorized(signed_in);
    attach(&login.storage(storage).hooks(hooks))
}

#[derive(Clone)]
struct Site {
    users: Users,
    sessions: Arc<Mutex<HashMap<String, UserId>>>,
}

async fn signed_in(new: Authorized, State(site): State<Site>) -> quadrille::Result<After> {
    let user = site.users.sign_in(&Arrival::of(&new).await?, None).await?.user();
    let id = new_id(&Env::system());
    let cookie = format!("sid={id}; HttpOnly; SameSite=Strict; Path=/");
    site.sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(id, user);
    let answer = (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(new.next()));
    Ok(After::answer(answer).for_owner(user))
}

/// The user of the session.
struct SignedIn(UserId);

impl FromRequestParts<Site> for SignedIn {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, StatusCode> {
        let sessions = site.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let user = cookie(&parts.headers, "sid=").and_then(|id| sessions.get(id)).copied();
        user.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

async fn sqlite() -> Result<SqlitePool> {
    let path = PathBuf::from(std::env::var("DATA_DIR")?).join("app.db");
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    Ok(SqlitePool::connect_with(options).await?)
}

async fn postgres() -> Result<PgPool> {
    Ok(PgPool::connect(&std::env::var("PG_URL")?).await?)
}

async fn mariadb() -> Result<MySqlPool> {
    let url = std::env::var("MYSQL_URL")?;
    let mut server = MySqlConnection::connect(&url).await?;
    sqlx::query("CREATE DATABASE IF NOT EXISTS bench").execute(&mut server).await?;
    Ok(MySqlPool::connect(&[&url, "bench"].concat()).await?)
}
