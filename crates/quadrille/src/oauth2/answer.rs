//! What a service answers, read leniently: a byte order mark at the front, and bytes in another
//! encoding than UTF-8 or values out of range in members that nobody asks for, do not matter.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value, value::RawValue};

/// Stands where something could not be read. No identifier and no token holds one.
pub(crate) const UNREADABLE: char = char::REPLACEMENT_CHARACTER;

/// The text of an answer, without a byte order mark, and with [`UNREADABLE`] for what is not UTF-8.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}

/// The members of a JSON object; `None` when it is something else. One that cannot be read (a
/// number out of range, half of a surrogate pair) is `null`, and spoils no other.
pub(crate) fn members(text: &str) -> Option<Map<String, Value>> {
    let raw: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(Value::Null);
    Some(raw.into_iter().map(|(name, raw)| (name, read(raw))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_spoils_nothing_beside_it() {
        let body =
            b"\xef\xbb\xbf{\"name\":\"Ren\xe9\",\"far\":1e999,\"half\":\"\\ud800\",\"id\":7}";
        let members = members(&text(body)).unwrap();
        assert_eq!(members["name"], "Ren\u{fffd}");
        assert_eq!(members["far"], Value::Null);
        assert_eq!(members["half"], Value::Null);
        assert_eq!(members["id"], 7);
        for none in ["", "[]", "7", "null", "{", "{\"a\":1}x"] {
            assert_eq!(super::members(none), None, "{none}");
        }
    }
}
