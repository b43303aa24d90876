//! The table of the results.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    Result,
    process::Side,
    program::Figures,
    spread::Spread,
    stats::Sample,
    workload::{Target, Workload},
};

/// All samples of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    samples: BTreeMap<(String, Side), Vec<Sample>>,
    /// The workloads with samples, in the order of the first ones.
    workloads: Vec<(String, Target)>,
    /// The program's own figures, one per round.
    pub(crate) program: Vec<Figures>,
}

/// A row for one of the [`Figures`]: title, target, unit, and the figure itself.
type Row = (&'static str, &'static str, &'static str, fn(&Figures) -> f64);

const MEBI: f64 = 1024.0 * 1024.0;

const PROGRAM: [Row; 6] = [
    ("second start to first right answer", "20 (aim 10)", "ms", |f| f.first_answer * 1e3),
    ("memory idle", "12 (aim 8)", "MiB", |f| f.idle / MEBI),
    ("memory after client credentials on SQLite", "", "MiB", |f| f.loaded / MEBI),
    ("memory per live token, MemoryStore", "", "B", |f| f.token),
    ("memory per live token, bare map", "", "B", |f| f.bare_token),
    ("size of the program", "15", "MB", |f| f.size / 1e6),
];

impl Report {
    /// Adds a sample.
    pub(crate) fn add(&mut self, workload: &Workload, side: Side, sample: Sample) {
        let title = workload.title.as_ref();
        if !self.workloads.iter().any(|(known, _)| known == title) {
            self.workloads.push((title.to_owned(), workload.target.clone()));
        }
        self.samples.entry((title.to_owned(), side)).or_default().push(sample);
    }

    /// Prints the table as Markdown.
    pub(crate) fn print(&self) {
        println!(
            "| workload | quadrille/s | bare/s | of bare | of hello | CPU µs, quadrille | CPU µs, bare \
             | CPU, of bare | target |\n|---|--:|--:|--:|--:|--:|--:|--:|---|"
        );
        for (title, target) in &self.workloads {
            self.print_workload(title, target);
        }
        if !self.program.is_empty() {
            println!("\n| the program | median | from | to | target |\n|---|--:|--:|--:|--:|");
        }
        for (title, target, unit, read) in PROGRAM.iter().filter(|_| !self.program.is_empty()) {
            let Spread { median, low, high } = Spread::of(self.program.iter().map(read));
            println!("| {title}, {unit} | {median:.1} | {low:.1} | {high:.1} | {target} |");
        }
    }

    fn print_workload(&self, title: &str, target: &Target) {
        let of = |title: &str, side| {
            self.samples.get(&(title.to_owned(), side)).map_or(&[][..], Vec::as_slice)
        };
        let (ours, bare) = (of(title, Side::Quadrille), of(title, Side::Bare));
        let hello = of("hello", Side::Bare);
        let of_bare = ratio(ours, bare, |sample| sample.throughput);
        let of_hello = ratio(ours, hello, |sample| sample.throughput);
        let target = match *target {
            Target::OfHello(wanted) => verdict("hello", wanted, of_hello.median),
            Target::OfBare(wanted) => verdict("bare", wanted, of_bare.median),
            Target::OfOwn(ref title, wanted) => {
                let other = of(title, Side::Quadrille);
                verdict(title, wanted, ratio(ours, other, |sample| sample.throughput).median)
            }
            Target::None => String::new(),
        };
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {target} |",
            title,
            rate(ours),
            rate(bare),
            share(of_bare),
            share(of_hello),
            cpu(ours),
            cpu(bare),
            share(ratio(ours, bare, |sample| sample.cpu)),
        );
    }

    /// Writes all samples to a file.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let samples: Vec<Value> = self
            .samples
            .iter()
            .map(|((workload, side), samples)| {
                let all = |read: fn(&Sample) -> f64| samples.iter().map(read).collect::<Vec<_>>();
                json!({
                    "workload": workload,
                    "side": format!("{side:?}"),
                    "per_second": all(|sample| sample.throughput),
                    "cpu_microseconds": all(|sample| sample.cpu),
                    "core_used": all(|sample| sample.busy),
                })
            })
            .collect();
        let program: BTreeMap<_, Vec<f64>> = PROGRAM
            .iter()
            .map(|(title, _, unit, read)| {
                (format!("{title}, {unit}"), self.program.iter().map(read).collect())
            })
            .collect();
        let at = std::time::UNIX_EPOCH.elapsed()?.as_secs();
        fs::create_dir_all(folder)?;
        let text =
            serde_json::to_string_pretty(&json!({ "samples": samples, "program": program }))?;
        Ok(fs::write(folder.join(format!("{at}.json")), text)?)
    }
}

/// The median of the ratios of rounds, not the ratio of medians: measurements close in time share
/// the state of the machine.
fn ratio(ours: &[Sample], theirs: &[Sample], read: fn(&Sample) -> f64) -> Spread {
    Spread::of(ours.iter().zip(theirs).map(|(ours, theirs)| read(ours) / read(theirs)))
}

fn rate(samples: &[Sample]) -> String {
    let spread = Spread::of(samples.iter().map(|sample| sample.throughput));
    if spread.median.is_nan() {
        return "-".into();
    }
    format!("{:.0} ±{:.0} %", spread.median, spread.relative() * 100.0)
}

fn cpu(samples: &[Sample]) -> String {
    let spread = Spread::of(samples.iter().map(|sample| sample.cpu));
    if spread.median.is_nan() {
        return "-".into();
    }
    let busy = Spread::of(samples.iter().map(|sample| sample.busy)).median;
    // Below this share, the core did not limit the throughput.
    let idle = if busy < 0.93 { format!(" ({:.0} % busy)", busy * 100.0) } else { String::new() };
    format!("{:.1}{idle}", spread.median)
}

fn share(Spread { median, low, high }: Spread) -> String {
    if median.is_nan() {
        return "-".into();
    }
    format!("{median:.2} ({low:.2}-{high:.2})")
}

fn verdict(against: &str, wanted: f64, reached: f64) -> String {
    if reached.is_nan() {
        return format!("{wanted} of {against}");
    }
    let verdict = if reached >= wanted { "reached" } else { "missed" };
    format!("{wanted} of {against}: {reached:.3}, {verdict}")
}
