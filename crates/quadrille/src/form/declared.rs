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
        let parameters = bytes.split(|byte| *byte == b';').skip(1);
        let is_alone = is_alone && parameters.into_iter().all(is_ascii_compatible);
        match is_alone && media_type.eq_ignore_ascii_case(FORM.as_bytes()) {
            true => Self::Form,
            false => Self::Ambiguous,
        }
    }
}

/// `false` for a `charset` in which the bytes of a form are not those of its characters in ASCII. A
/// form is UTF-8 whatever its charset (RFC 6749, appendix B), and mostly ASCII: clients name others
/// for it by default.
fn is_ascii_compatible(parameter: &[u8]) -> bool {
    let parameter = parameter.trim_ascii();
    let Some(at) = parameter.iter().position(|byte| *byte == b'=') else { return true };
    let (name, value) = parameter.split_at(at);
    let value: Vec<u8> = value
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_lowercase)
        .collect();
    let is_wide = [&b"utf16"[..], b"utf32", b"utf7", b"ucs", b"iso10646", b"unicode", b"csunicode"]
        .iter()
        .chain(&[&b"ebcdic"[..], b"ibm0", b"ibm1", b"ibm2", b"cp0", b"cp1"])
        .any(|start| value.starts_with(start))
        // Code pages of Windows are called so, too, and are compatible.
        && !value.starts_with(b"cp125");
    !name.trim_ascii().eq_ignore_ascii_case(b"charset") || !is_wide
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
            b"application/x-www-form-urlencoded;charset=\"UTF-8\"",
            b"application/x-www-form-urlencoded; charset=ISO-8859-1",
            b"application/x-www-form-urlencoded; charset=windows-1252; x=utf-16",
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
            b"application/x-www-form-urlencoded; charset=utf-16",
            b"application/x-www-form-urlencoded;Charset=\"UTF-16LE\"",
            b"application/x-www-form-urlencoded; x=1; charset = UTF32",
            b"application/x-www-form-urlencoded; charset=utf-7",
            b"application/x-www-form-urlencoded; charset=IBM037",
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
