//! Spans as OpenTelemetry has them.

use std::{fmt, future::Future, pin::Pin, sync::OnceLock, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::MatchedPath,
    http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode},
    middleware::{Next, from_fn},
};
use bytes::Bytes;
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator as _},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::{Builder, Runtime};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
};

use super::{Sink, TARGET};
use crate::{config::TraceSettings, request_id::RequestId};

/// The time that one message to the collector may take, and the last one at the end.
const TIME: Duration = Duration::from_secs(5);

/// The spans of this process that are on their way.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The part of the log that sends spans to the collector, if there is one.
///
/// The SDK adds the variables of its specification: `OTEL_EXPORTER_OTLP_HEADERS`,
/// `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME` and those of its queue.
pub(crate) fn exporting(settings: &TraceSettings) -> Option<Sink> {
    let endpoint = settings.endpoint.as_ref()?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new()?)
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(endpoint.as_str())
        .with_timeout(TIME)
        .build()
        .ok()?;
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("quadrille");
    }
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.ratio))))
        .with_resource(resource.build())
        .with_batch_exporter(exporter)
        .build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("quadrille"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
        .with_level(false)
        .with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE));
    PROVIDER.set(provider).ok()?;
    Some(spans.boxed())
}

/// The span of a request, as a part of the trace that a trusted proxy names (W3C Trace Context,
/// section 3.2).
pub(crate) fn in_request(
    method: &Method,
    headers: &HeaderMap,
    is_trusted: bool,
    id: &RequestId,
) -> Span {
    let method = known(method);
    let span = tracing::trace_span!(
        target: TARGET,
        "request",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = Empty,
        http.response.status_code = Empty,
        request.id = %id,
    );
    if is_trusted && !span.is_disabled() {
        let context = TraceContextPropagator::new().extract(&Headers(headers));
        // An error means that the span is not recorded.
        let _ = span.set_parent(context);
    }
    span
}

/// Records the response to a request.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Has each route name itself in the span of the request.
pub(crate) fn note_routes(router: Router) -> Router {
    router.layer(from_fn(note_route))
}

async fn note_route(
    path: Option<MatchedPath>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    if let Some(path) = path {
        let span = Span::current();
        span.record("http.route", path.as_str());
        let name = format!("{} {}", known(request.method()), path.as_str());
        span.context().span().update_name(name);
    }
    next.run(request).await
}

/// Sends the spans that are left.
pub(crate) async fn flush() {
    let Some(provider) = PROVIDER.get() else { return };
    let ended = tokio::task::spawn_blocking(|| provider.shutdown_with_timeout(TIME)).await;
    if !matches!(ended, Ok(Ok(()))) {
        tracing::warn!("the last spans did not reach the collector of traces");
    }
}

/// A method of HTTP, or the word of OpenTelemetry for any other: a client chooses the text.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}

/// The headers of a request, of which each name may occur once.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(key).iter();
        match (values.next(), values.next()) {
            (Some(only), None) => only.to_str().ok(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// The way to the collector. The SDK sends from a thread of its own, which has no runtime.
struct Collector {
    http: reqwest::Client,
    runtime: Runtime,
}

impl Collector {
    fn new() -> Option<Self> {
        let http = reqwest::Client::builder().timeout(TIME).pool_max_idle_per_host(0).build();
        let runtime = Builder::new_current_thread().enable_all().build();
        Some(Self { http: http.ok()?, runtime: runtime.ok()? })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut answer = self.http.execute(request.try_into()?).await?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        *response.body_mut() = answer.bytes().await?;
        Ok(response)
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

impl HttpClient for Collector {
    fn send_bytes<'a, 'answer>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'a: 'answer,
        Self: 'answer,
    {
        Box::pin(async move { self.runtime.block_on(self.send(request)) })
    }
}
