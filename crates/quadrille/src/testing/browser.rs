//! A browser of tests, in front of a router.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use tower::ServiceExt as _;
use url::Url;

use crate::form::FormWriter;

use super::{
    approves::Approves,
    forms::{Form, chosen},
};

/// The most bytes of a page.
const LONGEST: usize = 4 << 20;

/// A browser with its cookies, in front of a router in the same process, or of
/// [several](Self::across).
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
    /// The origin of the application, if the browser knows other sites.
    home: Option<String>,
    /// The other sites.
    sites: Vec<Site>,
    /// The names of the home's cookies that are `SameSite=Strict`.
    strict: BTreeSet<String>,
}

/// Another site than the application's own.
#[derive(Clone, Debug)]
struct Site {
    origin: String,
    app: Router,
    cookies: BTreeMap<String, String>,
    strict: BTreeSet<String>,
}

/// The step after a page.
#[derive(Debug)]
enum Next {
    /// A redirect, with which the navigation goes on.
    Redirect(String),
    /// A page that goes on by itself.
    Refresh(String),
    /// A page that posts its form by itself (OAuth 2.0 Form Post Response Mode).
    Post(Form),
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
    /// The address: a path, or a URL at a browser of [several sites](Browser::across).
    pub url: String,
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

    fn next(&self) -> Option<Next> {
        if let Some(location) = self.headers.get(header::LOCATION) {
            return location.to_str().ok().map(|it| Next::Redirect(it.to_owned()));
        }
        if let Some(next) = self.refresh() {
            return Some(Next::Refresh(next.to_owned()));
        }
        let posts = self.text.contains("<script") && self.text.contains(".submit()");
        Form::all(&self.text).into_iter().find(|form| posts && form.is_post).map(Next::Post)
    }

    /// Whether this is an error page of a login with this [code](crate::Error::code).
    pub fn has_code(&self, code: &str) -> bool {
        self.text.contains(&format!("<code>{code}</code>"))
    }
}

impl Browser {
    /// A browser without cookies.
    pub fn new(app: Router) -> Self {
        let (cookies, strict) = (BTreeMap::new(), BTreeSet::new());
        Self { app, cookies, home: None, sites: Vec::new(), strict }
    }

    /// A browser without cookies in front of several sites, by their origins: an application, and
    /// the provider where its users log in. Paths are those of the first. It goes from one to the
    /// other wherever it is sent, keeps the cookies of each, and sends those with `SameSite=Strict`
    /// only after navigations that began there.
    ///
    /// ```
    /// use axum::{Router, response::Redirect, routing::get};
    /// use quadrille::testing::Browser;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let app = Router::new().route("/", get(async || Redirect::to("https://id.example/hello")));
    /// let id = Router::new().route("/hello", get(async || "hello"));
    /// let mut browser = Browser::across([("https://app.example", app), ("https://id.example", id)]);
    /// let page = browser.go("/").await;
    /// assert_eq!((&*page.url, &*page.text), ("https://id.example/hello", "hello"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// Without a site.
    pub fn across<O: AsRef<str>>(sites: impl IntoIterator<Item = (O, Router)>) -> Self {
        let mut sites = sites.into_iter().map(|(origin, app)| {
            let origin = origin.as_ref().trim_end_matches('/').to_owned();
            Site { origin, app, cookies: BTreeMap::new(), strict: BTreeSet::new() }
        });
        let home = sites.next().unwrap_or_else(|| panic!("a browser needs a site"));
        Self { home: Some(home.origin), sites: sites.collect(), ..Self::new(home.app) }
    }

    /// The value of the `Cookie` header.
    pub fn cookie_header(&self) -> String {
        joined(&self.cookies, |_| true)
    }

    /// Sends a request with the cookies, and keeps those of the response.
    ///
    /// # Panics
    /// If the cookies are no header value, or the body has more than 4 MiB.
    pub async fn send(&mut self, request: Request<Body>) -> Page {
        self.send_all(request, true).await
    }

