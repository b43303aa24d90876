//! Quadrille on databases, beside bare handlers that do the irreducible work on the same database.

use std::time::Duration;

use crate::{
    Result,
    databases::Database,
    process::{Role, Server, Side},
    report::Report,
    spread::Spread,
    stage::Programs,
    stats::Sample,
    workload::{Stored, Target, Workload, stored},
};

/// The numbers of connections.
const CONNECTIONS: [usize; 2] = [16, 128];
/// The parts of the share of its figure at the fewest tokens that one at more tokens has to reach.
const OF_FEWEST: f64 = 0.95;
/// The share of `/hello` that client credentials have to reach in PostgreSQL on 128 connections.
const OF_HELLO: f64 = 0.36;
/// The greatest resident memory of a process, in MiB.
const MEMORY: f64 = 64.0;

/// What is measured.
pub(crate) struct Wanted<'w> {
    /// Only workloads whose title contains one of these texts.
    pub(crate) title: &'w dyn Fn(&str) -> bool,
    /// The numbers of live tokens, the fewest first.
    pub(crate) tokens: &'w [u32],
    pub(crate) only: Option<Side>,
    pub(crate) window: Duration,
}

/// The figures of processes that share a database of PostgreSQL with the most tokens.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    one: Vec<Sample>,
    two: Vec<Sample>,
    /// The resident memory of the second process after the measurement, in MiB.
    memory: Vec<f64>,
}

impl Shared {
    /// Prints the figures as Markdown.
    pub(crate) fn print(&self) {
        if self.one.is_empty() {
            return;
        }
        let spread = |samples: &[Sample], read: fn(&Sample) -> f64| {
            Spread::of(samples.iter().map(read)).median
        };
        println!("\n| processes on one PostgreSQL, client credentials, 128 | a second | CPU µs |");
        println!("|---|--:|--:|");
        for (title, samples) in [("one", &self.one), ("two", &self.two)] {
            let (rate, cpu) =
                (spread(samples, |one| one.throughput), spread(samples, |one| one.cpu));
            println!("| {title} | {rate:.0} | {cpu:.1} |");
        }
        let pairs = self.one.iter().zip(&self.two);
        let cpu = Spread::of(pairs.map(|(one, two)| 2.0 * one.cpu / two.cpu)).median;
        let memory = Spread::of(self.memory.iter().copied());
        println!(
            "\nTwo processes with a core each serve {cpu:.2} times what one does, by CPU time (1.5 to \
             reach). Resident memory of a process: {:.1} MiB at most ({MEMORY} to reach).",
            memory.high
        );
    }
}

/// Everything once, on fresh databases.
pub(crate) fn measure_round(
    programs: &Programs,
    wanted: &Wanted<'_>,
    round: usize,
    report: &mut Report,
    shared: &mut Shared,
) -> Result<()> {
    let bare = programs.start(Role::Limits)?;
    let hello = Workload::hello();
    report.add(&hello, Side::Bare, hello.play_at(&bare, None, wanted.window)?);
    drop(bare);
    for database in Database::ALL {
        for &tokens in wanted.tokens {
            let rows = rows(database, tokens, wanted);
            if rows.is_empty() {
                continue;
            }
            let mut sides = [Side::Bare, Side::Quadrille];
            if round % 2 == 1 {
                sides.reverse();
            }
            let mut servers = Vec::new();
            for side in
                sides.into_iter().filter(|side| wanted.only.is_none_or(|only| only == *side))
            {
                let server = programs.start_stored(database, side, None)?;
                let stored = Stored::seed(&server, database, side, tokens)?;
                servers.push((side, server, stored));
            }
            for row in &rows {
                for (side, server, stored) in &servers {
                    let sample = row
                        .play_at(server, Some(stored), wanted.window)
                        .map_err(|error| format!("{} ({side:?}): {error}", row.title))?;
                    report.add(row, *side, sample);
                }
            }
            let ours = servers.iter().find(|(side, ..)| *side == Side::Quadrille);
            let is_most = wanted.tokens.last() == Some(&tokens);
            if let (Some((_, server, stored)), true) =
                (ours, is_most && database == Database::Postgres)
            {
                share(programs, server, stored, wanted.window, shared)?;
            }
        }
    }
    Ok(())
}

/// Measures a second process beside the first one.
fn share(
    programs: &Programs,
    first: &Server,
    stored: &Stored,
    window: Duration,
    shared: &mut Shared,
) -> Result<()> {
    let second = programs.start_stored(Database::Postgres, Side::Quadrille, Some(first))?;
    for title in ["bearer", "introspection"] {
        for row in stored::rows(16).into_iter().filter(|row| row.title.contains(title)) {
            row.play_at(&second, Some(stored), window)?;
        }
    }
    let issuing = stored::client_credentials(128);
    shared.one.push(issuing.play_at(first, Some(stored), window)?);
    shared.two.push(issuing.play_at_both([first, &second], stored, window)?);
    shared.memory.push(second.resident()? as f64 / (1024.0 * 1024.0));
    Ok(())
}

/// The rows of the table for a database with so many tokens.
fn rows(database: Database, tokens: u32, wanted: &Wanted<'_>) -> Vec<Workload> {
    let fewest = wanted.tokens.first().copied().unwrap_or(tokens);
    let title = |name: &str, connections, tokens| {
        format!("{name}, {}, {connections}, {tokens} tokens", database.name())
    };
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        for mut row in stored::rows(connections) {
            let name = row.title.into_owned();
            row.target = match (database, &*name, connections) {
                _ if tokens != fewest => {
                    Target::OfOwn(title(&name, connections, fewest).into(), OF_FEWEST)
                }
                (Database::Postgres, "client credentials", 128) => Target::OfHello(OF_HELLO),
                (Database::Postgres, "client credentials" | "refresh" | "code dance", _) => {
                    Target::OfBare(1.0)
                }
                _ => Target::None,
            };
            row.title = title(&name, connections, tokens).into();
            rows.push(row);
        }
    }
    rows.retain(|row| (wanted.title)(&row.title));
    rows
}
