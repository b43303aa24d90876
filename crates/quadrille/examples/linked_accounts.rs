//! Users who log in with two services, link and unlink them: sessions of tower-sessions, users in
//! memory. In production, `quadrille-sqlx` stores them.

use axum::{
    Form, Router,
    extract::{FromRequestParts, State},
    http::{HeaderMap, StatusCode, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use quadrille::{
    After, Authorized, GitHub, GitLab, Hooks, KeyRing, Login, Result,
    consumer::users::{Arrival, ExternalId, MemoryUsers, UnlinkError, UserId, Users},
};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, cookie::SameSite};

type App = Users<MemoryUsers>;

/// The user signed in.
struct CurrentUser(UserId);

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, state).await;
        match session.map_err(IntoResponse::into_response)?.get("user").await {
            Ok(Some(user)) => Ok(Self(user)),
            Ok(None) => Err(Redirect::to("/").into_response()),
            Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE.into_response()),
        }
    }
}

/// Creation, if nobody is signed in; association, if somebody is.
async fn signed_in(new: Authorized, session: Session, State(users): State<App>) -> Result<After> {
    let unavailable = || Ok(After::answer(StatusCode::SERVICE_UNAVAILABLE).without_storing());
    let Ok(user) = session.get("user").await else { return unavailable() };
    let user = users.sign_in(&Arrival::of(&new).await?, user).await?.user();
    if session.cycle_id().await.is_err() || session.insert("user", user).await.is_err() {
        return unavailable();
    }
    // This site calls no service, so it needs no token.
    Ok(After::go_on().for_owner(user).without_storing())
}

async fn welcome() -> Html<&'static str> {
    Html(
        "<a href=\"/login/github?next=/accounts\">GitHub</a> \
         <a href=\"/login/gitlab?next=/accounts\">GitLab</a>",
    )
}

async fn accounts(user: CurrentUser, State(users): State<App>) -> Response {
    let Ok(ids) = users.external_ids(user.0).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let form = |id: &ExternalId| {
        let (service, subject) = (escape(id.service()), escape(id.subject()));
        format!(
            "<form method=\"post\" action=\"/unlink\">{service} {subject}\
             <input type=\"hidden\" name=\"service\" value=\"{service}\">\
             <input type=\"hidden\" name=\"subject\" value=\"{subject}\">\
             <button>Unlink</button></form>"
        )
    };
    let forms: String = ids.iter().map(form).collect();
    Html(format!(
        "<h1>Your linked accounts</h1>{forms}\
         <a href=\"/login/github?next=/accounts\">Link GitHub</a> \
         <a href=\"/login/gitlab?next=/accounts\">Link GitLab</a>"
    ))
    .into_response()
}

#[derive(serde::Deserialize)]
struct Unlink {
    service: String,
    subject: String,
}

/// Only a form of this site unlinks: `SameSite=Strict` does not stop those of sibling domains.
async fn unlink(
    user: CurrentUser,
    headers: HeaderMap,
    State(users): State<App>,
    Form(form): Form<Unlink>,
) -> Response {
    if headers.get("sec-fetch-site").is_none_or(|site| site != "same-origin") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(id) = ExternalId::new(form.service, form.subject) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match users.unlink(user.0, &id).await {
        Ok(()) | Err(UnlinkError::NotLinked) => Redirect::to("/accounts").into_response(),
        Err(error @ UnlinkError::LastWay) => {
            (StatusCode::CONFLICT, error.to_string()).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The whole application around these logins.
pub fn app(login: Login) -> Router {
    let users = App::new(MemoryUsers::new());
    let hooks =
        Hooks::new(users.clone()).owner(|user: &CurrentUser| user.0).on_authorized(signed_in);
    let routes = Router::new()
        .route("/", get(welcome))
        .route("/accounts", get(accounts))
        .route("/unlink", post(unlink))
        .with_state(users);
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Strict);
    login.hooks(hooks).attach(routes).layer(sessions)
}

#[tokio::main]
async fn main() -> Result<()> {
    let login = Login::new(KeyRing::ephemeral(), "http://localhost:3000")
        .with(GitHub::from_env()?)
        .with(GitLab::from_env()?);
    let listener = tokio::net::TcpListener::bind("localhost:3000").await?;
    Ok(axum::serve(listener, app(login)).await?)
}
