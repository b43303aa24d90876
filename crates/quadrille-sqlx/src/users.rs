//! The verbs of a storage of users.

use std::{fmt, sync::Arc};

use quadrille::consumer::{
    StorageError,
    users::{Created, ExternalId, LastWay, LinkedTo, Unlinked, UserId, UserStorage},
};
use tracing::error;

use crate::{
    fault::run,
    migrate::MigrateError,
    pool::Value,
    statements::{Dialect, Prefix, numbered},
    storage::{LONGEST, LONGEST_SERVICE, SqlStorage},
    transaction::{Step, TransactionPool},
};

/// How often a verb that found an account taken, and then free again, is repeated.
const ROUNDS: u32 = 8;

/// The greatest number of bytes of an e-mail address (RFC 5321, section 4.5.3.1, allows fewer). A
/// longer one is not stored, so that it finds nobody.
const LONGEST_EMAIL: usize = 320;

/// A storage of users and of their accounts at services on a pool of the application:
/// [`SqliteUsers`], [`PgUsers`] or [`MySqlUsers`]. Any number of processes may share the database.
/// Cheap to clone.
///
/// ```
/// use quadrille::{Profile, consumer::users::{Arrival, SignedIn, Users}};
/// use quadrille_sqlx::SqliteUsers;
/// use sqlx::SqlitePool;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let storage = SqliteUsers::new(SqlitePool::connect("sqlite::memory:").await?);
/// storage.migrate().await?;
/// let users = Users::new(storage);
/// let ada = Arrival::new("github", Profile::new("41"))?;
/// assert!(matches!(users.sign_in(&ada, None).await?, SignedIn::Created(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`SqliteUsers`]: crate::SqliteUsers
/// [`PgUsers`]: crate::PgUsers
/// [`MySqlUsers`]: crate::MySqlUsers
#[derive(Clone)]
pub struct SqlUsers<P> {
    /// The pool, the tables, and the turn to write.
    tables: SqlStorage<P>,
    sql: Arc<Statements>,
}

#[derive(Debug)]
struct Statements {
    /// By service and subject.
    user_of: Arc<str>,
    /// By user.
    of_user: Arc<str>,
    /// By address.
    by_email: Arc<str>,
    /// Service, subject, user, address.
    insert: Arc<str>,
    /// User.
    insert_user: Arc<str>,
    /// User.
    insert_user_without_ways: Arc<str>,
    /// By user.
    one_way_more: Arc<str>,
    /// By user.
    one_way_less: Arc<str>,
    /// By user, if another way remains.
    one_way_less_of_several: Arc<str>,
    /// By service, subject and user.
    delete: Arc<str>,
    /// By user.
    delete_of_user: Arc<str>,
    /// By user.
    delete_user: Arc<str>,
}

const COLUMNS: &str = "SELECT service, subject, user_id FROM quadrille_external_ids";

