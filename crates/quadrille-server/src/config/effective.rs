//! A setting as it is in effect.

use serde::Serialize;

use super::error::Origin;

/// A setting as it is in effect, for `quadrille config`.
#[derive(Clone, Debug, Serialize)]
pub struct Effective {
    /// Its name.
    pub key: &'static str,
    /// Its value, in the form in which it would be written.
    pub value: String,
    /// Where that came from.
    pub origin: Origin,
    /// What it is for.
    pub about: &'static str,
}
