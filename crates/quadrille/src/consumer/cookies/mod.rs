//! The cookies of one request, and those that its response sets.

pub(super) mod room;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::{
    consumer::{error::OperatorError, wire::push_decimal},
    cookie,
};

/// The greatest number of cookies read of one kind. Browsers keep fewer per host (RFC 6265, section
/// 6.1, asks for 50).
const SEEN: usize = 256;
/// The greatest number of cookies tried of one name.
const ALIKE: usize = 8;

/// The cookies of one request and its response. Cheap to clone; all clones share one jar.
///
/// ```
/// use quadrille::consumer::Jar;
///
/// let jar = Jar::new(&http::HeaderMap::new());
/// let set_cookie = jar.close();
/// assert!(set_cookie.is_empty());
/// ```
///
/// With the feature `axum` it is an extractor, and a part of a response:
///
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::{extract::State, response::Redirect};
/// use quadrille::{Login, Result, consumer::{Begin, Jar}};
///
/// async fn leave(State(login): State<Login>, jar: Jar) -> Result<(Jar, Redirect)> {
///     let url = login.begin(&jar, &Begin::new("github").next("/album")).await?;
///     Ok((jar, Redirect::to(&url)))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Jar(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The `Cookie` header of the request.
    came: Option<HeaderValue>,
    /// Further ones, which HTTP/2 allows.
    came_too: Vec<HeaderValue>,
    set: Vec<Set>,
    left: bool,
}

#[derive(Debug)]
struct Set {
    name: String,
    /// `None` removes the cookie.
    value: Option<String>,
    line: HeaderValue,
}

/// Names and attributes of this site's cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieStyle {
    /// The prefix of all cookies of this library at this origin, for any mount.
    family: String,
    /// The family followed by the path of the login, except the default path.
    prefix: String,
    secure: bool,
}

impl CookieStyle {
    /// The style of a login at `url`, the public URL, with its routes at `mount`.
    ///
    /// Browsers separate neither the ports of a host nor its paths, so the name contains both if
    /// they are not the default.
    pub(crate) fn of(url: &Url, mount: &str) -> Self {
        let path = [url.path().trim_end_matches('/'), mount].concat();
        Self::new(url.scheme() == "https", url.port(), &path)
    }

    /// `path` is the public path of the login routes.
    pub(crate) fn new(secure: bool, port: Option<u16>, path: &str) -> Self {
        let mut family = String::from(if secure { "__Host-quadrille" } else { "quadrille" });
        if let Some(port) = port {
            // No encoded path contains a full stop.
            let _ = write!(family, ".{port}");
        }
        family.push('-');
        let mut prefix = family.clone();
        if path != "/login" {
            // With the leading slash, which separates a path from the name of a cookie.
            for byte in path.trim_end_matches('/').bytes() {
                // Lower-case hexadecimal for all other bytes, including '-', so that no two paths
                // share a name.
                if byte.is_ascii_alphanumeric() {
                    prefix.push(char::from(byte));
                } else {
                    let _ = write!(prefix, "_{byte:02x}");
                }
            }
            prefix.push('-');
        }
        Self { family, prefix, secure }
    }

    pub(crate) fn name(&self, what: &str) -> String {
        [&self.prefix, what].concat()
    }

    /// The name of the cookie of this kind for a service.
    pub(crate) fn name_of(&self, kind: &str, service: &str) -> String {
        [&self.prefix, kind, service].concat()
    }

    /// The end of a name after the prefix and `kind`.
    pub(crate) fn strip<'a>(&self, kind: &str, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.prefix)?.strip_prefix(kind)
    }

    /// The login that a cookie of this name belongs to.
    pub(crate) fn whose<'a>(&self, name: &'a str) -> Whose<'a> {
        if !name.starts_with(&self.family) {
            return Whose::Foreign;
        }
        match name.strip_prefix(&self.prefix) {
            // The default path has no prefix of its own, and no name of a cookie begins like a
            // path.
            Some(what) if !what.starts_with('_') => Whose::This(what),
            _ => Whose::AnotherLogins,
        }
    }
}

/// The login that a cookie belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose<'a> {
    /// This login, with the end of the name after the prefix.
    This(&'a str),
    /// Another login at this origin: at another path, perhaps a former one.
    AnotherLogins,
    /// Another program.
    Foreign,
}

impl Jar {
    /// The jar of a request with these headers.
    pub fn new(headers: &HeaderMap) -> Self {
        let mut came = headers.get_all(header::COOKIE).iter().cloned();
        let (came, came_too) = (came.next(), came.collect());
        Self(Arc::new(Mutex::new(State { came, came_too, set: Vec::new(), left: false })))
    }

