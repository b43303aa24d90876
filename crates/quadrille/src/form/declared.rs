//! The declared type of a body.

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

/// The declared type of a body, as strict and lenient readers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    /// A form to every reader.
    Form,
    /// Another type to every reader.
    Other,
    /// No type, which some readers take for a form.
    Nothing,
    /// A form to some readers only, for example `application/x-www-form-urlencodedx`, several
    /// types, or a form that is compressed.
    Ambiguous,
}

impl Declared {
    /// Reads `Content-Type` and `Content-Encoding`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match Self::of_type(headers) {
            Self::Form if is_coded(headers) => Self::Ambiguous,
            declared => declared,
        }
    }

    /// Reads `Content-Type`. Some readers compare the beginning, some the text before a semicolon,
    /// some one type of several: they agree only if the type of a form stands alone before any
    /// parameters.
    fn of_type(headers: &HeaderMap) -> Self {
        let mut declared = headers.get_all(CONTENT_TYPE).iter();
        let Some(value) = declared.next() else { return Self::Nothing };
        if declared.next().is_some() {
            return Self::Ambiguous;
        }
        let bytes = value.as_bytes();
        // Nearly every client sends it like this.
        if bytes == FORM.as_bytes() {
            return Self::Form;
        }
        let is_plain = bytes.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        let mut parts = bytes.split(|byte| *byte == b';');
        let media_type = parts.next().unwrap_or_default().trim_ascii();
        let names_form = |text: &[u8]| {
            text.windows(FORM_WORD.len()).any(|part| part.eq_ignore_ascii_case(FORM_WORD))
        };
        if !names_form(bytes) {
            return if media_type.is_empty() { Self::Nothing } else { Self::Other };
        }
        let is_alone = is_plain && !bytes.contains(&b',') && !parts.any(names_form);
        match is_alone && media_type.eq_ignore_ascii_case(FORM.as_bytes()) {
            true => Self::Form,
            false => Self::Ambiguous,
        }
    }
}

/// The media type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const FORM_WORD: &[u8] = b"x-www-form-urlencoded";

/// Whether a body is declared as a form, with any parameters of its media type.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    Declared::of(headers) == Declared::Form
}

/// `true` if the bytes of a body are those of its media type in another coding, such as gzip.
pub(super) fn is_coded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_take_for_different_things_is_ambiguous() {
        let declared = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, http::HeaderValue::from_bytes(value).unwrap());
            }
            Declared::of(&headers)
        };
        assert_eq!(declared(&[]), Declared::Nothing);
        for nothing in [&b""[..], b" ", b";charset=utf-8"] {
            assert_eq!(declared(&[nothing]), Declared::Nothing, "{}", nothing.escape_ascii());
        }
        for form in [
            &b"application/x-www-form-urlencoded"[..],
            b"APPLICATION/X-WWW-FORM-URLENCODED",
            b" application/x-www-form-urlencoded\t",
            b"application/x-www-form-urlencoded; charset=utf-8",
            b"application/x-www-form-urlencoded;",
        ] {
            assert_eq!(declared(&[form]), Declared::Form, "{}", form.escape_ascii());
        }
        for other in [&b"application/json"[..], b"text/plain", b"application/json;x=\xff", b"x"] {
            assert_eq!(declared(&[other]), Declared::Other, "{}", other.escape_ascii());
        }
        for ambiguous in [
            &b"application/x-www-form-urlencodedx"[..],
            b"application/x-www-form-urlencoded, text/plain",
            b"text/plain, application/x-www-form-urlencoded",
            b"application/x-www-form-urlencoded;charset=\xe9",
            b"application/x-www-form-urlencoded\xff",
            b"application/x-www-form-urlencoded charset=utf-8",
            b"text/plain; application/x-www-form-urlencoded",
            b"application/x-www-form-urlencoded;x=application/X-WWW-form-urlencoded",
            b"\"application/x-www-form-urlencoded\"",
            b"x-www-form-urlencoded",
            b";application/x-www-form-urlencoded",
        ] {
            let text = ambiguous.escape_ascii();
            assert_eq!(declared(&[ambiguous]), Declared::Ambiguous, "{text}");
        }
        let form = FORM.as_bytes();
        for several in [[form, form], [form, b"text/plain"], [b"text/plain", form]] {
            assert_eq!(declared(&several), Declared::Ambiguous);
        }
        assert_eq!(declared(&[b"a/b", b"c/d"]), Declared::Ambiguous);
    }
}
