//! The data: the database, the key ring, and who serves it.
//!
//! The database is embedded in the data folder, or one of PostgreSQL, MariaDB or MySQL, which several
//! machines share.
//!
//! ```text
//! DIR              mode 0700
//!   quadrille.db   the embedded database, with quadrille.db-wal and -shm beside it
//!   keys           the key ring, mode 0600: a key on each line, the newest first
//!   signing-keys   the keys that sign access tokens, mode 0600, if there are some; a database
//!                  on a server has them in a table, sealed under the key ring
//!   lock           held by every process that serves the embedded database
//!   oauth1.lock    held by those that offer OAuth 1.0a
//! ```

mod backend;
mod backup;
mod cache;
mod connecting;
mod error;
mod files;
mod issuer;
mod keys;
mod known;
mod logos;
mod mysql;
mod nonces;
mod note;
mod opening;
mod pairwise;
mod postgres;
mod ring;
mod sealed;
pub mod seals;
mod shared;
mod signing;
mod signing_file;
mod sqlite;
#[cfg(test)]
mod tests;
mod transfer;

pub use backend::{
    Answering, Backend, ClaimsChange, Connections, CountKey, Known, PasswordChange, RecordedIssuer,
    Recount, Removed, ResealWork, Resealing,
};
pub use backup::{BackedUp, back_up, restore, restored_by_other_tools};
pub use cache::Cache;
pub use error::DataError;
pub use keys::warn_if_others_can_read;
pub use logos::{LogoKey, StoredLogo};
pub use mysql::MySqlBackend;
pub use postgres::PostgresBackend;
pub(crate) use ring::given as given_ring;
pub use sealed::Sealed;
pub use shared::SharedBackend;
pub(crate) use signing::first_algorithm;
pub use signing::{SigningKeysWatch, SigningPlace, rotation, sweep};
pub use sqlite::SqliteBackend;
pub use transfer::{End, KeysAfter, Progress, folder_of, transfer};

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use quadrille::{
    Env, KeyRing,
    provider::{
        AuthorizationServer, Client, Error, FetchError, Fetched, Fetcher, Logout, Notifier, OpenId,
        OperatorError,
        store::{MemoryStore, StoreError},
    },
};
use url::Url;

use crate::{
    config::{DatabaseKind, DatabaseUrl, Settings},
    issuer::Issuer,
};
use opening::Opening;

/// The data of a provider, opened.
#[derive(Debug)]
pub struct Data {
    env: Env,
    dir: PathBuf,
    place: Place,
    backend: Arc<dyn Backend>,
    /// Whether a command changes it.
    is_changed: bool,
}

/// The place of the database.
#[derive(Debug)]
enum Place {
    /// This file in the data folder, whose processes hold locks beside it.
    Embedded(PathBuf),
    /// A server, with its URL as it is shown.
    Shared(Arc<dyn SharedBackend>, String),
}

impl Data {
    /// Opens the data. Makes the folder or the tables if they are missing.
    ///
    /// # Errors
    /// [`DataError::File`] or [`DataError::Database`].
    pub async fn open_or_make(settings: &Settings) -> Result<Self, DataError> {
        if let Some(url) = &settings.database {
            return Self::connect(settings, url, Opening::Made).await;
        }
        let dir = &settings.data_dir;
        make_dir(dir).map_err(|error| DataError::File { path: dir.clone(), error })?;
        Self::open(settings).await
    }

    /// `true` if the folder has a database.
    pub fn has_begun(folder: &Path) -> bool {
        database(folder).exists()
    }

