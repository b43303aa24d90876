//! JSON objects with each member once. Readers differ in which one of two they take (RFC 8259,
//! section 4), so that a text in which a member is repeated may say one thing to a check and another
//! one to a program behind it.
//!
//! ```
//! use quadrille::json::{ObjectError, read_object};
//!
//! let members = read_object(br#"{"sub":"ada","roles":["admin"]}"#)?;
//! assert_eq!(members["sub"], "ada");
//! let twice = read_object(br#"{"sub":"ada","act":{"sub":"bob","sub":"eve"}}"#);
//! assert_eq!(twice, Err(ObjectError::Repeated("sub".to_owned())));
//! # Ok::<(), ObjectError>(())
//! ```

use std::{borrow::Cow, cell::Cell, fmt};

use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, map::Entry};

/// The reason why [`read_object`] rejects a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The text is not one JSON object.
    #[error("no JSON object (column {column})")]
    Malformed {
        /// The column of the fault in its line: bytes, counted from 1.
        column: usize,
    },
    /// A member is repeated: its name.
    #[error("the member {0:?} is there twice")]
    Repeated(String),
}

/// Reads one object. A member that is repeated is an error, at any depth.
///
/// # Errors
/// [`ObjectError`].
pub fn read_object(json: &[u8]) -> Result<Map<String, Value>, ObjectError> {
    let mut members = Map::new();
    read_members(json, |name, value| insert(&mut members, name, value))?;
    Ok(members)
}

/// Reads one object as [`read_object`] does. `take` gets each member, and returns whether it is new.
pub(crate) fn read_members(
    json: &[u8],
    take: impl FnMut(Cow<'_, str>, Value) -> bool,
) -> Result<(), ObjectError> {
    // At once: the reader of bytes looks at each text by itself, which takes longer.
    let text = std::str::from_utf8(json).map_err(|error| {
        let before = json.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        ObjectError::Malformed { column: line.len() + 1 }
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let repeated = Cell::new(None);
    let members = Members { take, repeated: &repeated };
    let read = reader.deserialize_map(members).and_then(|()| reader.end());
    read.map_err(|error| match repeated.take() {
        Some(name) => ObjectError::Repeated(name),
        None => ObjectError::Malformed { column: error.column().max(1) },
    })
}

/// Adds a member, and returns whether it is new.
pub(crate) fn insert(members: &mut Map<String, Value>, name: Cow<'_, str>, value: Value) -> bool {
    match members.entry(name) {
        Entry::Vacant(place) => {
            place.insert(value);
            true
        }
        Entry::Occupied(_) => false,
    }
}

struct Members<'r, F> {
    take: F,
    /// The name of a member that is repeated.
    repeated: &'r Cell<Option<String>>,
}

impl<'de, F: FnMut(Cow<'_, str>, Value) -> bool> Visitor<'de> for Members<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value_seed(Strict { repeated: self.repeated })?;
            if !(self.take)(name.clone(), value) {
                self.repeated.set(Some(name.into_owned()));
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(())
    }
}

/// The name of a member, which most readers need not keep.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Accepts every value, so that its only error of its own is the repeated member.
#[derive(Clone, Copy)]
struct Strict<'r> {
    /// The name of a member that is repeated.
    repeated: &'r Cell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value_seed(self)?;
            if !insert(&mut members, name.clone(), value) {
                self.repeated.set(Some(name.into_owned()));
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(Value::Object(members))
    }
}

/// Writes one JSON object. Those of responses are flat, and writing a fixed shape by hand is faster.
pub(crate) struct JsonObject(Vec<u8>);

