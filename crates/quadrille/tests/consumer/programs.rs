//! The examples that log in with a service, run as a user runs them, against emulators.

use std::{collections::BTreeMap, process::Stdio};

use axum::body::{Body, to_bytes};
use http::{Request, header};
use quadrille::{
    testing::SERVICES,
    transport::{HttpClient as _, Purpose, Reqwest},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// An example that runs. It ends when this is dropped.
struct Program {
    _process: Child,
    url: String,
    /// The URL of its emulator.
    service: String,
}

impl Program {
    async fn run(example: &str) -> Self {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["run", "--quiet", "--package", "quadrille", "--all-features"])
            .args(["--example", example])
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        for variable in SERVICES.iter().flat_map(|row| row.variables) {
            command.env_remove(variable);
        }
        let mut process = command.spawn().expect("cargo runs an example");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut url, mut service) = (None, None);
        while url.is_none() || service.is_none() {
            let line = lines.next_line().await.unwrap();
            let line = line.unwrap_or_else(|| panic!("{example} ended"));
            let words: Vec<_> = line.split([' ', ',']).collect();
            if let Some(at) = words.iter().position(|word| *word == "Open") {
                url = Some(words[at + 1].to_owned());
            }
            if let Some(at) = words.iter().position(|word| *word == "emulated") {
                service = Some(words[at + 2].to_owned());
            }
        }
        Self { _process: process, url: url.unwrap(), service: service.unwrap() }
    }
}

/// A browser with the cookies of one application.
struct Browser {
    http: Reqwest,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Sends a navigation or a form, and follows what a browser follows. Returns the URL and the
    /// page at the end.
    async fn open(&mut self, program: &Program, url: &str, form: Option<&str>) -> (String, String) {
        let (mut url, mut form) = (url.to_owned(), form.map(str::to_owned));
        for _ in 0..10 {
            let is_own = url.starts_with(&program.url);
            let request = match &form {
                Some(_) => Request::post(&url),
                None => Request::get(&url),
            };
            let mut request = request
                .header(header::ACCEPT, "text/html")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-mode", "navigate")
                .header("sec-fetch-dest", "document");
            if is_own {
                let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
                request = request.header(header::COOKIE, pairs.collect::<Vec<_>>().join("; "));
            }
            let body = bytes::Bytes::from(form.take().unwrap_or_default());
            let request = request.body(body.into()).unwrap();
            let answer = self.http.send(request, Purpose::Api).await.unwrap();
            for line in answer.headers().get_all(header::SET_COOKIE).iter().filter(|_| is_own) {
                let pair = line.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let text = |name| answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
            let next = text(header::LOCATION)
                .or_else(|| Some(text(header::REFRESH)?.strip_prefix("0;url=")?.to_owned()));
            let Some(next) = next else {
                let bytes = to_bytes(Body::new(answer.into_body()), 1 << 20).await.unwrap();
                return (url, String::from_utf8(bytes.to_vec()).unwrap());
            };
            url = url::Url::parse(&url).unwrap().join(&next).unwrap().to_string();
        }
        panic!("redirected in circles at {url}");
    }
}

#[tokio::test]
async fn each_example_logs_in_with_its_service() {
    let http = Reqwest::standard().unwrap();
    for (example, expected) in [
        ("github", "You are \"ada\" on GitHub"),
        ("google", "You are ada@example.com on Google"),
        ("facebook", "You are Ada Lovelace on Facebook, with ada@example.com"),
        ("slack", "You are Ada Lovelace of T0RR on Slack"),
        ("twitter", "You are @ada on Twitter"),
        ("linkedin", "You are Ada Lovelace on LinkedIn"),
        ("heroku", "You are \"ada@example.com\" on Heroku"),
        ("fitbit", "You are ada L. on Fitbit"),
    ] {
        let program = Program::run(example).await;
        let mut browser = Browser { http: http.clone(), cookies: BTreeMap::new() };
        let (url, page) = browser.open(&program, &program.url, None).await;
        assert!(url.starts_with(&program.service), "{example}: {url} {page}");
        assert!(page.contains("Allow as"), "{example}: {page}");

        let (_, denied) = browser.open(&program, &url, Some("deny=1")).await;
        assert!(denied.contains("<code>access_denied</code>"), "{example}: {denied}");

        let (url, _) = browser.open(&program, &program.url, None).await;
        let (url, page) = browser.open(&program, &url, Some("allow=1")).await;
        assert_eq!(url, format!("{}/", program.url), "{example}: {page}");
        assert!(page.contains(expected), "{example}: {page}");
        let (again, page) = browser.open(&program, &program.url, None).await;
        assert!(again.starts_with(&program.url) && page.contains(expected), "{example}: {page}");
    }
}
