//! Read-only replicas: streaming standbys that answer look-ups of access tokens.
//!
//! A replica may lag, or follow another primary than ours: one that was replaced. It is trusted as
//! far as it has all changes that our primary told: its answer comes with the position of the last
//! change in it and the mark of our primary's last change, in the same snapshot. Marks are random, so
//! two primaries that count on from one position have different ones, and a primary that was promoted
//! tells a change by that. So a revocation is bounded as
//! in a cache, however far the replica lags: position and mark of the primary are read every half
//! second, and a position that a cache has read counts, too.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{Timestamp, provider::store::StoreError};
use sqlx::{
    Arguments as _, PgPool,
    postgres::{PgArguments, PgRow},
};
use tokio::time::timeout;

use super::super::{
    application::{NOBODY, nothing},
    database::Database,
    engine::Write,
    reader::Reader,
    store::SqlStore,
    values::{Values, values},
};

/// The longest age of the position that is required of a replica: as that of a cache.
const FRESH: Duration = Duration::from_millis(500);
/// The longest time that a replica may take, before the primary is asked.
const PATIENCE: Duration = Duration::from_secs(1);
/// The shortest time between two measurements of the lag.
const PACE: Duration = Duration::from_secs(1);
/// The number of positions in the primary's log that are remembered, at most one for each [`PACE`].
const MARKS: usize = 1024;
/// The lag of a replica that does not answer, or whose lag is not known yet.
const UNKNOWN: i64 = i64::MAX;

/// The position of the last change, and the mark at a position: at `$1`, or without it at the last.
const POSITION: &str = "SELECT p.last, c.mark FROM quadrille_positions p
    LEFT JOIN quadrille_changes c ON c.position = coalesce($1, p.last) WHERE p.id = 1";
/// The end of the primary's log, and its timeline, which each promotion raises.
const WRITTEN: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint,
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
const NEW_TIMELINE: &str = "UPDATE quadrille_positions SET timeline = $1
    WHERE id = 1 AND timeline IS DISTINCT FROM $1";
/// Tells a change that concerns nothing.
static TELL: Write = Write {
    tells: Some(2),
    ..Write::of(
        "INSERT INTO quadrille_swept (id, expired) VALUES (1, 0)
        ON CONFLICT (id) DO UPDATE SET expired = quadrille_swept.expired",
    )
};
/// Null if the server is no standby, or was promoted: it keeps the position at which it was.
const REPLAYED: &str = "SELECT CASE WHEN pg_is_in_recovery()
    THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint END";

/// A replica of a [`PgStore`](crate::PgStore).
///
/// ```
/// use quadrille_sqlx::Replica;
///
/// fn has_failed(replica: &Replica) -> bool {
///     replica.lag.is_none()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replica {
    /// Host and port of the server.
    pub server: String,
    /// The age of the oldest change of the database that the replica does not have, rounded up to
    /// about a second; zero if it has all. `None` if it does not answer, follows another primary, or
    /// is not known yet.
    pub lag: Option<Duration>,
    /// Whether the replica gets look-ups: its lag is not too long.
    pub is_used: bool,
}

/// The replicas of a store.
#[derive(Default)]
pub struct Replicas(OnceLock<Arc<Set>>);

struct Set {
    all: Vec<Standby>,
    next: AtomicUsize,
    longest_lag: Duration,
    /// The position that is required of a replica.
    required: AtomicI64,
    /// The last read of the position. A read holds the lock.
    read: tokio::sync::Mutex<Option<Known>>,
    /// Positions in the primary's log, with the times before which they were written.
    marks: Mutex<VecDeque<(Timestamp, i64)>>,
    /// The timeline of the primary that has told its change.
    timeline: Mutex<String>,
    /// The time of the last measurement. The lock is held during one.
    measured: tokio::sync::Mutex<Option<Timestamp>>,
}

