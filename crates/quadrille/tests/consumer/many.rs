//! Many logins at once, over HTTP.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
    routing::get,
};
use quadrille::{
    GitHub, KeyRing, Linked, Login, consumer::MemoryStorage, testing::FakeService,
    transport::Purpose,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{SECRET, World};

const LOGINS: u64 = 10_000;
const AT_ONCE: u64 = 64;

async fn me(account: Linked<GitHub>) -> quadrille::Result<String> {
    let me: serde_json::Value = account.get("user").await?;
    // Twice, with a pause for others between.
    tokio::task::yield_now().await;
    let again: serde_json::Value = account.get("user").await?;
    assert_eq!(me, again);
    Ok(format!("{} {}", account.subject(), me["login"]))
}

async fn serve(app: impl FnOnce(&str) -> Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = app(&format!("http://{address}"));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// One visitor after the other over one connection, each with cookies of their own.
struct Connection {
    stream: TcpStream,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    headers: Vec<(String, String)>,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no {name}: {:?} {}", self.headers, self.text)).1
    }
}

impl Connection {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, cookies: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let cookies = cookies.join("; ");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\ncookie: {cookies}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let end = loop {
            assert_ne!(self.stream.read_buf(&mut read).await.unwrap(), 0, "closed");
            if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
        };
        let head = std::str::from_utf8(&read[..end]).unwrap();
        let headers: Vec<(String, String)> = head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer { headers, text: String::new() };
        let whole = end + 4 + answer.header("content-length").parse::<usize>().unwrap();
        while read.len() < whole {
            assert_ne!(self.stream.read_buf(&mut read).await.unwrap(), 0, "closed");
        }
        answer.text = String::from_utf8(read[end + 4..].to_vec()).unwrap();
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, rest) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn log_in(&mut self, service: &FakeService, user: u64) -> String {
        self.cookies.clear();
        let sent = self.get("/me").await;
        let away = self.get(sent.header("location")).await;
        let query = service.consent(away.header("location"), user).unwrap();
        let back = self.get(&format!("/login/github/authorized?{query}")).await;
        assert_eq!(back.header("refresh"), "0;url=/me");
        self.get("/me").await.text
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn ten_thousand_logins_at_once_and_nobody_comes_out_as_another() {
    let world = World::new();
    world.service.forgets_what_it_is_asked();
    // A site that keeps tokens in cookies, and one that keeps them itself.
    let mut sites = Vec::new();
    for in_memory in [false, true] {
        let service = world.service.clone();
        let site = serve(move |url| {
            let login = Login::new(KeyRing::ephemeral(), url)
                .with(GitHub::new("our-id", SECRET))
                .http(service);
            let login = if in_memory { login.storage(MemoryStorage::new()) } else { login };
            login.attach(Router::new().route("/me", get(me)))
        });
        sites.push(site.await);
    }
    let next = Arc::new(AtomicU64::new(1));
    let mut visitors = Vec::new();
    for worker in 0..AT_ONCE {
        let (service, next) = (world.service.clone(), Arc::clone(&next));
        let site = sites[usize::try_from(worker % 2).unwrap()].clone();
        visitors.push(tokio::spawn(async move {
            let mut connection = Connection::open(&site).await;
            loop {
                let user = next.fetch_add(1, Ordering::Relaxed);
                if user > LOGINS {
                    break;
                }
                let page = connection.log_in(&service, user).await;
                assert_eq!(page, format!("{user} \"user-{user}\""));
            }
        }));
    }
    for visitor in visitors {
        visitor.await.unwrap();
    }
    assert!(next.load(Ordering::Relaxed) > LOGINS);
}

/// The fake service behind real HTTP.
async fn answer(State(service): State<FakeService>, request: Request) -> Response {
    let purpose = match request.uri().path() {
        "/token" => Purpose::RedeemCode,
        _ => Purpose::Api,
    };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let answer = service.respond(http::Request::from_parts(parts, body), purpose).await.unwrap();
    answer.map(Body::from)
}

#[tokio::test]
async fn the_service_may_be_behind_a_real_connection() {
    let service = FakeService::new("our-id", SECRET);
    let fake = service.clone();
    let base = serve(move |_| Router::new().fallback(answer).with_state(fake)).await;
    let site = serve(move |url| {
        let github = GitHub::new("our-id", SECRET).with_spec(|spec| {
            spec.authorize = format!("http://{base}/authorize").into();
            spec.token = format!("http://{base}/token").into();
            spec.api = format!("http://{base}/").into();
        });
        let login = Login::new(KeyRing::ephemeral(), url).with(github);
        login.attach(Router::new().route("/me", get(me)))
    })
    .await;
    let mut connection = Connection::open(&site).await;
    for user in 1..=20 {
        let page = connection.log_in(&service, user).await;
        assert_eq!(page, format!("{user} \"user-{user}\""));
    }
}
