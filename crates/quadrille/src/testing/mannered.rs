//! The messages of a fake service in the manners of the emulated one.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use serde_json::{Map, Value};

use crate::{
    Scopes,
    consumer::presets::manners::{Answers, Manners},
    form::FormWriter,
    oauth2::TokenResponse,
};

use super::scene::json_answer;

/// A token response that says that no scope was granted, as services do, though RFC 6749 (appendix
/// A.4) has no such text.
pub(super) fn with_scope(tokens: &TokenResponse) -> Response<Bytes> {
    let answer = tokens.to_response();
    match serde_json::from_slice(answer.body()) {
        Ok(Value::Object(mut members)) if tokens.scope.as_ref().is_some_and(Scopes::is_empty) => {
            members.insert("scope".to_owned(), "".into());
            json_answer(&members.into())
        }
        _ => answer,
    }
}

/// A token endpoint's response to a request with these manners.
pub(super) fn mannered(
    answer: &Response<Bytes>,
    manners: &Manners,
    request: &Request<Bytes>,
) -> Response<Bytes> {
    let mut members: Map<String, Value> = serde_json::from_slice(answer.body()).unwrap_or_default();
    if let Some(Value::String(scope)) = members.get_mut("scope") {
        *scope = Scopes::of([&**scope]).join(manners.scope_separator).into_owned();
        if manners.scope_as_array {
            let scopes: Vec<_> = scope.split(' ').map(Value::from).collect();
            members.insert("scope".to_owned(), scopes.into());
        }
    }
    let accepts_json = || {
        let mut accepted = request.headers().get_all(header::ACCEPT).iter();
        accepted.any(|value| value.to_str().is_ok_and(|value| value.contains("application/json")))
    };
    let is_json = match manners.answers {
        Answers::Json => true,
        Answers::Form => false,
        Answers::JsonIfAccepted => accepts_json(),
    };
    let mut mannered = match is_json {
        true => json_answer(&members.into()),
        false => {
            let mut form = FormWriter::new();
            for (name, value) in &members {
                form.append(name, value.as_str().unwrap_or(&value.to_string()));
            }
            let mut answer = Response::new(Bytes::from(form.finish()));
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            answer.headers_mut().insert(header::CONTENT_TYPE, form);
            answer
        }
    };
    if !manners.errors_under_200 {
        *mannered.status_mut() = answer.status();
    }
    mannered
}

/// The same request with a form in place of a JSON object of texts.
pub(super) fn form_of(request: &Request<Bytes>) -> Option<Request<Bytes>> {
    if request.headers().get(header::CONTENT_TYPE)? != "application/json" {
        return None;
    }
    let members: Map<String, Value> = serde_json::from_slice(request.body()).ok()?;
    let mut form = FormWriter::new();
    for (name, value) in &members {
        form.append(name, value.as_str()?);
    }
    let (mut parts, _) = request.clone().into_parts();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    parts.headers.insert(header::CONTENT_TYPE, kind);
    Some(Request::from_parts(parts, Bytes::from(form.finish())))
}
