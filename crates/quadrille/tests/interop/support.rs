use std::{path::PathBuf, process::Stdio};

use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// A service, as long as this lives.
pub(crate) struct Running {
    pub(crate) issuer: String,
    /// The line that the service printed.
    pub(crate) told: Value,
    _child: Child,
    _ends_when_closed: ChildStdin,
    // A service that prints more would end if it were closed.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts a service that reads who its client is as one line and prints where it is as another.
    pub(crate) async fn start(mut service: Command, client: &Value) -> Self {
        let mut child = service
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect(
                "the program that runs the service is missing; `make test` says how to install it",
            );
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{client}\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the service ended before it began");
        let started: Value = serde_json::from_str(&line).unwrap();
        let issuer = started["issuer"].as_str().unwrap().to_owned();
        Self { issuer, told: started, _child: child, _ends_when_closed: stdin, _lines: lines }
    }
}

/// What a program prints when it has read this.
pub(crate) async fn ask(mut program: Command, input: &Value) -> Map<String, Value> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter is missing; `make test` says how to install it");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let out = child.wait_with_output().await.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// A person opens these pages, in turn and in one browser, and fills in the forms that come.
pub(crate) async fn visit(urls: &[String], fill: &Value) -> Value {
    let out = node("clients/node/visit.js")
        .arg(json!({ "urls": urls, "fill": fill }).to_string())
        .output()
        .await
        .expect("node is missing; install it: apt-get install nodejs npm");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

pub(crate) fn node(script: &str) -> Command {
    let interop = interop();
    assert!(
        interop.join("node_modules/oidc-provider").is_dir(),
        "npm's oidc-provider is missing; install it: npm ci --prefix interop"
    );
    command("node", script)
}

pub(crate) fn python(script: &str) -> Command {
    let python = interop().join(".venv/bin/python");
    assert!(python.exists(), "oauthlib is missing; install it: make interop/.venv/.installed");
    command(python.to_str().unwrap(), script)
}

fn command(program: &str, script: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(interop()).arg(script).kill_on_drop(true);
    command
}

fn interop() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../interop").canonicalize().unwrap()
}
