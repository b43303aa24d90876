//! A table of users of one's own, in SQLite. The library's tests run `users_contract!` on it, as
//! those of your storage do.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use quadrille::consumer::{
    StorageError,
    users::{Created, ExternalId, LastWay, LinkedTo, Unlinked, UserId, UserStorage},
};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS people (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '') STRICT;
    CREATE TABLE IF NOT EXISTS ways_in (
        service TEXT NOT NULL, subject TEXT NOT NULL, person INTEGER NOT NULL REFERENCES people,
        verified_email TEXT, PRIMARY KEY (service, subject)) STRICT, WITHOUT ROWID;";

/// The people of this application. Cheap to clone.
#[derive(Clone)]
pub(crate) struct People(Arc<Mutex<Connection>>);

impl People {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(10))?;
        db.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT"))?;
        Ok(Self(Arc::new(Mutex::new(db))))
    }

    /// The name of a person.
    pub(crate) fn name(&self, user: UserId) -> Result<Option<String>, StorageError> {
        let sql = "SELECT name FROM people WHERE id = ?1";
        self.at_once(|db| db.query_row(sql, [user.number()], |row| row.get(0)).optional())
    }

    /// Names a person who has no name yet.
    pub(crate) fn set_name(&self, user: UserId, name: &str) -> Result<(), StorageError> {
        let sql = "UPDATE people SET name = ?2 WHERE id = ?1 AND name = ''";
        self.at_once(|db| db.execute(sql, params![user.number(), name])).map(|_| ())
    }

    /// One transaction, begun so that nothing comes between reading and writing: of two first
    /// logins at the same time, the second finds the user of the first.
    fn at_once<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StorageError> {
        let mut db = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = || {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&tx)?;
            tx.commit()?;
            Ok(done)
        };
        all().map_err(|_: rusqlite::Error| StorageError::Unavailable)
    }
}

fn owner(db: &Connection, id: &ExternalId) -> rusqlite::Result<Option<UserId>> {
    let sql = "SELECT person FROM ways_in WHERE service = ?1 AND subject = ?2";
    let user = |row: &rusqlite::Row<'_>| row.get(0).map(UserId::from_number);
    db.query_row(sql, [id.service(), id.subject()], user).optional()
}

fn add(
    db: &Connection,
    user: UserId,
    id: &ExternalId,
    verified_email: Option<&str>,
) -> rusqlite::Result<usize> {
    let row = params![id.service(), id.subject(), user.number(), verified_email];
    db.execute("INSERT INTO ways_in VALUES (?1, ?2, ?3, ?4)", row)
}

impl UserStorage for People {
    async fn user_of(&self, id: &ExternalId) -> Result<Option<UserId>, StorageError> {
        self.at_once(|db| owner(db, id))
    }

    async fn create(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> Result<Created, StorageError> {
        self.at_once(|db| {
            if let Some(owner) = owner(db, id)? {
                return Ok(Created::Taken(owner));
            }
            if db.execute("INSERT OR IGNORE INTO people (id) VALUES (?1)", [user.number()])? == 0 {
                return Ok(Created::UserIdInUse);
            }
            add(db, user, id, verified_email).map(|_| Created::Done)
        })
    }

    async fn add(&self, user: UserId) -> Result<bool, StorageError> {
        let sql = "INSERT OR IGNORE INTO people (id) VALUES (?1)";
        self.at_once(|db| Ok(db.execute(sql, [user.number()])? == 1))
    }

    async fn link(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> Result<LinkedTo, StorageError> {
        self.at_once(|db| {
            if let Some(owner) = owner(db, id)? {
                return Ok(LinkedTo::Taken(owner));
            }
            let mut known = db.prepare("SELECT 1 FROM people WHERE id = ?1")?;
            if !known.exists([user.number()])? {
                return Ok(LinkedTo::UserUnknown);
            }
            add(db, user, id, verified_email).map(|_| LinkedTo::Done)
        })
    }

    async fn unlink(
        &self,
        user: UserId,
        id: &ExternalId,
        last: LastWay,
    ) -> Result<Unlinked, StorageError> {
        self.at_once(|db| {
            if owner(db, id)? != Some(user) {
                return Ok(Unlinked::NotLinked);
            }
            let sql = "SELECT count(*) FROM ways_in WHERE person = ?1";
            let ways: u64 = db.query_row(sql, [user.number()], |row| row.get(0))?;
            if ways == 1 && last == LastWay::Keep {
                return Ok(Unlinked::LastWay);
            }
            let sql = "DELETE FROM ways_in WHERE service = ?1 AND subject = ?2";
            db.execute(sql, [id.service(), id.subject()]).map(|_| Unlinked::Done)
        })
    }

    async fn external_ids(&self, user: UserId) -> Result<Vec<ExternalId>, StorageError> {
        let ids: Vec<(String, String)> = self.at_once(|db| {
            let mut query = db.prepare(
                "SELECT service, subject FROM ways_in WHERE person = ?1
                 ORDER BY service, subject",
            )?;
            let rows = query.query_map([user.number()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let ids = ids.into_iter().map(|(service, subject)| ExternalId::new(service, subject));
        ids.collect::<Result<_, _>>().map_err(|_| StorageError::Unreadable)
    }

    async fn users_with_verified_email(
        &self,
        verified_email: &str,
    ) -> Result<Vec<UserId>, StorageError> {
        self.at_once(|db| {
            let mut query =
                db.prepare("SELECT DISTINCT person FROM ways_in WHERE verified_email = ?1")?;
            let rows = query.query_map([verified_email], |row| row.get(0))?;
            rows.map(|number| number.map(UserId::from_number)).collect()
        })
    }

    async fn remove(&self, user: UserId) -> Result<bool, StorageError> {
        self.at_once(|db| {
            db.execute("DELETE FROM ways_in WHERE person = ?1", [user.number()])?;
            Ok(db.execute("DELETE FROM people WHERE id = ?1", [user.number()])? == 1)
        })
    }
}
