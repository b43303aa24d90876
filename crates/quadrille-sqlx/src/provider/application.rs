//! Transactions of the application's own, on its tables beside those of the store.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use quadrille::{
    Timestamp,
    provider::store::{Change, IssuerId, RevokeAll, RowId, StoreError, user_column},
};
use sqlx::{Execute as _, query::Query};

use super::{
    clients,
    database::Steps,
    dialect::Dialect,
    engine::{Engine, Write},
    fault::{reason, run},
    news::Announced,
    numbers::FIND_ISSUER,
    revoking::{REVOKE_ALL, all_values, change_column},
    store::SqlStore,
    values::{Value, values},
};

/// The statements of a transaction under way.
type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, TransactionError>> + Send + 't>>;

/// The reason why a transaction of the application's own failed.
///
/// ```
/// use quadrille_sqlx::TransactionError;
///
/// let error = TransactionError::from(sqlx::Error::RowNotFound);
/// assert!(matches!(error, TransactionError::Statement(_)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// A statement of the application failed.
    #[error(transparent)]
    Statement(#[from] sqlx::Error),
    /// A statement of the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A transaction of the application's own on the pool of a [`SqlStore`], as
/// [`transaction`](SqlStore::transaction) has it: [`PgTransaction`] or [`MySqlTransaction`].
///
/// ```no_run
/// use quadrille_sqlx::{PgTransaction, TransactionError};
///
/// async fn add(
///     transaction: &mut PgTransaction,
///     subject: &'static str,
/// ) -> Result<(), TransactionError> {
///     let insert = sqlx::query("INSERT INTO people (subject) VALUES ($1)").bind(subject);
///     transaction.execute(insert).await?;
///     Ok(())
/// }
/// ```
///
/// [`PgTransaction`]: crate::PgTransaction
/// [`MySqlTransaction`]: crate::MySqlTransaction
pub struct SqlTransaction<E: Dialect>(Steps<E>);

impl<E: Dialect> SqlStore<E> {
    /// Runs `work` in a transaction of its own on the store's pool, at READ COMMITTED: committed on
    /// `Ok`, rolled back on `Err`. After a conflict with another transaction it is run again, a
    /// bounded number of times. MySQL and MariaDB commit before statements that change a schema.
    ///
    /// ```no_run
    /// use quadrille::provider::store::StoreError;
    /// use quadrille_sqlx::PgStore;
    ///
    /// async fn remove(store: &PgStore, subject: &'static str) -> Result<(), StoreError> {
    ///     let removed = store.transaction(move |transaction| {
    ///         Box::pin(async move {
    ///             let delete = sqlx::query("DELETE FROM people WHERE subject = $1").bind(subject);
    ///             transaction.execute(delete).await?;
    ///             Ok(transaction.forget_subject("https://id.example", subject).await?)
    ///         })
    ///     });
    ///     removed.await.map(drop)
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of `work` and of the commit.
    pub async fn transaction<T: Send>(
        &self,
        work: impl for<'t> Fn(&'t mut SqlTransaction<E>) -> Work<'t, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        run(|| async {
            let mut begun = SqlTransaction(self.database.begin().await?);
            let done = work(&mut begun).await.map_err(|error| match error {
                TransactionError::Statement(error) => reason(error),
                TransactionError::Store(error) => error,
            })?;
            begun.0.commit().await?;
            Ok(done)
        })
        .await
    }
}

/// A statement of the application's own, with its values.
type Own<E> = Query<'static, <E as Engine>::Driver, <E as Engine>::Arguments>;

impl<E: Dialect> SqlStore<E> {
    /// The rows of a statement of the application's own, which is a transaction by itself. It is run
    /// as those of the store are: prepared or not, for as long as the options say, again after a
    /// conflict, and refused at once while the server is out of reach.
    ///
    /// ```no_run
    /// use quadrille::provider::store::StoreError;
    /// use quadrille_sqlx::PgStore;
    ///
    /// async fn is_there(store: &PgStore, subject: String) -> Result<bool, StoreError> {
    ///     let find = sqlx::query("SELECT 1 FROM people WHERE subject = $1").bind(subject);
    ///     Ok(!store.fetch(find).await?.is_empty())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fetch(&self, statement: Own<E>) -> Result<Vec<E::Row>, StoreError> {
        let (sql, values) = parts::<E>(statement).map_err(reason)?;
        self.database.rows(&sql, values).await
    }

    /// Runs a statement of the application's own, as [`fetch`](Self::fetch) does. Returns the number
    /// of rows that it inserted, updated or deleted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn execute(&self, statement: Own<E>) -> Result<u64, StoreError> {
        let (sql, values) = parts::<E>(statement).map_err(reason)?;
        self.database.execute(&sql, values).await
    }

    /// Announces a change in tables of the application's own to the processes that
    /// [listen](crate::PgStore::listen). The store announces its own changes by itself. In MySQL and
    /// MariaDB, which tell processes nothing, it does nothing.
    pub async fn announce(&self) {
        self.database.announce(Announced::Other).await;
    }
}

/// The text and the values of a statement.
fn parts<E: Engine>(mut statement: Own<E>) -> sqlx::Result<(Arc<str>, E::Arguments)> {
    let values = statement.take_arguments().map_err(sqlx::Error::Encode)?;
    Ok((Arc::from(statement.sql().as_str()), values.unwrap_or_default()))
}

/// The difference between the clocks of processes, which have numbers for requests under way.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

/// The greatest number of a user's grants, and of what numbers must be greater than.
const LATEST: &str = "SELECT greatest((SELECT number FROM quadrille_newest),
    coalesce((SELECT max(grant_id) FROM quadrille_grants WHERE issuer = $1 AND actor = $2), 0))";

