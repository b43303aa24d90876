//! An entry as bytes: its version and its expiry as digits, then the value.

use crate::Timestamp;

use super::VolatileFound;

const VERSION: usize = 16;
const EXPIRES: usize = 20;

pub(super) fn write(version: u64, expires: Timestamp, value: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{version:016x}{:020}", expires.seconds().max(0)).into_bytes();
    bytes.extend_from_slice(value);
    bytes
}

/// `None` for bytes that [`write`] did not write.
pub(super) fn read(bytes: &[u8]) -> Option<VolatileFound> {
    let (version, rest) = bytes.split_at_checked(VERSION)?;
    let (expires, value) = rest.split_at_checked(EXPIRES)?;
    let version = u64::from_str_radix(std::str::from_utf8(version).ok()?, 16).ok()?;
    let expires = std::str::from_utf8(expires).ok()?.parse().ok()?;
    Some(VolatileFound::new(value.to_vec(), Timestamp::from_seconds(expires), version))
}
