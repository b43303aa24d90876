//! A backup of the file while it is in use, and the end of a restored one's unfinished business.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
    sync::Arc,
};

use rusqlite::{
    Connection, OpenFlags, Transaction,
    backup::{Backup, StepResult},
};

#[cfg(doc)]
use crate::provider::store::KnownSince;
use crate::{Timestamp, provider::store::StoreError};

use super::{SqliteStore, reader, schema};

/// The number of pages between two reports of the progress.
const PORTION: i32 = 256;

/// The progress of a backup, in pages (of 4096 bytes, if the file has SQLite's usual size).
///
/// ```
/// use quadrille::provider::store::BackupProgress;
///
/// fn percent(progress: BackupProgress) -> u64 {
///     100 * progress.copied / progress.total.max(1)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// The number of pages copied.
    pub copied: u64,
    /// The number of pages of the database.
    pub total: u64,
}

impl SqliteStore {
    /// Copies the database of a store into a new file while processes read and write it. The copy
    /// has the state of one moment, the application's own tables included. It is on the disk when
    /// this returns, readable by this operating system user only.
    ///
    /// The database is not migrated, so a new version can copy what an old one wrote. The write-ahead
    /// log grows until the copy is complete. The call blocks: an async application makes it by
    /// [`spawn_blocking`](https://docs.rs/tokio/1/tokio/task/fn.spawn_blocking.html).
    ///
    /// ```
    /// use quadrille::{Env, provider::store::{SqliteStore, StoreError}};
    ///
    /// # let folder = std::env::temp_dir().join(format!("quadrille-copy-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let (database, copy) = (folder.join("quadrille.db"), folder.join("copy.db"));
    /// let store = SqliteStore::open(&database, Env::system())?;
    /// SqliteStore::back_up(&database, &copy, |progress| {
    ///     println!("{} of {} pages", progress.copied, progress.total);
    /// })?;
    /// SqliteStore::open(&copy, Env::system())?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Unopenable`] if `copy` exists or cannot be made, [`StoreError::Full`],
    /// [`StoreError::Busy`] if another program locks the database for longer than five seconds, and
    /// those of reading it. A copy that is not complete is removed.
    pub fn back_up(
        database: impl AsRef<Path>,
        copy: impl AsRef<Path>,
        mut progress: impl FnMut(BackupProgress),
    ) -> Result<(), StoreError> {
        let (database, copy) = (database.as_ref(), copy.as_ref());
        let source = schema::open_reader(database)?;
        source.busy_handler(Some(schema::wait))?;
        // Writes by other connections would make SQLite begin again; a snapshot has none.
        let snapshot = source.unchecked_transaction()?;
        reader::touch(&snapshot)?;
        make_new(copy)?;
        let copied = copy_pages(&snapshot, copy, &mut progress).and_then(|()| sync(copy));
        if copied.is_err() {
            let _ = std::fs::remove_file(copy);
        }
        copied
    }

    /// Ends everything unfinished in a database that was restored from a backup: authorization
    /// codes, device codes, temporary credentials (OAuth 1.0a) and initial access tokens, whose uses are
    /// counted. Some of them may have been used after the backup was made, and would be valid once more. The
    /// database records the moment, before which it does not know what was used ([`KnownSince`]): consent
    /// pages, assertions with a `jti` and signed requests (OAuth 1.0a) from before it are refused. Users and
    /// clients begin again.
    ///
    /// Tokens and consents stay as they were: a client goes on with the refresh token that it had
    /// then, and gets a new authorization if its token was rotated since. A token that was revoked
    /// after the backup is valid again, until it expires.
    ///
    /// The call belongs into the transaction in which the application cleans its own tables, before a
    /// server uses the file.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use quadrille::{Env, provider::store::{SqliteStore, StoreError}};
    ///
    /// # let folder = std::env::temp_dir().join(format!("quadrille-end-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let store = SqliteStore::open(folder.join("restored.db"), Env::system())?;
    /// let now = Env::system().now();
    /// store.write(move |transaction| SqliteStore::end_unfinished(transaction, now)).await?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), StoreError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_unfinished(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
        delete_all(transaction, &UNFINISHED)?;
        let sql = "INSERT INTO quadrille_known_since (only, lost) VALUES (1, ?1)
            ON CONFLICT (only) DO UPDATE SET lost = ?1";
        transaction.execute(sql, [now.millis()])?;
        transaction.execute("DELETE FROM quadrille_swept", [])?;
        Ok(())
    }

    /// Ends everything that was issued, after the key ring was lost or stolen: all tokens and token
    /// credentials (OAuth 1.0a), and what is unfinished, as [`end_unfinished`](Self::end_unfinished) does.
    /// Nothing of it is valid again under an old ring. Clients and consents stay.
    ///
    /// Servers that use the file go on with the tokens that they remember, so stop them first.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use quadrille::{Env, provider::store::{SqliteStore, StoreError}};
    ///
    /// # let folder = std::env::temp_dir().join(format!("quadrille-all-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let store = SqliteStore::open(folder.join("provider.db"), Env::system())?;
    /// let now = Env::system().now();
    /// store.write(move |transaction| SqliteStore::end_all_tokens(transaction, now)).await?;
    /// # drop(store);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), StoreError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_all_tokens(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
        delete_all(transaction, &ISSUED)?;
        Self::end_unfinished(transaction, now)
    }
}

/// The tables of what may have been used since a backup.
const UNFINISHED: [&str; 4] = ["codes", "tickets", "pending", "initial_tokens"];

/// The tables of tokens.
const ISSUED: [&str; 5] =
    ["access_tokens", "families", "grants", "foreign_tokens", "token_credentials"];

fn delete_all(transaction: &Transaction<'_>, tables: &[&str]) -> Result<(), StoreError> {
    for table in tables {
        transaction.execute(&format!("DELETE FROM quadrille_{table}"), [])?;
    }
    Ok(())
}

fn copy_pages(
    source: &Connection,
    copy: &Path,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<(), StoreError> {
    let mut to = schema::open(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // A crash leaves no complete file anyway.
    to.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;")?;
    let backup = Backup::new(source, &mut to)?;
    loop {
        let step = backup.step(PORTION)?;
        let pages = backup.progress();
        let [total, left] =
            [pages.pagecount, pages.remaining].map(|n| u64::try_from(n).unwrap_or(0));
        progress(BackupProgress { copied: total.saturating_sub(left), total });
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(StoreError::Busy),
        }
    }
}

fn make_new(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(unopenable)
}

/// Waits until the file and its name are on the disk.
fn sync(path: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::Failed(Arc::new(error));
    File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    // Other systems cannot open folders.
    #[cfg(unix)]
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    Ok(())
}

fn unopenable(error: io::Error) -> StoreError {
    StoreError::Unopenable(Arc::new(error))
}
