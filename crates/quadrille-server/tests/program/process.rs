//! The program as a child process in its own folder.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::Value;

/// A folder that is removed after the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("quadrille-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program, without the environment variables of the test run, and without OpenID Connect, which
/// is on by default on this machine and needs a key that takes a while.
pub(crate) fn quadrille(arguments: &[&str]) -> Command {
    let mut command = Command::new(crate::PROGRAM);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("QUADRILLE_") {
            command.env_remove(name);
        }
    }
    command.env("QUADRILLE_OPENID", "false").args(arguments);
    command
}

/// Compiles a source beside these tests, for `LD_PRELOAD`.
pub(crate) fn preloaded(folder: &Folder, source: &str) -> PathBuf {
    let library = folder.path().join(source).with_extension("so");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program");
    let compiler = std::env::var("CC").unwrap_or("cc".to_owned());
    let mut compile = Command::new(compiler);
    compile.args(["-shared", "-fPIC", "-o"]).args([&library, &tests.join(source)]);
    assert!(compile.status().unwrap().success());
    library
}

/// Runs a command on a data directory to its end.
pub(crate) fn run(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = quadrille(arguments)
        .arg("--data-dir")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may already have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a command with `--json` that must succeed. Returns its result.
pub(crate) fn json(data: &Path, arguments: &[&str], input: &str) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let output = run(data, &arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a command that must fail. Returns its exit code and its messages.
pub(crate) fn failure(data: &Path, arguments: &[&str]) -> (i32, String) {
    let output = run(data, arguments, "");
    assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
    (output.status.code().unwrap(), text(&output.stderr))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running `quadrille serve`.
pub(crate) struct Program {
    child: Child,
    pub(crate) issuer: String,
    pub(crate) listening: String,
    /// The address for measurements; empty without one.
    pub(crate) metrics: String,
    pub(crate) data: PathBuf,
    log: PathBuf,
}

impl Program {
    /// Starts on a free port, in `folder`.
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[])
    }

    /// Starts with further arguments.
    pub(crate) fn start_with(folder: &Folder, arguments: &[&str]) -> Self {
        Self::start_by(folder, arguments, |_| ())
    }

    /// Starts under a shell that sets other limits first.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_limited(folder: &Folder, limit: &str, arguments: &[&str]) -> Self {
        Self::start_by(folder, arguments, |command| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]);
            shell.arg(command.get_program()).args(command.get_args());
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => shell.env(name, value),
                    None => shell.env_remove(name),
                };
            }
            *command = shell;
        })
    }

    /// The number of files that the system allows the program to open.
    #[cfg(target_os = "linux")]
    pub(crate) fn open_files_allowed(&self) -> u64 {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        line.split_whitespace().nth(3).unwrap().parse().unwrap()
    }

    /// Starts after `prepare` has changed the command, such as its environment.
    pub(crate) fn start_by(
        folder: &Folder,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (data, log) = (folder.data(), folder.path().join(format!("log-{number}")));
        let listen: &[&str] =
            if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let log_level: &[&str] =
            if arguments.contains(&"--log") { &[] } else { &["--log", "debug"] };
        let mut command = quadrille(&[&["serve", "--json"], log_level].concat());
        prepare(&mut command);
        let mut child = command
            .args(listen)
            .args(arguments)
            .arg("--data-dir")
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("{line:?}: {}", std::fs::read_to_string(&log).unwrap()));
        let field = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
        let (issuer, listening) = (field("issuer"), field("listening"));
        Self { child, issuer, listening, metrics: field("metrics_listening"), data, log }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Runs a command on the data directory of the running program.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        json(&self.data, arguments, "")
    }

    pub(crate) fn add_user(&self, name: &str, password: &str) -> Value {
        json(&self.data, &["user", "add", name, "--password-stdin"], &format!("{password}\n"))
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for the program to end.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.log())
    }

    /// Stops the program as a service manager does. It must succeed.
    pub(crate) fn stop(self) {
        self.signal("-TERM");
        let (status, log) = self.ended();
        assert!(status.success(), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until the answer is yes, for as long as `limit`. The only wait in these tests: the
/// clock of another process cannot be moved.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    limit: Duration,
    ask: impl Fn() -> F,
) -> bool {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(limit, asking).await.is_ok()
}

/// The text that a connection delivers until it is closed.
pub(crate) fn rest_of(stream: &mut std::net::TcpStream) -> String {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}
