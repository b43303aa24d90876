//! Compares the guide with the program.

use std::path::PathBuf;

use quadrille_server::config::{Flags, KEYS, Settings};

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
