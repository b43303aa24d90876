//! The values of settings as `quadrille config` shows them.

use std::{collections::BTreeMap, fmt, time::Duration};

pub(super) fn list<T: fmt::Display>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn scopes(scopes: &BTreeMap<String, String>) -> String {
    scopes.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(";")
}

pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds.is_multiple_of(86400) => format!("{}d", seconds / 86400),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}
