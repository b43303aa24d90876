//! Gives back what expired, a few rows with each commit.

use rusqlite::{Connection, params, types::Value};

use crate::{Timestamp, provider::store::StoreError};

/// The tables whose rows expire, with their keys. The first of them are ordered by time.
const TABLES: [(&str, &str); 9] = [
    ("quadrille_access_tokens", "row"),
    ("quadrille_codes", "row"),
    ("quadrille_families", "row"),
    ("quadrille_revoked", "grant_id"),
    ("quadrille_pending", "row"),
    ("quadrille_token_credentials", "grant_id"),
    ("quadrille_foreign_tokens", "key"),
    ("quadrille_tickets", "key"),
    ("quadrille_once", "key"),
];
const ORDERED: usize = 6;

/// A lap over an ordered table ends after as many live rows in succession: what follows is younger.
const LIVE: usize = 256;

/// Every so many laps go over the whole table nevertheless: rows may live differently long.
const WHOLE: u32 = 8;

/// How many rows `sweep` looks at in each table.
const PER_SWEEP: usize = 10_000;

/// Remembers how far each table was looked through.
#[derive(Default)]
pub(super) struct Sweeper {
    laps: [Lap; TABLES.len()],
    /// The last table that had its turn; the access tokens, which have it always, for none.
    turn: usize,
}

#[derive(Default)]
struct Lap {
    /// The last key that was looked at; `None` to begin.
    at: Option<Value>,
    /// How many live rows in succession were seen up to there.
    live: usize,
    /// The first second in which another lap is worth beginning.
    next: i64,
    /// When the first of the live ones seen in this lap expires.
    soonest: Option<i64>,
    count: u32,
}

impl Sweeper {
    /// Looks at rows of the access tokens and of one other table, in proportion to `writes`: at
    /// several for each that was written, so that what expired goes faster than it comes. Tables take
    /// turns, and those where nothing can have expired are passed over.
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

    /// Looks at many rows of every table, and says how many went.
    pub(super) fn all(
        &mut self,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        for (index, (lap, table)) in self.laps.iter_mut().zip(TABLES).enumerate() {
            *lap = Lap { count: WHOLE - 1, ..Lap::default() };
            gone += lap.go_on(connection, table, index < ORDERED, now, PER_SWEEP)?;
        }
        Ok(gone)
    }
}

impl Lap {
    /// Whether there is something to look at.
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
        let now = now.seconds();
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
            if expires < now {
                self.live = 0;
                last = Some(row.get(0)?);
                if first.is_none() {
                    first.clone_from(&last);
                }
            } else {
                self.live += 1;
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
        let gone = connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE {key} BETWEEN ?1 AND ?2 AND expires < ?3"
            ))?
            .execute(params![first, last, now])?;
        Ok(gone.try_into().unwrap_or(u64::MAX))
    }
}
