//! Logos: that of a brand, and those of clients.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use aws_lc_rs::digest;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;

use super::pixels;

/// The greatest size of a logo in bytes: every visitor loads it.
const LARGEST: u64 = 64 * 1024;

/// The greatest width and height of the logo of a client.
const MOST_PIXELS: u32 = 2048;

/// A picture that every page shows.
#[derive(Clone, Debug)]
pub(super) struct Logo {
    /// The media type.
    pub(super) kind: &'static str,
    /// The ending of its path.
    pub(super) ending: &'static str,
    /// The content.
    pub(super) bytes: Bytes,
}

/// The logo of a client.
#[derive(Debug)]
pub(in crate::web) struct Picture {
    pub(super) kind: &'static str,
    pub(super) ending: &'static str,
    pub(super) bytes: Bytes,
    /// A hash of the content, of which the path is made.
    pub(in crate::web) fingerprint: String,
}

impl Picture {
    /// The picture with this content, or the reason why it is none.
    ///
    /// # Errors
    /// [`LogoFault`].
    pub(in crate::web) fn of_client(bytes: Bytes) -> Result<Self, LogoFault> {
        let (kind, ending) = kind_of(&bytes)?;
        if pixels::moves(&bytes) {
            return Err(LogoFault::Moving);
        }
        // A small file can be a picture for which a browser needs gigabytes.
        let (width, height) = pixels::of(&bytes).ok_or(LogoFault::Kind)?;
        if width.max(height) > MOST_PIXELS {
            return Err(LogoFault::Pixels);
        }
        Ok(Self { kind, ending, fingerprint: fingerprint(&bytes), bytes })
    }

    /// The content.
    pub(in crate::web) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// A hash that names this content.
pub(super) fn fingerprint(content: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, content);
    let mut name = BASE64_URL_SAFE_NO_PAD.encode(digest.as_ref());
    name.truncate(16);
    name
}

/// The reason why a file is no logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogoFault {
    /// The file is larger than visitors should load.
    #[error("a logo has at most 64 KiB")]
    Size,
    /// The picture is wider or higher than a browser should have to draw.
    #[error("a logo has at most 2048 by 2048 pixels")]
    Pixels,
    /// The picture is a document, which can hold scripts and name addresses elsewhere.
    #[error("an SVG can hold scripts and addresses elsewhere: save the logo as PNG or WebP")]
    Svg,
    /// The picture is of another kind.
    #[error("a logo is a PNG, a WebP or a JPEG")]
    Kind,
    /// The picture moves, which would draw the eye from the question beside it.
    #[error("a logo does not move")]
    Moving,
}

impl Logo {
    /// The picture in a file, or the reason why the file is none.
    ///
    /// # Errors
    /// The error of the system.
    pub(super) fn read(file: &Path) -> io::Result<Result<Self, LogoFault>> {
        let bytes = read(file)?;
        Ok(kind_of(&bytes).map(|(kind, ending)| Self { kind, ending, bytes: bytes.into() }))
    }
}

/// The file, up to the size that shows that it is too large.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The media type and the ending of a picture, which its first bytes tell: a browser must not have to guess.
fn kind_of(bytes: &[u8]) -> Result<(&'static str, &'static str), LogoFault> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(LogoFault::Size);
    }
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(("image/png", "png")),
        [0xff, 0xd8, 0xff, ..] => Ok(("image/jpeg", "jpg")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            Ok(("image/webp", "webp"))
        }
        _ if String::from_utf8_lossy(bytes).contains("<svg") => Err(LogoFault::Svg),
        _ => Err(LogoFault::Kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_picture_that_holds_no_script() {
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\nrest"), Ok(("image/png", "png")));
        assert_eq!(kind_of(b"\xff\xd8\xff\xe0rest"), Ok(("image/jpeg", "jpg")));
        assert_eq!(kind_of(b"RIFF\0\0\0\0WEBPVP8 "), Ok(("image/webp", "webp")));
        assert_eq!(kind_of(b"<?xml version=\"1.0\"?><svg/>"), Err(LogoFault::Svg));
        for other in [&b""[..], b"GIF89a", b"<html>", b"\x89PNG", b"RIFF\0\0\0\0WAVE"] {
            assert_eq!(kind_of(other), Err(LogoFault::Kind));
        }
        let picture = |width: u8| {
            let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0";
            Picture::of_client([&head[..], &[width, 1, 0, 0, 0, 1]].concat().into())
        };
        assert_eq!(picture(7).map(|picture| picture.kind).ok(), Some("image/png"));
        assert_eq!(picture(8).map(|picture| picture.kind).err(), Some(LogoFault::Pixels));
        let large = [&b"\x89PNG\r\n\x1a\n"[..], &[0; 65536]].concat();
        assert_eq!(kind_of(&large), Err(LogoFault::Size));
    }
}
