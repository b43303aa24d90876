//! The file of the audit log.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use quadrille::Env;
use serde::Serialize;

use crate::{request_id::RequestId, words::PlainJson};

use super::event::Event;

/// A file to which lines are appended.
#[derive(Debug)]
pub(super) struct AuditFile {
    env: Env,
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` after a failure, until it can be opened again.
    open: Option<Open>,
    /// Whether the failure was logged: there may be an event in each request.
    has_failed: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// The device and the number of the file, where files have them.
    identity: Option<(u64, u64)>,
    /// Whether the file ends within a line: a process or a disk failed there.
    is_torn: bool,
}

/// A line.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    event: &'a Event<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a str>,
}

impl AuditFile {
    pub(super) fn open(env: Env, path: &Path) -> io::Result<Self> {
        let open = Some(open(path)?);
        let state = Mutex::new(State { open, has_failed: false });
        Ok(Self { env, path: path.to_owned(), state })
    }

    /// Appends an event. A failure is logged, and nothing else: what the event is about has happened.
    pub(super) fn write(&self, event: &Event<'_>, request: Option<&RequestId>) {
        let now = jiff::Timestamp::from_millisecond(self.env.now().millis()).unwrap_or_default();
        let line =
            Line { time: format!("{now:.3}"), event, request: request.map(RequestId::as_str) };
        let line = serde_json::to_string(&line).map_err(io::Error::from);
        let line = line.map(|line| format!("{}\n", PlainJson(&line)));
        let mut state = self.state();
        let written = line.and_then(|line| state.append(&self.path, &line));
        let had_failed = std::mem::replace(&mut state.has_failed, written.is_err());
        drop(state);
        let path = self.path.display();
        match written {
            Ok(()) if had_failed => tracing::warn!(%path, "the audit log is written again"),
            Err(error) if !had_failed => {
                tracing::error!(%path, %error, event = event.event, "the audit log is not written");
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// Opens the file again.
    pub(super) fn reopen(&self) {
        self.state().open = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, path: &Path, line: &str) -> io::Result<()> {
        // The name may be gone, or that of another file: it is rotated by renaming.
        let is_here = |open: &Open| Some(identity(&std::fs::metadata(path).ok()?) == open.identity);
        let kept = self.open.take().filter(|open| is_here(open).unwrap_or(false));
        let mut here = kept.map_or_else(|| open(path), Ok)?;
        // One write, so that lines of several processes do not mix.
        let whole = if here.is_torn { format!("\n{line}") } else { line.to_owned() };
        let written = here.file.write_all(whole.as_bytes());
        here.is_torn = written.is_err();
        self.open = Some(here);
        written
    }
}

/// Opens the file for appending, and makes it if it is missing.
fn open(path: &Path) -> io::Result<Open> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    let is_torn = metadata.is_file() && metadata.len() > 0 && {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        last != *b"\n"
    };
    Ok(Open { identity: identity(&metadata), file, is_torn })
}

#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event: &'static str) -> Event<'static> {
        Event { event, client: Some("one\ntwo\u{2028}\u{202e}"), ..Event::default() }
    }

    fn events(path: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.ends_with('\n') && text.is_ascii(), "{text}");
        let name = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            line["event"].as_str().map(str::to_owned)
        };
        text.lines().map(|line| name(line).unwrap_or_else(|| "?".to_owned())).collect()
    }

    #[test]
    fn each_event_is_a_line_that_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        for _ in 0..2 {
            let file = AuditFile::open(Env::system(), &path).unwrap();
            file.write(&event("one"), None);
            file.write(&event("two"), None);
        }
        assert_eq!(events(&path), ["one", "two", "one", "two"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_renamed_or_removed_gets_a_successor() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit"), folder.path().join("audit.1"));
        let file = AuditFile::open(Env::system(), &path).unwrap();
        file.write(&event("one"), None);
        std::fs::rename(&path, &old).unwrap();
        file.write(&event("two"), None);
        assert_eq!((events(&old), events(&path)), (vec!["one".into()], vec!["two".into()]));
        std::fs::remove_file(&path).unwrap();
        file.write(&event("three"), None);
        assert_eq!(events(&path), ["three"]);
        file.reopen();
        file.write(&event("four"), None);
        assert_eq!(events(&path), ["three", "four"]);
    }

    #[test]
    fn a_line_that_was_not_finished_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        std::fs::write(&path, "{\"event\":\"hal").unwrap();
        let file = AuditFile::open(Env::system(), &path).unwrap();
        file.write(&event("one"), None);
        assert_eq!(events(&path), ["?", "one"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_ends_with_its_cause() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let file = AuditFile::open(Env::system(), &path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        file.write(&event("lost"), None);
        std::fs::remove_dir(&path).unwrap();
        file.write(&event("one"), None);
        assert_eq!(events(&path), ["one"]);
    }
}
