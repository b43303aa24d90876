//! The file with the key ring.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use quadrille::{Env, KeyRing};
use zeroize::Zeroizing;

use super::DataError;
use crate::named_file;

const HEAD: &str = "\
# The key ring of this provider: a secret that can forge sessions and tokens.
# One key per line, the newest first. To rotate, put a new key (openssl rand -base64 32) on top,
# restart, run `quadrille keys reseal`, and remove the old key when the longest-lived refresh token
# has expired.
";

/// Makes the file, and reads it. If several processes start at once, one makes the file and all
/// read it.
pub(super) fn make(env: &Env, path: &Path) -> Result<KeyRing, DataError> {
    write(env, path).map_err(|error| DataError::File { path: path.to_owned(), error })?;
    read(path)
}

/// The key ring in the file, if the file exists.
pub(super) fn load(path: &Path) -> Result<Option<KeyRing>, DataError> {
    match read(path) {
        Err(DataError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

fn read(path: &Path) -> Result<KeyRing, DataError> {
    let text = named_file::text(path).map_err(|error| unread(path, error))?;
    warn_if_others_can_read(path);
    let keys: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    KeyRing::parse(&Zeroizing::new(keys.join(",")))
        .map_err(|error| DataError::Keys { place: path.display().to_string(), error })
}

/// The reason why a file of keys is not read: a wrong file is as wrong as wrong keys in it.
pub(super) fn unread(path: &Path, error: io::Error) -> DataError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::Other => DataError::KeyFile { path, error },
        _ => DataError::File { path, error },
    }
}

fn write(env: &Env, path: &Path) -> io::Result<()> {
    let name: [u8; 8] = env.random();
    let scratch = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(name)));
    let key = Zeroizing::new(env.random::<32>());
    let line = Zeroizing::new(BASE64_STANDARD.encode(&key[..]));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = (|| {
        let mut file = options.open(&scratch)?;
        file.write_all(HEAD.as_bytes())?;
        file.write_all(line.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        // A hard link appears at once and complete, or fails because another process made one.
        match std::fs::hard_link(&scratch, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        }
    })();
    let _ = std::fs::remove_file(&scratch);
    written
}

/// Says in the log if other users of this machine can read the file: once, for a file that is read
/// again and again.
#[cfg(unix)]
pub fn warn_if_others_can_read(path: &Path) {
    use std::{
        collections::BTreeSet,
        os::unix::fs::PermissionsExt as _,
        path::PathBuf,
        sync::{Mutex, PoisonError},
    };
    static NAMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if mode & 0o077 != 0 && named.insert(path.to_owned()) {
        let path = path.display();
        tracing::warn!("{path} can be read by other users of this machine: chmod 600 {path}");
    }
}

/// Says nothing: the modes of files are those of Unix.
#[cfg(not(unix))]
pub fn warn_if_others_can_read(_: &Path) {}
