//! Files with a record in JSON on each line, which commands write and read.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

use zeroize::Zeroizing;

use crate::Failure;

/// Writes lines to a new file that only this user can read, which is returned, or to standard output.
pub(super) fn write<'a>(lines: &str, path: Option<&'a Path>) -> Result<Option<&'a Path>, Failure> {
    let Some(path) = path else {
        let mut out = io::stdout().lock();
        let written = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
        return written.map(|()| None).map_err(Failure::Output);
    };
    let written = new_file(path).and_then(|mut file| {
        file.write_all(lines.as_bytes())?;
        file.sync_all()
    });
    written.map(|()| Some(path)).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::Exists { what: "file", name: path.display().to_string() }
        }
        _ => Failure::File { path: path.to_owned(), error },
    })
}

/// A file that is new, so that no other one is overwritten and no link followed.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = match path.to_str() {
        Some("-") => io::stdin().lock().read_to_string(&mut text),
        _ => File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map(|_| text).map_err(|error| Failure::File { path: path.to_owned(), error })
}
