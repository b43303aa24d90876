//! Logos of clients, which were fetched.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use quadrille::Timestamp;

/// The time for which a logo is kept that is not fetched again: no page has shown it.
pub(super) const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The greatest number of logos that are kept. Strangers may register clients.
pub(super) const MOST: i64 = 1024;

/// A logo that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLogo {
    /// The URL from which it was fetched.
    pub url: Arc<str>,
    /// A hash of the picture, its name on pages.
    pub fingerprint: Arc<str>,
    /// The picture.
    pub picture: Bytes,
    /// The time at which it was fetched.
    pub fetched: Timestamp,
}

/// A logo to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoKey<'a> {
    /// The logo of this URL.
    Url(&'a str),
    /// A logo with this fingerprint.
    Fingerprint(&'a str),
}

impl<'a> LogoKey<'a> {
    /// The URL and the fingerprint, of which one is there.
    pub(super) fn columns(self) -> (Option<&'a str>, Option<&'a str>) {
        match self {
            Self::Url(url) => (Some(url), None),
            Self::Fingerprint(fingerprint) => (None, Some(fingerprint)),
        }
    }
}
