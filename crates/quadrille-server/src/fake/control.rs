//! The server by which a test changes a fake service while that runs. It is at a port of its own, since a
//! service may have any path.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{self, HeaderMap, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
    routing::{get, post, put},
};
use quadrille::{
    testing::{FakeService, Fault},
    transport::Purpose,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::words::did_you_mean;

use super::names::fault;

#[derive(Clone)]
struct Control {
    fake: FakeService,
    faults: Arc<Mutex<Vec<Fault>>>,
    service: &'static str,
}

/// The routes.
pub(super) fn routes(fake: FakeService, faults: Vec<Fault>, service: &'static str) -> Router {
    Router::new()
        .route("/", get(shown))
        .route("/faults", put(set_faults))
        .route("/users", post(add_user))
        .route("/answers", post(answer_next))
        .with_state(Control { fake, faults: Arc::new(Mutex::new(faults)), service })
        .layer(from_fn(of_this_machine))
}

/// Refuses the requests of web pages: they have an origin, or the name of another host.
async fn of_this_machine(request: Request, next: Next) -> Response {
    let is_here = request.headers().get(header::HOST).is_some_and(|host| {
        let host = host.to_str().unwrap_or_default();
        ["127.0.0.1", "localhost"].contains(&host.split(':').next().unwrap_or_default())
    });
    if !is_here || request.headers().contains_key(header::ORIGIN) {
        return refused(StatusCode::FORBIDDEN, "a page of a site may not change a fake service");
    }
    next.run(request).await
}

fn refused(status: StatusCode, why: &str) -> Response {
    answer(status, &json!({ "error": "refused", "message": why }))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, body.to_string()).into_response()
}

/// The JSON in a body.
fn read<T: for<'de> Deserialize<'de>>(body: &Bytes, wanted: &str) -> Result<T, Box<Response>> {
    let read = serde_json::from_slice(body);
    let why = || format!("the body must be {wanted}");
    read.map_err(|_| Box::new(refused(StatusCode::BAD_REQUEST, &why())))
}

/// `GET /`
async fn shown(State(control): State<Control>) -> Response {
    let suffered = control.faults.lock().unwrap_or_else(PoisonError::into_inner);
    let requests = control.fake.asked().into_iter().map(|asked| {
        json!({
            "method": asked.request.method().as_str(),
            "url": asked.request.uri().to_string(),
            "headers": headers(asked.request.headers()),
            "body": String::from_utf8_lossy(asked.request.body()),
        })
    });
    let shown = json!({
        "service": control.service,
        "faults": suffered.iter().map(|fault| fault.name()).collect::<Vec<_>>(),
        "requests": requests.collect::<Vec<_>>(),
    });
    answer(StatusCode::OK, &shown)
}

fn headers(headers: &HeaderMap) -> Value {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let all = headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()).into()));
    Value::Object(all.collect())
}

/// `PUT /faults`
async fn set_faults(State(control): State<Control>, body: Bytes) -> Response {
    let named = match read::<Vec<String>>(&body, "an array of names of faults") {
        Ok(named) => named,
        Err(answer) => return *answer,
    };
    let mut faults = Vec::new();
    for name in named {
        match fault(&name) {
            Ok(fault) => faults.push(fault),
            Err(nearest) => {
                let why = format!("there is no fault {name:?}{}", did_you_mean(nearest));
                return refused(StatusCode::BAD_REQUEST, &why);
            }
        }
    }
    control.fake.recovers();
    faults.iter().for_each(|fault| control.fake.suffers(*fault));
    *control.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    StatusCode::NO_CONTENT.into_response()
}

/// `POST /users`
async fn add_user(State(control): State<Control>, body: Bytes) -> Response {
    match read::<serde_json::Map<String, Value>>(&body, "the claims of a user, a JSON object") {
        Ok(claims) => {
            drop(control.fake.user(claims.into()));
            StatusCode::NO_CONTENT.into_response()
        }
        Err(answer) => *answer,
    }
}

/// The answer to the next request for a purpose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    #[serde(rename = "for")]
    purpose: Wanted,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    body: Value,
}

const fn ok() -> u16 {
    200
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Api,
    Account,
    Code,
    Refresh,
}

/// `POST /answers`
async fn answer_next(State(control): State<Control>, body: Bytes) -> Response {
    let wanted = "{\"for\": \"api\", \"account\", \"code\" or \"refresh\", \"status\": a number, \
        \"body\": JSON}";
    let next = match read::<Scripted>(&body, wanted) {
        Ok(next) => next,
        Err(answer) => return *answer,
    };
    let Ok(status) = StatusCode::from_u16(next.status) else {
        return refused(StatusCode::BAD_REQUEST, "the status must be from 100 to 999");
    };
    let purpose = match next.purpose {
        Wanted::Api => Purpose::Api,
        Wanted::Account => Purpose::Identity,
        Wanted::Code => Purpose::RedeemCode,
        Wanted::Refresh => Purpose::Refresh,
    };
    let mut scripted = http::Response::new(Bytes::from(next.body.to_string()));
    *scripted.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    scripted.headers_mut().insert(header::CONTENT_TYPE, json);
    control.fake.answers_next_with(purpose, scripted);
    StatusCode::NO_CONTENT.into_response()
}
