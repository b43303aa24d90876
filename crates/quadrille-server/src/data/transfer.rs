//! The move of a provider from one database into another: clients, users, consents and tokens, under
//! the same issuer and key ring, so that nobody has to consent again. Sessions end.
//!
//! A move that was interrupted is run again. Into a folder it begins anew. On a server it goes on, and
//! rows that are there stay as they are, so the source must not have been used in between: the new
//! database has a mark with its state. Until the move is complete, no process serves the new database:
//! an embedded one gets its name at the end, and one on a server has a mark from the transaction on that
//! makes its tables. The old one has a note (`note.rs`).

use std::{
    fmt,
    fs::{self, File},
    path::{self, Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::{
    Env, KeyRing,
    jose::SigningKeys,
    provider::store::{KnownSince, RowId, StoreError, StoredTable},
};

use super::{
    Backend, Data, DataError, Place, RecordedIssuer, SharedBackend, SigningPlace, SqliteBackend,
    backup::copy_secret,
    files::{in_file, lock_unused, remove_if_there, sync_folder},
    note::{Begun, Moving},
    opening::{BEGUN, Opening},
    ring::{fits_folder, given, opens_folder, prove},
    sealed::Sealed,
};
use crate::{
    config::{DatabaseUrl, Settings},
    users::User,
};

/// The number of rows that are read and written at a time.
const PAGE: u32 = 2000;

/// The file of an embedded database that is not complete.
const UNFINISHED: &str = "unfinished.db";

/// The file of one that is.
const DATABASE: &str = "quadrille.db";

/// One end of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The embedded database of a data folder.
    Folder(PathBuf),
    /// A database on a server.
    Server(DatabaseUrl),
}

/// The progress of a move.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The rows of this kind.
    pub kind: &'static str,
    /// The number of rows that were read so far.
    pub read: u64,
    /// `true` if these are all of them.
    pub is_complete: bool,
}

impl End {
    /// The place in words, without a password: what it is on this machine, wherever it is read.
    fn shown(&self) -> String {
        match self {
            Self::Folder(folder) => {
                let known = fs::canonicalize(folder).or_else(|_| path::absolute(folder));
                known.unwrap_or_else(|_| folder.clone()).display().to_string()
            }
            Self::Server(url) => url.to_string(),
        }
    }

    /// The settings of a process with this database.
    fn settings(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        match self {
            Self::Folder(folder) => {
                settings.database = None;
                settings.signing_keys_file = folder.join("signing-keys");
                if settings.is_default("keys_file") {
                    settings.keys_file = folder.join("keys");
                }
                settings.data_dir.clone_from(folder);
            }
            Self::Server(url) => settings.database = Some(url.clone()),
        }
        settings
    }
}

/// The mark in a database that is not complete: the mark of the source, and its state.
struct Mark {
    source: String,
    state: (RowId, i64),
    /// The digest of the rows that the position of changes says nothing about.
    others: String,
}

impl Mark {
    fn is_of_source(&self, other: &[u8]) -> bool {
        other.split(|byte| *byte == b' ').next() == Some(self.source.as_bytes())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (RowId(newest), position) = self.state;
        write!(f, "{} {newest} {position} {}", self.source, self.others)
    }
}

/// A database that is being filled.
struct Target {
    backend: Arc<dyn Backend>,
    kind: TargetKind,
}

enum TargetKind {
    /// A file that gets its name at the end. The lock of the folder is held.
    Folder { folder: PathBuf, file: &'static str, _lock: File },
    /// A database with a mark until the end.
    Server { data: Data, backend: Arc<dyn SharedBackend> },
}

/// The place of the key ring after a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysAfter {
    /// The file in the new folder.
    InFolder,
    /// The settings of this process: the new folder has none, and would have it in this file.
    InSettings(PathBuf),
    /// That of each process of the new database.
    OfProcesses,
}

