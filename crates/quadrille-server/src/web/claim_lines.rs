//! The claims about users on their pages.

use serde::Serialize;
use serde_json::Value;

use crate::users::{
    User,
    claims::{UPDATED_AT, shown},
};

use super::{app::App, claims::USER_NAME};

/// A claim about the user, for its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ClaimLine {
    pub(super) name: String,
    pub(super) words: String,
    /// The value; `None` if it is not known, or empty.
    pub(super) value: Option<String>,
}

impl App {
    /// A claim about a user in words, as the language of the request has them; `None` without OpenID
    /// Connect.
    pub(super) fn claim_line(&self, user: &User, name: &str) -> Option<ClaimLine> {
        let value = match (name, user.claims.get(name)) {
            (USER_NAME, _) => Some(user.name.as_str().to_owned()),
            (_, Some(Value::Bool(true))) => Some(self.pages.texts().plain("yes")),
            (_, Some(Value::Bool(false))) => Some(self.pages.texts().plain("no")),
            (_, value) => value.map(shown),
        };
        let value = value.filter(|value| !value.trim().is_empty());
        Some(ClaimLine { name: name.to_owned(), words: self.claim_in_words(name)?, value })
    }

    /// The words for a claim.
    pub(super) fn claim_in_words(&self, name: &str) -> Option<String> {
        let words = match name {
            USER_NAME => "User name",
            name => self.claims.as_ref()?.words(name).unwrap_or(name),
        };
        Some(self.pages.texts().words_for("claim", name, words))
    }

    /// The claims about a user that a scope gives to clients, as far as they are known.
    pub(super) fn claims_of_scope(&self, user: &User, scope: &str) -> Vec<ClaimLine> {
        let Some(settings) = &self.claims else { return Vec::new() };
        let names = settings.of_scope(scope).filter(|name| *name != UPDATED_AT);
        let lines = names.filter_map(|name| self.claim_line(user, name));
        lines.filter(|line| line.value.is_some()).collect()
    }
}
