//! The page that extracts the visitor's account, whichever its storage.

use axum::{Router, routing::get};
use quadrille::{Env, KeyRing, Linked, Login, Service, Spec};

use crate::Result;

/// The other service; its URLs are set at the start.
pub(crate) struct Stub;

impl Service for Stub {
    const SPEC: Spec = Spec::oauth2("stub", "authorize", "token", "")
        .scopes("profile")
        .identity("userinfo", "login")
        .build();
}

/// A login with accounts in cookies. `service` is the base URL of the other service's endpoints.
pub(crate) fn login(origin: &str, service: &str) -> Result<Login> {
    let keys = KeyRing::new([&Env::system().random()])?;
    let stub = Stub::client("bench", "s3cret").hosted_at(service.to_owned());
    Ok(Login::new(keys, origin).with(stub))
}

/// The pages of a site with this login.
pub(crate) fn attach(login: &Login) -> Result<Router> {
    login.check()?;
    let pages = Router::new()
        .route("/linked", get(linked))
        .route("/who", get(who))
        .route("/called", get(called));
    Ok(login.attach(pages))
}

/// The measured page.
async fn linked(account: Linked<Stub>) -> String {
    named(Some(&account.subject()))
}

/// The account in the storage, if there is one.
async fn who(account: Option<Linked<Stub>>) -> String {
    named(account.map(|account| account.subject()).as_deref())
}

/// The account that the service finds by the token in the storage.
async fn called(account: Linked<Stub>) -> quadrille::Result<String> {
    let user: serde_json::Value = account.get("userinfo").await?;
    Ok(named(user.get("login").and_then(|login| login.as_str())))
}

fn named(user: Option<&str>) -> String {
    user.map_or_else(|| "{\"user\":null}".into(), |user| format!("{{\"user\":\"{user}\"}}"))
}
