//! The fields of an application's own form, read into its own type. A field that stands there
//! several times, as check boxes do, is a list.

use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, IntoDeserializer,
        value::{Error, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::form::Params;

/// Reads `params` into a `T`, without the fields that `T` does not have. A `Vec` takes all fields
/// of its name (give it `#[serde(default)]`: an unticked check box is not sent).
pub(crate) fn read<T: DeserializeOwned>(params: &Params<'_>) -> Result<T, Error> {
    let mut fields: Vec<(&str, Values<'_>)> = Vec::new();
    for (name, value) in params.iter() {
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, Values(values))) => values.push(value),
            None => fields.push((name, Values(vec![value]))),
        }
    }
    T::deserialize(Fields(fields))
}

struct Fields<'a>(Vec<(&'a str, Values<'a>)>);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(MapDeserializer::new(self.0.into_iter()))
    }

    fn deserialize_unit<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The values of one field.
struct Values<'a>(Vec<&'a str>);

impl<'a> Values<'a> {
    fn only(&self) -> Result<&'a str, Error> {
        match *self.0 {
            [only] => Ok(only),
            _ => Err(de::Error::custom("a field is repeated")),
        }
    }

    fn parse<T: std::str::FromStr>(&self) -> Result<T, Error> {
        self.only()?.parse().map_err(|_| de::Error::custom("a field is no number"))
    }
}

impl<'de> IntoDeserializer<'de, Error> for Values<'_> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident),*) => {
        $(fn $method<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.parse()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Values<'_> {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.only()?)
    }

    fn deserialize_seq<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.0.into_iter().map(|value| Values(vec![value]))))
    }

    fn deserialize_option<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.iter().all(|value| value.is_empty()) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_bool<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(matches!(self.only()?, "on" | "true" | "1" | "yes"))
    }

    fn deserialize_enum<V: de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.only()?.into_deserializer().deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    numbers! {
        deserialize_i8 visit_i8, deserialize_i16 visit_i16, deserialize_i32 visit_i32,
        deserialize_i64 visit_i64, deserialize_u8 visit_u8, deserialize_u16 visit_u16,
        deserialize_u32 visit_u32, deserialize_u64 visit_u64, deserialize_f32 visit_f32,
        deserialize_f64 visit_f64
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Form {
        decision: Choice,
        #[serde(default)]
        scope: Vec<String>,
        #[serde(default)]
        remember: bool,
        days: Option<u32>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        Allow,
        Deny,
    }

    fn form(text: &str) -> Result<Form, Error> {
        read(&Params::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn check_boxes_are_lists_and_the_rest_is_what_the_type_says() {
        assert_eq!(
            form("ticket=x&scope=a&decision=allow&scope=b&remember=on&days=30"),
            Ok(Form {
                decision: Choice::Allow,
                scope: vec!["a".into(), "b".into()],
                remember: true,
                days: Some(30),
            })
        );
        assert_eq!(
            form("decision=deny&days="),
            Ok(Form { decision: Choice::Deny, scope: vec![], remember: false, days: None })
        );
        assert_eq!(form("decision=deny&scope=a").unwrap().scope, ["a"]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for text in ["", "decision=maybe", "decision=deny&decision=allow", "decision=deny&days=x"] {
            assert!(form(text).is_err(), "{text}");
        }
        assert_eq!(read::<()>(&Params::parse(b"anything=goes").unwrap()), Ok(()));
    }
}
