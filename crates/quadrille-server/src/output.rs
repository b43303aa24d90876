//! The output of the program: results to standard output, messages to standard error.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
};

use clap::builder::StyledStr;
use serde::Serialize;

use crate::{
    Failure,
    words::{Plain, PlainJson},
};

/// The destination and the format of a command's result.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// An output of JSON for programs, or of text for people.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether the output is JSON.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Writes the result: `value` as one line of JSON, or `text`.
    ///
    /// # Errors
    /// [`Failure::Output`] if the result cannot be written: it may be the only copy of a secret.
    pub fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let line = if self.json {
            let line = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
            PlainJson(&line).to_string()
        } else {
            text()
        };
        // A list without entries has no lines, which people could take for a command that did nothing.
        if line.is_empty() {
            if io::stdout().is_terminal() {
                self.note("There is nothing to list.");
            }
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match writeln!(out, "{}", line.trim_end_matches('\n')).and_then(|()| out.flush()) {
            // A reader that closed the pipe (`quadrille client list | head`) is not a failure.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        }
    }

    /// Writes a remark to standard error.
    pub fn note(self, text: &str) {
        if self.json {
            say(PlainJson(&serde_json::json!({ "remark": text }).to_string()));
        } else {
            say(plain_lines(text));
        }
    }

    /// Writes an error: `code` for programs, `text` for people.
    pub fn error(self, code: &str, text: &str) {
        if self.json {
            let line = serde_json::json!({ "error": code, "message": text }).to_string();
            say(PlainJson(&line));
        } else {
            let name = if has_colors() { RED_NAME } else { NAME };
            say(format_args!("{name} {}", plain_lines(text)));
        }
    }

    /// Writes the help of a command that was given nothing, as an error.
    pub fn help(self, help: &StyledStr) {
        let plain = help.to_string();
        match self.json {
            true => self.error("usage", plain.trim_end()),
            false => say(plain.trim_end()),
        }
    }
}

/// The beginning of errors.
const NAME: &str = "quadrille:";

/// The same in bold and red.
const RED_NAME: &str = "\u{1b}[1m\u{1b}[31mquadrille:\u{1b}[0m";

/// `true` if standard error is a terminal with colors that its user does not mind
/// (<https://no-color.org>).
fn has_colors() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = || std::env::var_os("TERM").is_none_or(|kind| kind == "dumb");
    io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb()
}

fn say(line: impl fmt::Display) {
    // A failure to write to standard error cannot be reported anywhere.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The lines of a message, in which texts of others may be.
fn plain_lines(text: &str) -> String {
    text.split('\n').map(|line| Plain(line).to_string()).collect::<Vec<_>>().join("\n")
}
