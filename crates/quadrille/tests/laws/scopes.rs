//! Scopes are sets.

use proptest::{collection::vec, prelude::*};
use quadrille::{Scopes, scope::ScopeSeparator};

/// From few names, so that sets overlap.
fn set() -> impl Strategy<Value = Scopes> {
    vec(prop::sample::select(vec!["a", "b", "c:d", "C:d", "e.f"]), 0..6).prop_map(Scopes::of)
}

/// Whether both hold the same, in whatever order.
fn same(one: &Scopes, other: &Scopes) -> bool {
    one.is_superset(other) && other.is_superset(one)
}

proptest! {
    #[test]
    fn a_set_is_read_back_as_it_was(a in set()) {
        prop_assert_eq!(Scopes::parse(a.as_str()).unwrap(), a.clone());
        prop_assert_eq!(Scopes::parse_lenient(a.as_str(), ScopeSeparator::Space), a.clone());
        let joined = a.join(ScopeSeparator::Comma);
        prop_assert_eq!(Scopes::parse_lenient(&joined, ScopeSeparator::Comma), a.clone());
        let json = serde_json::to_string(&a).unwrap();
        prop_assert_eq!(serde_json::from_str::<Scopes>(&json).unwrap(), a);
    }

    #[test]
    fn each_name_stands_there_once_where_it_came_first(names in vec("[a-c ]{0,4}", 0..60)) {
        let set = Scopes::of(names.iter().map(String::as_str));
        let mut seen: Vec<&str> = Vec::new();
        for name in names.iter().flat_map(|names| names.split(' ')).filter(|name| !name.is_empty()) {
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        let count = seen.len();
        prop_assert_eq!(set.iter().collect::<Vec<_>>(), seen);
        prop_assert!(set.iter().all(|name| set.contains(name) && !name.contains(' ')));
        prop_assert_eq!(set.is_empty(), count == 0);
    }

    #[test]
    fn unions_hold_both_and_nothing_else(a in set(), b in set()) {
        let union = a.union(&b);
        prop_assert!(union.is_superset(&a) && union.is_superset(&b));
        prop_assert!(union.iter().all(|name| a.contains(name) || b.contains(name)));
        prop_assert!(same(&union, &b.union(&a)));
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert_eq!(a.union(&Scopes::EMPTY), a);
    }

    #[test]
    fn intersections_hold_what_is_in_both(a in set(), b in set()) {
        let both = a.intersection(&b);
        prop_assert!(a.is_superset(&both) && b.is_superset(&both));
        prop_assert!(a.iter().all(|name| both.contains(name) == b.contains(name)));
        prop_assert!(same(&both, &b.intersection(&a)));
        prop_assert_eq!(a.intersection(&Scopes::EMPTY), Scopes::EMPTY);
    }

    #[test]
    fn a_superset_is_what_a_union_does_not_grow(a in set(), b in set()) {
        prop_assert_eq!(a.is_superset(&b), a.union(&b) == a);
        prop_assert_eq!(a.is_superset(&b), same(&a.intersection(&b), &b));
    }
}
