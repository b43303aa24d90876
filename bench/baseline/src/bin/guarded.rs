//! A protected route as a library guards it: a layer that reads every kind of credentials strictly, finds the
//! token by its masked number, compares the hash of the whole text in constant time, looks at client,
//! grant, expiry and scopes, and leaves the access in the request for the extractor of the route.
//!   /safe/token     client_credentials
//!   /safe/resource  a bearer token, or a request signed with HMAC-SHA1
//!   /safe/introspect  what a token is worth, for its client
#[path = "../boxes.rs"]
#[allow(dead_code)]
mod boxes;
use aws_lc_rs::{
    cipher::{EncryptingKey, UnboundCipherKey, AES_256},
    constant_time, digest, hmac,
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request, State},
    http::{header, request::Parts, HeaderMap, Method, Uri},
    middleware::{from_fn_with_state, Next},
    response::Response,
    routing::{get, post},
    Router,
};
use base64::{
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64},
    Engine,
};
use boxes::{now, random};
use dashmap::{mapref::one::Ref, DashMap};
use std::{
    borrow::Cow,
    fmt::Write as _,
    sync::{
        atomic::{AtomicI64, Ordering},
        Arc,
    },
};

const SECRET: &str = "bench-secret-0123456789abcdef";
const NONCES_LIVE: u64 = 600;
/// The longest form, in bytes.
const LONGEST: usize = 64 * 1024;

struct Client {
    id: Arc<str>,
    secret: [u8; 32],
    is_enabled: bool,
}
struct Row {
    hash: [u8; 32],
    client: Arc<str>,
    subject: Option<Arc<str>>,
    scopes: Arc<str>,
    audience: Arc<str>,
    grant: i64,
    issued: u64,
    expires: u64,
}
/// Token credentials with the key of their last signature.
struct Signing {
    client: Arc<str>,
    scopes: Arc<str>,
    key: hmac::Key,
    expires: u64,
}
struct App {
    mask: EncryptingKey,
    last: AtomicI64,
    clients: DashMap<Arc<str>, Client>,
    tokens: DashMap<i64, Row>,
    revoked: DashMap<i64, ()>,
    signing: DashMap<Arc<str>, Signing>,
    nonces: DashMap<[u8; 16], u64>,
    issuer: Arc<str>,
    audience: Arc<str>,
    subject: Arc<str>,
    scopes: Arc<str>,
}
type S = State<Arc<App>>;

