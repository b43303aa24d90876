//! The languages of the pages.

use std::path::PathBuf;

use toml::Value;
use unic_langid::LanguageIdentifier;

use super::{error::ConfigError, found::Found, value, value::Expected};

const TAG: Expected = Expected::Other("the tag of a language, such as de or pt-BR");

/// The settings of the languages of the pages.
#[derive(Clone, Debug)]
pub struct LanguageSettings {
    /// A folder with texts that replace the built-in ones.
    pub texts: Option<PathBuf>,
    /// The language for a browser that accepts none of the others.
    pub default: String,
}

impl LanguageSettings {
    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let texts = found.optional("texts", value::path, value::show_path, "built in")?;
        let default = found.or("default_language", tag, Clone::clone, "en".to_owned())?;
        Ok(Self { texts, default })
    }
}

fn tag(value: &Value) -> Result<String, Expected> {
    let tag = value.as_str().and_then(|text| text.parse::<LanguageIdentifier>().ok());
    tag.map(|tag| tag.to_string()).ok_or(TAG)
}
