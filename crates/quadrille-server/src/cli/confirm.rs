//! Questions to the operator, on a terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::Args;

use crate::{Failure, refused::Refused};

/// The argument of commands that ask before they do something for good.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Yes {
    /// Do it without asking, as in a script
    #[arg(long)]
    yes: bool,
}

impl Yes {
    /// Asks the operator on the terminal, after saying what will happen, unless `--yes` is given.
    ///
    /// # Errors
    /// [`Refused::Declined`] for any other answer than `yes`; [`Refused::NotConfirmed`] without a terminal;
    /// the failure of `what`.
    pub(super) async fn or_confirm(
        self,
        what: impl Future<Output = Result<String, Failure>>,
    ) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let what = what.await?;
        match ask(&format!("{what}\nType yes to go on: "))?.as_deref() {
            Some("yes") => Ok(()),
            Some(_) => Err(Refused::Declined.into()),
            None => Err(Refused::NotConfirmed { what }.into()),
        }
    }
}

/// The answer of the operator to a question, in a line; `None` without a terminal.
pub(super) fn ask(question: &str) -> Result<Option<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut answer = String::new();
    write!(std::io::stderr().lock(), "{question}")?;
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(Some(answer.trim().to_owned()))
}
