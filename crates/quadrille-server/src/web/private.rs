//! The routes of the address that is not public: `/metrics`, and what load balancers ask.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, Response, header},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{data::Connections, meter};

use super::{app::App, health};

/// The state of the private routes, which answer before the provider is built.
#[derive(Clone, Debug)]
pub struct Private {
    metrics: PrometheusHandle,
    app: Arc<OnceLock<App>>,
}

impl Private {
    /// The routes of a process that starts.
    pub(crate) fn new(metrics: PrometheusHandle) -> Self {
        Self { metrics, app: Arc::default() }
    }

    /// The process has this provider, and has started.
    pub fn started(&self, app: App) {
        // The program builds one.
        let _ = self.app.set(app);
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .route("/health", get(health::health))
            .route("/ready", get(ready))
            .with_state(self.clone())
    }
}

/// `GET /metrics`, in the text format of Prometheus.
async fn metrics(State(private): State<Private>) -> Response<Body> {
    if let Some(app) = private.app.get() {
        let Connections { in_use, idle, max } = app.backend.connections();
        meter::database([in_use, idle, max]);
    }
    let mut response = Response::new(Body::from(private.metrics.render()));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn ready(State(private): State<Private>) -> Response<Body> {
    match private.app.get() {
        Some(app) => health::ready(State(app.clone())).await,
        None => health::starting(),
    }
}
