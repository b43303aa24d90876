//! What a service answers, read leniently: a byte order mark at the front, and bytes in another
//! encoding than UTF-8, values out of range and repeated names in members that nobody asks for, do not
//! matter.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value, map::Entry, value::RawValue};

/// Stands where something could not be read. No identifier and no token holds one.
pub(crate) const UNREADABLE: char = char::REPLACEMENT_CHARACTER;

/// The text of an answer, without a byte order mark, and with [`UNREADABLE`] for what is not UTF-8.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}

/// The members of a JSON object; `None` when it is something else. One that cannot be read (a
/// number out of range, half of a surrogate pair) or is repeated is [`unreadable`], and spoils no
/// other.
pub(crate) fn members(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok().map(|Members(members)| members)
}

/// The value of a member that says something, nobody knows what: neither none nor a text, a number
/// or an object.
pub(crate) fn unreadable() -> Value {
    Value::Array(vec![Value::Null])
}

/// Adds a member. Readers differ in which of two with one name they take, so that the second makes
/// both unreadable.
pub(crate) fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.entry(name) {
        Entry::Vacant(vacant) => {
            vacant.insert(value);
        }
        Entry::Occupied(mut occupied) => {
            occupied.insert(unreadable());
        }
    }
}

struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Map::new();
                while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
                    let value = serde_json::from_str(raw.get()).unwrap_or_else(|_| unreadable());
                    add(&mut members, name, value);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
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
        assert_eq!(members["far"], unreadable());
        assert_eq!(members["half"], unreadable());
        assert_eq!(members["id"], 7);
        for none in ["", "[]", "7", "null", "{", "{\"a\":1}x"] {
            assert_eq!(super::members(none), None, "{none}");
        }
    }

    #[test]
    fn a_member_that_is_repeated_is_read_as_none_of_its_values() {
        for body in [
            r#"{"a":1,"a":2,"b":3}"#,
            r#"{"a":1,"b":3,"a":1}"#,
            r#"{"a":null,"\u0061":"x","a":2,"b":3}"#,
        ] {
            let members = members(body).unwrap();
            assert_eq!(members["a"], unreadable(), "{body}");
            assert_eq!(members["b"], 3, "{body}");
        }
    }
}
