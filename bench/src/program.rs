//! The figures that need no load: sizes, memory and the time to start.

use std::{
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Result,
    load::{
        self,
        message::{basic, get},
        script::{Repeat, Script},
    },
    ports::free_port,
    process::Role,
    process::{Server, pinned},
    stage::Programs,
    workload::client_credentials,
};

/// The program's own figures, in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// The time from the start of a second `quadrille serve` on its data to the first correct
    /// response, in seconds.
    pub(crate) first_answer: f64,
    /// The resident memory after that response, in bytes.
    pub(crate) idle: f64,
    /// The resident memory after a measurement of client credentials on its database, in bytes.
    pub(crate) loaded: f64,
    /// The memory for each of [`LIVE_TOKENS`] valid tokens in a `MemoryStore`, in bytes.
    pub(crate) token: f64,
    /// The memory for each valid token in the bare handler's map, in bytes.
    pub(crate) bare_token: f64,
    /// The size of the program's file, in bytes.
    pub(crate) size: f64,
}

/// The number of tokens that the memory of a token is measured with.
const LIVE_TOKENS: u64 = 100_000;

/// Measures the figures.
pub(crate) fn measure(programs: &Programs, window: Duration) -> Result<Figures> {
    let program = programs.ours.join("quadrille");
    let data = programs.data_for(Role::Program)?;
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let common = ["--data-dir".into(), data.into_os_string()];
    let common = common.into_iter().chain(["--issuer".into(), format!("http://{address}").into()]);
    let common: Vec<OsString> = common.collect();
    // The program grants no scope that is not in its settings.
    let scopes = ["--set", "scopes=read,write"];
    let added = Command::new(&program)
        .args(["client", "add", "Bench", "--grant", "client_credentials", "--scope", "read"])
        .args(["--scope", "write", "--json"])
        .args(scopes)
        .args(&common)
        .output()?;
    if !added.status.success() {
        return Err(String::from_utf8_lossy(&added.stderr).into());
    }
    let added: serde_json::Value = serde_json::from_slice(&added.stdout)?;
    let text = |name: &str| {
        let value = added.get(name).and_then(|value| value.as_str());
        value.ok_or_else(|| format!("no {name}: {added}"))
    };
    let authorization = basic(text("client_id")?, text("client_secret")?);

    let serve = || {
        let mut command = pinned(&[programs.cores.server], &program);
        command.args(["serve", "--listen", &address]).args(scopes).args(&common);
        command.stdout(Stdio::null());
        command
    };
    // The first start makes the database and the keys.
    drop(first_answer(port, serve())?);
    let (server, first_answer) = first_answer(port, serve())?;
    let idle = server.resident()? as f64;
    let script =
        || Box::new(Repeat::client_credentials("/oauth/token", &authorization)) as Box<dyn Script>;
    load::run(&server, (0..16).map(|_| script()).collect(), Duration::ZERO, window)?;
    Ok(Figures {
        first_answer: first_answer.as_secs_f64(),
        idle,
        loaded: server.resident()? as f64,
        token: bytes_per_token(&programs.start(Role::Memory)?)?,
        bare_token: bytes_per_token(&programs.start(Role::Limits)?)?,
        size: fs::metadata(&program)?.len() as f64,
    })
}

/// Starts the program and requests its metadata until a response comes.
fn first_answer(port: u16, serve: Command) -> Result<(Server, Duration)> {
    let begun = Instant::now();
    let mut server = Server::spawn(Role::Program, port, serve)?;
    let mut stream = server.connect()?;
    let target = "/.well-known/oauth-authorization-server";
    stream.write_all(&get(target, &[("Connection", "close")]))?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    let elapsed = begun.elapsed();
    if !received.starts_with(b"HTTP/1.1 200") {
        return Err(format!("at start: {}", String::from_utf8_lossy(&received)).into());
    }
    Ok((server, elapsed))
}

fn bytes_per_token(server: &Server) -> Result<f64> {
    let script = client_credentials(server)?;
    let issue = |count| {
        let script = || Box::new(script.clone()) as Box<dyn Script>;
        load::run_count(server, (0..16).map(|_| script()).collect(), count)
    };
    // Allocations of the first requests do not belong to the tokens.
    issue(1000)?;
    let before = server.resident()?;
    issue(LIVE_TOKENS)?;
    Ok(server.resident()?.saturating_sub(before) as f64 / LIVE_TOKENS as f64)
}
