//! A login with an OpenID Provider that is found by its issuer: an application that needs the name
//! of its users, signs them out at the provider, and learns when the provider signs them out.
//! `cargo run --all-features --example openid`.
//!
//! `OPENID_ISSUER`, `OPENID_CLIENT_ID` and `OPENID_CLIENT_SECRET` name a provider, such as
//! `quadrille serve` on this machine. Without them one is emulated. Register there
//! `http://localhost:3000/login/openid/authorized` as redirect URI,
//! `http://localhost:3000/login/openid/logged-out` as address after logouts, and
//! `http://localhost:3000/login/openid/backchannel-logout` as receiver of logout tokens.

use std::{env, error::Error};

use axum::{
    Router,
    extract::State,
    response::{Html, Redirect},
    routing::{get, post},
};
use quadrille::{
    Hooks, KeyRing, Login, Result, SameOrigin, SessionEnded, SpecBuf, Visitor,
    consumer::{Client, Dynamic, MemoryStorage},
    testing::FakeService,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
        .storage(MemoryStorage::new())
        .hooks(Hooks::new(()).on_session_ended(ended))
        .with(provider().await?);
    login.check()?;
    let pages = Router::new()
        .route("/", get(home))
        .route("/sign-out", post(sign_out))
        .route("/goodbye", get(async || "Goodbye"));
    let app = login.attach(pages).merge(login.logout_routes());
    println!("Open http://localhost:3000");
    Ok(axum::serve(TcpListener::bind("localhost:3000").await?, app).await?)
}

/// The provider of the environment, or an emulated one.
async fn provider() -> Result<Client<Dynamic>, Box<dyn Error>> {
    let of = |issuer| {
        SpecBuf::oidc("openid", issuer)
            .scopes("openid profile")
            .parameters([("claims", r#"{"id_token":{"name":null}}"#)])
    };
    if let Ok(issuer) = env::var("OPENID_ISSUER") {
        let (id, secret) = (env::var("OPENID_CLIENT_ID")?, env::var("OPENID_CLIENT_SECRET")?);
        return Ok(of(issuer).client(id, secret));
    }
    let issuer = "http://127.0.0.1:4010".to_owned();
    FakeService::openid(&issuer, "an-example", "a-secret").listen(4010).await?;
    println!("An OpenID Provider is emulated at {issuer}, unless you set OPENID_ISSUER.");
    Ok(of(issuer).client("an-example", "a-secret"))
}

/// The claims of the ID token say who the user is; no request is made for them.
async fn home(visitor: Visitor) -> Result<Html<String>> {
    let account = visitor.linked("openid").await?;
    let claims = account.claims();
    let name = claims.as_ref().and_then(|claims| claims.text("name")).unwrap_or("nameless");
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    Ok(Html(format!(
        r#"<p>You are {name}. <form method="post" action="/sign-out"><button>Sign out</button></form>"#
    )))
}

/// Signs the user out here, and leads on to the provider to sign out there.
async fn sign_out(_: SameOrigin, visitor: Visitor) -> Result<Redirect> {
    let url = visitor.log_out_there("openid", "/goodbye").await?;
    Ok(Redirect::to(url.as_deref().unwrap_or("/goodbye")))
}

/// The provider has ended a session. Tokens of it are gone already; an application with sessions
/// of its own ends the one that began with this `sid`, or all of the account.
async fn ended(event: SessionEnded, State(()): State<()>) {
    println!("The provider has ended the session {:?} of {:?}.", event.sid, event.account);
}
