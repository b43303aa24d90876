//! The device authorization grant (RFC 8628).

mod endpoint;
mod guessing;
mod page;
mod polling;
mod races;

use std::{path::Path, time::Duration};

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy, RemoteAddress,
    oauth2::Resources,
    oauth2::{ClientAuth, DeviceAuthorizationRequest, DeviceAuthorizationResponse, TokenRequest},
    provider::{AuthorizationServer, DeviceGrant, GrantType, NewClient, store::SqliteStore},
    testing::ManualClock,
};

use crate::support::{Answer, Browser, CALLBACK, World};

pub(crate) const INTERVAL: Duration = Duration::from_secs(5);
const PAGE: &str = "/device";
const GRANTS: [GrantType; 2] = [GrantType::DeviceCode, GrantType::RefreshToken];

/// Codes as a device has them.
pub(crate) struct Codes {
    pub(crate) device: String,
    pub(crate) user: String,
    pub(crate) link: String,
}

fn offered(server: AuthorizationServer) -> AuthorizationServer {
    server.device_grant(DeviceGrant::new())
}

fn television(new: NewClient) -> NewClient {
    new.name("Television").grant_types(GRANTS)
}

/// A provider, and a public client on a device.
pub(crate) async fn world() -> World {
    let clock = ManualClock::new();
    let store = quadrille::provider::store::MemoryStore::new(clock.env());
    let new = NewClient::public("Television").grant_types(GRANTS);
    World::build(store, clock, Policy::safe(), new, offered).await
}

/// The same with a client that has a secret.
async fn confidential() -> World {
    World::set_up(Policy::safe(), television, offered).await
}

async fn on_disk(folder: &Path, clock: ManualClock) -> World {
    let store = SqliteStore::open(folder.join("provider.db"), clock.env()).unwrap();
    let new = NewClient::public("Television").grant_types(GRANTS);
    World::build(store, clock, Policy::safe(), new, offered).await
}

/// The same request from this address.
fn from(mut request: Request<Body>, address: &str) -> Request<Body> {
    request.extensions_mut().insert(RemoteAddress(address.parse().unwrap()));
    request
}

/// A request to the device authorization endpoint.
fn asking(auth: &ClientAuth, extra: &[(&str, &str)]) -> Request<Body> {
    let asked = DeviceAuthorizationRequest::new();
    let url = "https://id.example/oauth/device_authorization";
    asked.to_request(url, auth, extra).unwrap().map(Body::from)
}

/// The codes in a response.
fn codes(answer: &Answer) -> Codes {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let mut response = http::Response::new(answer.text().to_owned().into());
    *response.headers_mut() = answer.headers().clone();
    let codes = DeviceAuthorizationResponse::parse(&response).unwrap();
    assert_eq!(codes.interval, Some(INTERVAL));
    assert_eq!(codes.verification_uri, "https://id.example/device");
    let link = codes.verification_uri_complete.unwrap();
    let link = link.strip_prefix("https://id.example").unwrap().to_owned();
    Codes { device: codes.device_code.expose().to_owned(), user: codes.user_code, link }
}

pub(crate) async fn begin(world: &World) -> Codes {
    codes(&world.send(from(asking(&world.auth(), &[]), "203.0.113.9")).await)
}

pub(crate) async fn poll_as(world: &World, auth: &ClientAuth, device_code: &str) -> Answer {
    let asked = TokenRequest::DeviceCode { device_code, resource: Resources::EMPTY };
    world.token(auth, &asked).await
}

pub(crate) async fn poll(world: &World, device_code: &str) -> Answer {
    poll_as(world, &world.auth(), device_code).await
}

/// Sends the form of the device page.
async fn type_in(world: &World, browser: &mut Browser, code: &str) -> Answer {
    let mut form = quadrille::form::FormWriter::new();
    form.append("user_code", code);
    browser.post(world, PAGE, &form.finish()).await
}

/// The user who is signed in finds the request and gives this answer.
pub(crate) async fn decide(world: &World, code: &str, fields: &str) -> Answer {
    let mut browser = Browser::default();
    let page = type_in(world, &mut browser, code).await;
    browser.answer(world, &page, fields).await
}

/// The reason why the device page did not accept a code.
fn refused(answer: &Answer) -> &str {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    let line = answer.text().lines().find_map(|line| line.strip_prefix("refused="));
    line.unwrap_or_else(|| panic!("no page for codes: {answer:?}"))
}

/// A confidential client for other grants.
async fn other_client(world: &World, grants: &[GrantType]) -> ClientAuth {
    let new = NewClient::confidential("Other").redirect_uri(CALLBACK);
    let new = new.grant_types(grants.iter().cloned());
    let registered = world.server.register(new).await.unwrap();
    ClientAuth::Basic {
        client_id: (*registered.client.id).into(),
        client_secret: registered.secret.unwrap().expose().into(),
    }
}
