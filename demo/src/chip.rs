//! A masked value, as it is drawn everywhere.

use serde::Serialize;

use super::{dance::Dance, value::ValueId};

/// A masked value, as it is drawn.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Chip {
    pub(super) kind: &'static str,
    name: String,
    shown: String,
    length: usize,
    /// Whether the value is drawn whole, since it is no secret.
    public: bool,
}

impl Chip {
    /// The chip of a masked value.
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

/// The chip of a masked value, if the value plays a part in the dance.
pub(super) fn worth_following(dance: &Dance, id: ValueId) -> Option<Chip> {
    dance.value(id)?.kind.is_worth_following().then(|| Chip::of(dance, id)).flatten()
}
