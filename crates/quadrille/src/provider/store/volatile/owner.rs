//! Whose the folder of a cache is.

use std::{
    fs::{self, File, Metadata},
    io,
    path::Path,
};

/// The folder that was opened: another one in its place, or one that others can write to by now, is not
/// used.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    device: u64,
    number: u64,
    user: u32,
}

#[cfg(unix)]
impl Owned {
    /// A folder that belongs to the user of a `new` file in it, that no other user can write to, and that
    /// nobody but root can replace.
    pub(super) fn check(new: &File, folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let (new, about) = (new.metadata()?, alone(folder)?);
        if about.uid() != new.uid() {
            let why = "the folder belongs to another user: use one of your own";
            return Err(refused(why.to_owned()));
        }
        for above in fs::canonicalize(folder)?.ancestors().skip(1) {
            check_above(above, &new)?;
        }
        Ok(Self { device: about.dev(), number: about.ino(), user: about.uid() })
    }

    /// Checks that it is the same folder, and still of its user alone.
    pub(super) fn is_still(self, folder: &Path) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        let about = alone(folder)?;
        let here = Self { device: about.dev(), number: about.ino(), user: about.uid() };
        match here == self {
            true => Ok(()),
            false => Err(refused("another folder is in the place of the cache".to_owned())),
        }
    }
}

#[cfg(not(unix))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owned;

#[cfg(not(unix))]
impl Owned {
    pub(super) fn check(_: &File, _: &Path) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn is_still(self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// A folder, and no link to one, that others cannot write to.
#[cfg(unix)]
fn alone(folder: &Path) -> io::Result<Metadata> {
    use std::os::unix::fs::MetadataExt as _;
    const WRITE: u32 = 0o022;
    let about = fs::symlink_metadata(folder)?;
    if !about.is_dir() {
        return Err(refused("it is a link, or no folder: name the folder itself".to_owned()));
    }
    match about.mode() & WRITE {
        0 => Ok(about),
        _ => Err(refused("other users can write to the folder: chmod go-w".to_owned())),
    }
}

/// Who can write to a folder can replace what is in it, if the folder is not sticky; its owner always can.
#[cfg(unix)]
fn check_above(above: &Path, new: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    const ROOT: u32 = 0;
    const STICKY: u32 = 0o1000;
    const GROUP: u32 = 0o020;
    const ANYBODY: u32 = 0o002;
    let (about, shown) = (fs::metadata(above)?, above.display());
    if about.uid() != ROOT && about.uid() != new.uid() {
        let why = format!("another user can replace the folder: `{shown}` is not yours");
        return Err(refused(why));
    }
    let of_others = about.mode() & GROUP != 0 && about.gid() != new.gid();
    if (of_others || about.mode() & ANYBODY != 0) && about.mode() & STICKY == 0 {
        let why = format!("others can replace the folder: chmod go-w `{shown}`");
        return Err(refused(why));
    }
    Ok(())
}

pub(super) fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}