/// The access of a request.
#[derive(Clone)]
#[allow(dead_code)]
struct Granted {
    client: Arc<str>,
    subject: Option<Arc<str>>,
    scopes: Arc<str>,
    expires: u64,
}
struct Read(#[allow(dead_code)] Granted);

impl<T: Sync> FromRequestParts<T> for Read {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Self, Response> {
        let granted = parts.extensions.get::<Granted>().ok_or_else(|| refuse("invalid_token"))?;
        if !granted.scopes.split(' ').any(|scope| scope == "read") {
            return Err(refuse("insufficient_scope"));
        }
        Ok(Self(granted.clone()))
    }
}

fn json(status: u16, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(body.into())
        .unwrap()
}
fn refuse(error: &str) -> Response {
    let mut response = json(401, format!("{{\"error\":\"{error}\"}}"));
    let challenge = format!("Bearer error=\"{error}\"").try_into().unwrap();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
fn sha(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().unwrap()
}

/// The number in a token, whose first half hides it.
fn unmasked(app: &App, token: &str) -> Option<i64> {
    let mut bytes = [0; 40];
    if B64.decode_slice(token, &mut bytes).ok()? != 40 {
        return None;
    }
    let mut mask: [u8; 16] = bytes[8..24].try_into().unwrap();
    app.mask.encrypt(&mut mask).ok()?;
    let masked = i64::from_be_bytes(bytes[..8].try_into().unwrap());
    Some(masked ^ i64::from_be_bytes(mask[..8].try_into().unwrap()))
}

async fn token(State(app): S, headers: HeaderMap) -> Response {
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let pair = basic.and_then(|value| STANDARD.decode(value.strip_prefix("Basic ")?).ok());
    let pair = pair.and_then(|pair| String::from_utf8(pair).ok()).unwrap_or_default();
    let (id, secret) = pair.split_once(':').unwrap_or_default();
    let Some(client) = app.clients.get(id) else { return refuse("invalid_client") };
    let given = sha(secret.as_bytes());
    if constant_time::verify_slices_are_equal(&given, &client.secret).is_err() {
        return refuse("invalid_client");
    }
    let number = app.last.fetch_add(1, Ordering::Relaxed);
    let mut bytes = [0; 40];
    bytes[8..].copy_from_slice(&random::<32>());
    let mut mask: [u8; 16] = bytes[8..24].try_into().unwrap();
    app.mask.encrypt(&mut mask).unwrap();
    let masked = number ^ i64::from_be_bytes(mask[..8].try_into().unwrap());
    bytes[..8].copy_from_slice(&masked.to_be_bytes());
    let token = B64.encode(bytes);
    let row = Row {
        hash: sha(token.as_bytes()),
        client: client.id.clone(),
        subject: Some(app.subject.clone()),
        scopes: app.scopes.clone(),
        audience: app.audience.clone(),
        grant: number,
        issued: now(),
        expires: now() + 3600,
    };
    app.tokens.insert(number, row);
    json(
        200,
        format!(
            "{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":3600,\
             \"scope\":\"read write\"}}"
        ),
    )
}

async fn guard(State(app): S, mut request: Request, next: Next) -> Response {
    let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (headers.next(), headers.next()) else {
        return refuse("invalid_request");
    };
    let Ok(value) = value.to_str() else { return refuse("invalid_request") };
    let Some((scheme, rest)) = value.split_once(' ') else { return refuse("invalid_request") };
    let granted = if scheme.eq_ignore_ascii_case("bearer") {
        bearer(&app, rest)
    } else if scheme.eq_ignore_ascii_case("oauth") {
        signed(&app, request.method(), request.uri(), request.headers(), rest)
    } else {
        Err("invalid_request")
    };
    match granted {
        Ok(granted) => {
            request.extensions_mut().insert(granted);
            next.run(request).await
        }
        Err(error) => refuse(error),
    }
}

/// The row of a token that is alive.
fn live<'a>(app: &'a App, token: &str) -> Option<Ref<'a, i64, Row>> {
    let row = app.tokens.get(&unmasked(app, token)?)?;
    constant_time::verify_slices_are_equal(&sha(token.as_bytes()), &row.hash).ok()?;
    let is_enabled = app.clients.get(&row.client).is_some_and(|client| client.is_enabled);
    let is_live = is_enabled && row.expires > now() && !app.revoked.contains_key(&row.grant);
    is_live.then_some(row)
}

fn bearer(app: &App, token: &str) -> Result<Granted, &'static str> {
    let is_token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(is_token68) {
        return Err("invalid_request");
    }
    let row = live(app, token).ok_or("invalid_token")?;
    if row.audience != app.audience {
        return Err("invalid_token");
    }
    Ok(Granted {
        client: row.client.clone(),
        subject: row.subject.clone(),
        scopes: row.scopes.clone(),
        expires: row.expires,
    })
}

/// The fields of a form, each once.
struct Form<'f> {
    token: Option<Cow<'f, str>>,
    client_id: Option<Cow<'f, str>>,
    client_secret: Option<Cow<'f, str>>,
}

