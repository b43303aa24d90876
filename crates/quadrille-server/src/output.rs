//! What the program says: data to standard output, messages to standard error.

use std::io::Write as _;

use serde::Serialize;

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
    pub fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json {
            serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
        } else {
            text()
        };
        let mut out = std::io::stdout().lock();
        // A reader that went away (`quadrille client list | head`) is no failure of ours.
        let _ = writeln!(out, "{}", line.trim_end_matches('\n')).and_then(|()| out.flush());
    }

    /// A remark for a person; programs that read the result never see it.
    pub fn note(self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
