//! The page after a logout, with the frames of clients (OpenID Connect Front-Channel Logout, section
//! 3).

use std::fmt::{self, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::{
    digest::sha256,
    form::FormWriter,
    page::{self, Language, Page, escape},
};

use super::{check::Target, party::Party};

/// The seconds after which a browser is sent on, whether all frames have loaded or not.
const LONGEST_WAIT: u32 = 5;

/// The script that sends a browser on after [`LONGEST_WAIT`]. The time of a `Refresh` begins when all frames
/// have loaded (HTML, declarative refresh), so one that never does would keep the user; it is for browsers
/// without scripts.
const ONWARD: &str =
    "{const to=document.currentScript.dataset.to;setTimeout(()=>location.replace(to),5000)}";

/// The content of the page after a logout: that the user is signed out and, in frames that nobody
/// sees, the addresses by which clients learn of it (OpenID Connect Front-Channel Logout, section
/// 3). See [`Logout::page`](super::options::Logout::page).
///
/// ```
/// use quadrille::provider::SignedOutPage;
///
/// fn link(page: &SignedOutPage<'_>) -> String {
///     page.onward().map(|onward| format!("Go to {}", onward.destination)).unwrap_or_default()
/// }
/// ```
pub struct SignedOutPage<'a> {
    frames: &'a [Frame],
    onward: Option<SignedOutOnward<'a>>,
    is_sent_on: bool,
    has_next_user: bool,
}

/// The address after a logout (`post_logout_redirect_uri`, OpenID Connect RP-Initiated Logout,
/// section 3).
///
/// ```
/// use quadrille::provider::SignedOutPage;
///
/// fn href<'a>(page: &SignedOutPage<'a>) -> Option<&'a str> {
///     page.onward().map(|onward| onward.href)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignedOutOnward<'a> {
    /// The origin of the address. Show it.
    pub destination: &'a str,
    /// The address.
    pub href: &'a str,
}

/// A frame of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    url: String,
    origin: String,
}

impl Frame {
    /// The frames of those clients that have a `frontchannel_logout_uri`.
    pub(super) fn of(parties: &[Party], issuer: &str) -> Vec<Self> {
        let framed = parties.iter().filter_map(|party| {
            let uri = party.client.openid.frontchannel_logout_uri.as_ref()?;
            if party.client.openid.frontchannel_logout_session_required && party.sid.is_none() {
                return None;
            }
            let mut url = FormWriter::after_url(uri.as_str());
            // Both or none (section 2).
            if let Some(sid) = &party.sid {
                url.append("iss", issuer).append("sid", sid);
            }
            Some(Self { url: url.finish(), origin: uri.destination().to_owned() })
        });
        framed.collect()
    }
}

impl<'a> SignedOutPage<'a> {
    pub(super) fn new(frames: &'a [Frame], onward: Option<&'a Target>, is_sent_on: bool) -> Self {
        let onward = onward
            .map(|target| SignedOutOnward { destination: &target.destination, href: &target.url });
        Self { frames, onward, is_sent_on, has_next_user: false }
    }

    /// The page for a browser in which another user has signed in.
    pub(super) const fn of_next_user(mut self) -> Self {
        self.has_next_user = true;
        self
    }

    /// `true` if the session has ended since another user has signed in in the browser
    /// ([`SignOut::frames`](super::sign_out::SignOut::frames)): the page is on the way of that user.
    pub const fn has_next_user(&self) -> bool {
        self.has_next_user
    }

