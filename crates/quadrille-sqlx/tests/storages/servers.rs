//! Database servers of the tests, in temporary folders and on free ports. Each runs until the test
//! process ends, however it ends.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::ports::free_port;

const INSTALL: &str = "apt-get install --no-install-recommends postgresql mariadb-server pgbouncer";

/// Runs a server until its input ends, then stops it by a signal and removes its folder.
const GUARD: &str = r#"
    folder=$1 signal=$2; shift 2
    trap '' INT TERM HUP
    "$@" </dev/null & server=$!
    read -r _
    kill -s "$signal" "$server"; wait "$server"; rm -rf "$folder""#;

/// The bytes of a log that are kept.
const LOG: usize = 65_536;

pub(crate) struct Server {
    pub(crate) port: u16,
    log: Arc<Mutex<String>>,
    _child: Child,
    _ends_when_closed: ChildStdin,
}

/// The server of PostgreSQL; its user is `postgres`, without a password.
pub(crate) fn postgres() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    // Hundreds of databases are made, whose log would take a gigabyte.
    SERVER.get_or_init(|| new_postgres(&["-N", "200", "-F", "-c", "max_wal_size=64MB"]))
}

/// A server of PostgreSQL of its own, which has a [`standby`]. Nothing is written but by its test.
#[allow(dead_code, reason = "the tests of stores need it")]
pub(crate) fn primary() -> Server {
    new_postgres(&["-F", "-c", "autovacuum=off"])
}

/// A new server of PostgreSQL with these options.
pub(crate) fn new_postgres(options: &[&str]) -> Server {
    let (folder, port) = place();
    let data = folder.join("data");
    let mut init = as_nobody(&program("initdb"));
    init.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]);
    finish(init.args(["--locale=C", "--pgdata"]).arg(&data));
    start_postgres(&folder, port, options)
}

/// A streaming standby of a [`primary`], with a setting.
#[allow(dead_code, reason = "the tests of stores need it")]
pub(crate) fn standby(primary: &Server, setting: &str) -> Server {
    let (folder, port) = place();
    let mut copy = as_nobody(&program("pg_basebackup"));
    copy.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &primary.port.to_string(), "-D"]);
    copy.arg(folder.join("data"));
    finish(copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]));
    start_postgres(&folder, port, &["-F", "-c", setting])
}

fn start_postgres(folder: &Path, port: u16, options: &[&str]) -> Server {
    let mut server = as_nobody(&program("postgres"));
    server.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    server.args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(options);
    Server::start(&server, folder, port, "INT")
}

/// The URL of a new, empty database of [`postgres`].
#[allow(dead_code, reason = "the tests of the program need it")]
pub(crate) fn postgres_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("program_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let port = postgres().port;
    let mut create = Command::new(program("createdb"));
    create.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &port.to_string(), &name]);
    finish(&mut create);
    format!("postgres://postgres@127.0.0.1:{port}/{name}")
}

/// The server of MariaDB; its user is `root`, without a password. Its settings are careless on
/// purpose: values that are too long are cut, and texts are Latin-1.
pub(crate) fn mariadb() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| new_mariadb("0"))
}

/// A new server of MariaDB, with this `innodb_flush_log_at_trx_commit`.
pub(crate) fn new_mariadb(flush: &str) -> Server {
    let (folder, port) = place();
    let data = format!("--datadir={}", folder.join("data").display());
    let mut init = as_nobody(&program("mariadb-install-db"));
    init.args(["--no-defaults", "--auth-root-authentication-method=normal", &data]);
    finish(init.args(["--skip-test-db", "--skip-name-resolve"]));
    let mut server = as_nobody(&program("mariadbd"));
    server.args(["--no-defaults", &data, "--bind-address=127.0.0.1", "--sql-mode="]);
    server.args([&format!("--port={port}"), "--max-connections=200"]);
    server.args(["--character-set-server=latin1"]);
    server.arg(format!("--innodb-flush-log-at-trx-commit={flush}"));
    for (option, name) in [("socket", "socket"), ("pid-file", "pid")] {
        server.arg(format!("--{option}={}", folder.join(name).display()));
    }
    Server::start(&server, &folder, port, "TERM")
}

