//! Keys and entries of a cache.

use std::{fmt::Write as _, sync::Arc};

use crate::Timestamp;

use super::super::RowId;

/// The key of an entry: at most 128 lower-case letters, digits and hyphens, as every cache and every
/// file system takes them.
///
/// ```
/// use quadrille::provider::store::VolatileKey;
///
/// let key = VolatileKey::new("code", 1, &[0, 255]);
/// assert_eq!(key.as_str(), "code-1-00ff");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolatileKey(Arc<str>);

impl VolatileKey {
    /// The longest name of an entry within its issuer, in bytes: a hash.
    const LONGEST: usize = 32;

    /// The key of an entry of this kind and issuer. Of the name within the issuer, the first 32
    /// bytes count.
    pub fn new(kind: &'static str, issuer: i64, name: &[u8]) -> Self {
        let mut text = format!("{kind}-{issuer}-");
        for byte in name.iter().take(Self::LONGEST) {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An entry to add.
///
/// ```
/// use quadrille::{Timestamp, provider::store::{RowId, VolatileEntry}};
///
/// let expires = Timestamp::from_seconds(1_800_000_000);
/// let entry = VolatileEntry::new(b"a code".to_vec(), expires).row(RowId(7));
/// assert_eq!(entry.row, Some(RowId(7)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VolatileEntry {
    /// The value.
    pub value: Vec<u8>,
    /// The expiry, in whole seconds.
    pub expires: Timestamp,
    /// The number of the record, if it has one that [`VolatileCache::newest`] counts.
    ///
    /// [`VolatileCache::newest`]: super::VolatileCache::newest
    pub row: Option<RowId>,
}

impl VolatileEntry {
    /// An entry without a number.
    pub const fn new(value: Vec<u8>, expires: Timestamp) -> Self {
        Self { value, expires, row: None }
    }

    /// With the number of its record.
    #[must_use]
    pub fn row(self, row: RowId) -> Self {
        Self { row: Some(row), ..self }
    }
}

/// An entry that was found.
///
/// ```
/// use quadrille::{Timestamp, provider::store::VolatileFound};
///
/// let expires = Timestamp::from_seconds(1_800_000_000);
/// let found = VolatileFound::new(b"a code".to_vec(), expires, 42);
/// assert_eq!(found.version, 42);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VolatileFound {
    /// The value.
    pub value: Vec<u8>,
    /// The expiry, in whole seconds.
    pub expires: Timestamp,
    /// The version, which changes with the value and comes back never.
    pub version: u64,
}

impl VolatileFound {
    /// An entry as a cache found it.
    pub const fn new(value: Vec<u8>, expires: Timestamp, version: u64) -> Self {
        Self { value, expires, version }
    }
}
