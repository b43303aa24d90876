//! Words that several messages share: errors of the system, quoted names, and suggestions for
//! mistyped names.

use std::{fmt, io, time::Duration};

use quadrille::{Timestamp, page::is_unseen};
use serde::Serialize;

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

/// A time in RFC 3339, for people and programs.
pub(crate) fn when(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds()).map(|time| time.to_string()).unwrap_or_default()
}

/// A number with the word for it.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A time as people say it: the unit, and how many of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    /// `second`, `minute`, `hour` or `day`.
    unit: &'static str,
    count: u64,
}

impl Span {
    /// The time in the largest unit of which it has one, rounded down.
    pub(crate) fn of(time: Duration) -> Self {
        let seconds = time.as_secs();
        let units = [("day", 24 * 3600), ("hour", 3600), ("minute", 60)];
        let whole = units.into_iter().find(|(_, length)| seconds >= *length);
        let (unit, length) = whole.unwrap_or(("second", 1));
        Self { unit, count: seconds / length }
    }
}

/// A wait, rounded up, for a text: minutes, or seconds if it is shorter than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wait {
    minutes: u64,
    seconds: u64,
}

impl Wait {
    /// The wait of this length.
    pub(crate) fn of(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        match seconds {
            0..60 => Self { minutes: 0, seconds: seconds.max(1) },
            _ => Self { minutes: seconds.div_ceil(60), seconds: 0 },
        }
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
        escape(self.0, f, |c, f| write!(f, "{}", c.escape_default()))
    }
}

/// A line of JSON, whose texts are escaped likewise, as JSON does it.
pub(crate) struct PlainJson<'a>(pub &'a str);

impl fmt::Display for PlainJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, f, |c, f| {
            c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"))
        })
    }
}

/// Writes a text with its unseen characters as `write` has them.
fn escape(
    text: &str,
    f: &mut fmt::Formatter<'_>,
    write: impl Fn(char, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    let mut rest = text;
    while let Some((at, unseen)) = rest.char_indices().find(|(_, c)| is_unseen(*c)) {
        let (seen, from) = rest.split_at(at);
        f.write_str(seen)?;
        write(unseen, f)?;
        rest = from.strip_prefix(unseen).unwrap_or_default();
    }
    f.write_str(rest)
}

/// The known name that is closest to `name`.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, known)| *likeness > 0.7 && is_half_the_same(name, known))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// Whether a name begins with a known one, or at most half of the letters differ. By the measure of Jaro and
/// Winkler alone, a short name is like every long one that has its letters.
fn is_half_the_same(name: &str, known: &str) -> bool {
    name.starts_with(known) || strsim::normalized_damerau_levenshtein(name, known) >= 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_unit_that_people_would_say() {
        for (seconds, unit, count) in [
            (0, "second", 0),
            (59, "second", 59),
            (119, "minute", 1),
            (7200, "hour", 2),
            (90 * 24 * 3600, "day", 90),
        ] {
            assert_eq!(Span::of(Duration::from_secs(seconds)), Span { unit, count }, "{seconds}");
        }
    }

    #[test]
    fn a_name_is_suggested_for_a_misspelt_one_and_not_for_another_word() {
        let known = || ["openid", "phone", "refresh_token_total_lifetime", "acr"].into_iter();
        for (name, suggested) in [
            ("opnid", Some("openid")),
            ("refresh_total_lifetime", Some("refresh_token_total_lifetime")),
            ("foo", None),
            ("nope", None),
            ("photos:read", None),
        ] {
            assert_eq!(nearest(name, known()), suggested, "{name}");
        }
    }

    #[test]
    fn what_is_not_seen_is_escaped() {
        assert_eq!(Plain("Ren\u{e9} \"x\"").to_string(), "Ren\u{e9} \"x\"");
        let odd = "a\nb\u{1b}[2J\u{9b}\u{2028}\u{202e}\u{e0041}";
        let shown = r"a\nb\u{1b}[2J\u{9b}\u{2028}\u{202e}\u{e0041}";
        assert_eq!(Plain(odd).to_string(), shown);
        let line = serde_json::json!({ "path": odd }).to_string();
        let plain = PlainJson(&line).to_string();
        assert!(!plain.contains(is_unseen) && plain.is_ascii(), "{plain}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&plain).unwrap()["path"], odd);
    }

    #[test]
    fn a_wait_is_told_in_whole_numbers_and_never_too_short() {
        for (millis, minutes, seconds) in [
            (0, 0, 1),
            (1, 0, 1),
            (1_001, 0, 2),
            (59_000, 0, 59),
            (59_001, 1, 0),
            (60_000, 1, 0),
            (61_000, 2, 0),
            (600_000, 10, 0),
        ] {
            assert_eq!(Wait::of(Duration::from_millis(millis)), Wait { minutes, seconds });
        }
    }
}