/// The last change of the primary: its position and its mark, which is missing before the first one.
type Point = (i64, Option<i64>);

#[derive(Clone, Copy)]
struct Known {
    point: Point,
    at: Timestamp,
    /// The number of changes that were heard of until then.
    heard: u64,
    /// The position that was required before.
    required: i64,
}

struct Standby {
    database: Database<PgPool>,
    server: String,
    /// In milliseconds.
    lag: AtomicI64,
    /// Whether it follows another primary.
    is_astray: AtomicBool,
}

impl SqlStore<PgPool> {
    /// Looks access tokens up in read-only replicas: streaming standbys of the database, by turns. What
    /// a replica does not have, or does not answer within a second, is looked up in the primary; a
    /// replica that lags by more than `longest_lag`, or is gone, is left out. `false` if the store
    /// has replicas already.
    ///
    /// Revocations and removals are refused as soon as without replicas, after half a second at
    /// most: an answer is used only if the replica has all changes that the primary had told by
    /// then. While a replica lags behind a revocation, its answers are not used, nor are those of one
    /// that follows another primary, which this one has replaced, from a second after the promotion on.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use quadrille::Env;
    /// use quadrille_sqlx::PgStore;
    /// use sqlx::PgPool;
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PgStore::open(PgPool::connect("postgres://id@db/id").await?, Env::system()).await?;
    /// let replica = PgPool::connect_lazy("postgres://id@replica/id")?;
    /// store.read_from([replica], Duration::from_secs(10));
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_from(
        &self,
        replicas: impl IntoIterator<Item = PgPool>,
        longest_lag: Duration,
    ) -> bool {
        let standby = |pool: PgPool| {
            let options = pool.connect_options();
            let server = format!("{}:{}", options.get_host(), options.get_port());
            let database = self.database.on(pool);
            let (lag, is_astray) = (AtomicI64::new(UNKNOWN), AtomicBool::new(false));
            Standby { database, server, lag, is_astray }
        };
        let set = Set {
            all: replicas.into_iter().map(standby).collect(),
            next: AtomicUsize::new(0),
            longest_lag,
            required: AtomicI64::new(0),
            read: tokio::sync::Mutex::default(),
            marks: Mutex::default(),
            timeline: Mutex::default(),
            measured: tokio::sync::Mutex::default(),
        };
        self.database.replicas().0.set(Arc::new(set)).is_ok()
    }

    /// The replicas, measured within the last second.
    pub async fn replicas(&self) -> Vec<Replica> {
        let Some(set) = self.database.replicas().0.get() else { return Vec::new() };
        set.measure(&self.database).await;
        let replica = |standby: &Standby| {
            let lag = u64::try_from(standby.lag()).ok().filter(|_| standby.lag() != UNKNOWN);
            let is_used = set.is_used(standby);
            Replica { server: standby.server.clone(), lag: lag.map(Duration::from_millis), is_used }
        };
        set.all.iter().map(replica).collect()
    }
}

impl Replicas {
    /// A change at this position was read from the primary, so no replica may be behind it.
    pub(super) fn require(&self, position: i64) {
        if let Some(set) = self.0.get() {
            set.required.fetch_max(position, Ordering::AcqRel);
        }
    }
}

/// The rows of a query with these keys, in a replica that has all changes. Their first columns are the
/// position of the last change and the mark of a change. `None` if no replica has an answer.
pub(super) async fn rows(
    database: &Database<PgPool>,
    sql: &'static str,
    keys: &[i64],
) -> Option<Vec<PgRow>> {
    let set = database.replicas().0.get()?;
    if set.is_measured_long_ago(database.env().now()) {
        let (set, primary) = (Arc::clone(set), database.clone());
        database.beside(async move { set.measure(&primary).await });
    }
    let standby = set.choose()?;
    let (position, mark) = set.know_position(database).await?;
    // A cache has read of a later change, whose mark is not known.
    if set.required.load(Ordering::Acquire) > position {
        return None;
    }
    let mut values = PgArguments::default();
    values.add(keys).ok()?;
    values.add(position).ok()?;
    let statement = standby.database.text(sql);
    let query = standby.database.rows(&statement.sql, values);
    let rows = timeout(PATIENCE, query).await.unwrap_or_else(|_| Err(late()));
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            standby.fail(&error);
            return None;
        }
    };
    let mut first = Reader::of(rows.first()?, database.keys());
    let (last, marked) = (first.number().ok()?, first.optional_number().ok()?);
    (last >= position && marked == mark).then_some(rows)
}

