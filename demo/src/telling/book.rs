//! The words of the telling, as they stand in `words/*.toml`.
//!
//! Each sentence there is a field of a struct: one that is missing or that nobody knows ends the
//! reading, one that is never told is a field that the compiler complains about. Notes and remarks are
//! kept by name and by kind instead.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{message::Message, value::Kind};

/// A section of an RFC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Rfc(u16, String);

/// The same, to follow.
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

/// What is said about one arrow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) rfc: Option<Rfc>,
    /// What its sender did before it was sent.
    #[serde(default)]
    pub(crate) before: Vec<String>,
}

/// What is said about a chapter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chapter {
    title: String,
    text: String,
}

/// What is said on a card about what kept it safe. Values stand in braces, a value that is drawn
/// alone in an entry of the figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardWords {
    pub(super) title: String,
    pub(super) figure: Vec<String>,
    pub(super) text: String,
    pub(super) rfc: Rfc,
}

/// What parameters, headers and members are for, by their names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notes {
    any: BTreeMap<String, String>,
    /// Where the browser sees it.
    #[serde(default)]
    front: BTreeMap<String, String>,
    /// Past the browser.
    #[serde(default)]
    back: BTreeMap<String, String>,
    /// In requests past the browser.
    #[serde(default)]
    back_request: BTreeMap<String, String>,
}

impl Notes {
    /// What is said about this name in this message.
    pub(super) fn find(&self, name: &str, message: &Message) -> Option<&str> {
        let special = match (message.is_back_channel(), message.is_request()) {
            (true, true) => self.back_request.get(name).or_else(|| self.back.get(name)),
            (true, false) => self.back.get(name),
            (false, _) => self.front.get(name),
        };
        special.or_else(|| self.any.get(name)).map(String::as_str)
    }

    /// All names that something is said about.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let all = [&self.any, &self.front, &self.back, &self.back_request];
        all.into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }
}

/// What is said about values where it is told who saw them.
pub(super) type Remarks = BTreeMap<Kind, String>;
