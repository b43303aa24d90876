//! The output of the program: results to standard output, messages to standard error.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::Failure;

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
            serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
        } else {
            text()
        };
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
            self.say(&serde_json::json!({ "remark": text }).to_string());
        } else {
            self.say(text);
        }
    }

    /// Writes an error: `code` for programs, `text` for people.
    pub fn error(self, code: &str, text: &str) {
        if self.json {
            self.say(&serde_json::json!({ "error": code, "message": text }).to_string());
        } else {
            self.say(&format!("quadrille: {text}"));
        }
    }

    fn say(self, line: &str) {
        // A failure to write to standard error cannot be reported anywhere.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// The text as one word of a shell, in quotes if it needs them.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