impl Statements {
    fn new(dialect: Dialect, prefix: &Prefix) -> Self {
        let sql = |sql: &str| -> Arc<str> {
            let sql = prefix.apply(sql);
            match dialect {
                Dialect::Sqlite | Dialect::MySql => sql.into(),
                Dialect::Postgres => numbered(&sql).into(),
            }
        };
        let update = |rest: &str| sql(&format!("UPDATE quadrille_users SET {rest}"));
        Self {
            user_of: sql(&format!("{COLUMNS} WHERE service = ? AND subject = ?")),
            of_user: sql(&format!("{COLUMNS} WHERE user_id = ? ORDER BY service, subject")),
            by_email: sql(&format!("{COLUMNS} WHERE verified_email = ? ORDER BY user_id")),
            insert: sql("INSERT INTO quadrille_external_ids
                (service, subject, user_id, verified_email) VALUES (?, ?, ?, ?)"),
            insert_user: sql("INSERT INTO quadrille_users (id, ways) VALUES (?, 1)"),
            insert_user_without_ways: sql("INSERT INTO quadrille_users (id, ways) VALUES (?, 0)"),
            one_way_more: update("ways = ways + 1 WHERE id = ?"),
            one_way_less: update("ways = ways - 1 WHERE id = ?"),
            one_way_less_of_several: update("ways = ways - 1 WHERE id = ? AND ways > 1"),
            delete: sql("DELETE FROM quadrille_external_ids
                WHERE service = ? AND subject = ? AND user_id = ?"),
            delete_of_user: sql("DELETE FROM quadrille_external_ids WHERE user_id = ?"),
            delete_user: sql("DELETE FROM quadrille_users WHERE id = ?"),
        }
    }
}

impl<P: TransactionPool> SqlUsers<P> {
    /// A storage in the tables `quadrille_users` and `quadrille_external_ids`. Opens no connection.
    pub fn new(pool: P) -> Self {
        Self::with_prefix(pool, Prefix::default())
    }

    /// A storage in tables with another prefix, for other users in one database.
    pub fn with_prefix(pool: P, prefix: Prefix) -> Self {
        let sql = Arc::new(Statements::new(P::DIALECT, &prefix));
        Self { tables: SqlStorage::with_prefix(pool, prefix), sql }
    }

    /// Creates or changes the tables if necessary, with those of a [`SqlStorage`] of the same
    /// prefix: [`SqlStorage::migrate`], of which either will do.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        self.tables.migrate().await
    }

    /// Checks that the tables are there and of this version: [`SqlStorage::check`].
    ///
    /// # Errors
    /// [`MigrateError`].
    pub async fn check(&self) -> Result<(), MigrateError> {
        self.tables.check().await
    }

    /// Runs all steps or none; returns the place of the one that had no effect.
    async fn all_or_none(
        &self,
        verb: &'static str,
        steps: &[Step<'_>],
    ) -> Result<Option<usize>, StorageError> {
        let _turn = self.tables.turn().await;
        run(verb, || self.tables.pool.all_or_none(steps)).await
    }

    async fn rows(
        &self,
        verb: &'static str,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> Result<Vec<(ExternalId, UserId)>, StorageError> {
        let rows = run(verb, || self.tables.pool.external_ids(sql, values)).await?;
        let text = |bytes| String::from_utf8(bytes).ok();
        let row = |(service, subject, user)| {
            let id = ExternalId::new(text(service)?, text(subject)?).ok()?;
            Some((id, UserId::from_number(user)))
        };
        let rows: Option<Vec<_>> = rows.into_iter().map(row).collect();
        rows.ok_or(StorageError::Unreadable)
    }
}

impl<P> fmt::Debug for SqlUsers<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlUsers").field("prefix", &self.tables.prefix).finish_non_exhaustive()
    }
}

// In each transaction the account's row comes before the user's, so that no two wait for each
// other. A removal locks the user first, since an account that is being linked is not seen before;
// if it meets an unlinking, one of both is run again.
impl<P: TransactionPool> UserStorage for SqlUsers<P> {
    async fn user_of(&self, id: &ExternalId) -> Result<Option<UserId>, StorageError> {
        let mut rows = self.rows("user_of", &self.sql.user_of, &key(id)).await?;
        Ok(rows.pop().map(|(_, user)| user))
    }

