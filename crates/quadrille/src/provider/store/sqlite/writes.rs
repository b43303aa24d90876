//! What the writer's thread does for each verb, within the transaction that it shares with others.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, Statement, named_params, params};

use crate::{
    Env, Scopes, Timestamp,
    provider::{
        Client,
        store::{
            AccessRecord, Answer, Answered, Change, CodeRecord, FamilyRecord, Issue, IssuerId,
            Redeemed, RevokeAll, Rotated, Rotation, RowId, SecretHash, Session, StoreError, Worker,
        },
    },
};

use super::{
    rows::{self, GrantRow, alive, code_columns, family_columns, grant_columns},
    sweep::Sweeper,
};

/// How many changes are kept for processes that have not heard of them yet.
const CHANGES: i64 = 10_000;

/// Statements of the verbs that must be fast are prepared once; the others are looked up.
pub(super) struct Writes<'c> {
    connection: &'c Connection,
    env: Env,
    sweeper: Sweeper,
    begin: Statement<'c>,
    commit: Statement<'c>,
    put_access: Statement<'c>,
    put_family: Statement<'c>,
    put_code: Statement<'c>,
    find_code: Statement<'c>,
    mark_code: Statement<'c>,
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
            begin: prepare("BEGIN IMMEDIATE")?,
            commit: prepare("COMMIT")?,
            put_access: prepare(concat!(
                "INSERT INTO access_tokens (row, issuer, ",
                grant_columns!(),
                ", hash, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            ))?,
            put_family: prepare(concat!(
                "INSERT INTO families (row, issuer, ",
                grant_columns!(),
                ", generation, current, previous, rotated, rotated_scopes, expires, ends)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            ))?,
            put_code: prepare(concat!(
                "INSERT INTO codes (row, issuer, ",
                grant_columns!(),
                ", hash, expires, redirect_uri, challenge, redeemed)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
            ))?,
            find_code: prepare(concat!(
                "SELECT redeemed, grant_id, ",
                alive!(),
                " FROM codes t WHERE row = ?1 AND issuer = ?2"
            ))?,
            mark_code: prepare("UPDATE codes SET redeemed = 1 WHERE row = ?1")?,
            find_family: prepare(concat!(
                "SELECT ",
                family_columns!(),
                " FROM families t WHERE row = ?1 AND issuer = ?2 AND ",
                alive!()
            ))?,
            turn_family: prepare(
                "UPDATE families SET generation = generation + 1, previous = current, current = ?2,
                rotated = ?3, rotated_scopes = ?4, expires = ?5 WHERE row = ?1",
            )?,
        })
    }

    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.begin.execute([])?;
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        self.commit.execute([])?;
        Ok(())
    }

    pub(super) fn roll_back(&self) {
        // SQLite has rolled back by itself after the graver errors.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    /// Gives back expired rows, in proportion to the number of writes that go with it.
    pub(super) fn sweep(&mut self, writes: usize) {
        let now = self.env.now();
        if let Err(error) = self.sweeper.step(self.connection, now, writes) {
            tracing::warn!(%error, "expired rows could not be given back");
        }
    }

    pub(super) fn sweep_all(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.sweeper.all(self.connection, now)
    }

    pub(super) fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        self.run("INSERT INTO issuers (issuer) VALUES (?1) ON CONFLICT DO NOTHING", [issuer])?;
        let number =
            self.one("SELECT number FROM issuers WHERE issuer = ?1", [issuer], |row| row.get(0))?;
        number.map(IssuerId).ok_or(StoreError::Corrupt("an issuer"))
    }

    pub(super) fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Worker, StoreError> {
        if let Some(ours) = renew
            && 0 < self.run(
                "UPDATE workers SET expires = ?3 WHERE number = ?1 AND holder = ?2",
                params![ours.number, holder, expires.millis()],
            )?
        {
            return Ok(Worker { expires, ..ours });
        }
        // The number that has been free for longest, or the first that nobody ever had.
        let free = self.one(
            "SELECT number, expires FROM workers WHERE expires <= ?1 ORDER BY expires LIMIT 1",
            [now.millis()],
            |row| Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?))),
        )?;
        let (number, not_before) = match free {
            Some(free) => free,
            None => {
                let next = "SELECT coalesce(max(number) + 1, 0) FROM workers";
                let next = self.one(next, [], |row| row.get(0))?.unwrap_or(0);
                if next > 1023 {
                    return Err(StoreError::Busy);
                }
                (next, Timestamp::default())
            }
        };
        self.run(
            "INSERT INTO workers (number, holder, expires) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET holder = ?2, expires = ?3",
            params![number, holder, expires.millis()],
        )?;
        Ok(Worker { number, holder, expires, not_before })
    }

    pub(super) fn put_client(
        &self,
        issuer: IssuerId,
        client: &Client,
        record: &str,
        before: Option<&Client>,
    ) -> Result<bool, StoreError> {
        let held: Option<String> = self.one(
            "SELECT record FROM clients WHERE issuer = ?1 AND id = ?2",
            params![issuer.0, client.id],
            |row| row.get(0),
        )?;
        let held = held.map(|record| super::client(&record)).transpose()?;
        if held.as_deref() != before {
            return Ok(false);
        }
        if before.is_some_and(|before| before.number != client.number) {
            self.forget_consents(issuer, &client.id)?;
        }
        self.run(
            "INSERT INTO clients (issuer, id, number, record) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET number = ?3, record = ?4",
            params![issuer.0, client.id, client.number.0, record],
        )?;
        self.tell(issuer, &Change::Client(Arc::clone(&client.id)))?;
        Ok(true)
    }

    pub(super) fn remove_client(
        &self,
        issuer: IssuerId,
        id: &Arc<str>,
    ) -> Result<bool, StoreError> {
        let removed =
            self.run("DELETE FROM clients WHERE issuer = ?1 AND id = ?2", params![issuer.0, id])?;
        if removed == 0 {
            return Ok(false);
        }
        self.forget_consents(issuer, id)?;
        self.tell(issuer, &Change::Client(Arc::clone(id)))?;
        Ok(true)
    }

    pub(super) fn answer(
        &mut self,
        issuer: IssuerId,
        answer: &Answer,
    ) -> Result<Answered, StoreError> {
        let key = rows::key(issuer, "", &answer.ticket);
        let before = self.one("SELECT code FROM tickets WHERE key = ?1", [&key], |row| {
            row.get::<_, Option<i64>>(0)
        })?;
        match before {
            Some(None) => return Ok(Answered::Denied),
            Some(Some(code)) => {
                let unspent = self.read(
                    concat!(
                        "SELECT ",
                        code_columns!(),
                        " FROM codes t WHERE row = ?1 AND issuer = ?2 AND NOT redeemed AND ",
                        alive!()
                    ),
                    params![code, issuer.0],
                    rows::code,
                )?;
                return Ok(
                    unspent.map_or(Answered::Spent, |code| Answered::Approved(Arc::new(code)))
                );
            }
            None => {}
        }
        self.run(
            "INSERT INTO tickets (key, code, expires) VALUES (?1, ?2, ?3)",
            params![key, answer.approved.as_ref().map(|code| code.row.0), answer.expires.seconds()],
        )?;
        if let Some(code) = &answer.approved {
            self.put_code(issuer, code)?;
        }
        if let Some(consent) = &answer.consent
            && self.would_live(issuer, answer.approved.as_ref())?
        {
            let before = self.one(
                "SELECT scopes FROM consents WHERE issuer = ?1 AND subject = ?2 AND client = ?3",
                params![issuer.0, consent.subject, consent.client],
                |row| row.get::<_, String>(0),
            )?;
            let before = before.map(|text| Scopes::parse(&text)).transpose();
            let before = before.map_err(|_| StoreError::Corrupt("a consent"))?;
            let consent = consent.clone().following(&before.unwrap_or_default(), &answer.asked);
            self.run(
                "INSERT INTO consents (issuer, subject, client, scopes, given)
                VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET scopes = ?4, given = ?5",
                params![
                    issuer.0,
                    consent.subject,
                    consent.client,
                    consent.scopes.as_str(),
                    consent.given.seconds()
                ],
            )?;
        }
        Ok(Answered::First)
    }

    /// Whether what was approved, if anything was, is not revoked already.
    fn would_live(
        &self,
        issuer: IssuerId,
        approved: Option<&CodeRecord>,
    ) -> Result<bool, StoreError> {
        let Some(code) = approved else { return Ok(true) };
        let lives = self.one(
            concat!("SELECT 1 FROM codes t WHERE row = ?1 AND issuer = ?2 AND ", alive!()),
            params![code.row.0, issuer.0],
            |_| Ok(()),
        )?;
        Ok(lives.is_some())
    }

    pub(super) fn put_code(
        &mut self,
        issuer: IssuerId,
        code: &CodeRecord,
    ) -> Result<(), StoreError> {
        let grant = GrantRow::of(&code.grant)?;
        self.put_code.execute(params![
            code.row.0,
            issuer.0,
            grant.id,
            grant.client,
            grant.actor,
            grant.scopes,
            grant.auth,
            code.hash,
            code.expires.seconds(),
            code.redirect_uri,
            code.challenge,
            code.redeemed,
        ])?;
        Ok(())
    }

    pub(super) fn redeem(
        &mut self,
        issuer: IssuerId,
        code: RowId,
        issue: &Issue,
    ) -> Result<Redeemed, StoreError> {
        let found = self
            .find_code
            .query_row([code.0, issuer.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        match found {
            None => Ok(Redeemed::Unknown),
            Some((true, grant, _)) => Ok(Redeemed::Replayed(RowId(grant))),
            Some((false, _, false)) => Ok(Redeemed::Revoked),
            Some((false, _, true)) => {
                self.mark_code.execute([code.0])?;
                self.issue(issuer, issue)?;
                Ok(Redeemed::Issued)
            }
        }
    }

    pub(super) fn issue(&mut self, issuer: IssuerId, issue: &Issue) -> Result<(), StoreError> {
        self.put_access(issuer, &issue.access)?;
        match &issue.family {
            Some(family) => self.put_family(issuer, family),
            None => Ok(()),
        }
    }

    pub(super) fn import(
        &mut self,
        issuer: IssuerId,
        access: &AccessRecord,
    ) -> Result<(), StoreError> {
        self.put_access(issuer, access)?;
        self.run(
            "INSERT INTO foreign_tokens (key, row, expires) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET row = ?2, expires = ?3",
            params![rows::key(issuer, "", &access.hash), access.row.0, access.expires.seconds()],
        )?;
        Ok(())
    }

    pub(super) fn rotate(
        &mut self,
        issuer: IssuerId,
        rotation: &Rotation,
    ) -> Result<Rotated, StoreError> {
        let mut found = self.find_family.query([rotation.family.0, issuer.0])?;
        let Some(row) = found.next()? else { return Ok(Rotated::Gone) };
        let family = rows::family(row)?;
        drop(found);
        if family.generation != rotation.generation || family.current != rotation.presented {
            return Ok(Rotated::Lost(Arc::new(family)));
        }
        self.turn_family.execute(params![
            rotation.family.0,
            rotation.successor,
            rotation.rotated.seconds(),
            rotation.scopes.as_str(),
            rotation.expires.seconds(),
        ])?;
        self.put_access(issuer, &rotation.access)?;
        Ok(Rotated::Turned)
    }

    pub(super) fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let revoked = self.run(
            "INSERT INTO revoked (grant_id, issuer, expires) VALUES (?1, ?2, ?3)
            ON CONFLICT DO NOTHING",
            params![grant.0, issuer.0, until.seconds()],
        )?;
        if revoked == 0 {
            return Ok(false);
        }
        self.tell(issuer, &Change::Grant(grant))?;
        Ok(true)
    }

    pub(super) fn revoke_all(
        &self,
        issuer: IssuerId,
        what: &RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        let (subject, client) = match what {
            RevokeAll::Subject(subject) => {
                for sql in [
                    "DELETE FROM sessions WHERE issuer = ?1 AND subject = ?2",
                    "DELETE FROM consents WHERE issuer = ?1 AND subject = ?2",
                ] {
                    self.run(sql, params![issuer.0, subject])?;
                }
                (subject, "")
            }
            RevokeAll::Consent { subject, client } => {
                self.run(
                    "DELETE FROM consents WHERE issuer = ?1 AND subject = ?2 AND client = ?3",
                    params![issuer.0, subject, client],
                )?;
                (subject, &**client)
            }
        };
        self.run(
            "INSERT INTO cut (issuer, actor, client, last) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET last = max(last, ?4)",
            params![issuer.0, rows::user(subject), client, last.0],
        )?;
        self.tell(issuer, &Change::Subject(Arc::clone(subject)))
    }

    pub(super) fn remember_once(
        &self,
        issuer: IssuerId,
        space: &str,
        key: &SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let remembered = self.run(
            "INSERT INTO once (key, expires) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET expires = ?2 WHERE expires < ?3",
            params![rows::key(issuer, space, key), expires.seconds(), self.env.now().seconds()],
        )?;
        Ok(remembered > 0)
    }

    pub(super) fn put_session(
        &self,
        issuer: IssuerId,
        session: &Session,
        replaces: Option<&SecretHash>,
    ) -> Result<(), StoreError> {
        let who = &session.authentication;
        self.run(
            "INSERT INTO sessions (key, issuer, subject, auth, expires)
            VALUES (:key, :issuer, :subject, :auth, :expires)
            ON CONFLICT DO UPDATE SET subject = :subject, auth = :auth, expires = :expires",
            named_params! {
                ":key": rows::key(issuer, "", &session.id),
                ":issuer": issuer.0,
                ":subject": who.subject,
                ":auth": rows::auth(who, Some(&who.subject))?,
                ":expires": session.expires.seconds(),
            },
        )?;
        if let Some(before) = replaces {
            self.end_session(issuer, before)?;
        }
        Ok(())
    }

    pub(super) fn end_session(
        &self,
        issuer: IssuerId,
        id: &SecretHash,
    ) -> Result<bool, StoreError> {
        let ended = self.run("DELETE FROM sessions WHERE key = ?1", [rows::key(issuer, "", id)])?;
        if ended == 0 {
            return Ok(false);
        }
        self.tell(issuer, &Change::Session(*id))?;
        Ok(true)
    }

    fn put_access(&mut self, issuer: IssuerId, access: &AccessRecord) -> Result<(), StoreError> {
        let grant = GrantRow::of(&access.grant)?;
        self.put_access.execute(params![
            access.row.0,
            issuer.0,
            grant.id,
            grant.client,
            grant.actor,
            grant.scopes,
            grant.auth,
            access.hash,
            access.expires.seconds(),
        ])?;
        Ok(())
    }

    fn put_family(&mut self, issuer: IssuerId, family: &FamilyRecord) -> Result<(), StoreError> {
        let grant = GrantRow::of(&family.grant)?;
        self.put_family.execute(params![
            family.row.0,
            issuer.0,
            grant.id,
            grant.client,
            grant.actor,
            grant.scopes,
            grant.auth,
            family.generation,
            family.current,
            family.previous,
            family.rotated.seconds(),
            family.rotated_scopes.as_str(),
            family.expires.seconds(),
            family.ends.seconds(),
        ])?;
        Ok(())
    }

    fn forget_consents(&self, issuer: IssuerId, client: &str) -> Result<usize, StoreError> {
        self.run(
            "DELETE FROM consents WHERE issuer = ?1 AND client = ?2",
            params![issuer.0, client],
        )
    }

    fn tell(&self, issuer: IssuerId, change: &Change) -> Result<(), StoreError> {
        let change = serde_json::to_string(change).map_err(|_| rows::bad("a change"))?;
        self.run(
            "INSERT INTO changes (issuer, change) VALUES (?1, ?2)",
            params![issuer.0, change],
        )?;
        self.run(
            "DELETE FROM changes WHERE position <= ?1",
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
        super::read_one(self.connection, sql, params, read)
    }
}
