//! A Redis server in a temporary folder and on a free port, which runs until the test process ends,
//! however it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use redis::aio::ConnectionManager;

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
        let folder = tempfile::tempdir().unwrap().keep();
        let port = free_port();
        let mut child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&folder)
            .args(["redis-server", "--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
            .arg(&folder)
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
        let config = redis::aio::ConnectionManagerConfig::new();
        let config = config.set_response_timeout(Some(wait));
        let client = redis::Client::open(&*self.url).unwrap();
        client.get_connection_manager_with_config(config).await.unwrap()
    }

    /// Ends it, and waits until it answers no longer.
    pub(crate) async fn stop(self) {
        let url = self.url.clone();
        drop(self);
        let client = redis::Client::open(url).unwrap();
        while client.get_multiplexed_async_connection().await.is_ok() {}
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

/// A port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