    /// The address after the logout, for a link: the browser goes there by itself once the frames
    /// had time to load, except from a page without any.
    pub fn onward(&self) -> Option<SignedOutOnward<'a>> {
        self.onward
    }

    /// The frames, as HTML for the body of the page, with the script that goes on though one of them
    /// does not load; empty without any.
    pub fn frames(&self) -> String {
        let mut html = String::new();
        for frame in self.frames {
            let url = escape(&frame.url);
            let _ = write!(
                html,
                "<iframe hidden sandbox=\"allow-scripts allow-same-origin\" src=\"{url}\"></iframe>"
            );
        }
        if let Some(onward) = self.onward.filter(|_| self.is_sent_on) {
            let _ = write!(html, "<script data-to=\"{}\">{ONWARD}</script>", escape(onward.href));
        }
        html
    }

    /// The headers of the page, with a Content-Security-Policy that lets exactly the frames load.
    /// `further` are directives for the page itself, such as `style-src 'self'`.
    pub fn headers(&self, further: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        page::protect(&mut headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        let mut origins: Vec<&str> = self.frames.iter().map(|frame| &*frame.origin).collect();
        origins.sort_unstable();
        origins.dedup();
        let frames = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
        let script = match self.onward.filter(|_| self.is_sent_on) {
            Some(_) => format!(
                "script-src 'sha256-{}'; ",
                BASE64_STANDARD.encode(sha256(ONWARD.as_bytes()))
            ),
            None => String::new(),
        };
        let policy = format!(
            "default-src 'none'; {script}frame-src {frames}; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; {further}"
        );
        let policy = HeaderValue::try_from(policy.trim_end_matches([' ', ';']));
        let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        if let Some(onward) = self.onward.filter(|_| self.is_sent_on) {
            let refresh = format!("{LONGEST_WAIT}; url={}", onward.href);
            headers.extend(HeaderValue::try_from(refresh).map(|it| (header::REFRESH, it)));
        }
        headers
    }

    /// The default page.
    pub fn to_response(&self) -> Response<Bytes> {
        let (title, text) = match self.has_next_user {
            true => ("signed-in-title", "signed-in-frames"),
            false => ("signed-out-title", "signed-out-close"),
        };
        let language = Language::current();
        let page = Page::new(language.pattern(title)).language(language);
        let mut page = page.text(language.pattern(text));
        if let Some(onward) = self.onward {
            page = page
                .link(&language.text("go-to", &[("destination", onward.destination)]), onward.href);
        }
        let html = page.to_html_with(&self.frames());
        let mut response = Response::new(Bytes::from(html));
        *response.status_mut() = StatusCode::OK;
        *response.headers_mut() = self.headers(&page::style_policy());
        response
    }
}

impl fmt::Debug for SignedOutPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedOutPage")
            .field("frames", &self.frames.len())
            .field("onward", &self.onward.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(url: &str, origin: &str) -> Frame {
        Frame { url: url.to_owned(), origin: origin.to_owned() }
    }

    #[test]
    fn the_policy_lets_exactly_the_frames_load_and_no_address_breaks_out() {
        let frames = [
            frame("https://app.example/out?a=\"><script>&sid=1", "https://app.example"),
            frame("https://app.example/out", "https://app.example"),
            frame("http://127.0.0.1:7/out", "http://127.0.0.1:7"),
        ];
        let target = Target {
            url: "https://app.example/bye?state=x".to_owned(),
            destination: "https://app.example".to_owned(),
        };
        let page = SignedOutPage::new(&frames, Some(&target), true);
        let response = page.to_response();
        let html = std::str::from_utf8(response.body()).unwrap();
        assert_eq!((html.matches("<iframe").count(), html.contains("<script>")), (3, false));
        let to = "<script data-to=\"https://app.example/bye?state=x\">{";
        assert!(html.matches("<script").count() == 1 && html.contains(to), "{html}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        let expected = "frame-src http://127.0.0.1:7 https://app.example;";
        assert!(policy.contains(expected) && policy.contains("style-src 'sha256-"), "{policy}");
        let refresh = response.headers()["refresh"].to_str().unwrap();
        assert_eq!(refresh, "5; url=https://app.example/bye?state=x");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let alone = SignedOutPage::new(&[], Some(&target), false).to_response();
        let policy = alone.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-src 'none'") && !policy.contains("script"), "{policy}");
        assert!(!alone.headers().contains_key("refresh"));
    }
}
