//! The log: to standard error, as text or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
};

use crate::config::{LogFormat, Settings};

/// Starts the log of a program that serves. A second call does nothing.
pub(crate) fn start(settings: &Settings) {
    start_with(settings, settings.log.clone());
}

/// Starts the log of a command, which says by itself what it did: warnings, unless more was asked
/// for.
pub(crate) fn start_for_command(settings: &Settings) {
    let quiet = Targets::new().with_default(LevelFilter::WARN);
    start_with(settings, if settings.is_default("log") { quiet } else { settings.log.clone() });
}

fn start_with(settings: &Settings, filter: Targets) {
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // An error means that one runs already: that of a test, or of the demo.
    let _ = match settings.log_format {
        LogFormat::Text => {
            let layer = layer.with_ansi(std::io::stderr().is_terminal()).with_filter(filter);
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
        }
        LogFormat::Json => {
            let layer = layer.json().flatten_event(true).with_filter(filter);
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
        }
    };
}
