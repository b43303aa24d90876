//! The brand of the pages.

use std::path::PathBuf;

use toml::Value;

use crate::brand::{BrandColors, Color};

use super::{error::ConfigError, found::Found, value, value::Expected};

const COLOR: Expected = Expected::Other("a color as #rrggbb, such as #1f6f66");

/// The settings of the brand, beside the name of the site.
#[derive(Clone, Debug, Default)]
pub struct BrandSettings {
    /// The colors.
    pub colors: BrandColors,
    /// The file of the logo.
    pub logo: Option<PathBuf>,
}

impl BrandSettings {
    /// Builds the settings from the found values.
    pub(super) fn of(found: &mut Found) -> Result<Self, ConfigError> {
        let mut one = |key| found.optional(key, color, ToString::to_string, "of style.css");
        let colors = BrandColors { first: one("brand_color")?, second: one("brand_second_color")? };
        let logo = found.optional("brand_logo", value::path, value::show_path, "built in")?;
        Ok(Self { colors, logo })
    }
}

fn color(value: &Value) -> Result<Color, Expected> {
    value.as_str().and_then(Color::parse).ok_or(COLOR)
}
