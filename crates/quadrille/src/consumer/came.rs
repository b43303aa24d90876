//! Where a request to log in comes from.

use http::{HeaderMap, header};

use super::{account::Owner, login::Login};

/// Where a request was begun, as the browser says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// On a page of this origin.
    Here,
    /// By the user: an address typed in, or a bookmark.
    ByUser,
    /// On a page of another origin.
    Elsewhere,
    /// The browser does not say it: an old one, or no browser.
    Unsaid,
}

impl Came {
    /// By Fetch Metadata (`Sec-Fetch-Site`); browsers without it send `Origin` with forms and
    /// `Referer` with links.
    fn of(headers: &HeaderMap, origin: &str) -> Self {
        let mut sites = headers.get_all("sec-fetch-site").iter();
        match (sites.next().map(|site| site.as_bytes().trim_ascii()), sites.next()) {
            (Some(b"same-origin"), None) => return Self::Here,
            (Some(b"none"), None) => return Self::ByUser,
            // A sibling domain may be somebody else's.
            (Some(_), _) => return Self::Elsewhere,
            (None, _) => {}
        }
        if let Some(sender) = headers.get(header::ORIGIN) {
            let is_ours = sender.as_bytes() == origin.as_bytes();
            return if is_ours { Self::Here } else { Self::Elsewhere };
        }
        match headers.get(header::REFERER) {
            Some(page) => match page.as_bytes().strip_prefix(origin.as_bytes()) {
                Some([] | [b'/', ..]) => Self::Here,
                _ => Self::Elsewhere,
            },
            None => Self::Unsaid,
        }
    }
}

impl Login {
    /// Whether the visitor must be asked, on a page, before a request with these headers may begin
    /// a login: another site may have sent them. Otherwise it could link an account of its own
    /// choice to the user who is signed in here (login cross-site request forgery; RFC 6749, section
    /// 10.12, covers the callback only).
    ///
    /// The routes of [`Login::attach`](crate::Login::attach) ask. Other programs call this before
    /// [`Login::begin`], and answer `true` with a form that posts to themselves.
    ///
    /// * A navigation from a page of this origin, an address that was typed in, and a bookmark
    ///   begin a login at once; so does a redirect that such a navigation was answered with.
    /// * One from any other page is asked about, from a sibling domain too.
    /// * Where the browser says nothing about it (`Sec-Fetch-Site`, `Origin`, `Referer`), a user
    ///   who is signed in is asked.
    /// * `changes_something`: a POST, say, which no user types in. It begins a login only if it
    ///   certainly comes from a page of this origin.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use quadrille::{GitHub, KeyRing, Login, Owner};
    ///
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(GitHub::new("our-id", "our-secret"));
    /// let mut headers = HeaderMap::new();
    /// headers.insert("sec-fetch-site", "cross-site".parse()?);
    /// assert!(login.must_ask(&headers, &Owner::user(44), false));
    /// headers.insert("sec-fetch-site", "same-origin".parse()?);
    /// assert!(!login.must_ask(&headers, &Owner::user(44), false));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    pub fn must_ask(&self, headers: &HeaderMap, owner: &Owner, changes_something: bool) -> bool {
        // A login that is not set up begins nothing.
        let Ok(ready) = self.ready() else { return true };
        match Came::of(headers, &ready.origin) {
            Came::Here => false,
            Came::Elsewhere => true,
            Came::ByUser => changes_something,
            Came::Unsaid => changes_something || owner.is_user(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn where_a_request_comes_from_is_what_the_browser_says_and_never_guessed() {
        use Came::{ByUser, Elsewhere, Here, Unsaid};
        for (lines, came) in [
            (&[("sec-fetch-site", "same-origin")][..], Here),
            (&[("sec-fetch-site", "none")], ByUser),
            (&[("sec-fetch-site", "cross-site")], Elsewhere),
            (&[("sec-fetch-site", "same-site")], Elsewhere),
            (&[("sec-fetch-site", "something-new")], Elsewhere),
            (&[("sec-fetch-site", "")], Elsewhere),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], Elsewhere),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")], Elsewhere),
            // A page under `no-referrer`.
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], Here),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], Elsewhere),
            (&[("origin", "https://app.example")], Here),
            (&[("origin", "null")], Elsewhere),
            (&[("origin", "https://app.example.evil.example")], Elsewhere),
            (&[("origin", "http://app.example")], Elsewhere),
            (&[("origin", "https://evil.example"), ("referer", "https://app.example/")], Elsewhere),
            (&[("referer", "https://app.example/album?x=1")], Here),
            (&[("referer", "https://app.example")], Here),
            (&[("referer", "https://app.example.evil.example/")], Elsewhere),
            (&[("referer", "https://app.example:444/")], Elsewhere),
            (&[("referer", "https://app.example@evil.example/")], Elsewhere),
            (&[("referer", "https://evil.example/?https://app.example/")], Elsewhere),
            (&[("referer", "")], Elsewhere),
            (&[], Unsaid),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(Came::of(&headers, "https://app.example"), came, "{lines:?}");
        }
    }
}
