//! JSON whose objects have each member once, at any depth. Readers differ in which one of two they take
//! (RFC 8259, section 4).

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

use crate::words::Quoted;

/// Checks that a text is JSON without a repeated member.
pub(super) fn check(json: &str) -> serde_json::Result<()> {
    serde_json::from_str(json).map(|Checked| ())
}

/// A value without a repeated member.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = object.next_key::<String>()? {
            if names.contains(&name) {
                let repeated = format!("the member {} is there twice", Quoted(&name));
                return Err(A::Error::custom(repeated));
            }
            names.insert(name);
            object.next_value::<Self>()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_member_is_found_at_any_depth() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":null}"#,
            r#"{"a":[true,{"b":{"c":"x","d":1.5,"c":"x"}}]}"#,
        ] {
            let error = check(json).unwrap_err().to_string();
            assert!(error.contains("is there twice"), "{json}: {error}");
        }
        for json in [r#"{"a":{"a":[{"a":-1},{"a":18446744073709551615}]},"A":null}"#, "[]", "7"] {
            assert!(check(json).is_ok(), "{json}");
        }
        assert!(check("{").is_err());
        assert!(check(&"[".repeat(100_000)).is_err());
    }
}
