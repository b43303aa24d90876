//! The folder of a [`FileStorage`](super::FileStorage): names, locks between processes, and files
//! that are replaced at once. All of it blocks.

use std::{
    array,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{error, warn};

use crate::consumer::error::StorageError;

/// The file that says which version of the format the folder has. Without it, the folder is not
/// there: a disk that is not mounted is no folder in which nobody has linked anything.
const MARKER: &str = "format";
/// The version of the format that this version of the library reads and writes.
pub(super) const FORMAT: u32 = 1;
/// The number of locks: writers of two owners rarely wait for each other.
const LOCKS: usize = 64;
/// The pause between attempts to lock, and their number: five seconds in all.
const LOCK_AGAIN: Duration = Duration::from_millis(5);
const LOCK_ATTEMPTS: u32 = 1000;

/// The greatest length of a file in bytes: some thousand accounts of one owner.
const LONGEST: u64 = 8 << 20;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// One for the lock of each number.
    turns: [Turns; LOCKS],
}

/// The writers of this process who want one lock.
#[derive(Debug, Default)]
struct Turns {
    /// Held with the lock, so that they wait for each other without a thread.
    turn: Arc<Mutex<()>>,
    /// Whether the last of them waited in vain: the process that holds the lock is stopped. The
    /// others would wait as long, one after the other, so they only try, until one gets the lock.
    is_stuck: AtomicBool,
}

/// Whether a file survives a loss of power that follows the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    Kept,
    MayBeLost,
}

/// A reason, for the log of the task that works on the folder: the work has a thread of its own.
#[derive(Debug)]
pub(super) struct Fault {
    file: PathBuf,
    /// The error of the operating system.
    cause: Option<String>,
    pub(super) reason: StorageError,
}

impl Fault {
    pub(super) fn logged(self) -> StorageError {
        let (file, reason) = (self.file.display(), self.reason);
        let error = self.cause.as_deref().unwrap_or("its content is not what it should be");
        error!(%file, error, %reason, "the storage of tokens failed");
        reason
    }
}

impl Folder {
    /// Makes the folder, unless it is there.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let folder = Self { path: path.to_owned(), turns: array::from_fn(|_| Turns::default()) };
        match folder.format()? {
            Some(found) if found > FORMAT => return Err(folder.fault(MARKER, StorageError::Newer)),
            Some(_) => {}
            None => {
                make(path).map_err(|error| failed(path, &error, Access::Write))?;
                let _lock = folder.lock(0)?;
                // Another process may have been faster.
                if folder.format()?.is_none() {
                    folder.write(MARKER, format!("{FORMAT}\n").as_bytes(), Durability::Kept)?;
                }
            }
        }
        warn_if_others_may_write(path);
        Ok(folder)
    }

    /// The turn of this process to write a file, which [`Folder::lock`] then shuts other processes
    /// out from.
    pub(super) async fn turn(&self, shard: u8) -> OwnedMutexGuard<()> {
        let turns = self.turns.get(usize::from(shard) % LOCKS);
        let turn = turns.map_or_else(Arc::default, |turns| Arc::clone(&turns.turn));
        turn.lock_owned().await
    }

    /// Shuts other processes out until the file is dropped. Waits for five seconds, unless the last
    /// one waited in vain.
    pub(super) fn lock(&self, shard: u8) -> Result<File, Fault> {
        self.lock_within(shard, || thread::sleep(LOCK_AGAIN))
    }

    fn lock_within(&self, shard: u8, mut pause: impl FnMut()) -> Result<File, Fault> {
        let number = usize::from(shard) % LOCKS;
        let path = self.path.join(format!("lock-{number:02}"));
        let file = open_lock(&path).map_err(|error| failed(&path, &error, Access::Write))?;
        let is_stuck = self.turns.get(number).map(|turns| &turns.is_stuck);
        let attempts = match is_stuck.is_some_and(|is_stuck| is_stuck.load(Ordering::Relaxed)) {
            true => 1,
            false => LOCK_ATTEMPTS,
        };
        let set_stuck = |now| is_stuck.into_iter().for_each(|it| it.store(now, Ordering::Relaxed));
        for attempt in 1..=attempts {
            match file.try_lock() {
                Ok(()) => {
                    set_stuck(false);
                    return Ok(file);
                }
                Err(TryLockError::WouldBlock) if attempt == attempts => {}
                Err(TryLockError::WouldBlock) => pause(),
                Err(TryLockError::Error(error)) => {
                    return Err(failed(&path, &error, Access::Write));
                }
            }
        }
        set_stuck(true);
        Err(failed(&path, &io::ErrorKind::WouldBlock.into(), Access::Write))
    }

    /// The content of a file; `None` if there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.path.join(name);
        match read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.is_there()?;
                Ok(None)
            }
            Err(error) => Err(failed(&path, &error, Access::Read)),
        }
    }

    /// The names of all files.
    pub(super) fn names(&self) -> Result<Vec<String>, Fault> {
        self.is_there()?;
        let failed = |error| failed(&self.path, &error, Access::Read);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        Ok(names)
    }

    /// Replaces a file at once: at any moment, also after a crash, it is the old one or the new
    /// one. The caller has the lock.
    pub(super) fn write(
        &self,
        name: &str,
        content: &[u8],
        durability: Durability,
    ) -> Result<(), Fault> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let written = self.replace(&path, &new, content, durability);
        written.map_err(|error| {
            // What a full disk has taken of it is in the way of others.
            let _ = fs::remove_file(&new);
            failed(&path, &error, Access::Write)
        })
    }

    fn replace(
        &self,
        path: &Path,
        new: &Path,
        content: &[u8],
        durability: Durability,
    ) -> io::Result<()> {
        if content.len() as u64 > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // A process that ended in the middle has left it.
        absent(fs::remove_file(new))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        for_us_alone(&mut options);
        let mut file = options.open(new)?;
        file.write_all(content)?;
        if durability == Durability::Kept {
            file.sync_all()?;
        }
        drop(file);
        fs::rename(new, path)?;
        self.sync(durability)
    }

    /// Removes a file. The caller has the lock.
    pub(super) fn remove(&self, name: &str, durability: Durability) -> Result<(), Fault> {
        let path = self.path.join(name);
        let removed = absent(fs::remove_file(&path)).and_then(|()| self.sync(durability));
        removed.map_err(|error| failed(&path, &error, Access::Write))
    }

    /// The fault of a file whose content is not what it should be.
    pub(super) fn fault(&self, name: &str, reason: StorageError) -> Fault {
        Fault { file: self.path.join(name), cause: None, reason }
    }

    /// A rename is lost with the power unless the folder is synchronised, too.
    fn sync(&self, durability: Durability) -> io::Result<()> {
        if cfg!(unix) && durability == Durability::Kept {
            File::open(&self.path)?.sync_all()?;
        }
        Ok(())
    }

    fn is_there(&self) -> Result<(), Fault> {
        match self.format()? {
            Some(_) => Ok(()),
            None => {
                Err(failed(&self.path.join(MARKER), &io::ErrorKind::NotFound.into(), Access::Read))
            }
        }
    }

    /// The version in the marker; `None` without one.
    fn format(&self) -> Result<Option<u32>, Fault> {
        let path = self.path.join(MARKER);
        match read(&path) {
            Ok(content) => match str::from_utf8(&content).map(|text| text.trim().parse()) {
                Ok(Ok(format)) => Ok(Some(format)),
                _ => Err(self.fault(MARKER, StorageError::Unreadable)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error, Access::Read)),
        }
    }
}

