//! A provider whose clients get tokens without a browser: by a ticket of a kiosk (a grant of the
//! application's own), for users of a partner (RFC 7523), and on behalf of another service (RFC
//! 8693).
//!
//! ```text
//! cargo run --example grants -- partner-jwks.json
//! ```

use std::{env::args, error::Error, net::SocketAddr};

use axum::{Json, Router, routing::get};
use quadrille::{
    Act, Env, Scopes,
    guard::Access,
    jose::KeySet,
    oauth2::Resources,
    provider::{
        Asserted, AuthorizationServer, Exchanged, Exchanging, GrantRequest, GrantType, Granted,
        NewClient, NotGranted, TrustedIssuer, store::MemoryStore,
    },
    scopes,
};
use serde_json::{Value, json};

scopes! {
    Photos = "photos:read", "See your photos";
    Upload = "photos:write", "Add photos";
}

/// The issuer of the partner's assertions.
const PARTNER: &str = "https://partner.example";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = args().nth(1).ok_or("usage: grants PARTNER-JWKS")?;
    let keys = KeySet::parse(&std::fs::read(path)?)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let server = AuthorizationServer::new(&issuer, MemoryStore::new(Env::system()))?
        .scope::<Photos>()
        .scope::<Upload>()
        .resource("https://mail.example")?
        .grant("urn:example:kiosk", kiosk)?
        .trusted_issuer(TrustedIssuer::new(PARTNER, keys)?.requests_are_of_client("partner"))
        .jwt_bearer(user_of)
        .token_exchange(who_acts_for_whom);

    let kiosk = client("kiosk", ["urn:example:kiosk".parse()?]);
    let kiosk = server.register(kiosk).await?.secret.ok_or("a secret")?;
    let partner = client("partner", [GrantType::JwtBearer]);
    let partner = server.register(partner).await?.secret.ok_or("a secret")?;
    let mailer = client("mailer", [GrantType::TokenExchange]);
    let mailer = server.register(mailer).await?.secret.ok_or("a secret")?;

    let started = json!({
        "issuer": issuer, "kiosk": kiosk.expose(), "partner": partner.expose(),
        "mailer": mailer.expose(),
    });
    println!("{started}");
    let app = server.attach(Router::new().route("/api/photos", get(photos)));
    // With the addresses of clients, by which the server limits guesses.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}

fn client<const N: usize>(name: &str, grants: [GrantType; N]) -> NewClient {
    let scopes = Scopes::of(["photos:read", "photos:write"]);
    NewClient::confidential(name).id(name).grant_types(grants).scopes(scopes)
}

/// A kiosk shows photos to the person with the ticket.
async fn kiosk(request: GrantRequest) -> Result<Granted, NotGranted> {
    match request.required("ticket")? {
        "4711" => Ok(Granted::to_user("ada").scopes(Scopes::of(["photos:read"]))),
        _ => Err(NotGranted::refused("there is no such ticket").describe("no such ticket")),
    }
}

/// The partner's users, by the subjects that the partner gave them.
async fn user_of(asserted: Asserted) -> Result<Granted, NotGranted> {
    match asserted.subject() {
        "17" => Ok(Granted::to_user("ada")),
        _ => Err(NotGranted::refused("nobody is known by this subject")),
    }
}

/// The mailer acts, by itself, for users of the partner, and may pass on to the mail API.
async fn who_acts_for_whom(exchanging: Exchanging) -> Result<Exchanged, NotGranted> {
    let mail = Resources::of(["https://mail.example"]).map_err(NotGranted::unavailable)?;
    match (&*exchanging.client().id, exchanging.subject_client(), exchanging.actor()) {
        ("mailer", Some("partner"), None) => {
            let delegation = Exchanged::delegation();
            Ok(delegation.allow_audience_that_the_subject_token_does_not_have(mail))
        }
        _ => Err(NotGranted::refused("this client may not exchange this token")),
    }
}

async fn photos(access: Access<Photos>) -> Json<Value> {
    Json(json!({ "user": access.user(), "act": access.act().map(Act::to_json) }))
}
