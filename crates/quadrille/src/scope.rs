//! Scopes: sets of them in messages, and single ones as types.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not a list of scopes: a character outside RFC 6749's `scope-token`.
///
/// ```
/// use quadrille::{Scopes, scope::InvalidScope};
///
/// assert_eq!(Scopes::parse("photos \"albums\""), Err(InvalidScope));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope may hold printable ASCII but no quotation mark, backslash or space")]
pub struct InvalidScope;

/// The separator of scopes, which depends on the service.
///
/// ```
/// use quadrille::{Scopes, scope::ScopeSeparator};
///
/// let scopes = Scopes::parse_lenient("repo,gist", ScopeSeparator::Comma);
/// assert_eq!(scopes.as_str(), "repo gist");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeSeparator {
    /// A space, as in RFC 6749, section 3.3.
    #[default]
    Space,
    /// A comma, as in GitHub's responses and Strava's requests.
    Comma,
}

/// A set of scopes (RFC 6749, section 3.3), in the order they were first named, each once. Cheap to
/// clone.
///
/// ```
/// use quadrille::Scopes;
///
/// let asked = Scopes::parse("photos:read  profile photos:read")?;
/// assert_eq!(asked.as_str(), "photos:read profile");
/// assert!(asked.contains("profile"));
/// assert!(asked.is_superset(&Scopes::parse("profile")?));
/// assert!(!asked.contains("Profile"), "scopes are case-sensitive");
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Option<Arc<str>>);

/// The number of names that are compared one by one; more need a table.
const FEW: usize = 16;

/// Names, each once. A request may contain thousands, so comparing each with all others would be
/// quadratic.
#[derive(Default)]
struct Names<'a> {
    few: Vec<&'a str>,
    many: HashSet<&'a str>,
}

impl<'a> Names<'a> {
    fn contains(&self, name: &str) -> bool {
        let is_among_few = self.few.iter().any(|known| {
            #[cfg(test)]
            crate::work::count();
            *known == name
        });
        is_among_few || (!self.many.is_empty() && self.many.contains(name))
    }

    /// Adds a name; `false` if it was present.
    fn insert(&mut self, name: &'a str) -> bool {
        if self.contains(name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

impl Scopes {
    /// The empty set.
    pub const EMPTY: Self = Self(None);

    /// Reads a list separated by spaces.
    ///
    /// # Errors
    /// [`InvalidScope`] if a name contains a character that RFC 6749 does not allow.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        // `all` is slower: a loop without a branch looks at many bytes at a time.
        let fits = |byte| byte == b' ' || is_scope_byte(byte);
        if !text.bytes().fold(true, |good, byte| good & fits(byte)) {
            return Err(InvalidScope);
        }
        if is_written_well(text) {
            return Ok(Self(Some(text.into())));
        }
        Ok(Self::of(text.split(' ')))
    }

    /// Reads a list as services write it: skips names with invalid characters, and white space
    /// always separates.
    ///
    /// ```
    /// use quadrille::{Scopes, scope::ScopeSeparator};
    ///
    /// let granted = Scopes::parse_lenient("repo,gist, user", ScopeSeparator::Comma);
    /// assert_eq!(granted.as_str(), "repo gist user");
    /// ```
    pub fn parse_lenient(text: &str, separator: ScopeSeparator) -> Self {
        let separates = |char: char| {
            char.is_whitespace() || (char == ',' && separator == ScopeSeparator::Comma)
        };
        if separator == ScopeSeparator::Space
            && let Ok(scopes) = Self::parse(text)
        {
            return scopes;
        }
        Self::of(text.split(separates).filter(|name| name.bytes().all(is_scope_byte)))
    }

    /// As it stands in a message to a service that wants this separator.
    ///
    /// ```
    /// use quadrille::{Scopes, scope::ScopeSeparator};
    ///
    /// let asked = Scopes::parse("read activity:read")?;
    /// assert_eq!(asked.join(ScopeSeparator::Comma), "read,activity:read");
    /// # Ok::<(), quadrille::scope::InvalidScope>(())
    /// ```
    pub fn join(&self, separator: ScopeSeparator) -> Cow<'_, str> {
        match separator {
            ScopeSeparator::Space => Cow::Borrowed(self.as_str()),
            ScopeSeparator::Comma => Cow::Owned(self.as_str().replace(' ', ",")),
        }
    }

    /// The set of `names`, unchecked; skips empty ones.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        let mut known = Names::default();
        for name in names.into_iter().flat_map(|names| names.split(' ')) {
            if name.is_empty() || !known.insert(name) {
                continue;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(name);
        }
        if text.is_empty() { Self::EMPTY } else { Self(Some(text.into())) }
    }

    /// The text of a message, separated by single spaces.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(' ').filter(|name| !name.is_empty())
    }

