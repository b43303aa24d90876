//! A provider in the database of an application, PostgreSQL, MySQL or MariaDB, with a client for each
//! grant. Every visitor is signed in: put your own sign-in there.
//!
//! ```text
//! cargo run --package quadrille-sqlx --features mysql,postgres,provider,sqlite --example provider_in_database -- \
//!     mysql://root@127.0.0.1:3306/application http://127.0.0.1:9/callback
//! ```

#[path = "../../quadrille/examples/shared/consent.rs"]
mod consent;

use std::{env::args, error::Error, net::SocketAddr};

use axum::{
    Json, Router,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use consent::{ConsentForm, consent_page};
use quadrille::{
    Authentication, Env, KeyRing, Scopes,
    guard::Access,
    page::escape,
    provider::{
        Authorization, AuthorizationServer, Decision, DeviceGrant, DeviceStep, DeviceVerification,
        GrantType, NewClient, Reply, Step,
        oauth1::{NewKey, OAuth1},
    },
    scopes,
};
use quadrille_sqlx::{MySqlStore, PgStore};
use serde_json::{Value, json};
use sqlx::{MySqlPool, PgPool};
use tokio::net::TcpListener;

scopes! {
    Photos = "photos:read", "See your photos";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (Some(url), Some(callback)) = (args().nth(1), args().nth(2)) else {
        return Err("usage: provider_in_database DATABASE CALLBACK".into());
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    // The pool is the application's, which has its own tables beside those of the provider.
    let server = match url.starts_with("mysql:") {
        true => {
            let store = MySqlStore::open(MySqlPool::connect(&url).await?, Env::system()).await?;
            AuthorizationServer::new(&issuer, store)?
        }
        false => {
            let store = PgStore::open(PgPool::connect(&url).await?, Env::system()).await?;
            AuthorizationServer::new(&issuer, store)?
        }
    };
    let server = server
        .keys(KeyRing::new([&Env::system().random::<32>()])?) // yours must last: KeyRing::from_env
        .scope::<Photos>()
        .device_grant(DeviceGrant::new())
        .oauth1(OAuth1::new());
    server.start().await?;
    let app = server.attach(
        Router::new()
            .route(server.authorize_path(), get(ask).post(ask))
            .route(server.consent_path(), post(answer))
            .route("/device", get(device).post(device))
            .route("/api/photos", get(photos)),
    );
    println!("{}", clients(&server, &issuer, &callback).await?);
    // With the addresses of clients, by which the server limits guesses.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}

/// A client for each grant, with its secret.
async fn clients(
    server: &AuthorizationServer,
    issuer: &str,
    callback: &str,
) -> Result<Value, Box<dyn Error>> {
    let scopes = Scopes::parse("photos:read")?;
    let mut all = json!({ "issuer": issuer });
    for (name, new) in [
        ("web", NewClient::confidential("Photo printer").redirect_uri(callback)),
        ("public", NewClient::public("Photo viewer").redirect_uri(callback)),
        (
            "machine",
            NewClient::confidential("Nightly job").grant_types([GrantType::ClientCredentials]),
        ),
        (
            "device",
            NewClient::public("Television")
                .grant_types([GrantType::DeviceCode, GrantType::RefreshToken]),
        ),
        (
            "signing",
            NewClient::confidential("Old printer")
                .grant_types([])
                .redirect_uri(callback)
                .oauth1(NewKey::Secret),
        ),
    ] {
        let registered = server.register(new.scopes(scopes.clone())).await?;
        let secret = registered.secret.as_ref().map(|secret| secret.expose().to_owned());
        let oauth1 = registered.oauth1_secret.as_ref().map(|secret| secret.expose().to_owned());
        all[name] = json!({ "id": &*registered.client.id, "secret": oauth1.or(secret) });
    }
    Ok(all)
}

async fn ask(request: Authorization) -> Response {
    match request.step(Some(visitor())).await {
        Step::Consent(page) => consent_page(&page).into_response(),
        Step::Done(reply) => reply.into_response(),
        Step::SignIn(_) => "Every visitor is signed in.".into_response(),
    }
}

async fn device(request: DeviceVerification) -> Response {
    match request.step(Some(visitor())).await {
        DeviceStep::Code(page) => {
            let (action, code) = (escape(&page.action), page.user_code.as_deref());
            let code = escape(code.unwrap_or_default());
            Html(format!(
                "<form method=post action=\"{action}\"><input name=user_code value=\"{code}\">\
                 <button>Continue</button></form>"
            ))
            .into_response()
        }
        DeviceStep::Consent(page) => consent_page(&page).into_response(),
        DeviceStep::Done(reply) => reply.into_response(),
        DeviceStep::SignIn(_) => "Every visitor is signed in.".into_response(),
    }
}

async fn answer(decision: Decision<ConsentForm>) -> Reply {
    match decision.form.decision.as_str() {
        "allow" => decision.by(visitor()).only(&decision.form.scope).await,
        _ => decision.by(visitor()).deny().await,
    }
}

async fn photos(access: Access<Photos>) -> Json<Vec<String>> {
    Json(vec![format!("a photo of {}", access.user().map_or("nobody", |user| user))])
}

fn visitor() -> Authentication {
    Authentication::new("ada", Env::system().now())
}
