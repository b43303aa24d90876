//! A setting in effect.

use serde::Serialize;

use super::error::Origin;

/// A setting in effect, for `quadrille config`.
#[derive(Clone, Debug, Serialize)]
pub struct Effective {
    /// The name.
    pub key: &'static str,
    /// The value, in the syntax of the configuration file.
    pub value: String,
    /// The origin of the value.
    pub origin: Origin,
    /// The purpose of the setting.
    pub about: &'static str,
}
