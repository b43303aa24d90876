//! The routes of the consumer, with a service of each protocol behind them.
//!
//! The invariant for any input: a browser is linked with the user who gave consent in an attempt
//! that began in this same browser, by an answer that was not changed, and each answer counts once.

use std::{collections::BTreeMap, time::Duration};

use arbitrary::{Arbitrary, Unstructured};
use axum::{
    Router,
    body::{Body, to_bytes},
    routing::get,
};
use http::{HeaderMap, Request, header};
use quadrille::{GitHub, KeyRing, Linked, Login, Service, Spec, testing::FakeService};
use tower::ServiceExt as _;

use crate::{block_on, nature::Nature, world::recent};

const SITE: &str = "https://app.example";
const LONGEST: usize = 40;

/// A service of OAuth 1.0a.
struct Library;

impl Service for Library {
    const SPEC: Spec = Spec::oauth1(
        "library",
        "https://library.example/oauth/request_token",
        "https://library.example/oauth/authorize",
        "https://library.example/oauth/access_token",
        "https://library.example/api",
    )
    .identity("me", "id")
    .build();
}

#[derive(Arbitrary, Debug)]
enum Act<'a> {
    /// Begins a login.
    Leave {
        browser: u8,
        is_library: bool,
        next: &'a str,
    },
    /// The user gives consent at the service.
    Consent {
        left: u8,
        user: u8,
    },
    /// The service's answer arrives.
    ComeBack {
        answer: u8,
        browser: u8,
        change: Option<(u16, u8)>,
    },
    /// A whole login in one browser.
    LogIn {
        browser: u8,
        is_library: bool,
        user: u8,
    },
    /// Any other request of a browser.
    Visit {
        browser: u8,
        path: u8,
        query: &'a str,
        method: u8,
    },
    /// A cookie of another browser.
    Cookie {
        browser: u8,
        name: u8,
        value: &'a [u8],
    },
    /// A browser loses its cookies.
    Forget {
        browser: u8,
    },
    Wait {
        seconds: u16,
    },
}

const PATHS: [&str; 10] = [
    "/login/github",
    "/login/library",
    "/login/nobody",
    "/login/github/authorized",
    "/login/library/authorized",
    "/login/github/arrived",
    "/login/library/arrived",
    "/login/nobody/authorized",
    "/github",
    "/library",
];

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "OPTIONS"];

/// The target `consumer_routes`.
pub fn consumer_routes(data: &[u8]) {
    let mut input = Unstructured::new(data);
    block_on(async {
        let mut play = Play::begin();
        for act in crate::acts(&mut input, LONGEST) {
            play.act(act).await;
        }
    });
}

/// A redirect of a browser to a service.
struct Left {
    browser: usize,
    is_library: bool,
    url: String,
}

/// An answer of a service.
struct Answered {
    browser: usize,
    is_library: bool,
    query: String,
    user: u64,
    is_used: bool,
}

struct Play {
    nature: Nature,
    app: Router,
    github: FakeService,
    library: FakeService,
    jars: [BTreeMap<String, Vec<u8>>; 2],
    left: Vec<Left>,
    answered: Vec<Answered>,
    /// The user that each browser is linked with, at each service.
    linked: [[Option<u64>; 2]; 2],
}

impl Play {
    fn begin() -> Self {
        let nature = Nature::new(7);
        let github = FakeService::new("our-id", "our-secret");
        let library = FakeService::oauth1("our-key", "our-secret");
        let client = Behind { github: github.clone(), library: library.clone() };
        let login = Login::new(KeyRing::new([&[7; 32]]).expect("a key"), SITE)
            .with(GitHub::new("our-id", "our-secret"))
            .with(Library::client("our-key", "our-secret"))
            .http(client)
            .env(nature.env());
        let pages =
            Router::new().route("/github", get(who_github)).route("/library", get(who_library));
        Self {
            nature,
            app: login.attach(pages),
            github,
            library,
            jars: Default::default(),
            left: Vec::new(),
            answered: Vec::new(),
            linked: Default::default(),
        }
    }

    async fn act(&mut self, act: Act<'_>) {
        match act {
            Act::Leave { browser, is_library, next } => {
                self.leave(usize::from(browser) % 2, is_library, next).await;
            }
            Act::Consent { left, user } => self.consent(left, user),
            Act::ComeBack { answer, browser, change } => {
                // Mostly the browser that began the login.
                self.come_back(answer, browser, change).await;
            }
            Act::LogIn { browser, is_library, user } => {
                self.leave(usize::from(browser) % 2, is_library, "/").await;
                self.consent(0, user);
                self.come_back(0, 2, None).await;
                let linked = self.linked[usize::from(browser) % 2][usize::from(is_library)];
                assert_eq!(linked, Some(u64::from(user) + 1), "not linked though all was right");
            }
            Act::Visit { browser, path, query, method } => {
                let query: String = query.chars().filter(char::is_ascii_graphic).collect();
                let path = PATHS[usize::from(path) % PATHS.len()];
                let method = METHODS[usize::from(method) % METHODS.len()];
                let path = format!("{path}?{}", query.replace('#', ""));
                self.send(usize::from(browser) % 2, method, &path).await;
            }
            Act::Cookie { browser, name, value } => {
                let names = ["other", "__Host-quadrille-try-x", "__Host-quadrille-", "a b"];
                let value = value
                    .iter()
                    .copied()
                    .filter(|byte| *byte > 0x20 && *byte != 0x7f && *byte != b';');
                let name = names[usize::from(name) % names.len()].to_owned();
                self.jars[usize::from(browser) % 2].insert(name, value.collect());
            }
            Act::Forget { browser } => {
                let browser = usize::from(browser) % 2;
                self.jars[browser].clear();
                self.linked[browser] = [None, None];
                // The attempts of the browser ended with its cookies.
                self.answered.iter_mut().filter(|it| it.browser == browser).for_each(|it| {
                    it.browser = usize::MAX;
                });
                self.left.iter_mut().filter(|it| it.browser == browser).for_each(|it| {
                    it.browser = usize::MAX;
                });
            }
            Act::Wait { seconds } => self.nature.advance(Duration::from_secs(seconds.into())),
        }
        self.check().await;
    }

