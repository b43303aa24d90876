//! The scopes of a server, with their descriptions for the consent page.

use std::sync::Arc;

use crate::Scopes;

/// A scope on a consent page.
///
/// ```
/// use quadrille::provider::ScopeInfo;
///
/// fn item(scope: &ScopeInfo) -> String {
///     format!("<input type=checkbox name=scope value={}> {}", scope.name, scope.description)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ScopeInfo {
    /// The scope's name on the wire.
    pub name: Arc<str>,
    /// The permission in the user's words; the name if there is no description.
    pub description: Arc<str>,
}

/// The scopes, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeRegistry {
    scopes: Vec<ScopeInfo>,
    known: Scopes,
}

impl ScopeRegistry {
    /// Adds a scope. The last description wins.
    pub(crate) fn add(&mut self, name: &str, description: &str) {
        self.known = self.known.union(&Scopes::of([name]));
        self.scopes.retain(|known| &*known.name != name);
        self.scopes.push(ScopeInfo { name: name.into(), description: description.into() });
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(|scope| &*scope.name)
    }

    /// All known scopes: no other scope is granted.
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
