//! `quadrille completions` and `quadrille man`: what follows from the grammar of the command line.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};
use serde_json::json;

use crate::{Failure, output::Output};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  quadrille completions bash > ~/.local/share/bash-completion/completions/quadrille
  quadrille completions zsh > ~/.zfunc/_quadrille                  with ~/.zfunc in fpath
  quadrille completions fish > ~/.config/fish/completions/quadrille.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  quadrille man | man -l -
  quadrille man --output ~/.local/share/man/man1              then: man quadrille-client-add")]
pub(super) struct ManArgs {
    /// Write a page for each command into this folder, which is made if it is missing
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn complete(
    args: &CompletionsArgs,
    mut grammar: Command,
    output: Output,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut grammar, "quadrille", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    output.result(&json!({ "script": script }), || script.clone())
}

pub(super) fn explain(args: &ManArgs, grammar: Command, output: Output) -> Result<(), Failure> {
    let mut grammar = grammar.disable_help_subcommand(true);
    grammar.build();
    let Some(folder) = &args.output else {
        let page = page(&grammar)?;
        return output.result(&json!({ "page": page }), || page.clone());
    };
    let written = fs::create_dir_all(folder).and_then(|()| write_pages(&grammar, folder));
    written.map_err(|error| Failure::File { path: folder.clone(), error })?;
    output.result(&json!({ "folder": folder }), || {
        format!("The pages are in {}, from quadrille.1 on.", folder.display())
    })
}

/// Writes the pages of a command and of those below it.
fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below, folder)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)
}

/// The page of a command. Usage and examples are those of `--help`: `clap_mangen` lists all options in
/// the synopsis, and fills the lines of examples, which nobody can copy then.
fn page(command: &Command) -> io::Result<String> {
    let source = concat!("quadrille ", env!("CARGO_PKG_VERSION"));
    // Without a date, but not with an empty one: the next word would stand in its place.
    let manual = Man::new(command.clone()).date(" ").source(source).manual("Quadrille");
    let mut page = Vec::new();
    manual.render_title(&mut page)?;
    manual.render_name_section(&mut page)?;
    synopsis(command).to_writer(&mut page)?;
    manual.render_description_section(&mut page)?;
    manual.render_options_section(&mut page)?;
    if command.has_subcommands() {
        manual.render_subcommands_section(&mut page)?;
    }
    if let Some(further) = command.get_after_help() {
        sections(&further.to_string()).to_writer(&mut page)?;
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    as_they_are(
        &mut roff,
        usage.lines().map(|line| line.trim_start_matches("Usage: ").trim_start()),
    );
    roff
}

/// The blocks behind the options: a section for each that has a heading, such as `Examples:`.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    for block in text.split("\n\n") {
        let (first, rest) = block.split_once('\n').unwrap_or((block, ""));
        match first.strip_suffix(':') {
            Some(heading) => {
                roff.control("SH", [heading.to_uppercase().as_str()]);
                as_they_are(
                    &mut roff,
                    rest.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)),
                );
            }
            None => {
                roff.control("SH", ["NOTES"]).text([roman(block)]);
            }
        }
    }
    roff
}

/// Lines that are not filled.
fn as_they_are<'l>(roff: &mut Roff, lines: impl Iterator<Item = &'l str>) {
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}
