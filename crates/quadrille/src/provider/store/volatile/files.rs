//! A cache in files, which the processes of one machine share.

use std::{fmt, io, path::PathBuf, sync::Arc};

use crate::{Env, Timestamp};

use super::{VolatileCache, VolatileEntry, VolatileFound, VolatileKey, folder::Folder, packed};
use crate::provider::store::{RowId, StoreError};

/// A cache in the files of a folder on this machine, a file for each entry.
///
/// It keeps no marks of used keys. A crash of the machine may lose the entries of the last seconds;
/// one that was replaced does not come back. The folder belongs to this cache alone: nobody else can
/// write to it or replace it, which each use checks, and nothing else is in it. It must not be restored from a backup, and not be on a
/// network file system without locks.
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

impl VolatileFiles {
    /// A cache in this folder, which is made for this user alone if it is missing.
    ///
    /// # Errors
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) for a folder of another user, a link, one that
    /// others can write to or replace, and one with files of another kind; else those of the file system.
    pub fn open(path: impl Into<PathBuf>, env: Env) -> io::Result<Self> {
        Ok(Self(Arc::new(Folder::open(path.into(), env)?)))
    }

    /// Runs work on a thread that may wait for the disk.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = Arc::clone(&self.0);
        let checked = move || folder.check_still().and_then(|()| work(&folder));
        let done = tokio::task::spawn_blocking(checked).await;
        done.map_err(StoreError::failed)?.map_err(StoreError::cache_unavailable)
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
            folder.sweep_some(now)?;
            let _lock = folder.lock(&name)?;
            if folder.find(&name, now)?.is_some() {
                return Ok(false);
            }
            let content = packed::write(folder.version(), entry.expires, &entry.value);
            folder.put(&name, &content, false).map(|()| true)
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
                    folder.put(&name, &content, true).map(|()| true)
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
            folder.remove(&name).map(drop)
        };
        self.work(work).await
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        self.work(Folder::newest).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.work(move |folder| folder.sweep(now)).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.work(Folder::check).await
    }
}

impl fmt::Debug for VolatileFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileFiles").field("folder", &self.0.path).finish_non_exhaustive()
    }
}