/// Reads a file of this storage.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    check_kind(path)?;
    let mut content = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is too long"));
    }
    Ok(content)
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    for_us_alone(&mut options);
    // This follows no link.
    match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            check_kind(path)?;
            options.open(path)
        }
        made => made,
    }
}

/// Refuses what others may have put in the place of a file: a link, which leads elsewhere, and a
/// pipe, which keeps its reader waiting.
fn check_kind(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "this is not a plain file")),
    }
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn for_us_alone(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Others cannot read sealed tokens, but could put old ones back.
fn warn_if_others_may_write(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(path)
        && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o022 != 0
    {
        warn!(folder = %path.display(), "other users of this machine may change the stored tokens");
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

fn failed(path: &Path, error: &io::Error, access: Access) -> Fault {
    let (kind, cause) = (error.kind(), Some(error.to_string()));
    Fault { file: path.to_owned(), cause, reason: reason(kind, access) }
}

const fn reason(kind: io::ErrorKind, access: Access) -> StorageError {
    use io::ErrorKind::{
        FileTooLarge, IsADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    match (kind, access) {
        (PermissionDenied, Access::Write)
        | (FileTooLarge | QuotaExceeded | ReadOnlyFilesystem | StorageFull, _) => {
            StorageError::Unwritable
        }
        (PermissionDenied | IsADirectory, Access::Read) | (io::ErrorKind::InvalidData, _) => {
            StorageError::Unreadable
        }
        _ => StorageError::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_waits_for_a_process_that_is_stopped_and_the_others_fail_at_once() {
        let place = tempfile::tempdir().unwrap();
        let [here, there] = [0, 1].map(|_| Folder::open(place.path()).unwrap());
        let pauses = |shard| {
            let mut pauses = 0;
            let locked = here.lock_within(shard, || pauses += 1);
            (locked.map(drop).map_err(|fault| fault.reason), pauses)
        };
        let failed = Err(StorageError::Unavailable);
        for _ in 0..2 {
            let held = there.lock(7).unwrap();
            assert_eq!(pauses(7), (failed, LOCK_ATTEMPTS - 1));
            assert_eq!(pauses(7), (failed, 0));
            assert_eq!(pauses(7), (failed, 0));
            assert_eq!(pauses(8), (Ok(()), 0), "another lock");
            drop(held);
            // It is as before.
            assert_eq!(pauses(7), (Ok(()), 0));
        }
    }

    #[test]
    fn what_may_pass_is_told_from_what_stays() {
        use io::ErrorKind::{
            NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull, TimedOut,
        };
        for kind in [PermissionDenied, ReadOnlyFilesystem, StorageFull] {
            assert_eq!(reason(kind, Access::Write), StorageError::Unwritable, "{kind}");
        }
        assert_eq!(reason(PermissionDenied, Access::Read), StorageError::Unreadable);
        for kind in [NotFound, TimedOut] {
            assert_eq!(reason(kind, Access::Write), StorageError::Unavailable, "{kind}");
        }
    }
}
