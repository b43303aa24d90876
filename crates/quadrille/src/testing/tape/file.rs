//! The file of a tape.

use std::{collections::BTreeSet, fs, io, io::Write as _, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    error::TapeError,
    exchange::Exchange,
    left::{Left, secret_member},
    secrets::Secrets,
};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<E> {
    #[serde(deserialize_with = "version")]
    quadrille_tape: u32,
    /// The names that are declared to be no names of secrets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    public: BTreeSet<String>,
    exchanges: E,
}

fn version<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        VERSION => Ok(VERSION),
        _ => Err(serde::de::Error::custom("a version of tapes that is not known here")),
    }
}

/// The exchanges of a file, none if it does not exist, and the placeholders in use.
pub(super) fn read(path: &Path) -> Result<(Vec<Exchange>, Secrets), TapeError> {
    let mut secrets = Secrets::default();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), secrets)),
        Err(error) => return Err(unusable(path, &error)),
    };
    let file: File<Vec<Exchange>> = serde_json::from_str(&text).map_err(|error| {
        let (path, line) = (path.to_owned(), error.line().max(1));
        let text = error.to_string();
        let text = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
        // Values are in quotation marks, and may be secrets.
        let reason = text.split('"').step_by(2).collect::<Vec<_>>().join("...");
        TapeError::Damaged { path, line, reason }
    })?;
    file.public.iter().for_each(|name| secrets.declare_public(name));
    if let Some((exchange, left)) = secret_left(&file.exchanges, &secrets, file.exchanges.len()) {
        let member = left.member;
        return Err(TapeError::ContainsSecret { path: path.to_owned(), exchange, member });
    }
    secrets.passes_over(&text);
    Ok((file.exchanges, secrets))
}

/// The number of the first of these exchanges that contains a secret, from 1, and the member. Those from
/// the place `new` on are new.
pub(super) fn secret_left(
    exchanges: &[Exchange],
    secrets: &Secrets,
    new: usize,
) -> Option<(usize, Left)> {
    let mut all = exchanges.iter().enumerate();
    all.find_map(|(at, exchange)| Some((at + 1, secret_member(exchange, secrets, at >= new)?)))
}

/// Writes the file at once, so that a reader finds the old one or the new one.
pub(super) fn write(
    path: &Path,
    exchanges: &[Exchange],
    secrets: &Secrets,
) -> Result<(), TapeError> {
    let file = File { quadrille_tape: VERSION, public: secrets.public().clone(), exchanges };
    let mut text = serde_json::to_string_pretty(&file)
        .map_err(|error| unusable(path, &io::Error::other(error)))?;
    text.push('\n');
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let new = path.with_extension("json.new");
    folder
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| create(&new)?.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path))
        .map_err(|error| unusable(path, &error))
}

/// A file for this account alone: a value of which nobody knows that it is a secret may be in it.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Removes the file of a tape whose exchanges have all been taken off.
pub(super) fn remove(path: &Path) -> Result<(), TapeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(path, &error)),
        _ => Ok(()),
    }
}

fn unusable(path: &Path, error: &io::Error) -> TapeError {
    TapeError::File { path: path.to_owned(), error: error.kind() }
}
