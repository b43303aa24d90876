//! `quadrille completions` and `quadrille man`: what follows from the grammar of the command line.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
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
    if let Some(folder) = &args.output {
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(grammar, folder));
        written.map_err(|error| Failure::File { path: folder.clone(), error })?;
        return output.result(&json!({ "folder": folder }), || pages(folder));
    }
    let mut page = Vec::new();
    Man::new(grammar).render(&mut page)?;
    let page = String::from_utf8_lossy(&page).into_owned();
    output.result(&json!({ "page": page }), || page.clone())
}

fn pages(folder: &Path) -> String {
    format!("The pages are in {}, from quadrille.1 on.", folder.display())
}
