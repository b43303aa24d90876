//! The user names and passwords of URLs in the texts of strangers, in any form in which they are sent:
//! without a scheme, with backslashes or spaces, percent-encoded, or with characters that a URL cannot have
//! there. A text is rather hidden too far than too little.

use std::borrow::Cow;

/// The schemes whose addresses have a user name, and are no secret.
const ADDRESSES: [&str; 2] = ["acct", "mailto"];

/// A character of a text, as it is written or percent-encoded (RFC 3986, section 2.1), also several times
/// over.
#[derive(Clone, Copy)]
struct Mark {
    char: char,
    start: usize,
}

/// The text with `...` in place of each user name and password before a host (RFC 3986, section 3.2.1).
pub(super) fn without_user_information(text: &str) -> Cow<'_, str> {
    if !text.contains('@') && !text.contains("40") {
        return text.into();
    }
    let marks = marks(text);
    let mut whole = String::new();
    let mut shown = 0;
    for (piece, is_authority) in pieces(&marks) {
        if let Some((start, end)) = hidden(piece, is_authority) {
            whole.push_str(text.get(shown..start).unwrap_or_default());
            whole.push_str("...");
            shown = end;
        }
    }
    whole.push_str(text.get(shown..).unwrap_or_default());
    whole.into()
}

fn marks(text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (char, length) = decoded(rest).unwrap_or((first, first.len_utf8()));
        marks.push(Mark { char, start });
        rest = rest.get(length..).unwrap_or_default();
    }
    marks
}

/// The percent-encoded character at the beginning of a text, and its length there.
fn decoded(text: &str) -> Option<(char, usize)> {
    let mut digits = text.strip_prefix('%')?;
    while let Some(inner) = digits.strip_prefix("25") {
        digits = inner;
    }
    let hex = digits.get(..2).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let byte = u8::from_str_radix(hex, 16).ok().filter(u8::is_ascii)?;
    Some((byte.into(), text.len() - digits.len() + 2))
}

/// The parts of a text that may have a host each, and whether slashes say so: those after two slashes, and
/// each text in JSON.
fn pieces(marks: &[Mark]) -> Vec<(&[Mark], bool)> {
    let mut pieces = Vec::new();
    let (mut piece, mut is_authority) = (marks, false);
    let mut at = 0;
    while let Some(mark) = piece.get(at) {
        let before = piece.get(..at).unwrap_or_default();
        let slashes = piece.iter().skip(at).take_while(|it| matches!(it.char, '/' | '\\')).count();
        let (length, opens) = match mark.char {
            '"' => (1, opens_text(before)),
            '/' | '\\' => (slashes, slashes > 1 && may_begin_authority(before)),
            _ => (1, false),
        };
        at += length;
        if opens {
            let (ended, next) = piece.split_at(at);
            pieces.push((ended, is_authority));
            (piece, is_authority, at) = (next, mark.char != '"', 0);
        }
    }
    pieces.push((piece, is_authority));
    pieces
}

/// Whether a quotation mark after this begins a text in JSON, and is not in a password.
fn opens_text(before: &[Mark]) -> bool {
    let last = before.iter().rev().find(|mark| !mark.char.is_whitespace());
    last.is_some_and(|mark| matches!(mark.char, '{' | '[' | ',' | ':'))
}

/// Whether slashes after this come before a host, and are not in a password.
fn may_begin_authority(before: &[Mark]) -> bool {
    let last = before.last();
    last.is_none_or(|mark| matches!(mark.char, ':' | '"' | '\'') || mark.char.is_whitespace())
}

/// The user name and password in a piece: the place where they begin, and that of the `@` after them.
fn hidden(piece: &[Mark], is_authority: bool) -> Option<(usize, usize)> {
    let last_at = |marks: &[Mark]| marks.iter().rposition(|mark| mark.char == '@');
    let at = last_at(piece)?;
    let before = piece.get(..at)?;
    if let Some(start) = with_password(before, is_authority) {
        return Some((piece.get(start)?.start, piece.get(at)?.start));
    }
    // A user name alone is told from an address by the slashes before it.
    let is_end = |mark: &Mark| "/?#\\\"' ".contains(mark.char);
    let end = piece.iter().position(is_end).unwrap_or(piece.len());
    let at = last_at(piece.get(..end)?).filter(|_| is_authority)?;
    Some((piece.first()?.start, piece.get(at)?.start))
}

