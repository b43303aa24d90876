//! `GET /api/me`: the user that a token was issued for.

use std::fmt;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use quadrille::{
    guard::Access,
    oauth2::ErrorCode,
    provider::{Error, SubjectType},
};
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
    let mut response = json(StatusCode::METHOD_NOT_ALLOWED, body);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

/// The answer when user or client cannot be read. An application reads it, so it is no page.
fn failed(error: &impl fmt::Display, is_transient: bool) -> Response<Body> {
    tracing::error!(%error, "the store failed");
    if !is_transient {
        return json(StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"server_error\"}");
    }
    json(StatusCode::SERVICE_UNAVAILABLE, "{\"error\":\"temporarily_unavailable\"}")
}

fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
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

fn not_told(error: &Error) -> Response<Body> {
    failed(error, error.code() == ErrorCode::TemporarilyUnavailable)
}

/// `GET` and `POST /api/me`, with any valid token, or signed by a client for itself.
pub(super) async fn me(State(app): State<App>, access: Access) -> Response<Body> {
    let user = match access.user() {
        Some(subject) => match app.backend.user_by_subject(subject).await {
            Ok(user) => user,
            Err(error) => return failed(&error, error.is_transient()),
        },
        None => None,
    };
    // A client with pairwise subjects knows users by these alone.
    let client = match app.server.client(access.client()).await {
        Ok(client) => client.filter(|client| client.openid.subject_type == SubjectType::Pairwise),
        Err(error) => return not_told(&error),
    };
    let is_told = client.is_none() || access.scopes().contains("profile");
    let sub = match (&client, access.user()) {
        (Some(client), Some(subject)) => match app.server.subject_for(client, subject) {
            Ok(subject) => Some(subject),
            Err(error) => return not_told(&error),
        },
        (_, subject) => subject.cloned(),
    };
    let told = Me {
        sub: sub.as_deref(),
        username: user.as_ref().filter(|_| is_told).map(|user| user.name.as_str()),
        client_id: access.client(),
        scope: access.scopes().as_str(),
    };
    match serde_json::to_vec(&told) {
        Ok(body) => json(StatusCode::OK, body),
        Err(_) => json(StatusCode::INTERNAL_SERVER_ERROR, "{\"error\":\"server_error\"}"),
    }
}