    /// Whether the set contains `name`.
    pub fn contains(&self, name: &str) -> bool {
        !name.is_empty() && self.iter().any(|known| known == name)
    }

    /// Whether the set contains all of `other`.
    pub fn is_superset(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        if other.iter().nth(FEW).is_none() {
            return other.iter().all(|name| self.contains(name));
        }
        let known = self.names();
        other.iter().all(|name| known.contains(name))
    }

    fn names(&self) -> Names<'_> {
        let mut names = Names::default();
        for name in self.iter() {
            names.insert(name);
        }
        names
    }

    /// The scopes in either set.
    ///
    /// ```
    /// use quadrille::Scopes;
    ///
    /// let (granted, needed) = (Scopes::parse("a b")?, Scopes::parse("b c")?);
    /// assert_eq!(granted.union(&needed).as_str(), "a b c");
    /// # Ok::<(), quadrille::scope::InvalidScope>(())
    /// ```
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_superset(other) {
            self.clone()
        } else {
            Self::of(self.iter().chain(other.iter()))
        }
    }

    /// The scopes in both sets.
    ///
    /// ```
    /// use quadrille::Scopes;
    ///
    /// let (asked, allowed) = (Scopes::parse("a b")?, Scopes::parse("b c")?);
    /// assert_eq!(asked.intersection(&allowed).as_str(), "b");
    /// # Ok::<(), quadrille::scope::InvalidScope>(())
    /// ```
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        if other.is_superset(self) {
            return self.clone();
        }
        let known = other.names();
        Self::of(self.iter().filter(|name| known.contains(name)))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({:?})", self.as_str())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        Self::of(names)
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

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

    /// Adds scopes that `scope` implies.
    #[must_use]
    pub fn implies<'a>(mut self, scope: &str, others: impl IntoIterator<Item = &'a str>) -> Self {
        let tree = Arc::make_mut(self.0.get_or_insert_default());
        let implied = tree.entry(scope.into()).or_default();
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

/// Whether `text` is a few different names of `NQCHAR`s (RFC 6749, appendix A), separated by single
/// spaces, as it nearly always is.
fn is_written_well(text: &str) -> bool {
    let mut names = text.as_bytes().split(|byte| *byte == b' ');
    let mut count = 0;
    while let Some(name) = names.next() {
        count += 1;
        if name.is_empty() || count > FEW || names.clone().any(|other| other == name) {
            return false;
        }
    }
    true
}

const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// One scope as a type, so that a handler's signature names it. Made by [`scopes!`](crate::scopes).
///
/// ```
/// use quadrille::{Scope, scopes};
///
/// scopes! {
///     pub Photos = "photos:read", "See your photos";
/// }
/// assert_eq!(Photos::NAME, "photos:read");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "a type that `scopes!` made is wanted here",
    note = "declare it: `scopes! {{ Photos = \"photos:read\", \"See your photos\"; }}`"
)]
pub trait Scope: Send + Sync + 'static {
    /// The name in messages.
    const NAME: &'static str;
    /// A description for the user on the consent page.
    const DESCRIPTION: &'static str;
}

/// The requirement of a handler: a [`Scope`], a tuple of requirements (all), [`Any`] of a tuple
/// (one), or `()` (any valid token). `(Photos, Any<(Print, Upload)>)` is `Photos` and one of the
/// others.
///
/// ```
/// use quadrille::{Scopes, scope::{Any, ScopeRequirement}, scopes};
///
/// scopes! {
///     Photos = "photos:read", "See your photos";
///     Upload = "photos:write", "Add photos of yours";
/// }
///
/// let granted = Scopes::parse("photos:read")?;
/// assert!(Photos::is_met(&granted));
/// assert!(!<(Photos, Upload)>::is_met(&granted));
/// assert!(Any::<(Photos, Upload)>::is_met(&granted));
/// assert!(!<(Upload, Any<(Photos, Upload)>)>::is_met(&granted));
/// assert!(<()>::is_met(&Scopes::EMPTY));
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which scopes are required",
    label = "a scope, a tuple of scopes, `Any` of a tuple, or `()` is wanted here",
    note = "`Photos` is one scope, `(Photos, Upload)` is both, `Any<(Photos, Upload)>` is one of \
            them, `()` is none",
    note = "scopes are types that `scopes!` makes: \
            `scopes! {{ Photos = \"photos:read\", \"See your photos\"; }}`"
)]
pub trait ScopeRequirement: Send + Sync + 'static {
    /// Whether `granted` suffices.
    fn is_met(granted: &Scopes) -> bool;
    /// The scopes to request, for a challenge (RFC 6750, section 3).
    fn names() -> Vec<&'static str>;
}

