//! Files that settings and arguments name: keys, certificates, pages.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use zeroize::Zeroizing;

/// The greatest size of such a file, in bytes.
const MOST: u64 = 1 << 20;

/// The bytes of a file that a setting names. A pipe could keep the program waiting for ever, and a device
/// has no end: neither is accepted.
pub(crate) fn bytes(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Err(io::Error::other("it is a device or a pipe, not a file"));
    }
    bytes_or_pipe(path)
}

/// The text of a file that a setting names.
pub(crate) fn text(path: &Path) -> io::Result<Zeroizing<String>> {
    bytes(path).and_then(|bytes| as_text(&bytes))
}

/// The text of a file, or of a pipe such as `<(command)`, that an argument names.
pub(crate) fn text_or_pipe(path: &Path) -> io::Result<Zeroizing<String>> {
    bytes_or_pipe(path).and_then(|bytes| as_text(&bytes))
}

fn bytes_or_pipe(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    // No copies of a secret remain in memory that was too small.
    let size = file.metadata().map_or(0, |found| found.len());
    let size = usize::try_from(size.min(MOST) + 64).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    let read = file.take(MOST + 1).read_to_end(&mut bytes)?;
    match u64::try_from(read) {
        Ok(read) if read <= MOST => Ok(bytes),
        _ => Err(io::Error::other("it is larger than a mebibyte")),
    }
}

fn as_text(bytes: &[u8]) -> io::Result<Zeroizing<String>> {
    let text = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        assert_eq!(*text(&path).unwrap(), "text");
        let most = usize::try_from(MOST).unwrap();
        fs::write(&path, vec![b'x'; most]).unwrap();
        assert_eq!(text(&path).unwrap().len(), most);
        fs::write(&path, vec![b'x'; most + 1]).unwrap();
        assert!(text(&path).unwrap_err().to_string().contains("larger"));
        assert!(text_or_pipe(&path).is_err());
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(text(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(text(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert!(text(Path::new("/dev/zero")).unwrap_err().to_string().contains("device"));
        assert!(text_or_pipe(Path::new("/dev/zero")).unwrap_err().to_string().contains("larger"));
        assert_eq!(*text_or_pipe(Path::new("/dev/null")).unwrap(), "");
        assert_eq!(text(&path.join("x")).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    }
}
