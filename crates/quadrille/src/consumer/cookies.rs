//! The cookies of one request: what came, and what the answer will set.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::{consumer::error::OperatorError, cookie};

/// How many cookies are looked at when there are many of one kind. Browsers keep fewer for one host
/// (RFC 6265, section 6.1, asks for 50).
const SEEN: usize = 256;
/// How many of one name are tried.
const ALIKE: usize = 8;

/// The cookies of one request and its answer. Cheap to clone; all clones are the same jar.
#[derive(Clone, Debug)]
pub struct Jar(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The `Cookie` headers of the request.
    came: HeaderMap,
    set: Vec<Set>,
    left: bool,
}

#[derive(Debug)]
struct Set {
    name: String,
    /// `None` removes.
    value: Option<String>,
    line: HeaderValue,
}

/// How this site's cookies are named and marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieStyle {
    /// What the names of all cookies of this library begin with at this origin, whatever the mount.
    family: String,
    /// The family, and after it the path of the login, unless that is the usual one.
    prefix: String,
    secure: bool,
}

impl CookieStyle {
    /// The style of a login at `url`, the public URL, whose routes are at `mount`.
    ///
    /// Browsers tell the cookies of two ports of a host apart no more than those of two paths, so
    /// the name has what is special in either.
    pub(crate) fn of(url: &Url, mount: &str) -> Self {
        let path = [url.path().trim_end_matches('/'), mount].concat();
        Self::new(url.scheme() == "https", url.port(), &path)
    }

    /// `path` is that of the login routes, as browsers know it.
    pub(crate) fn new(secure: bool, port: Option<u16>, path: &str) -> Self {
        let mut family = String::from(if secure { "__Host-quadrille" } else { "quadrille" });
        if let Some(port) = port {
            // No path is written with a full stop.
            let _ = write!(family, ".{port}");
        }
        family.push('-');
        let mut prefix = family.clone();
        if path != "/login" {
            // With the slash that it begins with, which is what tells a path from the name of a
            // cookie.
            for byte in path.trim_end_matches('/').bytes() {
                // Lower-case hexadecimal for whatever might be special; '-' itself too, so that no
                // two paths share a name.
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

    /// What stands between the prefix (and `kind`) and the end of the name.
    pub(crate) fn strip<'a>(&self, kind: &str, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.prefix)?.strip_prefix(kind)
    }

    /// Whose a cookie of this name is.
    pub(crate) fn whose<'a>(&self, name: &'a str) -> Whose<'a> {
        if !name.starts_with(&self.family) {
            return Whose::Foreign;
        }
        match name.strip_prefix(&self.prefix) {
            // The usual path has no prefix of its own, and no name of a cookie begins like a path.
            Some(what) if !what.starts_with('_') => Whose::This(what),
            _ => Whose::AnotherLogins,
        }
    }
}

/// Whose a cookie is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose<'a> {
    /// This login's; and what stands after the prefix of its name.
    This(&'a str),
    /// Another login's at this origin: at another path, which may be one of the past.
    AnotherLogins,
    /// None of this library.
    Foreign,
}

impl Jar {
    /// The jar of a request with these headers.
    pub fn new(headers: &HeaderMap) -> Self {
        let mut came = HeaderMap::new();
        for line in headers.get_all(header::COOKIE) {
            came.append(header::COOKIE, line.clone());
        }
        Self(Arc::new(Mutex::new(State { came, set: Vec::new(), left: false })))
    }

    /// The `Set-Cookie` values for the answer. From here on the jar is closed: what is set later
    /// would be lost, so it is refused.
    pub fn close(&self) -> Vec<HeaderValue> {
        let mut state = self.lock();
        state.left = true;
        std::mem::take(&mut state.set).into_iter().map(|set| set.line).collect()
    }

    /// Whether the answer has left.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().left
    }

    /// The values of the cookies of this name, as they are by now. There may be several, set at
    /// other paths or by other domains, and in any order (RFC 6265, section 5.4): of those that the
    /// caller can make sense of, the first one counts.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for value in self.pick(|known, value| (known == name).then(|| value.to_owned())) {
            if values.len() < ALIKE && !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// What `pick` makes of the names and values of the cookies, as they are by now: of so many at
    /// the most.
    pub(crate) fn pick<T>(&self, pick: impl Fn(&str, &str) -> Option<T>) -> Vec<T> {
        let state = self.lock();
        let changed = |name: &str| state.set.iter().any(|set| set.name == name);
        let set = state.set.iter().filter_map(|set| pick(&set.name, set.value.as_deref()?));
        // First what was set, which is ours for certain.
        let picked = set.chain(
            cookie::pairs(&state.came)
                .filter_map(|(name, value)| Some((name, pick(name, value)?)))
                .filter(|(name, _)| !changed(name))
                .map(|(_, picked)| picked),
        );
        picked.take(SEEN).collect()
    }

    pub(crate) fn set(
        &self,
        style: &CookieStyle,
        what: &str,
        value: String,
        lives: Duration,
    ) -> Result<(), OperatorError> {
        self.put(style, style.name(what), Some(value), lives)
    }

    /// Removes a cookie, if the browser has it.
    pub(crate) fn remove(&self, style: &CookieStyle, what: &str) -> Result<(), OperatorError> {
        let name = style.name(what);
        if self.pick(|known, _| (known == name).then_some(())).is_empty() {
            return Ok(());
        }
        self.remove_named(style, name)
    }

    /// Removes a cookie of this library that the browser has, by its whole name. All of them have
    /// the same path, and no domain.
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
        let _ = write!(line, "{}", lives.as_secs());
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
        // What is below a path, and reached there, is one place however it is said.
        assert_eq!(at("https://app.example/admin", "/login").name("x"), names[1]);
    }

    #[test]
    fn a_cookies_name_says_whose_it_is() {
        let usual = CookieStyle::new(false, None, "/login");
        let admin = CookieStyle::new(false, None, "/admin/login");
        // Paths that are called as cookies are.
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
