//! The TOML file.

use std::path::Path;

use toml::{Table, Value};

use crate::named_file;

use super::{
    error::{ConfigError, Origin},
    keys::Key,
    lookup,
};

/// Reads the settings in the file. Each of them is known.
pub(super) fn read(path: &Path) -> Result<Vec<(&'static Key, Value)>, ConfigError> {
    let text = named_file::text_or_pipe(path)
        .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
    let table: Table = toml::from_str(&text)
        .map_err(|error| ConfigError::Syntax { path: path.to_owned(), error: Box::new(error) })?;
    let origin = || Origin::File(path.to_owned());
    let known = table.into_iter().flat_map(settings).map(|(name, value)| {
        let key = lookup::find(&name, origin)?;
        if key.secret {
            let variable = key.variable;
            return Err(ConfigError::Secret { origin: origin(), key: key.name, variable });
        }
        Ok((key, value))
    });
    known.collect()
}

/// The setting, or the settings of a section.
fn settings((name, value): (String, Value)) -> Vec<(String, Value)> {
    match value {
        Value::Table(section) if lookup::is_section(&name) => {
            section.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)).collect()
        }
        value => vec![(name, value)],
    }
}