impl Set {
    fn is_used(&self, standby: &Standby) -> bool {
        u128::try_from(standby.lag()).is_ok_and(|lag| lag <= self.longest_lag.as_millis())
    }

    /// One of the replicas that are used, by turns.
    fn choose(&self) -> Option<&Standby> {
        let used: Vec<_> = self.all.iter().filter(|standby| self.is_used(standby)).collect();
        let turn = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(used.len())?;
        used.get(turn).copied()
    }

    /// The last change of the primary, read within the last half second. `None` if it cannot be read.
    async fn know_position(&self, primary: &Database<PgPool>) -> Option<Point> {
        let mut read = self.read.lock().await;
        let (now, heard) = (primary.env().now(), primary.news().changes());
        let required = self.required.load(Ordering::Acquire);
        let is_fresh = |known: &Known| {
            known.heard == heard
                && known.required >= required
                && known.at <= now
                && now < known.at + FRESH
        };
        if let Some(known) = read.filter(is_fresh) {
            return Some(known.point);
        }
        let point = primary.one(POSITION, values![None::<i64>], point).await.ok()??;
        let required = self.required.fetch_max(point.0, Ordering::AcqRel).max(point.0);
        *read = Some(Known { point, at: now, heard, required });
        Some(point)
    }

    fn is_measured_long_ago(&self, now: Timestamp) -> bool {
        // While it is locked, somebody measures.
        self.measured.try_lock().is_ok_and(|measured| is_long_ago(*measured, now))
    }

    /// Measures the lag of each replica, unless that was within a second.
    async fn measure(&self, primary: &Database<PgPool>) {
        let mut measured = self.measured.lock().await;
        let now = primary.env().now();
        if !is_long_ago(*measured, now) {
            return;
        }
        let written = primary
            .one(WRITTEN, Values::default(), |row| Ok((row.number()?, row.text()?.to_owned())));
        if let Ok(Ok(Some((written, timeline)))) = timeout(PATIENCE, written).await {
            self.remember(now, written);
            self.tell_of_promotion(primary, timeline).await;
        }
        let known = timeout(PATIENCE, self.know_position(primary)).await.ok().flatten();
        for standby in &self.all {
            let asked = timeout(PATIENCE, standby.ask(known)).await;
            match asked.unwrap_or_else(|_| Err(late())) {
                Ok(replayed) => self.place(standby, replayed, now),
                Err(error) => standby.fail(&error),
            }
        }
        *measured = Some(now);
    }

    fn remember(&self, now: Timestamp, written: i64) {
        let mut marks = self.marks();
        marks.truncate(MARKS - 1);
        marks.push_front((now, written));
    }

    /// Has a primary that was promoted tell a change, once: until it has told one, it cannot be told from the
    /// primary before it, whose standbys may have what this one has lost.
    async fn tell_of_promotion(&self, primary: &Database<PgPool>, timeline: String) {
        if *self.timeline() == timeline {
            return;
        }
        match timeout(PATIENCE, tell(primary, &timeline)).await {
            Ok(Ok(())) => {
                *self.read.lock().await = None;
                *self.timeline() = timeline;
            }
            Ok(Err(error)) => tracing::debug!(%error, "a promotion is not told"),
            Err(_) => {}
        }
    }

