//! A store in an SQLite file.

mod error;
mod oauth1;
mod pace;
mod pending;
mod reader;
mod rows;
mod schema;
mod sweep;
mod writer;
mod writes;

use std::{fmt, path::Path, sync::Arc};

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::{Env, Timestamp, oauth2::Resources, provider::client::record::Client};

use super::{
    AccessRecord, Answer, Answered, Bought, Changes, CodeRecord, Consent, CredentialRecord,
    FamilyRecord, Issue, IssuerId, PendingRecord, PendingRef, Redeemed, RevokeAll, Rotated,
    Rotation, RowId, SecretHash, Store, StoreError, TokenRef, Worker,
};

use reader::Readers;
use rows::{access_columns, alive, code_columns, family_columns, grant_columns};
use writer::Writer;

/// The greatest number: each part is the end of a table's own order.
const NEWEST: &str = "SELECT max(
    (SELECT number FROM quadrille_newest),
    coalesce((SELECT max(row) FROM quadrille_codes), 0),
    coalesce((SELECT max(row) FROM quadrille_access_tokens), 0),
    coalesce((SELECT max(row) FROM quadrille_families), 0),
    coalesce((SELECT max(row) FROM quadrille_pending), 0),
    coalesce((SELECT max(grant_id) FROM quadrille_token_credentials), 0))";

/// The number of changes returned at a time.
const CHANGES: i64 = 4096;

/// A durable store in an SQLite file, which any number of processes on one machine may share.
///
/// A thread of its own commits concurrent writes together, and answers when they are on the disk
/// (write-ahead log, `synchronous = FULL`). Reads run beside it. Each commit removes a few expired
/// rows. Dropping the store finishes pending writes.
///
/// An application can keep tables of its own in the same file: the store's tables and indices are
/// all named `quadrille_...`, and it leaves the pragmas `user_version` and `application_id` alone.
/// The file is set to write-ahead logging.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use quadrille::{Env, provider::store::{SqliteStore, StoreError}};
///
/// # let folder = std::env::temp_dir().join(format!("quadrille-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("quadrille.db");
/// let store = SqliteStore::open(&path, Env::system())?;
/// store.migrate("photos", &["CREATE TABLE photos (id INTEGER PRIMARY KEY, title TEXT)"]).await?;
/// store
///     .write(|tx| {
///         tx.execute("INSERT INTO photos (title) VALUES (?1)", ["A dance for four"])?;
///         Ok::<_, StoreError>(())
///     })
///     .await?;
/// let count = store.read(|db| {
///     Ok::<i64, StoreError>(db.query_row("SELECT count(*) FROM photos", [], |row| row.get(0))?)
/// });
/// let count = count.await?;
/// assert_eq!(count, 1);
/// # drop(store);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
    env: Env,
}

impl SqliteStore {
    /// Opens the file, or creates it for this operating system user only, and migrates its tables.
    ///
    /// # Errors
    /// [`StoreError::Unopenable`], [`StoreError::ReadOnly`], [`StoreError::Busy`] if other programs
    /// hold it for longer than five seconds, [`StoreError::Full`], [`StoreError::Corrupt`] if it is
    /// no such database, and [`StoreError::Newer`].
    pub fn open(path: impl AsRef<Path>, env: Env) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let connection = schema::open_writer(path)?;
        schema::migrate(&connection, schema::NAMESPACE, schema::MIGRATIONS, &env)?;
        let writer = Writer::start(connection, env.clone())?;
        Ok(Self { readers: Readers::new(path), writer, env })
    }

    /// Migrates tables of the application's own: `migrations` are scripts, in order; those that
    /// `namespace` has not run yet are run, all or none. Append to them, never change them. Several
    /// processes may call it at once.
    ///
    /// # Errors
    /// [`StoreError::Newer`] if the file has more migrations than `migrations`.
    pub async fn migrate(
        &self,
        namespace: &'static str,
        migrations: &'static [&'static str],
    ) -> Result<(), StoreError> {
        let env = self.env.clone();
        self.writer
            .alone(move |connection| schema::migrate(connection, namespace, migrations, &env))
            .await?
    }

    /// Runs `write` in a transaction of its own: committed on `Ok`, rolled back on `Err`. It runs
    /// to its end even if the future is dropped.
    ///
    /// # Errors
    /// Those of `write`, and those of the commit.
    pub async fn write<T, E>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let transaction = move |connection: &Connection| {
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
                    .map_err(StoreError::from)?;
            let result = write(&transaction)?;
            transaction.commit().map_err(StoreError::from)?;
            Ok(result)
        };
        self.writer.alone(transaction).await?
    }

    /// Runs `read` on a read-only connection, on this thread: for short queries, which all see the
    /// same state.
    ///
    /// # Errors
    /// Those of `read`, and those of opening another connection.
    pub async fn read<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.look(reader::touch).await?;
        self.readers.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            Ok(read(&snapshot))
        })?
    }

    /// Accepts no more calls, finishes pending writes, and closes the file. Dropping does the same.
    pub fn close(&self) {
        self.readers.close();
        self.writer.close();
    }

    /// Reads on this thread, unless the file is locked, as during recovery by another process: then
    /// the writer's thread waits for it.
    async fn look<T>(
        &self,
        mut read: impl FnMut(&Connection) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        match self.readers.read(&mut read) {
            Err(StoreError::Busy) => {
                self.writer.alone(reader::touch).await??;
                self.readers.read(read)
            }
            result => result,
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqliteStore").field(&self.readers).finish()
    }
}

