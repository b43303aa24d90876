//! Both sides of OAuth 1.0a: an album whose photos others can request with a signature, and a
//! printer that does.
//!
//! ```text
//! cargo run --example oauth1
//! ```
//!
//! Then open <http://localhost:3000>. The album takes every visitor for Ada: the example `provider`
//! shows how users sign in, which is the same for both protocols.

use std::{error::Error, net::SocketAddr};

use axum::{
    Json, Router,
    extract::State,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use quadrille::{
    Authentication, Env, KeyRing, Linked, Login, Scopes, Secret, Service, Spec,
    guard::Access,
    oauth1::SignatureMethod,
    page::escape,
    provider::{
        Authorization, AuthorizationServer, Decision, NewClient, Reply, Step,
        oauth1::{NewKey, OAuth1},
        store::MemoryStore,
    },
    scopes,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (server, id, secret) = server(Env::system()).await?;
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
        .with(TheAlbum::client(id, secret));
    login.check()?;
    // With the addresses of clients, by which the server limits guesses.
    let album = album(&server).into_make_service_with_connect_info::<SocketAddr>();
    let album = axum::serve(TcpListener::bind("127.0.0.1:8080").await?, album);
    let printer = axum::serve(TcpListener::bind("127.0.0.1:3000").await?, printer(&login));
    tokio::try_join!(album.into_future(), printer.into_future())?;
    Ok(())
}

// The album, a provider.

scopes! {
    Photos = "photos:read", "See your photos";
}

/// The server, and the printer's key and secret there.
pub async fn server(env: Env) -> Result<(AuthorizationServer, String, Secret), Box<dyn Error>> {
    let server = AuthorizationServer::new("http://127.0.0.1:8080", MemoryStore::new(env.clone()))?
        .env(env)
        .scope::<Photos>()
        .oauth1(OAuth1::new());
    let printer = NewClient::confidential("Photo printer")
        .redirect_uri("http://localhost:3000/login/album/authorized")
        .scopes(Scopes::parse("photos:read")?)
        .grant_types([]) // no OAuth 2
        .oauth1(NewKey::Secret);
    let registered = server.register(printer).await?;
    let secret = registered.oauth1_secret.ok_or("one was generated")?;
    Ok((server, registered.client.id.to_string(), secret))
}

/// The pages and the API of the server.
pub fn album(server: &AuthorizationServer) -> Router {
    server.attach(
        Router::new()
            .route("/oauth/authorize", get(ask).post(ask))
            .route("/oauth/consent", post(answer))
            .route("/api/photos", get(photos))
            .with_state(Env::system()),
    )
}

async fn ask(State(env): State<Env>, request: Authorization) -> Response {
    match request.step(Some(ada(&env))).await {
        Step::Consent(page) => {
            let (name, action) = (escape(&page.client.name), escape(&page.action));
            let mut html = format!(
                "<h1>May {name} see your photos?</h1><form method=post action=\"{action}\">"
            );
            for (name, value) in page.form_fields() {
                html += &format!("<input type=hidden name=\"{name}\" value=\"{value}\">");
            }
            html += "<button name=decision value=allow>Yes</button> \
                     <button name=decision value=deny>No</button></form>";
            Html(html).into_response()
        }
        Step::Done(reply) => reply.into_response(),
        Step::SignIn(_) => "Ada is always signed in.".into_response(),
    }
}

#[derive(serde::Deserialize)]
struct ConsentForm {
    decision: String,
}

async fn answer(State(env): State<Env>, decision: Decision<ConsentForm>) -> Reply {
    match decision.form.decision.as_str() {
        "allow" => decision.by(ada(&env)).all().await,
        _ => decision.by(ada(&env)).deny().await,
    }
}

fn ada(env: &Env) -> Authentication {
    Authentication::new("ada", env.now())
}

/// For signed requests here; bearer tokens need no change.
async fn photos(access: Access<Photos>) -> Json<Vec<String>> {
    let whose = access.user().map_or("nobody", |user| user);
    Json(vec![format!("{whose} at the sea"), format!("{whose} in the mountains")])
}

// The printer, a consumer.

/// The album as a service.
#[derive(Debug)]
pub struct TheAlbum;

impl Service for TheAlbum {
    const SPEC: Spec = Spec::oauth1(
        "album",
        "http://127.0.0.1:8080/oauth/request_token",
        "http://127.0.0.1:8080/oauth/authorize",
        "http://127.0.0.1:8080/oauth/access_token",
        "http://127.0.0.1:8080/api",
    )
    .title("the album")
    .scopes("photos:read")
    .signature_method(SignatureMethod::HmacSha256)
    .build();
}

/// The printer's only page.
pub fn printer(login: &Login) -> Router {
    login.attach(Router::new().route("/", get(print)))
}

/// A visitor without an account at the album is redirected there, and back to this page.
async fn print(album: Linked<TheAlbum>) -> quadrille::Result<String> {
    let photos: Vec<String> = album.get("photos").await?;
    Ok(format!("Printing {}.", photos.join(" and ")))
}
