//! JSON objects: a writer for the flat ones of responses, since writing a fixed shape by hand is
//! faster, and a strict reader for those that decide.

use std::{borrow::Cow, fmt};

use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, map::Entry};

/// Writes one JSON object.
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

/// The reason why [`read_object`] rejects a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectError {
    /// The text is not one JSON object.
    Malformed,
    /// A member is repeated, and readers differ in which one they take.
    Repeated,
}

/// Reads one object. A member that is repeated is an error, at any depth.
pub(crate) fn read_object(json: &[u8]) -> Result<Map<String, Value>, ObjectError> {
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
    let json = std::str::from_utf8(json).map_err(|_| ObjectError::Malformed)?;
    let mut reader = serde_json::Deserializer::from_str(json);
    let mut is_object = false;
    let members = Members { take, is_object: &mut is_object };
    let read = reader.deserialize_map(members).and_then(|()| reader.end());
    read.map_err(|error| match error.is_data() && is_object {
        true => ObjectError::Repeated,
        false => ObjectError::Malformed,
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

struct Members<'o, F> {
    take: F,
    /// Set when the value turns out to be one.
    is_object: &'o mut bool,
}

impl<'de, F: FnMut(Cow<'_, str>, Value) -> bool> Visitor<'de> for Members<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        *self.is_object = true;
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value_seed(Strict)?;
            if !(self.take)(name, value) {
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
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
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
        while let Some(value) = seq.next_element_seed(Self)? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value_seed(Self)?;
            if !insert(&mut members, name, value) {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(Value::Object(members))
    }
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
            assert_eq!(read_object(json.as_bytes()), Err(ObjectError::Repeated), "{json}");
        }
        for json in ["", "[]", "7", "{", "{}}", "{} {}", r#"{"a":1e999}"#, "{\"a\":\"\u{1}\"}"] {
            assert_eq!(read_object(json.as_bytes()), Err(ObjectError::Malformed), "{json}");
        }
        assert_eq!(read_object(b"{\"a\":\"\xff\"}"), Err(ObjectError::Malformed));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read_object(deep.as_bytes()), Err(ObjectError::Malformed));
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
