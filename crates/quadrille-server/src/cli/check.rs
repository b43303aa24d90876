//! `quadrille check`.

use clap::Args;

use crate::{
    Failure,
    check::{Check, Finding, KnownClient, Outcome, Part, Report},
    config::FetchSettings,
    output::Output,
    words::counted,
};

#[derive(Args, Debug)]
#[command(after_help = "\
Reads the metadata of the issuer by OpenID Connect Discovery and RFC 8414 and its keys, and sends some
thirty requests that it must refuse. It changes nothing there, and needs no client; with one that is
registered (--client-id and --redirect-uri), the refusals that a client gets are checked, too.

Examples:
  quadrille check https://id.example
  quadrille check https://id.example --all --client-id app --redirect-uri https://app.example/callback
  quadrille check http://localhost:4004 --json")]
pub(super) struct CheckArgs {
    /// The issuer, as clients know it
    #[arg(value_name = "URL")]
    provider: String,
    /// A client that is registered there
    #[arg(long, value_name = "ID", requires = "redirect_uri")]
    client_id: Option<String>,
    /// A redirect URI of this client
    #[arg(long, value_name = "URI", requires = "client_id")]
    redirect_uri: Option<String>,
    /// Print what is right, too
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(
    args: &CheckArgs,
    fetches: &FetchSettings,
    output: Output,
) -> Result<(), Failure> {
    let client = args.client_id.clone().zip(args.redirect_uri.clone());
    let client = client.map(|(id, redirect_uri)| KnownClient { id, redirect_uri });
    let mut lines = Lines { output, all: args.all, part: None };
    let authorities = fetches.authorities().map(<[u8]>::to_vec);
    let check = Check { issuer: args.provider.clone(), client, authorities };
    let report = check.run(&mut |finding| lines.add(finding)).await?;
    output.result(&report, || count(&report))?;
    match report.count(Outcome::Error) {
        0 => Ok(()),
        errors => Err(Failure::NotMet { errors }),
    }
}

/// The findings as text, each as it is made: a provider may be slow.
struct Lines {
    output: Output,
    all: bool,
    /// The part of the last line.
    part: Option<Part>,
}

impl Lines {
    fn add(&mut self, finding: &Finding) {
        if self.output.is_json() || (finding.outcome == Outcome::Passed && !self.all) {
            return;
        }
        let mut text = String::new();
        if self.part.replace(finding.part) != Some(finding.part) {
            text += &format!("{}\n", finding.part.name());
        }
        let outcome = match finding.outcome {
            Outcome::Passed => "passed ",
            Outcome::Warning => "warning",
            Outcome::Error => "ERROR  ",
            Outcome::NotChecked => "not checked",
        };
        text += &format!("  {outcome}  {}\n", finding.requirement);
        if let Some(found) = &finding.found {
            text += &format!("           found: {found}\n           {}\n", finding.section);
        }
        // The count at the end says the same, and fails if nothing can be written.
        let _ = self.output.result(&finding, || text);
    }
}

fn count(report: &Report) -> String {
    let count = |outcome, one, many| counted(report.count(outcome), one, many);
    let not_checked = match report.count(Outcome::NotChecked) {
        0 => String::new(),
        left => format!(", {left} not checked: the provider limits attempts, so try again later"),
    };
    format!(
        "{}: {} passed, {}, {}{not_checked}",
        counted(report.findings.len(), "requirement", "requirements"),
        report.count(Outcome::Passed),
        count(Outcome::Warning, "warning", "warnings"),
        count(Outcome::Error, "error", "errors")
    )
}
