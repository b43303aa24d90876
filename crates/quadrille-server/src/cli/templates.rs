//! `quadrille templates`.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::json;

use crate::{Failure, output::Output, web::BUILT_IN_PAGES, words::quoted};

#[derive(Subcommand, Debug)]
pub(super) enum TemplatesCommand {
    /// Write the built-in pages into a folder, with what each is given in a comment at its head
    #[command(after_help = "\
No file is overwritten. Keep the pages that you change, and remove the others: those that are not in
the folder stay the built-in ones, which a new version improves.

Example:
  quadrille templates export pages
  quadrille serve --templates pages")]
    Export {
        /// The folder; made if it is missing
        folder: PathBuf,
    },
}

pub(super) fn run(command: &TemplatesCommand, output: Output) -> Result<(), Failure> {
    let TemplatesCommand::Export { folder } = command;
    let files = || BUILT_IN_PAGES.iter().map(|(name, text)| (folder.join(name), *text));
    if let Some((path, _)) = files().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(exists(&path));
    }
    let failed = |path: &Path, error| Failure::File { path: path.to_owned(), error };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (path, text) in files() {
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
            match error.kind() {
                io::ErrorKind::AlreadyExists => exists(&path),
                _ => failed(&path, error),
            }
        })?;
    }
    let names: Vec<_> = BUILT_IN_PAGES.iter().map(|(name, _)| *name).collect();
    let shown = folder.display().to_string();
    output.result(&json!({ "folder": shown, "files": names }), || {
        let files = names.len();
        let folder = quoted(&shown);
        format!(
            "{files} files are in {shown}. Change some, remove the others, and serve them:\n  \
             quadrille serve --templates {folder}"
        )
    })
}

fn exists(path: &Path) -> Failure {
    Failure::Exists { what: "file", name: path.display().to_string() }
}
