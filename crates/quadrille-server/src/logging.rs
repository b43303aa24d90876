//! The log: to standard error, as text or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    registry,
};

use crate::{
    config::{LogFormat, Settings},
    output::Output,
    traces::{self, Sink},
};

/// Starts the log of a program that serves, and its traces. A second call does nothing.
pub fn start(settings: &Settings) {
    let traces = traces::exporting(&settings.traces);
    let is_missing = traces.is_none() && settings.traces.endpoint.is_some();
    start_with(settings.log.clone(), settings.log_format, traces);
    if is_missing {
        tracing::error!("traces cannot be sent to the collector");
    }
}

/// Starts the log of a command. A command reports its result itself, so the log has warnings only,
/// unless the settings ask for more. With `--json`, the log is JSON too.
pub fn start_for_command(settings: &Settings, output: Output) {
    let quiet = Targets::new().with_default(LevelFilter::WARN);
    let filter = if settings.is_default("log") { quiet } else { settings.log.clone() };
    let as_json = output.is_json() && settings.is_default("log_format");
    start_with(filter, if as_json { LogFormat::Json } else { settings.log_format }, None);
}

fn start_with(filter: Targets, format: LogFormat, traces: Option<Sink>) {
    let filter = filter.with_target(traces::TARGET, LevelFilter::OFF);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Sink = match format {
        LogFormat::Text => {
            layer.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed()
        }
        LogFormat::Json => {
            layer.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed()
        }
    };
    // An error means that a log is already running, as in tests.
    let _ = match traces {
        Some(traces) => {
            tracing::subscriber::set_global_default(registry().with(vec![lines, traces]))
        }
        None => tracing::subscriber::set_global_default(registry().with(lines)),
    };
}
