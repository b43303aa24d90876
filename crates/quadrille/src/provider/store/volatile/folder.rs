//! The folder of a cache in files: whose it is, and the names, locks and contents of its files.

use std::{
    fs::{self, File, OpenOptions, ReadDir, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{Env, Timestamp};

use super::{
    VolatileFound,
    owner::{Owned, refused},
    packed,
};
use crate::provider::store::RowId;

/// The number of locks, each for a share of the keys.
const LOCKS: u32 = 16;

/// The start of the names of locks.
const LOCK: &str = "lock";

/// The name of the file with the greatest number. No kind of entry has it.
const NEWEST: &str = "newest";

/// The end of the names of files that are written.
const PARTIAL: &str = ".partial";

/// The end of the names of entries, after the key: names of other files that end in a date have the
/// form of a key.
const ENTRY: &str = ".entry";

/// The number of times that a lock is tried, and the pause between two: two seconds in all. A process
/// that stands still, with a lock, must not keep the others waiting.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// The longest file of an entry, in bytes.
const LONGEST: u64 = 1 << 20;

/// One `add` in so many removes expired files.
const SWEEP_EVERY: u32 = 64;

/// The most files that one `add` looks at, and that one `sweep` removes.
const PER_SWEEP: usize = 1024;

pub(super) struct Folder {
    pub(super) path: PathBuf,
    owned: Owned,
    env: Env,
    added: AtomicU32,
    /// The files at which the next `add` that sweeps looks.
    rest: Mutex<Option<ReadDir>>,
}

impl Folder {
    /// A folder of this user alone, with files of a cache alone: others are never removed.
    pub(super) fn open(path: PathBuf, env: Env) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        for file in fs::read_dir(&path)? {
            let name = file?.file_name();
            if !name.to_str().is_some_and(is_of_cache) {
                let name = name.to_string_lossy();
                return Err(refused(format!("`{name}` is no file of a cache: use another folder")));
            }
        }
        let owned = write_and_check(&path, &env)?;
        let rest = Mutex::default();
        let folder = Self { path, owned, env, added: AtomicU32::new(0), rest };
        folder.newest()?;
        Ok(folder)
    }

    /// Checks that the folder is there, that it is ours alone, and that files can be written.
    pub(super) fn check(&self) -> io::Result<()> {
        self.check_still()?;
        write_and_check(&self.path, &self.env)?;
        self.newest().map(drop)
    }

    /// Checks that the folder is the one that was opened, and ours alone.
    pub(super) fn check_still(&self) -> io::Result<()> {
        self.owned.is_still(&self.path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Locks the share of a key, until the file is dropped.
    pub(super) fn lock(&self, name: &str) -> io::Result<File> {
        let sum = name.bytes().fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(byte));
        self.lock_share(sum % LOCKS)
    }

    /// The greatest number has a lock of its own, within which those of entries are taken.
    fn lock_newest(&self) -> io::Result<File> {
        self.lock_share(LOCKS)
    }

    fn lock_share(&self, share: u32) -> io::Result<File> {
        let path = self.path(&format!("{LOCK}{share}"));
        let file = private(OpenOptions::new().read(true).write(true).create(true)).open(path)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        let why = "another process has held a lock for two seconds";
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    }

    /// The content of a file. What is no file, or longer than any entry, was not written by a cache.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(name);
        let read = || -> io::Result<_> {
            if !fs::symlink_metadata(&path)?.is_file() {
                return Ok(None);
            }
            let mut content = Vec::new();
            let length = File::open(&path)?.take(LONGEST + 1).read_to_end(&mut content)?;
            Ok((length as u64 <= LONGEST).then_some(content))
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            content => content,
        }
    }

    /// The entry that is there. One that was torn by a crash is lost.
    pub(super) fn find(&self, key: &str, now: Timestamp) -> io::Result<Option<VolatileFound>> {
        let found = self.read(&[key, ENTRY].concat())?.as_deref().and_then(packed::read);
        Ok(found.filter(|found| found.expires.seconds() >= now.seconds()))
    }

    /// Writes an entry, with the lock held.
    pub(super) fn put(&self, key: &str, content: &[u8], is_durable: bool) -> io::Result<()> {
        self.write(&[key, ENTRY].concat(), content, is_durable)
    }

    /// Writes a file in the place of another one, with the lock held.
    fn write(&self, name: &str, content: &[u8], is_durable: bool) -> io::Result<()> {
        if content.len() as u64 > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the entry is too long"));
        }
        let partial = self.path(&[name, PARTIAL].concat());
        remove(&partial)?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&partial)?;
        file.write_all(content)?;
        if is_durable {
            file.sync_data()?;
        }
        fs::rename(&partial, self.path(name))?;
        if is_durable { sync_folder(&self.path) } else { Ok(()) }
    }

    pub(super) fn remove(&self, key: &str) -> io::Result<bool> {
        remove(&self.path(&[key, ENTRY].concat()))
    }

    pub(super) fn raise_newest(&self, row: RowId) -> io::Result<()> {
        let _lock = self.lock_newest()?;
        match row > self.newest_under_lock()? {
            true => self.write(NEWEST, row.0.to_string().as_bytes(), false),
            false => Ok(()),
        }
    }

    pub(super) fn newest(&self) -> io::Result<RowId> {
        match self.read_newest()? {
            Some(newest) => Ok(newest),
            None => {
                let _lock = self.lock_newest()?;
                self.newest_under_lock()
            }
        }
    }

    /// Without the greatest number, nobody knows that of the entries: they are lost with it.
    fn newest_under_lock(&self) -> io::Result<RowId> {
        if let Some(newest) = self.read_newest()? {
            return Ok(newest);
        }
        for file in fs::read_dir(&self.path)? {
            if let Some(name) = entry(&file?)? {
                let _lock = self.lock(key(&name))?;
                remove(&self.path(&name))?;
            }
        }
        self.write(NEWEST, b"0", true)?;
        Ok(RowId(0))
    }

    /// `None` if it is not there, or was torn by a crash.
    fn read_newest(&self) -> io::Result<Option<RowId>> {
        let text = self.read(NEWEST)?.and_then(|content| String::from_utf8(content).ok());
        Ok(text.and_then(|text| text.parse().ok()).map(RowId))
    }

    pub(super) fn version(&self) -> u64 {
        version(&self.env)
    }

    /// Removes expired files, at most so many.
    pub(super) fn sweep(&self, now: Timestamp) -> io::Result<u64> {
        let mut gone = 0;
        for file in fs::read_dir(&self.path)? {
            gone += u64::from(self.remove_expired(&file?, now)?);
            if gone == PER_SWEEP as u64 {
                break;
            }
        }
        Ok(gone)
    }

    /// Every so often looks at some files, those after the ones before, and removes expired ones.
    pub(super) fn sweep_some(&self, now: Timestamp) -> io::Result<()> {
        if self.added.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY != SWEEP_EVERY - 1 {
            return Ok(());
        }
        let rest = self.rest().take();
        let mut rest = rest.map_or_else(|| fs::read_dir(&self.path), Ok)?;
        for _ in 0..PER_SWEEP {
            // After the last one it begins again.
            let Some(file) = rest.next() else { return Ok(()) };
            self.remove_expired(&file?, now)?;
        }
        *self.rest() = Some(rest);
        Ok(())
    }

    fn rest(&self) -> MutexGuard<'_, Option<ReadDir>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove_expired(&self, file: &fs::DirEntry, now: Timestamp) -> io::Result<bool> {
        let Some(name) = entry(file)? else { return Ok(false) };
        let key = key(&name);
        let _lock = self.lock(key)?;
        Ok(self.find(key, now)?.is_none() && remove(&self.path(&name))?)
    }
}

