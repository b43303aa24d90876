//! The test binary again, as another process on the same file.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

const FOLDER: &str = "QUADRILLE_TEST_FOLDER";
const ARGUMENT: &str = "QUADRILLE_TEST_ARGUMENT";

const TOLD: &str = "told: ";

/// A process that runs one ignored test.
pub(crate) struct Process {
    child: Child,
    pub(crate) lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Runs the ignored test of this name, which finds what it needs with [`folder`] and
    /// [`argument`], and waits until it is [`ready`].
    pub(crate) fn start(test: &str, folder: &Path, argument: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .env(ARGUMENT, argument.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.by_ref().map_while(Result::ok).any(|line| line.ends_with("ready")));
        Self { child, lines }
    }

    pub(crate) fn go(&mut self) {
        self.child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }

    /// Ends it without any warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it [`tell`]s until it ends well.
    pub(crate) fn told(mut self) -> Vec<String> {
        let lines = self.lines.by_ref().map_while(Result::ok);
        let told = lines.filter_map(|line| Some(told(&line)?.to_owned())).collect();
        assert!(self.child.wait().unwrap().success());
        told
    }
}

/// Says so, and waits for [`Process::go`].
pub(crate) fn ready() {
    println!("ready");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    assert_eq!(line, "go\n");
}

/// Says something to the process that started this one.
pub(crate) fn tell(what: &str) {
    println!("{TOLD}{what}");
}

/// What was said in this line, if it is whole.
pub(crate) fn told(line: &str) -> Option<&str> {
    line.strip_prefix(TOLD)
}

pub(crate) fn folder() -> std::path::PathBuf {
    std::env::var_os(FOLDER).expect("this is for another process to run").into()
}

pub(crate) fn argument() -> usize {
    std::env::var(ARGUMENT).unwrap().parse().unwrap()
}
