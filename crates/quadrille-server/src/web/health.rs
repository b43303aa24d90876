//! `GET /health` and `GET /ready`.

use std::time::Duration;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, Response, StatusCode, header},
};
use quadrille::provider::{
    self, OperatorError,
    store::{StoreError, VolatileCache as _},
};
use serde::Serialize;

use super::{app::App, readiness::Looked};
use crate::data::Cache;

/// The time that the store has for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of `/ready`: `ok`, or the reason, for each part.
#[derive(Clone, Copy, Debug, Serialize)]
struct Report {
    status: &'static str,
    process: &'static str,
    store: &'static str,
    keys: &'static str,
    lease: &'static str,
    /// `None` without a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<&'static str>,
}

/// `GET /health`: whether the process lives. It knows nothing of the store, since no restart brings
/// a database back, and all processes would be restarted at once.
pub(super) async fn health() -> Response<Body> {
    answer(StatusCode::OK, r#"{"status":"ok"}"#.to_owned())
}

/// `GET /ready`: whether a load balancer should send requests here, with a reason for each part.
pub(super) async fn ready(State(app): State<App>) -> Response<Body> {
    let process = match app.phase.is_draining() {
        true => "draining",
        false => "ok",
    };
    // The key in use signs on: without this process, clients would have less.
    let keys = match app.phase.keys_fail() {
        true => "not_rotated",
        false => "ok",
    };
    let Looked { store, lease, cache } = app.readiness.look(&app.env, || look(&app)).await;
    report(Report { process, store, keys, lease, cache, ..STARTING })
}

/// A process that starts.
const STARTING: Report = Report {
    status: "not_ready",
    process: "starting",
    store: "unknown",
    keys: "unknown",
    lease: "unknown",
    cache: None,
};

/// `GET /ready` of a process that starts.
pub(super) fn starting() -> Response<Body> {
    report(STARTING)
}

fn report(report: Report) -> Response<Body> {
    let is_ready = [report.process, report.store, report.lease] == ["ok"; 3];
    let (code, status) = match is_ready {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    let report = Report { status, ..report };
    // Six words have no value that JSON lacks.
    answer(code, serde_json::to_string(&report).unwrap_or_else(|_| "{}".to_owned()))
}

async fn look(app: &App) -> Looked {
    let store = store(app).await;
    // Without it, logins break off; but the others share it, so none of them would do better.
    let cache = match &app.cache {
        Some(cache) => Some(kept(cache).await),
        None => None,
    };
    Looked { store, lease: if store == "ok" { lease(app).await } else { "unknown" }, cache }
}

/// `ok`, or the kind of the failure of the store.
async fn store(app: &App) -> &'static str {
    match in_time("store", app.backend.check()).await {
        Some(Ok(())) => "ok",
        Some(Err(error)) => {
            tracing::error!(%error, "the store {}", what_it_does(&error));
            error.kind()
        }
        None => TOO_SLOW,
    }
}

/// What a store does instead of taking a write.
const fn what_it_does(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full | StoreError::ReadOnly => "answers, and cannot be written",
        StoreError::Busy => "is locked by another program",
        StoreError::Denied(_) | StoreError::Insecure(_) => "refuses this process",
        StoreError::Unavailable(_) | StoreError::Closed => "does not answer",
        _ => "answers with a failure",
    }
}

/// `ok`, or the kind of the failure of the cache.
async fn kept(cache: &Cache) -> &'static str {
    match in_time("cache", cache.check()).await {
        Some(Ok(())) => "ok",
        Some(Err(error)) => {
            tracing::error!(%error, "the cache cannot be used");
            error.kind()
        }
        None => TOO_SLOW,
    }
}

/// `ok`, or the reason why this process can draw no row numbers.
async fn lease(app: &App) -> &'static str {
    let failed = |error: &StoreError| {
        tracing::error!(%error, "the lease of row numbers is not renewed");
        error.kind()
    };
    match in_time("store", app.server.check_lease()).await {
        Some(Ok(())) => "ok",
        Some(Err(provider::Error::Operator(OperatorError::Store(error)))) => failed(&error),
        Some(Err(error)) => {
            tracing::error!(%error, "no row numbers can be drawn");
            "failed"
        }
        None => TOO_SLOW,
    }
}

const TOO_SLOW: &str = "too_slow";

async fn in_time<F: Future>(what: &str, check: F) -> Option<F::Output> {
    let outcome = tokio::time::timeout(PATIENCE, check).await.ok();
    if outcome.is_none() {
        tracing::error!("the {what} does not answer in {} seconds", PATIENCE.as_secs());
    }
    outcome
}

fn answer(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
