//! The scopes that a server knows, with the words in which it asks for consent.

use std::sync::Arc;

use crate::Scopes;

/// A scope, as a consent page shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ScopeInfo {
    /// As it stands in messages.
    pub name: Arc<str>,
    /// What it lets an application do; its name when nobody said.
    pub description: Arc<str>,
}

/// In the order they were named.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeRegistry(Vec<ScopeInfo>);

impl ScopeRegistry {
    /// The last description wins.
    pub(crate) fn add(&mut self, name: &str, description: &str) {
        self.0.retain(|known| &*known.name != name);
        self.0.push(ScopeInfo { name: name.into(), description: description.into() });
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|scope| &*scope.name)
    }

    pub(crate) fn describe(&self, scopes: &Scopes) -> Vec<ScopeInfo> {
        let describe = |name: &str| {
            self.0.iter().find(|known| &*known.name == name).cloned().unwrap_or_else(|| {
                let name: Arc<str> = name.into();
                ScopeInfo { name: name.clone(), description: name }
            })
        };
        scopes.iter().map(describe).collect()
    }
}
