//! The number of connections that the system allows this process.

/// Descriptors for everything except connections: the database and its readers, the listener, the
/// log, and documents that are fetched.
const OTHERS: usize = 128;

/// Raises the limit for `wanted` connections, as far as the system allows. Returns the number of
/// connections that the process may hold.
pub(crate) fn reserve(wanted: usize) -> usize {
    let Some((current, most)) = limits() else { return wanted };
    let needed = wanted.saturating_add(OTHERS);
    let needed = u64::try_from(needed).unwrap_or(u64::MAX);
    let allowed = match needed <= current {
        true => current,
        false => raise(needed.min(most), most).unwrap_or(current),
    };
    let fitting = fitting(wanted, allowed);
    if fitting < wanted {
        tracing::warn!(
            max_connections = wanted,
            descriptors = allowed,
            "the system allows this process too few open files: {fitting} connections are held at \
             most (raise the limit, as with LimitNOFILE= of systemd or `ulimit -n`)"
        );
    }
    fitting
}

/// The number of `wanted` connections that this many descriptors allow.
fn fitting(wanted: usize, descriptors: u64) -> usize {
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    // With very few descriptors, connections get half of them.
    wanted.min(descriptors.saturating_sub(OTHERS).max(descriptors / 2)).max(1)
}

/// The limit in effect, and the greatest value that it may be raised to.
#[cfg(unix)]
fn limits() -> Option<(u64, u64)> {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Nofile);
    // A missing limit is none.
    Some((limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX)))
}

#[cfg(unix)]
fn raise(current: u64, most: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let maximum = (most != u64::MAX).then_some(most);
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum }).ok()?;
    Some(current)
}

#[cfg(not(unix))]
fn limits() -> Option<(u64, u64)> {
    None
}

#[cfg(not(unix))]
fn raise(_: u64, _: u64) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_database() {
        assert_eq!(fitting(4096, 1_000_000), 4096);
        assert_eq!(fitting(4096, 1024), 1024 - 128);
        assert_eq!(fitting(4096, 100), 50);
        assert_eq!(fitting(4096, 1), 1);
    }
}
