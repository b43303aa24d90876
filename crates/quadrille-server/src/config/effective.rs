//! A setting in effect.

use serde::Serialize;
use toml::Value;

use super::error::Origin;

/// A setting in effect, for `quadrille config`.
#[derive(Clone, Debug, Serialize)]
pub struct Effective {
    /// The name.
    pub key: &'static str,
    /// The value in words.
    pub value: String,
    /// The value as it was given, for the configuration file; `None` for a default, and for a value that
    /// may not be in a file.
    #[serde(skip)]
    pub given: Option<Value>,
    /// The origin of the value.
    pub origin: Origin,
    /// The purpose of the setting.
    pub about: &'static str,
}

impl Effective {
    /// The line of the configuration file that sets this value. Where a file sets nothing, it is a comment:
    /// for a default, and for a secret.
    pub fn line(&self) -> String {
        match &self.given {
            Some(given) => format!("{} = {given}", self.key),
            None => format!("# {} = {}", self.key, self.default_in_toml()),
        }
    }

    /// A default as the file would have it. Words about what is not set stay as they are.
    fn default_in_toml(&self) -> String {
        let value = &self.value;
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let is_switch = ["true", "false"].contains(&value.as_str());
        match is_number || is_switch || value.starts_with('(') {
            true => value.clone(),
            false => Value::from(value.as_str()).to_string(),
        }
    }
}
