//! The removal of a user, or of a client, in a transaction of the application's own.

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::provider::store::StoreError;

use super::{SqliteStore, rows::newest};

impl SqliteStore {
    /// The statements of [`forget_subject`](Self::forget_subject), for an application that writes
    /// to the file with another driver: each takes the issuer as `?1` and the subject as `?2`. Run
    /// all of them, in this order, in the transaction that deletes the user. The last one inserts
    /// one row; if it inserts none, the store has no such issuer, and nothing was revoked.
    ///
    /// ```
    /// use quadrille::provider::store::SqliteStore;
    ///
    /// let script = SqliteStore::FORGET_SUBJECT.join(";\n");
    /// assert!(script.starts_with("DELETE FROM quadrille_consents"));
    /// ```
    pub const FORGET_SUBJECT: [&str; 6] = [
        "DELETE FROM quadrille_consents
    WHERE issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1) AND subject = ?2",
        "DELETE FROM quadrille_token_credentials
    WHERE issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1) AND actor = 'u' || ?2",
        concat!(
            "INSERT INTO quadrille_removed (issuer, subject, last)
    SELECT number, ?2, max(",
            newest!(),
            ",
        -- The last number of the next second, since other processes may have drawn some of it.
        (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) - 1704067199000 << 22) | 4194303)
    FROM quadrille_issuers WHERE issuer = ?1
    ON CONFLICT DO UPDATE SET last = excluded.last"
        ),
        "INSERT INTO quadrille_cut (issuer, actor, client, last)
    SELECT issuer, 'u' || subject, '', last FROM quadrille_removed
    WHERE issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1) AND subject = ?2
    ON CONFLICT DO UPDATE SET last = excluded.last",
        "UPDATE quadrille_newest SET number = removed.last FROM quadrille_removed removed
    WHERE removed.issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1)
    AND removed.subject = ?2",
        "INSERT INTO quadrille_changes (issuer, change)
    SELECT number, json_object('Subject', ?2) FROM quadrille_issuers WHERE issuer = ?1",
    ];

    /// Revokes all grants of a user who is removed, as
    /// [`remove_subject`](crate::provider::AuthorizationServer::remove_subject) does, within a
    /// transaction of the application's own on the store's file: that of [`write`](Self::write), or
    /// of a connection of its own. The user and the grants go together or not at all. Servers
    /// notice it as they notice the changes of other processes, within half a second after the
    /// commit.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use quadrille::{Env, provider::store::{SqliteStore, StoreError}};
    ///
    /// # use quadrille::provider::store::Issuers as _;
    /// # let folder = std::env::temp_dir().join(format!("quadrille-forget-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let store = SqliteStore::open(folder.join("quadrille.db"), Env::system())?;
    /// # store.issuer("https://id.example").await?;
    /// # store.migrate("people", &["CREATE TABLE people (id TEXT PRIMARY KEY)"]).await?;
    /// store
    ///     .write(|transaction| {
    ///         transaction.execute("DELETE FROM people WHERE id = ?1", ["4711"])?;
    ///         SqliteStore::forget_subject(transaction, "https://id.example", "4711")
    ///     })
    ///     .await?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), StoreError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError::UnknownIssuer`] if no server with this issuer has used the file, and those of
    /// the database.
    pub fn forget_subject(
        transaction: &Transaction<'_>,
        issuer: &str,
        subject: &str,
    ) -> Result<(), StoreError> {
        run(transaction, &Self::FORGET_SUBJECT, issuer, subject)
    }

    /// The statements of [`forget_client`](Self::forget_client), for an application that writes to
    /// the file with another driver: as [`FORGET_SUBJECT`](Self::FORGET_SUBJECT), with the
    /// `client_id` as `?2`.
    ///
    /// ```
    /// use quadrille::provider::store::SqliteStore;
    ///
    /// let script = SqliteStore::FORGET_CLIENT.join(";\n");
    /// assert!(script.starts_with("DELETE FROM quadrille_clients"));
    /// ```
    pub const FORGET_CLIENT: [&str; 5] = [
        "DELETE FROM quadrille_clients
    WHERE issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1) AND id = ?2",
        "DELETE FROM quadrille_unused_clients
    WHERE issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1) AND id = ?2",
        "DELETE FROM quadrille_consents
    WHERE issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1) AND client = ?2",
        "DELETE FROM quadrille_token_credentials
    WHERE issuer = (SELECT number FROM quadrille_issuers WHERE issuer = ?1) AND client = ?2",
        "INSERT INTO quadrille_changes (issuer, change)
    SELECT number, json_object('Client', ?2) FROM quadrille_issuers WHERE issuer = ?1",
    ];

    /// Removes a client with its grants and consents, as
    /// [`remove_client`](crate::provider::AuthorizationServer::remove_client) does, within a
    /// transaction of the application's own on the store's file: see
    /// [`forget_subject`](Self::forget_subject). A client in a
    /// [table](crate::provider::store::ClientTable) of the application's own goes with its grants
    /// or not at all. A client that gets the same id later inherits nothing.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use quadrille::{Env, provider::store::{SqliteStore, StoreError}};
    ///
    /// # use quadrille::provider::store::Issuers as _;
    /// # let folder = std::env::temp_dir().join(format!("quadrille-client-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let store = SqliteStore::open(folder.join("quadrille.db"), Env::system())?;
    /// # store.issuer("https://id.example").await?;
    /// # store.migrate("apps", &["CREATE TABLE apps (id TEXT PRIMARY KEY)"]).await?;
    /// store
    ///     .write(|transaction| {
    ///         transaction.execute("DELETE FROM apps WHERE id = ?1", ["printer"])?;
    ///         SqliteStore::forget_client(transaction, "https://id.example", "printer")
    ///     })
    ///     .await?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), StoreError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`forget_subject`](Self::forget_subject).
    pub fn forget_client(
        transaction: &Transaction<'_>,
        issuer: &str,
        client: &str,
    ) -> Result<(), StoreError> {
        run(transaction, &Self::FORGET_CLIENT, issuer, client)
    }
}

/// Runs statements that take the issuer and who goes.
fn run(
    transaction: &Transaction<'_>,
    statements: &[&str],
    issuer: &str,
    gone: &str,
) -> Result<(), StoreError> {
    let known = "SELECT 1 FROM quadrille_issuers WHERE issuer = ?1";
    let known = transaction.query_row(known, [issuer], |_| Ok(())).optional()?;
    known.ok_or(StoreError::UnknownIssuer)?;
    for statement in statements {
        transaction.execute(statement, params![issuer, gone])?;
    }
    Ok(())
}