    /// The `Set-Cookie` values for the response. Closes the jar: cookies set later would be lost,
    /// so they are refused.
    pub fn close(&self) -> Vec<HeaderValue> {
        let mut state = self.lock();
        state.left = true;
        std::mem::take(&mut state.set).into_iter().map(|set| set.line).collect()
    }

    /// Whether the response is sent.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().left
    }

    /// The current values of the cookies of this name. There may be several, set at other paths or
    /// by other domains, in any order (RFC 6265, section 5.4): the first that the caller can read
    /// counts.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        self.read(|cookies| cookies.values(name).into_iter().map(str::to_owned).collect())
    }

    /// The results of `pick` on the current names and values of cookies, up to the limit.
    pub(crate) fn pick<T>(&self, pick: impl Fn(&str, &str) -> Option<T>) -> Vec<T> {
        self.read(|cookies| cookies.pick(pick))
    }

    /// Reads the current cookies without copies. `read` must not use the jar.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Cookies<'_>) -> T) -> T {
        read(&Cookies(&self.lock()))
    }

    pub(crate) fn set(
        &self,
        style: &CookieStyle,
        what: &str,
        value: String,
        lives: Duration,
    ) -> Result<(), OperatorError> {
        self.set_named(style, style.name(what), value, lives)
    }

    /// Sets a cookie of this library by its full name.
    pub(crate) fn set_named(
        &self,
        style: &CookieStyle,
        name: String,
        value: String,
        lives: Duration,
    ) -> Result<(), OperatorError> {
        self.put(style, name, Some(value), lives)
    }

    /// Whether the browser has a cookie of this full name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.read(|cookies| cookies.all().any(|(known, _)| known == name))
    }

    /// Removes a cookie, if the browser has it.
    pub(crate) fn remove(&self, style: &CookieStyle, what: &str) -> Result<(), OperatorError> {
        let is_it = |name: &str| style.strip("", name) == Some(what);
        let is_there = |cookies: &Cookies<'_>| cookies.all().any(|(name, _)| is_it(name));
        if self.read(is_there) { self.remove_named(style, style.name(what)) } else { Ok(()) }
    }

    /// Removes a cookie of this library that the browser has, by its full name. They all have the
    /// same path and no domain.
    pub(crate) fn remove_named(
        &self,
        style: &CookieStyle,
        name: String,
    ) -> Result<(), OperatorError> {
        self.put(style, name, None, Duration::ZERO)
    }

    fn put(
        &self,
        style: &CookieStyle,
        name: String,
        value: Option<String>,
        lives: Duration,
    ) -> Result<(), OperatorError> {
        let mut state = self.lock();
        if state.left {
            return Err(OperatorError::AnswerHasLeft);
        }
        let mut line =
            String::with_capacity(name.len() + 96 + value.as_ref().map_or(0, String::len));
        for part in [&name, "=", value.as_deref().unwrap_or(""), "; Path=/; Max-Age="] {
            line.push_str(part);
        }
        push_decimal(&mut line, lives.as_secs());
        line.push_str("; HttpOnly; SameSite=Lax");
        line.push_str(if style.secure { "; Secure" } else { "" });
        let mut line = HeaderValue::try_from(line).map_err(|_| OperatorError::CallMalformed)?;
        line.set_sensitive(true);
        state.set.retain(|set| set.name != name);
        state.set.push(Set { name, value, line });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The current cookies of a jar: those of the request, as the response changes them.
pub(crate) struct Cookies<'a>(&'a State);

