//! Resource indicators (RFC 8707): the APIs that a token is for.

use std::{borrow::Cow, collections::HashSet, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::RequestError;
use crate::form::{FormWriter, Params};

/// The greatest number of resources in one request.
const MOST: usize = 16;

/// A text that is not a resource: not an absolute URI, or one with a fragment (RFC 8707, section
/// 2).
///
/// ```
/// use quadrille::oauth2::{InvalidResource, Resources};
///
/// assert_eq!(Resources::of(["/photos"]).unwrap_err(), InvalidResource);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a resource is an absolute URI without a fragment")]
pub struct InvalidResource;

/// A set of resources (RFC 8707), in the order first named, each once: the APIs of a request or the
/// audience of a token. Cheap to clone.
///
/// Resources are compared as URLs, so `https://API.example` equals `https://api.example:443/`.
///
/// ```
/// use quadrille::oauth2::Resources;
///
/// let resources = Resources::of(["https://api.example", "https://api.example/", "urn:photos"])?;
/// assert_eq!(resources.iter().collect::<Vec<_>>(), ["https://api.example", "urn:photos"]);
/// assert!(resources.contains("https://api.example:443"));
/// assert!(!resources.contains("https://api.example/photos"));
/// assert!(Resources::of(["/photos"]).is_err());
/// assert!(Resources::of(["https://api.example/#photos"]).is_err());
/// # Ok::<(), quadrille::oauth2::InvalidResource>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Resources(Option<Arc<str>>);

impl Resources {
    /// The empty set: the server's own API.
    pub const EMPTY: Self = Self(None);

    /// The set of these resources.
    ///
    /// # Errors
    /// [`InvalidResource`].
    pub fn of<'a>(uris: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidResource> {
        let mut text = String::new();
        let mut known = HashSet::new();
        for uri in uris {
            if known.insert(check(uri)?) {
                join(&mut text, uri);
            }
        }
        Ok(Self::written(text))
    }

    fn written(text: String) -> Self {
        if text.is_empty() { Self::EMPTY } else { Self(Some(text.into())) }
    }

    /// Reads the output of [`as_str`](Self::as_str).
    ///
    /// # Errors
    /// [`InvalidResource`].
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        Self::of(text.split(' ').filter(|uri| !uri.is_empty()))
    }

    /// Reads the `resource` parameters of a request strictly, for a server.
    pub(crate) fn read(params: &Params<'_>) -> Result<Self, RequestError> {
        if params.check("resource").is_err() || params.many("resource").nth(MOST).is_some() {
            return Err(RequestError::MalformedResource);
        }
        Self::of(params.many("resource")).map_err(|_| RequestError::MalformedResource)
    }

    /// Writes a `resource` parameter for each resource.
    pub(super) fn write(&self, form: &mut FormWriter) {
        for uri in self.iter() {
            form.append("resource", uri);
        }
    }

    /// All resources, separated by spaces, which URIs do not contain.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The resources in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(' ').filter(|uri| !uri.is_empty())
    }

    /// Whether the set contains `uri`.
    pub fn contains(&self, uri: &str) -> bool {
        // The spelling is nearly always the same.
        self.iter().any(|known| known == uri)
            || normal(uri).is_some_and(|uri| self.iter().filter_map(normal).any(|it| it == uri))
    }

    /// Whether the set contains all of `other`.
    pub fn is_superset(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let known = self.normal();
        other.iter().all(|uri| normal(uri).is_some_and(|uri| known.contains(&uri)))
    }

    /// The resources as URLs, for comparison. A look-up takes constant time.
    fn normal(&self) -> HashSet<Url> {
        self.iter().filter_map(normal).collect()
    }

    /// The resources that are `wanted`, in this set's order and spelling; `None` if one of them is
    /// not in this set.
    ///
    /// ```
    /// use quadrille::oauth2::Resources;
    ///
    /// let known = Resources::of(["https://api.example", "https://mail.example"])?;
    /// let wanted = Resources::of(["https://API.example/"])?;
    /// assert_eq!(known.narrowed(&wanted).unwrap().as_str(), "https://api.example");
    /// assert_eq!(known.narrowed(&Resources::of(["https://other.example"])?), None);
    /// # Ok::<(), quadrille::oauth2::InvalidResource>(())
    /// ```
    pub fn narrowed(&self, wanted: &Self) -> Option<Self> {
        if self == wanted || wanted.is_empty() {
            return Some(wanted.clone());
        }
        if !self.is_superset(wanted) {
            return None;
        }
        let wanted = wanted.normal();
        let mut text = String::new();
        for uri in self.iter() {
            if normal(uri).is_some_and(|normal| wanted.contains(&normal)) {
                join(&mut text, uri);
            }
        }
        Some(Self::written(text))
    }
}

fn join(text: &mut String, uri: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(uri);
}

/// The normal form of `uri` for comparison.
fn normal(uri: &str) -> Option<Url> {
    #[cfg(test)]
    crate::work::count();
    Url::parse(uri).ok()
}

/// Reads an absolute URI (RFC 3986, section 4.3), which has no fragment.
fn check(uri: &str) -> Result<Url, InvalidResource> {
    let is_plain = uri.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || uri.contains('#') {
        return Err(InvalidResource);
    }
    normal(uri).ok_or(InvalidResource)
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resources({:?})", self.as_str())
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_an_absolute_uri_without_a_fragment() {
        for good in ["https://api.example", "https://a.example/b?c=d", "urn:photos", "app:/x"] {
            assert!(Resources::of([good]).is_ok(), "{good}");
        }
        for bad in
            ["", "api.example", "/photos", "//api.example", "https://", "https://a/#", "a b:c"]
        {
            assert_eq!(Resources::of([bad]), Err(InvalidResource), "{bad}");
        }
    }

    #[test]
    fn parameters_repeat_and_too_many_are_refused() {
        let read = |query: &str| Resources::read(&Params::parse(query.as_bytes()).unwrap());
        let two = read("resource=https%3A%2F%2Fa.example&x=y&resource=urn:b&resource=").unwrap();
        assert_eq!(two.as_str(), "https://a.example urn:b");
        assert_eq!(read("x=y"), Ok(Resources::EMPTY));
        assert_eq!(read("resource=a"), Err(RequestError::MalformedResource));
        let many: String = (0..17).map(|number| format!("&resource=urn:{number}")).collect();
        assert_eq!(read(&many), Err(RequestError::MalformedResource));
    }

    #[test]
    fn thousands_cost_in_proportion_to_their_number() {
        use crate::work;

        let many = |n: usize| -> String {
            (0..n).map(|number| format!("https://api.example/{number} ")).collect()
        };
        work::assert_proportional(500, |n| {
            let text = many(n);
            work::of(|| Resources::parse(&text).unwrap())
        });
        work::assert_proportional(500, |n| {
            let known = Resources::parse(&many(n)).unwrap();
            // The same set in another spelling.
            let wanted = known.as_str().replace("api.example", "API.example");
            let wanted = Resources::parse(&wanted).unwrap();
            work::of(|| assert_eq!(known.narrowed(&wanted), Some(known.clone())))
        });
    }

    #[test]
    fn what_was_written_is_read_again() {
        let two = Resources::of(["https://a.example", "urn:b"]).unwrap();
        assert_eq!(Resources::parse(two.as_str()), Ok(two.clone()));
        let mut form = FormWriter::new();
        two.write(&mut form);
        let form = form.finish();
        assert_eq!(Resources::read(&Params::parse(form.as_bytes()).unwrap()), Ok(two));
    }
}
