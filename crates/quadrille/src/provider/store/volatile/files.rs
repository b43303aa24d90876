//! A cache in files, which the processes of one machine share.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{Env, Timestamp};

use super::{VolatileCache, VolatileEntry, VolatileFound, VolatileKey, packed};
use crate::provider::store::{RowId, StoreError};

/// The number of locks, each for a share of the keys.
const LOCKS: u32 = 16;

/// The name of the file with the greatest number. No kind of entry has it.
const NEWEST: &str = "newest";

/// The end of the names of files that are written.
const PARTIAL: &str = ".partial";

/// One `add` in so many removes expired files.
const SWEEP_EVERY: u32 = 64;

/// The most files that one sweep looks at.
const PER_SWEEP: usize = 1024;

/// A cache in the files of a folder on this machine, a file for each entry.
///
/// It keeps no marks of used keys. A crash of the machine may lose the entries of the last seconds;
/// one that was replaced does not come back. The folder must not be restored from a backup, and not
/// be on a network file system without locks.
///
/// ```
/// # fn open() -> std::io::Result<()> {
/// use quadrille::{Env, provider::store::VolatileFiles};
///
/// let cache = VolatileFiles::open("/var/lib/app/short-lived", Env::system())?;
/// # Ok(())
/// # }
/// ```
pub struct VolatileFiles(Arc<Folder>);

struct Folder {
    path: PathBuf,
    env: Env,
    added: AtomicU32,
}

impl VolatileFiles {
    /// A cache in this folder, which is made for this user alone if it is missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: impl Into<PathBuf>, env: Env) -> io::Result<Self> {
        let path = path.into();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        let folder = Folder { path, env, added: AtomicU32::new(0) };
        folder.lock(NEWEST)?;
        Ok(Self(Arc::new(folder)))
    }

    /// Runs work on a thread that may wait for the disk.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.map_err(StoreError::failed)?.map_err(StoreError::cache_unavailable)
    }
}

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Locks the share of a key, until the file is dropped.
    fn lock(&self, name: &str) -> io::Result<File> {
        let sum = name.bytes().fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(byte));
        let path = self.path(&format!("lock{}", sum % LOCKS));
        let file = private(OpenOptions::new().read(true).write(true).create(true)).open(path)?;
        file.lock()?;
        Ok(file)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut content = Vec::new();
        match File::open(self.path(name)) {
            Ok(mut file) => file.read_to_end(&mut content).map(|_| Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The entry that is there. One that was torn by a crash is lost.
    fn find(&self, name: &str, now: Timestamp) -> io::Result<Option<VolatileFound>> {
        let found = self.read(name)?.as_deref().and_then(packed::read);
        Ok(found.filter(|found| found.expires.seconds() >= now.seconds()))
    }

    /// Writes a file in the place of another one, with the lock held.
    fn write(&self, name: &str, content: &[u8], is_durable: bool) -> io::Result<()> {
        let partial = self.path(&[name, PARTIAL].concat());
        let mut options = OpenOptions::new();
        let mut file = private(options.write(true).create(true).truncate(true)).open(&partial)?;
        file.write_all(content)?;
        if is_durable {
            file.sync_data()?;
        }
        fs::rename(&partial, self.path(name))?;
        if is_durable { sync_folder(&self.path) } else { Ok(()) }
    }

    fn raise_newest(&self, row: RowId) -> io::Result<()> {
        let _lock = self.lock(NEWEST)?;
        match row > self.newest()? {
            true => self.write(NEWEST, row.0.to_string().as_bytes(), false),
            false => Ok(()),
        }
    }

    fn newest(&self) -> io::Result<RowId> {
        let text = self.read(NEWEST)?.and_then(|content| String::from_utf8(content).ok());
        Ok(RowId(text.and_then(|text| text.parse().ok()).unwrap_or(0)))
    }

    fn version(&self) -> u64 {
        u64::from_be_bytes(self.env.random())
    }

    fn sweep(&self, now: Timestamp) -> io::Result<u64> {
        let mut gone = 0;
        for file in fs::read_dir(&self.path)?.take(PER_SWEEP) {
            let name = file?.file_name();
            let Some(name) = name.to_str().filter(|name| name.contains('-')) else { continue };
            let _lock = self.lock(name)?;
            let entry = name.trim_end_matches(PARTIAL);
            if self.find(entry, now)?.is_none() && remove(&self.path(name))? {
                gone += 1;
            }
        }
        Ok(gone)
    }
}

impl VolatileCache for VolatileFiles {
    async fn add(
        &self,
        key: &VolatileKey,
        entry: VolatileEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let name = key.as_str().to_owned();
        let work = move |folder: &Folder| {
            if let Some(row) = entry.row {
                folder.raise_newest(row)?;
            }
            if folder.added.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
                folder.sweep(now)?;
            }
            let _lock = folder.lock(&name)?;
            if folder.find(&name, now)?.is_some() {
                return Ok(false);
            }
            let content = packed::write(folder.version(), entry.expires, &entry.value);
            folder.write(&name, &content, false).map(|()| true)
        };
        self.work(work).await
    }

    async fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> Result<Option<VolatileFound>, StoreError> {
        let name = key.as_str().to_owned();
        self.work(move |folder| folder.find(&name, now)).await
    }

    async fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (name, seen) = (key.as_str().to_owned(), found.version);
        let work = move |folder: &Folder| {
            let _lock = folder.lock(&name)?;
            match folder.find(&name, now)? {
                Some(held) if held.version == seen => {
                    let content = packed::write(folder.version(), held.expires, &value);
                    folder.write(&name, &content, true).map(|()| true)
                }
                _ => Ok(false),
            }
        };
        self.work(work).await
    }

    async fn remove(&self, key: &VolatileKey) -> Result<(), StoreError> {
        let name = key.as_str().to_owned();
        let work = move |folder: &Folder| {
            let _lock = folder.lock(&name)?;
            remove(&folder.path(&name)).map(drop)
        };
        self.work(work).await
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        self.work(Folder::newest).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.work(move |folder| folder.sweep(now)).await
    }
}

impl fmt::Debug for VolatileFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileFiles").field("folder", &self.0.path).finish_non_exhaustive()
    }
}

/// `true` if there was a file.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// For this user alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a rename durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(path)?.sync_all(),
        false => Ok(()),
    }
}