/// The URL of a new, empty database of [`mariadb`].
#[allow(dead_code, reason = "the tests of the program need it")]
pub(crate) fn mariadb_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("program_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let port = mariadb().port;
    let mut create = mariadb_client("mariadb", port);
    finish(create.args(["--execute", &format!("CREATE DATABASE {name}")]));
    format!("mysql://root@127.0.0.1:{port}/{name}")
}

/// A program of MariaDB that connects to the server at this port.
pub(crate) fn mariadb_client(name: &str, port: u16) -> Command {
    let mut client = Command::new(program(name));
    client.args(["--no-defaults", "--host=127.0.0.1", "--user=root"]).arg(format!("--port={port}"));
    client
}

/// A PgBouncer in transaction mode in front of [`postgres`], with few connections to it. It gives
/// them back after a second, since each test has a database of its own: the connections of all of
/// them would be more than the server allows.
pub(crate) fn pgbouncer() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let (folder, port) = place();
        let (users, settings) = (folder.join("users.txt"), folder.join("pgbouncer.ini"));
        let to = postgres().port;
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={to}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 3\nserver_idle_timeout = 1\n\
             ignore_startup_parameters = extra_float_digits,options\n",
            users.display()
        );
        std::fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        std::fs::write(&settings, text).unwrap();
        let mut server = as_nobody(&program("pgbouncer"));
        server.arg(&settings);
        Server::start(&server, &folder, port, "INT")
    })
}

impl Server {
    /// Starts a server, and waits until it is ready. At the end it gets the signal, and its folder
    /// is removed.
    pub(crate) fn start(server: &Command, folder: &Path, port: u16, signal: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder)
            .arg(signal)
            .arg(server.get_program())
            .args(server.get_args())
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !(said.contains("ready") && said.contains("for connections")
            || said.contains("ready to accept connections")
            || said.contains("ready to accept read-only connections")
            || said.contains("process up")
            || said.contains("resuming normal operations"))
        {
            let read = log.read_line(&mut said).unwrap();
            assert!(read > 0, "the server ended before it began:\n{said}");
        }
        let written = Arc::new(Mutex::new(said));
        let kept = Arc::clone(&written);
        // A server waits when nobody reads its log.
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while log.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let mut kept = kept.lock().unwrap();
                if kept.len() > LOG {
                    kept.clear();
                }
                kept.push_str(&String::from_utf8_lossy(&std::mem::take(&mut line)));
            }
        });
        Self { port, log: written, _child: child, _ends_when_closed: stdin }
    }

    /// The end of the server's log, for a failure that it explains.
    #[allow(dead_code, reason = "the tests of stores need it")]
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

pub(crate) fn place() -> (PathBuf, u16) {
    let folder = tempfile::tempdir().unwrap().keep();
    if is_root() {
        // They make files beside their folder, too, and do not say where they cannot.
        let above = std::env::temp_dir();
        let may_write = as_nobody(Path::new("test")).arg("-w").arg(&above).status().unwrap();
        assert!(
            may_write.success(),
            "{} must be writable for the user nobody, who runs the servers: set TMPDIR to another folder, \
             or chmod 1777 this one and make those above it accessible",
            above.display()
        );
        finish(Command::new("chown").arg("nobody").arg(&folder));
    }
    (folder, free_port())
}

/// Servers refuse to be run by root.
pub(crate) fn as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--clear-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Debian has PostgreSQL's programs in a folder for each version, and MariaDB's in `/usr/sbin`.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    folders.extend(versions.map(|version| version.unwrap().path().join("bin")));
    folders.push("/usr/sbin".into());
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing; on Debian, as root: {INSTALL}"))
}

pub(crate) fn finish(command: &mut Command) {
    let out = command.env("LC_ALL", "C").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(out.status.success(), "{command:?}\n{}{}", text(&out.stdout), text(&out.stderr));
}
