//! `GET /api/me`: the user that a token was issued for.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use quadrille::guard::Access;
use serde::Serialize;

use super::app::App;

/// The response, with the names of RFC 7662, section 2.2: it tells the holder of a token what the
/// token allows. Claims about a user belong to OpenID Connect's UserInfo, at another endpoint.
#[derive(Serialize)]
struct Me<'a> {
    /// Left out for a token without a user, so a machine is never mistaken for a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    client_id: &'a str,
    scope: &'a str,
}

/// `OPTIONS /api/me`: allows an application in a browser to send its token.
pub(super) async fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        // The asterisk does not cover `Authorization`.
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, *"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The answer to any other method.
pub(super) async fn wrong_method() -> Response<Body> {
    let body =
        "{\"error\":\"invalid_request\",\"error_description\":\"the method must be GET or POST\"}";
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    for (name, value) in [
        (header::ALLOW, "GET, POST"),
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Allows applications in a browser to read the answer, also a refusal. No cookie is involved.
pub(super) async fn for_any_origin(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("www-authenticate, retry-after");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    response
}

/// `GET` and `POST /api/me`, with any valid token.
pub(super) async fn me(State(app): State<App>, access: Access) -> Response<Body> {
    let user = match access.user() {
        Some(subject) => match app.backend.user_by_subject(subject).await {
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
