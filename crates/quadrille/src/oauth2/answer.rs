//! Lenient reading of JSON from another party: a byte order mark, bytes that are not UTF-8, lone
//! surrogates, numbers out of range and repeated names are tolerated in members that nobody reads.

use std::{borrow::Cow, fmt, marker::PhantomData};

use memchr::memchr;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value, map::Entry, value::RawValue};

/// Replaces unreadable characters. No identifier and no token contains it.
pub(crate) const UNREADABLE: char = char::REPLACEMENT_CHARACTER;

/// The text of a response, without a byte order mark, and with [`UNREADABLE`] for bytes that are
/// not UTF-8 and, in JSON, for lone surrogates. Borrowed if everything is readable.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Most bodies are UTF-8, which this check finds out faster.
    let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::from);
    match without_halves(&text) {
        Some(whole) => Cow::Owned(whole),
        None => text,
    }
}

/// `json` with an escaped [`UNREADABLE`] for each lone surrogate, which is not text (RFC 8259,
/// section 8.2). `None` without one.
fn without_halves(json: &str) -> Option<String> {
    // A form has no escapes.
    json.trim_start().strip_prefix(['{', '['])?;
    let (mut rest, mut out) = (json, None::<String>);
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at_checked(at)?;
        let (length, is_half) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            _ => (2, false),
        };
        // A truncated escape is not JSON.
        let (escape, after) = escape.split_at_checked(length)?;
        if is_half && out.is_none() {
            out = Some(json.strip_suffix(rest)?.to_owned());
        }
        if let Some(out) = &mut out {
            out.push_str(before);
            out.push_str(if is_half { "\\ufffd" } else { escape });
        }
        rest = after;
    }
    out.map(|out| out + rest)
}

/// The code unit of an escape, if `text` begins with one.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// The members of a JSON object; `None` for anything else. A member that is out of range or
/// repeated becomes [`unreadable`] and affects no other.
pub(crate) fn members(text: &str) -> Option<Map<String, Value>> {
    // Reading each value on its own costs twice as much, and is seldom needed.
    if let Ok(Members(members, ..)) = serde_json::from_str::<Members<Value>>(text) {
        return Some(members);
    }
    serde_json::from_str::<Members<&RawValue>>(text).ok().map(|Members(members, ..)| members)
}

/// The elements of a JSON array; `None` for anything else. An unreadable element becomes
/// [`unreadable`] and affects no other.
#[cfg(feature = "consumer")]
pub(crate) fn elements(text: &str) -> Option<Vec<Value>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let read = |raw: &RawValue| match members(raw.get()) {
        Some(members) => Value::Object(members),
        None => value(raw),
    };
    Some(elements.into_iter().map(read).collect())
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| unreadable())
}

/// A number, which some services send as a text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The value of an unreadable member: neither `null` nor a text, a number or an object.
pub(crate) fn unreadable() -> Value {
    Value::Array(vec![Value::Null])
}

/// Adds a member. A repeated name makes its value unreadable, since readers differ in which one
/// they take.
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

/// The value of a member as it is read: all at once, or first as its text.
trait Readable {
    fn into_value(self) -> Value;
}

impl Readable for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl Readable for &RawValue {
    fn into_value(self) -> Value {
        value(self)
    }
}

/// The members of an object whose values are read as a `V`.
struct Members<V>(Map<String, Value>, PhantomData<V>);

impl<'de, V: Readable + Deserialize<'de>> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<V>(PhantomData<V>);

        impl<'de, V: Readable + Deserialize<'de>> Visitor<'de> for Reader<V> {
            type Value = Members<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<V>, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = map.next_entry::<String, V>()? {
                    add(&mut members, name, value.into_value());
                }
                Ok(Members(members, PhantomData))
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
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
        assert_eq!(members["half"], "\u{fffd}");
        assert_eq!(members["id"], 7);
        for none in ["", "[]", "7", "null", "{", "{\"a\":1}x"] {
            assert_eq!(super::members(none), None, "{none}");
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_costs_that_character_alone() {
        for (json, read) in [
            (r#"{"a":"\ud83e\udd80"}"#, r#"{"a":"\ud83e\udd80"}"#),
            (r#"{"a":"\\ud800"}"#, r#"{"a":"\\ud800"}"#),
            (r#"{"a":"x\uD800y"}"#, r#"{"a":"x\ufffdy"}"#),
            (r#"{"a":"\n\\\udFFFy\""}"#, r#"{"a":"\n\\\ufffdy\""}"#),
            (r#"{"a":"\ud800\ud83e\udd80"}"#, r#"{"a":"\ufffd\ud83e\udd80"}"#),
            (r#"{"a":"\udd80\ud83e"}"#, r#"{"a":"\ufffd\ufffd"}"#),
            (r#"{"\ud800":{"\udc00":["\ud800"]}}"#, r#"{"\ufffd":{"\ufffd":["\ufffd"]}}"#),
            (r#" [ "\ud800é" ]"#, r#" [ "\ufffdé" ]"#),
            (r"a=\ud800", r"a=\ud800"),
        ] {
            assert_eq!(text(json.as_bytes()), read);
            let borrowed = matches!(text(json.as_bytes()), Cow::Borrowed(_));
            assert_eq!(borrowed, json == read, "{json}");
        }
        for broken in [r#"{"a":"\"#, r#"{"a":"\é"}"#, r#"{"a":"\ud8"#, r#"{"a":"\ud800\u"}"#] {
            assert_eq!(members(&text(broken.as_bytes())), None, "{broken}");
        }
    }

    #[cfg(feature = "consumer")]
    #[test]
    fn an_element_that_cannot_be_read_spoils_no_other() {
        let text = r#"[{"far":1e999,"id":7},1e999,"x"]"#;
        let elements = elements(text).unwrap();
        assert_eq!(elements[0]["id"], 7);
        assert_eq!(elements[1..], [unreadable(), "x".into()]);
        for none in ["", "{}", "7", "[1", "[1]x"] {
            assert_eq!(super::elements(none), None, "{none}");
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
