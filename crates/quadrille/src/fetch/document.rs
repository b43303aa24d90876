//! The kinds of documents that are fetched from other parties and kept.

use crate::{
    jose::{KeySet, KeySetError},
    oauth2::answer,
};

/// A kind of document of other parties.
pub(crate) trait Document: Sized + Send + Sync + 'static {
    /// The name of the kind, for logs.
    const NAME: &'static str;
    /// The value that a document must agree with.
    type Expected: Send + Sync + 'static;
    /// The reason why a document cannot be used.
    type Error: Copy + std::error::Error + Send + Sync + 'static;

    /// Reads a document.
    fn read(body: &[u8], expected: &Self::Expected) -> Result<Self, Self::Error>;
}

impl Document for KeySet {
    const NAME: &'static str = "keys";
    type Expected = ();
    type Error = KeySetError;

    fn read(body: &[u8], (): &()) -> Result<Self, KeySetError> {
        Self::parse_fetched(&answer::text(body))
    }
}
