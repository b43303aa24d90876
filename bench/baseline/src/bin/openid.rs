//! Peer (consumer): a typical hand-rolled login by OpenID Connect, axum + the `openidconnect` crate +
//! reqwest. The provider's documents are fetched at the start. Session: random sid cookie -> server-side
//! map. GET /login, GET /login/callback, GET /.
use axum::{
    extract::{Query, State},
    http::{header, HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
    Router,
};
use dashmap::DashMap;
use openidconnect::{
    core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata},
    reqwest, AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, TokenResponse,
};
use std::{collections::HashMap, sync::Arc};

type C = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
struct App {
    c: C,
    http: reqwest::Client,
    pend: DashMap<String, Pending>,
    sess: DashMap<String, String>,
}
struct Pending {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}
type S = State<Arc<App>>;
fn sid(h: &HeaderMap) -> Option<&str> {
    h.get(header::COOKIE)?.to_str().ok()?.split("; ").find_map(|p| p.strip_prefix("sid="))
}
fn redirect(to: String, sid: &str) -> Response {
    let cookie = format!("sid={sid}; HttpOnly; SameSite=Lax; Path=/");
    (StatusCode::FOUND, [(header::LOCATION, to), (header::SET_COOKIE, cookie)]).into_response()
}
async fn login(State(a): S) -> Response {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = a
        .c
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .set_pkce_challenge(challenge)
        .url();
    let sid = CsrfToken::new_random().into_secret();
    a.pend.insert(sid.clone(), Pending { state, nonce, verifier });
    redirect(url.to_string(), &sid)
}
async fn callback(State(a): S, h: HeaderMap, Query(q): Query<HashMap<String, String>>) -> Response {
    let Some((_, pending)) = sid(&h).and_then(|s| a.pend.remove(s)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (Some(code), Some(state)) = (q.get("code"), q.get("state")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if state != pending.state.secret() {
        return StatusCode::FORBIDDEN.into_response();
    }
    match user(&a, code, pending.verifier, &pending.nonce).await {
        Some(user) => {
            let new = CsrfToken::new_random().into_secret();
            a.sess.insert(new.clone(), user);
            redirect("/".to_owned(), &new)
        }
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}
/// The subject of the ID token, after the checks of the crate's example.
async fn user(a: &App, code: &str, verifier: PkceCodeVerifier, nonce: &Nonce) -> Option<String> {
    let exchange = a.c.exchange_code(AuthorizationCode::new(code.to_owned())).ok()?;
    let tokens = exchange.set_pkce_verifier(verifier).request_async(&a.http).await.ok()?;
    let id_token = tokens.id_token()?;
    let rules = a.c.id_token_verifier();
    let claims = id_token.claims(&rules, nonce).ok()?;
    if let Some(expected) = claims.access_token_hash() {
        let actual = AccessTokenHash::from_token(
            tokens.access_token(),
            id_token.signing_alg().ok()?,
            id_token.signing_key(&rules).ok()?,
        );
        if actual.ok()? != *expected {
            return None;
        }
    }
    Some(claims.subject().to_string())
}
async fn home(State(a): S, h: HeaderMap) -> Response {
    match sid(&h).and_then(|s| a.sess.get(s)) {
        Some(u) => format!("{{\"user\":\"{}\"}}", *u).into_response(),
        None => "{\"user\":null}".into_response(),
    }
}

#[tokio::main]
async fn main() {
    let port: u16 = std::env::var("PORT").unwrap_or("9302".into()).parse().unwrap();
    let issuer = std::env::var("STUB").unwrap_or("http://127.0.0.1:9100/stub".into());
    let http =
        reqwest::ClientBuilder::new().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let metadata =
        CoreProviderMetadata::discover_async(IssuerUrl::new(issuer).unwrap(), &http).await.unwrap();
    let secret = Some(ClientSecret::new("s3cret".into()));
    let back = format!("http://127.0.0.1:{port}/login/callback");
    let c = CoreClient::from_provider_metadata(metadata, ClientId::new("bench".into()), secret)
        .set_redirect_uri(RedirectUrl::new(back).unwrap());
    let app = Arc::new(App { c, http, pend: DashMap::new(), sess: DashMap::new() });
    let r = Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/login/callback", get(callback))
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
