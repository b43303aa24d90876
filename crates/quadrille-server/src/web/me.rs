//! What an application sees of whom it acts for.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, header},
};
use quadrille::provider::Access;
use serde::Serialize;

use super::App;

/// The names are those of RFC 7662, section 2.2: this says what a token is worth, to whoever holds
/// it. Claims about a person are OpenID Connect's UserInfo, at an endpoint of its own.
#[derive(Serialize)]
struct Me<'a> {
    /// Left out where no person stands behind the token: a machine is never mistaken for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    client_id: &'a str,
    scope: &'a str,
}

/// `GET` and `POST /api/me`, with any good token.
pub(super) async fn me(State(app): State<App>, access: Access) -> Response<Body> {
    let user = match access.user() {
        Some(subject) => match app.users.by_subject(subject).await {
            Ok(user) => user,
            Err(error) => return app.store_failed(&error),
        },
        None => None,
    };
    let me = Me {
        sub: access.user().map(|subject| &**subject),
        username: user.as_ref().map(|user| user.name.as_str()),
        client_id: access.client(),
        scope: access.scopes().as_str(),
    };
    let Ok(body) = serde_json::to_vec(&me) else { return app.failed() };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