fn form<'f>(headers: &HeaderMap, body: &'f [u8]) -> Option<Form<'f>> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = content_type.split(';').next()?.trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") || body.len() > LONGEST {
        return None;
    }
    let mut form = Form { token: None, client_id: None, client_secret: None };
    for pair in std::str::from_utf8(body).ok()?.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match &*field(name)? {
            "token" => &mut form.token,
            "client_id" => &mut form.client_id,
            "client_secret" => &mut form.client_secret,
            _ => continue,
        };
        if place.replace(field(value)?).is_some() {
            return None;
        }
    }
    Some(form)
}
fn field(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return decode(text);
    }
    decode(&text.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()))
}

/// The id of the client that authenticates, by one method.
fn authenticated<'a>(app: &'a App, headers: &HeaderMap, form: &Form<'_>) -> Option<Ref<'a, Arc<str>, Client>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (id, secret): (Cow<'_, str>, Cow<'_, str>);
    let pair;
    match (values.next(), values.next()) {
        (Some(value), None) => {
            if form.client_id.is_some() || form.client_secret.is_some() {
                return None;
            }
            let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
            if !scheme.eq_ignore_ascii_case("basic") {
                return None;
            }
            pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
            let (before, after) = pair.split_once(':')?;
            (id, secret) = (field(before)?, field(after)?);
        }
        (None, _) => (id, secret) = (form.client_id.clone()?, form.client_secret.clone()?),
        _ => return None,
    }
    let client = app.clients.get(&*id)?;
    let given = sha(secret.as_bytes());
    let is_right = constant_time::verify_slices_are_equal(&given, &client.secret).is_ok();
    (is_right && client.is_enabled).then_some(client)
}

#[derive(serde::Serialize)]
struct Active<'a> {
    active: bool,
    scope: &'a str,
    client_id: &'a str,
    token_type: &'a str,
    exp: u64,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    aud: &'a str,
    iss: &'a str,
    jti: &'a str,
}

