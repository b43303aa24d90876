//! Files with a record in JSON on each line, which commands write and read.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read as _, Write as _},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{Failure, refused::Refused};

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

/// The length of the longest line, in KiB: a client with its keys has a few.
const LONGEST_LINE: usize = 256;
/// The length of all lines, in MiB: half a million users.
const LONGEST: usize = 256;

/// The text of a file of records, or of standard input for `-`, within limits.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let read = match path.to_str() {
        Some("-") => limited(&mut io::stdin().lock(), LONGEST_LINE << 10, LONGEST << 20),
        _ => File::open(path)
            .map_err(Unread::File)
            .and_then(|file| limited(&mut BufReader::new(file), LONGEST_LINE << 10, LONGEST << 20)),
    };
    let failure = |error| match error {
        Unread::Line(number) => {
            Refused::Import(format!("line {number}: longer than {LONGEST_LINE} KiB")).into()
        }
        Unread::All => {
            Refused::Import(format!("longer than {LONGEST} MiB: import the lines in parts")).into()
        }
        Unread::File(error) => Failure::File { path: path.to_owned(), error },
    };
    read.map_err(failure)
}

/// The reason why lines are not read.
#[derive(Debug)]
enum Unread {
    /// The line of this number is too long.
    Line(usize),
    /// There are too many.
    All,
    File(io::Error),
}

/// Reads lines up to the first one that is too long, and no more than `most` bytes.
fn limited(
    from: &mut impl BufRead,
    longest: usize,
    most: usize,
) -> Result<Zeroizing<String>, Unread> {
    let mut bytes = Zeroizing::new(Vec::new());
    for number in 1.. {
        let before = bytes.len();
        let limit = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
        let read = from.by_ref().take(limit).read_until(b'\n', &mut bytes);
        match read.map_err(Unread::File)? {
            0 => break,
            _ if bytes.len() > most => return Err(Unread::All),
            _ if bytes.len() - before > longest && !bytes.ends_with(b"\n") => {
                return Err(Unread::Line(number));
            }
            _ => {}
        }
    }
    let not_text = |_| Unread::File(io::ErrorKind::InvalidData.into());
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(not_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_within_limits_and_the_long_one_is_numbered() {
        let read = |text: &str| limited(&mut text.as_bytes(), 4, 12);
        for text in ["", "abcd", "abcd\n", "abcd\nab\n\ncd", "\n\n\n\n"] {
            assert_eq!(*read(text).unwrap(), text);
        }
        for (text, number) in [("abcde", 1), ("ab\nabcdef\n", 2), ("\n\nabcdefghijklmnop", 3)] {
            assert!(matches!(read(text), Err(Unread::Line(found)) if found == number), "{text}");
        }
        assert!(matches!(read("abcd\nabcd\nabcd\n"), Err(Unread::All)));
        let odd = limited(&mut &b"\xff\n"[..], 4, 12);
        assert!(
            matches!(odd, Err(Unread::File(error)) if error.kind() == io::ErrorKind::InvalidData)
        );
    }
}
