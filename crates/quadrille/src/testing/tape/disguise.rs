//! A secret in disguise: the same value in the encodings of texts.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

use crate::form::FormWriter;

/// The most encodings around each other.
const DEPTH: usize = 4;

/// A value as it stands in a URL.
fn encoded(value: &str) -> String {
    let mut form = FormWriter::new();
    form.append("", value);
    form.finish().trim_start_matches('=').to_owned()
}

/// The spellings of a secret that are replaced: those of URLs, JSON and HTML.
pub(super) fn spellings(secret: &str) -> Vec<String> {
    let encoded = encoded(secret);
    let spaced = encoded.replace('+', "%20");
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut all = vec![
        secret.to_owned(),
        json.replace('/', "\\/"),
        json,
        html.replace('"', "&quot;"),
        html,
        lower_percent(&spaced),
        lower_percent(&encoded),
        spaced,
        encoded,
    ];
    all.dedup();
    all
}

/// A text with its percent-encoding in lower case.
fn lower_percent(text: &str) -> String {
    let mut parts = text.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lower += &format!("%{}{rest}", code.to_ascii_lowercase());
    }
    lower
}

/// The texts to look for in search of secrets in any encoding.
pub(super) struct Needles {
    /// The secrets themselves, and in Base64.
    texts: Vec<String>,
    /// The secrets in hexadecimal digits, in lower case.
    digits: Vec<String>,
}

impl Needles {
    pub(super) fn of<'s>(secrets: impl Iterator<Item = &'s str>) -> Self {
        let (mut texts, mut digits) = (Vec::new(), Vec::new());
        for secret in secrets {
            // In a form a space is a plus sign, and a plus sign that was not encoded a space.
            texts.extend([secret.to_owned(), secret.replace(' ', "+"), secret.replace('+', " ")]);
            texts.push(whole(secret));
            texts.extend(base64_of(secret));
            digits.push(hex(secret));
        }
        texts.sort_unstable();
        texts.dedup();
        texts.retain(|text| !text.is_empty());
        Self { texts, digits }
    }

    /// Whether a text contains a secret, in any encoding of texts, in Base64 or in hexadecimal digits.
    pub(super) fn are_in(&self, text: &str) -> bool {
        if self.texts.is_empty() {
            return false;
        }
        let holds = |text: &str| {
            let lower = text.to_ascii_lowercase();
            self.texts.iter().any(|needle| text.contains(&**needle))
                || self.digits.iter().any(|digits| lower.contains(&**digits))
        };
        let mut layer = text.to_owned();
        for _ in 0..=DEPTH {
            // Long Base64 is in lines, and UTF-16 has a zero beside each character.
            let has_breaks = layer.contains(['\r', '\n', '\0']);
            if holds(&layer) || (has_breaks && holds(&layer.replace(['\r', '\n', '\0'], ""))) {
                return true;
            }
            let next = decoded(&layer);
            if next == layer {
                break;
            }
            layer = next;
        }
        false
    }

    /// Whether bytes contain a secret. It is text, which bytes that are none leave as it is.
    pub(super) fn are_in_bytes(&self, bytes: &[u8]) -> bool {
        self.are_in(&String::from_utf8_lossy(bytes))
    }
}

/// A text without all its encodings.
pub(super) fn whole(text: &str) -> String {
    (0..DEPTH).fold(text.to_owned(), |text, _| decoded(&text))
}

/// The parts of the Base64 of all texts around a secret that depend on the secret alone: it begins at
/// each of the three bytes of a group.
fn base64_of(secret: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (before, begins) in [(0, 0), (1, 2), (2, 3)] {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        let ends = bytes.len() * 8 / 6;
        for text in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
            all.extend(text.get(begins..ends).map(str::to_owned));
        }
    }
    all.dedup();
    all
}

