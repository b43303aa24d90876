use std::{collections::BTreeMap, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    routing::get,
};
use http::{HeaderMap, Request, StatusCode, header};
use quadrille::{
    GitHub, KeyRing, Linked, Login, Result,
    testing::{FakeService, ManualClock},
};
use tower::ServiceExt as _;

pub(crate) const SITE: &str = "https://app.example";
pub(crate) const SECRET: &str = "secret-canary";

/// An application with GitHub, the service behind it, and the clock of both.
pub(crate) struct World {
    pub(crate) service: FakeService,
    pub(crate) clock: ManualClock,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { service: FakeService::new("our-id", SECRET), clock: ManualClock::new() }
    }

    pub(crate) fn login(&self) -> Login {
        self.login_with(KeyRing::ephemeral())
    }

    pub(crate) fn login_with(&self, keys: KeyRing) -> Login {
        Login::new(keys, SITE)
            .with(GitHub::new("our-id", SECRET))
            .http(self.service.clone())
            .env(self.clock.env())
    }

    pub(crate) fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
    }
}

pub(crate) fn pages() -> Router {
    Router::new().route("/", get(home)).route("/album", get(home)).route("/maybe", get(maybe))
}

async fn home(github: Linked<GitHub>) -> Result<String> {
    let me: serde_json::Value = github.get("user").await?;
    Ok(format!("You are {}", me["login"].as_str().unwrap_or("?")))
}

async fn maybe(github: Option<Linked<GitHub>>) -> String {
    github.map_or("nobody".to_owned(), |github| format!("number {}", github.subject()))
}

/// A browser: one application, one cookie jar.
pub(crate) struct Browser {
    pub(crate) app: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .unwrap_or_else(|| panic!("no redirect: {self:?}"))
            .to_str()
            .unwrap()
    }

    /// Where the page goes on to by itself.
    pub(crate) fn refresh(&self) -> Option<&str> {
        self.headers.get(header::REFRESH)?.to_str().unwrap().strip_prefix("0;url=")
    }

    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.text.contains(&format!("<code>{code}</code>"))
    }
}

impl Browser {
    pub(crate) fn new(app: Router) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    /// The value of the `Cookie` header.
    pub(crate) fn cookie_header(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join("; ")
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Page {
        let (mut parts, body) = request.into_parts();
        if !self.cookies.is_empty() {
            parts.headers.insert(header::COOKIE, self.cookie_header().parse().unwrap());
        }
        let answer = self.app.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        self.keep(answer.headers());
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// A navigation from a page of this site, without following anything.
    pub(crate) async fn visit(&mut self, path: &str) -> Page {
        self.visit_from("same-origin", path).await
    }

    /// A navigation of which the browser says (`Sec-Fetch-Site`) that it comes from `site`.
    pub(crate) async fn visit_from(&mut self, site: &str, path: &str) -> Page {
        let path = path.strip_prefix(SITE).unwrap_or(path);
        let request = Request::get(path)
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", site)
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }

    /// A navigation, following what browsers follow on this site.
    pub(crate) async fn go(&mut self, path: &str) -> Page {
        let mut page = self.visit(path).await;
        for _ in 0..10 {
            let next = match page.headers.get(header::LOCATION) {
                Some(location) => location.to_str().unwrap().to_owned(),
                None => match page.refresh() {
                    Some(next) => next.to_owned(),
                    None => return page,
                },
            };
            if !next.starts_with('/') && !next.starts_with(SITE) {
                return page;
            }
            page = self.visit(&next).await;
        }
        panic!("redirected in circles: {page:?}");
    }

    /// Logs in as `user`, beginning at `path` (a page that wants a login, or the login itself).
    pub(crate) async fn log_in(&mut self, service: &FakeService, path: &str, user: u64) -> Page {
        let away = self.go(path).await;
        let query = service.consent(away.location(), user).expect("a right request");
        self.go(&format!("/login/github/authorized?{query}")).await
    }
}
