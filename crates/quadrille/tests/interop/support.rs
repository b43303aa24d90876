use std::{path::PathBuf, process::Stdio};

use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// A program that answers each line with one, as long as this lives. It ends when its input does.
struct Answering {
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Answering {
    fn start(mut program: Command, errors: Stdio) -> Self {
        let mut child =
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors).spawn().expect(
                "the program that runs the service is missing; `make test` says how to install it",
            );
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input, lines, _child: child }
    }

    async fn ask(&mut self, line: &str) -> Value {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let line = self.lines.next_line().await.unwrap();
        serde_json::from_str(&line.expect("the program ended before it answered")).unwrap()
    }
}

/// A service, as long as this lives.
pub(crate) struct Running {
    pub(crate) issuer: String,
    /// The line that the service printed.
    pub(crate) told: Value,
    service: Answering,
}

impl Running {
    /// Starts a service that reads who its client is as one line and prints where it is as another.
    pub(crate) async fn start(service: Command, client: &Value) -> Self {
        let mut service = Answering::start(service, Stdio::null());
        let told = service.ask(&client.to_string()).await;
        let issuer = told["issuer"].as_str().unwrap().to_owned();
        Self { issuer, told, service }
    }

    /// Has the service do this, and waits until it is done.
    pub(crate) async fn tell(&mut self, command: &str) {
        self.service.ask(command).await;
    }
}

/// Users with browsers, each of which keeps its cookies as long as this lives.
pub(crate) struct Browsers(Answering);

impl Browsers {
    pub(crate) fn start() -> Self {
        let mut command = node("clients/node/visit.js");
        command.env("NODE_EXTRA_CA_CERTS", certificate("self-signed.pem"));
        Self(Answering::start(command, Stdio::inherit()))
    }

    /// The user of a browser opens these pages, in turn, and fills in the forms that come.
    pub(crate) async fn visit(&mut self, browser: &str, urls: &[String], fill: &Value) -> Value {
        let line = json!({ "browser": browser, "urls": urls, "fill": fill });
        self.0.ask(&line.to_string()).await
    }
}

/// A person opens these pages, in turn and in one browser, and fills in the forms that come.
pub(crate) async fn visit(urls: &[String], fill: &Value) -> Value {
    Browsers::start().visit("the only one", urls, fill).await
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

/// The file of a certificate for `localhost`, or of its key.
pub(crate) fn certificate(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/consumer").join(file)
}
