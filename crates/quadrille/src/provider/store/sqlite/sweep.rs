//! Removes expired rows, a few with each commit.

use rusqlite::{Connection, params, types::Value};

use std::time::Duration;

use crate::{
    Timestamp,
    provider::store::{REVOCATION_SWEEP_DELAY, SWEEP_DELAY, StoreError},
};

/// The tables whose rows expire, with their keys. The first of them are ordered by time.
const TABLES: [(&str, &str); 11] = [
    ("quadrille_access_tokens", "row"),
    ("quadrille_codes", "row"),
    ("quadrille_families", "row"),
    (REVOKED, "grant_id"),
    ("quadrille_pending", "row"),
    ("quadrille_token_credentials", "grant_id"),
    (LISTED, "grant_id"),
    ("quadrille_foreign_tokens", "key"),
    ("quadrille_tickets", "key"),
    (ONCE, "key"),
    ("quadrille_initial_tokens", "row"),
];
const ORDERED: usize = 7;
const LISTED: &str = "quadrille_grants";
const REVOKED: &str = "quadrille_revoked";
const ONCE: &str = "quadrille_once";

/// Tells that marks of keys which expired before the second `?2` may be removed. Up to `?1` it is told at once, so
/// that it is written seldom.
const TELL: &str = "INSERT INTO quadrille_swept (only, expired) VALUES (1, ?1)
    ON CONFLICT (only) DO UPDATE SET expired = ?1 WHERE expired < ?2";
const TELL_AHEAD: i64 = 600;

/// The number of live rows in succession that end a lap over an ordered table: later rows are
/// younger.
const LIVE: usize = 256;

/// One lap in this many goes over the whole table nevertheless: lifetimes may differ.
const WHOLE: u32 = 8;

/// The number of rows that `sweep` visits in each table.
const PER_SWEEP: usize = 10_000;

/// The position of the sweep in each table.
#[derive(Default)]
pub(super) struct Sweeper {
    laps: [Lap; TABLES.len()],
    /// The table swept last; the access tokens, which are swept every time, if none.
    turn: usize,
}

#[derive(Default)]
struct Lap {
    /// The last key visited; `None` at the beginning.
    at: Option<Value>,
    /// The number of live rows in succession up to there.
    live: usize,
    /// The earliest second for another lap.
    next: i64,
    /// The earliest expiry among the live rows of this lap.
    soonest: Option<i64>,
    count: u32,
}

impl Sweeper {
    /// Visits rows of the access tokens and of one other table, several for each of `writes`, so
    /// that expired rows go faster than they come. The tables take turns; those without expired
    /// rows are skipped.
    pub(super) fn step(
        &mut self,
        connection: &Connection,
        now: Timestamp,
        writes: usize,
    ) -> Result<(), StoreError> {
        let others = 1..TABLES.len();
        let due = |index: &usize| self.laps.get(*index).is_some_and(|lap| lap.is_due(now));
        let later = others.clone().filter(|index| *index > self.turn).find(due);
        let turn = later.or_else(|| others.clone().find(due)).unwrap_or_default();
        self.turn = turn;
        for (index, (lap, table)) in self.laps.iter_mut().zip(TABLES).enumerate() {
            if index == 0 || index == turn {
                lap.go_on(connection, table, index < ORDERED, now, 8 + writes * 4)?;
            }
        }
        Ok(())
    }

    /// Visits many rows of every table, and returns the number removed.
    pub(super) fn all(
        &mut self,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        for (index, (lap, table)) in self.laps.iter_mut().zip(TABLES).enumerate() {
            *lap = Lap { count: WHOLE - 1, ..Lap::default() };
            let rows = lap.go_on(connection, table, index < ORDERED, now, PER_SWEEP)?;
            // The rows list grants that are counted already.
            gone += if table.0 == LISTED { 0 } else { rows };
        }
        Ok(gone)
    }
}

impl Lap {
    /// `true` if there may be rows to remove.
    fn is_due(&self, now: Timestamp) -> bool {
        self.at.is_some() || now.seconds() >= self.next
    }

    fn go_on(
        &mut self,
        connection: &Connection,
        (table, key): (&str, &str),
        is_ordered: bool,
        now: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        if !self.is_due(now) {
            return Ok(0);
        }
        let delay = if table == REVOKED { REVOCATION_SWEEP_DELAY } else { SWEEP_DELAY };
        let (now, until) = (now.seconds(), (now - delay).seconds());
        let from = self.at.take();
        let bound = if from.is_some() { format!("WHERE {key} > ?2") } else { String::new() };
        let mut look = connection.prepare_cached(&format!(
            "SELECT {key}, expires FROM {table} {bound} ORDER BY {key} LIMIT ?1"
        ))?;
        let mut found = match &from {
            Some(from) => look.query(params![limit, from])?,
            None => look.query(params![limit])?,
        };
        let (mut seen, mut first, mut last) = (0, None, None::<Value>);
        while let Some(row) = found.next()? {
            seen += 1;
            let expires: i64 = row.get(1)?;
            if expires < until {
                self.live = 0;
                last = Some(row.get(0)?);
                if first.is_none() {
                    first.clone_from(&last);
                }
            } else {
                self.live += 1;
                let expires = expires.saturating_add(seconds(delay));
                self.soonest = Some(self.soonest.map_or(expires, |soonest| soonest.min(expires)));
            }
            if seen == limit {
                self.at = Some(row.get(0)?);
            }
        }
        drop(found);
        let is_over_the_rest = is_ordered && self.live >= LIVE && self.count % WHOLE != WHOLE - 1;
        if self.at.is_none() || is_over_the_rest {
            // Rows that expire in this second are worth waiting for, and others may come.
            let next = self.soonest.unwrap_or(now + 60).clamp(now + 1, now + 60);
            *self = Self { next, count: self.count.wrapping_add(1), ..Self::default() };
        }
        let (Some(first), Some(last)) = (first, last) else { return Ok(0) };
        if table == ONCE {
            connection.prepare_cached(TELL)?.execute([until + TELL_AHEAD, until])?;
        }
        let gone = connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE {key} BETWEEN ?1 AND ?2 AND expires < ?3"
            ))?
            .execute(params![first, last, until])?;
        Ok(gone.try_into().unwrap_or(u64::MAX))
    }
}

fn seconds(duration: Duration) -> i64 {
    duration.as_secs().try_into().unwrap_or(i64::MAX)
}
