//! Secret texts.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Deserializer, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret text: a token, a client secret, a password. Wiped when dropped, compared in constant
/// time and never printed.
///
/// It does not implement `Serialize`, so it cannot end up in a response or a log line by accident;
/// to write it, use [`Secret::expose`] or `#[serde(serialize_with =
/// "quadrille::secret::serialize_exposed")]`.
///
/// ```
/// use quadrille::Secret;
///
/// let token = Secret::from("2YotnFZFEjr1zCsicMWpAA");
/// assert_eq!(format!("{token:?}"), "Secret(***)");
/// assert_eq!(token.expose(), "2YotnFZFEjr1zCsicMWpAA");
/// ```
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// The secret text. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl Eq for Secret {}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&String> for Secret {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// For `#[serde(serialize_with)]` on fields of sealed boxes or token responses.
///
/// ```
/// use quadrille::Secret;
///
/// #[derive(serde::Serialize)]
/// struct Boxed {
///     #[serde(serialize_with = "quadrille::secret::serialize_exposed")]
///     token: Secret,
/// }
///
/// let boxed = Boxed { token: Secret::from("2YotnFZFEjr1zCsicMWpAA") };
/// assert_eq!(serde_json::to_string(&boxed)?, r#"{"token":"2YotnFZFEjr1zCsicMWpAA"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Those of the serializer.
pub fn serialize_exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// [`serialize_exposed`] for an optional secret.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_exposed_option<S: Serializer>(
    secret: &Option<Secret>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_some(secret.expose()),
        None => serializer.serialize_none(),
    }
}
