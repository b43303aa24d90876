//! The numbers of rows: ordered by time, drawn without coordination, never twice.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Env, Timestamp, provider::meter};

use super::{ErasedStore, RowId, Store, StoreError, Worker};

/// 2024-01-01T00:00:00Z, in milliseconds since the Unix epoch.
const EPOCH: i64 = 1_704_067_200_000;
const SEQUENCE_BITS: u32 = 12;
const WORKER_BITS: u32 = 10;

/// The greatest number above which others are drawn: some remain for a year and more.
const HIGHEST_FLOOR: RowId = RowId(i64::MAX - (1 << 58));

/// The length of a worker's lease, which is renewed when half of it is left.
const LEASE: Duration = Duration::from_secs(300);

impl RowId {
    /// Greater than every number ever drawn.
    pub const MAX: Self = Self(i64::MAX);

    /// The last number that can be drawn at this time.
    ///
    /// ```
    /// use quadrille::{Timestamp, provider::store::RowId};
    ///
    /// let last = RowId::last_at(Timestamp::from_seconds(1_800_000_000));
    /// assert_eq!(last.time(), Timestamp::from_seconds(1_800_000_000));
    /// assert!(RowId(last.0 + 1).time() > last.time());
    /// ```
    pub const fn last_at(time: Timestamp) -> Self {
        let tick = tick_of(time);
        Self((tick << (WORKER_BITS + SEQUENCE_BITS)) | ((1 << (WORKER_BITS + SEQUENCE_BITS)) - 1))
    }

    /// The first number that can be drawn at this time.
    pub(crate) const fn first_at(time: Timestamp) -> Self {
        Self(tick_of(time) << (WORKER_BITS + SEQUENCE_BITS))
    }

    /// The last number that could be drawn before this time.
    pub(crate) const fn last_before(time: Timestamp) -> Self {
        Self(Self::first_at(time).0 - 1)
    }

    /// The time at which the number was drawn, to the millisecond.
    pub const fn time(self) -> Timestamp {
        Timestamp::from_millis((self.0 >> (WORKER_BITS + SEQUENCE_BITS)) + EPOCH)
    }
}

/// A source of [`RowId`]s for one process.
///
/// The worker number, which makes them differ from those of other processes, is leased from the
/// store and renewed by a draw when half of the lease is over; there is no background task. If the
/// clock steps back, the numbers go on from where they were.
///
/// ```
/// # tokio_test(async {
/// use quadrille::{Env, provider::store::{MemoryStore, RowIds}};
///
/// let store = MemoryStore::new(Env::system());
/// let rows = RowIds::new(Env::system());
/// assert!(rows.draw(&store).await? < rows.draw(&store).await?);
/// # Ok::<(), quadrille::provider::store::StoreError>(()) }).unwrap();
/// # fn tokio_test<F: Future>(f: F) -> F::Output {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f)
/// # }
/// ```
pub struct RowIds {
    env: Env,
    holder: [u8; 16],
    state: Mutex<State>,
    /// Locked while the lease is renewed.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The milliseconds and sequence of the next number, in one.
    next: i64,
    lease: Option<Worker>,
    /// The end of the lease on the monotonic clock: the other clock may be set back, and the store
    /// gives the number away all the same.
    ends: Timestamp,
}

enum Drawn {
    Row(RowId),
    /// The row may be used, and it is time to renew the lease.
    Renew(RowId),
    /// The lease has expired.
    Over,
}

impl RowIds {
    /// A source of numbers. One suffices for any number of issuers.
    pub fn new(env: Env) -> Self {
        let holder = env.random();
        Self { env, holder, state: Mutex::default(), renewing: tokio::sync::Mutex::default() }
    }

    /// Draws the next number.
    ///
    /// # Errors
    /// Those of [`lease`](super::Issuers::lease), if there is no lease and none can be had.
    pub async fn draw(&self, store: &impl Store) -> Result<RowId, StoreError> {
        self.draw_from(store).await
    }

    /// Draws the next number greater than `floor`, whatever the clock shows.
    ///
    /// # Errors
    /// As [`RowIds::draw`]; [`StoreError::Corrupt`] if `floor` is one of the last numbers, of the year
    /// 2091 or later.
    pub async fn draw_above(&self, store: &impl Store, floor: RowId) -> Result<RowId, StoreError> {
        self.draw_above_from(store, floor).await
    }

    pub(crate) async fn draw_from(&self, store: &dyn ErasedStore) -> Result<RowId, StoreError> {
        self.draw_above_from(store, RowId(0)).await
    }

