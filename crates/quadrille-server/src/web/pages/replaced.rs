//! The files of an operator's folder, which replace pages and what they look like.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{named_file, words::nearest};

/// A file that replaces no page, and the name that may be meant.
pub(super) struct Stranger<'a> {
    pub(super) path: &'a Path,
    pub(super) nearest: Option<&'static str>,
}

/// The files that replace none of the pages and that no page names, as it names what it includes.
pub(super) fn strangers<'a>(files: &'a [PathBuf], pages: &[&'static str]) -> Vec<Stranger<'a>> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let texts: Vec<_> = files.iter().filter_map(|path| named_file::text(path).ok()).collect();
    let text: String = texts.iter().map(|text| text.as_str()).collect();
    let unknown = files.iter().filter_map(|path| {
        let name = name(path).filter(|name| !name.starts_with('.') && path.is_file())?;
        let is_known = pages.contains(&name.as_str());
        let is_included = ['"', '\''].iter().any(|q| text.contains(&format!("{q}{name}{q}")));
        let nearest = || nearest(&name, pages.iter().copied());
        (!is_known && !is_included).then(|| Stranger { path, nearest: nearest() })
    });
    unknown.collect()
}

/// The files of a folder, by name.
///
/// # Errors
/// The error of the system.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<_> = entries.collect::<Result<_, _>>()?;
    files.sort();
    Ok(files)
}