/// Moves a provider.
///
/// # Errors
/// [`DataError::InUse`] if a process serves one of the databases, [`DataError::BeingMoved`] or
/// [`DataError::MovedAway`] if the old one is or was moved, [`DataError::MoveNotComplete`] if all of it is in
/// another database than this one, [`DataError::TargetInUse`] or
/// [`DataError::DatabaseExists`] if the new one has data, [`DataError::OtherKeysInFolder`],
/// [`DataError::SameKind`] between two folders, and those of the key ring, the files and the databases.
pub async fn transfer(
    settings: &Settings,
    (from, to): (&End, &End),
    progress: impl FnMut(Progress),
) -> Result<KeysAfter, DataError> {
    if let (End::Folder(_), End::Folder(_)) = (from, to) {
        return Err(DataError::SameKind);
    }
    let of_target = from.settings(settings);
    let mut settings = of_target.clone();
    // It is about the tables that are made.
    settings.connection.hashed_keys = None;
    let source = Data::open_existing(&settings).await?;
    let lock = source.unused().await?;
    if let End::Folder(folder) = from {
        opens_folder(&settings, folder)?;
    }
    let keys = source.keys(&settings).await?;
    if let End::Folder(folder) = to {
        fits_folder(&keys, folder)?;
    }
    let signing = source.signing(&settings).await?;
    let shown = to.shown();
    let target = match source.begin_move(&shown, lock.is_some()).await? {
        Begun::Copied(mark) => Target::of_mark(&of_target, to, &mark).await?.ok_or_else(|| {
            DataError::MoveNotComplete { from: source.shown(), to: shown.clone() }
        })?,
        Begun::Now(moving) => match copy(&source, (&of_target, to), &moving, progress).await {
            Ok(target) => target,
            Err(error) => {
                moving.withdraw(&source).await;
                return Err(error);
            }
        },
    };
    let in_folder = target.finish(&settings, &keys, signing.keys().await?).await?;
    source.move_is_complete(&shown).await?;
    source.backend.close().await;
    Ok(in_folder)
}

/// Copies all rows, and records that they are there: before the new database can be served, so that no
/// token is valid at both.
async fn copy(
    source: &Data,
    (of_target, to): (&Settings, &End),
    moving: &Moving,
    mut progress: impl FnMut(Progress),
) -> Result<Target, DataError> {
    // A process that has begun to serve since sees the note, or is seen here.
    source.not_leased().await?;
    let seen = source.seen().await?;
    let mark = source.backend.mark().await.map_err(|error| source.failure(error))?;
    let mark = Mark { source: mark, state: seen.state, others: seen.digest_of_others() };
    let target = Target::open(of_target, to, (&source.shown(), &mark)).await?;
    if let Some(RecordedIssuer { issuer, .. }) = &seen.recorded {
        for table in StoredTable::ALL {
            let mut told = Progress { kind: table.name(), read: 0, is_complete: false };
            let mut after = None;
            loop {
                let page = source.backend.rows(issuer, table, after, PAGE).await;
                let page = page.map_err(|error| source.failure(error))?;
                let Some(last) = page.last() else { break };
                after = Some(last.clone());
                told.read += u64::try_from(page.len()).unwrap_or(u64::MAX);
                moving.goes_on(source).await?;
                let put = target.backend.put_rows(issuer, table, page).await;
                put.map_err(|error| target.failure(error))?;
                progress(told);
            }
            progress(Progress { is_complete: true, ..told });
        }
    }
    let newest = source.backend.newest().await.map_err(|error| source.failure(error))?;
    let since = source.backend.known_since().await.map_err(|error| source.failure(error))?;
    // The marks of a cache stay behind.
    let since = match source.marks_are_in_a_cache().await? {
        true => since.max(KnownSince::moment(source.env.now())),
        false => since,
    };
    let known = source.backend.served_with().await.map_err(|error| source.failure(error))?;
    let pairwise = source.sealed(Sealed::PairwiseSecret).await?;
    moving.goes_on(source).await?;
    let put = async {
        if let Some(pairwise) = pairwise {
            target.backend.replace_sealed(Sealed::PairwiseSecret, None, pairwise).await?;
        }
        target.backend.raise_newest(newest).await?;
        target.backend.raise_known_since(since).await?;
        target.backend.put_users(seen.users.clone()).await?;
        if let Some(known) = known {
            target.backend.record_served_with(known).await?;
        }
        if let Some(recorded) = &seen.recorded {
            target.backend.record_issuer(recorded.clone(), None).await?;
        }
        target.backend.mark().await
    };
    let mark = put.await.map_err(|error| target.failure(error))?;
    let read = u64::try_from(seen.users.len()).unwrap_or(u64::MAX);
    progress(Progress { kind: "users", read, is_complete: true });
    // A command that began before the move may have changed something.
    if source.seen().await? != seen {
        return Err(DataError::MovedWhileUsed { from: source.shown(), to: to.shown() });
    }
    moving.copied(source, &mark).await?;
    Ok(target)
}

