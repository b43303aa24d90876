//! What the program says: data to standard output, messages to standard error.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::Failure;

/// Where a command's result goes, and in which form.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// JSON for programs, or text for people.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs are reading.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// The result: `value` as one line of JSON, or `text` as it is.
    ///
    /// # Errors
    /// [`Failure::Output`] when it cannot be written: it may be the only copy of a secret.
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
            // A reader that went away (`quadrille client list | head`) is no failure of ours.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        }
    }

    /// A remark beside the result, on standard error.
    pub fn note(self, text: &str) {
        if self.json {
            self.say(&serde_json::json!({ "remark": text }).to_string());
        } else {
            self.say(text);
        }
    }

    /// Why there is no result: `code` is for programs, `text` for people.
    pub fn error(self, code: &str, text: &str) {
        if self.json {
            self.say(&serde_json::json!({ "error": code, "message": text }).to_string());
        } else {
            self.say(&format!("quadrille: {text}"));
        }
    }

    fn say(self, line: &str) {
        // Where even this cannot be written there is nobody left to tell.
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