async fn introspect(State(app): S, headers: HeaderMap, body: Bytes) -> Response {
    let Some(form) = form(&headers, &body) else { return refuse("invalid_request") };
    let Some(token) = &form.token else { return refuse("invalid_request") };
    let Some(client) = authenticated(&app, &headers, &form) else { return refuse("invalid_client") };
    let Some(row) = live(&app, token).filter(|row| row.client == client.id) else {
        return json(200, "{\"active\":false}");
    };
    let active = Active {
        active: true,
        scope: &row.scopes,
        client_id: &row.client,
        token_type: "Bearer",
        exp: row.expires,
        iat: row.issued,
        sub: row.subject.as_deref(),
        aud: &row.audience,
        iss: &app.issuer,
        jti: &B64.encode(&row.hash[..16]),
    };
    json(200, serde_json::to_vec(&active).unwrap())
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char)
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        out.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn signed(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    parameters: &str,
) -> Result<Granted, &'static str> {
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::with_capacity(8);
    let [mut key, mut token, mut how, mut nonce, mut time, mut signature] = [const { None }; 6];
    for pair in parameters.split(',') {
        let (name, value) = pair.trim().split_once('=').ok_or("parameter_rejected")?;
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let name = decode(name).ok_or("parameter_rejected")?;
        let value = decode(value.ok_or("parameter_rejected")?).ok_or("parameter_rejected")?;
        let place = match &*name {
            "realm" => continue,
            "oauth_signature" => {
                if signature.replace(value).is_some() {
                    return Err("parameter_rejected");
                }
                continue;
            }
            "oauth_consumer_key" => &mut key,
            "oauth_token" => &mut token,
            "oauth_signature_method" => &mut how,
            "oauth_nonce" => &mut nonce,
            "oauth_timestamp" => &mut time,
            "oauth_version" if value == "1.0" => {
                pairs.push((name, value));
                continue;
            }
            _ => return Err("parameter_rejected"),
        };
        if place.replace(value.clone()).is_some() {
            return Err("parameter_rejected");
        }
        pairs.push((name, value));
    }
    let missing = "parameter_absent";
    let (key, token) = (key.ok_or(missing)?, token.ok_or(missing)?);
    let (nonce, time) = (nonce.ok_or(missing)?, time.ok_or(missing)?);
    if how.ok_or(missing)? != "HMAC-SHA1" {
        return Err("signature_method_rejected");
    }
    let time: u64 = time.parse().map_err(|_| "timestamp_refused")?;
    if time.abs_diff(now()) > NONCES_LIVE / 2 {
        return Err("timestamp_refused");
    }
    let is_enabled = app.clients.get(&*key).is_some_and(|client| client.is_enabled);
    let of = app.signing.get(&*token).ok_or("token_rejected")?;
    if !is_enabled || *of.client != *key || of.expires <= now() {
        return Err("token_rejected");
    }
    let query = uri.query().unwrap_or("");
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or("parameter_rejected")?;
        pairs.push((name, decode(value).ok_or("parameter_rejected")?));
    }
    let mut encoded: Vec<(String, String)> = Vec::with_capacity(pairs.len());
    for (name, value) in &pairs {
        let mut pair = (String::with_capacity(32), String::with_capacity(64));
        encode(&mut pair.0, name);
        encode(&mut pair.1, value);
        encoded.push(pair);
    }
    encoded.sort_unstable();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let mut base = String::with_capacity(512);
    let _ = write!(base, "{method}&");
    encode(&mut base, "http://");
    encode(&mut base, host);
    encode(&mut base, uri.path());
    base.push('&');
    for (at, (name, value)) in encoded.iter().enumerate() {
        base.push_str(if at > 0 { "%26" } else { "" });
        encode(&mut base, name);
        base.push_str("%3D");
        encode(&mut base, value);
    }
    let given = STANDARD.decode(&*signature.ok_or(missing)?).map_err(|_| "signature_invalid")?;
    let tag = hmac::sign(&of.key, base.as_bytes());
    constant_time::verify_slices_are_equal(tag.as_ref(), &given)
        .map_err(|_| "signature_invalid")?;
    let used = sha([&*key, "\0", &*token, "\0", &*nonce].concat().as_bytes());
    let used: [u8; 16] = used[..16].try_into().unwrap();
    if app.nonces.insert(used, now() + NONCES_LIVE).is_some() {
        return Err("nonce_used");
    }
    Ok(Granted {
        client: of.client.clone(),
        subject: None,
        scopes: of.scopes.clone(),
        expires: of.expires,
    })
}

async fn resource(_: Read) -> Response {
    json(200, "{\"sub\":\"7\",\"ok\":true}")
}

#[tokio::main]
async fn main() {
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let mask = UnboundCipherKey::new(&AES_256, &random::<32>()).unwrap();
    let app = Arc::new(App {
        mask: EncryptingKey::ecb(mask).unwrap(),
        last: AtomicI64::new(1),
        clients: DashMap::new(),
        tokens: DashMap::new(),
        revoked: DashMap::new(),
        signing: DashMap::new(),
        nonces: DashMap::new(),
        issuer: "http://127.0.0.1".into(),
        audience: "http://127.0.0.1".into(),
        subject: "7".into(),
        scopes: "read write".into(),
    });
    let client: Arc<str> = "bench".into();
    let secret = sha(SECRET.as_bytes());
    let row = Client { id: client.clone(), secret, is_enabled: true };
    app.clients.insert(client.clone(), row);
    let secrets = b"cs-0123456789abcdef0123456789ab&ts-0123456789abcdef0123456789ab";
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secrets);
    let expires = now() + 24 * 3600;
    let signing = Signing { client, scopes: app.scopes.clone(), key, expires };
    app.signing.insert("token".into(), signing);
    let r = Router::new()
        .route("/safe/resource", get(resource))
        .layer(from_fn_with_state(app.clone(), guard))
        .route("/hello", get(|| async { json(200, "{\"ok\":true}") }))
        .route("/safe/token", post(token))
        .route("/safe/introspect", post(introspect))
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
