//! A value of a settings file.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::Secret;

/// The settings of a section, in the order of the file.
pub(crate) type Entries = Vec<(String, Setting)>;

/// A value of a settings file of any format that describes itself. Reading one never fails: a
/// reader of TOML prints the line of an error, which may have a secret. It may be a secret itself,
/// so it has no `Debug`.
pub(crate) enum Setting {
    Text(Secret),
    Flag(bool),
    /// `None` for a number that is no number of things.
    Number(Option<u64>),
    List(Vec<Setting>),
    Table(Entries),
    Nothing,
}

impl Setting {
    /// Whether a text, here or below, stands in quotation marks.
    pub(crate) fn is_quoted(&self) -> bool {
        match self {
            Self::Text(text) => is_quoted(text.expose()),
            Self::List(items) => items.iter().any(Self::is_quoted),
            Self::Table(entries) => entries.iter().any(|(_, value)| value.is_quoted()),
            Self::Flag(_) | Self::Number(_) | Self::Nothing => false,
        }
    }
}

/// Whether a value stands in quotation marks, which belong to a file's or a shell's syntax.
pub(crate) fn is_quoted(text: &str) -> bool {
    let inner = |mark| text.strip_prefix(mark).is_some_and(|rest| rest.ends_with(mark));
    inner('"') || inner('\'')
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Setting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Setting, E> {
        Ok(Setting::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Setting, E> {
        Ok(Setting::Number(u64::try_from(number).ok()))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Setting, E> {
        Ok(Setting::Number(None))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Setting, E> {
        Ok(Setting::Number(Some(number)))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Setting, E> {
        Ok(Setting::Number(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Setting, E> {
        Ok(Setting::Number(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Setting, E> {
        Ok(Setting::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Setting, E> {
        Ok(Setting::Text(text.into()))
    }

    fn visit_none<E>(self) -> Result<Setting, E> {
        Ok(Setting::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Setting, E> {
        Ok(Setting::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Setting, D::Error> {
        Setting::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Setting, D::Error> {
        Setting::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Setting, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Setting::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Setting, A::Error> {
        let mut entries = Entries::new();
        while let Some(entry) = members.next_entry()? {
            entries.push(entry);
        }
        Ok(Setting::Table(entries))
    }
}
