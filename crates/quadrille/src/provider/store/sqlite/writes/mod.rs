//! The verbs on the writer's thread, within a transaction shared with other writes.

mod clients;
mod consents;
mod numbers;
mod oauth1;
mod once;
mod pending;
mod registration;
mod revoking;
mod tokens;

use rusqlite::{Connection, OptionalExtension as _, Row, Statement, params};

use crate::{
    Env, Timestamp,
    provider::store::{Change, IssuerId, StoreError},
};

use super::{
    room::Room,
    rows::{self, alive, family_columns, grant_columns, read_one},
    sweep::Sweeper,
};

/// The number of changes kept for processes that have not read them.
const CHANGES: i64 = 10_000;

/// Statements of the verbs that must be fast are prepared once; the others are looked up.
pub(super) struct Writes<'c> {
    connection: &'c Connection,
    env: Env,
    sweeper: Sweeper,
    room: Room,
    begin: Statement<'c>,
    commit: Statement<'c>,
    put_access: Statement<'c>,
    put_family: Statement<'c>,
    put_grant: Statement<'c>,
    put_code: Statement<'c>,
    find_code: Statement<'c>,
    mark_code: Statement<'c>,
    lives: Statement<'c>,
    find_family: Statement<'c>,
    turn_family: Statement<'c>,
}

impl<'c> Writes<'c> {
    pub(super) fn prepare(connection: &'c Connection, env: Env) -> Result<Self, StoreError> {
        connection.set_prepared_statement_cache_capacity(64);
        let prepare = |sql| connection.prepare(sql);
        Ok(Self {
            connection,
            env,
            sweeper: Sweeper::default(),
            room: Room::of(connection),
            begin: prepare("BEGIN IMMEDIATE")?,
            commit: prepare("COMMIT")?,
            put_access: prepare(concat!(
                "INSERT INTO quadrille_access_tokens (row, issuer, ",
                grant_columns!(),
                ", hash, expires, binding, exchange)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
            ))?,
            put_family: prepare(concat!(
                "INSERT INTO quadrille_families (row, issuer, ",
                grant_columns!(),
                ", generation, current, previous, rotated, expires, ends)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            ))?,
            put_grant: prepare(concat!(
                "INSERT INTO quadrille_grants (issuer, ",
                grant_columns!(),
                ", family, expires)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                ON CONFLICT DO UPDATE SET expires = max(expires, excluded.expires)"
            ))?,
            put_code: prepare(concat!(
                "INSERT INTO quadrille_codes (row, issuer, ",
                grant_columns!(),
                ", hash, expires, redirect_uri, challenge, redeemed)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
            ))?,
            find_code: prepare(concat!(
                "SELECT redeemed, grant_id, ",
                alive!(),
                " AS is_alive FROM quadrille_codes t WHERE row = ?1 AND issuer = ?2"
            ))?,
            lives: prepare(concat!(
                "SELECT 1 FROM (SELECT ?1 AS issuer, ?2 AS grant_id, ?3 AS client, ?4 AS actor) t
                WHERE ",
                alive!()
            ))?,
            mark_code: prepare("UPDATE quadrille_codes SET redeemed = 1 WHERE row = ?1")?,
            find_family: prepare(concat!(
                "SELECT ",
                family_columns!(),
                " FROM quadrille_families t WHERE row = ?1 AND issuer = ?2 AND ",
                alive!()
            ))?,
            turn_family: prepare(
                "UPDATE quadrille_families
                SET generation = generation + (?2 IS NOT NULL),
                previous = CASE WHEN ?2 IS NULL THEN previous ELSE current END,
                current = coalesce(?2, current),
                rotated = ?3, expires = ?4 WHERE row = ?1",
            )?,
        })
    }

    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.begin.execute([])?;
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        if let Err(error) = self.room.make() {
            tracing::debug!(%error, "the log could not be extended ahead");
        }
        self.commit.execute([])?;
        Ok(())
    }

    pub(super) fn roll_back(&self) {
        // SQLite has rolled back by itself after a grave error.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    /// Removes expired rows, in proportion to the number of writes in the commit.
    pub(super) fn sweep(&mut self, writes: usize) {
        let now = self.env.now();
        if let Err(error) = self.sweeper.step(self.connection, now, writes) {
            tracing::warn!(%error, "expired rows could not be removed");
        }
    }

    pub(super) fn sweep_all(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.sweeper.all(self.connection, now)? + self.sweep_unused(now)?)
    }

    fn tell(&self, issuer: IssuerId, change: &Change) -> Result<(), StoreError> {
        self.note_change(issuer, change)?;
        self.forget_old_changes()
    }

    fn note_change(&self, issuer: IssuerId, change: &Change) -> Result<(), StoreError> {
        let change = serde_json::to_string(change).map_err(|_| rows::bad("a change"))?;
        self.run(
            "INSERT INTO quadrille_changes (issuer, change) VALUES (?1, ?2)",
            params![issuer.0, change],
        )?;
        Ok(())
    }

    /// Removes changes, right after one was noted.
    fn forget_old_changes(&self) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM quadrille_changes WHERE position <= ?1",
            [self.connection.last_insert_rowid() - CHANGES],
        )?;
        Ok(())
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    fn read<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        read_one(self.connection, sql, params, read)
    }
}
