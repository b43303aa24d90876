//! The time and the memory of whole providers in one process, as tests start them: `cargo bench -p
//! quadrille --all-features --bench providers`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench")]
#![allow(clippy::print_stdout, missing_docs, reason = "a bench")]

use std::{fs, hint::black_box, time::Instant};

use quadrille::{
    jose::{Algorithm, SigningKey},
    testing::{Browser, FakeService, TestClient, TestProvider},
};

/// The number of providers in the process.
const MANY: usize = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // The first one pays for what all share: random numbers, tables, pages of memory.
    let (first, worked) = (Instant::now(), cpu());
    black_box(TestProvider::new("https://id.example"));
    let (first, work) = (first.elapsed().as_secs_f64() * 1e3, cpu() - worked);
    println!("the first provider: {first:.2} ms ({work:.2} ms of CPU)");
    // The library of algorithms pays for its own when it first draws: with the first token.
    let (drawn, worked) = (Instant::now(), cpu());
    black_box(SigningKey::generate(Algorithm::Es256).unwrap());
    let (drawn, work) = (drawn.elapsed().as_secs_f64() * 1e3, cpu() - worked);
    println!("the first number of the library of algorithms: {drawn:.2} ms ({work:.2} ms of CPU)");
    let (before, start, worked) = (resident(), Instant::now(), cpu());
    let all: Vec<_> = (0..MANY).map(|_| TestProvider::new("https://id.example")).collect();
    let each = start.elapsed().as_secs_f64() * 1e3 / MANY as f64;
    let work = (cpu() - worked) / MANY as f64;
    println!(
        "each of {MANY} providers: {each:.3} ms ({work:.3} ms of CPU), {} KiB",
        (resident() - before) / MANY
    );
    println!("the process with them: {} MiB", resident() / 1024);

    let start = Instant::now();
    for provider in &all {
        let client = TestClient::register(provider.server(), "openid").await;
        let page = Browser::new(provider.router()).go(&client.request()).await;
        black_box(client.redeem(page.location()).await);
    }
    let each = start.elapsed().as_secs_f64() * 1e3 / MANY as f64;
    println!("a login at each: {each:.3} ms; the process afterwards: {} MiB", resident() / 1024);

    let start = Instant::now();
    let fakes: Vec<_> = (0..MANY)
        .map(|_| FakeService::openid("https://id.example", "our-id", "our-secret"))
        .collect();
    let each = start.elapsed().as_secs_f64() * 1e3 / fakes.len() as f64;
    println!("each of {MANY} fake OpenID Providers: {each:.3} ms");
}

/// The CPU time of the process, in milliseconds.
fn cpu() -> f64 {
    let times = fs::read_to_string("/proc/self/schedstat").unwrap();
    times.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e6
}

/// The memory of the process, in KiB.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
