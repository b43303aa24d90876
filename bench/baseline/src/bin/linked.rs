//! The irreducible work of a page that needs the account of its visitor:
//!   /seal          sets a sealed cookie, 302 to /sealed
//!   /sealed        opens one sealed cookie (AES-256-GCM)
//!   /sqlite        one prepared SELECT by the user in a cookie, on sqlx's SqlitePool
//!   /postgres      the same on PgPool
//! Each answers with the account's name. The databases have the accounts of users 0 to 999.
use aws_lc_rs::{
    aead::{Aad, LessSafeKey, Nonce, UnboundKey, AES_256_GCM},
    rand,
};
use axum::{
    extract::State,
    http::{header, HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
    Router,
};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD as B64, Engine};
use sqlx::{
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
    PgPool, SqlitePool,
};
use std::sync::Arc;

const USERS: i64 = 1000;
const NAME: &str = "octo";
const TOKEN: &[u8] =
    b"stub-access-token-0123456789 stub-refresh profile email 1764300000 1764303600";

struct App {
    key: LessSafeKey,
    sqlite: SqlitePool,
    postgres: PgPool,
}
type S = State<Arc<App>>;

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|pair| pair.strip_prefix(name))
}

fn page(name: Option<&str>) -> Response {
    match name {
        Some(name) => format!("{{\"user\":\"{name}\"}}").into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn seal(State(app): S) -> Response {
    let mut nonce = [0; 12];
    rand::fill(&mut nonce).unwrap();
    let mut sealed = [NAME.as_bytes(), b"\0", TOKEN].concat();
    let nonce = Nonce::assume_unique_for_key(nonce);
    let first = *nonce.as_ref();
    app.key.seal_in_place_append_tag(nonce, Aad::from(b"account"), &mut sealed).unwrap();
    let value = B64.encode([&first[..], &sealed].concat());
    let cookie = format!("account={value}; HttpOnly; SameSite=Lax; Path=/");
    (StatusCode::FOUND, [(header::LOCATION, "/sealed".to_owned()), (header::SET_COOKIE, cookie)])
        .into_response()
}

async fn sealed(State(app): S, headers: HeaderMap) -> Response {
    let open = || {
        let mut sealed = B64.decode(cookie(&headers, "account=")?).ok()?;
        let (nonce, sealed) = sealed.split_at_mut_checked(12)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = app.key.open_in_place(nonce, Aad::from(b"account"), sealed).ok()?;
        let name = plain.split(|byte| *byte == 0).next()?;
        String::from_utf8(name.to_vec()).ok()
    };
    page(open().as_deref())
}

macro_rules! selects {
    ($name:ident, $sql:literal) => {
        async fn $name(State(app): S, headers: HeaderMap) -> Response {
            let Some(user) = cookie(&headers, "user=").and_then(|user| user.parse::<i64>().ok())
            else {
                return StatusCode::UNAUTHORIZED.into_response();
            };
            let found = sqlx::query_as::<_, (String, Vec<u8>)>($sql)
                .bind(user)
                .bind("stub")
                .fetch_optional(&app.$name)
                .await;
            match found {
                Ok(found) => page(found.as_ref().map(|(name, _)| name.as_str())),
                Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            }
        }
    };
}
selects!(sqlite, "SELECT name, token FROM bare_accounts WHERE usr = ? AND service = ?");
selects!(postgres, "SELECT name, token FROM bare_accounts WHERE usr = $1 AND service = $2");

macro_rules! fill {
    ($pool:expr, $bytes:literal, $insert:literal) => {{
        let create = concat!(
            "CREATE TABLE bare_accounts (usr BIGINT NOT NULL, service TEXT NOT NULL, ",
            "name TEXT NOT NULL, token ",
            $bytes,
            " NOT NULL, PRIMARY KEY (usr, service))"
        );
        let mut all = $pool.begin().await.unwrap();
        sqlx::query("DROP TABLE IF EXISTS bare_accounts").execute(&mut *all).await.unwrap();
        sqlx::query(create).execute(&mut *all).await.unwrap();
        for user in 0..USERS {
            let insert = sqlx::query($insert).bind(user).bind("stub").bind(NAME).bind(TOKEN);
            insert.execute(&mut *all).await.unwrap();
        }
        all.commit().await.unwrap();
    }};
}

#[tokio::main]
async fn main() {
    let port: u16 = std::env::var("PORT").unwrap_or("9401".into()).parse().unwrap();
    let dir = std::env::var("DATA_DIR").unwrap_or(".".into());
    let options = SqliteConnectOptions::new()
        .filename(format!("{dir}/bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let sqlite = SqlitePool::connect_with(options).await.unwrap();
    let postgres = PgPool::connect(&std::env::var("PG_URL").unwrap()).await.unwrap();
    fill!(sqlite, "BLOB", "INSERT INTO bare_accounts VALUES (?, ?, ?, ?)");
    fill!(postgres, "BYTEA", "INSERT INTO bare_accounts VALUES ($1, $2, $3, $4)");
    let mut key = [0; 32];
    rand::fill(&mut key).unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let r = Router::new()
        .route("/seal", get(seal))
        .route("/sealed", get(sealed))
        .route("/sqlite", get(self::sqlite))
        .route("/postgres", get(self::postgres))
        .with_state(Arc::new(App { key, sqlite, postgres }));
    let l = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    use axum::serve::ListenerExt;
    axum::serve(
        l.tap_io(|s| {
            let _ = s.set_nodelay(true);
        }),
        r,
    )
    .await
    .unwrap();
}
