//! The scopes of a server, with their descriptions for the consent page.

use std::{collections::HashMap, sync::Arc};

use crate::{Scopes, form::Limits};

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

/// The most scopes that one request can have a user decide on, and their text in bytes. The form of
/// the consent page, with a field for each and the request itself, remains shorter than a body.
const MOST: usize = 1000;
const LONGEST: usize = 8 * 1024;

/// The limits of the consent page's form: each scope may be a field, and the ticket has them all.
pub(crate) const FORM: Limits = Limits {
    parameters: Limits::DEFAULT.parameters + MOST,
    value_bytes: Limits::DEFAULT.bytes,
    ..Limits::DEFAULT
};

/// `true` if the scopes fit onto a consent page.
pub(crate) fn fit_a_page(scopes: &Scopes) -> bool {
    scopes.as_str().len() <= LONGEST && scopes.iter().nth(MOST).is_none()
}

/// The scopes, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeRegistry {
    scopes: Vec<ScopeInfo>,
    /// The place of each scope in the list.
    places: HashMap<Arc<str>, usize>,
    known: Scopes,
}

impl ScopeRegistry {
    /// Adds scopes, each by name and description. The last description wins.
    pub(crate) fn add<N: AsRef<str>, D: AsRef<str>>(
        &mut self,
        scopes: impl IntoIterator<Item = (N, D)>,
    ) {
        for (name, description) in scopes {
            let name: Arc<str> = name.as_ref().into();
            let info = ScopeInfo { name: name.clone(), description: description.as_ref().into() };
            match self.places.get(&name).and_then(|place| self.scopes.get_mut(*place)) {
                Some(known) => *known = info,
                None => {
                    self.places.insert(name, self.scopes.len());
                    self.scopes.push(info);
                }
            }
        }
        self.known = Scopes::of(self.names());
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
            let known = self.places.get(name).and_then(|place| self.scopes.get(*place));
            known.cloned().unwrap_or_else(|| {
                let name: Arc<str> = name.into();
                ScopeInfo { name: name.clone(), description: name }
            })
        };
        scopes.iter().map(describe).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work;

    fn named(count: usize) -> Vec<(String, &'static str)> {
        (0..count).map(|number| (format!("scope:{number}"), "Described")).collect()
    }

    #[test]
    fn the_last_description_of_a_scope_wins() {
        let mut registry = ScopeRegistry::default();
        registry.add([("a", "First"), ("b", "B"), ("a", "Last")]);
        registry.add([("c", "C")]);
        assert_eq!(registry.known().as_str(), "a b c");
        let described = registry.describe(&Scopes::of(["a", "c", "d"]));
        let words: Vec<_> = described.iter().map(|info| &*info.description).collect();
        assert_eq!(words, ["Last", "C", "d"]);
    }

    #[test]
    fn the_work_of_adding_scopes_is_proportional_to_their_number() {
        work::assert_proportional(500, |count| {
            let scopes = named(count);
            work::of(|| ScopeRegistry::default().add(scopes))
        });
    }

    #[test]
    fn ten_thousand_scopes_are_added_and_described() {
        let mut registry = ScopeRegistry::default();
        registry.add(named(10_000));
        let described = registry.describe(&registry.known().clone());
        assert_eq!(described.len(), 10_000);
        assert!(described.iter().all(|info| &*info.description == "Described"));
    }
}
