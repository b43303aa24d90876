//! Sets of scopes, as messages have them (RFC 6749, section 3.3).

use std::{borrow::Cow, collections::HashSet, fmt, sync::Arc};

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

    /// The set whose [`Scopes::as_str`] is `text`: one that this library has written and sealed.
    #[cfg(feature = "consumer")]
    pub(crate) fn written(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.into()))
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

    /// The names as bytes: most sets are short, and a search for characters takes longer to begin.
    fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.as_str().as_bytes().split(|byte| *byte == b' ').filter(|name| !name.is_empty())
    }

    fn has(&self, name: &[u8]) -> bool {
        self.bytes().any(|known| known == name)
    }

    /// Whether the set contains `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.has(name.as_bytes())
    }

    /// Whether the set contains all of `other`.
    pub fn is_superset(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        if other.bytes().nth(FEW).is_none() {
            return other.bytes().all(|name| self.has(name));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work;

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
