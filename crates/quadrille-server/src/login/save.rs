//! A file with a token: only its owner can read it, from its creation on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use quadrille::Env;

use super::error::LoginError;

/// A file that is prepared beside the one to write, and replaces it at once. Removed if it is
/// dropped before.
#[derive(Debug)]
pub(super) struct Saving {
    path: PathBuf,
    scratch: PathBuf,
    file: File,
}

impl Saving {
    /// Prepares the file, so that a place that cannot be written is found before the login.
    pub(super) fn prepare(path: &Path) -> Result<Self, LoginError> {
        let failed = |error| LoginError::File { path: path.to_owned(), error };
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => {
                return Err(LoginError::NoFile { path: path.to_owned(), kind: "link" });
            }
            Ok(metadata) if metadata.is_dir() => {
                return Err(LoginError::NoFile { path: path.to_owned(), kind: "folder" });
            }
            Ok(metadata) if !metadata.is_file() => {
                return Err(LoginError::NoFile { path: path.to_owned(), kind: "device or pipe" });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let Some(name) = path.file_name() else {
            return Err(LoginError::NoFile { path: path.to_owned(), kind: "folder" });
        };
        let random = u64::from_be_bytes(Env::system().random());
        let scratch = path.with_file_name(format!(".{}.{random:016x}", name.to_string_lossy()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&scratch).map_err(failed)?;
        Ok(Self { path: path.to_owned(), scratch, file })
    }

    /// Writes the text, and puts the file in its place. Returns its path.
    pub(super) fn finish(mut self, text: &str) -> Result<PathBuf, LoginError> {
        let written = (|| {
            self.file.write_all(text.as_bytes())?;
            self.file.write_all(b"\n")?;
            self.narrow()?;
            self.file.sync_all()?;
            fs::rename(&self.scratch, &self.path)
        })();
        let path = self.path.clone();
        written.map_err(|error| LoginError::File { path: path.clone(), error })?;
        Ok(path)
    }

    /// Keeps the mode of the file that is replaced where it allows less.
    #[cfg(unix)]
    fn narrow(&self) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        match fs::symlink_metadata(&self.path) {
            Ok(metadata) => {
                let mode = metadata.permissions().mode() & 0o600;
                self.file.set_permissions(fs::Permissions::from_mode(mode))
            }
            Err(_) => Ok(()),
        }
    }

    #[cfg(not(unix))]
    fn narrow(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        // After the file is put in its place, there is none of this name.
        let _ = fs::remove_file(&self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_file_is_its_owners_alone_and_no_mode_is_loosened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let save = |text| Saving::prepare(&path).unwrap().finish(text).unwrap();
        assert_eq!(save("one"), path);
        assert_eq!((mode(&path), fs::read_to_string(&path).unwrap()), (0o600, "one\n".to_owned()));
        for (before, after) in [(0o644, 0o600), (0o666, 0o600), (0o400, 0o400)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
            save("two");
            assert_eq!(mode(&path), after, "{before:o}");
        }
        assert_eq!(names(folder.path()), 1);
    }

    #[test]
    fn no_link_is_followed_and_a_login_that_fails_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "kept").unwrap();
        symlink(&target, &link).unwrap();
        assert!(matches!(Saving::prepare(&link), Err(LoginError::NoFile { kind: "link", .. })));
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nowhere"), &dangling).unwrap();
        assert!(matches!(Saving::prepare(&dangling), Err(LoginError::NoFile { .. })));
        assert!(matches!(
            Saving::prepare(folder.path()),
            Err(LoginError::NoFile { kind: "folder", .. })
        ));
        let missing = folder.path().join("no/such/folder");
        assert!(matches!(Saving::prepare(&missing), Err(LoginError::File { .. })));
        drop(Saving::prepare(&target).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
        assert_eq!(names(folder.path()), 3);
    }
}
