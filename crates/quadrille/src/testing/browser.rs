//! A browser of tests, in front of a router.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt as _;

use crate::form::FormWriter;

use super::FakeService;

/// The most bytes of a page.
const LONGEST: usize = 4 << 20;

/// A browser with its cookies, in front of a router in the same process.
///
/// ```
/// use axum::{Router, routing::get};
/// use quadrille::{GitHub, KeyRing, Linked, Login, testing::{Browser, FakeService}};
///
/// async fn home(github: Linked<GitHub>) -> String {
///     format!("You are number {}", github.subject())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let github = FakeService::of::<GitHub>("our-id", "our-secret");
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(GitHub::new("our-id", "our-secret"))
///     .http(github.clone());
/// let mut browser = Browser::new(login.attach(Router::new().route("/", get(home))));
/// let page = browser.log_in(&github, "/", 7).await;
/// assert_eq!(page.text, "You are number 7");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Browser {
    /// The application. A clone of the browser with the same cookies is another tab.
    pub app: Router,
    /// The values of the cookies, by name. Paths and domains of cookies are not obeyed.
    pub cookies: BTreeMap<String, String>,
}

/// A response to a [`Browser`].
///
/// ```
/// use axum::{Router, routing::get};
/// use quadrille::testing::Browser;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut browser = Browser::new(Router::new().route("/", get(async || "hello")));
/// let page = browser.visit("/").await;
/// assert_eq!((page.status, &*page.text), (http::StatusCode::OK, "hello"));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, with replacement characters where it is not UTF-8.
    pub text: String,
}

impl Page {
    /// The address of a redirect.
    ///
    /// # Panics
    /// If the page is no redirect.
    pub fn location(&self) -> &str {
        let location = self.headers.get(header::LOCATION);
        location
            .and_then(|location| location.to_str().ok())
            .unwrap_or_else(|| panic!("no redirect: {self:?}"))
    }

    /// The address to which the page goes on by itself (`Refresh: 0;url=...`).
    pub fn refresh(&self) -> Option<&str> {
        self.headers.get(header::REFRESH)?.to_str().ok()?.strip_prefix("0;url=")
    }

    /// Whether this is an error page of a login with this [code](crate::Error::code).
    pub fn has_code(&self, code: &str) -> bool {
        self.text.contains(&format!("<code>{code}</code>"))
    }
}

impl Browser {
    /// A browser without cookies.
    pub fn new(app: Router) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    /// The value of the `Cookie` header.
    pub fn cookie_header(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join("; ")
    }

    /// Sends a request with the cookies, and keeps those of the response.
    ///
    /// # Panics
    /// If the cookies are no header value, or the body has more than 4 MiB.
    pub async fn send(&mut self, request: Request<Body>) -> Page {
        let (mut parts, body) = request.into_parts();
        if !self.cookies.is_empty() {
            parts.headers.insert(header::COOKIE, self.cookie_header().parse().unwrap());
        }
        let request = Request::from_parts(parts, body);
        let response =
            self.app.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        self.keep(response.headers());
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, LONGEST).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status, headers: parts.headers, text }
    }

    /// Keeps the cookies of a response.
    pub fn keep(&mut self, headers: &HeaderMap) {
        let lines =
            headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        for line in lines {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// A navigation from a page of this site to a path or a URL, without following anything.
    pub async fn visit(&mut self, url: &str) -> Page {
        self.visit_from("same-origin", url).await
    }

    /// A navigation of which the browser says (`Sec-Fetch-Site`) that it comes from `site`.
    ///
    /// # Panics
    /// If `url` is no URL and no path.
    pub async fn visit_from(&mut self, site: &str, url: &str) -> Page {
        let path = path_of(url);
        let request = Request::get(path)
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", site)
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }

    /// A form that a page of this site sends by POST, without following anything.
    ///
    /// ```
    /// use axum::{Router, routing::post};
    /// use quadrille::{SameOrigin, testing::Browser};
    /// # use quadrille::{GitHub, KeyRing, Login};
    ///
    /// async fn sign_out(_: SameOrigin) -> &'static str {
    ///     "Goodbye"
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    /// #     .with(GitHub::new("our-id", "our-secret"));
    /// let app = login.attach(Router::new().route("/sign-out", post(sign_out)));
    /// let page = Browser::new(app).submit("/sign-out", &[("everywhere", "1")]).await;
    /// assert_eq!(page.text, "Goodbye");
    /// # }
    /// ```
    ///
    /// # Panics
    /// If `url` is no URL and no path.
    pub async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = FormWriter::new();
        for (name, value) in fields {
            form.append(name, value);
        }
        let request = Request::post(path_of(url))
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form.finish()))
            .unwrap();
        self.send(request).await
    }

    /// A navigation that follows redirects and pages that go on by themselves, up to the first that
    /// leads to another site.
    ///
    /// # Panics
    /// After ten of them.
    pub async fn go(&mut self, url: &str) -> Page {
        let mut page = self.visit(url).await;
        for _ in 0..10 {
            let next = match page.headers.get(header::LOCATION) {
                Some(_) => page.location(),
                None => match page.refresh() {
                    Some(next) => next,
                    None => return page,
                },
            };
            if !next.starts_with('/') {
                return page;
            }
            let next = next.to_owned();
            page = self.visit(&next).await;
        }
        panic!("redirected in circles: {page:?}");
    }

    /// Logs in as `user`, beginning at a page that wants a login, or at the login itself. Returns
    /// the page at the end.
    ///
    /// # Panics
    /// If the service refuses the authorization request.
    pub async fn log_in(&mut self, service: &FakeService, url: &str, user: u64) -> Page {
        let away = self.go(url).await;
        let query = service.consent(away.location(), user);
        let query = query.unwrap_or_else(|| panic!("the service refuses {}", away.location()));
        let callback = service.callback(away.location());
        let callback = callback.map(|url| path_of(&url).to_owned());
        let callback = callback.unwrap_or_else(|| panic!("no callback: {}", away.location()));
        self.go(&format!("{callback}?{query}")).await
    }
}

/// The path and the query of a URL.
fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    }
}
