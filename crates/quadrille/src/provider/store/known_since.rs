//! The moment since which a store knows what was used.

use crate::Timestamp;

/// The moment since which a part of a store knows every use of a single-use thing.
///
/// A part loses what it knew when its database is restored from a backup, or when a cache is
/// emptied. From then on it cannot tell whether something made before was used, so nothing made up to
/// this moment is accepted once more: its user, or its client, begins again.
///
/// ```
/// use quadrille::{Timestamp, provider::store::KnownSince};
/// use std::time::Duration;
///
/// let restored = Timestamp::from_seconds(1_800_000_000);
/// let since = KnownSince::moment(restored);
/// assert!(!since.knows(restored), "it may have been used already");
/// assert!(since.knows(restored + Duration::from_millis(1)));
/// assert!(KnownSince::ALWAYS.knows(Timestamp::default()));
/// assert_eq!(KnownSince::ALWAYS.max(since), since, "the part that knows less decides");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownSince(Option<Timestamp>);

impl KnownSince {
    /// A part that has lost nothing since it was made.
    pub const ALWAYS: Self = Self(None);

    /// A part that lost what it knew at this moment, to the millisecond.
    pub const fn moment(lost: Timestamp) -> Self {
        Self(Some(lost))
    }

    /// The moment at which the part lost what it knew; `None` if it never did.
    pub const fn lost(self) -> Option<Timestamp> {
        self.0
    }

    /// The moment for a process whose clock says `now`, if marks of keys that expired before `swept` may have been
    /// removed.
    ///
    /// By its clock these have expired, and so has what they marked. If they have not, a clock was ahead, or
    /// this one is behind, and nothing made up to then is known: it is refused until that time, or until
    /// the operator ends what is unfinished.
    ///
    /// ```
    /// use quadrille::{Timestamp, provider::store::KnownSince};
    ///
    /// let at = Timestamp::from_seconds;
    /// assert_eq!(KnownSince::ALWAYS.after_sweep(at(1000), at(8200)), KnownSince::ALWAYS);
    /// let ahead = KnownSince::ALWAYS.after_sweep(at(90_000), at(8200));
    /// assert!(!ahead.knows(at(8200)));
    /// ```
    #[must_use]
    pub fn after_sweep(self, swept: Timestamp, now: Timestamp) -> Self {
        if swept > now { self.max(Self::moment(swept)) } else { self }
    }

    /// Decides whether the part would know the use of something made at this time.
    ///
    /// A time by a clock that may be ahead counts as earlier by as much. If only the expiry is known,
    /// the time is the earliest that its lifetime allows.
    pub fn knows(self, made: Timestamp) -> bool {
        self.0.is_none_or(|lost| made > lost)
    }
}