    pub(crate) async fn draw_above_from(
        &self,
        store: &dyn ErasedStore,
        floor: RowId,
    ) -> Result<RowId, StoreError> {
        if floor > HIGHEST_FLOOR {
            return Err(StoreError::Corrupt("a number after which there is none"));
        }
        loop {
            let drawn = self.try_draw(floor);
            match drawn {
                Drawn::Row(row) => return Ok(row),
                // A lease lasts long: the futures of all who draw are smaller for the boxes.
                Drawn::Renew(row) => {
                    if let Ok(_turn) = self.renewing.try_lock()
                        && let Err(error) = Box::pin(self.renew(store, floor)).await
                    {
                        tracing::warn!(%error, "the lease of row numbers is not renewed yet");
                    }
                    return Ok(row);
                }
                Drawn::Over => {
                    let _turn = self.renewing.lock().await;
                    let drawn = self.try_draw(floor);
                    if matches!(drawn, Drawn::Over) {
                        Box::pin(self.renew(store, floor)).await?;
                    }
                }
            }
        }
    }

    fn try_draw(&self, floor: RowId) -> Drawn {
        let (now, steady) = (self.env.now(), self.env.steady());
        self.state().draw(now, steady, floor)
    }

    /// Releases the worker number, so short-lived processes do not use them up.
    ///
    /// # Errors
    /// Those of [`lease`](super::Issuers::lease).
    pub async fn release(&self, store: &impl Store) -> Result<(), StoreError> {
        self.release_to(store).await
    }

    pub(crate) async fn release_to(&self, store: &dyn ErasedStore) -> Result<(), StoreError> {
        let (lease, end) = {
            let mut state = self.state();
            (state.lease.take(), time_of(state.next) + Duration::from_millis(1))
        };
        if let Some(lease) = lease {
            store.lease(Some(lease), self.holder, self.env.now(), end).await?;
        }
        Ok(())
    }

    /// Leases for long enough to draw numbers above `floor`, too.
    async fn renew(&self, store: &dyn ErasedStore, floor: RowId) -> Result<(), StoreError> {
        let (held, now) = {
            let state = self.state();
            (state.lease, self.env.now().max(time_of(state.next)).max(floor.time()))
        };
        // The answer of the store may take its time.
        let ends = self.env.steady() + LEASE;
        let lease = store.lease(held, self.holder, self.env.now(), now + LEASE).await?;
        meter::lease(lease.number, lease.expires);
        self.state().take(lease, ends);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn draw(&mut self, now: Timestamp, steady: Timestamp, floor: RowId) -> Drawn {
        let Some(lease) = self.lease else { return Drawn::Over };
        let mut next = self.next.max(tick_of(now) << SEQUENCE_BITS);
        if row_of(next, lease) <= floor {
            next = next.max(((floor.0 >> (WORKER_BITS + SEQUENCE_BITS)) + 1) << SEQUENCE_BITS);
        }
        let time = time_of(next);
        if time >= lease.expires || steady >= self.ends {
            return Drawn::Over;
        }
        self.next = next + 1;
        let row = row_of(next, lease);
        let left = lease.expires.since(time).min(self.ends.since(steady));
        if left < LEASE / 2 { Drawn::Renew(row) } else { Drawn::Row(row) }
    }

    fn take(&mut self, lease: Worker, ends: Timestamp) {
        self.ends = ends;
        self.next = self.next.max(tick_of(lease.not_before) << SEQUENCE_BITS);
        self.lease = Some(lease);
    }
}

impl fmt::Debug for RowIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowIds").field("lease", &self.state().lease).finish_non_exhaustive()
    }
}

/// The number of milliseconds and sequence in one.
const fn row_of(next: i64, lease: Worker) -> RowId {
    let sequence = next & ((1 << SEQUENCE_BITS) - 1);
    RowId(
        (next >> SEQUENCE_BITS << (WORKER_BITS + SEQUENCE_BITS))
            | ((lease.number as i64) << SEQUENCE_BITS)
            | sequence,
    )
}

/// Milliseconds since [`EPOCH`].
const fn tick_of(time: Timestamp) -> i64 {
    let tick = time.millis() - EPOCH;
    if tick < 0 { 0 } else { tick }
}

/// The time of milliseconds and sequence in one.
const fn time_of(next: i64) -> Timestamp {
    Timestamp::from_millis((next >> SEQUENCE_BITS) + EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_although_the_clock_was_set_back() {
        let start = Timestamp::from_seconds(1_800_000_000);
        let expires = start + LEASE;
        let lease = Worker { number: 7, holder: [7; 16], expires, not_before: start };
        let drawn = |now: Timestamp, steady: Duration| {
            let mut state = State::default();
            state.take(lease, start + LEASE);
            match state.draw(now, start + steady, RowId(0)) {
                Drawn::Row(_) => "a row",
                Drawn::Renew(_) => "renew",
                Drawn::Over => "over",
            }
        };
        let hour = Duration::from_secs(3600);
        let (early, late) = (LEASE / 4, LEASE * 3 / 4);
        for (now, steady, expected) in [
            (start + early, early, "a row"),
            (start - hour, early, "a row"),
            (start + late, late, "renew"),
            (start - hour, late, "renew"),
            (start - hour, LEASE, "over"),
            (start + hour, early, "over"),
        ] {
            assert_eq!(drawn(now, steady), expected, "{now:?} {steady:?}");
        }
    }
}
