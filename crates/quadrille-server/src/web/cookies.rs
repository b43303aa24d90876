//! The cookies of the provider's pages.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use quadrille::cookie;

/// A cookie of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The cookie of the session.
    Session,
    /// The cookie that a sign-in form is bound to.
    Form,
    /// The cookie that names the users who signed in with this browser.
    Device,
    /// The cookie with a note for the next page.
    Note,
    /// The cookie with a new token, sealed, for the next page.
    Token,
}

/// Reads and writes cookies under names that no other provider on this host uses.
#[derive(Debug)]
pub(super) struct Cookies {
    /// Whether the site is reached by https only.
    secure: bool,
    session: String,
    form: String,
    device: String,
    note: String,
    token: String,
}

impl Cookies {
    /// The cookies of the provider with this mark. Browsers share cookies among all ports of a
    /// host, and `__Host-` allows no path that would tell two providers apart.
    pub(super) fn new(mark: &str, secure: bool) -> Self {
        let prefix = if secure { "__Host-" } else { "" };
        let name = |what| format!("{prefix}quadrille-id-{what}-{mark}");
        Self {
            secure,
            session: name("session"),
            form: name("form"),
            device: name("device"),
            note: name("note"),
            token: name("token"),
        }
    }

    /// The first valid value of the cookie in a request.
    pub(super) fn read<'a>(
        &self,
        headers: &'a HeaderMap,
        cookie: Cookie,
        is_right: impl Fn(&str) -> bool,
    ) -> Option<&'a str> {
        cookie::first(headers, self.name(cookie), is_right)
    }

    /// Sets the cookie, until the browser is closed if `lifetime` is `None`.
    pub(super) fn set(
        &self,
        headers: &mut HeaderMap,
        cookie: Cookie,
        value: &str,
        lifetime: Option<Duration>,
    ) {
        let age = lifetime.map(|age| format!("; Max-Age={}", age.as_secs())).unwrap_or_default();
        self.write(headers, cookie, value, &age);
    }

    /// Deletes the cookie.
    pub(super) fn clear(&self, headers: &mut HeaderMap, cookie: Cookie) {
        self.write(headers, cookie, "", "; Max-Age=0");
    }

    fn write(&self, headers: &mut HeaderMap, cookie: Cookie, value: &str, age: &str) {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name(cookie);
        let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
        // The values are base64url, made by this program.
        if let Ok(line) = HeaderValue::try_from(line) {
            headers.append(header::SET_COOKIE, line);
        }
    }

    fn name(&self, cookie: Cookie) -> &str {
        match cookie {
            Cookie::Session => &self.session,
            Cookie::Form => &self.form,
            Cookie::Device => &self.device,
            Cookie::Note => &self.note,
            Cookie::Token => &self.token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_those_that_are_not_right_hide_none() {
        let cookies = Cookies::new("a", false);
        let (session, form) = (cookies.session.clone(), cookies.form.clone());
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, format!("a=1; {session}=x; b=2").parse().unwrap());
        let read = |headers: &HeaderMap, cookie, right: &[&str]| {
            cookies.read(headers, cookie, |value| right.contains(&value)).map(str::to_owned)
        };
        assert_eq!(read(&headers, Cookie::Session, &["x"]).as_deref(), Some("x"));
        assert_eq!(read(&headers, Cookie::Form, &["x"]), None);
        headers.append(header::COOKIE, format!("{session}=y; {form}=z").parse().unwrap());
        for right in [&["x"][..], &["y"], &["y", "x"]] {
            let first = if right.contains(&"x") { "x" } else { "y" };
            assert_eq!(read(&headers, Cookie::Session, right).as_deref(), Some(first));
        }
        assert_eq!(read(&headers, Cookie::Form, &["z"]).as_deref(), Some("z"));
    }

    #[test]
    fn two_providers_on_one_host_do_not_take_each_others_cookies() {
        let (one, other) = (Cookies::new("a", false), Cookies::new("b", false));
        for cookie in [Cookie::Session, Cookie::Form, Cookie::Device, Cookie::Note] {
            let mut headers = HeaderMap::new();
            let line = format!("{}=1; {}=2", one.name(cookie), other.name(cookie));
            headers.append(header::COOKIE, line.parse().unwrap());
            assert_eq!(one.read(&headers, cookie, |_| true), Some("1"));
            assert_eq!(other.read(&headers, cookie, |_| true), Some("2"));
        }
    }

    #[test]
    fn under_https_the_browser_is_told_to_keep_the_cookie_to_this_host() {
        let mut headers = HeaderMap::new();
        Cookies::new("a", true).set(&mut headers, Cookie::Session, "x", None);
        let line = headers[header::SET_COOKIE].to_str().unwrap();
        assert!(line.starts_with("__Host-quadrille-id-session-a=x"), "{line}");
        assert!(line.ends_with("=x; Path=/; HttpOnly; SameSite=Lax; Secure"), "{line}");
    }
}
