//! Settings of the command line.

use toml::Value;

use super::{
    error::{ConfigError, Origin},
    lookup,
};

/// Values found on the command line: the setting, the flag, the text.
#[derive(Clone, Debug, Default)]
pub struct Flags(pub(super) Vec<(&'static str, &'static str, Value)>);

impl Flags {
    /// Adds a flag, if it was given.
    pub fn give(&mut self, key: &'static str, flag: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.0.push((key, flag, Value::String(text.to_owned())));
        }
    }

    /// A flag that may be given several times.
    pub fn give_all(&mut self, key: &'static str, flag: &'static str, texts: &[String]) {
        if !texts.is_empty() {
            let values = texts.iter().cloned().map(Value::String).collect();
            self.0.push((key, flag, Value::Array(values)));
        }
    }

    /// `--set KEY=VALUE`.
    ///
    /// # Errors
    /// [`ConfigError::Unknown`] when there is no such setting.
    pub fn set(&mut self, assignment: &str) -> Result<(), ConfigError> {
        let (name, text) = assignment.split_once('=').unwrap_or((assignment, ""));
        let key = lookup::find(name.trim(), || Origin::Flag("--set"))?;
        if key.secret {
            let origin = Origin::Flag("--set");
            return Err(ConfigError::Secret { origin, key: key.name, variable: key.variable });
        }
        self.0.push((key.name, "--set", Value::String(text.to_owned())));
        Ok(())
    }
}
