//! Words that several messages share: errors of the system, quoted names, and suggestions for
//! mistyped names.

use std::{fmt, io};

/// The error of the system, in the same words on every system and without its number.
pub(crate) fn describe(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::AddrInUse => "another program listens there already",
        Kind::AddrNotAvailable => "this machine does not have that address",
        // Where the system refused it, not this program.
        Kind::PermissionDenied if error.get_ref().is_none() => "permission denied",
        Kind::NotFound => "no such file or folder",
        Kind::NotADirectory => "a part of the path is a file, not a folder",
        Kind::IsADirectory => "it is a folder, not a file",
        Kind::InvalidData => "it is not text in UTF-8",
        Kind::ReadOnlyFilesystem => "the file system is read-only",
        Kind::StorageFull => "the disk is full",
        Kind::QuotaExceeded => "the quota of the disk is used up",
        _ => {
            let said = error.to_string();
            return said
                .split_once(" (os error")
                .map(|(words, _)| words.to_owned())
                .unwrap_or(said);
        }
    };
    words.to_owned()
}

/// A question to put after an error message.
pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {}?", Quoted(name)))
}

/// A number with the word for it.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Text of others in quotation marks, as [`Plain`] shows it.
pub(crate) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Plain(self.0))
    }
}

/// Text of others for a terminal, which obeys control characters. `René` stays readable in every
/// Unicode form. Control characters and invisible characters are escaped.
pub(crate) struct Plain<'a>(pub &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            c if c.is_control() => write!(f, "{}", c.escape_default()),
            c if is_invisible(c) => write!(f, "{}", c.escape_unicode()),
            c => write!(f, "{c}"),
        })
    }
}

/// Whether a character is not seen, or changes the direction of the text around it.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// The known name that is closest to `name`.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}
