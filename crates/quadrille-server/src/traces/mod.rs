//! Traces of requests, for a collector of OpenTelemetry (feature `opentelemetry`). Without the
//! feature the functions do nothing.
//!
//! A span has words of this program, the number of the request and the status of the response: no
//! path or query as a client sent it, and no name of a client or a user. The path is that of a
//! route.

#[cfg(not(feature = "opentelemetry"))]
mod off;
#[cfg(feature = "opentelemetry")]
mod on;

#[cfg(not(feature = "opentelemetry"))]
pub(crate) use off::{answered, exporting, flush, in_request, note_routes};
#[cfg(feature = "opentelemetry")]
pub(crate) use on::{answered, exporting, flush, in_request, note_routes};

use tracing_subscriber::{Layer, Registry};

/// The target of all spans that are exported. The log has none of them.
pub(crate) const TARGET: &str = "quadrille::span";

/// A part of the log, or of the export of spans.
pub(crate) type Sink = Box<dyn Layer<Registry> + Send + Sync>;