fn read_one<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

pub(super) fn client(record: &str) -> Result<Arc<Client>, StoreError> {
    serde_json::from_str(record).map(Arc::new).map_err(|_| rows::bad("a client"))
}

impl Store for SqliteStore {
    async fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        let issuer = issuer.to_owned();
        self.writer.write(move |writes| writes.issuer(&issuer)).await
    }

    async fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Worker, StoreError> {
        self.writer.write(move |writes| writes.lease(renew, holder, now, expires)).await
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        let newest = self.look(|db| read_one(db, NEWEST, [], |row| Ok(row.get(0)?))).await?;
        newest.map(RowId).ok_or(StoreError::Corrupt("the newest number"))
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        // The row at `position` comes first: if it is missing, later ones may be missing too.
        let known = self.look(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT position, issuer, change FROM quadrille_changes
                WHERE position >= ?1 ORDER BY position LIMIT ?2",
            )?;
            let mut rows = statement.query([position, CHANGES])?;
            let mut known = Changes { position, changes: Vec::new(), gap: position != 0 };
            while let Some(row) = rows.next()? {
                known.position = row.get("position")?;
                if known.position == position {
                    known.gap = false;
                } else if position == 0 && known.changes.is_empty() && known.position != 1 {
                    known.gap = true;
                }
                if known.gap {
                    break;
                }
                if known.position != position && row.get::<_, i64>("issuer")? == issuer.0 {
                    let change =
                        row.get_ref("change")?.as_str().map_err(|_| rows::bad("a change"))?;
                    let change = serde_json::from_str(change).map_err(|_| rows::bad("a change"))?;
                    known.changes.push(change);
                }
            }
            Ok(known)
        });
        let known = known.await?;
        if !known.gap {
            return Ok(known);
        }
        let newest = "SELECT coalesce(max(position), 0) FROM quadrille_changes";
        let newest = self.look(|db| read_one(db, newest, [], |row| Ok(row.get(0)?))).await?;
        Ok(Changes { position: newest.unwrap_or(0), changes: Vec::new(), gap: true })
    }

    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let sql = "SELECT record FROM quadrille_clients WHERE issuer = ?1 AND id = ?2";
        self.look(|db| {
            read_one(db, sql, params![issuer.0, id], |row| client(&row.get::<_, String>("record")?))
        })
        .await
    }

    async fn clients(&self, issuer: IssuerId) -> Result<Vec<Arc<Client>>, StoreError> {
        self.look(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT record FROM quadrille_clients
                    WHERE issuer = ?1 ORDER BY id",
            )?;
            let mut rows = statement.query([issuer.0])?;
            let mut clients = Vec::new();
            while let Some(row) = rows.next()? {
                clients.push(client(&row.get::<_, String>("record")?)?);
            }
            Ok(clients)
        })
        .await
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        let record = serde_json::to_string(&client).map_err(|_| rows::bad("a client"))?;
        self.writer
            .write(move |writes| writes.put_client(issuer, &client, &record, before.as_deref()))
            .await
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Result<bool, StoreError> {
        let id = id.into();
        self.writer.write(move |writes| writes.remove_client(issuer, &id)).await
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Result<Answered, StoreError> {
        self.writer.write(move |writes| writes.answer(issuer, &answer)).await
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.put_code(issuer, &code)).await
    }

    async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<CodeRecord>>, StoreError> {
        let sql = concat!(
            "SELECT ",
            code_columns!(),
            " FROM quadrille_codes WHERE row = ?1
            AND issuer = ?2"
        );
        self.look(|db| read_one(db, sql, [row.0, issuer.0], |row| rows::code(row).map(Arc::new)))
            .await
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        self.writer.write(move |writes| writes.redeem(issuer, code, &issue)).await
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.issue(issuer, &issue)).await
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.import(issuer, &access)).await
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<AccessRecord>>, StoreError> {
        let (sql, key, hash) = match token {
            TokenRef::Row { row, hash } => (
                concat!(
                    "SELECT ",
                    access_columns!(),
                    " FROM quadrille_access_tokens t
                    WHERE row = ?1 AND issuer = ?2 AND ",
                    alive!()
                ),
                row.0.into(),
                hash,
            ),
            TokenRef::Foreign { hash } => (
                concat!(
                    "SELECT ",
                    access_columns!(),
                    " FROM quadrille_access_tokens t
                    WHERE row = (SELECT row FROM quadrille_foreign_tokens WHERE key = ?1)
                    AND issuer = ?2 AND ",
                    alive!()
                ),
                rusqlite::types::Value::Blob(rows::key(issuer, "", hash)),
                hash,
            ),
        };
        let found = self.look(|db| read_one(db, sql, params![key, issuer.0], rows::access)).await?;
        Ok(found.filter(|found| super::is_same(&found.hash, hash)).map(Arc::new))
    }

    async fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        let sql = concat!(
            "SELECT ",
            family_columns!(),
            " FROM quadrille_families t WHERE row = ?1 AND issuer = ?2 AND ",
            alive!()
        );
        self.look(|db| read_one(db, sql, [row.0, issuer.0], |row| rows::family(row).map(Arc::new)))
            .await
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        self.writer.write(move |writes| writes.rotate(issuer, &rotation)).await
    }

    async fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.put_pending(issuer, &pending)).await
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Result<Option<Arc<PendingRecord>>, StoreError> {
        self.look(|db| pending::find(db, issuer, reference)).await
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Result<Redeemed, StoreError> {
        self.writer.write(move |writes| writes.redeem_pending(issuer, pending, &bought)).await
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
        self.look(|db| oauth1::find(db, issuer, token)).await
    }

    async fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.revoke_grant(issuer, grant, until)).await
    }

    async fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.revoke_all(issuer, &what, last)).await
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Result<Option<Consent>, StoreError> {
        let sql = "SELECT scopes, given FROM quadrille_consents
            WHERE issuer = ?1 AND subject = ?2 AND client = ?3 AND resources = ?4";
        self.look(|db| {
            read_one(db, sql, params![issuer.0, subject, client, resources.as_str()], |row| {
                Ok(Consent {
                    subject: subject.into(),
                    client: client.into(),
                    resources: resources.clone(),
                    scopes: rows::scopes(row, "scopes")?,
                    given: rows::seconds(row, "given")?,
                })
            })
        })
        .await
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Result<Vec<Consent>, StoreError> {
        self.look(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT client, resources, scopes, given FROM quadrille_consents
                 WHERE issuer = ?1 AND subject = ?2 ORDER BY client, resources",
            )?;
            let mut rows = statement.query(params![issuer.0, subject])?;
            let mut consents = Vec::new();
            while let Some(row) = rows.next()? {
                consents.push(Consent {
                    subject: subject.into(),
                    client: row.get("client")?,
                    resources: rows::resources(row, "resources")?,
                    scopes: rows::scopes(row, "scopes")?,
                    given: rows::seconds(row, "given")?,
                });
            }
            Ok(consents)
        })
        .await
    }

    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.remember_once(issuer, space, &key, expires)).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer.write(move |writes| writes.sweep_all(now)).await
    }
}