impl<'a> Cookies<'a> {
    /// See [`Jar::values`].
    pub(crate) fn values(&self, name: &str) -> Vec<&'a str> {
        let mut values = Vec::new();
        let all = |value| {
            values.push(value);
            None::<()>
        };
        self.find(|known| known == name, all);
        values
    }

    /// The first result of `read` on the values of the cookies that `is_wanted` names, as
    /// [`Cookies::values`] gives them.
    pub(crate) fn find<T>(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        mut read: impl FnMut(&'a str) -> Option<T>,
    ) -> Option<T> {
        // Usually the first one is the right one, and nothing is allocated.
        let mut seen = Vec::new();
        for (_, value) in self.all().filter(|(name, _)| is_wanted(name)).take(SEEN) {
            if seen.len() == ALIKE {
                break;
            }
            if seen.contains(&value) {
                continue;
            }
            if let Some(found) = read(value) {
                return Some(found);
            }
            seen.push(value);
        }
        None
    }

    /// See [`Jar::pick`].
    pub(crate) fn pick<T>(&self, pick: impl Fn(&'a str, &'a str) -> Option<T>) -> Vec<T> {
        self.all().filter_map(|(name, value)| pick(name, value)).take(SEEN).collect()
    }

    /// The names and values. First those of the cookies set by this response, which are certainly
    /// ours.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let State { set, came, came_too, .. } = self.0;
        let changed = |name: &str| set.iter().any(|set| set.name == name);
        let ours = set.iter().filter_map(|set| Some((&*set.name, set.value.as_deref()?)));
        ours.chain(
            cookie::pairs_in(came.iter().chain(came_too)).filter(move |(name, _)| !changed(name)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(cookies: &[&'static str]) -> Jar {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        Jar::new(&headers)
    }

    #[test]
    fn cookies_are_found_in_any_header_and_what_was_set_wins() {
        let style = CookieStyle::new(true, None, "/login");
        let jar =
            jar(&["a=1; broken;__Host-quadrille-x=old", "b=2; a=1; b=3; __Host-quadrille-x=older"]);
        assert_eq!(jar.values("a"), ["1"]);
        assert_eq!(jar.values("b"), ["2", "3"]);
        assert_eq!(jar.values("broken"), [""; 0]);
        assert_eq!(jar.values("__Host-quadrille-x"), ["old", "older"]);
        jar.set(&style, "x", "new".into(), Duration::from_secs(60)).unwrap();
        assert_eq!(jar.values("__Host-quadrille-x"), ["new"]);
        jar.remove(&style, "x").unwrap();
        assert_eq!(jar.values("__Host-quadrille-x"), [""; 0]);
        let lines = jar.close();
        assert_eq!(
            lines,
            ["__Host-quadrille-x=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]
        );
    }

    #[test]
    fn nothing_can_be_set_after_the_answer_has_left() {
        let style = CookieStyle::new(false, None, "/login");
        let jar = jar(&["quadrille-y=1"]);
        assert!(jar.close().is_empty());
        assert_eq!(
            jar.set(&style, "x", "late".into(), Duration::from_secs(1)),
            Err(OperatorError::AnswerHasLeft)
        );
        assert_eq!(jar.remove(&style, "y"), Err(OperatorError::AnswerHasLeft));
        assert_eq!(jar.remove(&style, "z"), Ok(()), "there is nothing to remove");
    }

    #[test]
    fn no_two_logins_of_a_host_share_a_name() {
        let at = |url: &str, mount: &str| CookieStyle::of(&Url::parse(url).unwrap(), mount);
        let names = [
            at("https://app.example", "/login"),
            at("https://app.example", "/admin/login"),
            at("https://app.example", "/admin-login"),
            at("https://app.example", "/admin_login"),
            at("https://app.example", "/admin"),
            at("https://app.example/admin", "/admin"),
            at("https://app.example", "/3000"),
            at("https://app.example", "/x"),
            at("https://app.example/a", "/login"),
            at("https://app.example/b", "/login"),
            at("https://app.example:3000", "/login"),
            at("https://app.example:3001", "/login"),
            at("http://localhost", "/login"),
            at("http://localhost:3000", "/login"),
            at("http://localhost:3001", "/login"),
        ]
        .map(|style| style.name("x"));
        for (index, name) in names.iter().enumerate() {
            assert!(!names[index + 1..].contains(name), "{name}");
        }
        assert_eq!(names[0], "__Host-quadrille-x");
        // Spellings of one path share their cookies.
        assert_eq!(at("https://app.example/admin", "/login").name("x"), names[1]);
    }

    #[test]
    fn a_cookies_name_says_whose_it_is() {
        let usual = CookieStyle::new(false, None, "/login");
        let admin = CookieStyle::new(false, None, "/admin/login");
        // Paths with the names of cookies.
        let odd = ["/token", "/who", "/try", "/browser"];
        let odd = odd.map(|path| CookieStyle::new(false, None, path));
        let all = [&usual, &admin].into_iter().chain(&odd);
        for style in all.clone() {
            for what in ["token-github", "who-crm~acme", "browser", "token-_2fadmin", "later"] {
                let name = style.name(what);
                assert_eq!(style.whose(&name), Whose::This(what), "{name}");
                for other in all.clone().filter(|other| *other != style) {
                    assert_eq!(other.whose(&name), Whose::AnotherLogins, "{name}");
                }
            }
            for foreign in ["quadrille.3000-token-github", "session", "quadrille", ""] {
                assert_eq!(style.whose(foreign), Whose::Foreign, "{foreign}");
            }
        }
    }
}