    fn timeline(&self) -> MutexGuard<'_, String> {
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the lag of a replica that has replayed the log up to a position.
    fn place(&self, standby: &Standby, replayed: Option<i64>, now: Timestamp) {
        let lag = match replayed {
            None => UNKNOWN,
            Some(replayed) => lag(&self.marks(), replayed, now),
        };
        standby.lag.store(lag, Ordering::Release);
    }

    fn marks(&self) -> MutexGuard<'_, VecDeque<(Timestamp, i64)>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standby {
    fn lag(&self) -> i64 {
        self.lag.load(Ordering::Acquire)
    }

    /// The end of the log that it has replayed. `None` if it is no standby of the primary with this
    /// last change.
    async fn ask(&self, known: Option<Point>) -> Result<Option<i64>, StoreError> {
        let replayed = self.database.one(REPLAYED, Values::default(), |row| row.optional_number());
        let replayed = replayed.await?.flatten();
        let Some((position, mark)) = known else { return Ok(replayed) };
        let Some((last, marked)) =
            self.database.one(POSITION, values![Some(position)], point).await?
        else {
            return Ok(None);
        };
        let was_astray = self.is_astray.load(Ordering::Acquire);
        let is_astray = if last >= position { marked != mark } else { was_astray };
        if is_astray && !was_astray {
            tracing::warn!(server = %self.server, "a replica follows another primary");
        }
        self.is_astray.store(is_astray, Ordering::Release);
        Ok(replayed.filter(|_| !is_astray))
    }

    fn fail(&self, error: &StoreError) {
        if self.lag.swap(UNKNOWN, Ordering::AcqRel) != UNKNOWN {
            tracing::warn!(server = %self.server, %error, "a replica does not answer");
        }
    }
}

/// Tells a change, unless this timeline has told one.
async fn tell(primary: &Database<PgPool>, timeline: &str) -> Result<(), StoreError> {
    let mut steps = primary.begin().await?;
    if steps.run(NEW_TIMELINE, values![timeline]).await? > 0 {
        steps.write(&TELL, &values![NOBODY, nothing()?]).await?;
        steps.commit().await?;
    }
    Ok(())
}

fn point(row: &mut Reader<'_, PgRow>) -> Result<Point, StoreError> {
    Ok((row.number()?, row.optional_number()?))
}

fn late() -> StoreError {
    StoreError::unavailable("no answer within a second")
}

fn is_long_ago(measured: Option<Timestamp>, now: Timestamp) -> bool {
    measured.is_none_or(|at| now < at || at + PACE <= now)
}

/// The lag in milliseconds of a replica that has replayed the log up to a position: the time since the
/// newest mark that it has passed. The marks begin with the newest.
fn lag(marks: &VecDeque<(Timestamp, i64)>, replayed: i64, now: Timestamp) -> i64 {
    match marks.iter().position(|(_, written)| *written <= replayed) {
        Some(0) => 0,
        Some(place) => {
            marks.get(place).map_or(UNKNOWN, |(at, _)| (now.millis() - at.millis()).max(0))
        }
        None => UNKNOWN,
    }
}

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.get().map(|set| set.all.iter().map(|standby| &standby.server));
        f.debug_list().entries(all.into_iter().flatten()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_the_age_of_the_newest_mark_that_was_passed() {
        let at = |seconds: i64| Timestamp::from_seconds(1_700_000_000 + seconds);
        let marks: VecDeque<_> = [(at(9), 500), (at(8), 500), (at(5), 300), (at(2), 100)].into();
        for (replayed, expected) in
            [(600, 0), (500, 0), (499, 4000), (300, 4000), (299, 7000), (100, 7000), (99, UNKNOWN)]
        {
            assert_eq!(lag(&marks, replayed, at(9)), expected, "{replayed}");
        }
        assert_eq!(lag(&VecDeque::new(), 100, at(9)), UNKNOWN);
    }
}