/// What shows that a database is used while it is moved.
#[derive(PartialEq, Eq)]
struct Seen {
    state: (RowId, i64),
    recorded: Option<RecordedIssuer>,
    users: Vec<User>,
}

impl Seen {
    /// The digest of the issuer and the users: a password that was changed since must not be undone.
    fn digest_of_others(&self) -> String {
        let mut digest = digest::Context::new(&digest::SHA256);
        let mut add = |part: &[u8]| {
            digest.update(&part.len().to_be_bytes());
            digest.update(part);
        };
        if let Some(RecordedIssuer { issuer, given }) = &self.recorded {
            add(issuer.as_bytes());
            add(&[u8::from(*given)]);
        }
        for user in &self.users {
            add(user.subject.as_bytes());
            add(user.name.as_str().as_bytes());
            add(user.password.as_bytes());
            add(&user.password_number.to_be_bytes());
            add(&user.created.seconds().to_be_bytes());
            add(user.claims_column().as_bytes());
        }
        BASE64_URL_SAFE_NO_PAD.encode(digest.finish())
    }
}

impl Target {
    /// Opens a database that is empty, or has a part of the source with this mark.
    async fn open(
        settings: &Settings,
        to: &End,
        (from, mark): (&str, &Mark),
    ) -> Result<Self, DataError> {
        match to {
            End::Folder(folder) => {
                super::make_dir(folder).map_err(in_file(folder))?;
                let lock = lock_unused(folder)?;
                let path = super::database(folder);
                if path.exists() {
                    return Err(DataError::DatabaseExists { path });
                }
                for rest in ["", "-wal", "-shm"] {
                    remove_if_there(&folder.join([UNFINISHED, rest].concat()))?;
                }
                Self::in_folder(folder, UNFINISHED, lock).await
            }
            End::Server(url) => {
                let data = Data::connect_to(settings, url, Opening::Moved).await?;
                if let Place::Shared(backend, _) = &data.place {
                    data.claim(&**backend, from, mark).await?;
                }
                data.not_leased().await?;
                Self::on_server(data)
            }
        }
    }

    /// Opens the database of this mark, which has all rows of a move, and may be complete. `None` if it is
    /// not there: it may have been used, and emptied since.
    async fn of_mark(settings: &Settings, to: &End, mark: &str) -> Result<Option<Self>, DataError> {
        let target = match to {
            End::Folder(folder) => {
                let is_there = |name: &&str| folder.join(name).exists();
                let Some(name) = [UNFINISHED, DATABASE].into_iter().find(is_there) else {
                    return Ok(None);
                };
                Self::in_folder(folder, name, lock_unused(folder)?).await?
            }
            End::Server(url) => {
                let data = match Data::connect_to(settings, url, Opening::Existing).await {
                    Err(DataError::Database { error: StoreError::Older { .. }, .. }) => {
                        return Ok(None);
                    }
                    data => data?,
                };
                Self::on_server(data)?
            }
        };
        let found = target.backend.mark().await.map_err(|error| target.failure(error))?;
        Ok((found == mark).then_some(target))
    }

    async fn in_folder(folder: &Path, file: &'static str, lock: File) -> Result<Self, DataError> {
        let path = folder.join(file);
        let opened = SqliteBackend::open(&path, Env::system()).await;
        let backend = opened.map_err(|error| super::in_database(&path, error))?;
        let kind = TargetKind::Folder { folder: folder.to_owned(), file, _lock: lock };
        Ok(Self { backend: Arc::new(backend), kind })
    }

    fn on_server(data: Data) -> Result<Self, DataError> {
        let Place::Shared(backend, _) = &data.place else { return Err(DataError::SameKind) };
        let backend = Arc::clone(backend);
        let opened = Arc::clone(&backend);
        Ok(Self { backend: opened, kind: TargetKind::Server { data, backend } })
    }

    fn failure(&self, error: StoreError) -> DataError {
        match &self.kind {
            TargetKind::Folder { folder, file, .. } => {
                super::in_database(&folder.join(file), error)
            }
            TargetKind::Server { data, .. } => data.failure(error),
        }
    }

