//! Scopes on pages.

use serde::Serialize;

use super::super::app::App;

/// A scope with its description.
#[derive(Debug, Serialize)]
pub(in crate::web) struct ScopeLine {
    pub(in crate::web) name: String,
    pub(in crate::web) description: String,
}

impl App {
    /// The scopes with their descriptions.
    pub(in crate::web) fn scope_lines<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Vec<ScopeLine> {
        let line = |name: &str| ScopeLine {
            name: name.to_owned(),
            description: self.scopes.get(name).cloned().unwrap_or_else(|| name.to_owned()),
        };
        names.map(line).collect()
    }
}
