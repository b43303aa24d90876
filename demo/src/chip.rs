//! A masked value, as it is drawn wherever it comes by.

use serde::Serialize;

use super::{dance::Dance, value::ValueId};

/// A masked value, as it is drawn.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Chip {
    pub(super) kind: &'static str,
    name: String,
    shown: String,
    length: usize,
    /// Shown whole: it is no secret.
    public: bool,
}

impl Chip {
    /// A masked value, as it is drawn.
    pub(super) fn of(dance: &Dance, id: ValueId) -> Option<Self> {
        let value = dance.value(id)?;
        let name = match value.ordinal {
            2.. if value.kind.is_counted() => format!("{} {}", value.kind.name(), value.ordinal),
            _ => value.kind.name().to_owned(),
        };
        Some(Self {
            kind: value.kind.slug(),
            name,
            shown: value.shown.clone(),
            length: value.length,
            public: value.kind.is_of_one_message(),
        })
    }
}

/// The same, if it has a part in the dance.
pub(super) fn worth_following(dance: &Dance, id: ValueId) -> Option<Chip> {
    dance.value(id)?.kind.is_worth_following().then(|| Chip::of(dance, id)).flatten()
}
