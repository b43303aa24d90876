//! Resource indicators (RFC 8707): for which API a token is meant.

use std::{borrow::Cow, collections::HashSet, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::RequestError;
use crate::form::{FormWriter, Params};

/// How many resources one request may name.
const MOST: usize = 16;

/// A text that cannot stand for a resource: it is no absolute URI, or has a fragment (RFC 8707,
/// section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a resource is an absolute URI without a fragment")]
pub struct InvalidResource;

/// A set of resources (RFC 8707), in the order they were first named, each once: what a client wants
/// a token for, and who may take it, its audience. Cheap to clone.
///
/// Where two are compared they are compared as URLs, so that `https://API.example` and
/// `https://api.example:443/` are the same.
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
    /// None at all: the server's own API.
    pub const EMPTY: Self = Self(None);

    /// The set of these URIs.
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

    /// Reads what [`as_str`](Self::as_str) wrote.
    ///
    /// # Errors
    /// [`InvalidResource`].
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        Self::of(text.split(' ').filter(|uri| !uri.is_empty()))
    }

    /// Reads the `resource` parameters of a request, strictly, as a server does.
    pub(super) fn read(params: &Params<'_>) -> Result<Self, RequestError> {
        if params.check("resource").is_err() || params.many("resource").nth(MOST).is_some() {
            return Err(RequestError::MalformedResource);
        }
        Self::of(params.many("resource")).map_err(|_| RequestError::MalformedResource)
    }

    /// Writes a `resource` parameter for each.
    pub(super) fn write(&self, form: &mut FormWriter) {
        for uri in self.iter() {
            form.append("resource", uri);
        }
    }

    /// All in one text, with spaces between: URIs hold none.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(' ').filter(|uri| !uri.is_empty())
    }

    /// Whether `uri` is among them.
    pub fn contains(&self, uri: &str) -> bool {
        // Nearly always it is spelled the same.
        self.iter().any(|known| known == uri)
            || normal(uri).is_some_and(|uri| self.iter().filter_map(normal).any(|it| it == uri))
    }

    /// Whether all of `other` are among them.
    pub fn is_superset(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let known = self.normal();
        other.iter().all(|uri| normal(uri).is_some_and(|uri| known.contains(&uri)))
    }

    /// These as URLs, to be compared. A look-up of each is cheap however many there are.
    fn normal(&self) -> HashSet<Url> {
        self.iter().filter_map(normal).collect()
    }

    /// Those of these that are `wanted`, in their order and spelling here; `None` when one is wanted
    /// that is not among them.
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

/// `uri` as URLs are compared.
fn normal(uri: &str) -> Option<Url> {
    #[cfg(test)]
    crate::work::count();
    Url::parse(uri).ok()
}

/// An absolute URI (RFC 3986, section 4.3), which has no fragment.
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
            // The same set, spelled in another way.
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