    /// Sends a request, with the cookies that are `SameSite=Strict` or without.
    async fn send_all(&mut self, request: Request<Body>, with_strict: bool) -> Page {
        let url = request.uri().to_string();
        let site = self.sites.iter_mut().find(|site| is_at(&url, &site.origin));
        let (origin, app, cookies, strict) = match site {
            Some(site) => (Some(&site.origin), &site.app, &mut site.cookies, &mut site.strict),
            None => (self.home.as_ref(), &self.app, &mut self.cookies, &mut self.strict),
        };
        let path = path_of(&url).to_owned();
        let (mut parts, body) = request.into_parts();
        parts.uri = path.parse().unwrap();
        if let Some((_, host)) = origin.and_then(|origin| origin.split_once("://")) {
            parts.headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        let line = joined(cookies, |name| with_strict || !strict.contains(name));
        if !line.is_empty() {
            parts.headers.insert(header::COOKIE, line.parse().unwrap());
        }
        let url = origin.map_or_else(|| path.clone(), |origin| format!("{origin}{path}"));
        let request = Request::from_parts(parts, body);
        let response = app.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        keep(cookies, strict, response.headers());
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, LONGEST).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { url, status: parts.status, headers: parts.headers, text }
    }

    /// Keeps the cookies of a response.
    pub fn keep(&mut self, headers: &HeaderMap) {
        keep(&mut self.cookies, &mut self.strict, headers);
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
        self.navigate(url, site, None).await
    }

    /// A navigation by GET or with a form. Browsers say `cross-site` of one that another site began, or
    /// through which it went; with a browser of several sites, it then has no strict cookies.
    async fn navigate(&mut self, url: &str, from: &str, form: Option<String>) -> Page {
        let method = if form.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder()
            .method(method)
            .uri(self.as_sent(url))
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", from);
        if form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let request = request.body(Body::from(form.unwrap_or_default())).unwrap();
        let with_strict = self.home.is_none() || from != "cross-site";
        self.send_all(request, with_strict).await
    }

