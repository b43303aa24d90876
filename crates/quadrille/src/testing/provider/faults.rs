//! The faults of a provider in a test, at its door.

use axum::body::{self, to_bytes};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use crate::{form::Params, testing::fault::OTHER_ISSUER};

/// The most bytes of a body.
pub(super) const LONGEST: usize = 4 << 20;

/// An authorization request that asks the user again, so that it can be denied, or that has a
/// redirect URI that is not registered.
pub(super) fn asked_wrongly(
    mut request: Request<body::Body>,
    asks_again: bool,
    is_unregistered: bool,
) -> Request<body::Body> {
    if !(asks_again || is_unregistered) {
        return request;
    }
    let Ok(mut url) = Url::parse("http://provider.example")
        .and_then(|base| base.join(&request.uri().to_string()))
    else {
        return request;
    };
    let pairs = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    let mut pairs: Vec<_> = pairs.collect();
    if is_unregistered {
        for (_, value) in pairs.iter_mut().filter(|(name, _)| name == "redirect_uri") {
            "https://unregistered.example/callback".clone_into(value);
        }
    }
    if asks_again && !pairs.iter().any(|(name, _)| name == "prompt") {
        pairs.push(("prompt".to_owned(), "consent".to_owned()));
    }
    url.query_pairs_mut().clear().extend_pairs(pairs);
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request
}

pub(super) fn is_refresh(body: &Bytes) -> bool {
    let params = Params::parse(body);
    params.is_ok_and(|params| params.one("grant_type") == Ok(Some("refresh_token")))
}

/// The refusal of a refresh token (RFC 6749, section 5.2).
pub(super) fn refused(is_under_200: bool) -> Response<body::Body> {
    let mut response =
        Response::new(body::Body::from(json!({"error": "invalid_grant"}).to_string()));
    *response.status_mut() = if is_under_200 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

pub(super) fn server_error() -> Response<body::Body> {
    let mut response = Response::new(body::Body::from("<h1>Internal Server Error</h1>"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Puts another issuer into the answer to an authorization request (RFC 9207).
pub(super) fn with_wrong_issuer(response: &mut Response<body::Body>) {
    let location = response.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
    let Some(mut url) = location.and_then(|location| Url::parse(location).ok()) else { return };
    let pairs: Vec<_> = url
        .query_pairs()
        .map(|(name, value)| match &*name {
            "iss" => (name.into_owned(), OTHER_ISSUER.to_owned()),
            _ => (name.into_owned(), value.into_owned()),
        })
        .collect();
    if url.query().is_some() {
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    if let Ok(location) = HeaderValue::from_str(url.as_str()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
}

/// A token response that grants no scopes.
pub(super) async fn without_scopes(response: Response<body::Body>) -> Response<body::Body> {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST).await.unwrap_or_default();
    let body = match serde_json::from_slice(&body) {
        Ok(Value::Object(mut members)) if members.contains_key("access_token") => {
            members.insert("scope".to_owned(), "".into());
            parts.headers.remove(header::CONTENT_LENGTH);
            Bytes::from(Value::Object(members).to_string())
        }
        _ => body,
    };
    Response::from_parts(parts, body::Body::from(body))
}
