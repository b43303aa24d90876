//! Short forms of names and times on pages.

use quadrille::Timestamp;

/// The initial of `name`, for a small square.
pub(super) fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
}

/// A time to the minute, in UTC.
pub(super) fn minute(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds())
        .map(|time| time.strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

/// The day of a time, in UTC.
pub(super) fn day(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds())
        .map(|time| time.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