    /// Adds the keys, and lets processes serve the database. One that is complete stays as it is: it may
    /// have been served since, and have other keys.
    async fn finish(
        self,
        settings: &Settings,
        keys: &KeyRing,
        signing: Option<SigningKeys>,
    ) -> Result<KeysAfter, DataError> {
        match self.kind {
            TargetKind::Folder { folder, file, .. } => {
                let (ring, is_given) = (folder.join("keys"), given(settings)?.is_some());
                let after = match is_given {
                    true => KeysAfter::InSettings(ring.clone()),
                    false => KeysAfter::InFolder,
                };
                if file == DATABASE {
                    self.backend.close().await;
                    return Ok(after);
                }
                let shown = folder.display().to_string();
                prove(&*self.backend, &Env::system(), &shown, keys).await?;
                self.backend.close().await;
                let path = folder.join("signing-keys");
                store_keys(&SigningPlace::File(path), signing).await?;
                if !is_given {
                    copy_secret(&settings.keys_file, &ring)?;
                }
                let (scratch, database) = (folder.join(file), super::database(&folder));
                let named = fs::rename(&scratch, &database).and_then(|()| sync_folder(&folder));
                named.map(|()| after).map_err(in_file(&database))
            }
            TargetKind::Server { data, backend } => {
                let Place::Shared(_, url) = &data.place else { return Err(DataError::SameKind) };
                if let Some(mark) = data.sealed(Sealed::Move).await? {
                    prove(&*backend, &data.env, url, keys).await?;
                    store_keys(&data.signing_under(&backend, url, keys), signing).await?;
                    let forgotten = backend.forget_sealed(Sealed::Move, mark).await;
                    forgotten.map_err(|error| data.failure(error))?;
                }
                backend.close().await;
                Ok(KeysAfter::OfProcesses)
            }
        }
    }
}

async fn store_keys(place: &SigningPlace, keys: Option<SigningKeys>) -> Result<(), DataError> {
    match keys {
        Some(keys) => place.change(move |_| Ok(keys.clone())).await.map(drop),
        None => Ok(()),
    }
}

impl Data {
    /// Makes sure that no process serves the database, for as long as the lock is held; one on a
    /// server has none.
    async fn unused(&self) -> Result<Option<File>, DataError> {
        match &self.place {
            Place::Embedded(_) => lock_unused(&self.dir).map(Some),
            Place::Shared(..) => self.not_leased().await.map(|()| None),
        }
    }

    /// What shows that the database is used.
    async fn seen(&self) -> Result<Seen, DataError> {
        let seen = async {
            let (state, recorded) = (self.backend.state().await?, self.backend.issuer().await?);
            Ok(Seen { state, recorded, users: self.backend.users().await? })
        };
        seen.await.map_err(|error| self.failure(error))
    }

    /// Refuses a database into which data is being moved.
    pub(super) async fn refuse_unfinished(&self) -> Result<(), DataError> {
        let Place::Shared(_, place) = &self.place else { return Ok(()) };
        match self.sealed(Sealed::Move).await? {
            Some(_) => Err(DataError::Unfinished { place: place.clone() }),
            None => Ok(()),
        }
    }

    /// Claims an empty database for the move of the source with this mark.
    async fn claim(
        &self,
        backend: &dyn SharedBackend,
        from: &str,
        mark: &Mark,
    ) -> Result<(), DataError> {
        let failure = |error| self.failure(error);
        let in_use = || DataError::TargetInUse { place: self.shown() };
        let before = backend.sealed(Sealed::Move).await.map_err(failure)?;
        match &before {
            Some(before) if *before == mark.to_string().as_bytes() => return Ok(()),
            // The tables were made by a move that stored nothing.
            Some(before) if *before == BEGUN => {}
            Some(before) if mark.is_of_source(before) => {
                return Err(DataError::MovedWhileUsed { from: from.to_owned(), to: self.shown() });
            }
            Some(_) => return Err(in_use()),
            None => {}
        }
        let is_used = backend.issuer().await.map_err(failure)?.is_some()
            || backend.has_users().await.map_err(failure)?;
        if is_used {
            return Err(in_use());
        }
        let mark = mark.to_string().into_bytes();
        let claimed = backend.replace_sealed(Sealed::Move, before, mark).await;
        claimed.map_err(failure)?.then_some(()).ok_or_else(in_use)
    }
}

/// The path in `sqlite:DIR`, which may name the file in the folder.
///
/// # Errors
/// `None` if it is no such text.
pub fn folder_of(text: &str) -> Option<PathBuf> {
    let path = Path::new(text.strip_prefix("sqlite:")?);
    match path.file_name().is_some_and(|name| name == "quadrille.db") {
        true => path.parent().map(Path::to_owned),
        false => Some(path.to_owned()),
    }
}