    /// The URL of a request: at another site, or the path of one to the application.
    fn as_sent<'u>(&self, url: &'u str) -> &'u str {
        match self.sites.iter().any(|site| is_at(url, &site.origin)) {
            true => url,
            false => path_of(url),
        }
    }

    /// Whether the browser can go to this URL: it is of a site that it knows.
    fn knows(&self, url: &str) -> bool {
        self.home.as_ref().is_some_and(|home| is_at(url, home))
            || self.sites.iter().any(|site| is_at(url, &site.origin))
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
        self.navigate(url, "same-origin", Some(form.finish())).await
    }

    /// Fills the form of a page in, sends it, and follows the answer as [`go`](Self::go) does. Fields
    /// that are not named keep the values of the page, hidden ones among them; of boxes with the same
    /// name those with the given values are ticked; a button is pressed by its name and value, and
    /// otherwise the first. Of several forms it is the first that has all the fields.
    ///
    /// ```
    /// use axum::{Form, Router, response::Html, routing::get};
    /// use quadrille::testing::Browser;
    ///
    /// const PAGE: &str = "<form method=post><input type=hidden name=next value=/album>\
    ///                     <input name=name><button>Sign in</button></form>";
    ///
    /// async fn sign_in(Form(form): Form<Vec<(String, String)>>) -> String {
    ///     format!("{form:?}")
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let app = Router::new().route("/sign-in", get(async || Html(PAGE)).post(sign_in));
    /// let mut browser = Browser::new(app);
    /// let page = browser.go("/sign-in").await;
    /// let page = browser.fill(&page, &[("name", "ada")]).await;
    /// assert_eq!(page.text, r#"[("next", "/album"), ("name", "ada")]"#);
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the page has no such form.
    pub async fn fill(&mut self, page: &Page, values: &[(&str, &str)]) -> Page {
        let form = chosen(&page.text, values);
        let filled = form.filled(values);
        let target = match &form.action {
            Some(action) => resolved(&page.url, action),
            None => page.url.clone(),
        };
        let from = site_of(&page.url, &target);
        let first = match form.is_post {
            true => self.navigate(&target, from, Some(filled)).await,
            false => {
                let start = target.split('?').next().unwrap_or_default();
                self.navigate(&format!("{start}?{filled}"), from, None).await
            }
        };
        self.follow(first, from).await
    }

    /// A navigation that follows redirects, pages that go on by themselves, and pages that post their
    /// form by themselves, up to the first that leads to a site that the browser does not know.
    ///
    /// # Panics
    /// After twenty of them.
    pub async fn go(&mut self, url: &str) -> Page {
        let page = self.visit(url).await;
        self.follow(page, "same-origin").await
    }

    async fn follow(&mut self, mut page: Page, mut from: &'static str) -> Page {
        for _ in 0..20 {
            let Some(next) = page.next() else { return page };
            let (target, form) = match &next {
                Next::Redirect(next) | Next::Refresh(next) => (resolved(&page.url, next), None),
                Next::Post(form) => {
                    let action = form.action.as_deref().unwrap_or(&page.url);
                    (resolved(&page.url, action), Some(form.filled(&[])))
                }
            };
            if !(target.starts_with('/') || self.knows(&target)) {
                return page;
            }
            let here = site_of(&page.url, &target);
            from = match next {
                // A redirect through another site is one from there.
                Next::Redirect(_) if from == "cross-site" => from,
                _ => here,
            };
            page = self.navigate(&target, from, form).await;
        }
        panic!("redirected in circles: {page:?}");
    }

    /// Logs in at a service as `user`, beginning at a page that wants a login, or at the login
    /// itself. Returns the page at the end.
    ///
    /// # Panics
    /// If the service refuses the authorization request.
    pub async fn log_in<A: Approves>(&mut self, service: &A, url: &str, user: A::User<'_>) -> Page {
        let away = self.go(url).await;
        let callback = service.approve(away.location(), user).await;
        let callback =
            callback.unwrap_or_else(|| panic!("the service refuses {}", away.location()));
        self.go(path_of(&callback)).await
    }
}

/// The value of a `Cookie` header.
fn joined(cookies: &BTreeMap<String, String>, is_sent: impl Fn(&str) -> bool) -> String {
    let pairs = cookies.iter().filter(|(name, _)| is_sent(name));
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// Keeps the cookies of a response.
fn keep(
    cookies: &mut BTreeMap<String, String>,
    strict: &mut BTreeSet<String>,
    headers: &HeaderMap,
) {
    let lines = headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    for line in lines {
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        let Some((name, value)) = pair.split_once('=') else { continue };
        if attributes.contains("Max-Age=0") {
            cookies.remove(name);
            strict.remove(name);
            continue;
        }
        cookies.insert(name.to_owned(), value.to_owned());
        match attributes.contains("SameSite=Strict") {
            true => strict.insert(name.to_owned()),
            false => strict.remove(name),
        };
    }
}

/// Whether a URL is at this origin.
fn is_at(url: &str, origin: &str) -> bool {
    let rest = url.strip_prefix(origin);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// An address on a page, as the page means it.
fn resolved(page: &str, address: &str) -> String {
    match Url::parse(page).and_then(|page| page.join(address)) {
        Ok(url) => url.into(),
        Err(_) => address.to_owned(),
    }
}

/// The word of browsers for a navigation from one page to another (`Sec-Fetch-Site`).
fn site_of(from: &str, to: &str) -> &'static str {
    match (Url::parse(from), Url::parse(to)) {
        (Ok(from), Ok(to)) if from.origin() != to.origin() => "cross-site",
        _ => "same-origin",
    }
}

/// The path and the query of a URL.
fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    }
}