/// What may have been used since a backup.
const UNFINISHED: [&str; 5] = [
    "DELETE FROM quadrille_codes",
    "DELETE FROM quadrille_tickets",
    "DELETE FROM quadrille_pending",
    "DELETE FROM quadrille_initial_tokens",
    // The moment of the restore takes its place.
    "DELETE FROM quadrille_swept",
];

/// Tokens.
const ISSUED: [&str; 5] = [
    "DELETE FROM quadrille_access_tokens",
    "DELETE FROM quadrille_families",
    "DELETE FROM quadrille_grants",
    "DELETE FROM quadrille_foreign_tokens",
    "DELETE FROM quadrille_token_credentials",
];

/// Tells a change that concerns nothing: without one, a standby of the primary from before could look
/// as if it had all changes.
static LOST_NOW: Write = Write {
    tells: Some(3),
    ..Write::of(
        "INSERT INTO quadrille_known_since (id, lost) VALUES (1, $2)
        ON CONFLICT (id) DO UPDATE SET lost = excluded.lost",
    )
};

/// No issuer and no grant have this number.
pub(super) const NOBODY: i64 = 0;

/// A change that concerns nothing.
pub(super) fn nothing() -> Result<String, StoreError> {
    change_column(&Change::Grant(RowId(NOBODY)))
}

impl<E: Dialect> SqlTransaction<E> {
    /// The connection, for the statements of the application. Behind a pooler that does not know
    /// prepared statements, use [`fetch`](Self::fetch) and [`execute`](Self::execute).
    pub fn connection(&mut self) -> &mut <E::Driver as sqlx::Database>::Connection {
        self.0.connection()
    }

    /// The rows of a statement of the application.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fetch(&mut self, statement: Own<E>) -> sqlx::Result<Vec<E::Row>> {
        let (sql, values) = parts::<E>(statement)?;
        let (held, way) = self.0.held();
        E::rows(held, &sql, values, way).await
    }

    /// Runs a statement of the application. Returns the number of rows that it inserted, updated or
    /// deleted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn execute(&mut self, statement: Own<E>) -> sqlx::Result<u64> {
        let (sql, values) = parts::<E>(statement)?;
        let (held, way) = self.0.held();
        E::execute(held, &sql, values, way).await
    }

    /// Revokes all grants of a user who is removed, as
    /// [`remove_subject`](quadrille::provider::AuthorizationServer::remove_subject) does: the user
    /// and the grants go together or not at all. `false` if no server with this issuer has used the
    /// store, so that there are no grants.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_subject(
        &mut self,
        issuer: &str,
        subject: &str,
    ) -> Result<bool, StoreError> {
        let Some(issuer) = self.issuer(issuer).await? else { return Ok(false) };
        let key = values![issuer.0, Value::actor(user_column(subject))];
        let latest = self.0.one(LATEST, key, |row| Ok(RowId(row.number()?))).await?;
        let last = RowId::last_at(self.0.now() + CLOCKS_DIFFER).max(latest.unwrap_or(RowId(0)));
        let removed = RevokeAll::Removed(subject.into());
        self.0.write(&REVOKE_ALL, &all_values(issuer, &removed, last)?).await
    }

    /// Removes a client with its grants and consents, as
    /// [`remove_client`](quadrille::provider::AuthorizationServer::remove_client) does, also one in
    /// a [table](quadrille::provider::store::ClientTable) of the application's own: client and
    /// grants go together or not at all. A client that gets the same id later inherits nothing.
    /// `false` if the store knows no such client, so that there are no grants.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_client(&mut self, issuer: &str, client: &str) -> Result<bool, StoreError> {
        let Some(issuer) = self.issuer(issuer).await? else { return Ok(false) };
        clients::forget_client(&mut self.0, issuer, &Arc::from(client)).await
    }

    /// Ends everything unfinished in a database that was restored from a backup, or promoted without its
    /// last commits: authorization codes, device codes, temporary credentials (OAuth 1.0a) and initial
    /// access tokens, whose uses are counted. Some of them may have been used since. The database records
    /// the moment, before which it does not know what was used
    /// ([`KnownSince`](quadrille::provider::store::KnownSince)): consent pages, assertions with a `jti`
    /// and signed requests (OAuth 1.0a) from before it are refused, by processes that serve already within
    /// a second.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_unfinished(&mut self, now: Timestamp) -> Result<(), StoreError> {
        for delete in UNFINISHED {
            self.0.run(delete, values![]).await?;
        }
        self.0.write(&LOST_NOW, &values![NOBODY, now.millis(), nothing()?]).await.map(drop)
    }

    /// Ends everything that was issued, after the key ring was lost or stolen: all tokens and token
    /// credentials (OAuth 1.0a), and what is unfinished, as [`end_unfinished`](Self::end_unfinished) does.
    /// Nothing of it is valid again under an old ring. Clients and consents stay.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_all_tokens(&mut self, now: Timestamp) -> Result<(), StoreError> {
        for delete in ISSUED {
            self.0.run(delete, values![]).await?;
        }
        self.end_unfinished(now).await
    }

    /// The number of an issuer; `None` if no server with this issuer has used the store.
    async fn issuer(&mut self, issuer: &str) -> Result<Option<IssuerId>, StoreError> {
        let key = values![Value::key(issuer)];
        self.0.one(FIND_ISSUER, key, |row| Ok(IssuerId(row.number()?))).await
    }
}

impl<E: Dialect> fmt::Debug for SqlTransaction<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlTransaction").finish_non_exhaustive()
    }
}