/// The beginning of a user name and password, if there is a colon between them.
fn with_password(before: &[Mark], is_authority: bool) -> Option<usize> {
    let mut colons = (0..).zip(before).filter(|(_, mark)| mark.char == ':').map(|(at, _)| at);
    let first = colons.next()?;
    if is_authority {
        return (!is_port(before.get(first + 1..)?) || colons.next().is_some()).then_some(0);
    }
    let name = before.get(..first)?;
    let separates = |mark: &Mark| mark.char.is_whitespace() || "=&".contains(mark.char);
    let start = name.iter().rposition(separates).map_or(0, |at| at + 1);
    let scheme: String = name.iter().skip(start).map(|mark| mark.char).collect();
    let is_address = ADDRESSES.contains(&&*scheme.to_lowercase()) && colons.next().is_none();
    (!is_address).then_some(start)
}

/// Whether a port comes here, and then a path or a query.
fn is_port(marks: &[Mark]) -> bool {
    let after = marks.iter().find(|mark| !mark.char.is_ascii_digit());
    after.is_some_and(|mark| "/?#".contains(mark.char))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_user_name_and_password_before_a_host_are_hidden() {
        for (text, shown) in [
            (
                r#"["https://u:pw@d.example/","x://y@z"]"#,
                r#"["https://...@d.example/","x://...@z"]"#,
            ),
            (r#"{"a":{"b":"u:pw@h"},"c":"ada@h"}"#, r#"{"a":{"b":"...@h"},"c":"ada@h"}"#),
            ("https://u@@d.example?a@b", "https://...@d.example?a@b"),
            ("https://u:pw@", "https://...@"),
            ("https://u:pw\\@d.example", "https://...@d.example"),
            ("//u:pw@h/", "//...@h/"),
            ("u:pw@h.example", "...@h.example"),
            ("https:u:pw@h", "...@h"),
            ("https:/u:pw@h", "...@h"),
            ("https:///u:pw@h", "https:///...@h"),
            ("https:\\\\u:pw@h/", "https:\\\\...@h/"),
            ("https://u%3Apw%40h/", "https://...%40h/"),
            ("https%3A%2F%2Fu%3Apw%40h%2F", "https%3A%2F%2F...%40h%2F"),
            ("https%253A%252F%252Fu%253Apw%2540h", "https%253A%252F%252F...%2540h"),
            ("https://u s:pw@h/", "https://...@h/"),
            ("https://u:p w@h/ x", "https://...@h/ x"),
            ("https://u:p/w@h/", "https://...@h/"),
            ("https://u:p@w?x@h/", "https://...@h/"),
            ("read next=u:pw@h write", "read next=...@h write"),
        ] {
            assert_eq!(without_user_information(text), shown);
        }
    }

    #[test]
    fn what_has_no_user_name_of_a_host_is_shown() {
        for text in [
            "ada@example.com",
            "acct:ada@example.com",
            "mailto:ada@example.com",
            "https://d.example/@u",
            "https://d.example:8443/@u",
            "https://d.example/?mail=ada%40example.com",
            "https://d.example/?next=https%3A%2F%2Fe.example%2F%40u",
            "https://d.example/40 photos:read",
            "100% 40",
            "%4",
            "",
        ] {
            assert_eq!(without_user_information(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_form_of_a_url_shows_a_password(
            before in "(|read |next=|\\[\"|\\{\"a\": *\")",
            scheme in "(|//|https?://|HTTPS:\\\\\\\\|https:|https:/|https:///|myapp://|postgres://)",
            user in "[a-z +\\-._]{0,6}",
            rest in "[a-zA-Z0-9 /?#\\[\\]!$&'()*+,;=:@^`{|}~._-]{0,12}",
            encodings in 0..3_u8,
            after in "(|h|h\\.example/cb|h:8443/\\?a=b#c|\\[::1\\])",
        ) {
            let encode = |text: &str| match encodings {
                0 => text.to_owned(),
                1 => text.replace(':', "%3A").replace('@', "%40").replace('/', "%2f"),
                _ => text.replace(':', "%253a").replace('@', "%2540").replace('/', "%252F"),
            };
            // Slashes after a colon begin another URL.
            prop_assume!(!rest.contains("//") && !user.ends_with("acct"));
            let text = format!("{before}{}", encode(&format!("{scheme}{user}:Pw{rest}@{after}")));
            let shown = without_user_information(&text).into_owned();
            prop_assert!(!shown.contains("Pw"), "{text}: {shown}");
        }

        #[test]
        fn any_text_is_read(text in "\\PC{0,40}", odd in "[%@:/\\\\\"=& 0-9a-f]{0,40}") {
            for text in [text, odd] {
                without_user_information(&text);
            }
        }
    }
}
