//! The data directory: database, key ring, and who serves it.
//!
//! ```text
//! DIR              mode 0700
//!   quadrille.db   the database, with quadrille.db-wal and -shm beside it
//!   keys           the key ring, mode 0600: a key on each line, the newest first
//!   signing-keys   the keys that sign access tokens, mode 0600, if there are some
//!   lock           held by every process that serves
//!   oauth1.lock    held by those that offer OAuth 1.0a
//! ```

mod backend;
mod backup;
mod error;
mod issuer;
mod keys;
mod known;
mod nonces;
mod signing;
mod sqlite;
#[cfg(test)]
mod tests;

pub use backend::{Answering, Backend, CountKey, Known, RecordedIssuer, Recount};
pub use backup::{BackedUp, back_up, restore};
pub use error::DataError;
pub use signing::{SigningKeysWatch, rotation, sweep};
pub use sqlite::SqliteBackend;

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use quadrille::{
    Env, KeyRing,
    provider::{
        AuthorizationServer, Client, Error, FetchError, Fetched, Fetcher, OperatorError,
        store::StoreError,
    },
};
use url::Url;

use crate::config::Settings;

/// A data directory that is open.
#[derive(Debug)]
pub struct Data {
    env: Env,
    dir: PathBuf,
    database: PathBuf,
    backend: Arc<dyn Backend>,
}

impl Data {
    /// Opens the data directory. Makes it if it is missing.
    ///
    /// # Errors
    /// [`DataError::File`] or [`DataError::Database`].
    pub async fn open_or_make(settings: &Settings) -> Result<Self, DataError> {
        let dir = &settings.data_dir;
        make_dir(dir).map_err(|error| DataError::File { path: dir.clone(), error })?;
        Self::open(settings).await
    }

    /// Opens an existing data directory. A mistyped path would otherwise look like an empty
    /// directory.
    ///
    /// # Errors
    /// [`DataError::File`] or [`DataError::Database`].
    pub async fn open_existing(settings: &Settings) -> Result<Self, DataError> {
        let path = database(&settings.data_dir);
        std::fs::metadata(&path).map_err(|error| DataError::File { path, error })?;
        Self::open(settings).await
    }

    async fn open(settings: &Settings) -> Result<Self, DataError> {
        let env = Env::system();
        let database = database(&settings.data_dir);
        let failure = |error| DataError::Database { path: database.clone(), error };
        let backend = SqliteBackend::open(&database, env.clone()).await.map_err(failure)?;
        for path in [&settings.data_dir, &database] {
            warn_if_others_can_write(path);
        }
        let dir = settings.data_dir.clone();
        Ok(Self { env, dir, database, backend: Arc::new(backend) })
    }

    /// The path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The clock and the random numbers.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The database.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// The key ring in the settings, else in the file. The first start makes the file.
    ///
    /// # Errors
    /// [`DataError::Keys`], [`DataError::File`], or [`DataError::KeysLost`] if the directory was in
    /// use and its file is gone: a new key ring would silently make everything invalid that was
    /// issued.
    pub async fn keys(&self, settings: &Settings) -> Result<KeyRing, DataError> {
        match &settings.keys {
            Some(keys) => KeyRing::parse(keys.expose())
                .map_err(|error| DataError::Keys { place: "QUADRILLE_KEYS".to_owned(), error }),
            None => self.keys_in(&settings.keys_file).await,
        }
    }

    async fn keys_in(&self, path: &Path) -> Result<KeyRing, DataError> {
        if let Some(keys) = keys::load(path)? {
            return Ok(keys);
        }
        match self.known_as().await? {
            None => keys::make(&self.env, path),
            // Another process may just have made both.
            Some(issuer) => keys::load(path)?
                .ok_or_else(|| DataError::KeysLost { path: path.to_owned(), issuer }),
        }
    }

    /// The error for a failure of the database.
    pub fn failure(&self, error: StoreError) -> DataError {
        DataError::Database { path: self.database.clone(), error }
    }

    /// The authorization server of this directory, for commands that change stored data.
    ///
    /// # Errors
    /// Those of the issuer, the key ring and the database.
    pub async fn server(&self, settings: &Settings) -> Result<AuthorizationServer, DataError> {
        // Before the issuer is recorded: a directory with an issuer has a key ring.
        let keys = self.keys(settings).await?;
        let issuer = self.issuer(settings).await?;
        let known = self.known(settings).await?;
        let server = self.backend.server(issuer.as_str())?;
        let server = match self.signing_keys(settings)? {
            Some(keys) => server.signing_keys(keys),
            None => server,
        };
        Ok(server
            .client_keys_fetched_by(NoFetcher)
            .keys(keys)
            .policy(settings.policy.clone())
            .token_prefixes(settings.token_prefixes.clone())
            .scopes(&known.scopes)
            .resources(known.resources)
            .env(self.env.clone()))
    }

    /// All clients, for commands that need no key ring.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn clients(&self) -> Result<Vec<Arc<Client>>, DataError> {
        let recorded = self.backend.issuer().await.map_err(|error| self.failure(error))?;
        let Some(recorded) = recorded else { return Ok(Vec::new()) };
        // Nothing is sealed under these keys, and nothing opened.
        let keys = KeyRing::new([&self.env.random::<32>()]);
        let keys = keys.map_err(|error| DataError::Keys { place: "clients".to_owned(), error })?;
        let server = self.backend.server(&recorded.issuer)?.keys(keys);
        server.clients().await.map_err(|error| match error {
            Error::Operator(OperatorError::Store(error)) => self.failure(error),
            error => self.failure(StoreError::Failed(Arc::new(error))),
        })
    }

    /// Finishes the writes, and closes the database.
    pub async fn close(self, server: AuthorizationServer) {
        if let Err(error) = server.stop().await {
            tracing::warn!(%error, "the number of this process was not released");
        }
        self.backend.close().await;
    }
}

/// The fetcher of commands, which authenticate no clients.
struct NoFetcher;

impl Fetcher for NoFetcher {
    async fn fetch(&self, _: &Url) -> Result<Fetched, FetchError> {
        Err(FetchError::Unreachable)
    }
}

/// An account that can write to the folder can become any user.
#[cfg(unix)]
fn warn_if_others_can_write(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o022 != 0 {
        let path = path.display();
        tracing::warn!("{path} can be written by other users of this machine: chmod go-w {path}");
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_write(_: &Path) {}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn database(dir: &Path) -> PathBuf {
    dir.join("quadrille.db")
}

fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
