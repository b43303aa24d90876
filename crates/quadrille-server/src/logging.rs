//! The log: to standard error, as text or as JSON.

use std::{
    fmt,
    io::{self, IsTerminal as _},
};

use tracing::field::Field;
use tracing_subscriber::{
    Layer as _,
    field::MakeExt as _,
    filter::{LevelFilter, Targets},
    fmt::format::{Writer, debug_fn},
    layer::SubscriberExt as _,
    registry,
};

use crate::{
    config::{LogFormat, Settings},
    output::Output,
    traces::{self, Sink},
    words::{Plain, PlainJson},
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
    let layer = tracing_subscriber::fmt::layer();
    let lines: Sink = match format {
        LogFormat::Text => {
            let layer = layer.with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
            layer.fmt_fields(debug_fn(field).delimited(" ")).with_filter(filter).boxed()
        }
        LogFormat::Json => {
            let layer = layer.with_writer(|| JsonLines).json();
            layer.flatten_event(true).with_span_list(false).with_filter(filter).boxed()
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

/// Writes a field of a line of text. Whatever strangers have sent, the line stays one line, and a terminal
/// obeys none of it.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}");
    let value = Plain(&value);
    match field.name() {
        "message" => write!(writer, "{value}"),
        name if writer.has_ansi_escapes() => {
            write!(writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{value}")
        }
        name => write!(writer, "{name}={value}"),
    }
}

/// Writes lines of JSON to standard error, likewise. Each line is one write.
struct JsonLines;

impl io::Write for JsonLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        io::stderr().lock().write_all(format!("{}\n", PlainJson(text)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