fn hex(secret: &str) -> String {
    secret.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A text without one layer of percent-encoding, of escapes as in JSON, and of entities as in HTML.
pub(super) fn decoded(text: &str) -> String {
    if !text.contains(['%', '\\', '&']) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((character, after)) = code(rest) {
            match character {
                Code::Byte(byte) => bytes.push(byte),
                Code::Char(char) => bytes.extend_from_slice(char.to_string().as_bytes()),
            }
            rest = after;
            continue;
        }
        let (plain, after) = rest.split_at_checked(first.len_utf8()).unwrap_or((rest, ""));
        bytes.extend_from_slice(plain.as_bytes());
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

enum Code {
    Byte(u8),
    Char(char),
}

/// The encoded character that a text begins with, and the text after it.
fn code(text: &str) -> Option<(Code, &str)> {
    let number = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).ok();
    if let Some(rest) = text.strip_prefix('%') {
        let (digits, rest) = rest.split_at_checked(2)?;
        return Some((Code::Byte(u8::from_str_radix(digits, 16).ok()?), rest));
    }
    if let Some(rest) = text.strip_prefix('\\') {
        for (sign, length) in [('u', 4), ('x', 2)] {
            if let Some((digits, after)) =
                rest.strip_prefix(sign).and_then(|it| it.split_at_checked(length))
                && let Some(char) = number(digits, 16).and_then(char::from_u32)
            {
                return Some((Code::Char(char), after));
            }
        }
        let char = match rest.chars().next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            sign @ ('/' | '"' | '\'' | '\\' | '&') => sign,
            _ => return None,
        };
        return Some((Code::Char(char), rest.get(1..)?));
    }
    let (entity, rest) = text.strip_prefix('&')?.split_once(';')?;
    let char = match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "sol" => '/',
        "plus" => '+',
        "equals" => '=',
        _ => {
            let number = match entity.strip_prefix('#')? {
                hex if hex.starts_with(['x', 'X']) => number(hex.get(1..)?, 16),
                decimal => number(decimal, 10),
            };
            char::from_u32(number?)?
        }
    };
    Some((Code::Char(char), rest))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const SECRET: &str = "sEcReT+can/ary==42~TOKEN.xyz";

    fn each(how: impl Fn(u8) -> String) -> String {
        SECRET.bytes().map(how).collect()
    }

    #[test]
    fn a_secret_is_found_in_each_disguise() {
        let percent = encoded(SECRET);
        let twice = encoded(&percent);
        let mut cases = vec![
            SECRET.to_owned(),
            lower_percent(&percent),
            percent,
            encoded(&twice),
            twice,
            each(|byte| format!("%{byte:02X}")),
            each(|byte| format!("\\u{byte:04x}")),
            each(|byte| format!("&#{byte};")),
            each(|byte| format!("&#x{byte:x};")),
            each(|byte| format!("{byte:02x}")),
            each(|byte| format!("{byte:02X}")),
            each(|byte| format!("{}\0", char::from(byte))),
            SECRET.replace('/', "\\/"),
            SECRET.replace('+', "&#43;").replace('=', "&#61;"),
        ];
        for before in ["", "u:", "our-id:", "x-our-id:", "y-our-id:"] {
            for after in ["", ":a", "; b"] {
                let text = format!("{before}{SECRET}{after}");
                let standard = BASE64_STANDARD.encode(&text);
                cases.push(encoded(&standard));
                let (line, rest) = standard.split_at(10);
                cases.push(format!("{line}\r\n{rest}"));
                cases.extend([standard, BASE64_URL_SAFE_NO_PAD.encode(&text)]);
            }
        }
        for case in cases {
            for text in
                [case.clone(), format!("x/{case}/y"), format!("a-{case}_b"), format!("v1+{case}")]
            {
                assert!(Needles::of([SECRET].into_iter()).are_in(&text), "{text}");
            }
        }
        for text in
            ["sEcReT", "sEcReT can/ary", "", "%", "\\", "&", "\\u12", "%zz&#;&#x;&#99999999;"]
        {
            assert!(!Needles::of([SECRET].into_iter()).are_in(text), "{text}");
        }
    }

    #[test]
    fn a_secret_that_looks_encoded_is_found() {
        for secret in ["a%2Bb/c%3Dd/e", "a\\u002fb/c123", "our secret/7"] {
            let json = serde_json::Value::from(secret).to_string().replace('/', "\\/");
            for text in [secret.to_owned(), encoded(secret), json] {
                assert!(Needles::of([secret].into_iter()).are_in(&text), "{text}");
            }
        }
    }
}
