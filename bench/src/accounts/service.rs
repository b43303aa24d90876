//! A service with a user for each code: the code `visitor-7` is redeemed for a token of the user
//! `visitor-7`. The service of `baseline` has one user, whichever the code.

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

pub(crate) fn routes() -> Router {
    Router::new().route("/stub/token", post(token)).route("/stub/userinfo", get(user))
}

async fn token(form: Bytes) -> Response {
    let mut pairs = form.split(|byte| *byte == b'&');
    let code = pairs.find_map(|pair| pair.strip_prefix(b"code="));
    let Some(code) = code.and_then(|code| std::str::from_utf8(code).ok()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let token = format!(
        "{{\"access_token\":\"of-{code}\",\"token_type\":\"Bearer\",\"expires_in\":3600,\
         \"refresh_token\":\"refresh-{code}\",\"scope\":\"profile\"}}"
    );
    ([(header::CONTENT_TYPE, "application/json")], token).into_response()
}

async fn user(headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(login) = token.and_then(|token| token.strip_prefix("Bearer of-")) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let user = format!("{{\"login\":\"{login}\"}}");
    ([(header::CONTENT_TYPE, "application/json")], user).into_response()
}
