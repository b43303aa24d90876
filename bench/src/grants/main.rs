//! The requests of one user and one client that have a thousand grants, beside those of a thousand
//! users and clients that have one each. `bench/run` starts this program after the others.

#![allow(clippy::disallowed_methods, reason = "this measures the time that really passes")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is the table")]
#![allow(clippy::cast_precision_loss, reason = "figures have three digits")]

mod site;
#[path = "../spread.rs"]
mod spread;
#[path = "../timing.rs"]
mod timing;

use std::{path::Path, process::ExitCode};

use quadrille::{
    Env, KeyRing,
    provider::{
        AuthorizationServer,
        store::{MemoryStore, SqliteStore},
    },
};
use tokio::runtime::Runtime;

use site::{Site, Visit};
use spread::Spread;
use timing::{Result, allocations, nanoseconds};

const ROUNDS: usize = 11;
const ISSUER: &str = "https://id.example.com";

/// A request, by the position of its grant.
type Request = fn(&mut Site, usize) -> Visit<'_>;

const REQUESTS: [(&str, Request); 5] = [
    ("code dance", |site, at| Box::pin(site.dance(at))),
    ("bearer check", |site, at| Box::pin(site.check(at))),
    ("introspection", |site, at| Box::pin(site.introspect(at))),
    ("refresh", |site, at| Box::pin(site.refresh(at))),
    ("revocation, and the dance before it", |site, at| Box::pin(site.revoke(at))),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    println!(
        "\n| a thousand grants of one user and client | one each, µs | µs | of one each | \
         allocations | target |\n|---|--:|--:|--:|--:|---|"
    );
    let server = || Ok(AuthorizationServer::new(ISSUER, MemoryStore::new(Env::system()))?);
    measure("memory", 2000, server)?;
    // Where there is no disk whose pauses are greater than what is compared.
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(parent)?;
    let mut files = 0;
    measure("SQLite", 500, || {
        files += 1;
        let path = folder.path().join(format!("{files}.db"));
        let env = Env::system();
        let server = AuthorizationServer::new(ISSUER, SqliteStore::open(path, env.clone())?)?;
        Ok(server.keys(KeyRing::new([&env.random()])?))
    })
}

/// Prints a row for each request.
fn measure(
    store: &str,
    times: u32,
    mut server: impl FnMut() -> Result<AuthorizationServer>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut one_each = runtime.block_on(Site::new(server()?, false))?;
    let mut all_of_one = runtime.block_on(Site::new(server()?, true))?;
    for (title, request) in REQUESTS {
        let counts = (
            allocations(&mut repeated(&runtime, &mut one_each, request))?,
            allocations(&mut repeated(&runtime, &mut all_of_one, request))?,
        );
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let one = nanoseconds(times, &mut repeated(&runtime, &mut one_each, request))?;
            let all = nanoseconds(times, &mut repeated(&runtime, &mut all_of_one, request))?;
            rounds.push((one, all));
        }
        let one = Spread::of(rounds.iter().map(|(one, _)| one / 1000.0));
        let all = Spread::of(rounds.iter().map(|(_, all)| all / 1000.0));
        let ratio = Spread::of(rounds.iter().map(|(one, all)| all / one));
        println!(
            "| {title}, {store} | {:.2} | {:.2} ±{:.0} % | {:.3} ({:.3}-{:.3}) | {} and {} | 1.0 |",
            one.median,
            all.median,
            all.relative() * 100.0,
            ratio.median,
            ratio.low,
            ratio.high,
            counts.0,
            counts.1,
        );
    }
    Ok(())
}

/// The request for one grant after the other.
fn repeated<'s>(
    runtime: &'s Runtime,
    site: &'s mut Site,
    request: Request,
) -> impl FnMut() -> Result<()> + 's {
    let mut at = 0;
    move || {
        at = if at + 1 < site::GRANTS { at + 1 } else { 0 };
        runtime.block_on(request(site, at))
    }
}
