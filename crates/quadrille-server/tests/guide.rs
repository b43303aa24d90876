//! Compares the guide with the program.

use std::path::PathBuf;

use quadrille_server::config::{Flags, KEYS, Settings};

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
fn the_guide_lists_every_setting_with_its_variable() {
    for key in KEYS {
        let row = format!("| `{}` | `{}` |", key.name, key.variable);
        assert!(CONFIGURATION.contains(&row), "docs/src/program/configuration.md lacks {row}");
    }
}

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

#[test]
fn the_guides_rows_are_those_of_the_settings() {
    let (_, table) = CONFIGURATION.split_once("| setting | variable | default | |\n|").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let mut rows: Vec<_> =
        table.lines().skip(1).filter_map(|line| line.split('`').nth(1)).collect();
    let mut keys: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    rows.sort_unstable();
    keys.sort_unstable();
    assert_eq!(rows, keys);
}

#[test]
fn the_guides_defaults_are_those_of_the_program() {
    let home = [("HOME".to_owned(), "/home/ada".to_owned())];
    let (settings, _) = Settings::load(Flags::default(), home.into_iter(), None).unwrap();
    let mut compared = 0;
    for setting in settings.effective() {
        let begin = format!("| `{}` | ", setting.key);
        let row = CONFIGURATION.lines().find(|line| line.starts_with(&begin)).unwrap();
        let default = row.split('|').nth(3).unwrap().trim();
        // Words, and what depends on the machine or on another setting.
        let is_words = setting.value.is_empty() || setting.value.starts_with('(');
        if is_words || DEPENDENT.contains(&setting.key) {
            continue;
        }
        assert_eq!(default, format!("`{}`", setting.value), "{}", setting.key);
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
}
