//! Scopes on pages.

use serde::Serialize;

use super::super::app::App;

/// A scope with its description.
#[derive(Debug, Serialize)]
pub(in crate::web) struct ScopeLine {
    pub(in crate::web) name: String,
    pub(in crate::web) description: String,
    /// What it permits in more words, if there are some.
    pub(in crate::web) details: Option<String>,
}

impl App {
    /// The scopes with their descriptions.
    pub(in crate::web) fn scope_lines<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Vec<ScopeLine> {
        let line = |name: &str| ScopeLine {
            name: name.to_owned(),
            description: self
                .scope_in_words(name, self.scopes.get(name).map_or(name, String::as_str)),
            details: self.pages.texts().details_of_scope(name),
        };
        names.map(line).collect()
    }

    /// The scope with this description in the settings, as the language of the request has it.
    pub(super) fn scope_in_words(&self, name: &str, description: &str) -> String {
        self.pages.texts().words_for("scope", name, description)
    }
}
