//! The audit log: who did what, for which client, from where, when, by which request.
//!
//! Events go to the log (target `audit`) and, if the setting `audit_log` names a file, to that, as a
//! line of JSON each. There is one file for the process, as there is one log.

mod event;
mod file;
mod operator;

pub(crate) use event::Event;

use std::{fs, io, path::Path, sync::OnceLock};

use quadrille::Env;

use crate::request_id;

use file::AuditFile;
use operator::Operator;

/// The file of this process, if it has one.
static FILE: OnceLock<AuditFile> = OnceLock::new();

/// Opens the file of this process. A second call does nothing.
///
/// # Errors
/// Those of opening the file.
pub(crate) fn start(path: &Path) -> io::Result<()> {
    if FILE.get().is_none() {
        // Another thread may have been faster.
        let _ = FILE.set(AuditFile::open(Env::system(), path)?);
    }
    Ok(())
}

/// Checks that the file can be opened, and makes none.
///
/// # Errors
/// Those of opening the file.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    match fs::OpenOptions::new().append(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            match fs::metadata(folder.unwrap_or(Path::new(".")))?.is_dir() {
                true => Ok(()),
                false => Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        Err(error) => Err(error),
    }
}

/// Opens the file again: its name may have another file now.
pub(crate) fn reopen() {
    if let Some(file) = FILE.get() {
        file.reopen();
    }
}

/// Whether there is a file.
pub(crate) fn has_file() -> bool {
    FILE.get().is_some()
}

/// Records an event.
pub(crate) fn record(event: &Event<'_>) {
    log(event);
    if let Some(file) = FILE.get() {
        file.write(event, request_id::current().as_ref());
    }
}

fn log(event: &Event<'_>) {
    let Event { text, account, client, known_browser, slowed_down, .. } = *event;
    let Event { asked, allowed, session, name, .. } = *event;
    let token = event.token.map(tracing::field::display);
    let subject = event.subject.map(tracing::field::display);
    let address = event.address.map(tracing::field::display);
    let operator = event.operator.as_ref().map(Operator::name);
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "audit", event = event.event, account, subject, operator, client, address,
                known_browser, slowed_down, asked, allowed, session, token, name, "{text}"
            )
        };
    }
    match event.is_warning {
        true => line!(warn),
        false => line!(info),
    }
}