impl JsonObject {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        Self(out)
    }

    /// Adds a text. Names in the code need no escapes.
    pub(crate) fn string(&mut self, name: &'static str, value: &str) {
        self.known(name);
        write_string(&mut self.0, value);
    }

    /// Adds texts: one as a text, several as a list, and none not at all.
    pub(crate) fn strings(&mut self, name: &'static str, values: &[impl AsRef<str>]) {
        match values {
            [] => {}
            [one] => self.string(name, one.as_ref()),
            several => self.list(name, several),
        }
    }

    /// Adds a list of texts.
    pub(crate) fn list(&mut self, name: &'static str, values: &[impl AsRef<str>]) {
        self.known(name);
        self.0.push(b'[');
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
                self.0.push(b',');
            }
            write_string(&mut self.0, value.as_ref());
        }
        self.0.push(b']');
    }

    pub(crate) fn number(&mut self, name: &'static str, value: impl Serialize) {
        self.known(name);
        // Writing a number into a Vec cannot fail.
        let _ = serde_json::to_writer(&mut self.0, &value);
    }

    /// Adds a value that is JSON already.
    pub(crate) fn raw(&mut self, name: &'static str, json: &str) {
        self.known(name);
        self.0.extend_from_slice(json.as_bytes());
    }

    pub(crate) fn value(&mut self, name: &str, value: &Value) {
        self.next();
        write_string(&mut self.0, name);
        self.0.push(b':');
        match value {
            Value::String(text) => write_string(&mut self.0, text),
            other => {
                // Writing a value into a Vec cannot fail.
                let _ = serde_json::to_writer(&mut self.0, other);
            }
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    fn known(&mut self, name: &'static str) {
        self.next();
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn next(&mut self) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // `any` is slower: a loop without a branch looks at many bytes at a time.
    if text.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        for byte in text.bytes() {
            match byte {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                control @ 0..=0x1f => {
                    out.extend_from_slice(b"\\u00");
                    out.push(b'0' + (control >> 4));
                    out.push(
                        b"0123456789abcdef".get(usize::from(control & 15)).copied().unwrap_or(b'0'),
                    );
                }
                byte => out.push(byte),
            }
        }
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

const fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_repeated_is_found_at_any_depth() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[0,[{"a":1,"a":3}]]}"#,
        ] {
            let repeated = Err(ObjectError::Repeated("a".to_owned()));
            assert_eq!(read_object(json.as_bytes()), repeated, "{json}");
        }
        for json in ["", "[]", "7", "{", "{}}", "{} {}", r#"{"a":1e999}"#, "{\"a\":\"\u{1}\"}"] {
            let read = read_object(json.as_bytes());
            assert!(matches!(read, Err(ObjectError::Malformed { .. })), "{json}: {read:?}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let deep = read_object(deep.as_bytes());
        assert!(matches!(deep, Err(ObjectError::Malformed { .. })), "{deep:?}");
    }

    #[test]
    fn a_fault_is_told_with_its_column() {
        for (json, column) in [
            (&b"[]"[..], 1),
            (br#"{"a":1 "b":2}"#, 8),
            (b"{\"a\":1,\n\"b\" 2}", 5),
            (b"{\"a\":\n\"\xff\"}", 2),
        ] {
            assert_eq!(read_object(json), Err(ObjectError::Malformed { column }));
        }
    }

    #[test]
    fn what_is_read_is_what_a_plain_reader_reads() {
        let json = r#" {"a":[1,-2,0.5,1e3,true,null,"\u00e9\ud83e\udd80"],
            "b":{"a":{}},"n":18446744073709551615} "#;
        let plain: Map<String, Value> = serde_json::from_str(json).unwrap();
        assert_eq!(read_object(json.as_bytes()), Ok(plain));
    }

    #[test]
    fn every_character_is_read_back_as_it_was() {
        let text: String =
            (0..=0x2ff).filter_map(char::from_u32).chain(['\u{2028}', '🦀']).collect();
        let mut object = JsonObject::with_capacity(16);
        object.string("s", &text);
        object.number("n", u64::MAX);
        object.value(&text, &serde_json::json!([null, {"a": 1.5}]));
        object.value("v", &text.as_str().into());
        object.strings("none", &[""; 0]);
        object.strings("one", std::slice::from_ref(&text));
        object.strings("two", &[text.clone(), "b".to_owned()]);
        object.list("empty", &[""; 0]);
        let read: Value = serde_json::from_slice(&object.finish()).unwrap();
        assert_eq!(read["s"], text.as_str());
        assert_eq!(read["n"], u64::MAX);
        assert_eq!(read[&text][1]["a"], 1.5);
        assert_eq!((&read["v"], &read["one"]), (&read["s"], &read["s"]));
        assert_eq!(read["two"], serde_json::json!([text, "b"]));
        assert_eq!((read.get("none"), &read["empty"]), (None, &serde_json::json!([])));
        assert_eq!(JsonObject::with_capacity(2).finish(), b"{}");
    }
}
