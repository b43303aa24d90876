//! The cookies of the provider's pages.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use quadrille::cookie;

/// One of our cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The id of the session.
    Session,
    /// What a sign-in form is bound to.
    Form,
}

/// Reads and writes them. Ports share a cookie jar, so the names say whose they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookies {
    /// Whether the site is only reached by https.
    pub(super) secure: bool,
}

impl Cookies {
    /// Its value in a request, unless there are several that differ.
    pub(super) fn read<'a>(&self, headers: &'a HeaderMap, cookie: Cookie) -> Option<&'a str> {
        cookie::one(headers, self.name(cookie))
    }

    /// Sets it; until the browser is closed if `lifetime` is `None`.
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

    /// Takes it away.
    pub(super) fn clear(&self, headers: &mut HeaderMap, cookie: Cookie) {
        self.write(headers, cookie, "", "; Max-Age=0");
    }

    fn write(&self, headers: &mut HeaderMap, cookie: Cookie, value: &str, age: &str) {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name(cookie);
        let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
        // Values are base64url of our own making.
        if let Ok(line) = HeaderValue::try_from(line) {
            headers.append(header::SET_COOKIE, line);
        }
    }

    const fn name(self, cookie: Cookie) -> &'static str {
        match (self.secure, cookie) {
            (false, Cookie::Session) => "quadrille-id-session",
            (false, Cookie::Form) => "quadrille-id-form",
            (true, Cookie::Session) => "__Host-quadrille-id-session",
            (true, Cookie::Form) => "__Host-quadrille-id-form",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_unless_somebody_added_a_second_one() {
        let cookies = Cookies { secure: false };
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; quadrille-id-session=x; b=2".parse().unwrap());
        assert_eq!(cookies.read(&headers, Cookie::Session), Some("x"));
        assert_eq!(cookies.read(&headers, Cookie::Form), None);
        assert_eq!(Cookies { secure: true }.read(&headers, Cookie::Session), None);
        headers.append(header::COOKIE, "quadrille-id-session=y".parse().unwrap());
        assert_eq!(cookies.read(&headers, Cookie::Session), None);
    }

    #[test]
    fn under_https_the_browser_is_told_to_keep_the_cookie_to_this_host() {
        let mut headers = HeaderMap::new();
        Cookies { secure: true }.set(&mut headers, Cookie::Session, "x", None);
        assert_eq!(
            headers[header::SET_COOKIE],
            "__Host-quadrille-id-session=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
