//! Examples as a user runs them, and a browser in front of them. Other packages use this file, too.

#![allow(dead_code, reason = "no package uses all of it")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::SystemTime,
};

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, header};
use quadrille::{
    testing::SERVICES,
    transport::{HttpClient as _, Purpose, Reqwest},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// An example that runs. It ends when this is dropped.
pub(crate) struct Program {
    _process: Child,
    /// A program that prints into a closed pipe panics.
    _output: Lines<BufReader<ChildStdout>>,
    pub(crate) url: String,
    /// The URLs of its emulators, by the title of the service.
    pub(crate) services: BTreeMap<String, String>,
}

impl Program {
    /// Runs an example of a package with this number of emulators.
    pub(crate) async fn run(package: &str, example: &str, emulators: usize) -> Self {
        Self::run_with(package, example, [], emulators).await
    }

    /// The same with further variables in the environment.
    pub(crate) async fn run_with<const N: usize>(
        package: &str,
        example: &str,
        environment: [(&str, &str); N],
        emulators: usize,
    ) -> Self {
        let mut command = Command::new(built(package, example).await);
        command.env("PORT", "0").envs(environment);
        Self::start(command, emulators).await
    }

    /// Runs a program that prints its URL and those of its emulators.
    pub(crate) async fn start(mut command: Command, emulators: usize) -> Self {
        for variable in SERVICES.iter().flat_map(|row| row.variables) {
            command.env_remove(variable);
        }
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the example is built");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut url, mut services) = (None, BTreeMap::new());
        while url.is_none() || services.len() < emulators {
            let line = lines.next_line().await.unwrap();
            let line = line.unwrap_or_else(|| panic!("{command:?} ended"));
            if let Some(open) = line.strip_prefix("Open ") {
                url = Some(open.to_owned());
            }
            if let Some((title, rest)) = line.split_once(" is emulated at ") {
                let service = rest.split(',').next().unwrap();
                services.insert(title.to_owned(), service.to_owned());
            }
        }
        Self { _process: process, _output: lines, url: url.unwrap(), services }
    }
}

/// The program of an example, which is built unless it is there and as new as its sources. All
/// tests together have built it with their own features, so that nothing is compiled twice.
async fn built(package: &str, example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(example);
    if !is_fresh(&program) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", package, "--all-features"]);
        let status = cargo.args(["--example", example]).status().await.unwrap();
        assert!(status.success(), "{example} is not built");
    }
    program
}

/// Whether no source in the program's list is newer than the program.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let Ok(built) = changed(program) else { return false };
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else { return false };
    let is_older = |path: &str| changed(path.as_ref()).is_ok_and(|time: SystemTime| time <= built);
    list.split_whitespace().skip(1).all(is_older)
}

/// A browser with the cookies of one application.
#[derive(Clone)]
pub(crate) struct Browser {
    http: Reqwest,
    site: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// All `Set-Cookie` lines of the application so far.
    pub(crate) set_cookies: Vec<String>,
}

/// The page at the end of redirects.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn of(program: &Program) -> Self {
        Self::at(&program.url, Reqwest::standard().unwrap())
    }

    pub(crate) fn at(site: &str, http: Reqwest) -> Self {
        Self { http, site: site.to_owned(), cookies: BTreeMap::new(), set_cookies: Vec::new() }
    }

    /// Follows a link of the application.
    pub(crate) async fn open(&mut self, path: &str) -> Page {
        let url = format!("{}{path}", self.site);
        self.send(&url, None, "same-origin").await
    }

    /// Follows a link of another site to the application.
    pub(crate) async fn open_from_elsewhere(&mut self, path: &str) -> Page {
        let url = format!("{}{path}", self.site);
        self.send(&url, None, "cross-site").await
    }

    /// Sends a form of the page at this URL.
    pub(crate) async fn submit(&mut self, url: &str, form: &str) -> Page {
        self.send(url, Some(form), "same-origin").await
    }

    /// Sends a form of another site to the application.
    pub(crate) async fn submit_from_elsewhere(&mut self, path: &str, form: &str) -> Page {
        let url = format!("{}{path}", self.site);
        self.send(&url, Some(form), "cross-site").await
    }

    /// Sends a navigation or a form, and follows what a browser follows.
    async fn send(&mut self, url: &str, form: Option<&str>, from: &str) -> Page {
        let (mut url, mut form) = (url.to_owned(), form.map(str::to_owned));
        for _ in 0..10 {
            let is_own = url.strip_prefix(&self.site).is_some_and(|rest| !rest.starts_with(':'));
            let request = match &form {
                Some(_) => Request::post(&url),
                None => Request::get(&url),
            };
            let mut request = request
                .header(header::ACCEPT, "text/html")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", from)
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
                let line = line.to_str().unwrap();
                self.set_cookies.push(line.to_owned());
                let pair = line.split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let text = |name| answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
            let next = text(header::LOCATION)
                .or_else(|| Some(text(header::REFRESH)?.strip_prefix("0;url=")?.to_owned()));
            let Some(next) = next else {
                let status = answer.status();
                let bytes = to_bytes(Body::new(answer.into_body()), 1 << 20).await.unwrap();
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                return Page { url, status, text };
            };
            url = url::Url::parse(&url).unwrap().join(&next).unwrap().to_string();
        }
        panic!("redirected in circles at {url}");
    }
}