/// A requirement met by one of the scopes in the tuple `T`: `Any<(Read, Write)>`.
///
/// ```
/// use quadrille::{Scopes, scope::{Any, ScopeRequirement}, scopes};
///
/// scopes! {
///     pub Read = "read", "See your photos";
///     pub Write = "write", "Change your photos";
/// }
/// let granted = Scopes::of(["write"]);
/// assert!(<Any<(Read, Write)>>::is_met(&granted));
/// assert!(!<(Read, Write)>::is_met(&granted));
/// ```
#[derive(Debug)]
pub struct Any<T>(std::marker::PhantomData<fn() -> T>);

impl ScopeRequirement for () {
    fn is_met(_: &Scopes) -> bool {
        true
    }
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
}

#[diagnostic::do_not_recommend]
impl<S: Scope> ScopeRequirement for S {
    fn is_met(granted: &Scopes) -> bool {
        granted.contains(S::NAME)
    }
    fn names() -> Vec<&'static str> {
        vec![S::NAME]
    }
}

macro_rules! tuples {
    ($($name:ident),+) => {
        impl<$($name: ScopeRequirement),+> ScopeRequirement for ($($name,)+) {
            fn is_met(granted: &Scopes) -> bool {
                $($name::is_met(granted))&&+
            }
            fn names() -> Vec<&'static str> {
                [$($name::names()),+].concat()
            }
        }
        impl<$($name: ScopeRequirement),+> ScopeRequirement for Any<($($name,)+)> {
            fn is_met(granted: &Scopes) -> bool {
                $($name::is_met(granted))||+
            }
            fn names() -> Vec<&'static str> {
                [$($name::names()),+].concat()
            }
        }
    };
}
tuples!(A);
tuples!(A, B);
tuples!(A, B, C);
tuples!(A, B, C, D);
tuples!(A, B, C, D, E);
tuples!(A, B, C, D, E, F);

/// Declares scopes as types, with their descriptions on a consent page.
///
/// ```
/// use quadrille::{Scope, scopes};
///
/// scopes! {
///     /// Reading photos.
///     pub Photos = "photos:read", "See your photos";
///     pub Upload = "photos:write", "Add photos of yours";
/// }
/// assert_eq!(Photos::NAME, "photos:read");
/// assert_eq!(Upload::DESCRIPTION, "Add photos of yours");
/// ```
#[macro_export]
macro_rules! scopes {
    ($($(#[$meta:meta])* $visibility:vis $type:ident = $name:literal, $description:literal;)+) => {
        $(
            $(#[$meta])*
            #[doc = concat!("The scope `", $name, "`: ", $description, ".")]
            #[derive(Clone, Copy, Debug)]
            $visibility struct $type;

            impl $crate::Scope for $type {
                const NAME: &'static str = $name;
                const DESCRIPTION: &'static str = $description;
            }
        )+
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work;

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
    fn thousands_of_scopes_cost_in_proportion_to_their_number() {
        let list = |n: usize| (0..n).map(|number| format!("s{number} ")).collect::<String>();
        // Sixteen long names before many short ones: none of them is compared with each of the
        // others.
        let long =
            (0..16).map(|number| format!("{number}{} ", "x".repeat(2000))).collect::<String>();
        work::assert_proportional(500, |n| {
            let text = [&*long, &list(n)].concat();
            work::of(|| Scopes::parse(&text).unwrap())
        });
        work::assert_proportional(500, |n| {
            let one = Scopes::parse(&list(n)).unwrap();
            let other = Scopes::parse(&["x ", &list(n)].concat()).unwrap();
            work::of(|| {
                assert!(other.is_superset(&one) && !one.is_superset(&other));
                assert_eq!(other.intersection(&one), one);
                assert_eq!(one.union(&other).iter().count(), n + 1);
            })
        });
    }
}
