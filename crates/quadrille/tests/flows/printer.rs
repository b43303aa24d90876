//! The consumer: it prints photos of an album, which it reaches by either dance.

use axum::{Router, routing::get};
use bytes::Bytes;
use http::Method;
use quadrille::{
    Linked, Result, Service, Spec, Visitor,
    consumer::{Api, Client, Protocol},
    oauth1::{Placement, SignatureMethod},
};
use serde_json::{Value, json};

use crate::world::World;

pub(crate) const SECRET: &str = "a shared-secret canary";
pub(crate) const KEY: &str = include_str!("../consumer/oauth1/rsa.pem");
pub(crate) const PUBLIC_KEY: &str = include_str!("../consumer/oauth1/rsa-public.pem");

/// The album, by OAuth 1.0a.
pub(crate) struct Album;

impl Service for Album {
    const SPEC: Spec = Spec::oauth1(
        "album",
        "https://album.example/oauth/request_token",
        "https://album.example/oauth/authorize",
        "https://album.example/oauth/access_token",
        "https://album.example/api",
    )
    .scopes("photos:read")
    .identity("me", "id")
    .build();
}

/// The album, by OAuth 2.
pub(crate) struct Album2;

impl Service for Album2 {
    const SPEC: Spec = Spec::oauth2(
        "album",
        "https://album.example/oauth/authorize",
        "https://album.example/oauth/token",
        "https://album.example/api",
    )
    .scopes("photos:read")
    .device_authorization("https://album.example/oauth/device_authorization")
    .issuer_in_every_answer("https://album.example")
    .identity("me", "id")
    .build();
}

/// What the album knows the printer by.
pub(crate) fn signing(
    world: &World,
    method: SignatureMethod,
    placement: Placement,
) -> Client<Album> {
    let client = match method.is_rsa() {
        true => Album::client_with_key(&*world.client.id, KEY),
        false => Album::client(&*world.client.id, SECRET),
    };
    client.with_spec(|spec| {
        if let Protocol::OAuth1(oauth1) = &mut spec.protocol {
            oauth1.signature_method = method;
            oauth1.placement = placement;
        }
    })
}

/// The album, behind pages that want a login.
pub(crate) fn pages() -> Router {
    Router::new()
        .route("/", get(async || "at home"))
        .route("/me", get(async |album: Linked<Album>| me(&album).await))
        .route("/me2", get(async |album: Linked<Album2>| me(&album).await))
        .route("/account", get(account))
        .route("/search", get(search))
        .route("/form", get(form))
        .route("/json", get(json))
}

/// The account at the album, if there is one.
async fn account(visitor: Visitor) -> Result<String> {
    let account = visitor.account("album").await?;
    Ok(account.map_or("nobody".into(), |account| account.subject.to_string()))
}

async fn me(album: &Api) -> Result<String> {
    let me: Value = album.get("me").await?;
    Ok(format!("You are {}", me["id"].as_str().unwrap_or("nobody")))
}

/// What is hard to sign.
pub(crate) const PAIRS: [(&str, &str); 8] = [
    ("q", "a+b & c=d"),
    ("q", "%41 %2B"),
    ("q", "a+b & c=d"),
    ("empty", ""),
    ("", "no name"),
    ("ü", "日本語 ~*'()"),
    ("a b", "\r\n"),
    ("Q", "/?:@,;"),
];

async fn search(album: Linked<Album>) -> Result<Bytes> {
    let call = album.request(Method::GET, "search");
    PAIRS.iter().fold(call, |call, (name, value)| call.query(*name, value)).bytes().await
}

async fn form(album: Linked<Album>) -> Result<Bytes> {
    let call = album.request(Method::POST, "form").query("also", "a query");
    call.form_body(PAIRS).bytes().await
}

async fn json(album: Linked<Album>) -> Result<Bytes> {
    let photo = json!({ "title": "Café & cake", "tags": ["+", "%2B", ""] });
    album.request(Method::POST, "json").json_body(&photo).bytes().await
}
