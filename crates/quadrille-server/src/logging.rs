//! The log: to standard error, as text or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
};

use crate::{
    config::{LogFormat, Settings},
    output::Output,
};

/// Starts the log of a program that serves. A second call does nothing.
pub fn start(settings: &Settings) {
    start_with(settings.log.clone(), settings.log_format);
}

/// Starts the log of a command. A command reports its result itself, so the log has warnings only,
/// unless the settings ask for more. With `--json`, the log is JSON too.
pub fn start_for_command(settings: &Settings, output: Output) {
    let quiet = Targets::new().with_default(LevelFilter::WARN);
    let filter = if settings.is_default("log") { quiet } else { settings.log.clone() };
    let as_json = output.is_json() && settings.is_default("log_format");
    start_with(filter, if as_json { LogFormat::Json } else { settings.log_format });
}

fn start_with(filter: Targets, format: LogFormat) {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // An error means that a log is already running, as in tests.
    let _ = match format {
        LogFormat::Text => {
            let layer = layer.with_ansi(std::io::stderr().is_terminal()).with_filter(filter);
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
        }
        LogFormat::Json => {
            let layer = layer.json().flatten_event(true).with_span_list(false).with_filter(filter);
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
        }
    };
}
