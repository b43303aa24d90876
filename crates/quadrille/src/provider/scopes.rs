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
pub(crate) struct ScopeRegistry {
    scopes: Vec<ScopeInfo>,
    known: Scopes,
}

impl ScopeRegistry {
    /// The last description wins.
    pub(crate) fn add(&mut self, name: &str, description: &str) {
        self.known = self.known.union(&Scopes::of([name]));
        self.scopes.retain(|known| &*known.name != name);
        self.scopes.push(ScopeInfo { name: name.into(), description: description.into() });
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(|scope| &*scope.name)
    }

    /// All that are known: no other scope is granted.
    pub(crate) const fn known(&self) -> &Scopes {
        &self.known
    }

    pub(crate) fn describe(&self, scopes: &Scopes) -> Vec<ScopeInfo> {
        let describe = |name: &str| {
            self.scopes.iter().find(|known| &*known.name == name).cloned().unwrap_or_else(|| {
                let name: Arc<str> = name.into();
                ScopeInfo { name: name.clone(), description: name }
            })
        };
        scopes.iter().map(describe).collect()
    }
}
