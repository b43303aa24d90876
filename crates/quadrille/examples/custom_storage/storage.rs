//! A storage of one's own, in SQLite, which several processes may share. The library's tests run
//! `storage_contract!` on it, as those of your storage do.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quadrille::{
    Owner, Result,
    consumer::{Account, Change, Context, Replaced, StorageError, Stored, Token, TokenStorage},
};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS accounts (
        owner TEXT NOT NULL, service TEXT NOT NULL, subject TEXT NOT NULL,
        token BLOB NOT NULL, version INTEGER NOT NULL, linked INTEGER NOT NULL,
        ended INTEGER NOT NULL, PRIMARY KEY (owner, service, subject)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS leases (
        owner TEXT NOT NULL, service TEXT NOT NULL, subject TEXT NOT NULL,
        holder INTEGER NOT NULL, ends INTEGER NOT NULL,
        PRIMARY KEY (owner, service, subject)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS versions (last INTEGER NOT NULL);
    INSERT INTO versions SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM versions);";
const COLUMNS: &str = "owner, service, subject, token, version, ended";

/// One process's connection.
pub(crate) struct Shared(Mutex<Connection>);

impl Shared {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(10))?;
        db.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT"))?;
        Ok(Self(Mutex::new(db)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction, begun so that nothing comes between reading and writing. A statement takes
    /// some microseconds; a database that is farther away needs asynchronous calls.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let mut db = self.lock();
        let all = || {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&tx)?;
            tx.commit()?;
            Ok(done)
        };
        all().map_err(|_: rusqlite::Error| StorageError::Unwritable.into())
    }
}

fn next_version(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("UPDATE versions SET last = last + 1 RETURNING last", [], |row| row.get(0))
}

/// A row, its token still sealed: account, token, version, whether it has ended.
type Found = (Account, Vec<u8>, u64, bool);

fn row(row: &Row<'_>) -> rusqlite::Result<Found> {
    let text = |index| row.get::<_, String>(index);
    let account = Account {
        owner: Owner::from_key(&text(0)?),
        service: text(1)?.into(),
        subject: text(2)?.into(),
    };
    Ok((account, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn open(
    cx: &Context<'_>,
    (account, sealed, version, needs_linking_again): Found,
) -> Result<Stored> {
    let token = cx.open_token(&account, &sealed)?;
    Ok(Stored { account, token, version, needs_linking_again })
}

fn find(db: &Connection, account: &Account) -> rusqlite::Result<Option<Found>> {
    let Account { owner, service, subject } = account;
    let sql = format!(
        "SELECT {COLUMNS} FROM accounts WHERE owner = ?1 AND service = ?2 AND subject = ?3"
    );
    db.query_row(&sql, params![owner.as_str(), service, subject], row).optional()
}

impl TokenStorage for Shared {
    fn is_durable(&self) -> bool {
        true
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        let Account { owner, service, subject } = account;
        let sealed = cx.seal_token(account, token);
        self.write(|db| {
            let version = next_version(db)?;
            db.execute(
                "INSERT OR REPLACE INTO accounts VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0)",
                params![owner.as_str(), service, subject, sealed, version],
            )
        })?;
        Ok(())
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM accounts WHERE owner = ?1 AND service = ?2
             AND (?3 IS NULL OR subject = ?3) ORDER BY linked DESC LIMIT 1"
        );
        let found = self.lock().query_row(&sql, params![owner.as_str(), service, subject], row);
        let found = found.optional().map_err(|_| StorageError::Unavailable)?;
        found.map(|found| open(cx, found)).transpose()
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let (done, now) = self.write(|db| {
            let Stored { account, token, version, needs_linking_again } =
                change.applied_to(seen, next_version(db)?);
            let Account { owner, service, subject } = &account;
            let sealed = cx.seal_token(&account, &token);
            let done = db.execute(
                "UPDATE accounts SET token = ?4, version = ?5, ended = ?6 WHERE owner = ?1
                 AND service = ?2 AND subject = ?3 AND version = ?7",
                params![
                    owner.as_str(),
                    service,
                    subject,
                    sealed,
                    version,
                    needs_linking_again,
                    seen.version
                ],
            )?;
            Ok((done == 1, find(db, &account)?))
        })?;
        let now = now.map(|now| open(cx, now)).transpose()?;
        Ok(match (done, now) {
            (true, Some(now)) => Replaced::Done(now),
            (_, now) => Replaced::Changed(now),
        })
    }

    async fn unlink(&self, _: &Context<'_>, account: &Account) -> Result<bool> {
        let Account { owner, service, subject } = account;
        let gone = self.write(|db| {
            db.execute(
                "DELETE FROM accounts WHERE owner = ?1 AND service = ?2 AND subject = ?3",
                params![owner.as_str(), service, subject],
            )
        })?;
        Ok(gone == 1)
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM accounts WHERE service = ?1
             AND (?2 IS NULL OR (owner, subject) > (?2, ?3)) ORDER BY owner, subject LIMIT ?4"
        );
        let owner = after.map(|after| after.owner.as_str());
        let subject = after.map(|after| &*after.subject);
        let db = self.lock();
        let page = db.prepare(&sql).and_then(|mut query| {
            let rows = query.query_map(params![service, owner, subject, limit as i64], row)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        let page = page.map_err(|_| StorageError::Unavailable)?;
        page.into_iter().map(|found| open(cx, found)).collect()
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        let Account { owner, service, subject } = account;
        let now = cx.env().now();
        let (holder, ends) = (holder.cast_signed(), (now + lease).millis());
        let given = self.write(|db| {
            db.execute(
                "INSERT INTO leases VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
                 SET holder = ?4, ends = ?5 WHERE holder = ?4 OR ends <= ?6",
                params![owner.as_str(), service, subject, holder, ends, now.millis()],
            )
        })?;
        Ok(given == 1)
    }

    async fn release(&self, _: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let Account { owner, service, subject } = account;
        self.write(|db| {
            db.execute(
                "DELETE FROM leases
                 WHERE owner = ?1 AND service = ?2 AND subject = ?3 AND holder = ?4",
                params![owner.as_str(), service, subject, holder.cast_signed()],
            )
        })?;
        Ok(())
    }
}
