//! Settings by their names.

use super::{
    error::{ConfigError, Origin},
    keys::{KEYS, Key},
};
use crate::words::nearest;

/// The setting for an environment variable.
pub(super) fn find_variable(variable: &str) -> Result<&'static Key, ConfigError> {
    if let Some(key) = KEYS.iter().find(|key| key.variable == variable) {
        return Ok(key);
    }
    let name = variable.trim_start_matches("QUADRILLE_").to_ascii_lowercase();
    find(&name, || Origin::Environment(variable.to_owned()))
}

/// Whether a section of this name has settings.
pub(super) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(section, _)| section == name))
}

/// The setting of this name.
pub(super) fn find(
    name: &str,
    origin: impl FnOnce() -> Origin,
) -> Result<&'static Key, ConfigError> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return Ok(key);
    }
    let nearest = nearest(name, KEYS.iter().map(|key| key.name));
    Err(ConfigError::Unknown { origin: origin(), name: name.to_owned(), nearest })
}
