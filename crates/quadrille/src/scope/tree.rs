//! Scopes that imply others.

use std::{collections::BTreeMap, sync::Arc};

use super::set::Scopes;

/// Scopes that imply others: a token with `photos` may do what `photos:read` permits. Empty by
/// default. Cheap to clone.
///
/// ```
/// use quadrille::{Scopes, scope::ScopeTree};
///
/// let tree = ScopeTree::new()
///     .implies("admin", ["photos"])
///     .implies("photos", ["photos:read", "photos:write"]);
/// let granted = Scopes::parse("admin")?;
/// assert_eq!(tree.expand(&granted).as_str(), "admin photos photos:read photos:write");
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeTree(Option<Arc<BTreeMap<Box<str>, Scopes>>>);

impl ScopeTree {
    /// A tree in which no scope implies another.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Adds scopes that `scope` implies, but for `openid`: a user who lets a client have `photos` was not
    /// asked whether it may know who they are.
    #[must_use]
    pub fn implies<'a>(mut self, scope: &str, others: impl IntoIterator<Item = &'a str>) -> Self {
        let tree = Arc::make_mut(self.0.get_or_insert_default());
        let implied = tree.entry(scope.into()).or_default();
        let others = others.into_iter().filter(|name| *name != "openid");
        *implied = implied.union(&Scopes::of(others));
        self
    }

    /// The scopes with all that they imply, at any depth.
    #[must_use]
    pub fn expand(&self, scopes: &Scopes) -> Scopes {
        let Some(tree) = &self.0 else { return scopes.clone() };
        let mut all = scopes.clone();
        loop {
            let implied = all.iter().filter_map(|name| tree.get(name)).flat_map(Scopes::iter);
            let more: Scopes = all.iter().chain(implied).collect();
            if more == all {
                return all;
            }
            all = more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_implies_at_any_depth_and_in_circles_what_the_tree_says() {
        let tree =
            ScopeTree::new().implies("a", ["b"]).implies("b", ["c", "d"]).implies("d", ["a"]);
        let expand = |text: &str| tree.expand(&Scopes::parse(text).unwrap()).as_str().to_owned();
        assert_eq!(expand("b"), "b c d a");
        assert_eq!(expand("c x"), "c x");
        assert_eq!(expand(""), "");
    }

    #[test]
    fn no_scope_implies_that_a_client_may_know_who_its_user_is() {
        let tree = ScopeTree::new().implies("a", ["openid", "b"]).implies("b", ["openid"]);
        assert_eq!(tree.expand(&Scopes::of(["a"])).as_str(), "a b");
    }
}
