//! The words of the telling, read from `words/*.toml`.
//!
//! Each sentence there is a field of a struct. So a missing or unknown sentence is an error of the
//! parser, and an unused one is a warning of the compiler. Notes and remarks are in maps, by name
//! and by kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{message::Message, value::Kind};

/// A section of an RFC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Rfc(u16, String);

/// A section of an RFC, with its URL.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Link {
    text: String,
    url: String,
}

impl From<&Rfc> for Link {
    fn from(Rfc(rfc, section): &Rfc) -> Self {
        Self {
            text: format!("RFC {rfc}, section {section}"),
            url: format!("https://www.rfc-editor.org/rfc/rfc{rfc}#section-{section}"),
        }
    }
}

/// The words about one arrow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) rfc: Option<Rfc>,
    /// The actions of the sender before the message.
    #[serde(default)]
    pub(crate) before: Vec<String>,
}

/// The words about a chapter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chapter {
    title: String,
    text: String,
}

/// The words on a card about a protection. Braces name values; an entry of the figure may be a
/// value alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardWords {
    pub(super) title: String,
    pub(super) figure: Vec<String>,
    pub(super) text: String,
    pub(super) rfc: Rfc,
}

/// The notes about parameters, headers and members, by their names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notes {
    any: BTreeMap<String, String>,
    /// The notes on messages that the browser sees.
    #[serde(default)]
    front: BTreeMap<String, String>,
    /// The notes on messages past the browser.
    #[serde(default)]
    back: BTreeMap<String, String>,
    /// The notes on requests past the browser.
    #[serde(default)]
    back_request: BTreeMap<String, String>,
}

impl Notes {
    /// The note on this name in this message.
    pub(super) fn find(&self, name: &str, message: &Message) -> Option<&str> {
        let special = match (message.is_back_channel(), message.is_request()) {
            (true, true) => self.back_request.get(name).or_else(|| self.back.get(name)),
            (true, false) => self.back.get(name),
            (false, _) => self.front.get(name),
        };
        special.or_else(|| self.any.get(name)).map(String::as_str)
    }

    /// All names that have a note.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let all = [&self.any, &self.front, &self.back, &self.back_request];
        all.into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }
}

/// The remarks about values, for the table of who saw them.
pub(super) type Remarks = BTreeMap<Kind, String>;