/// The name of the file of an entry.
fn entry(file: &fs::DirEntry) -> io::Result<Option<String>> {
    let name = file.file_name().into_string().ok().filter(|name| is_entry(name));
    Ok(if file.file_type()?.is_file() { name } else { None })
}

/// The key of an entry, by the name of its file.
fn key(name: &str) -> &str {
    name.trim_end_matches(PARTIAL).trim_end_matches(ENTRY)
}

/// `true` for the names of the files of a cache.
fn is_of_cache(name: &str) -> bool {
    let whole = name.trim_end_matches(PARTIAL);
    let lock = name.strip_prefix(LOCK).and_then(|share| share.parse::<u32>().ok());
    is_entry(name) || whole == NEWEST || lock.is_some_and(|share| share <= LOCKS)
}

/// `true` for the names of entries: kind, issuer and name, in digits.
fn is_entry(name: &str) -> bool {
    let Some(key) = name.strip_suffix(PARTIAL).unwrap_or(name).strip_suffix(ENTRY) else {
        return false;
    };
    let mut parts = key.rsplitn(3, '-');
    let (Some(name), Some(issuer), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_hex = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_number = !issuer.is_empty() && issuer.bytes().all(|byte| byte.is_ascii_digit());
    is_hex && name.len() % 2 == 0 && is_number && !kind.is_empty()
}

/// Writes a file, and checks whose the folder is.
fn write_and_check(folder: &Path, env: &Env) -> io::Result<Owned> {
    let path = folder.join(format!("check-0-{:016x}{ENTRY}", version(env)));
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&path)?;
    let written = file.write_all(b"1");
    let checked = Owned::check(&file, folder);
    remove(&path)?;
    written.and(checked)
}

fn version(env: &Env) -> u64 {
    u64::from_be_bytes(env.random())
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
