//! The question before something that cannot be undone.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::{Failure, refused::Refused};

/// Asks the operator on the terminal, after saying what will happen.
///
/// # Errors
/// [`Refused::NotConfirmed`] for any other answer than `yes`, and without a terminal.
pub(super) fn confirm(what: &str) -> Result<(), Failure> {
    let mut answer = String::new();
    if std::io::stdin().is_terminal() {
        write!(std::io::stderr().lock(), "{what}\nType yes to go on: ")?;
        std::io::stdin().lock().read_line(&mut answer)?;
    }
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Refused::NotConfirmed { what: what.to_owned() }.into()),
    }
}
