//! Quadrille against bare handlers that do only the irreducible work, in the same run, one after
//! the other. `bench/run` builds both sides and starts this program.

#![allow(clippy::disallowed_methods, reason = "this measures the time that really passes")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is the table")]
#![allow(clippy::cast_precision_loss, reason = "figures have three digits")]

mod crowd;
mod databases;
mod load;
#[path = "../../crates/quadrille/tests/shared/ports.rs"]
#[allow(clippy::expect_used, reason = "a helper of tests")]
mod ports;
mod process;
mod program;
mod report;
mod spread;
mod stage;
mod stats;
mod stored;
mod workload;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;

use crowd::Outcome;
use process::Cores;
use process::Side;
use report::Report;
use stage::Stage;
use stored::{Shared, Wanted};
use workload::WORKLOADS;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

/// Measures Quadrille beside the bare handlers and prints medians, spreads and ratios.
#[derive(Parser)]
struct Options {
    /// The number of rounds. Each measures both sides in turn.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The seconds of one measurement, after a warm-up of a quarter of them.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Measures only workloads whose title contains one of these texts, separated by semicolons, and
    /// `hello`; omits the program's own figures.
    #[arg(long)]
    only: Option<String>,
    /// Measures only the bare handlers or only Quadrille: to profile, not to compare.
    #[arg(long)]
    side: Option<Side>,
    /// Measures the provider on SQLite, PostgreSQL and MariaDB with live tokens in them, in place of the
    /// other workloads.
    #[arg(long)]
    databases: bool,
    /// The numbers of live tokens in a database.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 100_000, 1_000_000])]
    tokens: Vec<u32>,
    /// The number of users who log in at the same time, over each storage; 0 for none.
    #[arg(long, default_value_t = 10_000)]
    crowd: usize,
    /// The core of the servers.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// The core of the load.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// The folder of the built bare handlers.
    #[arg(long, default_value = "bench/baseline/target/release")]
    baseline: PathBuf,
    /// The folder for results and databases.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

impl Options {
    fn wants(&self, title: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|only| only.split(';').any(|part| title.contains(part)))
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let begun = Instant::now();
    let programs = stage::Programs {
        baseline: options.baseline.clone(),
        ours: std::env::current_exe()?.parent().ok_or("no folder")?.to_owned(),
        data: options.results.join("data"),
        cores: Cores { server: options.server_core, load: options.load_core },
    };
    let window = Duration::from_secs_f64(options.seconds);
    let mut report = Report::default();
    if options.databases {
        return measure_databases(options, &programs, window, report);
    }
    for round in 0..options.rounds {
        measure_round(options, &programs, round, window, &mut report)?;
        if options.only.is_none() && options.side.is_none() {
            report.program.push(program::measure(&programs, window)?);
        }
        eprintln!("round {} of {} after {:.0?}", round + 1, options.rounds, begun.elapsed());
    }
    report.print();
    report.save(&options.results)?;
    if options.crowd == 0 || options.side.is_some() {
        return Ok(());
    }
    let outcomes = crowd::measure(&programs, options.crowd, |title| options.wants(title))?;
    if outcomes.is_empty() {
        return Ok(());
    }
    Outcome::print(&outcomes);
    if outcomes.iter().all(Outcome::is_right) {
        return Ok(());
    }
    Err("a login came out as nobody or as another".into())
}

/// The provider on databases.
fn measure_databases(
    options: &Options,
    programs: &stage::Programs,
    window: Duration,
    mut report: Report,
) -> Result<()> {
    let (begun, mut shared) = (Instant::now(), Shared::default());
    let title = |title: &str| options.wants(title);
    let wanted = Wanted { title: &title, tokens: &options.tokens, only: options.side, window };
    for round in 0..options.rounds {
        stored::measure_round(programs, &wanted, round, &mut report, &mut shared)?;
        eprintln!("round {} of {} after {:.0?}", round + 1, options.rounds, begun.elapsed());
    }
    report.print();
    shared.print();
    report.save(&options.results)
}

/// Everything once, on fresh processes; who goes first changes from round to round.
fn measure_round(
    options: &Options,
    programs: &stage::Programs,
    round: usize,
    window: Duration,
    report: &mut Report,
) -> Result<()> {
    let stage = Stage::new(programs);
    let wanted = |title: &str| title == "hello" || options.wants(title);
    for workload in WORKLOADS.iter().filter(|workload| wanted(&workload.title)) {
        let mut sides = [Side::Bare, Side::Quadrille];
        if round % 2 == 1 {
            sides.reverse();
        }
        for side in sides {
            if options.side.is_some_and(|only| only != side) {
                continue;
            }
            let sample = workload
                .play(&stage, side, window)
                .map_err(|error| format!("{} ({side:?}): {error}", workload.title))?;
            report.add(workload, side, sample);
        }
    }
    Ok(())
}
