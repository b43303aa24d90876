//! Compares the guide with the program, and writes its table of settings.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::PathBuf;

use quadrille_server::config::{Flags, KEYS, Key, Settings};

/// Settings whose default depends on the machine or on other settings, or is in words.
const DEPENDENT: &[&str] = &[
    "claims_that_users_edit",
    "data_dir",
    "issuer",
    "keys_file",
    "max_connections_per_address",
    "name",
    "openid",
    "signing_keys_file",
];

const CONFIGURATION: &str = include_str!("../../../docs/src/program/configuration.md");

#[test]
fn the_guides_settings_file_is_taken_as_it_is() {
    let (_, rest) = CONFIGURATION.split_once("```toml\n").unwrap();
    let (file, _) = rest.split_once("```").unwrap();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("guide.toml");
    std::fs::write(&path, file).unwrap();
    let (settings, remarks) =
        Settings::load(Flags::default(), std::iter::empty(), Some(path)).unwrap();
    assert!(remarks.is_empty(), "{remarks:?}");
    assert_eq!(settings.listen.port(), 4004);
    assert_eq!(settings.scopes.len(), 2);
}

const HEAD: &str = "| setting | variable | default | |\n|---|---|---|---|\n";

/// The table of settings: a row for each one of the program, in the order of the guide, with its name, its
/// variable and its default. The guide has its own words for what a setting is for, since they have links,
/// and for a default in words.
fn table(before: &str) -> String {
    let home = [("HOME".to_owned(), "/home/ada".to_owned())];
    let (settings, _) = Settings::load(Flags::default(), home.into_iter(), None).unwrap();
    let rows: Vec<Vec<_>> =
        before.lines().map(|row| row.split('|').map(str::trim).collect()).collect();
    let place = |name: &str| {
        let cell = format!("`{name}`");
        rows.iter().position(|row| row.get(1) == Some(&&*cell))
    };
    let mut keys: Vec<_> = KEYS.iter().collect();
    keys.sort_by_key(|key| place(key.name).unwrap_or(usize::MAX));
    let row = |key: &&Key| {
        let written = place(key.name).and_then(|at| rows.get(at));
        let setting = settings.effective().iter().find(|setting| setting.key == key.name).unwrap();
        // Words, and what depends on the machine or on another setting.
        let is_words = setting.value.is_empty() || setting.value.starts_with('(');
        let default = match written {
            Some(row) if is_words || DEPENDENT.contains(&key.name) => row[3].to_owned(),
            None if setting.value.is_empty() => "none".to_owned(),
            None if is_words => setting.value.trim_matches(['(', ')']).to_owned(),
            _ => format!("`{}`", setting.value),
        };
        let about =
            written.map_or_else(|| key.about.to_owned(), |row| row[4..row.len() - 1].join(" | "));
        format!("| `{}` | `{}` | {default} | {about} |\n", key.name, key.variable)
    };
    keys.iter().map(row).collect()
}

/// `make settings` writes the table.
#[test]
fn the_guides_table_of_settings_is_that_of_the_program() {
    let (before, rest) = CONFIGURATION.split_once(HEAD).unwrap();
    let (written, rest) = rest.split_once("\n\n").unwrap();
    let made = table(written);
    if std::env::var_os("QUADRILLE_SETTINGS").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/program/configuration.md");
        std::fs::write(file, [before, HEAD, &made, "\n", rest].concat()).unwrap();
        return;
    }
    for (made, written) in made.lines().zip(written.lines()) {
        assert_eq!(made, written, "`make settings` writes the row");
    }
    assert_eq!(made.lines().count(), written.lines().count(), "`make settings` writes the rows");
}
