//! How long a store keeps what has expired.

use std::time::Duration;

#[cfg(doc)]
use super::{Grants, Part};

/// The time for which a store keeps a row after its expiry, before [`Part::sweep`], or a verb that
/// stores another one, may remove it: two hours.
///
/// A row that has expired is invalid by its time, so nothing is gained by an early removal. Much is lost if
/// the clock of the process that sweeps is ahead: the row is gone for all processes, and for the time
/// after the clock was set right. A mark that is gone makes the thing that it marked valid once more.
///
/// ```
/// use quadrille::{Timestamp, provider::store::SWEEP_DELAY};
///
/// fn may_be_removed(expires: Timestamp, now: Timestamp) -> bool {
///     expires.seconds() < (now - SWEEP_DELAY).seconds()
/// }
/// # assert!(!may_be_removed(Timestamp::from_seconds(9000), Timestamp::from_seconds(16_200)));
/// ```
pub const SWEEP_DELAY: Duration = Duration::from_hours(2);

/// The time for which a store keeps what [`Grants::revoke_grant`] remembers, after it has expired: thirty
/// days. A revocation that goes before its tokens makes them valid again.
///
/// ```
/// use quadrille::provider::store::{REVOCATION_SWEEP_DELAY, SWEEP_DELAY};
///
/// assert!(REVOCATION_SWEEP_DELAY > SWEEP_DELAY);
/// ```
pub const REVOCATION_SWEEP_DELAY: Duration = Duration::from_hours(30 * 24);