    /// Opens existing data. A mistyped path or URL would otherwise look like an empty database.
    ///
    /// # Errors
    /// [`DataError::NoData`], [`DataError::File`] or [`DataError::Database`].
    pub async fn open_existing(settings: &Settings) -> Result<Self, DataError> {
        if let Some(url) = &settings.database {
            return Self::connect(settings, url, Opening::Existing).await;
        }
        let path = database(&settings.data_dir);
        std::fs::metadata(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DataError::NoData { folder: settings.data_dir.clone() },
            _ => DataError::File { path, error },
        })?;
        Self::open(settings).await
    }

    async fn open(settings: &Settings) -> Result<Self, DataError> {
        let env = Env::system();
        let database = database(&settings.data_dir);
        let opened = SqliteBackend::open(&database, env.clone()).await;
        let backend = opened.map_err(|error| in_database(&database, error))?;
        for path in [&settings.data_dir, &database] {
            warn_if_others_can_write(path);
        }
        let (dir, place) = (settings.data_dir.clone(), Place::Embedded(database));
        Ok(Self { env, dir, place, backend: Arc::new(backend), is_changed: false })
    }

    async fn connect(
        settings: &Settings,
        url: &DatabaseUrl,
        opening: Opening,
    ) -> Result<Self, DataError> {
        let data = Self::connect_to(settings, url, opening).await?;
        data.refuse_unfinished().await?;
        Ok(data)
    }

    /// Connects to a database, even if a move into it is not complete.
    async fn connect_to(
        settings: &Settings,
        url: &DatabaseUrl,
        opening: Opening,
    ) -> Result<Self, DataError> {
        let (env, place) = (Env::system(), url.to_string());
        let opened = async {
            let backend: Arc<dyn SharedBackend> = match url.kind() {
                DatabaseKind::Postgres => {
                    let connected = postgres::connect(url, &settings.connection).await?;
                    Arc::new(PostgresBackend::open(connected, env.clone(), opening).await?)
                }
                DatabaseKind::MySql => {
                    let connected = mysql::connect(url, &settings.connection).await?;
                    Arc::new(MySqlBackend::open(connected, env.clone(), opening).await?)
                }
            };
            let found = backend.has_hashed_keys().await?;
            Ok((backend, found))
        };
        let failure = |error| DataError::Database { place: place.clone(), error };
        let (backend, found) = opened.await.map_err(failure)?;
        if settings.connection.hashed_keys.is_some_and(|given| given != found) {
            return Err(DataError::HashedKeys { place, found });
        }
        let (dir, opened) = (settings.data_dir.clone(), Arc::clone(&backend));
        let place = Place::Shared(backend, place);
        Ok(Self { env, dir, place, backend: opened, is_changed: false })
    }

    /// Hears at once what other processes change, and looks tokens up in replicas: for a process that
    /// serves a shared database.
    ///
    /// # Errors
    /// [`DataError::Database`] for a URL that does not fit.
    pub fn join(&self, settings: &Settings) -> Result<(), DataError> {
        let Place::Shared(backend, _) = &self.place else { return Ok(()) };
        backend.join(settings).map_err(|error| self.failure(error))
    }

    /// The clock and the random numbers.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The database.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// `true` if several machines may serve the database.
    pub fn is_shared(&self) -> bool {
        matches!(self.place, Place::Shared(..))
    }

    /// The data folder, or the URL of a shared database, for the operator.
    pub fn shown(&self) -> String {
        match &self.place {
            Place::Embedded(_) => self.dir.display().to_string(),
            Place::Shared(_, url) => url.clone(),
        }
    }

    /// The error for a failure of the database.
    pub fn failure(&self, error: StoreError) -> DataError {
        let place = match &self.place {
            Place::Embedded(path) => path.display().to_string(),
            Place::Shared(_, url) => url.clone(),
        };
        DataError::Database { place, error }
    }

    /// The authorization server of this database, for commands that change stored data.
    ///
    /// # Errors
    /// Those of the issuer, the key ring and the database.
    pub async fn server(&self, settings: &Settings) -> Result<AuthorizationServer, DataError> {
        // Before the issuer is recorded: a database with an issuer has a key ring.
        let keys = self.keys(settings).await?;
        let issuer = self.issuer(settings).await?;
        let known = self.known(settings).await?;
        let server = self.backend.server(issuer.as_str(), None)?;
        let server = match self.signing(settings).await?.keys_for_command().await? {
            Some(keys) => server.signing_keys(keys),
            None => server,
        };
        Ok(for_commands(server, keys, &known, settings).env(self.env.clone()))
    }

    /// The authorization server that a folder without data would have, in memory, for a command that must
    /// not leave a folder if it is refused.
    ///
    /// # Errors
    /// [`DataError::Issuer`].
    pub fn unbegun(settings: &Settings) -> Result<(AuthorizationServer, Known), DataError> {
        let (known, env) = (Known::of(settings), Env::system());
        let issuer = settings.issuer.as_ref().map_or("http://localhost", Issuer::as_str);
        let server = AuthorizationServer::new(issuer, MemoryStore::new(env))?;
        Ok((for_commands(server, KeyRing::ephemeral(), &known, settings), known))
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
        let server = self.backend.server(&recorded.issuer, None)?.keys(keys);
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

fn for_commands(
    server: AuthorizationServer,
    keys: KeyRing,
    known: &Known,
    settings: &Settings,
) -> AuthorizationServer {
    // So that commands check the addresses of clients as the server does.
    let server = match known.scopes.contains_key("openid") {
        true => server.openid(OpenId::new().logout(checked_logout(settings))),
        false => server,
    };
    server
        .client_keys_fetched_by(NoFetcher)
        .keys(keys)
        .policy(settings.policy.clone())
        .token_prefixes(settings.token_prefixes.clone())
        .scopes(&known.scopes)
        .resources(known.resources.clone())
}

/// The logout by which commands check the addresses of clients: they leave logouts to `serve`.
pub fn checked_logout(settings: &Settings) -> Logout {
    match settings.fetches.reach_this_machine {
        true => Logout::new().back_channel(Everywhere),
        false => Logout::new().back_channel(NoFetcher),
    }
}

/// The fetcher of commands, which authenticate no clients, and leave logouts to `serve`.
struct NoFetcher;

impl Notifier for NoFetcher {
    async fn notify(&self, _: &Url, _: &str) -> Result<(), FetchError> {
        Err(FetchError::Unreachable)
    }
}

/// The same for a server that also reaches this machine.
struct Everywhere;

impl Notifier for Everywhere {
    async fn notify(&self, _: &Url, _: &str) -> Result<(), FetchError> {
        Err(FetchError::Unreachable)
    }

    fn reaches(&self, _: &Url) -> bool {
        true
    }
}

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

fn in_database(path: &Path, error: StoreError) -> DataError {
    DataError::Database { place: path.display().to_string(), error }
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
