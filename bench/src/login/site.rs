//! The kinds of sites that users log in to with another service.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse as _, Redirect},
    routing::get,
};
use quadrille::{After, Authorized, Env, Hooks, KeyRing, Login, Scopes, SpecBuf, Visitor};

use crate::{
    Result,
    serving::{cookie, new_id},
};

/// The short way: cookies keep the sealed account, and pages extract it. `service` is the base URL
/// of the other service's endpoints.
pub(crate) fn in_cookies(origin: &str, service: &str) -> Result<Router> {
    let login = login(origin, service)?;
    login.check()?;
    Ok(login.attach(Router::new().route("/", get(home))))
}

/// The short way again, where the service is an OpenID Provider, whose documents are at `issuer`.
pub(crate) fn by_openid(origin: &str, issuer: &str) -> Result<Router> {
    let stub = SpecBuf::oidc("stub", issuer.to_owned()).client("bench", "s3cret");
    let login = Login::new(KeyRing::ephemeral(), origin).with(stub);
    login.check()?;
    Ok(login.attach(Router::new().route("/", get(home))))
}

async fn home(visitor: Visitor) -> quadrille::Result<String> {
    Ok(match visitor.account("stub").await? {
        Some(account) => format!("{{\"user\":\"{}\"}}", account.subject),
        None => "{\"user\":null}".to_owned(),
    })
}

/// The way of the handwritten login: a hook makes a session of the application's own.
pub(crate) fn with_sessions(origin: &str, service: &str) -> Result<Router> {
    let sessions = Sessions::default();
    let login =
        login(origin, service)?.hooks(Hooks::new(Arc::clone(&sessions)).on_authorized(signed_in));
    login.check()?;
    Ok(login.attach(Router::new().route("/", get(home_of_session)).with_state(sessions)))
}

/// The names of users by session.
type Sessions = Arc<Mutex<HashMap<String, String>>>;

async fn signed_in(new: Authorized, State(sessions): State<Sessions>) -> quadrille::Result<After> {
    let Some(claims) = new.claims().await? else { return Ok(After::go_on()) };
    let id = new_id(&Env::system());
    let cookie = format!("sid={id}; HttpOnly; SameSite=Lax; Path=/");
    let name = claims.subject().to_owned();
    sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(id, name);
    let answer = (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(new.next()));
    Ok(After::answer(answer.into_response()).without_storing())
}

async fn home_of_session(State(sessions): State<Sessions>, headers: HeaderMap) -> String {
    let sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
    match cookie(&headers, "sid=").and_then(|id| sessions.get(id)) {
        Some(name) => format!("{{\"user\":\"{name}\"}}"),
        None => "{\"user\":null}".to_owned(),
    }
}

fn login(origin: &str, service: &str) -> Result<Login> {
    let mut stub = SpecBuf::oauth2(
        "stub",
        format!("{service}/authorize"),
        format!("{service}/token"),
        service.to_owned(),
    );
    stub.scopes = Scopes::parse("profile")?;
    stub.identity = Some(("userinfo".into(), "login".into()));
    Ok(Login::new(KeyRing::ephemeral(), origin).with(stub.client("bench", "s3cret")))
}
