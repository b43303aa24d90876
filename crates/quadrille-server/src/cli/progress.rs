//! The progress of a command that takes longer than a second.

use std::{
    io::{IsTerminal as _, Write},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use crate::output::Output;

/// A line of standard error that says what a command is doing, for a person at a terminal. It appears
/// after a second, and is gone when the work ends.
pub(super) struct Progress(Option<Shown>);

struct Shown {
    how_far: Arc<Mutex<String>>,
    end: Sender<()>,
    line: JoinHandle<()>,
}

impl Progress {
    /// Begins work with this name, such as "Copying".
    pub(super) fn begin(what: &'static str, output: Output) -> Self {
        if output.is_json() || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let how_far = Arc::new(Mutex::new(String::new()));
        let (end, ended) = channel();
        let each_second =
            move || ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout);
        let told = Arc::clone(&how_far);
        let line = std::thread::spawn(move || show(what, &told, each_second, std::io::stderr()));
        Self(Some(Shown { how_far, end, line }))
    }

    /// `true` if a person sees the line. A log has lines of its own.
    pub(super) const fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// Says how far the work is, such as "25 %".
    pub(super) fn is_at(&self, how_far: String) {
        if let Some(shown) = &self.0 {
            *shown.how_far.lock().unwrap_or_else(PoisonError::into_inner) = how_far;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(Shown { end, line, .. }) = self.0.take() {
            drop(end);
            // The line is taken away before the result is written.
            let _ = line.join();
        }
    }
}

/// Writes the line anew while `each_second` says that another second of work is over.
fn show(
    what: &str,
    how_far: &Mutex<String>,
    mut each_second: impl FnMut() -> bool,
    mut terminal: impl Write,
) {
    const FROM_THE_LEFT: &str = "\r\u{1b}[K";
    let mut seconds = 0_u64;
    while each_second() {
        seconds += 1;
        let how_far = how_far.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let separator = if how_far.is_empty() { "" } else { ", " };
        // A terminal that does not show it is no reason to end the work.
        let _ = write!(terminal, "{FROM_THE_LEFT}{what} ({how_far}{separator}{seconds} s)");
        let _ = terminal.flush();
    }
    if seconds > 0 {
        let _ = write!(terminal, "{FROM_THE_LEFT}");
        let _ = terminal.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(seconds: usize, how_far: &str) -> String {
        let mut terminal = Vec::new();
        let mut left = seconds;
        let each_second = || {
            left = left.wrapping_sub(1);
            left < seconds
        };
        show("Copying", &Mutex::new(how_far.to_owned()), each_second, &mut terminal);
        String::from_utf8(terminal).unwrap()
    }

    #[test]
    fn work_of_less_than_a_second_says_nothing_and_longer_work_leaves_nothing() {
        assert_eq!(shown(0, ""), "");
        let line = |text: &str| format!("\r\u{1b}[K{text}");
        assert_eq!(shown(2, ""), line("Copying (1 s)") + &line("Copying (2 s)") + &line(""));
        assert_eq!(shown(1, "25 %"), line("Copying (25 %, 1 s)") + &line(""));
    }

    #[test]
    fn a_program_that_reads_json_gets_no_line() {
        let progress = Progress::begin("Copying", Output::new(true));
        assert!(!progress.is_shown());
    }
}