    async fn leave(&mut self, browser: usize, is_library: bool, next: &str) {
        let next: String = next.chars().filter(char::is_ascii_alphanumeric).collect();
        let service = if is_library { "library" } else { "github" };
        let path = format!("/login/{service}?next=/{next}");
        let (status, headers, _) = self.send(browser, "GET", &path).await;
        assert_eq!(status, 302);
        let url = headers[header::LOCATION].to_str().expect("ASCII").to_owned();
        self.left.push(Left { browser, is_library, url });
    }

    fn consent(&mut self, left: u8, user: u8) {
        let Some(at) = recent(&self.left, left) else { return };
        let Left { browser, is_library, url } = &self.left[at];
        let user = u64::from(user) + 1;
        let query = match is_library {
            true => self.library.consent(url, user),
            false => self.github.consent(url, user),
        };
        let Some(query) = query else { return };
        let (browser, is_library) = (*browser, *is_library);
        self.answered.push(Answered { browser, is_library, query, user, is_used: false });
    }

    async fn come_back(&mut self, answer: u8, browser: u8, change: Option<(u16, u8)>) {
        let Some(at) = recent(&self.answered, answer) else { return };
        let answer = &self.answered[at];
        let browser = if browser < 2 { usize::from(browser) } else { answer.browser };
        if browser > 1 {
            return;
        }
        let mut query = answer.query.clone().into_bytes();
        if let Some((place, other)) = change {
            let place = usize::from(place) % query.len();
            query[place] = if other.is_ascii_alphanumeric() { other } else { b'x' };
        }
        let query = String::from_utf8(query).expect("ASCII");
        let is_right = answer.browser == browser && !answer.is_used && query == answer.query;
        let service = if answer.is_library { "library" } else { "github" };
        let (user, is_library) = (answer.user, usize::from(answer.is_library));
        let before = self.who(browser, is_library).await;
        self.send(browser, "GET", &format!("/login/{service}/authorized?{query}")).await;
        let after = self.who(browser, is_library).await;
        if after != before {
            assert!(is_right, "linked by an answer that is not its own: {before:?}, {after:?}");
            assert_eq!(after, Some(user), "linked with somebody else");
        }
        // A changed answer may redeem the code at the service.
        if query == self.answered[at].query && self.answered[at].browser == browser {
            self.answered[at].is_used = true;
        }
        self.linked[browser][is_library] = after;
    }

    async fn who(&mut self, browser: usize, service: usize) -> Option<u64> {
        let (_, _, text) = self.send(browser, "GET", ["/github", "/library"][service]).await;
        text.strip_prefix("user ").and_then(|number| number.parse().ok())
    }

    /// Checks that only an answer changes the linked user.
    async fn check(&mut self) {
        for browser in 0..2 {
            for service in 0..2 {
                let who = self.who(browser, service).await;
                // The attempts may have ended.
                assert!(who.is_none() || who == self.linked[browser][service], "{who:?}");
            }
        }
    }

    async fn send(&mut self, browser: usize, method: &str, path: &str) -> (u16, HeaderMap, String) {
        let jar = &mut self.jars[browser];
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "text/html")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-site", "same-origin");
        if !jar.is_empty() {
            let mut cookies = Vec::new();
            for (name, value) in jar.iter() {
                cookies.extend_from_slice(name.as_bytes());
                cookies.push(b'=');
                cookies.extend_from_slice(value);
                cookies.extend_from_slice(b"; ");
            }
            request = request.header(header::COOKIE, cookies);
        }
        let Ok(request) = request.body(Body::empty()) else {
            return (0, HeaderMap::new(), String::new());
        };
        let answer = self.app.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        assert!(parts.status.as_u16() != 500, "the library failed: {parts:?}");
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("ASCII");
            let (pair, attributes) = line.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.as_bytes().to_vec());
            }
        }
        if let Some(location) = parts.headers.get(header::LOCATION) {
            let location = location.to_str().expect("ASCII");
            let is_ours = location.starts_with('/') && !location.starts_with("//");
            let is_theirs = [
                "https://github.com/login/oauth/authorize?",
                "https://library.example/oauth/authorize?",
            ]
            .iter()
            .any(|start| location.starts_with(start));
            assert!(is_ours || is_theirs || location.starts_with(SITE), "{location}");
        }
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&body).into_owned())
    }
}

async fn who_github(linked: Option<Linked<GitHub>>) -> String {
    linked.map_or("nobody".to_owned(), |linked| format!("user {}", linked.subject()))
}

async fn who_library(linked: Option<Linked<Library>>) -> String {
    linked.map_or("nobody".to_owned(), |linked| format!("user {}", linked.subject()))
}

/// Both services, by their hosts.
struct Behind {
    github: FakeService,
    library: FakeService,
}

impl quadrille::transport::HttpClient for Behind {
    async fn send(
        &self,
        request: Request<quadrille::transport::Body>,
        purpose: quadrille::transport::Purpose,
    ) -> Result<http::Response<quadrille::transport::Body>, quadrille::transport::NetworkError>
    {
        match request.uri().host() {
            Some("library.example") => self.library.send(request, purpose).await,
            _ => self.github.send(request, purpose).await,
        }
    }
}
