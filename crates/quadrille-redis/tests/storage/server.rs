//! A Redis server in a temporary folder and on a free port, which runs until the test process ends,
//! however it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use redis::aio::ConnectionManager;

use super::ports::free_port;

const INSTALL: &str = "apt-get install --no-install-recommends redis-server";

/// Runs the server until its input ends, then stops it and removes its folder.
const GUARD: &str = r#"
    folder=$1; shift
    trap '' INT TERM HUP
    "$@" </dev/null & server=$!
    read -r _
    kill -s KILL "$server"; wait "$server"; rm -rf "$folder""#;

pub(crate) struct Server {
    pub(crate) url: String,
    _child: Child,
    _ends_when_closed: ChildStdin,
}

impl Server {
    /// An empty server.
    pub(crate) fn start() -> Self {
        Self::run_in(&tempfile::tempdir().unwrap().keep(), free_port(), None)
    }

    /// An empty server on this port.
    pub(crate) fn at(port: &str) -> Self {
        Self::run_in(&tempfile::tempdir().unwrap().keep(), port.parse().unwrap(), None)
    }

    /// A server that begins with the snapshot in this folder, if there is one.
    pub(crate) fn in_folder(data: &Path) -> Self {
        Self::run_in(&tempfile::tempdir().unwrap().keep(), free_port(), Some(data))
    }

    /// The port on which it listens.
    pub(crate) fn port(&self) -> String {
        self.url.trim_end_matches('/').rsplit(':').next().unwrap().to_owned()
    }

    /// `folder` is removed at the end, `data` stays.
    fn run_in(folder: &Path, port: u16, data: Option<&Path>) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder)
            .args([&*program(), "--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
            .arg(data.unwrap_or(folder))
            .args(["--save", "", "--maxmemory-policy", "noeviction"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ready to accept connections") {
            let read = log.read_line(&mut said).unwrap();
            assert!(read > 0, "redis-server did not begin; on Debian, as root: {INSTALL}\n{said}");
        }
        // A server waits when nobody reads its log.
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
        Self { url: format!("redis://127.0.0.1:{port}/"), _child: child, _ends_when_closed: stdin }
    }

    /// A connection, as another process has.
    pub(crate) async fn connect(&self) -> ConnectionManager {
        self.connect_for(Duration::from_secs(20)).await
    }

    /// A connection that waits for a tenth of a second.
    pub(crate) async fn connect_impatient(&self) -> ConnectionManager {
        self.connect_for(Duration::from_millis(100)).await
    }

    async fn connect_for(&self, wait: Duration) -> ConnectionManager {
        connect(&self.url, wait).await
    }

    /// Ends it, and waits until it answers no longer.
    pub(crate) async fn stop(self) {
        let url = self.url.clone();
        drop(self);
        let client = redis::Client::open(url).unwrap();
        while client.get_multiplexed_async_connection().await.is_ok() {}
    }

    /// Makes it a replica of another server, whose data it has from then on.
    pub(crate) async fn follow(&self, primary: &Self) {
        // Without the pause in which further replicas may come.
        primary.run(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).await;
        self.run(&["REPLICAOF", "127.0.0.1", &primary.port()]).await;
        let has_it = |info: &str| info.contains("master_link_status:up");
        while !has_it(&self.query::<String>(&["INFO", "replication"]).await) {}
    }

    pub(crate) async fn query<T: redis::FromRedisValue>(
        &self,
        command: &[impl redis::ToRedisArgs],
    ) -> T {
        let (name, arguments) = command.split_first().unwrap();
        let mut connection = self.connect().await;
        let mut command = redis::Cmd::new();
        command.arg(name).arg(arguments).query_async(&mut connection).await.unwrap()
    }

    pub(crate) async fn run(&self, command: &[&str]) -> redis::Value {
        let (name, arguments) = command.split_first().unwrap();
        let mut connection = self.connect().await;
        redis::cmd(name).arg(arguments).query_async(&mut connection).await.unwrap()
    }
}

async fn connect(url: &str, wait: Duration) -> ConnectionManager {
    let config = redis::aio::ConnectionManagerConfig::new();
    let config = config.set_response_timeout(Some(wait));
    let client = redis::Client::open(url).unwrap();
    client.get_connection_manager_with_config(config).await.unwrap()
}

/// A port whose new connections lead to one server, and later to another, as a name does.
pub(crate) struct Door {
    url: String,
    leads_to: Arc<Mutex<String>>,
}

impl Door {
    pub(crate) fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}/", listener.local_addr().unwrap());
        let leads_to = Arc::new(Mutex::new(server.port()));
        let port = Arc::clone(&leads_to);
        std::thread::spawn(move || {
            for inside in listener.incoming().map(Result::unwrap) {
                let address = format!("127.0.0.1:{}", port.lock().unwrap());
                let outside = TcpStream::connect(address).unwrap();
                let (back, forth) = (inside.try_clone().unwrap(), outside.try_clone().unwrap());
                std::thread::spawn(move || pass(inside, forth));
                std::thread::spawn(move || pass(outside, back));
            }
        });
        Self { url, leads_to }
    }

    pub(crate) fn lead_to(&self, server: &Server) {
        *self.leads_to.lock().unwrap() = server.port();
    }

    pub(crate) async fn connect(&self) -> ConnectionManager {
        connect(&self.url, Duration::from_secs(20)).await
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

/// Redis, or the server that `QUADRILLE_TEST_REDIS` names, such as `valkey-server`.
fn program() -> String {
    std::env::var("QUADRILLE_TEST_REDIS").unwrap_or_else(|_| "redis-server".to_owned())
}