    async fn create(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> Result<Created, StorageError> {
        check_length(id)?;
        let (user, values) = (Value::Number(user.number()), new(user, id, verified_email));
        let of_user = [user];
        let steps =
            [Step::must(&self.sql.insert, &values), Step::must(&self.sql.insert_user, &of_user)];
        for _ in 0..ROUNDS {
            match self.all_or_none("create", &steps).await? {
                None => return Ok(Created::Done),
                Some(0) => {}
                Some(_) => return Ok(Created::UserIdInUse),
            }
            if let Some(owner) = self.user_of(id).await? {
                return Ok(Created::Taken(owner));
            }
        }
        Err(StorageError::Unavailable)
    }

    async fn add(&self, user: UserId) -> Result<bool, StorageError> {
        let of_user = [Value::Number(user.number())];
        let steps = [Step::must(&self.sql.insert_user_without_ways, &of_user)];
        Ok(self.all_or_none("add", &steps).await?.is_none())
    }

    async fn link(
        &self,
        user: UserId,
        id: &ExternalId,
        verified_email: Option<&str>,
    ) -> Result<LinkedTo, StorageError> {
        check_length(id)?;
        let (user, values) = (Value::Number(user.number()), new(user, id, verified_email));
        let of_user = [user];
        let steps =
            [Step::must(&self.sql.insert, &values), Step::must(&self.sql.one_way_more, &of_user)];
        for _ in 0..ROUNDS {
            match self.all_or_none("link", &steps).await? {
                None => return Ok(LinkedTo::Done),
                Some(0) => {}
                Some(_) => return Ok(LinkedTo::UserUnknown),
            }
            if let Some(owner) = self.user_of(id).await? {
                return Ok(LinkedTo::Taken(owner));
            }
        }
        Err(StorageError::Unavailable)
    }

    async fn unlink(
        &self,
        user: UserId,
        id: &ExternalId,
        last: LastWay,
    ) -> Result<Unlinked, StorageError> {
        let ([service, subject], user) = (key(id), Value::Number(user.number()));
        let (row, of_user) = ([service, subject, user], [user]);
        let one_less = match last {
            LastWay::Keep => &self.sql.one_way_less_of_several,
            LastWay::Unlink => &self.sql.one_way_less,
        };
        let steps = [Step::must(&self.sql.delete, &row), Step::must(one_less, &of_user)];
        Ok(match self.all_or_none("unlink", &steps).await? {
            None => Unlinked::Done,
            Some(0) => Unlinked::NotLinked,
            Some(_) => Unlinked::LastWay,
        })
    }

    async fn external_ids(&self, user: UserId) -> Result<Vec<ExternalId>, StorageError> {
        let values = [Value::Number(user.number())];
        let rows = self.rows("external_ids", &self.sql.of_user, &values).await?;
        Ok(rows.into_iter().map(|(id, _)| id).collect())
    }

    async fn users_with_verified_email(
        &self,
        verified_email: &str,
    ) -> Result<Vec<UserId>, StorageError> {
        if verified_email.is_empty() || verified_email.len() > LONGEST_EMAIL {
            return Ok(Vec::new());
        }
        let values = [Value::Bytes(verified_email.as_bytes())];
        let verb = "users_with_verified_email";
        let rows = self.rows(verb, &self.sql.by_email, &values).await?;
        let mut users: Vec<_> = rows.into_iter().map(|(_, user)| user).collect();
        users.dedup();
        Ok(users)
    }

    async fn remove(&self, user: UserId) -> Result<bool, StorageError> {
        let of_user = [Value::Number(user.number())];
        let steps = [
            Step::must(&self.sql.delete_user, &of_user),
            Step::may(&self.sql.delete_of_user, &of_user),
        ];
        Ok(self.all_or_none("remove", &steps).await?.is_none())
    }
}

fn key(id: &ExternalId) -> [Value<'_>; 2] {
    [id.service(), id.subject()].map(|text| Value::Bytes(text.as_bytes()))
}

fn new<'a>(user: UserId, id: &'a ExternalId, verified_email: Option<&'a str>) -> [Value<'a>; 4] {
    let [service, subject] = key(id);
    let email = verified_email.filter(|email| email.len() <= LONGEST_EMAIL).unwrap_or("");
    [service, subject, Value::Number(user.number()), Value::Bytes(email.as_bytes())]
}

/// Whether the columns hold the whole key: MySQL may be set to cut what is longer.
fn check_length(id: &ExternalId) -> Result<(), StorageError> {
    if id.service().len() <= LONGEST_SERVICE && id.subject().len() <= LONGEST {
        return Ok(());
    }
    error!(service = id.service(), "an account has too long a key to be linked to a user");
    Err(StorageError::KeyTooLong)
}
