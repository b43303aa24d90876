//! What a browser will make of a picture, by its bytes: the width, the height, and whether it moves.

/// The width and the height of a PNG, a WebP or a JPEG in pixels, if they can be read.
pub(super) fn of(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes),
        [b'R', b'I', b'F', b'F', ..] => webp(bytes),
        _ => jpeg(bytes),
    }
}

/// Whether a picture has several frames: a PNG by the chunk `acTL`, a WebP by a flag of its canvas.
pub(super) fn moves(bytes: &[u8]) -> bool {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => bytes.windows(4).any(|name| name == b"acTL"),
        _ => {
            bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0)
        }
    }
}

/// The first chunk of a PNG is its header.
fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    (bytes.get(12..16)? == b"IHDR").then_some(())?;
    Some((big(bytes, 16, 4)?, big(bytes, 20, 4)?))
}

/// A WebP begins with the size of its canvas, or with its only frame.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        b"VP8L" => {
            let both = little(bytes, 21, 4)?;
            Some(((both & 0x3fff) + 1, ((both >> 14) & 0x3fff) + 1))
        }
        b"VP8 " => Some((little(bytes, 26, 2)? & 0x3fff, little(bytes, 28, 2)? & 0x3fff)),
        _ => None,
    }
}

/// A JPEG is a row of segments, each with its length; one of them begins the frame.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xff, marker] = *bytes.get(at..at + 2)? else { return None };
        match marker {
            // Fill bytes before a marker.
            0xff => at += 1,
            // Markers without a segment.
            0x01 | 0xd0..=0xd8 => at += 2,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((big(bytes, at + 7, 2)?, big(bytes, at + 5, 2)?));
            }
            _ => at += 2 + usize::try_from(big(bytes, at + 2, 2)?).ok()?,
        }
    }
}

/// A number with its greatest byte first.
fn big(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = bytes.get(at..at + length)?.iter();
    Some(digits.fold(0, |number, byte| (number << 8) | u32::from(*byte)))
}

/// A number with its least byte first.
fn little(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let digits = bytes.get(at..at + length)?.iter().rev();
    Some(digits.fold(0, |number, byte| (number << 8) | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_picture_is_read_in_each_format() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\0\x03\x08\x06\0\0\0";
        let canvas = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x01\x01\0\x02\0\0";
        let lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x01\x81\0\0";
        let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x02\x41\x03\0";
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc2\0\x11\x08\0\x03\x01\x02\x03";
        for (bytes, width, height) in [
            (&png[..], 258, 3),
            (canvas, 258, 3),
            (lossless, 258, 3),
            (lossy, 258, 3),
            (jpeg, 258, 3),
        ] {
            assert_eq!(of(bytes), Some((width, height)), "{bytes:?}");
            assert!(!moves(bytes), "{bytes:?}");
            // A picture that is cut off is none.
            for length in 0..10 {
                assert_eq!(of(&bytes[..length]), None, "{bytes:?}");
            }
        }
        let frames = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x01\x01\0\x02\0\0";
        assert!(moves(frames) && moves(&[&png[..], b"\0\0\0\x08acTL"].concat()));
    }
}
