//! The irreducible work of a page that needs the account of its visitor:
//!   /seal          sets a sealed cookie, 302 to /sealed
//!   /sealed        opens one sealed cookie (AES-256-GCM)
//!   /protect       sets such a cookie as /protected wants, 302 there
//!   /protected     opens one with the protections of a library: see `protected`
//!   /sqlite        one prepared SELECT by the user in a cookie, on sqlx's SqlitePool
//!   /postgres      the same on PgPool
//! Each answers with the account's name. The databases have the accounts of users 0 to 999.
#[path = "../boxes.rs"]
mod boxes;
use aws_lc_rs::{
    aead::{Aad, LessSafeKey, Nonce, UnboundKey, AES_256_GCM},
    rand,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{header, request::Parts, HeaderMap, HeaderValue, StatusCode},
    middleware::{from_fn_with_state, Next},
    response::{IntoResponse, Response},
    routing::get,
    Router,
};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD as B64, Engine};
use boxes::{now, Boxes};
use sqlx::{
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
    PgPool, SqlitePool,
};
use std::sync::{Arc, Mutex, OnceLock};
use zeroize::Zeroizing;

const USERS: i64 = 1000;
const NAME: &str = "octo";
const TOKEN: &[u8] =
    b"stub-access-token-0123456789 stub-refresh profile email 1764300000 1764303600";

struct App {
    key: LessSafeKey,
    boxes: Boxes,
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

/// An account whose fields are all there, so that the page can call the service, and are wiped.
struct Account {
    name: Arc<str>,
    _token: Zeroizing<String>,
    _refresh: Zeroizing<String>,
    _scopes: Box<str>,
}

/// Cookies that the page sets, and the `Cookie` header, of one request.
#[derive(Clone)]
struct Visit {
    app: Arc<App>,
    cookies: Option<HeaderValue>,
    set: Arc<OnceLock<Mutex<Vec<HeaderValue>>>>,
}

/// The layer without which a page could not send a renewed token.
async fn visits(State(app): S, mut request: Request, next: Next) -> Response {
    let cookies = request.headers().get(header::COOKIE).cloned();
    let visit = Visit { app, cookies, set: Arc::default() };
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await;
    if let Some(set) = visit.set.get() {
        for cookie in set.lock().unwrap().drain(..) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The site, the user of the application and the service that a box is for.
fn bound_to(user: &str, service: &str) -> String {
    ["account cookie\0http://127.0.0.1\0", user, "\0", service].concat()
}

async fn protect(State(app): S) -> Response {
    let (obtained, fields) = (now(), "stub-access-token-0123456789\0stub-refresh\0profile email");
    let plain = format!("{NAME}\0{fields}\0{obtained}\0{}", obtained + 3600);
    let value = app.boxes.seal(&bound_to("", "stub"), plain.into_bytes());
    let cookie = format!("account={value}; HttpOnly; SameSite=Lax; Path=/");
    (StatusCode::FOUND, [(header::LOCATION, "/protected".to_owned()), (header::SET_COOKIE, cookie)])
        .into_response()
}

impl<T: Sync> FromRequestParts<T> for Account {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Self, StatusCode> {
        let visit = parts.extensions.get::<Visit>().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        open(visit).ok_or(StatusCode::UNAUTHORIZED)
    }
}

fn open(visit: &Visit) -> Option<Account> {
    let cookies = visit.cookies.as_ref()?.to_str().ok()?;
    let cookie = cookies.split("; ").find_map(|pair| pair.strip_prefix("account="))?;
    visit.app.boxes.open(&bound_to("", "stub"), cookie, |plain| {
        let mut fields = plain.split('\0');
        let (name, token, refresh) = (fields.next()?, fields.next()?, fields.next()?);
        let (scopes, _obtained, expires) = (fields.next()?, fields.next()?, fields.next()?);
        // A token with half a minute left is renewed.
        if expires.parse::<u64>().ok()? < now() + 30 {
            return None;
        }
        Some(Account {
            name: name.into(),
            _token: Zeroizing::new(token.into()),
            _refresh: Zeroizing::new(refresh.into()),
            _scopes: scopes.into(),
        })
    })
}

async fn protected(account: Account) -> Response {
    page(Some(&account.name))
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
    let app = Arc::new(App { key, boxes: Boxes::new(), sqlite, postgres });
    let protected = Router::new()
        .route("/protect", get(protect))
        .route("/protected", get(self::protected))
        .layer(from_fn_with_state(app.clone(), visits));
    let r = Router::new()
        .route("/seal", get(seal))
        .route("/sealed", get(sealed))
        .route("/sqlite", get(self::sqlite))
        .route("/postgres", get(self::postgres))
        .merge(protected)
        .with_state(app);
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
