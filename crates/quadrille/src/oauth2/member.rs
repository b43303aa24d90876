//! Paths to a member of a response, and its value as written.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};

use super::answer;
#[cfg(any(test, feature = "consumer"))]
use super::answer::UNREADABLE;

/// Identifiers are short; cookies and keys contain them.
#[cfg(any(test, feature = "consumer"))]
pub(crate) const LONGEST: usize = 255;

/// The path to a member: names separated by dots, `data.id`. In an array, a number is an index from
/// zero; `\.` is a dot in a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberPath(Vec<String>);

impl MemberPath {
    /// Reads a path; `None` if a name is empty.
    #[cfg(any(test, feature = "consumer"))]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut names = vec![String::new()];
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match (char, names.last_mut()) {
                ('.', _) => names.push(String::new()),
                ('\\', Some(name)) => name.push(chars.next()?),
                (char, Some(name)) => name.push(char),
                (_, None) => {}
            }
        }
        names.iter().all(|name| !name.is_empty()).then_some(Self(names))
    }

    /// The members around the path's end in the response `text`, whose own are `whole`, and the
    /// name of the last one.
    pub(crate) fn among(
        &self,
        text: &str,
        whole: &Map<String, Value>,
    ) -> Option<(Map<String, Value>, &str)> {
        let (name, above) = self.0.split_last()?;
        match above {
            // The response may be a form.
            [] => Some((whole.clone(), name)),
            above => Some((answer::members(walk(above, text)?)?, name)),
        }
    }

    /// The value at this path in a value that was read.
    #[cfg(feature = "consumer")]
    pub(crate) fn value<'v>(&self, all: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(all, |value, name| match value {
            Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
            other => other.get(name),
        })
    }

    /// The value at this path in `json`, as written; `None` if it is missing or repeated.
    #[cfg(feature = "consumer")]
    pub(crate) fn as_written<'j>(&self, json: &'j str) -> Option<&'j str> {
        walk(&self.0, json)
    }

    /// The identifier at this path in `json`, exactly as written. `None` if there is none or it is
    /// not exact: repeated, a fraction, an exponent, a negative zero, a text with a control
    /// character or with bytes that are not UTF-8.
    #[cfg(any(test, feature = "consumer"))]
    pub(crate) fn identifier(&self, json: &str) -> Option<String> {
        let json = walk(&self.0, json)?;
        let text = match json.as_bytes() {
            [b'"', ..] => serde_json::from_str(json).ok()?,
            [b'-', b'0'] => return None,
            [b'-', digits @ ..] | digits if digits.iter().all(u8::is_ascii_digit) => {
                json.to_owned()
            }
            _ => return None,
        };
        let is_exact = |char: char| !char.is_control() && char != UNREADABLE;
        let fit = !text.trim().is_empty() && text.len() <= LONGEST && text.chars().all(is_exact);
        fit.then_some(text)
    }
}

/// The value at the end of these names, as written.
fn walk<'j>(names: &[String], mut json: &'j str) -> Option<&'j str> {
    for name in names {
        let mut reader = serde_json::Deserializer::from_str(json);
        json = Pick(name).deserialize(&mut reader).ok()??.get();
    }
    Some(json)
}

/// Whether a member has this name.
struct Is<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// Finds the value of one member. A repeated member is an error: readers differ in which one they
/// take.
struct Pick<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_wanted) = map.next_key_seed(Is(self.0))? {
            if !is_wanted {
                map.next_value::<IgnoredAny>()?;
            } else if found.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let at: usize = self.0.parse().map_err(A::Error::custom)?;
        let mut found = None;
        let mut place = 0;
        while let Some(value) = seq.next_element::<&RawValue>()? {
            if place == at {
                found = Some(value);
            }
            place += 1;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(path: &str, json: &str) -> Option<String> {
        MemberPath::parse(path).unwrap().identifier(json)
    }

    #[test]
    fn an_identifier_keeps_every_digit_and_letter_or_is_none() {
        let long = "9".repeat(255);
        let longer = "9".repeat(256);
        for (value, expected) in [
            ("7", Some("7")),
            ("0", Some("0")),
            ("-7", Some("-7")),
            ("18446744073709551616", Some("18446744073709551616")),
            ("184467440737095516159", Some("184467440737095516159")),
            ("184467440737095516001", Some("184467440737095516001")),
            ("-184467440737095516001", Some("-184467440737095516001")),
            (&long, Some(&*long)),
            (&longer, None),
            ("1.84e20", None),
            ("7.0", None),
            ("7e0", None),
            ("7E2", None),
            ("-0", None),
            ("-0.0", None),
            ("1e999", None),
            ("true", None),
            ("false", None),
            ("null", None),
            ("{}", None),
            ("[7]", None),
            (r#""""#, None),
            (r#"" ""#, None),
            (r#""7""#, Some("7")),
            (r#""007""#, Some("007")),
            (r#""1.84e20""#, Some("1.84e20")),
            (r#"" a b ""#, Some(" a b ")),
            (r#""A""#, Some("A")),
            (r#""\u00e9""#, Some("\u{e9}")),
            (r#""e\u0301""#, Some("e\u{301}")),
            (r#""a\u0000b""#, None),
            (r#""a\nb""#, None),
            (r#""\ud800""#, None),
            ("\"Ren\u{fffd}\"", None),
        ] {
            let json = format!(r#"{{"other":1e999,"id":{value} }}"#);
            assert_eq!(identifier("id", &json).as_deref(), expected, "{json}");
            let json = format!(r#"{{"data":[{{}},{{"id":{value}}}]}}"#);
            assert_eq!(identifier("data.1.id", &json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn a_path_leads_below_other_members() {
        let json = r#"{"a":{"b":{"c":1}},"https://x.example/id":2,"a.b":3,"list":[4,[5]]}"#;
        for (path, expected) in [
            ("a.b.c", Some("1")),
            (r"https://x\.example/id", Some("2")),
            (r"a\.b", Some("3")),
            ("list.0", Some("4")),
            ("list.1.0", Some("5")),
            ("list.2", None),
            ("list.-1", None),
            ("list.x", None),
            ("a", None),
            ("a.b.c.d", None),
            ("x", None),
        ] {
            assert_eq!(identifier(path, json).as_deref(), expected, "{path}");
        }
        for path in ["", ".", "a.", ".a", "a..b", "a\\"] {
            assert_eq!(MemberPath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn an_identifier_that_stands_there_twice_is_none() {
        for json in [
            r#"{"id":7,"id":8}"#,
            r#"{"id":7,"id":7}"#,
            r#"{"id":7,"i\u0064":8}"#,
            r#"{"id":7"#,
            r#"{"id":7}}"#,
            "",
        ] {
            let found = identifier("id", json);
            // Only a reader of the whole text checks the rest behind the object.
            assert_eq!(found.as_deref(), (json == r#"{"id":7}}"#).then_some("7"), "{json}");
        }
    }
}
