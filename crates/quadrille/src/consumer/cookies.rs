//! The cookies of one request: what came, and what the answer will set.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header};

use crate::error::OperatorFault;

/// The cookies of one request and its answer. Cheap to clone; all clones are the same jar.
#[derive(Clone, Debug)]
pub struct Jar(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    came: Vec<HeaderValue>,
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
    /// `__Host-quadrille-`, with the mount's name after it unless that is the usual one.
    prefix: String,
    secure: bool,
}

impl CookieStyle {
    /// `mount` is the path that the routes are at.
    pub(crate) fn new(secure: bool, mount: &str) -> Self {
        let mut prefix = String::from(if secure { "__Host-quadrille-" } else { "quadrille-" });
        if mount != "/login" {
            for byte in mount.trim_matches('/').bytes() {
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
        Self { prefix, secure }
    }

    pub(crate) fn name(&self, what: &str) -> String {
        [&self.prefix, what].concat()
    }

    /// What stands between the prefix (and `kind`) and the end of the name.
    pub(crate) fn strip<'a>(&self, kind: &str, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.prefix)?.strip_prefix(kind)
    }
}

impl Jar {
    /// The jar of a request with these headers.
    pub fn new(headers: &HeaderMap) -> Self {
        let came = headers.get_all(header::COOKIE).iter().cloned().collect();
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

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let state = self.lock();
        if let Some(set) = state.set.iter().rev().find(|set| set.name == name) {
            return set.value.clone();
        }
        came(&state.came).find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
    }

    /// What `pick` makes of the names and values of the cookies that came, as they are by now.
    pub(crate) fn pick<T>(&self, pick: impl Fn(&str, &str) -> Option<T>) -> Vec<T> {
        let state = self.lock();
        let set = state.set.iter().map(|set| (set.name.as_str(), set.value.as_deref()));
        let changed = |name: &str| state.set.iter().any(|set| set.name == name);
        came(&state.came)
            .filter(|(name, _)| !changed(name))
            .map(|(name, value)| (name, Some(value)))
            .chain(set)
            .filter_map(|(name, value)| pick(name, value?))
            .collect()
    }

    pub(crate) fn set(
        &self,
        style: &CookieStyle,
        what: &str,
        value: String,
        lives: Duration,
    ) -> Result<(), OperatorFault> {
        self.put(style, what, Some(value), lives)
    }

    /// Removes a cookie, if the browser has it.
    pub(crate) fn remove(&self, style: &CookieStyle, what: &str) -> Result<(), OperatorFault> {
        let name = style.name(what);
        if self.get(&name).is_none() {
            return Ok(());
        }
        self.put(style, what, None, Duration::ZERO)
    }

    fn put(
        &self,
        style: &CookieStyle,
        what: &str,
        value: Option<String>,
        lives: Duration,
    ) -> Result<(), OperatorFault> {
        let mut state = self.lock();
        if state.left {
            return Err(OperatorFault::AnswerHasLeft);
        }
        let name = style.name(what);
        let mut line =
            String::with_capacity(name.len() + 96 + value.as_ref().map_or(0, String::len));
        for part in [&name, "=", value.as_deref().unwrap_or(""), "; Path=/; Max-Age="] {
            line.push_str(part);
        }
        let _ = write!(line, "{}", lives.as_secs());
        line.push_str("; HttpOnly; SameSite=Lax");
        line.push_str(if style.secure { "; Secure" } else { "" });
        let mut line = HeaderValue::try_from(line).map_err(|_| OperatorFault::CallMalformed)?;
        line.set_sensitive(true);
        state.set.retain(|set| set.name != name);
        state.set.push(Set { name, value, line });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pairs in `Cookie` headers (RFC 6265, section 4.2.1), leniently: what is no pair is skipped.
fn came(headers: &[HeaderValue]) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
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
        let style = CookieStyle::new(true, "/login");
        let jar = jar(&["a=1; broken;__Host-quadrille-x=old", "b=2"]);
        assert_eq!(jar.get("a").as_deref(), Some("1"));
        assert_eq!(jar.get("b").as_deref(), Some("2"));
        assert_eq!(jar.get("broken"), None);
        assert_eq!(jar.get("__Host-quadrille-x").as_deref(), Some("old"));
        jar.set(&style, "x", "new".into(), Duration::from_secs(60)).unwrap();
        assert_eq!(jar.get("__Host-quadrille-x").as_deref(), Some("new"));
        jar.remove(&style, "x").unwrap();
        assert_eq!(jar.get("__Host-quadrille-x"), None);
        let lines = jar.close();
        assert_eq!(
            lines,
            ["__Host-quadrille-x=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]
        );
    }

    #[test]
    fn nothing_can_be_set_after_the_answer_has_left() {
        let style = CookieStyle::new(false, "/login");
        let jar = jar(&["quadrille-y=1"]);
        assert!(jar.close().is_empty());
        assert_eq!(
            jar.set(&style, "x", "late".into(), Duration::from_secs(1)),
            Err(OperatorFault::AnswerHasLeft)
        );
        assert_eq!(jar.remove(&style, "y"), Err(OperatorFault::AnswerHasLeft));
        assert_eq!(jar.remove(&style, "z"), Ok(()), "there is nothing to remove");
    }

    #[test]
    fn no_two_mounts_share_a_name() {
        let names = ["/login", "/admin/login", "/admin-login", "/admin_login", "/admin"]
            .map(|mount| CookieStyle::new(true, mount).name("x"));
        for (index, name) in names.iter().enumerate() {
            assert!(!names[index + 1..].contains(name), "{name}");
        }
    }
}
