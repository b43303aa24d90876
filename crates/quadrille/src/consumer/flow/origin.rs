//! The origin of a request to log in.

use http::{HeaderMap, header};

use crate::consumer::{account::Owner, login::Login};

/// The origin of a request, as the browser reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// A page of this origin.
    Here,
    /// The user: an address typed in, or a bookmark.
    ByUser,
    /// A page of another origin.
    Elsewhere,
    /// Not reported: an old browser, or no browser.
    Unsaid,
}

impl Came {
    /// Reads Fetch Metadata (`Sec-Fetch-Site`); browsers without it send `Origin` with forms and
    /// `Referer` with links.
    fn of(headers: &HeaderMap, origin: &str) -> Self {
        let mut sites = headers.get_all("sec-fetch-site").iter();
        match (sites.next().map(|site| site.as_bytes().trim_ascii()), sites.next()) {
            (Some(b"same-origin"), None) => return Self::Here,
            (Some(b"none"), None) => return Self::ByUser,
            // A sibling domain may belong to another party.
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
    /// Whether the user must confirm, on a page, before a request with these headers may begin a
    /// login, because another site may have sent them. Otherwise that site could link an account of
    /// its own to the user signed in here (login cross-site request forgery; RFC 6749, section
    /// 10.12, covers only the callback).
    ///
    /// The routes of [`Login::attach`](crate::Login::attach) ask. Other programs call this before
    /// [`Login::begin`] and respond to `true` with a form that posts to themselves.
    ///
    /// * A navigation from a page of this origin, a typed address and a bookmark begin a login at
    ///   once; so does a redirect in response to such a navigation.
    /// * Any other page requires confirmation, including those of sibling domains.
    /// * If the browser does not report the origin (`Sec-Fetch-Site`, `Origin`, `Referer`), a user
    ///   who is signed in must confirm.
    /// * At the service of a tenant, the tenant's server decides which account returns, and a link in
    ///   an e-mail looks like a typed address. For a user who is signed in, set `changes_something`
    ///   there.
    /// * `changes_something`: the request is one that no user types in, such as a POST. It begins a
    ///   login only if it certainly comes from a page of this origin.
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
        match Came::of(headers, &ready.site.origin) {
            Came::Here => false,
            Came::Elsewhere => true,
            Came::ByUser => changes_something,
            Came::Unsaid => changes_something || owner.is_user(),
        }
    }
}

impl Login {
    /// [`Login::must_ask`] at this service.
    #[cfg(feature = "axum")]
    pub(crate) fn must_ask_at(
        &self,
        service: &str,
        headers: &HeaderMap,
        owner: &Owner,
        changes_something: bool,
    ) -> bool {
        let is_a_tenants_choice = owner.is_user() && self.tenant(service).is_ok();
        self.must_ask(headers, owner, changes_something || is_a_tenants_choice)
    }

    /// Whether a script of this origin, or a program without a browser, sent this request of JSON
    /// to begin or finish a login. Browsers send JSON to another origin only if that allows it
    /// (CORS), and say where it comes from.
    #[cfg(feature = "axum")]
    pub(crate) fn is_own_script(&self, headers: &HeaderMap) -> bool {
        is_json(headers) && self.is_own_sign_in(headers)
    }

    /// Whether no other site and no e-mail sent a request that signs a user in: it could be one of
    /// theirs, who would get the accounts of this browser. Browsers that report no origin at all
    /// still report it of forms.
    #[cfg(feature = "axum")]
    pub(crate) fn is_own_sign_in(&self, headers: &HeaderMap) -> bool {
        let Ok(ready) = self.ready() else { return false };
        matches!(Came::of(headers, &ready.site.origin), Came::Here | Came::Unsaid)
    }
}

#[cfg(feature = "axum")]
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let essence = one.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
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
            // A page with `no-referrer`.
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
